package detect

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/flows"
)

// zoo is one kind of traffic after another, each from a source of its own.
// Every function makes one attempt of its kind.
var zooOrder = []string{
	"silent", "refused", "unreachable", "half-open", "abandoned", "productive", "crafted",
	"fin", "null", "xmas", "maimon", "ack", "udp", "udp answered", "echo", "echo answered",
	"timestamp", "mask", "sctp-init", "sctp-cookie", "protocol", "arp", "ndp",
}

func zoo(w *wire, kind, from, to string, port uint16) []flows.Packet {
	c := w.dial(from, to, port)
	flagged := func(flags uint8) []flows.Packet {
		p := c.packet(flags, 0)
		p.Window = 1024
		if flags&flows.FlagSYN == 0 {
			p.Seq, p.SrcPort = 1<<31, 61000 // as nmap has it
		}
		return []flows.Packet{p}
	}
	other := func(kind flows.Kind, proto uint8) []flows.Packet {
		p := flows.Packet{Kind: kind, Proto: proto, Src: c.from, Dst: c.to, Seq: c.seq}
		if proto == 132 {
			p.SrcPort, p.DstPort = c.sport, c.port
		}
		return []flows.Packet{p}
	}
	switch kind {
	case "silent":
		return []flows.Packet{c.syn()}
	case "refused":
		return []flows.Packet{c.syn(), c.refuse()}
	case "unreachable":
		return []flows.Packet{c.syn(), unreachable(c.syn(), to, 1)}
	case "half-open":
		return []flows.Packet{c.syn(), c.synack(), c.abort()}
	case "abandoned":
		return []flows.Packet{c.syn(), c.synack(), c.ack()}
	case "productive":
		return []flows.Packet{c.syn(), c.synack(), c.ack(), c.ask(), c.reply()}
	case "crafted":
		return flagged(flows.FlagSYN)
	case "fin":
		return flagged(flows.FlagFIN)
	case "null":
		return flagged(0)
	case "xmas":
		return flagged(flows.FlagFIN | flows.FlagPSH | flows.FlagURG)
	case "maimon":
		return flagged(flows.FlagFIN | flows.FlagACK)
	case "ack":
		return flagged(flows.FlagACK)
	case "udp":
		return []flows.Packet{w.datagram(from, to, port)}
	case "udp answered":
		p := w.datagram(from, to, port)
		return []flows.Packet{p, answerTo(p)}
	case "echo":
		return []flows.Packet{w.echo(from, to)}
	case "echo answered":
		p := w.echo(from, to)
		return []flows.Packet{p, answerTo(p)}
	case "timestamp":
		return other(flows.KindTimestampRequest, 1)
	case "mask":
		return other(flows.KindMaskRequest, 1)
	case "sctp-init":
		return other(flows.KindSCTPInit, 132)
	case "sctp-cookie":
		return other(flows.KindSCTPCookieEcho, 132)
	case "protocol":
		return other(flows.KindOther, 47)
	case "arp":
		return other(flows.KindARPRequest, 0)
	default:
		return other(flows.KindNeighborSolicit, 58)
	}
}

// found plays each kind of the zoo against four hosts and tells which kinds a
// rule finds.
func found(t *testing.T, rule string) []string {
	rules := onlyRule(t, "{name: it, count: dst, by: [src], over: 2, within: 5m, "+rule+"}")
	w := newWire(t, rules)
	for i := range 4 {
		for k, kind := range zooOrder {
			w.send(float64(20*i)+float64(k)/10, zoo(w, kind, nth("203.0.113.0", k), nth(server, 10*k+i), 80)...)
		}
	}
	w.idle(80)
	w.end()
	var kinds []string
	for _, s := range w.phase(Open) {
		k := slices.IndexFunc(zooOrder, func(kind string) bool {
			return nth("203.0.113.0", slices.Index(zooOrder, kind)) == s.Src.String()
		})
		kinds = append(kinds, zooOrder[k])
	}
	slices.SortFunc(kinds, func(a, b string) int { return slices.Index(zooOrder, a) - slices.Index(zooOrder, b) })
	return kinds
}

func except(kinds ...string) []string {
	return slices.DeleteFunc(slices.Clone(zooOrder), func(k string) bool { return slices.Contains(kinds, k) })
}

