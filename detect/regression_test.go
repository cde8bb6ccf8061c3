package detect

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/flows"
)

// What a rule counts as it opens is not counted again when it counts as
// unproductive, or turns out productive.
func TestSplunkAttemptsTwice(t *testing.T) {
	w := newWire(t, profile(t, "splunk"))
	for i := range 60 {
		w.knock(float64(i), outside, nth("10.0.0.0", i), 22)
	}
	s := w.closed(t)
	require.EqualValues(t, 60, s.Attempts)
	require.EqualValues(t, 60, s.Packets)
}

func TestSplunkProductiveTwice(t *testing.T) {
	w := newWire(t, profile(t, "splunk"))
	for i := range 20 {
		w.busy(float64(i), outside, nth("10.0.0.0", i), 22)
	}
	s := w.closed(t)
	require.EqualValues(t, 20, s.Attempts)
	require.EqualValues(t, 20, s.Packets)
}

func TestOpenedPacketsCumulative(t *testing.T) {
	w := newWire(t, onlyRule(t, "{name: a, count: dst, by: [src], of: connection, over: 1, within: run}"))
	w.busy(0, outside, nth(server, 0), 22)
	w.busy(0, outside, nth(server, 1), 22)
	for i := range 10 {
		w.busy(1+float64(i)/10, outside, nth(server, 2), 22)
	}
	s := w.closed(t)
	require.EqualValues(t, 12, s.Packets)
}

func TestMixedTriggers(t *testing.T) {
	rules, err := ParseRules([]byte(`rules:
  - {name: a, count: dst_port, by: [src, dst], of: unproductive, over: 4, within: 5m}
  - {name: b, count: dst, by: [src], of: connection, over: 100, within: run}
`), "t")
	require.NoError(t, err)
	w := newWire(t, rules)
	for i := range 20 {
		w.knock(float64(i), outside, server, uint16(i+1))
	}
	s := w.closed(t)
	require.EqualValues(t, 20, s.Attempts)
}

// The code of an ICMP error that comes after the attempt counted is kept.
func TestLateICMPCodeLost(t *testing.T) {
	w := newWire(t, profile(t, "default"))
	for i := range 10 {
		c := w.dial(outside, server, uint16(20+i))
		w.send(float64(i), c.syn())
		if i < 9 {
			w.send(float64(i)+.7, unreachable(c.syn(), server, 13))
		}
	}
	s := w.closed(t)
	require.Equal(t, Outcomes{Unreachable: 9, Silent: 1}, s.Outcomes)
	require.Equal(t, Prohibited, s.Verdict)
}

// Attempts that were withdrawn, as those at slow sites, are no targets of a scan
// that opens later.
func TestWithdrawnBackfilled(t *testing.T) {
	w := newWire(t, profile(t, "default"))
	for i := range 5 {
		c := w.dial(outside, nth("192.0.2.0", i), 443)
		w.send(float64(i), c.syn())
		w.send(float64(i)+.7, c.synack(), c.ack(), c.ask(), c.reply())
	}
	for i := range 10 {
		w.knock(10+float64(i), outside, server, uint16(20+i))
	}
	s := w.closed(t)
	require.Equal(t, 10, s.Targets)
	require.Equal(t, 1, s.Hosts)
	require.Equal(t, 10, s.DetectedAfter.Targets)
}

// Nor are the hops of a traceroute.
func TestExpiredBackfilled(t *testing.T) {
	w := newWire(t, profile(t, "default"))
	for i := range 5 {
		c := w.dial(outside, nth("192.0.2.0", i), 443)
		w.send(float64(i), c.syn())
		p := unreachable(c.syn(), server, 0)
		p.Kind = flows.KindTimeExceeded
		w.send(float64(i)+.7, p)
	}
	for i := range 10 {
		w.knock(10+float64(i), outside, server, uint16(20+i))
	}
	s := w.closed(t)
	require.Equal(t, 10, s.Targets)
}

