package detect

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/synoptic-ids/synoptic/flows"
)

// TestShare: a source that tries much and mostly succeeds is a proxy or a mail
// server, up to the share that the rule names.
func TestShare(t *testing.T) {
	for _, c := range []struct {
		failing, fine int
		want          bool
	}{
		{9, 0, false},
		{10, 0, true},
		{10, 23, true},
		{10, 24, false},
		{12, 100, false},
		{30, 70, true},
		{30, 71, false},
		{99, 1000, false},
		{100, 1000, true}, // ten times the threshold
	} {
		w := newWire(t, profile(t, "default"))
		for i := range c.fine {
			w.busy(float64(i)/10, inside, nth("192.0.0.0", i), 443)
		}
		for i := range c.failing {
			w.knock(101+float64(i), inside, nth(server, i), 443)
		}
		w.end()
		require.Equal(t, c.want, len(w.scans) > 0, "%d of %d fail", c.failing, c.failing+c.fine)
		if !c.want {
			require.Equal(t, c.failing > 9, w.engine.Stats().Guarded > 0, "%d of %d fail", c.failing, c.failing+c.fine)
		}
	}
}

// TestShareIsOfTheKey: success elsewhere, by another protocol or before the
// window, excuses nothing.
func TestShareIsOfTheKey(t *testing.T) {
	for name, fine := range map[string]func(w *wire, i int){
		"another port": func(w *wire, i int) { w.busy(float64(i)/10, outside, nth("192.0.0.0", i), 80) },
		"another protocol": func(w *wire, i int) {
			p := w.datagram(outside, nth("192.0.0.0", i), 443)
			w.send(float64(i)/10, p, answerTo(p))
		},
		"another source":        func(w *wire, i int) { w.busy(float64(i)/10, inside, nth("192.0.0.0", i), 443) },
		"before the window":     func(w *wire, i int) { w.busy(float64(i)/10-400, outside, nth("192.0.0.0", i), 443) },
		"the same hosts, again": func(w *wire, i int) { w.busy(float64(i)/10, outside, nth("192.0.0.0", i%3), 443) },
	} {
		w := newWire(t, profile(t, "default"))
		for i := range 100 {
			fine(w, i)
		}
		for i := range 10 {
			w.knock(11+float64(i), outside, nth(server, i), 443)
		}
		w.end()
		require.Len(t, w.phase(Close), 1, name)
	}
}

// TestSlowSuccessIsSuccess: a host that answers after half a second has counted
// as failed until then, and no longer.
func TestSlowSuccessIsSuccess(t *testing.T) {
	for _, slow := range []int{23, 24} {
		w := newWire(t, profile(t, "default"))
		for i := range slow {
			c := w.dial(inside, nth("192.0.0.0", i), 443)
			w.send(float64(2*i), c.syn())
			w.send(float64(2*i)+1, c.synack(), c.ack(), c.ask(), c.reply())
		}
		for i := range 10 {
			w.knock(60+float64(i), inside, nth(server, i), 443)
		}
		w.end()
		require.Equal(t, slow == 23, len(w.scans) > 0)
	}
}

// TestShareOfPorts: the share is asked of the ports of a host too.
func TestShareOfPorts(t *testing.T) {
	for _, fine := range []int{23, 24} {
		w := newWire(t, profile(t, "default"))
		for i := range fine {
			w.busy(float64(i), outside, server, uint16(1000+i))
		}
		for i := range 10 {
			w.knock(50+float64(i), outside, server, uint16(2000+i))
		}
		w.end()
		require.Equal(t, fine == 23, len(w.scans) > 0)
	}
}

// TestCraftedHasNoExcuse: tools that mostly succeed are scanners all the same.
func TestCraftedHasNoExcuse(t *testing.T) {
	w := newWire(t, profile(t, "default"))
	for i := range 100 {
		w.busy(float64(i)/10, outside, nth(server, i), 22)
	}
	for i := range 5 {
		p := w.dial(outside, nth(server, i), 22).syn() // hosts it has spoken with
		p.Window = 1024
		w.send(20+11*float64(i), p)
	}
	require.Equal(t, "crafted-hosts-on-a-port", w.closed(t).Rule)
}

