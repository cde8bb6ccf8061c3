package detect

import (
	"encoding/json"
	"math"
	"net/netip"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/flows"
)

// start is 2023-11-14 22:20:00 UTC: the edge of a bin of ten minutes.
const start = 1_700_000_400 * second

// at is a time of the tests, in seconds.
func at(seconds float64) int64 { return start + int64(math.Round(seconds*1e9)) }

func address(s string) [16]byte { return netip.MustParseAddr(s).As16() }

// nth is the host n of the /16 of an IPv4 address.
func nth(network string, n int) string {
	a := netip.MustParseAddr(network).As4()
	a[2], a[3] = byte(n>>8), byte(n)
	return netip.AddrFrom4(a).String()
}

// The cast: one scanner outside, one inside, one host asked.
const (
	outside = "203.0.113.7"
	inside  = "10.1.2.3"
	server  = "198.51.100.0"
)

// wire is the line from packets to records: a table and an engine.
type wire struct {
	table   *flows.Table
	engine  *Engine
	scans   []Scan
	notices []Notice
	events  []flows.Event
	port    uint16
	seq     uint32
}

func newWire(t require.TestingT, rules Rules) *wire {
	w := &wire{table: flows.NewTable(flows.TableConfig{}), port: 40000, seq: 7777}
	e, err := New(Config{
		Report: func(s Scan) { w.scans = append(w.scans, s) },
		Notify: func(n Notice) { w.notices = append(w.notices, n) },
	}, rules)
	require.NoError(t, err)
	w.engine = e
	return w
}

// profile is a profile without its walks and slow windows, which have tests of their
// own and would fire below the thresholds of the other rules.
func profile(t require.TestingT, name string) Rules {
	rules, err := Profile(name)
	require.NoError(t, err)
	rules.Rules = slices.DeleteFunc(rules.Rules, func(r Rule) bool { return r.Window == Walk || r.Window == Slow })
	return rules
}

// onlyRule reads one rule, written as in a file.
func onlyRule(t require.TestingT, text string) Rules {
	rules, err := ParseRules([]byte("rules:\n  - "+text+"\n"), "test")
	require.NoError(t, err)
	return rules
}

// send puts packets on the wire, all at one moment.
func (w *wire) send(seconds float64, ps ...flows.Packet) {
	for i := range ps {
		ps[i].Time = at(seconds)
		w.feed(w.table.Add(&ps[i], w.events[:0]))
	}
}

// idle lets time pass.
func (w *wire) idle(seconds float64) {
	w.feed(w.table.Advance(at(seconds), w.events[:0]))
	w.engine.Advance(at(seconds))
}

// end is the end of the input.
func (w *wire) end() {
	for more := true; more; {
		var events []flows.Event
		events, more = w.table.Close(w.events[:0])
		w.feed(events)
	}
	w.engine.Close()
}

func (w *wire) feed(events []flows.Event) {
	w.events = events
	for i := range events {
		w.engine.Observe(&events[i])
	}
}

func (w *wire) phase(p Phase) (found []Scan) {
	for _, s := range w.scans {
		if s.Phase == p {
			found = append(found, s)
		}
	}
	return found
}

// closed ends the input and returns the only scan there was.
func (w *wire) closed(t require.TestingT) Scan {
	w.end()
	found := w.phase(Close)
	require.Len(t, found, 1)
	return found[0]
}

// conn is one TCP connection of an ordinary network stack.
type conn struct {
	from, to [16]byte
	sport    uint16
	port     uint16
	seq      uint32
}

// dial picks a source port and a sequence number, as a stack does.
func (w *wire) dial(from, to string, port uint16) conn {
	w.port++
	w.seq = w.seq*1664525 + 1013904223
	return conn{address(from), address(to), w.port, port, w.seq}
}

func (c conn) packet(flags uint8, payload uint16) flows.Packet {
	return flows.Packet{
		Kind: flows.KindTCP, Proto: 6, Src: c.from, Dst: c.to, SrcPort: c.sport, DstPort: c.port,
		Seq: c.seq, Flags: flags, Payload: payload, Window: 64240, Options: 0xabcd, TTL: 64,
	}
}

