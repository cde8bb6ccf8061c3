package marks

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/flows"
)

// In the recording of nmap -D three sources send the same probes: each one of
// each of them has its two copies, under the other two, and no more.
func TestDecoysOfARecording(t *testing.T) {
	t.Parallel()
	ps := probes(t, recording("nmap-decoys"))
	byKey := map[uint64][]int{}
	for i := range ps {
		byKey[ps[i].DecoyKey()] = append(byKey[ps[i].DecoyKey()], i)
	}
	require.Len(t, byKey, 105)
	for _, group := range byKey {
		require.Len(t, group, 3)
		sources := map[[16]byte]bool{}
		for _, i := range group {
			sources[ps[i].Src] = true
			for _, j := range group {
				require.Equal(t, i != j, Decoys(&ps[i], &ps[j]))
			}
		}
		require.Len(t, sources, 3)
	}
	for i := range ps {
		for j := range ps {
			if Decoys(&ps[i], &ps[j]) {
				require.Equal(t, ps[i].DecoyKey(), ps[j].DecoyKey())
			}
		}
	}
}

// sharesNothing demands that no two sources have two probes in common. Spoofed
// SYNs and the replies of abused servers have one here and there.
func sharesNothing(t *testing.T, file string, ps []Probe) {
	t.Helper()
	type pair struct{ a, b [16]byte }
	first, joined := map[uint64]*Probe{}, map[pair]int{}
	for i := range ps {
		p := &ps[i]
		before, ok := first[p.DecoyKey()]
		if !ok {
			first[p.DecoyKey()] = p
			continue
		}
		if Decoys(before, p) {
			joined[pair{before.Src, p.Src}]++
		}
	}
	for p, n := range joined {
		require.Equal(t, 1, n, "%s: %v and %v", file, flows.Addr(p.a), flows.Addr(p.b))
	}
}

func TestScansWithoutDecoysShareNothing(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"nmap-busy", "nmap-syn", "masscan-block", "dns", "web", "mail"} {
		sharesNothing(t, name, probes(t, recording(name)))
	}
}

func TestDecoys(t *testing.T) {
	t.Parallel()
	tcp := Probe{
		Src: v4(0xcb007142), Dst: v4(farm + 10), Proto: 6, Flags: flows.FlagSYN, SrcPort: 39616, DstPort: 25,
		Seq: 3369040787, IPID: 0x2ee3, TTL: 58,
	}
	udp := Probe{Src: v4(0xcb007142), Dst: v4(farm + 10), Proto: 17, SrcPort: 39616, DstPort: 25, IPID: 7}
	for name, c := range map[string]struct {
		probe Probe
		edit  func(a, b *Probe)
		want  bool
	}{
		"other TTL":              {tcp, func(_, b *Probe) { b.TTL = 48 }, true},
		"same source":            {tcp, func(a, b *Probe) { b.Src = a.Src }, false},
		"other ip.id":            {tcp, func(_, b *Probe) { b.IPID++ }, false},
		"other source port":      {tcp, func(_, b *Probe) { b.SrcPort++ }, false},
		"other sequence":         {tcp, func(_, b *Probe) { b.Seq++ }, false},
		"other acknowledgement":  {tcp, func(_, b *Probe) { b.Ack++ }, false},
		"other port":             {tcp, func(_, b *Probe) { b.DstPort++ }, false},
		"other host":             {tcp, func(_, b *Probe) { b.Dst = v4(farm + 11) }, false},
		"truncated":              {tcp, func(_, b *Probe) { b.Truncated = true }, false},
		"ACK scan":               {tcp, func(a, b *Probe) { a.Ack, b.Ack, a.Seq, b.Seq = 9, 9, 0, 0 }, true},
		"no numbers":             {tcp, func(a, b *Probe) { a.Seq, b.Seq = 0, 0 }, false},
		"UDP":                    {udp, func(_, _ *Probe) {}, true},
		"UDP, other ip.id":       {udp, func(_, b *Probe) { b.IPID++ }, false},
		"UDP of one port, no id": {udp, func(a, b *Probe) { a.SrcPort, b.SrcPort, a.IPID, b.IPID = 123, 123, 0, 0 }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, b := c.probe, c.probe
			b.Src = v4(0xcb007143)
			c.edit(&a, &b)
			require.Equal(t, c.want, Decoys(&a, &b))
			require.Equal(t, c.want, Decoys(&b, &a))
		})
	}
}