// A withdrawn attempt is taken out of the counts of its own kind only.
func TestWithdrawnOfAnotherKind(t *testing.T) {
	w := newWire(t, onlyRule(t, "{name: a, count: dst_port, by: [src, dst], proto: tcp, over: 9, within: 5m}"))
	for i := range 9 {
		w.knock(float64(i), outside, server, uint16(50+i))
	}
	p := w.datagram(outside, server, 53)
	w.send(10, p)
	w.send(11, answerTo(p))
	w.knock(12, outside, server, 70)
	require.Equal(t, 10, w.closed(t).Targets)
}

// A port counted on several hosts stays counted when one of them is withdrawn.
func TestWithdrawnOfAnotherHost(t *testing.T) {
	w := newWire(t, onlyRule(t, "{name: a, count: dst_port, by: [src], over: 9, within: 5m}"))
	for i := range 9 {
		w.knock(float64(i), outside, server, uint16(50+i))
	}
	c := w.dial(outside, nth(server, 9), 53)
	w.send(10, c.syn())
	w.send(11, c.synack(), c.ack(), c.ask(), c.reply())
	w.knock(12, outside, server, 70)
	w.end()
	require.Len(t, w.phase(Open), 1)
}

// An echo that is answered late is one attempt.
func TestLateEchoTwice(t *testing.T) {
	w := newWire(t, profile(t, "default"))
	for i := range 20 {
		w.send(float64(i), w.echo(outside, nth(server, i)))
	}
	p := w.echo(outside, nth(server, 30))
	w.send(21, p)
	w.send(21.7, answerTo(p))
	s := w.closed(t)
	require.Equal(t, 21, s.Targets)
	require.EqualValues(t, 21, s.Attempts)
}

// A rule with a long window fills its scan from all of it, and keeps it open.
func TestSlowRule(t *testing.T) {
	w := newWire(t, onlyRule(t, "{name: slow, count: dst_port, by: [src, dst], over: 9, within: 1d}"))
	for i := range 20 {
		w.knock(float64(i)*3600, outside, server, uint16(50+i))
	}
	w.end()
	require.Len(t, w.phase(Open), 1)
	require.Equal(t, 20, w.phase(Close)[0].Targets)
}

func TestSelectorAnswered(t *testing.T) {
	w := newWire(t, onlyRule(t, "{name: a, count: dst_port, by: [src, dst], of: answered, over: 4, within: 5m}"))
	for i := range 10 {
		c := w.dial(outside, server, uint16(50+i))
		w.send(float64(i), c.syn(), c.synack(), c.abort())
	}
	w.end()
	require.Len(t, w.phase(Open), 1)
}

func TestSelectorOrder(t *testing.T) {
	for _, of := range []string{"[unproductive, answered]", "[answered, unproductive]"} {
		w := newWire(t, onlyRule(t, "{name: a, count: dst_port, by: [src, dst], of: "+of+", over: 4, within: 5m}"))
		for i := range 10 {
			c := w.dial(outside, server, uint16(50+i))
			w.send(float64(i), c.syn(), c.synack(), c.abort())
		}
		w.end()
		require.Len(t, w.phase(Open), 1, of)
	}
}

func TestSelectorRefusedLate(t *testing.T) {
	w := newWire(t, onlyRule(t, "{name: a, count: dst_port, by: [src, dst], of: refused, over: 4, within: 5m}"))
	for i := range 10 {
		c := w.dial(outside, server, uint16(50+i))
		w.send(float64(i), c.syn())
		w.send(float64(i)+.7, c.refuse())
	}
	w.end()
	require.Len(t, w.phase(Open), 1)
}

func TestAndTumbling(t *testing.T) {
	w := newWire(t, onlyRule(t, "{name: a, count: dst_port, by: [src], of: connection, over: 9, within: 10m, window: tumbling, and: [{count: dst, over: 3}]}"))
	for i := range 5 {
		w.knock(590+float64(i), outside, nth(server, i), 20)
	}
	for i := range 10 {
		w.knock(610+float64(i), outside, server, uint16(50+i))
	}
	w.end()
	require.Empty(t, w.scans)
}

