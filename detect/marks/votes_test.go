package marks

import (
	"math/bits"
	"math/rand/v2"
	"reflect"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/flows"
)

// Probes of values taken from captures of the tools.
func TestVectors(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		segment
		want Sign
	}{
		// 198.124.152.15 ^ 697 ^ seq is 0xbbc69c44: the equation is of its low half
		"masscan 1.0.4, port 697": {
			segment{dst: "198.124.152.15", dport: 697, sport: 51406, seq: 2109343474, id: 0x9c44, window: 1024},
			SignMasscan | SignNmap | SignNoOptions,
		},
		"masscan 1.0.4, port 217": {
			segment{dst: "198.124.152.15", dport: 217, sport: 51406, seq: 4064352752, id: 0x8126, window: 1024},
			SignMasscan | SignNmap | SignNoOptions,
		},
		"masscan with another ip.id": {
			segment{dst: "198.124.152.15", dport: 217, sport: 51406, seq: 4064352752, id: 0x8127, window: 1024},
			SignNmap | SignNoOptions,
		},
		"mirai, not to port 23": {
			segment{dst: "141.22.28.118", dport: 80, sport: 17133, seq: 2367036534, id: 9, window: 28190, ttl: 55},
			SignMirai | SignNoOptions,
		},
		"one sequence number beside it": {
			segment{dst: "141.22.28.118", dport: 80, sport: 17133, seq: 2367036535, id: 9, window: 28190, ttl: 55},
			SignNoOptions,
		},
		"zmap 2": {
			segment{dst: "192.0.2.1", dport: 80, sport: 40000, seq: 5, id: 54321, window: 65535},
			SignZMap | SignNoOptions,
		},
		"zmap's ip.id and another window": {
			segment{dst: "192.0.2.1", dport: 80, sport: 40000, seq: 5, id: 54321, window: 65534},
			SignNoOptions,
		},
		"hping3": {
			segment{dst: "192.0.2.1", dport: 80, sport: 1588, seq: 959904066, ack: 1158641538, id: 5, window: 512},
			SignHping | SignNoOptions | SignAck,
		},
		"hping3 cannot draw that": {
			segment{dst: "192.0.2.1", dport: 80, sport: 1588, seq: 959904066, ack: 1 << 31, id: 5, window: 512},
			SignNoOptions | SignAck,
		},
		"naabu": {
			segment{dst: "192.0.2.1", dport: 80, sport: 1588, seq: 7, id: 5, window: 1024, options: []byte{2, 4, 5, 180}},
			SignNmap | SignNaabu,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.src, c.flags = scanner, flows.FlagSYN
			p := c.decoded(t)
			require.Equal(t, c.want, p.Signs())
			require.Equal(t, c.want, p.Signs()&SignsOfCraft)
			p.Truncated = true
			require.Zero(t, p.Signs())
		})
	}
}

// tool makes the i-th probe of a run. r is the run's own randomness.
type tool func(r *rand.Rand, i int) Probe

func v4(a uint32) [16]byte {
	return [16]byte{10: 0xff, 11: 0xff, 12: byte(a >> 24), 13: byte(a >> 16), 14: byte(a >> 8), 15: byte(a)}
}

const farm = 0xc0000200 // 192.0.2.0

// syn is a SYN to one of 256 hosts and any port, with nothing set that tells.
func syn(r *rand.Rand) Probe {
	return Probe{
		Src: v4(0xcb007142), Dst: v4(farm | r.Uint32N(256)), Proto: 6, Flags: flows.FlagSYN, TTL: 50,
		DstPort: uint16(1 + r.UintN(65535)), IPID: uint16(1 + r.UintN(65535)),
	}
}

func target(p *Probe) uint32 {
	return uint32(p.Dst[12])<<24 | uint32(p.Dst[13])<<16 | uint32(p.Dst[14])<<8 | uint32(p.Dst[15])
}

// hash is that of options, by way of a frame.
func hash(t testing.TB, options ...byte) uint32 {
	s := segment{src: scanner, dst: "192.0.2.10", flags: flows.FlagSYN, options: options}
	p := s.decoded(t)
	return p.Options
}

