package marks

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/synoptic-ids/synoptic/flows"
)

// stack is how an operating system opens connections.
type stack struct {
	options []byte
	window  uint16
	ttl     uint8 // as sent
	df      bool
	// How a number goes on from one connection to the next.
	seq, id, sport progress
}

type progress uint8

const (
	random  progress = iota
	counter          // one more each time
	zero
	steps // 64,000 more, as BSD of old
)

func (g progress) next(r *rand.Rand, before uint32) uint32 {
	switch g {
	case counter:
		return before + 1
	case zero:
		return 0
	case steps:
		return before + 64000
	}
	return r.Uint32()
}

var (
	stamps = []byte{8, 10, 1, 2, 3, 4, 0, 0, 0, 0}

	linuxOptions   = append(append([]byte{2, 4, 5, 180, 4, 2}, stamps...), 1, 3, 3, 7)
	androidOptions = append(append([]byte{2, 4, 5, 120, 4, 2}, stamps...), 1, 3, 3, 9)
	windowsOptions = []byte{2, 4, 5, 180, 1, 3, 3, 8, 1, 1, 4, 2}
	appleOptions   = append(append([]byte{2, 4, 5, 180, 1, 3, 3, 6, 1, 1}, stamps...), 4, 2, 0, 0)
	freeOptions    = append([]byte{2, 4, 5, 180, 1, 3, 3, 6, 4, 2}, stamps...)
	openOptions    = append([]byte{2, 4, 5, 180, 1, 1, 4, 2, 1, 3, 3, 6, 1, 1}, stamps...)
	sized          = []byte{2, 4, 5, 180}
)

// ordinaryStacks are the SYNs of systems and devices, and of some behind
// firewalls that clear DF.
func ordinaryStacks() map[string]stack {
	return map[string]stack{
		"Linux 2.6":              {options: linuxOptions, window: 5840, ttl: 64, df: true, sport: counter},
		"Linux 4":                {options: linuxOptions, window: 29200, ttl: 64, df: true},
		"Linux 6":                {options: linuxOptions, window: 64240, ttl: 64, df: true},
		"Linux, DF cleared":      {options: linuxOptions, window: 64240, ttl: 64},
		"Android":                {options: androidOptions, window: 65535, ttl: 64, df: true},
		"Android, DF cleared":    {options: androidOptions, window: 65535, ttl: 64},
		"Windows XP":             {options: []byte{2, 4, 5, 180, 1, 1, 4, 2}, window: 65535, ttl: 128, df: true, id: counter, sport: counter},
		"Windows 7":              {options: windowsOptions, window: 8192, ttl: 128, df: true, id: counter, sport: counter},
		"Windows 10":             {options: windowsOptions, window: 64240, ttl: 128, df: true, id: counter, sport: counter},
		"Windows Server":         {options: windowsOptions, window: 65535, ttl: 128, df: true, id: counter, sport: counter},
		"Windows, DF cleared":    {options: windowsOptions, window: 65535, ttl: 128, id: counter, sport: counter},
		"Windows 98":             {options: sized, window: 8192, ttl: 32, df: true, id: counter, sport: counter, seq: counter},
		"macOS":                  {options: appleOptions, window: 65535, ttl: 64, df: true, id: zero},
		"iOS":                    {options: appleOptions, window: 65535, ttl: 64, df: true, id: zero, sport: counter},
		"macOS, DF cleared":      {options: appleOptions, window: 65535, ttl: 64},
		"FreeBSD":                {options: freeOptions, window: 65535, ttl: 64, df: true, id: zero},
		"OpenBSD":                {options: openOptions, window: 16384, ttl: 64, df: true},
		"4.4BSD":                 {options: sized, window: 16384, ttl: 64, id: counter, sport: counter, seq: steps},
		"Cisco IOS":              {options: []byte{2, 4, 2, 24}, window: 4128, ttl: 255},
		"a printer":              {options: sized, window: 8760, ttl: 64, id: counter, sport: counter, seq: steps},
		"lwIP":                   {options: sized, window: 2144, ttl: 255, id: counter, sport: counter},
		"lwIP, small window":     {options: sized, window: 1024, ttl: 255, id: counter, sport: counter},
		"uIP":                    {options: sized, window: 1024, ttl: 64, id: counter, sport: counter, seq: counter},
		"a device, 4 KiB":        {options: sized, window: 4096, ttl: 64, id: counter, sport: counter, seq: steps},
		"a device, bare":         {window: 1024, ttl: 64, id: counter, sport: counter, seq: steps},
		"a device, 512 bytes":    {window: 512, ttl: 64, id: counter, sport: counter},
		"a device, same numbers": {window: 1460, ttl: 64, id: zero, sport: counter, seq: zero},
	}
}