func (c conn) back(flags uint8, payload uint16) flows.Packet {
	p := c.packet(flags, payload)
	p.Src, p.Dst, p.SrcPort, p.DstPort = c.to, c.from, c.port, c.sport
	p.Seq, p.Ack = ^c.seq, c.seq+1
	return p
}

func (c conn) syn() flows.Packet    { return c.packet(flows.FlagSYN, 0) }
func (c conn) synack() flows.Packet { return c.back(flows.FlagSYN|flows.FlagACK, 0) }
func (c conn) refuse() flows.Packet { return c.back(flows.FlagRST|flows.FlagACK, 0) }
func (c conn) abort() flows.Packet  { return c.packet(flows.FlagRST, 0) }

func (c conn) forward(flags uint8, payload uint16) flows.Packet {
	p := c.packet(flags, payload)
	p.Seq, p.Ack, p.EchoedTime = c.seq+1, ^c.seq+1, 99
	return p
}

func (c conn) ack() flows.Packet   { return c.forward(flows.FlagACK, 0) }
func (c conn) ask() flows.Packet   { return c.forward(flows.FlagACK|flows.FlagPSH, 100) }
func (c conn) reply() flows.Packet { return c.back(flows.FlagACK|flows.FlagPSH, 900) }

// unreachable is a router's complaint about a packet.
func unreachable(p flows.Packet, router string, code uint8) flows.Packet {
	e := flows.Packet{
		Kind: flows.KindUnreachable, Proto: 1, Code: code, Src: address(router), Dst: p.Src,
		QuotedSrc: p.Src, QuotedDst: p.Dst, QuotedSrcPort: p.SrcPort, QuotedDstPort: p.DstPort, QuotedProto: p.Proto,
	}
	if p.Kind == flows.KindEchoRequest {
		e.QuotedSrcPort = uint16(p.Seq >> 16)
	}
	return e
}

// knock is a SYN that nobody answers; busy a conversation that gets on.
func (w *wire) knock(seconds float64, from, to string, port uint16) {
	w.send(seconds, w.dial(from, to, port).syn())
}

func (w *wire) refused(seconds float64, from, to string, port uint16) {
	c := w.dial(from, to, port)
	w.send(seconds, c.syn(), c.refuse())
}

func (w *wire) busy(seconds float64, from, to string, port uint16) {
	c := w.dial(from, to, port)
	w.send(seconds, c.syn(), c.synack(), c.ack(), c.ask(), c.reply())
}

// datagram is one of UDP, from a port of its own.
func (w *wire) datagram(from, to string, port uint16) flows.Packet {
	w.port++
	return flows.Packet{
		Kind: flows.KindUDP, Proto: 17, Src: address(from), Dst: address(to), SrcPort: w.port, DstPort: port,
		Payload: 40, Question: uint32(w.port) * 2654435761, TTL: 64,
	}
}

// echo is an ICMP echo request.
func (w *wire) echo(from, to string) flows.Packet {
	w.port++
	return flows.Packet{Kind: flows.KindEchoRequest, Proto: 1, Src: address(from), Dst: address(to), Seq: uint32(w.port) << 16}
}

// answerTo is the reply to a datagram or to a request.
func answerTo(p flows.Packet) flows.Packet {
	p.Src, p.Dst, p.SrcPort, p.DstPort = p.Dst, p.Src, p.DstPort, p.SrcPort
	switch p.Kind {
	case flows.KindEchoRequest:
		p.Kind = flows.KindEchoReply
	case flows.KindARPRequest:
		p.Kind = flows.KindARPReply
	}
	return p
}