func TestAndPortFilter(t *testing.T) {
	w := newWire(t, onlyRule(t, "{name: a, count: dst_port, by: [src], of: connection, over: 2, within: 10m, port: 1-1023, and: [{count: dst, over: 3}]}"))
	for i := range 5 {
		w.knock(float64(i), outside, nth(server, i), 8080)
	}
	for i := range 10 {
		w.knock(10+float64(i), outside, server, uint16(50+i))
	}
	w.end()
	require.Empty(t, w.scans)
}

func TestAndTechnique(t *testing.T) {
	w := newWire(t, onlyRule(t, "{name: a, count: dst_port, by: [src], of: crafted, over: 2, within: 10m, and: [{count: dst, over: 3}]}"))
	for i := range 5 {
		w.knock(float64(i), outside, nth(server, i), 8080)
	}
	for i := range 10 {
		c := w.dial(outside, server, uint16(50+i))
		p := c.syn()
		p.Window = 1024
		w.send(10+float64(i), p)
	}
	w.end()
	require.Empty(t, w.scans)
}

func TestAndLarge(t *testing.T) {
	w := newWire(t, onlyRule(t, "{name: a, count: dst, by: [src], of: connection, over: 2, within: run, and: [{count: dst_port, over: 2000}]}"))
	for i := range 3000 {
		w.knock(float64(i), outside, nth(server, i%5), uint16(i+1))
	}
	w.end()
	require.Len(t, w.phase(Open), 1)
}

// A scan ends when its own pace says so, though it was slower before.
func TestStaleCheck(t *testing.T) {
	run := func(tick bool) string {
		w := newWire(t, profile(t, "default"))
		for i := range 10 {
			w.knock(float64(i), outside, server, uint16(20+i))
		}
		now := 10.0
		for i := range 40 {
			now += 240
			w.knock(now, outside, server, uint16(100+i))
		}
		for i := range 40 {
			now += 1
			w.knock(now, outside, server, uint16(200+i))
		}
		if tick {
			for i := 0; i < 1200; i += 10 {
				w.idle(now + float64(i))
			}
		}
		w.knock(now+1200, outside, server, 1)
		w.idle(now + 1201)
		w.end()
		return records(t, w.phase(Close))
	}
	require.Equal(t, run(true), run(false))
	require.Contains(t, run(false), `"targets":90`)
}

func TestConnectionsBeforeOpen(t *testing.T) {
	w := newWire(t, profile(t, "default"))
	for i := range 10 {
		for k := range 3 {
			w.knock(float64(4*i+k), outside, server, uint16(20+i))
		}
	}
	s := w.closed(t)
	require.EqualValues(t, 30, s.Attempts)
}

func TestPacketsBeforeOpen(t *testing.T) {
	w := newWire(t, profile(t, "default"))
	for i := range 10 {
		p := w.dial(outside, server, uint16(20+i)).syn()
		w.send(float64(20*i), p)
		w.send(float64(20*i)+1, p)
		w.send(float64(20*i)+3, p)
	}
	s := w.closed(t)
	require.EqualValues(t, 30, s.Packets)
}

func TestTargetsByTechnique(t *testing.T) {
	w := newWire(t, profile(t, "default"))
	for i := range 10 {
		w.knock(float64(i), outside, server, uint16(20+i))
	}
	for i := range 10 {
		p := w.dial(outside, server, uint16(20+i)).syn()
		p.Flags = 0
		w.send(20+float64(i), p)
	}
	s := w.closed(t)
	require.Equal(t, 10, s.Targets)
}

// One more attempt after a scan has closed is not a scan.
func TestReopenOne(t *testing.T) {
	w := newWire(t, onlyRule(t, "{name: a, count: dst_port, by: [src, dst], over: 9, within: 1h}"))
	for i := range 10 {
		w.knock(float64(i), outside, server, uint16(20+i))
	}
	w.knock(1200, outside, server, 21)
	w.knock(1201, outside, server, 1000)
	w.end()
	require.Len(t, w.phase(Close), 1)
}