// TestMostlyCraftedNeedsNoShare: where most of what failed is crafted, the plain
// rule asks for no share either.
func TestMostlyCraftedNeedsNoShare(t *testing.T) {
	for tools := range 11 {
		w := newWire(t, onlyRule(t, "{name: it, count: dst, by: [src, dst_port], over: 9, within: 5m, share: 0.3}"))
		for i := range 100 {
			w.busy(float64(i)/10, outside, nth("192.0.0.0", i), 22)
		}
		for i := range 10 {
			p := w.dial(outside, nth(server, i), 22).syn()
			if i < tools {
				p.Window = 1024
			}
			w.send(20+float64(i), p)
		}
		w.end()
		require.Equal(t, tools >= 5, len(w.scans) > 0, "%d of 10", tools)
	}
}

// TestFallback: a browser that tries QUIC where only TCP answers has swept
// nobody; without the conversations it has.
func TestFallback(t *testing.T) {
	for _, talks := range []bool{true, false} {
		w := newWire(t, profile(t, "default"))
		for i := range 30 {
			w.send(float64(i), w.datagram(inside, nth(server, i), 443))
			if talks {
				w.busy(float64(i)+0.1, inside, nth(server, i), 443)
			}
		}
		w.end()
		require.Equal(t, !talks, len(w.scans) > 0)
	}
}

// TestHostGuardSparesNoOthers: hosts that were spoken with are not swept, and
// ten others are.
func TestHostGuardSparesNoOthers(t *testing.T) {
	for _, others := range []int{9, 10} {
		w := newWire(t, profile(t, "default"))
		for i := range 5 {
			w.busy(float64(i), inside, nth(server, i), 80)
		}
		for i := range 5 + others {
			w.knock(10+float64(i), inside, nth(server, i), 445)
		}
		w.end()
		require.Equal(t, others == 10, len(w.scans) > 0, "%d others", others)
	}
}

// TestPassiveFTP: data connections on which only the server speaks are unused
// from the initiator's side. Beside a conversation with the same host they are
// no scan of its ports; beside none they are.
func TestPassiveFTP(t *testing.T) {
	for _, control := range []bool{true, false} {
		w := newWire(t, profile(t, "default"))
		for i := range 60 {
			if control && i%20 == 0 {
				w.busy(float64(5*i), outside, server, 21)
			}
			c := w.dial(outside, server, uint16(50000+i))
			w.send(float64(5*i)+1, c.syn(), c.synack(), c.ack(), c.reply(), c.ack())
		}
		w.end()
		require.Equal(t, !control, len(w.scans) > 0)
	}
}

// TestConversationHidesNoFailures: speaking with a host excuses unused
// connections to it, never ports that were silent or refused.
func TestConversationHidesNoFailures(t *testing.T) {
	for name, probe := range map[string]func(w *wire, now float64, port uint16){
		"silent":  func(w *wire, now float64, port uint16) { w.knock(now, outside, server, port) },
		"refused": func(w *wire, now float64, port uint16) { w.refused(now, outside, server, port) },
		"half-open": func(w *wire, now float64, port uint16) {
			c := w.dial(outside, server, port)
			w.send(now, c.syn(), c.synack(), c.abort())
		},
	} {
		w := newWire(t, profile(t, "default"))
		w.busy(0, outside, server, 21)
		for i := range 10 {
			probe(w, 1+float64(i), uint16(100+i))
		}
		w.end()
		require.Len(t, w.phase(Close), 1, name)
	}
}

// TestGuardsAreForUnproductive: rules that count whatever was tried ask no guard.
func TestGuardsAreForUnproductive(t *testing.T) {
	w := newWire(t, onlyRule(t, "{name: it, count: dst, by: [src], of: connection, over: 9, within: 5m}"))
	for i := range 10 {
		w.busy(float64(i), inside, nth(server, i), 443)
	}
	w.end()
	require.Len(t, w.phase(Open), 1)
	require.Zero(t, w.engine.Stats().Guarded)
}

