package detect

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/flows"
)

// told keeps what an engine tells of one source.
type told struct {
	src     [16]byte
	ours    bool
	excuse  Excuse              // the last word on the latest attempt
	held    map[string]Standing // by rule
	highest map[string]int
}

func (o *told) Attempt(ev *flows.Event) { o.ours = ev.Initiator == o.src }

func (o *told) Excused(why Excuse) {
	if o.ours {
		o.excuse = why
	}
}

func (o *told) Stands(s Standing) {
	if s.Src == o.src {
		if s.Hold != NotHeld {
			o.held[s.Rule.Name] = s
		}
		o.highest[s.Rule.Name] = max(o.highest[s.Rule.Name], s.Value)
	}
}

// traced is a wire whose engine tells of one source.
func traced(t require.TestingT, rules Rules, src string, history int) (*wire, *told) {
	w, o := newWire(t, rules), &told{src: address(src), held: map[string]Standing{}, highest: map[string]int{}}
	e, err := New(Config{Report: func(s Scan) { w.scans = append(w.scans, s) }, History: history, Trace: o}, rules)
	require.NoError(t, err)
	w.engine = e
	return w, o
}

// counted has the engine observe an attempt that counts, made up by hand.
func (w *wire) counted(from, to string, a flows.Attempt) {
	a.Initiator, a.Responder = address(from), address(to)
	a.Start, a.Line, a.Time, a.TimeLine, a.Counted = at(0), at(0), at(0), at(0), true
	w.feed([]flows.Event{{Attempt: a, Kind: flows.Counted, At: at(1)}})
}

// TestTraceExcuses: each reason why an attempt is no evidence is told.
func TestTraceExcuses(t *testing.T) {
	const ours = "10.20.0.1"
	for why, scene := range map[Excuse]func(w *wire){
		NoExcuse: func(w *wire) { w.knock(0, inside, ours, 80) },
		ExcuseGateway: func(w *wire) {
			w.counted(inside, ours, flows.Attempt{Key: flows.Key{Class: flows.ClassARP}, Technique: flows.ARP, Marks: flows.MarkGateway})
		},
		ExcuseLease: func(w *wire) {
			w.counted(inside, ours, flows.Attempt{Key: flows.Key{Class: flows.ClassEcho}, Technique: flows.ICMPEcho, Marks: flows.MarkLease})
		},
		ExcuseEnding: func(w *wire) {
			p := w.dial(inside, ours, 50000).packet(flows.FlagFIN, 0)
			p.SrcPort = 443
			w.send(0, p)
		},
		ExcusePathCheck: func(w *wire) {
			p := w.datagram(inside, ours, 50000)
			p.Marks = flows.MarkSTUN
			w.send(0, p)
		},
		ExcuseUnrepeated: func(w *wire) {
			w.counted(inside, ours, flows.Attempt{
				Key: flows.Key{Class: flows.ClassUDP, Proto: 17, Port: 53}, Technique: flows.UDP, Outcome: flows.Unseen, SrcPort: 4000, Question: 7,
			})
		},
		ExcuseRetry: func(w *wire) {
			w.knock(-700, inside, ours, 80)
			w.knock(0, inside, ours, 80)
		},
		ExcuseOthers: func(w *wire) {
			w.busy(-60, "10.9.9.9", ours, 80)
			w.knock(0, inside, ours, 80)
		},
		ExcuseOwn: func(w *wire) {
			w.busy(-60, inside, ours, 80)
			w.knock(0, inside, ours, 80)
		},
		ExcuseOutage: func(w *wire) {
			for n := range 3 {
				w.busy(float64(n)-86400, nth("10.9.0.0", n), nth(server, n), 443)
			}
			for n := range 3 {
				w.knock(float64(n)-60, nth("10.9.0.0", n), nth(server, n), 443)
			}
			w.knock(0, inside, "203.0.113.99", 443)
		},
		ExcuseAnswer: func(w *wire) {
			question := w.datagram(ours, inside, 88)
			w.send(-60, question, answerTo(question))
			p := w.datagram(inside, ours, 50000)
			p.SrcPort = 88
			w.send(0, p)
		},
		ExcuseFTP: func(w *wire) {
			w.busy(-60, ours, inside, 21)
			p := w.dial(inside, ours, 50000).syn()
			p.SrcPort = 20
			w.send(0, p)
		},
	} {
		w, o := traced(t, profile(t, "default"), inside, 0)
		o.excuse = 99
		scene(w)
		w.idle(5)
		require.Equal(t, why, o.excuse, why)
		require.NotEmpty(t, why.String())
	}
}

// holdCase is a guard that holds a rule back, and what is told of it.
type holdCase struct {
	name    string
	rule    string
	rules   func(*testing.T) Rules
	history int
	scene   func(w *wire)
	want    Standing
}

// byDefault are the rules of the default profile with windows.
func byDefault(t *testing.T) Rules { return profile(t, "default") }