func masscanProbe(options uint32) tool {
	return func(r *rand.Rand, _ int) Probe {
		p := syn(r)
		p.SrcPort, p.Seq, p.Window, p.Options = 45121, r.Uint32(), 1024, options
		p.IPID = uint16(target(&p) ^ uint32(p.DstPort) ^ p.Seq)
		return p
	}
}

// nmapProbe is a scan whose every eighth probe is a retry; step is how its number
// goes into seq and source port.
func nmapProbe(options, window, step uint32) tool {
	return func(r *rand.Rand, i int) Probe {
		p := syn(r)
		p.SrcPort, p.Seq, p.Window, p.Options = 47376, 1260523247, uint16(window), options
		if window > 1024 {
			p.Window = uint16(1024 * (1 + i%4))
		}
		if i%8 == 7 {
			p.SrcPort += uint16(step)
			p.Seq ^= step * 0x00010001
		}
		return p
	}
}

func unicornProbe(swap func(uint32) uint32) tool {
	return func(r *rand.Rand, _ int) Probe {
		p := syn(r)
		p.SrcPort, p.Window = uint16(r.UintN(65536)), 4128
		p.Seq = 0x1badcafe ^ swap(target(&p)) ^ (uint32(p.DstPort)<<16 | uint32(p.SrcPort))
		return p
	}
}