// TestThresholds walks up to each threshold of the default profile and over it.
func TestThresholds(t *testing.T) {
	plainly := func(c conn) flows.Packet { return c.syn() }
	tool := func(c conn) flows.Packet { p := c.syn(); p.Window = 1024; return p }
	cases := []struct {
		name, rule string
		needs      int
		packet     func(w *wire, i int) flows.Packet
	}{
		{"ports", "ports-on-a-host", 10, func(w *wire, i int) flows.Packet { return plainly(w.dial(outside, server, uint16(20+i))) }},
		{"hosts", "hosts-on-a-port", 10, func(w *wire, i int) flows.Packet { return plainly(w.dial(outside, nth(server, i), 22)) }},
		{"crafted ports", "crafted-ports-on-a-host", 5, func(w *wire, i int) flows.Packet { return tool(w.dial(outside, server, uint16(20+i))) }},
		{"crafted hosts", "crafted-hosts-on-a-port", 5, func(w *wire, i int) flows.Packet { return tool(w.dial(outside, nth(server, i), 22)) }},
		{"UDP ports", "ports-on-a-host", 10, func(w *wire, i int) flows.Packet { return w.datagram(outside, server, uint16(20+i)) }},
		{"UDP hosts", "hosts-on-a-port", 10, func(w *wire, i int) flows.Packet { return w.datagram(outside, nth(server, i), 161) }},
		{"ping", "ping-sweep", 10, func(w *wire, i int) flows.Packet { return w.echo(outside, nth(server, i)) }},
		{"ARP", "arp-sweep", 10, func(_ *wire, i int) flows.Packet {
			return flows.Packet{Kind: flows.KindARPRequest, Src: address(inside), Dst: address(nth(inside, i))}
		}},
		{"protocols", "protocols-on-a-host", 5, func(_ *wire, i int) flows.Packet {
			return flows.Packet{Kind: flows.KindOther, Proto: uint8(90 + i), Src: address(outside), Dst: address(server)}
		}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := newWire(t, profile(t, "default"))
			for i := range c.needs - 1 {
				w.send(float64(i), c.packet(w, i))
			}
			w.idle(60)
			require.Empty(t, w.scans, "below the threshold")
			w.send(61, c.packet(w, c.needs-1))
			w.idle(62)
			require.Len(t, w.scans, 1)
			s := w.scans[0]
			require.Equal(t, Open, s.Phase)
			require.Equal(t, c.rule, s.Rule)
			require.Equal(t, c.needs, s.Targets)
			require.Equal(t, Detected{Targets: c.needs, Seconds: 61.5}, s.DetectedAfter)
			require.Equal(t, Time(at(0)), s.First)
			require.Equal(t, Time(at(61)), s.Last)
			require.Equal(t, Time(at(61.5)), s.Time)
			require.Equal(t, Evidence{Count: s.Evidence.Count, Value: c.needs, Threshold: c.needs - 1, Window: "5m0s", Crafted: s.Evidence.Crafted}, s.Evidence)
			require.Equal(t, Close, w.closed(t).Phase)
		})
	}
}

// TestRepeatsCountOnce: retransmissions, copies and retries raise the numbers
// of a target, never the number of targets.
func TestRepeatsCountOnce(t *testing.T) {
	w := newWire(t, profile(t, "default"))
	now := 0.0
	for range 8 {
		for i := range 9 {
			p := w.dial(outside, server, uint16(20+i)).syn()
			w.send(now, p, p) // the copy of a mirror port
			w.send(now+1, p)  // a retransmission
			now += 3
		}
	}
	require.Empty(t, w.scans)
	w.knock(now, outside, server, 99)
	w.idle(now + 1)
	require.Len(t, w.scans, 1)
	require.Equal(t, 10, w.scans[0].Targets)
	require.Equal(t, 10, w.scans[0].DetectedAfter.Targets)
}

// TestWindowEdges places ten targets just inside a window and just outside.
func TestWindowEdges(t *testing.T) {
	for _, c := range []struct {
		spread float64
		scans  int
	}{{299.9, 1}, {300, 1}, {300.001, 0}, {900, 0}} {
		w := newWire(t, profile(t, "default"))
		for i := range 10 {
			w.knock(c.spread*float64(i)/9, outside, server, uint16(20+i))
		}
		w.idle(c.spread + 10)
		require.Len(t, w.scans, c.scans, "spread over %v s", c.spread)
	}
}

