package detect

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/detect/marks"
	"github.com/synoptic-ids/synoptic/flows"
)

// decoyScan is what nmap -D sends: each probe under all its sources, one of which answers.
type decoyScan struct {
	sources []string
	real    int // which of them resets what answers; -1: none does
	sport   uint16
	seq     uint32
	ids     uint16
	ttl     func(source, probe int) uint8
}

// newDecoys is a scan under n addresses of a network, the real one at a place among them.
func newDecoys(network string, n, place int) *decoyScan {
	d := &decoyScan{real: place, sport: 40655, seq: 417117016}
	for i := range n {
		d.sources = append(d.sources, nth(network, i+1))
	}
	r := rand.New(rand.NewPCG(uint64(n), uint64(place)))
	d.ttl = func(int, int) uint8 { return uint8(37 + r.IntN(23)) }
	return d
}

// probe is what the sources send to a port.
func (d *decoyScan) probe(host string, port uint16) []flows.Packet {
	d.ids++
	var copies []flows.Packet
	for i, src := range d.sources {
		p := conn{address(src), address(host), d.sport, port, d.seq}.syn()
		p.Window, p.Options, p.IPID, p.TTL = 1024, 0xd65bcbe2, d.ids*2654+1, d.ttl(i, int(d.ids))
		copies = append(copies, p)
	}
	return copies
}

// answer is what comes back for one of the copies, if its source is there.
func (d *decoyScan) answer(probe flows.Packet, open bool) []flows.Packet {
	c := conn{probe.Src, probe.Dst, probe.SrcPort, probe.DstPort, probe.Seq}
	if !open {
		return []flows.Packet{c.refuse()}
	}
	if d.real >= 0 && probe.Src == address(d.sources[d.real]) {
		return []flows.Packet{c.synack(), c.abort()}
	}
	return []flows.Packet{c.synack()}
}

// send puts a probe and its answers on the wire.
func (d *decoyScan) send(w *wire, seconds float64, host string, port uint16) {
	for _, p := range d.probe(host, port) {
		w.send(seconds, p)
		w.send(seconds+0.0001, d.answer(p, port%10 == 0)...)
	}
}

func texts(addrs []netip.Addr) (list []string) {
	for _, a := range addrs {
		list = append(list, a.String())
	}
	return list
}

// TestDecoys: a scan under several addresses is one, and says who most likely sent it, wherever
// that one stands among them.
func TestDecoys(t *testing.T) {
	for _, n := range []int{2, 3, 5, 10, 40} {
		for _, place := range []int{0, n / 2, n - 1, -1} {
			t.Run(fmt.Sprintf("%d, real %d", n, place), func(t *testing.T) {
				w := newWire(t, profile(t, "default"))
				d := newDecoys("203.0.113.0", n, place)
				for i := range 50 {
					d.send(w, float64(i)/50, server, uint16(i+1))
				}
				w.idle(30)
				s := w.closed(t)
				require.Len(t, w.phase(Open), 1)
				require.False(t, s.Src.IsValid())
				require.Equal(t, n, s.Sources)
				want := slices.Clone(d.sources)
				slices.SortFunc(want, func(a, b string) int { return netip.MustParseAddr(a).Compare(netip.MustParseAddr(b)) })
				require.Equal(t, want, texts(s.Srcs))
				if place < 0 {
					require.Nil(t, s.Likely)
				} else {
					require.Equal(t, d.sources[place], s.Likely.String())
				}
				require.Equal(t, Vertical, s.Shape)
				require.Equal(t, "tcp-syn", s.Technique)
				require.Equal(t, 50, s.Targets)
				require.Equal(t, uint64(50*n), s.Attempts)
				require.Equal(t, uint64(50*n), s.Packets)
				require.Equal(t, Outcomes{Refused: 45, Answered: 5}, s.Outcomes)
				require.Equal(t, "crafted-ports-on-a-host", s.Rule)
				require.Equal(t, 5, s.DetectedAfter.Targets)
				require.Equal(t, &Tool{Name: "nmap", Matched: 50 * n, Of: 50 * n}, s.Tool)
				require.Contains(t, s.Reasons, "the same probes came from all sources: most of them are forged")
			})
		}
	}
}