// TestSelectors holds each selector against every kind of attempt there is.
func TestSelectors(t *testing.T) {
	fails := except("productive", "udp answered", "echo answered")
	tcp := []string{"silent", "refused", "unreachable", "half-open", "abandoned", "productive", "crafted"}
	flags := []string{"fin", "null", "xmas", "maimon", "ack"}
	silent := except("refused", "unreachable", "half-open", "abandoned", "productive", "udp answered", "echo answered")
	for _, c := range []struct {
		of   string
		want []string
	}{
		{"all", zooOrder},
		{"connection", append(slices.Clone(tcp), "udp", "udp answered")},
		{"unproductive", fails},
		{"[unproductive, crafted]", append([]string{"crafted"}, flags...)},
		{"half-open", []string{"half-open"}},
		{"abandoned", []string{"abandoned"}},
		{"silent", silent},
		{"unreachable", []string{"unreachable"}},
		{"refused", []string{"refused"}},
		{"productive", []string{"productive", "udp answered"}},
		{"unseen", nil},
		{"tcp-syn", tcp},
		{"[tcp-syn, unproductive]", []string{"silent", "refused", "unreachable", "half-open", "abandoned", "crafted"}},
		{"tcp-fin", []string{"fin"}},
		{"tcp-null", []string{"null"}},
		{"tcp-xmas", []string{"xmas"}},
		{"tcp-maimon", []string{"maimon"}},
		{"tcp-ack", []string{"ack"}},
		{"udp", []string{"udp", "udp answered"}},
		{"[udp, unproductive]", []string{"udp"}},
		{"[udp, productive]", []string{"udp answered"}},
		{"icmp-echo", []string{"echo", "echo answered"}},
		{"icmp-timestamp", []string{"timestamp"}},
		{"icmp-mask", []string{"mask"}},
		{"sctp-init", []string{"sctp-init"}},
		{"sctp-cookie", []string{"sctp-cookie"}},
		{"ip-protocol", []string{"protocol"}},
		{"arp", []string{"arp"}},
		{"ndp", []string{"ndp"}},
		{"external", zooOrder},
		{"[external, unproductive]", fails},
		{"inbound", nil},
	} {
		require.Equal(t, c.want, found(t, "of: "+c.of), c.of)
	}
}

// TestProto narrows a rule to protocols.
func TestProto(t *testing.T) {
	tcp := zooOrder[:slices.Index(zooOrder, "udp")]
	for proto, want := range map[string][]string{
		"tcp": tcp, "udp": {"udp", "udp answered"}, "icmp": {"echo", "echo answered", "timestamp", "mask"},
		"sctp": {"sctp-init", "sctp-cookie"}, "ip": {"protocol"}, "arp": {"arp"}, "ndp": {"ndp"},
		"[arp, ndp]": {"arp", "ndp"},
	} {
		require.Equal(t, want, found(t, "of: all, proto: "+proto), proto)
	}
}

// TestPort narrows a rule to ports of the host addressed.
func TestPort(t *testing.T) {
	for port, want := range map[string]bool{"80": true, "79-81": true, "[22, 80]": true, "81": false, "1-79": false, "81-65535": false} {
		require.Equal(t, want, slices.Contains(found(t, "of: all, port: "+port), "silent"), port)
	}
}

// TestSides: from and the directions go by home.
func TestSides(t *testing.T) {
	for _, c := range []struct{ src, dst, want string }{
		{inside, "198.51.0.0", "home outbound"},
		{inside, "10.9.0.0", "home internal"},
		{outside, "10.9.0.0", "external inbound"},
		{outside, "198.51.0.0", "external external"},
		{"2001:db8::1", "192.168.0.0", "external inbound"},
		{"fd00::1", "192.168.0.0", "home internal"},
	} {
		var got []string
		for _, key := range []string{"from: home", "from: external", "of: outbound", "of: internal", "of: inbound", "of: external"} {
			w := newWire(t, onlyRule(t, "{name: it, count: dst, by: [src], over: 2, within: 5m, "+key+"}"))
			for i := range 3 {
				w.knock(float64(i), c.src, nth(c.dst, i), 80)
			}
			w.end()
			if len(w.scans) > 0 {
				_, word, _ := strings.Cut(key, ": ")
				got = append(got, word)
				require.Equal(t, strings.Fields(c.want)[1], string(w.scans[0].Direction))
			}
		}
		require.Equal(t, strings.Fields(c.want), got, "%s to %s", c.src, c.dst)
	}
}

// TestCountsAndKeys: what is counted, and what is counted apart.
func TestCountsAndKeys(t *testing.T) {
	type hit struct {
		host int
		port uint16
		udp  bool
	}
	ports := []hit{{0, 1, false}, {0, 2, false}, {0, 3, false}}
	pooled := []hit{{0, 53, false}, {0, 53, true}, {0, 54, false}}
	hosts := []hit{{0, 1, false}, {1, 1, false}, {2, 1, false}}
	spread := []hit{{0, 1, false}, {1, 2, false}, {2, 3, false}}
	for _, c := range []struct {
		rule string
		hits []hit
		want bool
	}{
		{"count: dst_port, by: [src]", ports, true},
		{"count: dst_port, by: [src]", spread, true},
		{"count: dst_port, by: [src]", hosts, false},
		{"count: dst_port, by: [src]", pooled, false},
		{"count: dst_port, by: [src, dst]", ports, true},
		{"count: dst_port, by: [src, dst]", spread, false},
		{"count: dst, by: [src]", spread, true},
		{"count: dst, by: [src]", ports, false},
		{"count: dst, by: [src, dst_port]", hosts, true},
		{"count: dst, by: [src, dst_port]", spread, false},
		{"count: target, by: [src]", pooled, true},
		{"count: target, by: [src]", ports, true},
		{"count: target, by: [src, proto]", pooled, false},
		{"count: target, by: [src, dst_port]", hosts, true},
	} {
		w := newWire(t, onlyRule(t, "{name: it, over: 2, within: 5m, of: connection, "+c.rule+"}"))
		for i, h := range c.hits {
			if h.udp {
				w.send(float64(i), w.datagram(outside, nth(server, h.host), h.port))
				continue
			}
			w.knock(float64(i), outside, nth(server, h.host), h.port)
		}
		w.end()
		require.Equal(t, c.want, len(w.scans) > 0, "%s of %v", c.rule, c.hits)
	}
}

