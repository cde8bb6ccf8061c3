package detect

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/flows"
)

// forger makes sources that never come again.
type forger struct{ rnd *rand.Rand }

func newForger() *forger { return &forger{rand.New(rand.NewPCG(4, 4))} }

func (f *forger) source() string {
	r := f.rnd.Uint32()
	return netip.AddrFrom4([4]byte{byte(11 + r>>24%100), byte(r >> 16), byte(r >> 8), byte(1 + r%250)}).String()
}

// defaults are the rules of the default profile, all of them.
func defaults(t require.TestingT) Rules {
	rules, err := Profile("default")
	require.NoError(t, err)
	return rules
}

// phases are those of the notices of a kind, in order.
func (w *wire) phases(kind NoticeKind) (phases []Phase) {
	for _, n := range w.notices {
		if n.Event == kind {
			phases = append(phases, n.Phase)
		}
	}
	return phases
}

// notice ends the input and returns the last record of the only notice there was.
func (w *wire) notice(t require.TestingT, kind NoticeKind) Notice {
	w.end()
	ids := map[string]bool{}
	var last Notice
	for _, n := range w.notices {
		if n.Event == kind {
			ids[n.ID], last = true, n
		}
	}
	require.Len(t, ids, 1)
	require.Equal(t, Close, last.Phase)
	return last
}

func TestFloodOfAHundredThousandSources(t *testing.T) {
	w, f := newWire(t, defaults(t)), newForger()
	for i := range 100_000 {
		w.knock(float64(i)/10_000, f.source(), server, 443)
	}
	n := w.notice(t, Flood)
	require.Empty(t, w.scans, "nobody is named")
	require.Equal(t, server, n.Dst.String())
	require.Equal(t, uint16(443), *n.Port)
	require.Equal(t, "tcp", n.Proto)
	require.InEpsilon(t, 100_000, n.Sources, 0.1)
	require.InEpsilon(t, 100_000, n.Packets, 0.01)
	require.InEpsilon(t, 10_000, n.Rate, 0.02)
	require.Equal(t, Time(at(0)), n.First)
	require.True(t, n.Estimated)
	require.Equal(t, 128, n.Evidence.Threshold)
	require.Less(t, len(w.phases(Flood)), 16, "an update for each doubling")
	require.LessOrEqual(t, len(w.engine.surges.list), maxSurges)
}

// TestScansAreNoFlood: hosts that each scan far more than one host are no flood of it, however many.
func TestScansAreNoFlood(t *testing.T) {
	for _, hosts := range []int{20, 2 * plainScan} {
		w := newWire(t, defaults(t))
		for i := range 200 {
			from := nth("203.0.113.0", i)
			for n := range hosts {
				w.knock(float64(i)/10, from, nth("198.18.0.0", hosts*i+n), 443)
			}
		}
		w.idle(60)
		for i := range 200 {
			w.knock(61+float64(i)/10, nth("203.0.113.0", i), server, 443)
		}
		w.end()
		require.Equal(t, hosts < plainScan, len(w.phases(Flood)) > 0)
	}
}

func TestFloodIsToldBy(t *testing.T) {
	for _, tt := range []struct {
		name string
		send func(w *wire, seconds float64, from string)
	}{
		{"SYNs that are never repeated", func(w *wire, s float64, from string) { w.knock(s, from, server, 80) }},
		{"SYN-ACKs that nobody wants", func(w *wire, s float64, from string) {
			c := w.dial(from, server, 80)
			w.send(s, c.syn(), c.synack())
		}},
		{"SYN-ACKs that those who are impersonated reset", func(w *wire, s float64, from string) {
			c := w.dial(from, server, 80)
			w.send(s, c.syn(), c.synack(), c.abort())
		}},
		{"SYNs to a closed port", func(w *wire, s float64, from string) { w.refused(s, from, server, 80) }},
		{"SYNs without options, though repeated", func(w *wire, s float64, from string) {
			p := w.dial(from, server, 80).syn()
			p.Marks |= flows.MarkNoOptions
			w.send(s, p, p)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w, f := newWire(t, defaults(t)), newForger()
			for i := range 200 {
				tt.send(w, float64(i)/10, f.source())
			}
			n := w.notice(t, Flood)
			require.Empty(t, w.scans)
			require.InDelta(t, 200, n.Sources, 30)
		})
	}
}