// TestDecoysThatNobodyAnswers: found silent half a second later, all at once.
func TestDecoysThatNobodyAnswers(t *testing.T) {
	for _, sweep := range []bool{false, true} {
		w := newWire(t, profile(t, "default"))
		d := newDecoys("203.0.113.0", 5, -1)
		for i := range 50 {
			if sweep {
				w.send(float64(i)/50, d.probe(nth(server, i), 22)...)
			} else {
				w.send(float64(i)/50, d.probe(server, uint16(i+1))...)
			}
		}
		w.idle(30)
		s := w.closed(t)
		require.Len(t, w.phase(Open), 1)
		require.Equal(t, 5, s.Sources)
		require.Equal(t, 50, s.Targets)
		require.Equal(t, uint64(250), s.Attempts)
		require.Nil(t, s.Likely)
	}
}

// TestDecoysByOtherTechniques: what is no TCP, and flags other than SYN.
func TestDecoysByOtherTechniques(t *testing.T) {
	for name, change := range map[string]func(p *flows.Packet){
		"xmas": func(p *flows.Packet) { p.Flags, p.Options = flows.FlagFIN|flows.FlagPSH|flows.FlagURG, 0 },
		"ack":  func(p *flows.Packet) { p.Flags, p.Options, p.Seq, p.Ack = flows.FlagACK, 0, 0, p.Seq },
		"udp": func(p *flows.Packet) {
			p.Kind, p.Proto, p.Flags, p.Seq, p.Options, p.Window = flows.KindUDP, 17, 0, 0, 0, 0
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWire(t, profile(t, "default"))
			d := newDecoys("203.0.113.0", 3, -1)
			for i := range 30 {
				ps := d.probe(server, uint16(i+1))
				for n := range ps {
					change(&ps[n])
				}
				w.send(float64(i)/5, ps...)
			}
			w.idle(60)
			s := w.closed(t)
			require.Equal(t, 3, s.Sources)
			require.Equal(t, 30, s.Targets)
		})
	}
}

// TestTwoSetsOfDecoys at the same time stay two.
func TestTwoSetsOfDecoys(t *testing.T) {
	w := newWire(t, profile(t, "default"))
	a, b := newDecoys("203.0.113.0", 4, 1), newDecoys("192.0.2.0", 6, 5)
	b.sport, b.seq, b.ids = 50111, 99, 1000
	for i := range 30 {
		a.send(w, float64(i)/50, server, uint16(i+1))
		b.send(w, float64(i)/50, server, uint16(i+1))
	}
	w.end()
	closed := w.phase(Close)
	require.Len(t, closed, 2)
	require.Equal(t, []int{4, 6}, []int{closed[0].Sources, closed[1].Sources})
	require.Equal(t, a.sources[1], closed[0].Likely.String())
	require.Equal(t, b.sources[5], closed[1].Likely.String())
	require.NotEqual(t, closed[0].ID, closed[1].ID)
}