// TestCountsByNetwork: a rule by dst_net counts each network by itself, also where it asks
// for a share of failures and where it compares hours.
func TestCountsByNetwork(t *testing.T) {
	far := func(i int) string { return fmt.Sprintf("10.%d.0.1", i) }
	near := func(i int) string { return fmt.Sprintf("10.9.%d.1", i) }
	far6 := func(i int) string { return fmt.Sprintf("2001:d%02x::1", i) }
	near6 := func(i int) string { return fmt.Sprintf("2001:db8:%d::1", i) }
	for _, rule := range []string{"within: 5m", "within: 5m, share: 0.3", "within: 1h, window: tumbling"} {
		for name, target := range map[string]func(int) string{"far": far, "near": near, "far6": far6, "near6": near6} {
			w := newWire(t, onlyRule(t, "{name: it, count: dst, by: [src, dst_net], over: 9, "+rule+"}"))
			for i := range 20 {
				w.knock(float64(i), inside, target(i), 22)
			}
			w.end()
			require.Equal(t, strings.HasPrefix(name, "near"), len(w.scans) > 0, "%s: %s", rule, name)
		}
	}
	require.Equal(t, "10.9.0.0/16", NetworkOf(netip.MustParseAddr("::ffff:10.9.8.7")).String())
	require.Equal(t, "2001:db8::/32", NetworkOf(netip.MustParseAddr("2001:db8:1::7")).String())
	_, err := New(Config{}, Rules{Rules: []Rule{{Name: "a", Count: FieldDst, By: []Field{FieldSrc, FieldDstNet}, Over: 8, Window: Walk}}})
	require.Error(t, err)
}

// TestAnd: every further condition must hold as well.
func TestAnd(t *testing.T) {
	for hosts := 1; hosts <= 5; hosts++ {
		for _, and := range []int{1, 3} {
			w := newWire(t, onlyRule(t, fmt.Sprintf(
				"{name: it, count: dst_port, by: [src], over: 9, within: 5m, and: [{count: dst, over: %d}, {count: target, over: 2}]}", and)))
			for i := range 30 {
				w.knock(float64(i), outside, nth(server, i%hosts), uint16(i))
			}
			w.end()
			require.Equal(t, hosts > and, len(w.scans) > 0, "%d hosts, over %d", hosts, and)
		}
	}
	w := newWire(t, onlyRule(t, "{name: it, count: dst_port, by: [src], over: 9, within: 5m, and: [{count: dst, over: 1}]}"))
	w.knock(0, outside, nth(server, 1), 1)
	for i := range 30 {
		w.knock(301+float64(i), outside, server, uint16(i))
	}
	w.end()
	require.Empty(t, w.scans, "the second host was before the window")
}

// TestUnseen: where replies cannot be seen, TCP counts and the record says so;
// UDP counts only if each probe asks the same, or from the same port.
func TestUnseen(t *testing.T) {
	same := func(p flows.Packet) flows.Packet { p.Question = 5; return p }
	for _, c := range []struct {
		name string
		send func(w *wire, i int) flows.Packet
		want bool
	}{
		{"TCP", func(w *wire, i int) flows.Packet { return w.dial(outside, nth(server, i), 443).syn() }, true},
		{"UDP", func(w *wire, i int) flows.Packet { return w.datagram(outside, nth(server, i), 443) }, false},
		{"UDP, same question", func(w *wire, i int) flows.Packet { return same(w.datagram(outside, nth(server, i), 161)) }, true},
	} {
		w := newWire(t, profile(t, "default"))
		for i := range 30 {
			p := w.dial(inside, nth("192.0.2.0", i), 80) // the answer is missing, not its acknowledgment
			w.send(float64(i)/10, p.syn(), p.ack(), p.ask())
		}
		for i := range 20 {
			w.send(10+float64(i), c.send(w, i))
		}
		w.end()
		require.Equal(t, c.want, len(w.scans) > 0, c.name)
		if c.want {
			s := w.phase(Close)[0]
			require.Equal(t, outside, s.Src.String())
			require.Equal(t, Unknown, s.Verdict)
			require.Equal(t, s.Targets, s.Outcomes.Unseen)
		}
	}
}