// TestNoFlood has many clients of one host, who are none.
func TestNoFlood(t *testing.T) {
	for _, tt := range []struct {
		name string
		send func(w *wire, seconds float64, from string)
	}{
		{"visitors of a popular server", func(w *wire, s float64, from string) { w.busy(s, from, server, 443) }},
		{"visitors, one in five of whom gives up in the handshake", func(w *wire, s float64, from string) {
			if w.port++; w.port%5 > 0 {
				w.busy(s, from, server, 443)
				return
			}
			c := w.dial(from, server, 443)
			w.send(s, c.syn(), c.synack())
		}},
		{"visitors of a dead server, who try again", func(w *wire, s float64, from string) {
			p := w.dial(from, server, 443).syn()
			w.send(s, p)
			w.send(s+1, p)
		}},
		{"visitors who connect and wait", func(w *wire, s float64, from string) {
			c := w.dial(from, server, 443)
			w.send(s, c.syn(), c.synack(), c.ack())
		}},
		{"users of a resolver that died", func(w *wire, s float64, from string) {
			p := w.datagram(from, server, 53)
			w.send(s, p, p)
		}},
		{"peers of one who left a file-sharing network", func(w *wire, s float64, from string) {
			w.send(s, w.datagram(from, server, 6881))
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w, f := newWire(t, defaults(t)), newForger()
			for i := range 800 {
				tt.send(w, float64(2*i), f.source())
			}
			for i := range 800 {
				tt.send(w, 1600+float64(i)/40, f.source())
			}
			w.end()
			require.Empty(t, w.phases(Flood))
		})
	}
}

func TestNoFloodWhereAServiceDied(t *testing.T) {
	w, f := newWire(t, defaults(t)), newForger()
	w.busy(0, f.source(), server, 443)
	for i := range 400 {
		w.refused(100+float64(i)/10, f.source(), server, 443)
	}
	for i := range 400 {
		w.knock(141+float64(i)/1000, f.source(), server, 443) // and then the input ends
	}
	w.end()
	require.Empty(t, w.phases(Flood))
}

func TestFloodOverAllPorts(t *testing.T) {
	w, f := newWire(t, defaults(t)), newForger()
	for i := range 20_000 {
		w.knock(float64(i)/1000, f.source(), server, uint16(f.rnd.Uint32()))
	}
	n := w.notice(t, Flood)
	require.Empty(t, w.scans)
	require.Nil(t, n.Port)
	require.InEpsilon(t, 17_000, n.Ports, 0.15)
}

// TestNoFloodByACrowd: few sources that divide the ports of a host are scanners.
func TestNoFloodByACrowd(t *testing.T) {
	w, f := newWire(t, defaults(t)), newForger()
	crowd := make([]string, 150)
	for i := range crowd {
		crowd[i] = f.source()
	}
	for i := range 3000 {
		w.knock(float64(i)/100, crowd[f.rnd.IntN(len(crowd))], server, uint16(i))
	}
	w.end()
	require.Empty(t, w.phases(Flood))
}

func TestScannerInsideAFlood(t *testing.T) {
	w, f := newWire(t, defaults(t)), newForger()
	for i := range 20_000 {
		w.knock(float64(i)/1000, f.source(), server, 443)
		if i%1000 == 0 {
			w.knock(float64(i)/1000, outside, server, uint16(100+i/1000))
		}
	}
	n := w.notice(t, Flood)
	require.Equal(t, uint16(443), *n.Port)
	found := w.phase(Close)
	require.Len(t, found, 1)
	require.Equal(t, outside, found[0].Src.String())
	require.Equal(t, 20, found[0].Targets)
}

// TestFloodLives: it closes when it has been a trickle for five minutes, and another
// one is another notice.
func TestFloodLives(t *testing.T) {
	w, f := newWire(t, defaults(t)), newForger()
	for wave := range 2 {
		begin := float64(wave) * 3600
		for i := range 400 {
			w.knock(begin+float64(i)/10, f.source(), server, 443)
		}
		for i := range 50 { // as many lose their way on any day
			w.knock(begin+60+60*float64(i), f.source(), server, 443)
		}
	}
	w.end()
	require.Equal(t, []Phase{Open, Update, Close, Open, Update, Close}, w.phases(Flood))
	floods := slices.DeleteFunc(slices.Clone(w.notices), func(n Notice) bool { return n.Event != Flood })
	require.NotEqual(t, floods[0].ID, floods[5].ID)
	require.Equal(t, floods[0].ID, floods[2].ID)
	require.Less(t, floods[2].Time, Time(at(600)))
}

// TestFloodThatTheTableForgets has no room for a hundredth of the flood.
func TestFloodThatTheTableForgets(t *testing.T) {
	w, f := newWire(t, defaults(t)), newForger()
	w.table = flows.NewTable(flows.TableConfig{MaxEntries: 2000})
	for i := range 60_000 {
		w.knock(float64(i)/3000, f.source(), server, 443)
	}
	n := w.notice(t, Flood)
	require.Greater(t, w.table.Stats().EvictedLive, uint64(40_000))
	require.Greater(t, n.Sources, 20_000)
	require.Empty(t, w.scans)
}

// TestSurgesAreBounded: floods at more hosts than there is room for.
func TestSurgesAreBounded(t *testing.T) {
	w, f := newWire(t, defaults(t)), newForger()
	for i := range 60_000 {
		w.knock(float64(i)/5000, f.source(), nth("198.51.0.0", i%600), 443)
	}
	require.LessOrEqual(t, len(w.engine.surges.list), maxSurges)
	require.Positive(t, w.engine.surges.missed)
	w.end()
	require.Empty(t, w.engine.surges.list)
	require.Empty(t, w.scans)
}