// tools are runs as the tools' sources have them, and what is to be said of 20
// probes.
func tools(t testing.TB) map[string]struct {
	probe tool
	want  Mark
} {
	sized := hash(t, 2, 4, 5, 180)
	clamped := hash(t, 2, 4, 4, 176)
	windows := hash(t, 2, 4, 5, 180, 1, 3, 3, 8, 1, 1, 4, 2)
	with := func(edit func(p *Probe, r *rand.Rand, i int)) tool {
		return func(r *rand.Rand, i int) Probe {
			p := syn(r)
			edit(&p, r, i)
			return p
		}
	}
	type run = struct {
		probe tool
		want  Mark
	}
	zmap := func(options uint32) tool {
		return with(func(p *Probe, r *rand.Rand, _ int) {
			p.SrcPort, p.Seq, p.Window, p.Options, p.IPID = uint16(32768+r.UintN(28232)), r.Uint32(), 65535, options, 54321
		})
	}
	return map[string]run{
		"mirai": {with(func(p *Probe, _ *rand.Rand, i int) {
			p.Dst = v4(farm + uint32(i))
			p.SrcPort, p.DstPort, p.Seq, p.Window = 17133, 23, target(p), 28190
		}), Mark{Name: Mirai, Matched: 20, Of: 20}},
		"masscan bare":    {masscanProbe(0), Mark{Name: Masscan, Version: "1.3.2 or earlier", Matched: 20, Of: 20}},
		"masscan sized":   {masscanProbe(sized), Mark{Name: Masscan, Version: "later than 1.3.2", Matched: 20, Of: 20}},
		"masscan clamped": {masscanProbe(clamped), Mark{Name: Masscan, Matched: 20, Of: 20}},
		"masscan sctp": {with(func(p *Probe, r *rand.Rand, _ int) {
			p.Proto, p.Flags, p.SrcPort, p.Seq = 132, 0, 45121, r.Uint32()
			p.IPID = uint16(target(p) ^ uint32(p.DstPort) ^ p.Seq)
		}), Mark{Name: Masscan, Matched: 20, Of: 20}},
		"zmap 2": {zmap(0), Mark{Name: ZMap, Version: "before 3.0", Matched: 20, Of: 20}},
		"zmap 3": {zmap(sized), Mark{Name: ZMap, Version: "3.0 to 4.0", Matched: 20, Of: 20}},
		"zmap udp": {with(func(p *Probe, _ *rand.Rand, _ int) {
			p.Proto, p.Flags, p.IPID, p.DstPort = 17, 0, 54321, 53
		}), Mark{Name: ZMap, Version: "before 4.1", Matched: 20, Of: 20}},
		"zmap 4.1": {with(func(p *Probe, r *rand.Rand, _ int) {
			p.SrcPort, p.Seq, p.Window, p.Options = uint16(32768+r.UintN(28232)), r.Uint32(), 65535, windows
		}), Mark{Name: ZMap, Version: "4.1 or later", Matched: 20, Of: 20}},
		"nmap 7.93":      {nmapProbe(sized, 1024, 2), Mark{Name: Nmap, Version: "7.93 or later", Matched: 20, Of: 20}},
		"nmap clamped":   {nmapProbe(clamped, 1024, 2), Mark{Name: Nmap, Version: "7.93 or later", Matched: 20, Of: 20}},
		"nmap 7.80":      {nmapProbe(sized, 1024, 1), Mark{Name: Nmap, Version: "before 7.93", Matched: 20, Of: 20}},
		"nmap 4":         {nmapProbe(sized, 4096, 1), Mark{Name: Nmap, Version: "before June 2011", Matched: 20, Of: 20}},
		"nmap unretried": {nmapProbe(sized, 1024, 0), Mark{Name: Nmap, Matched: 20, Of: 20}},
		"nmap ping": {with(func(p *Probe, r *rand.Rand, _ int) {
			p.Proto, p.Flags, p.DstPort, p.Seq, p.TTL = 1, 0, 0, r.Uint32()&^0xffff, uint8(27+r.UintN(23))
		}), Mark{Name: Nmap, Matched: 20, Of: 20}},
		"nmap udp": {with(func(p *Probe, r *rand.Rand, i int) {
			p.Proto, p.Flags, p.SrcPort, p.TTL = 17, 0, 42944+uint16(i%3)*2, uint8(37+r.UintN(23))
		}), Mark{Name: Nmap, Matched: 20, Of: 20}},
		"naabu": {with(func(p *Probe, _ *rand.Rand, i int) {
			p.SrcPort, p.Seq, p.Window, p.Options, p.DF = 40001, uint32(1+i), 1024, sized, true
		}), Mark{Name: Naabu, Matched: 20, Of: 20}},
		"hping3": {with(func(p *Probe, r *rand.Rand, i int) {
			p.SrcPort, p.Seq, p.Ack, p.Window = uint16(1500+i), r.Uint32()>>1, 1+r.Uint32N(1<<30), 512
		}), Mark{Name: Hping, Matched: 20, Of: 20}},
		"unicornscan":     {unicornProbe(bits.ReverseBytes32), Mark{Name: Unicornscan, Matched: 19, Of: 19}},
		"unicornscan big": {unicornProbe(func(a uint32) uint32 { return a }), Mark{Name: Unicornscan, Matched: 19, Of: 19}},
	}
}

// give judges n probes of a tool.
func give(r *rand.Rand, v *Votes, probe tool, n int) {
	for i := range n {
		p := probe(r, i)
		v.Add(&p)
	}
}

func TestToolsAreNamed(t *testing.T) {
	t.Parallel()
	for name, c := range tools(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(50) {
				var v Votes
				give(rand.New(rand.NewPCG(seed, 1)), &v, c.probe, 20)
				m, ok := v.Best()
				require.True(t, ok, "seed %d", seed)
				require.Equal(t, c.want, m, "seed %d", seed)
			}
		})
	}
}