// TestDecoyThatAlsoScansAlone has a scan of its own beside that of the crowd, before or after
// the crowd's began.
func TestDecoyThatAlsoScansAlone(t *testing.T) {
	for _, from := range []float64{-30, 0, 5} {
		w := newWire(t, profile(t, "default"))
		d := newDecoys("203.0.113.0", 3, 1)
		other := nth("198.51.100.0", 77)
		type step struct {
			at float64
			do func()
		}
		var steps []step
		for i := range 50 {
			now := 31 + float64(i)/5
			steps = append(steps, step{now, func() { d.send(w, now, server, uint16(i+1)) }})
			alone := 31 + from + float64(i)/5 + 0.05
			steps = append(steps, step{alone, func() { w.refused(alone, d.sources[1], other, uint16(i+100)) }})
		}
		slices.SortStableFunc(steps, func(a, b step) int { return int(1e6 * (a.at - b.at)) })
		for _, s := range steps {
			s.do()
		}
		w.end()
		closed := w.phase(Close)
		require.Len(t, closed, 2, "from %v", from)
		slices.SortFunc(closed, func(a, b Scan) int { return a.Sources - b.Sources })
		require.Equal(t, d.sources[1], closed[0].Src.String())
		require.LessOrEqual(t, 50, closed[0].Targets)
		// What was shared before that was known stays with the scan that had begun.
		require.LessOrEqual(t, closed[0].Targets, 50+marks.LeastShared+1)
		require.True(t, from < 0 || closed[0].Targets == 50, closed[0].Targets)
		require.Equal(t, 3, closed[1].Sources)
		require.Equal(t, server, closed[1].Dst.String())
		require.Equal(t, 50, closed[1].Targets)
	}
}

// TestScanThatTurnsOutToHaveDecoys: where the first probes went out alone, the scan that is open
// goes on as that of the crowd.
func TestScanThatTurnsOutToHaveDecoys(t *testing.T) {
	w := newWire(t, profile(t, "default"))
	d := newDecoys("203.0.113.0", 3, 0)
	for i := range 50 {
		ps := d.probe(server, uint16(i+1))
		if i < 20 {
			ps = ps[:1]
		}
		for _, p := range ps {
			w.send(float64(i)/50, p)
			w.send(float64(i)/50+0.0001, d.answer(p, false)...)
		}
	}
	w.end()
	opened, closed := w.phase(Open), w.phase(Close)
	require.Len(t, opened, 2)
	require.Len(t, closed, 2)
	require.Equal(t, d.sources[0], closed[0].Src.String())
	require.Equal(t, closed[1].ID, closed[0].MergedInto)
	require.Equal(t, 3, closed[1].Sources)
	require.Empty(t, closed[1].MergedInto)
	require.Equal(t, 50, closed[1].Targets)
	require.Equal(t, uint64(20+3*30), closed[1].Attempts)
	require.Equal(t, opened[0].First, closed[1].First)
	require.Equal(t, opened[0].DetectedAfter, closed[1].DetectedAfter)
	require.Equal(t, w.engine.room.all, w.engine.room.left, "what was held is free again, once")
}

// TestNoDecoys: sources that are not taken together.
func TestNoDecoys(t *testing.T) {
	apart := func(t *testing.T, w *wire, n int) {
		t.Helper()
		w.idle(60)
		w.end()
		for _, s := range w.phase(Close) {
			require.True(t, s.Src.IsValid())
		}
		require.Len(t, w.phase(Close), n)
	}
	t.Run("three probes in common", func(t *testing.T) {
		w := newWire(t, profile(t, "default"))
		d := newDecoys("203.0.113.0", 2, 0)
		for i := range 40 {
			ps := d.probe(server, uint16(i+1))
			if i > 2 {
				ps[1].SrcPort++
			}
			w.send(float64(i)/50, ps...)
		}
		apart(t, w, 2)
	})
	t.Run("both sides of an address translator", func(t *testing.T) {
		w := newWire(t, profile(t, "default"))
		d := newDecoys("203.0.113.0", 2, 0)
		random := d.ttl
		d.ttl = func(source, _ int) uint8 {
			if source == 0 {
				return random(0, 0)
			}
			return 0
		}
		for i := range 40 {
			ps := d.probe(server, uint16(i+1))
			ps[1].TTL = ps[0].TTL - 1
			w.send(float64(i)/50, ps...)
		}
		apart(t, w, 2)
	})
	t.Run("a second apart", func(t *testing.T) {
		w := newWire(t, profile(t, "default"))
		d := newDecoys("203.0.113.0", 2, 0)
		for i := range 40 {
			ps := d.probe(server, uint16(i+1))
			w.send(float64(4*i), ps[0])
			w.send(float64(4*i)+2, ps[1])
		}
		apart(t, w, 2)
	})
	t.Run("below every threshold", func(t *testing.T) {
		w := newWire(t, profile(t, "default"))
		d := newDecoys("203.0.113.0", 8, 0)
		for i := range 4 {
			d.send(w, float64(i)/50, server, uint16(i+1))
		}
		apart(t, w, 0)
	})
}

