package detect

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/flows"
)

// came is one target and what came back from it.
type came struct {
	technique flows.Technique
	host      string
	outcome   flows.Outcome
	code      uint8
}

func TestVerdicts(t *testing.T) {
	const v4, v6 = "198.51.100.1", "2001:db8::1"
	syn := func(o flows.Outcome) came { return came{flows.TCPSYN, v4, o, 0} }
	udp := func(o flows.Outcome) came { return came{flows.UDP, v4, o, 0} }
	icmp := func(host string, code uint8) came { return came{flows.TCPSYN, host, flows.Unreachable, code} }
	udpICMP := func(host string, code uint8) came { return came{flows.UDP, host, flows.Unreachable, code} }
	for _, c := range []struct {
		name string
		from []came
		want Verdict
	}{
		{"nothing came back", []came{syn(flows.Silent), syn(flows.Silent)}, Unanswered},
		{"a traceroute's", []came{syn(flows.Expired)}, Unanswered},
		{"one RST", []came{syn(flows.Silent), syn(flows.Refused)}, Refused},
		{"one answer among refusals", []came{syn(flows.Refused), syn(flows.Answered), syn(flows.Silent)}, Answered},
		{"a conversation", []came{syn(flows.Silent), syn(flows.Productive)}, Answered},
		{"an answer where most cannot be seen", []came{syn(flows.Unseen), syn(flows.Unseen), syn(flows.Unseen), syn(flows.Answered)}, Answered},
		{"most cannot be seen", []came{syn(flows.Unseen), syn(flows.Unseen), syn(flows.Refused)}, Unknown},
		{"half cannot be seen", []came{syn(flows.Unseen), syn(flows.Refused)}, Refused},
		{"IPv4 network prohibited", []came{icmp(v4, 9), syn(flows.Silent)}, Prohibited},
		{"IPv4 host prohibited", []came{icmp(v4, 10)}, Prohibited},
		{"IPv4 communication prohibited", []came{icmp(v4, 13), icmp(v4, 13)}, Prohibited},
		{"IPv4 network unreachable", []came{icmp(v4, 0)}, Unanswered},
		{"IPv4 host unreachable", []came{icmp(v4, 1)}, Unanswered},
		{"IPv4 protocol unreachable", []came{icmp(v4, 2)}, Refused},
		{"IPv4 source route failed", []came{icmp(v4, 5)}, Unanswered},
		{"IPv4 port unreachable", []came{icmp(v4, 3)}, Refused},
		{"prohibited beside a refusal", []came{icmp(v4, 13), syn(flows.Refused)}, Refused},
		{"IPv6 prohibited", []came{icmp(v6, 1)}, Prohibited},
		{"IPv6 policy", []came{icmp(v6, 5)}, Prohibited},
		{"IPv6 reject route", []came{icmp(v6, 6)}, Prohibited},
		{"IPv6 no route", []came{icmp(v6, 0)}, Unanswered},
		{"IPv6 address unreachable", []came{icmp(v6, 3)}, Unanswered},
		{"IPv6 port unreachable", []came{icmp(v6, 4)}, Refused},
		{"IPv6 with IPv4's code", []came{icmp(v6, 13)}, Unanswered},
		{"UDP silence alone", []came{udp(flows.Silent), udp(flows.Silent)}, Unanswered},
		{"UDP silence beside a closed port", []came{udp(flows.Silent), udpICMP(v4, 3)}, Ambiguous},
		{"the same over IPv6", []came{{flows.UDP, v6, flows.Silent, 0}, udpICMP(v6, 4)}, Ambiguous},
		{"UDP, all closed", []came{udpICMP(v4, 3), udpICMP(v4, 3)}, Refused},
		{"UDP silence beside a prohibition", []came{udp(flows.Silent), udpICMP(v4, 13)}, Prohibited},
		{"UDP silence beside a TCP refusal", []came{udp(flows.Silent), syn(flows.Refused)}, Refused},
		{"UDP answered", []came{udp(flows.Silent), udpICMP(v4, 3), udp(flows.Productive)}, Answered},
		{"FIN", []came{{flows.TCPFIN, v4, flows.Silent, 0}, {flows.TCPFIN, v4, flows.Refused, 0}}, Ambiguous},
		{"NULL", []came{{flows.TCPNull, v4, flows.Silent, 0}, {flows.TCPNull, v4, flows.Refused, 0}}, Ambiguous},
		{"Xmas", []came{{flows.TCPXmas, v4, flows.Silent, 0}, {flows.TCPXmas, v4, flows.Refused, 0}}, Ambiguous},
		{"Maimon", []came{{flows.TCPMaimon, v4, flows.Silent, 0}, {flows.TCPMaimon, v4, flows.Refused, 0}}, Ambiguous},
		{"ACK: silence is a filter", []came{{flows.TCPACK, v4, flows.Silent, 0}, {flows.TCPACK, v4, flows.Refused, 0}}, Refused},
	} {
		var sum tally
		for _, x := range c.from {
			k, st := target{host: address(x.host)}, targetState{outcome: x.outcome, code: x.code}
			sum.count(x.technique, &k, &st, +1)
			more := sum
			more.count(x.technique, &k, &st, +1)
			more.count(x.technique, &k, &st, -1)
			require.Equal(t, sum, more, "%s: taking away undoes adding", c.name)
		}
		require.Equal(t, c.want, sum.verdict(), c.name)
	}
}