// One condition of a mark that does not hold is enough to name nothing.
func TestNearMissesAreNotNamed(t *testing.T) {
	t.Parallel()
	all := tools(t)
	for name, c := range map[string]struct {
		tool string
		edit func(p *Probe, r *rand.Rand)
	}{
		"masscan, ip.id one off":        {"masscan bare", func(p *Probe, _ *rand.Rand) { p.IPID++ }},
		"zmap, other window":            {"zmap 2", func(p *Probe, _ *rand.Rand) { p.Window-- }},
		"zmap, other ip.id":             {"zmap udp", func(p *Probe, _ *rand.Rand) { p.IPID++ }},
		"zmap 4.1 with DF":              {"zmap 4.1", func(p *Probe, _ *rand.Rand) { p.DF = true }},
		"nmap with DF":                  {"nmap 7.93", func(p *Probe, _ *rand.Rand) { p.DF = true }},
		"nmap, window 5120":             {"nmap 7.93", func(p *Probe, _ *rand.Rand) { p.Window = 5120 }},
		"nmap, window 0":                {"nmap 7.93", func(p *Probe, _ *rand.Rand) { p.Window = 0 }},
		"nmap, seq 0":                   {"nmap unretried", func(p *Probe, _ *rand.Rand) { p.Seq = 0 }},
		"nmap, any equal halves":        {"nmap unretried", func(p *Probe, r *rand.Rand) { p.Seq ^= r.Uint32N(1<<16) * 0x00010001 }},
		"nmap, unequal halves":          {"nmap unretried", func(p *Probe, r *rand.Rand) { p.Seq ^= r.Uint32N(256) }},
		"nmap, any source port":         {"nmap unretried", func(p *Probe, r *rand.Rand) { p.SrcPort = uint16(r.UintN(1 << 16)) }},
		"nmap, options of a flag probe": {"nmap unretried", func(p *Probe, _ *rand.Rand) { p.Flags = flows.FlagFIN }},
		"nmap udp with DF":              {"nmap udp", func(p *Probe, _ *rand.Rand) { p.DF = true }},
		"nmap udp, TTL 60 and more":     {"nmap udp", func(p *Probe, _ *rand.Rand) { p.TTL += 23 }},
		"nmap ping, any sequence":       {"nmap ping", func(p *Probe, r *rand.Rand) { p.Seq |= 1 + r.Uint32N(1<<16-1) }},
		"naabu, two source ports":       {"naabu", func(p *Probe, _ *rand.Rand) { p.SrcPort += uint16(p.Seq & 1) }},
		"naabu, large numbers":          {"naabu", func(p *Probe, _ *rand.Rand) { p.Seq |= 1 << 28 }},
		"naabu, wide steps":             {"naabu", func(p *Probe, _ *rand.Rand) { p.Seq *= 4097 }},
		"naabu, other window":           {"naabu", func(p *Probe, _ *rand.Rand) { p.Window = 2048 }},
		"hping3 with DF":                {"hping3", func(p *Probe, _ *rand.Rand) { p.DF = true }},
		"hping3 without ack":            {"hping3", func(p *Probe, _ *rand.Rand) { p.Ack = 0 }},
		"hping3, numbers of 32 bits":    {"hping3", func(p *Probe, _ *rand.Rand) { p.Seq |= 1 << 31 }},
		"hping3, any source port":       {"hping3", func(p *Probe, r *rand.Rand) { p.SrcPort = uint16(r.UintN(1 << 16)) }},
		"unicornscan, other seq":        {"unicornscan", func(p *Probe, r *rand.Rand) { p.Seq ^= 1 << r.UintN(32) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(20) {
				var v Votes
				r := rand.New(rand.NewPCG(seed, 14))
				give(r, &v, func(r *rand.Rand, i int) Probe {
					p := all[c.tool].probe(r, i)
					c.edit(&p, r)
					return p
				}, 60)
				m, ok := v.Best()
				require.False(t, ok, "seed %d: %v", seed, m)
			}
		})
	}
}

// Too few probes name nothing, four are enough, five of unicornscan, eight where
// the TTLs tell.
func TestFewProbesNameNothing(t *testing.T) {
	t.Parallel()
	least := map[string]int{"unicornscan": 5, "unicornscan big": 5, "nmap ping": 8, "nmap udp": 8}
	for name, c := range tools(t) {
		need := least[name]
		if need == 0 {
			need = Least
		}
		for seed := range uint64(20) {
			var v Votes
			give(rand.New(rand.NewPCG(seed, 2)), &v, c.probe, need-1)
			_, ok := v.Best()
			require.False(t, ok, name)
		}
		if need == LeastByTTL {
			continue // eight may by chance have four TTLs
		}
		var v Votes
		give(rand.New(rand.NewPCG(7, 2)), &v, c.probe, need)
		_, ok := v.Best()
		require.True(t, ok, name)
	}
}