// TestDecoysInAFlood: forged sources by the ten thousand do not hide a scan with decoys, nor
// join it, and crowds stay as few as they are.
func TestDecoysInAFlood(t *testing.T) {
	w := newWire(t, profile(t, "default"))
	r := rand.New(rand.NewPCG(1, 2))
	d := newDecoys("203.0.113.0", 5, 2)
	for i := range 40_000 {
		now := float64(i) / 20_000
		c := conn{address(fmt.Sprintf("::%x:%x", r.Uint32N(1<<16), r.Uint32N(1<<16))), address(server), uint16(r.Uint32()), 80, r.Uint32()}
		p := c.syn()
		p.Options, p.IPID = 0, uint16(r.Uint32())
		w.send(now, p)
		if i%800 == 0 {
			d.send(w, now, server, uint16(1000+i/800))
		}
	}
	w.end()
	closed := w.phase(Close)
	require.Len(t, closed, 1)
	require.Equal(t, 5, closed[0].Sources)
	require.Equal(t, 50, closed[0].Targets)
	require.Empty(t, w.engine.crowds.all)
	require.Empty(t, w.engine.crowds.index)
	require.Zero(t, w.engine.crowds.bits)
}

// TestCrowdsAreBounded: more sets of decoys than there is room for.
func TestCrowdsAreBounded(t *testing.T) {
	w := newWire(t, profile(t, "default"))
	for n := range 3 * maxCrowds {
		d := newDecoys("203.0.0.0", 2, 0)
		d.sources = []string{nth("203.0.0.0", 2*n), nth("203.0.0.0", 2*n+1)}
		d.seq, d.ids = uint32(n+1)*7919, uint16(n)
		for i := range 4 {
			w.send(float64(n)/10, d.probe(server, uint16(i+1))...)
		}
	}
	require.Len(t, w.engine.crowds.all, maxCrowds)
	require.Len(t, w.engine.crowds.index, 2*maxCrowds)
	d := newDecoys("192.0.2.0", 3, 0)
	for i := range 20 {
		d.send(w, 30+float64(i)/50, server, uint16(i+1))
	}
	require.Equal(t, 3, w.closed(t).Sources)
}

// TestOrderOfDecoysDoesNotMatter: however the copies of a probe are mixed and repeated, the scan is
// the same.
func TestOrderOfDecoysDoesNotMatter(t *testing.T) {
	for seed := range uint64(22) {
		n := 2 + int(seed)%11
		play := func(mixed bool) Scan {
			w := newWire(t, profile(t, "default"))
			d := newDecoys("203.0.113.0", n, -1)
			r := rand.New(rand.NewPCG(seed, 1))
			for i := range 40 {
				ps := d.probe(server, uint16(i+1))
				if mixed {
					r.Shuffle(len(ps), func(a, b int) { ps[a], ps[b] = ps[b], ps[a] })
					ps = append(ps, ps[r.IntN(len(ps))], ps[r.IntN(len(ps))])
				}
				w.send(float64(i)/50, ps...)
			}
			w.idle(30)
			return w.closed(t)
		}
		plain, mixed := play(false), play(true)
		require.Equal(t, plain.ID, mixed.ID)
		require.Equal(t, plain.Srcs, mixed.Srcs)
		require.Equal(t, plain.Outcomes, mixed.Outcomes)
		require.Equal(t, plain.Attempts, mixed.Attempts)
		require.Equal(t, plain.DetectedAfter.Targets, mixed.DetectedAfter.Targets)
	}
}