// TestSlidingWindowHasNoEdges: five targets before the edge of a bin and five
// behind it are ten.
func TestSlidingWindowHasNoEdges(t *testing.T) {
	for _, edge := range []float64{300, 600, 86400 - 22*3600 - 1200} {
		w := newWire(t, profile(t, "default"))
		for i := range 10 {
			w.knock(edge-5+float64(i), outside, server, uint16(20+i))
		}
		require.Equal(t, 10, w.closed(t).Targets)
	}
}

func TestNoRules(t *testing.T) {
	_, err := New(Config{}, Rules{})
	require.EqualError(t, err, "no rules: nothing could be found")
	_, err = New(Config{}, Rules{Rules: []Rule{{Name: "a", Count: FieldDst, By: []Field{FieldDst}, Over: 1, Window: Run}}})
	require.EqualError(t, err, `rule "a": by must contain src: scans are opened by source`)
	e, err := New(Config{}, profile(t, "default")) // without a Report
	require.NoError(t, err)
	require.Error(t, e.Replace(Rules{}))
	e.Close()
}

// TestReplace: open scans go on under the new rules, and counting begins anew.
func TestReplace(t *testing.T) {
	w := newWire(t, profile(t, "default"))
	for i := range 10 {
		w.knock(float64(i), outside, server, uint16(20+i))
		if i < 9 {
			w.knock(float64(i), inside, server, uint16(20+i))
		}
	}
	w.idle(11)
	require.Len(t, w.phase(Open), 1)
	require.Error(t, w.engine.Replace(Rules{}))
	require.NoError(t, w.engine.Replace(onlyRule(t, "{name: few, count: dst_port, by: [src], over: 2, within: 5m}")))
	w.knock(12, outside, server, 40)
	w.knock(12, inside, server, 40)
	w.knock(12, inside, server, 41)
	w.idle(13)
	require.Len(t, w.phase(Open), 1, "what the old rules had counted is gone")
	w.knock(13, inside, server, 42)
	w.end()
	require.Len(t, w.phase(Open), 2)
	closed := w.phase(Close)
	require.Equal(t, 11, closed[0].Targets)
	require.Equal(t, "few", closed[1].Rule)
}

// TestReplaceAllowList: where only the allow-list is another, counting goes on.
func TestReplaceAllowList(t *testing.T) {
	w := newWire(t, profile(t, "default"))
	w.scanPorts(0, outside, server, 20, 9)
	w.idle(10)
	require.Empty(t, w.phase(Open))
	require.NoError(t, w.engine.Replace(allowing(t, "{name: x, note: why, src: "+outside+"}")))
	w.scanPorts(10, outside, server, 40, 1)
	w.idle(12)
	require.Len(t, w.phase(Open), 1, "what was counted before still counts")
	require.Equal(t, authorized("x"), w.phase(Open)[0].Authorized)
	require.NoError(t, w.engine.Replace(profile(t, "default")))
	w.end()
	require.Equal(t, authorized("x"), w.phase(Close)[0].Authorized, "a scan goes by the list under which it opened")
}

// TestReplaceCountsWhatWasEvicted: totals do not begin anew with the counts.
func TestReplaceCountsWhatWasEvicted(t *testing.T) {
	e, err := New(Config{Groups: 64}, onlyRule(t, "{name: few, count: dst_port, by: [src, dst], over: 50, within: 5m}"))
	require.NoError(t, err)
	w := &wire{engine: e, table: flows.NewTable(flows.TableConfig{})}
	for i := range 1000 {
		w.knock(float64(i)/100, outside, nth("192.0.0.0", i), 80)
	}
	w.idle(20)
	evicted := e.Stats().GroupsEvicted
	require.NotZero(t, evicted)
	require.NoError(t, e.Replace(onlyRule(t, "{name: more, count: dst_port, by: [src], over: 60, within: 5m}")))
	require.Equal(t, evicted, e.Stats().GroupsEvicted)
	require.Zero(t, e.Stats().Groups)
}

func records(t require.TestingT, scans []Scan) string {
	b, err := json.Marshal(scans)
	require.NoError(t, err)
	return string(b)
}