func TestSeverities(t *testing.T) {
	for v, want := range map[Verdict]int{Unanswered: 1, Prohibited: 1, Refused: 2, Ambiguous: 2, Unknown: 2, Answered: 3} {
		for d, more := range map[Direction]int{Inbound: 0, External: 0, Outbound: 1, Internal: 1} {
			require.Equal(t, want+more, severity(v, d), "%s %s", d, v)
		}
	}
}

func TestAttack(t *testing.T) {
	for _, c := range []struct {
		direction Direction
		proto     string
		shape     Shape
		want      string
	}{
		{Internal, "arp", Horizontal, "T1018"},
		{Internal, "ndp", Horizontal, "T1018"},
		{Outbound, "icmp", Horizontal, "T1018"},
		{Internal, "tcp", Vertical, "T1046"},
		{Outbound, "udp", Horizontal, "T1046"},
		{Internal, "sctp", Block, "T1046"},
		{Inbound, "tcp", Vertical, "T1595"},
		{Inbound, "ip", Protocol, "T1595"},
		{Inbound, "tcp", Horizontal, "T1595.001"},
		{Inbound, "udp", Block, "T1595.001"},
		{Inbound, "icmp", Horizontal, "T1595.001"},
		{External, "tcp", Vertical, "T1595"},
	} {
		require.Equal(t, []string{c.want}, attack(&Scan{Direction: c.direction, Proto: c.proto, Shape: c.shape}), "%+v", c)
	}
}

// TestVerdictFromPackets lets each kind of host speak for itself.
func TestVerdictFromPackets(t *testing.T) {
	hear := func(code uint8) func(*wire, float64, uint16) {
		return func(w *wire, now float64, port uint16) {
			c := w.dial(outside, inside, port)
			w.send(now, c.syn(), unreachable(c.syn(), "10.0.0.1", code))
		}
	}
	for _, c := range []struct {
		name     string
		probe    func(w *wire, now float64, port uint16)
		want     Verdict
		severity int
		outcomes Outcomes
	}{
		{"dark", func(w *wire, now float64, port uint16) { w.knock(now, outside, inside, port) }, Unanswered, 1, Outcomes{Silent: 12}},
		{"closed", func(w *wire, now float64, port uint16) { w.refused(now, outside, inside, port) }, Refused, 2, Outcomes{Refused: 12}},
		{"rejecting", hear(13), Prohibited, 1, Outcomes{Unreachable: 12}},
		{"no such host", hear(1), Unanswered, 1, Outcomes{Unreachable: 12}},
		{"UDP, some closed", func(w *wire, now float64, port uint16) {
			p := w.datagram(outside, inside, port)
			w.send(now, p)
			if port%2 == 0 {
				w.send(now, unreachable(p, inside, 3))
			}
		}, Ambiguous, 2, Outcomes{Silent: 6, Unreachable: 6}},
		{"open", func(w *wire, now float64, port uint16) {
			c := w.dial(outside, inside, port)
			w.send(now, c.syn(), c.synack(), c.abort())
		}, Answered, 3, Outcomes{Answered: 12}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWire(t, profile(t, "default"))
			for i := range 12 {
				c.probe(w, float64(i), uint16(100+i))
			}
			s := w.closed(t)
			require.Equal(t, c.want, s.Verdict)
			require.Equal(t, c.severity, s.Severity)
			require.Equal(t, c.outcomes, s.Outcomes)
			require.Equal(t, Inbound, s.Direction)
		})
	}
}