// ordinary is a SYN of Linux.
func ordinary(t testing.TB) tool {
	options := hash(t, 2, 4, 5, 180, 4, 2, 8, 10, 1, 2, 3, 4, 0, 0, 0, 0, 1, 3, 3, 7)
	return func(r *rand.Rand, _ int) Probe {
		p := syn(r)
		p.SrcPort, p.Seq, p.Window, p.DF, p.Options = uint16(32768+r.UintN(28232)), r.Uint32(), 64240, true, options
		return p
	}
}

// By an equation a tool is named while half of the probes match it, by a shape
// while nine in ten do; what did not match is told.
func TestShare(t *testing.T) {
	t.Parallel()
	all, linux := tools(t), ordinary(t)
	for _, c := range []struct {
		tool           string
		matching, rest int
		named          bool
	}{
		{"masscan bare", 30, 30, true},
		{"masscan bare", 30, 31, false},
		{"mirai", 30, 30, true},
		{"zmap 3", 30, 31, false},
		{"nmap 7.93", 30, 30, true},
		{"nmap 7.93", 30, 31, false},
		{"zmap 4.1", 36, 4, true},
		{"zmap 4.1", 36, 5, false},
		{"hping3", 36, 4, true},
		{"hping3", 36, 5, false},
	} {
		var v Votes
		r := rand.New(rand.NewPCG(1, 3))
		give(r, &v, all[c.tool].probe, c.matching)
		give(r, &v, linux, c.rest)
		m, ok := v.Best()
		require.Equal(t, c.named, ok, "%+v", c)
		if ok {
			require.Equal(t, c.matching, m.Matched, "%+v", c)
			require.Equal(t, c.matching+c.rest, m.Of, "%+v", c)
		}
	}
}

// nmap's OS detection is proof however much else there is; three kinds of its
// probes are not.
func TestOSDetectionIsProof(t *testing.T) {
	t.Parallel()
	list := osFrames()
	for kinds, want := range map[int]bool{3: false, 4: true, len(list): true} {
		var v Votes
		give(rand.New(rand.NewPCG(1, 4)), &v, ordinary(t), 1000)
		for i := range kinds {
			s := list[i]
			s.src, s.dst, s.sport, s.dport, s.seq, s.ttl = scanner, "192.0.2.10", uint16(50000+i), 80, 77, 50
			p := s.decoded(t)
			v.Add(&p)
		}
		m, ok := v.Best()
		require.Equal(t, want, ok, "%d kinds", kinds)
		if want {
			require.Equal(t, Mark{Name: Nmap, Version: "OS detection", Matched: kinds, Of: 1000 + kinds}, m)
		}
	}
	var v Votes
	give(rand.New(rand.NewPCG(1, 4)), &v, tools(t)["nmap 7.93"].probe, 100)
	for i, s := range list {
		s.src, s.dst, s.sport, s.dport, s.seq, s.ttl = scanner, "192.0.2.10", uint16(50000+i), 80, 77, 50
		p := s.decoded(t)
		v.Add(&p)
	}
	m, ok := v.Best()
	require.True(t, ok)
	require.Equal(t, Mark{Name: Nmap, Version: "7.93 or later, OS detection", Matched: 113, Of: 113}, m)
}