// connect opens n connections to some servers and returns the first packets.
func (s *stack) connect(t testing.TB, seed uint64, n int) []Probe {
	r := rand.New(rand.NewPCG(seed, 10))
	frame := segment{
		src: "203.0.113.9", dst: "192.0.2.10", flags: flows.FlagSYN, window: s.window, options: s.options, df: s.df,
		ttl: s.ttl - uint8(seed%25),
	}
	p := frame.decoded(t)
	seq, id, sport := r.Uint32(), r.Uint32(), r.Uint32()
	servers := uint32(1 + seed%20)
	var all []Probe
	for range n {
		seq, id, sport = s.seq.next(r, seq), s.id.next(r, id), s.sport.next(r, sport)
		p.Seq, p.IPID, p.SrcPort = seq, uint16(id), uint16(sport)
		p.Dst = v4(farm + r.Uint32N(servers))
		p.DstPort = []uint16{443, 80, 53, 22}[r.UintN(4)]
		all = append(all, p)
	}
	return all
}

func TestOrdinaryStacksAreNotNamed(t *testing.T) {
	t.Parallel()
	for name, s := range ordinaryStacks() {
		for seed := range uint64(10) {
			var v Votes
			for i, p := range s.connect(t, seed, 300) {
				v.Add(&p)
				m, ok := v.Best()
				require.False(t, ok, "%s, seed %d, probe %d: %v", name, seed, i, m)
			}
		}
	}
}

// Systems of today show no sign of craft, but by chance.
func TestSystemsOfTodayShowNoSign(t *testing.T) {
	t.Parallel()
	stacks := ordinaryStacks()
	for _, name := range []string{
		"Linux 2.6", "Linux 4", "Linux 6", "Linux, DF cleared", "Android", "Android, DF cleared", "Windows XP", "Windows 7",
		"Windows 10", "Windows Server", "Windows, DF cleared", "macOS", "iOS", "macOS, DF cleared", "FreeBSD", "OpenBSD", "Cisco IOS",
	} {
		s, signs := stacks[name], 0
		for _, p := range s.connect(t, 1, 5000) {
			if p.Signs()&SignsOfCraft != 0 {
				signs++
			}
		}
		require.LessOrEqual(t, signs, 3, name) // 0.08 are expected
	}
}

// What is no TCP and goes on from one socket is not nmap: peer-to-peer, name
// servers, ping, and traceroutes with their rising TTLs.
func TestOtherOrdinaryTrafficIsNotNamed(t *testing.T) {
	t.Parallel()
	type edit = func(p *Probe, r *rand.Rand, i int)
	for name, probe := range map[string]edit{
		"peer to peer": func(p *Probe, _ *rand.Rand, _ int) { p.Proto, p.SrcPort, p.TTL = 17, 6881, 57 },
		"peers behind a NAT": func(p *Probe, r *rand.Rand, _ int) {
			p.Proto, p.SrcPort, p.TTL = 17, 6881, []uint8{57, 58, 121, 249}[r.UintN(4)]
		},
		"traceroute": func(p *Probe, _ *rand.Rand, i int) {
			p.Proto, p.SrcPort, p.DstPort, p.TTL = 17, 40000, uint16(33434+i), uint8(1+i/3%30)
		},
		"traceroute seen on its way": func(p *Probe, _ *rand.Rand, i int) {
			p.Proto, p.SrcPort, p.DstPort, p.TTL = 17, 40000, uint16(33434+i), uint8(1+i/3%25)
		},
		"traceroutes in any order": func(p *Probe, r *rand.Rand, _ int) {
			p.Proto, p.SrcPort, p.TTL = 17, 40000, uint8(1+r.UintN(30))
		},
		"BSD traceroute, to the end": func(p *Probe, _ *rand.Rand, i int) {
			p.Proto, p.SrcPort, p.TTL = 17, 40000, uint8(1+i/3%64)
		},
		"ping": func(p *Probe, _ *rand.Rand, i int) {
			p.Proto, p.Seq, p.DF, p.TTL = 1, 77<<16|uint32(i), true, 50
		},
		"first pings of a monitor": func(p *Probe, r *rand.Rand, _ int) { p.Proto, p.Seq, p.TTL = 1, r.Uint32()&^0xffff, 50 },
		"a tunnel":                 func(p *Probe, _ *rand.Rand, _ int) { p.Proto, p.TTL = 47, 50 },
		"SCTP from one port":       func(p *Probe, r *rand.Rand, _ int) { p.Proto, p.SrcPort, p.Seq = 132, 3868, r.Uint32() },
		"random ports and TTLs": func(p *Probe, r *rand.Rand, _ int) {
			p.Proto, p.SrcPort, p.TTL = 17, uint16(r.UintN(65536)), uint8(37+r.UintN(23))
		},
	} {
		for seed := range uint64(20) {
			var v Votes
			r := rand.New(rand.NewPCG(seed, 11))
			for i := range 300 {
				p := syn(r)
				p.Flags, p.DstPort = 0, 5000
				probe(&p, r, i)
				v.Add(&p)
				m, ok := v.Best()
				require.False(t, ok, "%s, seed %d, probe %d: %v", name, seed, i, m)
			}
		}
	}
}