// TestGuardedFiresLater: a rule that was held back accuses once the share is
// reached.
func TestGuardedFiresLater(t *testing.T) {
	w := newWire(t, profile(t, "default"))
	for i := range 40 {
		w.busy(float64(i)/10, inside, nth("192.0.0.0", i), 443)
	}
	for i := range 17 {
		w.knock(10+float64(i), inside, nth(server, i), 443)
	}
	w.idle(27)
	require.Empty(t, w.scans)
	require.EqualValues(t, 8, w.engine.Stats().Guarded)
	w.knock(28, inside, nth(server, 17), 443) // 18 of 58
	w.idle(29)
	require.Len(t, w.scans, 1)
	require.Equal(t, 18, w.scans[0].Evidence.Value)
	require.Equal(t, 18, w.scans[0].DetectedAfter.Targets)
}

// TestVictimsAreNeverNamed sends random replies, resets, backscatter and ICMP
// errors, and a few scanners among them: only those may be named.
func TestVictimsAreNeverNamed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWire(t, profile(t, "default"))
		scanner := rapid.Bool().Draw(t, "scanner")
		kinds := rapid.SliceOfN(rapid.IntRange(0, 8), 300, 300).Draw(t, "kinds")
		salt := rapid.IntRange(0, 1000).Draw(t, "salt")
		for i, kind := range kinds {
			now := float64(i) / 10
			// A victim answers addresses that never asked: those of spoofed packets.
			c := w.dial(nth("203.0.113.0", i*salt%4000), nth(server, i%3), uint16(1+i*7%50))
			udp := w.datagram(nth("203.0.113.0", i), nth(server, i%3), 53)
			p := []flows.Packet{
				c.synack(), c.refuse(), c.back(flows.FlagRST, 0), c.reply(), answerTo(w.echo(outside, nth(server, i))),
				unreachable(c.syn(), nth(server, i%3), 3), unreachable(udp, nth(server, i%3), 13), answerTo(udp),
				answerTo(flows.Packet{Kind: flows.KindARPRequest, Src: address(inside), Dst: address(nth(inside, i))}),
			}[kind]
			if kind == 7 {
				p.Marks = flows.MarkReplyLike
			}
			w.send(now, p)
			if scanner {
				s := w.dial(outside, nth(server, i%3), uint16(i))
				w.send(now, s.syn(), s.refuse())
			}
		}
		w.end()
		require.Equal(t, scanner, len(w.scans) > 0)
		for _, s := range w.scans {
			require.Equal(t, outside, s.Src.String())
		}
	})
}

// TestKnownServiceGuard: our own servers that served others and have died make no
// scanner of the client that goes on trying; what never served, or is not ours,
// does, and so do crafted probes.
func TestKnownServiceGuard(t *testing.T) {
	for _, tt := range []struct {
		name    string
		network string
		served  bool
		crafted bool
		named   bool
	}{
		{"servers of ours that died", "10.20.0.0", true, false, false},
		{"hosts that never served", "10.20.0.0", false, false, true},
		{"servers elsewhere", "198.51.0.0", true, false, true},
		{"crafted probes", "10.20.0.0", true, true, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWire(t, profile(t, "default"))
			for i := range 12 {
				if tt.served {
					w.busy(float64(i), "10.9.9.9", nth(tt.network, i), 8080)
				}
			}
			for i := range 12 {
				c := w.dial(inside, nth(tt.network, i), 8080)
				syn := c.syn()
				if tt.crafted {
					syn.Marks |= flows.MarkNoOptions
				}
				w.send(86400+float64(i), syn)
			}
			w.end()
			require.Equal(t, tt.named, len(w.phase(Open)) > 0)
		})
	}
}

// TestKnownServiceAnswers: of a scan's targets those that serve others are told
// as well, though they are no evidence.
func TestKnownServiceAnswers(t *testing.T) {
	w := newWire(t, profile(t, "default"))
	const host = "10.20.0.1"
	w.busy(0, "10.9.9.9", host, 80)
	for i := range 12 {
		w.refused(100+float64(i), outside, host, uint16(100+i))
	}
	c := w.dial(outside, host, 80)
	w.send(113, c.syn(), c.synack(), c.ack())
	w.idle(120)
	s := w.closed(t)
	require.Equal(t, 13, s.Targets)
	require.Equal(t, 1, s.Outcomes.Answered)
}