func holdCases() []holdCase {
	walks := func(t *testing.T) Rules {
		return onlyRule(t, "{name: walk-over-hosts, count: dst, by: [src, proto], over: 8, within: walk}")
	}
	return []holdCase{
		{"a share", "hosts-on-a-port", byDefault, 0, func(w *wire) {
			for i := range 40 {
				w.busy(float64(i)/10, inside, nth("192.0.0.0", i), 443)
			}
			for i := range 10 {
				w.knock(5+float64(i), inside, nth(server, i), 443)
			}
		}, Standing{Value: 10, Hold: HeldShare, Failed: 10, Succeeded: 40, Port: 443, Class: flows.ClassTCP}},
		{"conversations", "hosts-on-a-port", byDefault, 0, func(w *wire) {
			for i := range 10 {
				w.busy(float64(i), inside, nth(server, i), 80)
				w.knock(float64(i)+0.1, inside, nth(server, i), 443)
			}
		}, Standing{Value: 10, Hold: HeldExcused, Failed: 0, Succeeded: 10, Spoken: 10, Port: 443, Class: flows.ClassTCP}},
		{"unused connections", "hosts-on-a-port", byDefault, 0, func(w *wire) {
			w.busy(0, inside, "192.0.2.1", 443)
			for i := range 10 {
				c := w.dial(inside, nth(server, i), 443)
				w.send(1+float64(i), c.syn(), c.synack(), c.ack())
			}
		}, Standing{Value: 10, Hold: HeldExcused, Failed: 0, Succeeded: 1, Spared: 10, Port: 443, Class: flows.ClassTCP}},
		{"what is forgotten", "hosts-on-a-port", byDefault, 15, func(w *wire) {
			for i := range 10 {
				w.busy(float64(i), inside, nth("192.0.0.0", i), 443)
			}
			for i := range 10 {
				w.knock(20+float64(i), inside, nth(server, i), 443)
			}
		}, Standing{Value: 10, Hold: HeldForgotten, Failed: 10, Succeeded: 5, Port: 443, Class: flows.ClassTCP}},
		{"a further condition", "it", func(t *testing.T) Rules {
			return onlyRule(t, "{name: it, count: dst_port, by: [src], over: 3, within: 5m, and: [{count: dst, over: 1}]}")
		}, 0, func(w *wire) {
			for i := range 4 {
				w.knock(float64(i), inside, server, uint16(80+i))
			}
		}, Standing{Value: 4, Hold: HeldCondition, Failed: 4}},
		{"ports of their own", "walk-over-hosts", walks, 0, func(w *wire) {
			for i := range 9 {
				w.refused(float64(i), inside, nth(server, i), uint16(20000+i))
			}
			w.idle(20)
		}, Standing{Value: 9, Hold: HeldSpread, Class: flows.ClassTCP}},
		{"a list of hosts far apart", "hosts-on-a-port", byDefault, 0, func(w *wire) {
			far := func(i int) string { return netip.AddrFrom4([4]byte{240, byte(i), 1, 1}).String() }
			for i := range 3 {
				w.busy(float64(i), inside, far(i), 8333)
			}
			for i := range 10 {
				w.knock(5+float64(i), inside, far(3+i), 8333)
			}
		}, Standing{Value: 10, Hold: HeldList, Failed: 10, Succeeded: 3, Port: 8333, Class: flows.ClassTCP}},
		{"too few earlier hours", "unusual-ports", byDefault, 0, func(w *wire) {
			ordinaryHours(w, 20)
			for i := range 20 {
				w.refused(float64(20*3600+i*110), inside, server, uint16(2000+i))
			}
		}, Standing{Value: 20, Hold: HeldHistory, Dst: address(server), Class: flows.ClassTCP}},
		{"a share of what was tried in an hour", "slow-hour", slowOnly, 0, func(w *wire) {
			for i := range 200 {
				w.busy(float64(10*i), outside, nth("10.1.0.0", i), 443)
			}
			for i := range 30 {
				w.knock(float64(2000+10*i), outside, nth("10.0.0.0", i), 443)
			}
			w.idle(2400)
		}, Standing{Value: 25, Hold: HeldShare, Succeeded: 200}},
	}
}

// TestTraceHolds: each guard that holds a rule back is told, with its numbers.
func TestTraceHolds(t *testing.T) {
	for _, tt := range holdCases() {
		t.Run(tt.name, func(t *testing.T) {
			src := inside
			if tt.rule == "slow-hour" {
				src = outside
			}
			w, o := traced(t, tt.rules(t), src, tt.history)
			tt.scene(w)
			w.idle(20*3600 + 3000)
			got, ok := o.held[tt.rule]
			require.True(t, ok)
			require.Empty(t, w.phase(Open))
			got.Rule, tt.want.Src = nil, address(src)
			if tt.rule == "slow-hour" { // whose count is an estimate
				require.InDelta(t, 25, got.Failed, 5)
				got.Failed = 0
			}
			require.Equal(t, tt.want, got)
		})
	}
}

// TestTraceStands: counts are told as they rise, to where they end.
func TestTraceStands(t *testing.T) {
	rules, err := Profile("default")
	require.NoError(t, err)
	w, o := traced(t, rules, outside, 0)
	for i := range 7 {
		w.refused(float64(i), outside, "10.20.0.1", uint16(20+i))
	}
	w.end()
	require.Empty(t, w.scans)
	require.Equal(t, 7, o.highest["ports-on-a-host"])
	require.Equal(t, 1, o.highest["hosts-on-a-port"])
	require.Equal(t, 7, o.highest["walk-over-ports"])
	require.Equal(t, 7, o.highest["unusual-ports"])
	require.Positive(t, o.highest["slow-day"])
	require.NotContains(t, o.highest, "ping-sweep")
}