// TestAnswered lists the services that were found, UDP's too, which never
// count, and nothing of what the source does elsewhere.
func TestAnswered(t *testing.T) {
	w := newWire(t, profile(t, "default"))
	for i := range 12 {
		w.send(float64(i), w.datagram(outside, server, uint16(100+i)))
	}
	for i, port := range []uint16{161, 53, 53} {
		p := w.datagram(outside, server, port)
		w.send(float64(7*i), p, answerTo(p))
	}
	p := w.datagram(outside, "192.0.2.9", 123)
	w.send(20, p, answerTo(p))
	w.busy(21, outside, "192.0.2.9", 80)
	s := w.closed(t)
	host := netip.MustParseAddr(server)
	require.Equal(t, []Endpoint{{host, 53, "udp"}, {host, 161, "udp"}}, s.Answered)
	require.Zero(t, s.AnsweredTotal)
	require.Equal(t, Answered, s.Verdict)
	require.Equal(t, Outcomes{Silent: 12, Productive: 2}, s.Outcomes)
}

func TestAnsweredIsCut(t *testing.T) {
	for _, n := range []int{256, 257, 600} {
		w := newWire(t, profile(t, "default"))
		for i := range n {
			c := w.dial(outside, nth(server, n-i), 22)
			w.send(float64(i)/10, c.syn(), c.synack(), c.abort())
		}
		s := w.closed(t)
		require.Len(t, s.Answered, 256)
		require.Equal(t, n > 256, s.AnsweredTotal == n)
		require.True(t, slices.IsSortedFunc(s.Answered, func(a, b Endpoint) int { return a.Host.Compare(b.Host) }))
		require.Equal(t, n, s.Outcomes.Answered)
	}
}

// TestAnswersAll: a host that answers at nine of ten of thirty ports or more is
// named apart, and not listed port by port; one that is scanned beside it is.
func TestAnswersAll(t *testing.T) {
	for _, tt := range []struct {
		ports, answers int
		all            bool
	}{{40, 40, true}, {40, 36, true}, {40, 35, false}, {30, 30, true}, {29, 29, false}} {
		w := newWire(t, profile(t, "default"))
		for i := range tt.ports {
			c := w.dial(outside, server, uint16(100+i))
			if i < tt.answers {
				w.send(float64(i), c.syn(), c.synack(), c.abort())
			} else {
				w.send(float64(i), c.syn(), c.refuse())
			}
			d := w.dial(outside, nth(server, 9), uint16(100+i))
			if i < 3 {
				w.send(float64(i), d.syn(), d.synack(), d.abort())
			} else {
				w.send(float64(i), d.syn(), d.refuse())
			}
		}
		s := w.closed(t)
		other := 3
		if tt.all {
			require.Equal(t, []netip.Addr{netip.MustParseAddr(server)}, s.AnswersAll, tt)
			require.Len(t, s.Answered, other, tt)
		} else {
			require.Empty(t, s.AnswersAll, tt)
			require.Len(t, s.Answered, other+tt.answers, tt)
		}
		require.Equal(t, tt.answers+other, s.Outcomes.Answered, tt)
	}
}