// TestFactsAreBounded: what was longest ago is forgotten, and what is too long ago
// does not count.
func TestFactsAreBounded(t *testing.T) {
	f := newFacts(1<<15, hashKeys{})
	s, other := &source{hash: 1}, &source{hash: 1 << 40}
	probeOf := func(i int) *probe {
		host := address(nth("10.0.0.0", i%65536))
		h := new(hashKeys).addr(&host, 0)
		return &probe{host: h, service: serviceOf(h, uint16(i/65536), flows.ClassTCP)}
	}
	for i := range 200_000 {
		f.learn(s, probeOf(i), int64(i+1)*second)
	}
	recent := probeOf(199_999)
	require.True(t, f.spoke(s.hash, recent.host, 200_001*second))
	require.False(t, f.spoke(s.hash, recent.host, (200_001+factsLife)*second))
	require.Zero(t, f.served(s, recent, 200_001*second), "for others")
	require.Equal(t, 1, f.served(other, recent, 200_001*second))
	require.True(t, f.usedBefore(s, recent, 200_001*second))
}

// TestUnusedConnections: a browser that connects ahead of need, or a health check or
// monitor of ours, is no scanner: it finds open what it asks for. A connect scan finds
// doors shut, or everything open. So does one that resets connections before they are
// complete, as load balancers of ours do; where it writes packets as tools do, it is one.
func TestUnusedConnections(t *testing.T) {
	for _, tt := range []struct {
		name  string
		from  string
		used  bool // the port is used elsewhere
		ports bool // of one host
		open  int
		other int // failures of another kind
		named bool
	}{
		{"ours, the port is used elsewhere", inside, true, false, 12, 0, false},
		{"ours, the port is used nowhere", inside, false, false, 12, 0, false},
		{"ours, ports of one host", inside, false, true, 12, 0, false},
		{"ours, a few others are down", inside, true, false, 12, 4, false},
		{"ours, a third of them is shut", inside, true, false, 12, 6, true},
		{"ours, a third of the ports is shut", inside, false, true, 12, 6, true},
		{"ours, a host that answers everything", inside, false, true, 30, 0, true},
		{"ours, a network that answers everywhere", inside, false, false, 100, 0, true},
		{"not ours, the port is used elsewhere", outside, true, false, 12, 0, false},
		{"not ours, the port is used nowhere", outside, false, false, 12, 0, true},
		{"not ours, ports of one host", outside, false, true, 12, 0, true},
	} {
		for _, ending := range []string{"unused", "broken off", "broken off by a tool"} {
			t.Run(tt.name+", "+ending, func(t *testing.T) {
				rules, err := Profile("default") // with its walks
				require.NoError(t, err)
				w := newWire(t, rules)
				target := func(i int) (string, uint16) {
					if tt.ports {
						return server, uint16(443 + i)
					}
					return nth(server, i), 443
				}
				if tt.used {
					w.busy(0, tt.from, nth(server, 200), 443)
				}
				for i := range tt.open {
					host, port := target(i)
					c := w.dial(tt.from, host, port)
					syn, last := c.syn(), c.ack()
					switch ending {
					case "broken off by a tool":
						syn.Window = 1024
						fallthrough
					case "broken off":
						last = c.abort()
					}
					w.send(float64(i), syn, c.synack(), last)
				}
				for i := range tt.other {
					host, port := target(100 + i)
					w.refused(105+float64(i), tt.from, host, port)
				}
				w.idle(120)
				w.end()
				named := tt.named || ending != "unused" && tt.from == outside || ending == "broken off by a tool"
				require.Equal(t, named, len(w.phase(Open)) > 0)
			})
		}
	}
}

// TestPathChecks: the STUN messages by which a call looks for a path are no
// evidence, those to the ports of STUN servers are.
func TestPathChecks(t *testing.T) {
	for _, port := range []uint16{50000, 3478} {
		w := newWire(t, profile(t, "default"))
		for i := range 20 {
			p := w.datagram(inside, nth(server, i), port)
			p.Marks |= flows.MarkSTUN
			w.send(float64(i), p)
		}
		w.end()
		require.Equal(t, port == 3478, len(w.phase(Open)) > 0, port)
	}
}

