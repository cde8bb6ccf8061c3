package marks

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/flows"
)

// copyOf is probe n of a scan, as sent under a source.
func copyOf(source, n int, ttl uint8) *Probe {
	return &Probe{
		Src: v4(0xcb007100 + uint32(source)), Dst: v4(farm + 10), Proto: 6, Flags: flows.FlagSYN,
		SrcPort: 40655, DstPort: uint16(n), Seq: 417117016, IPID: uint16(n * 7919), TTL: ttl,
	}
}

// The fourth probe that two sources have in common makes them companions, and says where the
// others went.
func TestCompanions(t *testing.T) {
	t.Parallel()
	var c Companions
	for n := range LeastShared + 2 {
		at := int64(n) * 1e7
		require.Empty(t, c.Add(copyOf(1, n, 40), at, nil))
		met := c.Add(copyOf(2, n, uint8(41+n)), at+1e6, nil)
		if n < LeastShared-1 {
			require.Empty(t, met)
			continue
		}
		require.Equal(t, []Companion{{Src: v4(0xcb007101), Hosts: [LeastShared][16]byte{v4(farm + 10), v4(farm + 10), v4(farm + 10), v4(farm + 10)}}}, met)
		require.Empty(t, c.Add(copyOf(2, n, 41), at+2e6, nil), "again")
	}
}

func TestNoCompanions(t *testing.T) {
	t.Parallel()
	for name, second := range map[string]func(n int) (*Probe, int64){
		"three in common":       func(n int) (*Probe, int64) { return copyOf(2+n/3, n, uint8(40+n)), 0 },
		"later":                 func(n int) (*Probe, int64) { return copyOf(2, n, uint8(40+n)), 1.1e9 },
		"earlier":               func(n int) (*Probe, int64) { return copyOf(2, n, uint8(40+n)), -1.1e9 },
		"the same source":       func(n int) (*Probe, int64) { return copyOf(1, n, uint8(40+n)), 0 },
		"a translator's step":   func(n int) (*Probe, int64) { return copyOf(2, n, 39), 0 },
		"truncated":             func(n int) (*Probe, int64) { p := copyOf(2, n, 40); p.Truncated = true; return p, 0 },
		"another ip.id":         func(n int) (*Probe, int64) { p := copyOf(2, n, 40); p.IPID++; return p, 0 },
		"another source port":   func(n int) (*Probe, int64) { p := copyOf(2, n, 40); p.SrcPort++; return p, 0 },
		"another time, forgone": func(n int) (*Probe, int64) { return copyOf(2, n, uint8(40+n)), 1e12 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var c Companions
			for n := range 12 {
				at := int64(1e15) + int64(n)*1e7
				c.Add(copyOf(1, n, 40), at, nil)
				p, later := second(n)
				require.Empty(t, c.Add(p, at+later, nil))
			}
		})
	}
}

// In the recording of nmap -D each source ends up with both others.
func TestCompanionsOfARecording(t *testing.T) {
	t.Parallel()
	var c Companions
	met := map[[16]byte]map[[16]byte]bool{}
	ps := probes(t, recording("nmap-decoys"))
	for i := range ps {
		for _, m := range c.Add(&ps[i], 1, nil) {
			for _, pair := range [][2][16]byte{{ps[i].Src, m.Src}, {m.Src, ps[i].Src}} {
				if met[pair[0]] == nil {
					met[pair[0]] = map[[16]byte]bool{}
				}
				met[pair[0]][pair[1]] = true
			}
		}
	}
	require.Len(t, met, 3)
	for _, others := range met {
		require.Len(t, others, 2)
	}
}

func TestCompanionsAllocateNothing(t *testing.T) {
	var c Companions
	met := make([]Companion, 0, 8)
	n, p := 0, copyOf(1, 0, 40)
	c.Add(p, 0, met)
	require.Zero(t, testing.AllocsPerRun(1000, func() {
		n++
		p.Src[15], p.DstPort, p.TTL = byte(n%9), uint16(n/9), uint8(n)
		met = c.Add(p, int64(n)*1e5, met[:0])
	}))
	require.NotEmpty(t, met)
}

func BenchmarkCompanions(b *testing.B) {
	var c Companions
	p := copyOf(1, 1, 40)
	for i := range b.N {
		p.Src[15], p.Seq, p.IPID = byte(i), uint32(i)*2654435761, uint16(i)
		c.Add(p, int64(i)*100, nil)
	}
}