func TestEvictionOrder(t *testing.T) {
	// source table: the oldest is active all the time
	e, err := New(Config{Sources: 2}, profile(t, "default"))
	require.NoError(t, err)
	w := &wire{table: flows.NewTable(flows.TableConfig{}), port: 4000, engine: e}
	for i := range 9 {
		w.knock(float64(i), outside, server, uint16(20+i))
		if i == 4 {
			w.knock(4, nth("192.0.2.0", 1), server, 80)
		}
	}
	w.knock(20, nth("192.0.2.0", 2), server, 80)
	w.idle(22)
	a := address(outside)
	require.NotNil(t, e.sources.find(&a))
}

func TestLateHalfOpen(t *testing.T) {
	w := newWire(t, profile(t, "default"))
	for i := range 12 {
		c := w.dial(outside, server, uint16(20+i))
		w.send(float64(i), c.syn())
		w.send(float64(i)+.6, c.synack())
		w.send(float64(i)+.65, c.abort())
	}
	s := w.closed(t)
	require.Equal(t, "tcp-syn", s.Technique)
}

func TestAnsweredBeforeWithdrawn(t *testing.T) {
	// expired attempts are no success for the share
	w := newWire(t, profile(t, "default"))
	for i := range 30 {
		c := w.dial(outside, nth(server, i), 22)
		w.send(float64(i), c.syn())
		p := unreachable(c.syn(), server, 0)
		p.Kind = flows.KindTimeExceeded
		w.send(float64(i)+.7, p)
	}
	for i := range 12 {
		w.knock(40+float64(i), outside, nth(server, 100+i), 22)
	}
	w.end()
	require.Len(t, w.phase(Open), 1)
}

// When a scan closes does not depend on other sources.
func TestStaleCheckOtherSource(t *testing.T) {
	run := func(other bool) string {
		w := newWire(t, profile(t, "default"))
		now := 0.0
		for i := range 50 {
			if i >= 10 {
				now += 240
			}
			w.knock(now, outside, server, uint16(100+i))
		}
		for i := range 40 {
			now += 1
			w.knock(now, outside, server, uint16(200+i))
		}
		if other { // opens and closes meanwhile
			for i := range 10 {
				w.refused(now+10, inside, server, uint16(i))
			}
		}
		w.idle(now + 950)
		w.knock(now+960, outside, server, 1)
		w.idle(now + 100000)
		w.end()
		var mine []Scan
		for _, s := range w.phase(Close) {
			if s.Src.String() == outside {
				mine = append(mine, s)
			}
		}
		return records(t, mine)
	}
	require.Equal(t, run(false), run(true))
}

// What was answered before the first attempt that counted is no part of a scan.
func TestAnsweredMovesFirst(t *testing.T) {
	w := newWire(t, profile(t, "default"))
	for i := range 20 {
		w.busy(float64(i), outside, nth("192.0.0.0", i), 443)
	}
	for i := range 10 {
		w.knock(100+float64(i), outside, nth(server, i), 443)
	}
	s := w.closed(t)
	require.Equal(t, Time(at(100)), s.First)
	require.InDelta(t, 9, s.DetectedAfter.Seconds, 0)
}

func TestEvidenceCapped(t *testing.T) {
	w := newWire(t, profile(t, "default"))
	for i := range 100 {
		w.busy(float64(i)/10, inside, nth("192.0.0.0", i), 443)
	}
	for i := range 50 {
		w.knock(11+float64(i), inside, nth(server, i), 443)
	}
	w.end()
	require.Equal(t, 43, w.scans[0].Evidence.Value)
}

// A source whose successes have been forgotten is not named for its failures.
func TestHistoryForgetsSuccess(t *testing.T) {
	for _, cfg := range []Config{{}, {History: 12}, {Sources: 2}} {
		w := newWire(t, profile(t, "default"))
		cfg.Report = func(s Scan) { w.scans = append(w.scans, s) }
		e, err := New(cfg, profile(t, "default"))
		require.NoError(t, err)
		w.engine = e
		for i := range 100 {
			w.busy(float64(i)/10, inside, nth("192.0.0.0", i), 443)
		}
		for i := range 3 {
			w.knock(10, nth("203.0.0.0", i), server, 80)
		}
		for i := range 10 {
			w.knock(11+float64(i), inside, nth(server, i), 443)
		}
		w.end()
		require.Empty(t, w.scans, "%+v", cfg)
	}
}