// The chance that a packet of random numbers matches is the one documented.
func TestChanceOfASign(t *testing.T) {
	t.Parallel()
	const n = 1 << 21
	r := rand.New(rand.NewPCG(1, 12))
	seen := map[Sign]int{}
	options := ordinary(t)(r, 0).Options
	for range n {
		p := syn(r)
		p.Seq, p.SrcPort, p.Window, p.Options, p.IPID = r.Uint32(), uint16(r.UintN(65536)), 65535, options, uint16(r.UintN(65536))
		s := p.Signs()
		for bit := Sign(1); bit != 0; bit <<= 1 {
			if s&bit != 0 {
				seen[bit]++
			}
		}
	}
	for _, sign := range []Sign{SignMasscan, SignZMap} {
		t.Logf("sign %#x: %d of %d, %.0f expected", sign, seen[sign], n, n/65536.)
		require.InDelta(t, n/65536., seen[sign], 5*math.Sqrt(n/65536.))
		delete(seen, sign)
	}
	require.LessOrEqual(t, seen[SignMirai], 1)
	delete(seen, SignMirai)
	require.Empty(t, seen)
}

// Pairs of random probes in nmap's and naabu's shape match no more often than
// documented: hardly ever.
func TestShapeAloneNamesNothing(t *testing.T) {
	t.Parallel()
	one := hash(t, sized...)
	for seed := range uint64(200) {
		var v Votes
		r := rand.New(rand.NewPCG(seed, 13))
		for range 1000 {
			p := syn(r)
			p.Seq, p.SrcPort, p.Window, p.Options = r.Uint32(), 40000, 1024, one
			v.Add(&p)
		}
		m, ok := v.Best()
		require.False(t, ok, "seed %d: %v", seed, m)
	}
}

// Whatever is given: no more match than there are, and a name needs its least.
func TestBestIsConsistent(t *testing.T) {
	t.Parallel()
	one := hash(t, sized...)
	rapid.Check(t, func(t *rapid.T) {
		var v Votes
		n := rapid.IntRange(0, 60).Draw(t, "n")
		judged := 0
		for range n {
			p := Probe{
				Dst:   v4(rapid.Uint32Range(farm, farm+3).Draw(t, "dst")),
				Proto: rapid.SampledFrom([]uint8{1, 6, 6, 6, 17, 47, 132}).Draw(t, "proto"),
				Flags: rapid.SampledFrom([]uint8{0, 1, 2, 16, 17, 0x29}).Draw(t, "flags"),
				Seq:   rapid.SampledFrom([]uint32{0, 1, 2, farm, farm + 1, 1 << 31}).Draw(t, "seq"),
				Ack:   rapid.SampledFrom([]uint32{0, 1, 2}).Draw(t, "ack"),
				IPID:  rapid.SampledFrom([]uint16{0, 54321, 0x1042, 22 ^ 0x200}).Draw(t, "id"), DstPort: 22,
				SrcPort:   rapid.SampledFrom([]uint16{0, 1, 40000, 40002}).Draw(t, "sport"),
				Window:    rapid.SampledFrom([]uint16{0, 512, 1024, 2048, 65535}).Draw(t, "window"),
				Options:   rapid.SampledFrom([]uint32{0, one}).Draw(t, "options"),
				TTL:       rapid.Uint8().Draw(t, "ttl"),
				DF:        rapid.Bool().Draw(t, "df"),
				Truncated: rapid.Bool().Draw(t, "truncated"),
			}
			if !p.Truncated {
				judged++
			}
			v.Add(&p)
		}
		m, ok := v.Best()
		if !ok {
			require.Zero(t, m)
			return
		}
		require.GreaterOrEqual(t, m.Matched, Least)
		require.LessOrEqual(t, m.Matched, m.Of)
		require.LessOrEqual(t, m.Of, judged)
		require.GreaterOrEqual(t, 2*m.Matched, m.Of)
	})
}