// TestExcuses: what is no search is no evidence, however many fail at once, and what
// is one is.
func TestExcuses(t *testing.T) {
	for _, tt := range excuseCases() {
		t.Run(tt.name, func(t *testing.T) {
			w := newWire(t, profile(t, "default"))
			tt.play(w)
			w.end()
			require.Equal(t, tt.named, len(w.phase(Open)) > 0)
			if tt.name == "a scan, repeated the next day" {
				require.Len(t, w.phase(Open), 2)
			}
		})
	}
}

type excuseCase struct {
	name  string
	play  func(w *wire)
	named bool
}

func excuseCases() []excuseCase {
	const day = 86400
	fail := func(w *wire, from string, n int) {
		for i := range n {
			w.knock(day+float64(i), from, nth(server, i), 5985)
		}
	}
	return []excuseCase{
		{"what was used before is off", func(w *wire) {
			for i := range 12 {
				w.busy(float64(i*60), inside, nth(server, i), 5985)
			}
			fail(w, inside, 12)
		}, false},
		{"what two others use is out of reach", func(w *wire) {
			for i := range 12 {
				w.busy(float64(i), nth("10.9.0.0", 1), nth(server, i), 5985)
				w.busy(float64(i), nth("10.9.0.0", 2), nth(server, i), 5985)
			}
			fail(w, inside, 12)
		}, false},
		{"what one other uses elsewhere", func(w *wire) {
			for i := range 12 {
				w.busy(float64(i), nth("10.9.0.0", 1), nth(server, i), 5985)
			}
			fail(w, inside, 12)
		}, true},
		{"a queue's dead hosts, tried again", func(w *wire) {
			for i := range 12 { // they were met one by one, among others
				w.knock(float64(i*1000), inside, nth(server, i), 5985)
				w.busy(float64(i*1000+10), inside, nth(server, 100+i), 5985)
			}
			fail(w, inside, 12)
		}, false},
		{"a scan, repeated the next day", func(w *wire) {
			fail(w, inside, 12)
			for i := range 12 {
				w.knock(2*day+float64(i), inside, nth(server, i), 5985)
			}
		}, true},
		{"a monitor's rack is out of reach", func(w *wire) {
			for i := range 12 {
				ask := w.echo(inside, nth(server, i))
				w.send(float64(i*60), ask, answerTo(ask))
			}
			for i := range 12 {
				w.send(day+float64(i), w.echo(inside, nth(server, i)))
			}
		}, false},
		{"hosts pinged that are down, met one by one", func(w *wire) {
			for i := range 12 {
				w.send(float64(i*1000), w.echo(inside, nth(server, i)))
			}
			for i := range 12 {
				w.send(day+float64(i), w.echo(inside, nth(server, i)))
			}
		}, false},
		{"other hosts pinged", func(w *wire) {
			for i := range 12 {
				ask := w.echo(inside, nth(server, i))
				w.send(float64(i*1000), ask, answerTo(ask), w.echo(inside, nth(server, 50+i)))
			}
			for i := range 12 {
				w.send(day+float64(i), w.echo(inside, nth(server, 100+i)))
			}
		}, true},
		{"a client that opens and drops", func(w *wire) {
			for i := range 12 {
				c := w.dial(inside, nth(server, i), 443)
				w.send(float64(i), c.syn(), c.synack(), c.abort())
				for j := range 3 {
					w.busy(float64(i), inside, nth(server, 100+10*i+j), 443)
				}
			}
		}, false},
	}
}

// TestActiveFTP: a server's data connections that its clients' firewalls drop are no
// scan of the client, those of a bounced scan are.
func TestActiveFTP(t *testing.T) {
	for _, low := range []bool{false, true} {
		w := newWire(t, profile(t, "default"))
		w.busy(0, inside, server, 21)
		for i := range 20 {
			port := uint16(50000 + i)
			if low {
				port = uint16(20 + i)
			}
			c := w.dial(server, inside, port)
			c.sport = 20
			w.send(10+float64(i), c.syn())
		}
		w.end()
		require.Equal(t, low, len(w.phase(Open)) > 0)
	}
}
