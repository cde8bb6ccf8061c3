package detect

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/flows"
)

// answerOf is a datagram that says that it is an answer.
func (w *wire) answerOf(from string, port uint16, to string, toPort uint16) flows.Packet {
	p := w.datagram(from, to, toPort)
	p.SrcPort, p.Marks = port, flows.MarkReplyLike
	return p
}

// resetOf is what refuses a SYN: no sequence number, and an acknowledgement.
func (c conn) resetOf() flows.Packet {
	p := c.refuse()
	p.Seq = 0
	return p
}

// quiet ends the input and asserts that nothing of a kind was said, nor a scan.
func (w *wire) quiet(t *testing.T, kinds ...NoticeKind) {
	t.Helper()
	w.end()
	for _, k := range kinds {
		require.Empty(t, w.phases(k))
	}
	require.Empty(t, w.scans)
}

func TestBackscatter(t *testing.T) {
	for _, tt := range []struct {
		name  string
		send  func(w *wire, seconds float64, ours string)
		proto string
		port  uint16
	}{
		{"SYN-ACKs", func(w *wire, s float64, ours string) { w.send(s, w.dial(ours, outside, 443).synack()) }, "tcp", 443},
		{"refusals", func(w *wire, s float64, ours string) { w.send(s, w.dial(ours, outside, 81).resetOf()) }, "tcp", 81},
		{"errors of a router", func(w *wire, s float64, ours string) {
			w.send(s, unreachable(w.dial(ours, outside, 25).syn(), "203.0.113.1", 13))
		}, "tcp", 25},
		{"answers of a name server", func(w *wire, s float64, ours string) {
			w.send(s, w.answerOf(outside, 53, ours, 4000))
		}, "udp", 53},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWire(t, defaults(t))
			w.busy(0, inside, server, 443) // both sides are seen
			for i := range 200 {
				tt.send(w, 1+float64(i)/10, nth("198.51.0.0", i))
			}
			n := w.notice(t, Backscatter)
			require.Empty(t, w.scans)
			require.Equal(t, outside, n.Dst.String(), "the victim")
			require.Equal(t, tt.port, *n.Port)
			require.Equal(t, tt.proto, n.Proto)
			require.InDelta(t, 200, n.Hosts, 20)
			require.InDelta(t, 200, n.Packets, 8)
			require.Zero(t, n.Sources)
			require.Empty(t, w.phases(Reflection))
		})
	}
}

// TestNoBackscatter is of one host that answers many of ours, or seems to.
func TestNoBackscatter(t *testing.T) {
	for _, tt := range []struct {
		name string
		send func(w *wire, seconds float64, ours string)
	}{
		{"what was asked for", func(w *wire, s float64, ours string) {
			c := w.dial(ours, outside, 443)
			w.send(s, c.syn(), c.synack(), c.abort())
		}},
		{"conversations of which the answers alone are captured", func(w *wire, s float64, ours string) {
			c := w.dial(ours, outside, 443)
			w.send(s, c.synack())
			w.send(s+0.04, c.reply(), c.reply())
		}},
		{"conversations that end", func(w *wire, s float64, ours string) {
			w.send(s, w.dial(ours, outside, 443).refuse())
		}},
		{"a resolver of which the answers alone are captured", func(w *wire, s float64, ours string) {
			w.send(s, w.answerOf(outside, 53, ours, 4000))
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWire(t, defaults(t))
			for i := range 400 {
				tt.send(w, float64(i)/10, nth("198.51.0.0", i%100))
			}
			w.quiet(t, Backscatter, Reflection)
		})
	}
}

// TestOneWayCapturesSayNothing: with conversations that are known by their answers alone, those of
// UDP are none's fault either.
func TestOneWayCapturesSayNothing(t *testing.T) {
	w := newWire(t, defaults(t))
	for i := range 400 {
		ours := nth("198.51.0.0", i)
		c := w.dial(ours, "203.0.113.80", 443)
		w.send(float64(i)/20, c.synack())
		w.send(float64(i)/20+0.02, c.reply(), w.answerOf(outside, 53, ours, 4000), w.answerOf(nth("203.0.0.0", i), 53, inside, 4000))
	}
	w.quiet(t, Backscatter, Reflection)
}

func TestReflection(t *testing.T) {
	for _, tt := range []struct {
		name   string
		answer func(w *wire, from string) flows.Packet
		proto  string
		port   uint16
	}{
		{"of name servers", func(w *wire, from string) flows.Packet { return w.answerOf(from, 53, server, 8080) }, "udp", 53},
		{"of web servers", func(w *wire, from string) flows.Packet {
			p := w.dial(server, from, 443).synack()
			p.DstPort = 8080
			return p
		}, "tcp", 443},
		{"of what says nothing of itself", func(w *wire, from string) flows.Packet {
			p := w.datagram(from, server, 8080)
			p.SrcPort = 37810
			return p
		}, "udp", 37810},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWire(t, defaults(t))
			w.busy(0, inside, server, 443)
			for i := range 2000 {
				w.send(1+float64(i)/100, tt.answer(w, nth("203.0.0.0", i)))
			}
			n := w.notice(t, Reflection)
			require.Empty(t, w.scans)
			require.Empty(t, w.phases(Flood))
			require.Empty(t, w.phases(Backscatter))
			require.Equal(t, server, n.Dst.String(), "who suffers")
			require.Equal(t, uint16(8080), *n.Port)
			require.Equal(t, tt.port, *n.SrcPort)
			require.Equal(t, tt.proto, n.Proto)
			require.InEpsilon(t, 2000, n.Sources, 0.1)
		})
	}
}

// TestReflectionIsNotItsVictimsBackscatter: a host under a reflection says so to each answer.
func TestReflectionIsNotItsVictimsBackscatter(t *testing.T) {
	w := newWire(t, defaults(t))
	w.busy(0, inside, server, 443)
	for i := range 500 {
		p := w.answerOf(nth("203.0.0.0", i), 53, server, 8080)
		w.send(1+float64(i)/100, p, unreachable(p, server, 3))
	}
	w.end()
	require.Empty(t, w.phases(Backscatter))
	require.NotEmpty(t, w.phases(Reflection))
	require.Empty(t, w.scans)
}

// TestNoReflection is of many that answer one host.
func TestNoReflection(t *testing.T) {
	w := newWire(t, defaults(t))
	for i := range 40 { // asked before the capture began
		w.send(float64(i)/100, w.answerOf(nth("203.0.0.0", i), 53, inside, 4000))
	}
	for i := range 400 {
		ask := w.datagram(inside, nth("203.0.0.0", i), 53)
		reply := w.answerOf(nth("203.0.0.0", i), 53, inside, ask.SrcPort)
		w.send(0.1+float64(i)/100, ask)
		w.send(0.15+float64(i)/100, reply)
	}
	w.quiet(t, Reflection, Backscatter)
}

// TestSlowBackscatter lives as long as it goes on.
func TestSlowBackscatter(t *testing.T) {
	w := newWire(t, defaults(t))
	for i := range 360 {
		w.send(20*float64(i), w.dial(nth("198.51.0.0", i), outside, 443).synack())
	}
	w.send(20000, w.dial(inside, server, 443).syn())
	w.end()
	phases := w.phases(Backscatter)
	require.Equal(t, Open, phases[0])
	require.Equal(t, Close, phases[len(phases)-1])
	last := w.notices[len(w.notices)-1]
	require.InDelta(t, 360, last.Hosts, 36)
	require.Less(t, last.Time, Time(at(7200+1200)))
}