// Both transports of one tool are counted together; of two tools the one with
// more matches is named.
func TestTransportsAreJudgedApart(t *testing.T) {
	t.Parallel()
	all := tools(t)
	for _, c := range []struct {
		tcp, other   string
		nTCP, nOther int
		want         Mark
	}{
		{"nmap 7.93", "nmap udp", 20, 30, Mark{Name: Nmap, Version: "7.93 or later", Matched: 50, Of: 50}},
		{"zmap 4.1", "zmap udp", 20, 30, Mark{Name: ZMap, Version: "4.1 or later", Matched: 50, Of: 50}},
		{"masscan bare", "nmap udp", 20, 30, Mark{Name: Nmap, Matched: 30, Of: 30}},
		{"masscan bare", "nmap udp", 30, 20, Mark{Name: Masscan, Version: "1.3.2 or earlier", Matched: 30, Of: 30}},
		{"masscan bare", "nmap udp", 3, 20, Mark{Name: Nmap, Matched: 20, Of: 20}},
	} {
		var v Votes
		r := rand.New(rand.NewPCG(1, 5))
		give(r, &v, all[c.tcp].probe, c.nTCP)
		give(r, &v, all[c.other].probe, c.nOther)
		m, ok := v.Best()
		require.True(t, ok, "%+v", c)
		require.Equal(t, c.want, m, "%+v", c)
	}
}

// Copies, as duplicated ports and retransmissions give them, change nothing.
func TestCopiesAndTruncatedProbesAreNotJudged(t *testing.T) {
	t.Parallel()
	for name, c := range tools(t) {
		p := c.probe(rand.New(rand.NewPCG(1, 6)), 0)
		if p.Proto != 6 {
			continue
		}
		var once, often Votes
		once.Add(&p)
		for range 100 {
			often.Add(&p)
		}
		require.Equal(t, once, often, name)
		p.Truncated = true
		p.Seq++
		often.Add(&p)
		require.Equal(t, once, often, name)
	}
}

// After 65,535 misses a test names nothing any more: how many matched is no
// longer known.
func TestMissesAreBounded(t *testing.T) {
	t.Parallel()
	masscan, linux := tools(t)["masscan bare"].probe, ordinary(t)
	for misses, want := range map[int]bool{65534: true, 65535: false, 65536: false} {
		var v Votes
		r := rand.New(rand.NewPCG(3, 7))
		give(r, &v, masscan, 70000)
		before, ok := v.Best()
		require.True(t, ok)
		for missed := 0; missed < misses; {
			p := linux(r, 0)
			if p.Signs()&SignMasscan == 0 {
				v.Add(&p)
				missed++
			}
		}
		m, ok := v.Best()
		require.Equal(t, want, ok, "%d misses", misses)
		if ok {
			require.Equal(t, before.Matched, m.Matched)
			require.Equal(t, before.Of+misses, m.Of)
		}
	}
}

// IPv6 has no ip.id and no address of 32 bits: only sequence numbers tell.
func TestIPv6(t *testing.T) {
	t.Parallel()
	for name, c := range tools(t) {
		var v Votes
		r := rand.New(rand.NewPCG(1, 8))
		for i := range 20 {
			p := c.probe(r, i)
			p.Src, p.Dst, p.IPID, p.DF = [16]byte{0x20, 1}, [16]byte{0x20, 1, 15: p.Dst[15]}, 0, false
			v.Add(&p)
		}
		m, ok := v.Best()
		switch c.want.Name {
		case Naabu, Hping:
			require.True(t, ok, name)
			require.Equal(t, c.want, m, name)
		case Nmap:
			require.Equal(t, name != "nmap ping" && name != "nmap udp", ok, name)
		default:
			require.False(t, ok, name)
		}
	}
}

func TestVotesAreSmallAndPlain(t *testing.T) {
	require.LessOrEqual(t, unsafe.Sizeof(Votes{}), uintptr(64))
	for field := range reflect.TypeFor[Votes]().Fields() {
		kind := field.Type.Kind()
		if kind == reflect.Array {
			kind = field.Type.Elem().Kind()
		}
		require.Less(t, kind, reflect.Float32, "%s is no integer", field.Name)
	}
	all := tools(t)
	scan, ping := all["nmap 7.93"].probe, all["nmap ping"].probe
	r := rand.New(rand.NewPCG(1, 9))
	var v Votes
	require.Zero(t, testing.AllocsPerRun(1000, func() {
		a, b := scan(r, 1), ping(r, 1)
		v.Add(&a)
		v.Add(&b)
		v.Best()
	}))
}