// Open scans are bounded with their sources: the quietest closes.
func TestOpenScansUnbounded(t *testing.T) {
	e, err := New(Config{Sources: 4}, profile(t, "default"))
	require.NoError(t, err)
	for who := range 50 {
		for i := range 10 {
			ev := counted(float64(who*10+i), nth(outside, who), server, uint16(i))
			e.Observe(&ev)
		}
	}
	require.LessOrEqual(t, len(e.open), 4)
}

// The correlation of a scan stays what it was when it opened.
func TestCorrelationMoves(t *testing.T) {
	midnight := float64(86400 - 22*3600 - 1200)
	w := newWire(t, profile(t, "default"))
	w.knock(midnight-0.01, outside, server, 99)
	for i := range 10 {
		w.refused(midnight+float64(i)/100, outside, server, uint16(100+i))
	}
	w.end()
	require.Equal(t, w.scans[0].Correlation, w.scans[len(w.scans)-1].Correlation)
}

// What becomes of an attempt after its scan has closed can make a rule fire
// with nothing else to fill the new scan from.
func TestFiresOnWhatIsOlderThanTheLastScan(t *testing.T) {
	w := newWire(t, onlyRule(t, `{name: early, count: dst_port, by: [src], of: connection, over: 60000, within: run}
  - {name: spoken, count: dst_port, by: [src], of: productive, over: 1, within: run}`))
	slow := w.dial(outside, server, 99)
	w.send(0, slow.syn(), slow.synack(), slow.ack())
	w.busy(1, outside, server, 80)
	w.busy(2, outside, server, 81)
	w.idle(1900)
	require.Len(t, w.phase(Close), 1)
	w.send(2000, slow.ask(), slow.reply())
	w.end()
	require.Len(t, w.phase(Close), 2)
	last := w.scans[len(w.scans)-1]
	require.Equal(t, 1, last.Targets)
	require.Equal(t, uint16(99), *last.Port)
}

// A sensor that loses some questions sees a server send to ever other ports of its client. A scan
// from such a socket of ports that servers have is one; so is what nobody asked for.
func TestAnswersToLostQuestions(t *testing.T) {
	const client, kdc = "10.1.1.1", "10.1.1.2"
	for _, c := range []struct {
		name  string
		asked bool
		from  uint16 // first port that it sends to
		named bool
	}{
		{"asked before", true, 50000, false},
		{"ports of servers", true, 100, true},
		{"never asked", false, 50000, true},
	} {
		w := newWire(t, profile(t, "default"))
		if c.asked {
			question := w.datagram(client, kdc, 88)
			w.send(0, question, answerTo(question))
		}
		for i := range uint16(30) {
			p := w.datagram(kdc, client, c.from+i)
			p.SrcPort = 88
			w.send(1+float64(i)/5, p)
		}
		w.end()
		require.Equal(t, c.named, len(w.phase(Close)) == 1, c.name)
	}
}

// What belongs to a scan, or comes from who has no record, is not kept as a failure that may be tried
// again: it would take the room of those that may.
func TestFailuresOfScansAreNotKept(t *testing.T) {
	kept := func(e *Engine) (n int) {
		for i := range e.facts.failures {
			for _, f := range e.facts.failures[i] {
				if f.tag != 0 {
					n++
				}
			}
		}
		return n
	}
	w := newWire(t, profile(t, "default"))
	for i := range uint16(100) {
		w.knock(float64(i)/10, outside, server, 1000+i)
	}
	w.idle(60)
	require.Equal(t, 10, kept(w.engine), "those until the scan opened")

	cfg := small()
	cfg.GateBits = 10
	w = busyWire(t, cfg)
	before := kept(w.engine)
	for i := range 100 {
		w.knock(3000+float64(i)/10, nth("192.0.2.0", i), server, 80)
	}
	w.idle(3060)
	require.Equal(t, before, kept(w.engine), "of sources that the gate has not let in")
}
