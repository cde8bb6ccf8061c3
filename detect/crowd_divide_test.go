package detect

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/flows"
)

// atHome is the default profile, with the hosts of the tests at home.
func atHome(t require.TestingT) Rules {
	rules, err := Profile("default")
	require.NoError(t, err)
	rules.Home = append(rules.Home, netip.MustParsePrefix("198.51.0.0/16"))
	return rules
}

// deal gives every one of n sources its share of the numbers below most, in an order of its own, and
// calls do for each, at a time.
func deal(seed uint64, sources, most int, pace float64, do func(seconds float64, src string, n int)) {
	r := rand.New(rand.NewPCG(seed, 9))
	for i, n := range r.Perm(most) {
		do(float64(i)*pace, nth("203.0.113.0", i%sources+1), n)
	}
}

// TestDistributed: many sources of which none tries enough are one scan, found while it goes on.
func TestDistributed(t *testing.T) {
	for _, c := range []struct {
		name          string
		sources, most int
		hosts         bool
		pace          float64
	}{
		{"60 sources, 4 ports each", 60, 240, false, 0.1},
		{"60 sources, 4 ports each, slowly", 60, 240, false, 2},
		{"200 sources, 2 hosts each", 200, 400, true, 0.1},
		{"25 sources, 8 hosts each", 25, 200, true, 0.5},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWire(t, atHome(t))
			deal(1, c.sources, c.most, c.pace, func(now float64, src string, n int) {
				if c.hosts {
					w.knock(now, src, nth(server, n), 5900)
				} else {
					w.refused(now, src, server, uint16(n+1))
				}
			})
			w.idle(float64(c.most)*c.pace + 60)
			require.Len(t, w.phase(Open), 1)
			s := w.closed(t)
			require.Equal(t, Distributed, s.Shape)
			require.Equal(t, "distributed", s.Rule)
			require.False(t, s.Src.IsValid())
			require.Equal(t, c.sources, s.Sources)
			require.Len(t, s.Srcs, c.sources)
			require.Nil(t, s.Likely)
			require.Equal(t, c.most, s.Targets)
			require.Equal(t, uint64(c.most), s.Attempts)
			require.Equal(t, Inbound, s.Direction)
			if c.hosts {
				require.Equal(t, 1, s.Ports)
				require.Equal(t, c.most, s.Hosts)
				require.Equal(t, []string{"T1595.001"}, s.Attack)
			} else {
				require.Equal(t, server, s.Dst.String())
				require.Equal(t, c.most, s.Ports)
				require.Equal(t, []string{"T1595"}, s.Attack)
			}
			require.Less(t, s.DetectedAfter.Targets, c.most)
			require.NotNil(t, s.Evidence.Division)
			require.Zero(t, s.Evidence.Division.Shared)
			require.GreaterOrEqual(t, s.Evidence.Division.Sources, 10)
		})
	}
}

// TestDistributedByEcho: hosts by ping, which have no ports.
func TestDistributedByEcho(t *testing.T) {
	w := newWire(t, atHome(t))
	deal(2, 50, 250, 0.2, func(now float64, src string, n int) { w.send(now, w.echo(src, nth(server, n))) })
	w.idle(90)
	s := w.closed(t)
	require.Equal(t, Distributed, s.Shape)
	require.Equal(t, 50, s.Sources)
	require.Equal(t, 250, s.Hosts)
	require.Equal(t, "icmp-echo", s.Technique)
}

// TestDistributedAndAlone: a member that also scans another host alone is named for that by itself; a
// member's own scan of the same targets is absorbed.
func TestDistributedAndAlone(t *testing.T) {
	w := newWire(t, atHome(t))
	other, loner, large := nth(server, 99), nth("203.0.113.0", 3), nth("203.0.113.0", 70)
	deal(3, 60, 240, 0.1, func(now float64, src string, n int) {
		w.refused(now, src, server, uint16(n+1))
		if n%6 == 0 {
			w.refused(now, loner, other, uint16(n+1))
		}
		if now < 3 { // a scan of its own, before the crowd is known
			w.refused(now, large, server, uint16(1000+int(now*10)%20))
		}
	})
	w.end()
	closed := w.phase(Close)
	require.Len(t, closed, 3)
	slices.SortFunc(closed, func(a, b Scan) int { return a.Targets - b.Targets })
	require.Equal(t, large, closed[0].Src.String())
	require.Equal(t, loner, closed[1].Src.String())
	// What it did of the crowd's before that was known stays with its scan.
	require.LessOrEqual(t, 40, closed[1].Targets)
	require.LessOrEqual(t, closed[1].Targets, 44)
	require.Equal(t, Distributed, closed[2].Shape)
	crowd := closed[2]
	if closed[0].MergedInto != "" {
		require.Equal(t, crowd.ID, closed[0].MergedInto)
		require.Equal(t, 61, crowd.Sources)
		require.Equal(t, 260, crowd.Targets)
	} else {
		require.Equal(t, 60, crowd.Sources)
		require.Equal(t, 240, crowd.Targets)
	}
}

// TestDistributedMembersKnownBefore: where members go on until each would be found alone, their
// scans are the crowd's.
func TestDistributedMembersKnownBefore(t *testing.T) {
	w := newWire(t, atHome(t))
	deal(4, 20, 600, 0.05, func(now float64, src string, n int) { w.refused(now, src, server, uint16(n+1)) })
	w.end()
	var crowds, own int
	for _, s := range w.phase(Close) {
		if s.Sources > 0 {
			crowds++
			require.Equal(t, 20, s.Sources)
			require.Equal(t, 600, s.Targets)
			require.Equal(t, uint64(600), s.Attempts)
		} else {
			own++
			require.NotEmpty(t, s.MergedInto)
		}
	}
	require.Equal(t, 1, crowds)
}

// TestTwoCrowds at once are two scans.
func TestTwoCrowds(t *testing.T) {
	w := newWire(t, atHome(t))
	deal(5, 60, 240, 0.1, func(now float64, src string, n int) {
		w.refused(now, src, server, uint16(n+1))
		other := netip.MustParseAddr(src).As4()
		other[1] = 9
		w.knock(now, netip.AddrFrom4(other).String(), nth(server, n), 445)
	})
	w.idle(90)
	w.end()
	closed := w.phase(Close)
	require.Len(t, closed, 2)
	for _, s := range closed {
		require.Equal(t, 60, s.Sources)
		require.Equal(t, 240, s.Targets)
	}
	require.NotEqual(t, closed[0].ID, closed[1].ID)
}

// TestNoCrowd: much traffic in which many fail is nobody's plan.
func TestNoCrowd(t *testing.T) {
	peers := func(i int) string { return nth("203.0.113.0", i) }
	for name, play := range map[string]func(w *wire, r *rand.Rand){
		"noise of the Internet on a /24": func(w *wire, r *rand.Rand) {
			ports := []uint16{23, 445, 3389, 22, 80, 8080, 5900, 2323}
			for i := range 6000 {
				w.knock(float64(i)/10, nth("203.0.0.0", r.IntN(3000)), nth(server, r.IntN(256)), ports[r.IntN(len(ports))])
			}
		},
		"noise on one port": func(w *wire, r *rand.Rand) {
			for i := range 3000 {
				w.knock(float64(i)/6, nth("203.0.0.0", r.IntN(1500)), nth(server, r.IntN(256)), 23)
			}
		},
		"forged sources, each target once": func(w *wire, r *rand.Rand) {
			for i := range 4000 {
				w.knock(float64(i)/100, fmt.Sprintf("203.%d.%d.%d", r.IntN(256), r.IntN(256), r.IntN(256)), nth(server, i), 80)
			}
		},
		"peers of a host that has left, at its port": func(w *wire, r *rand.Rand) {
			for i := range 2000 {
				w.knock(float64(i)/10, peers(r.IntN(500)), server, 51413)
			}
		},
		"peers of many behind one address": func(w *wire, _ *rand.Rand) {
			for i := range 2000 {
				w.refused(float64(i)/10, peers(i%700), server, uint16(50000+i%700%200))
			}
		},
		"clients of dead services": func(w *wire, r *rand.Rand) {
			for i := range 1200 {
				w.refused(float64(i)/10, peers(i%100), nth(server, r.IntN(6)), []uint16{88, 389, 445, 636}[r.IntN(4)])
			}
		},
		"clients who fail at what a dead server told them before": func(w *wire, r *rand.Rand) {
			// FTP: each has a conversation, and is then told ports that a firewall closes
			for i := range 60 {
				w.busy(float64(i)/100, peers(i), server, 21)
			}
			for i, n := range r.Perm(240) {
				w.refused(12+float64(i)/10, peers(i%60), server, uint16(50000+n))
			}
		},
		"collectors that share out devices, some of which are off": func(w *wire, _ *rand.Rand) {
			for i := range 480 {
				src, n := peers(i%40), i
				if i/40%4 == 0 {
					w.knock(float64(i)/10, src, nth(server, n), 9100)
				} else {
					w.busy(float64(i)/10, src, nth(server, n), 9100)
				}
			}
		},
		"clients who call each other": func(w *wire, r *rand.Rand) {
			for i := range 400 {
				w.knock(float64(i)/10, nth(server, r.IntN(200)), nth(server, r.IntN(200)), 7680)
			}
		},
		"everybody reconnects": func(w *wire, r *rand.Rand) {
			for i := range 300 {
				w.busy(float64(i)/100, peers(i%60), nth(server, i%60*4+i%4), 443)
			}
			for i, n := range r.Perm(240) {
				w.knock(60+float64(i)/10, peers(i%60), nth(server, n), 443)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(2) {
				w := newWire(t, atHome(t))
				play(w, rand.New(rand.NewPCG(seed, 10)))
				w.idle(700)
				w.end()
				for _, s := range w.phase(Close) {
					require.Zero(t, s.Sources, "%s: %d sources, %+v", s.Rule, s.Sources, s.Evidence.Division)
				}
			}
		})
	}
}

// TestNotAtHome: what others suffer from many is not looked for.
func TestNotAtHome(t *testing.T) {
	rules, err := Profile("default")
	require.NoError(t, err)
	w := newWire(t, rules)
	deal(6, 60, 240, 0.1, func(now float64, src string, n int) { w.refused(now, src, server, uint16(n+1)) })
	w.end()
	require.Empty(t, w.scans)
}

// TestOrderOfMembersDoesNotMatter: whoever begins, and however often they repeat, the crowd is
// the same in the end.
func TestOrderOfMembersDoesNotMatter(t *testing.T) {
	for sources := 40; sources <= 80; sources += 4 {
		play := func(seed uint64, repeat bool) Scan {
			w := newWire(t, atHome(t))
			r := rand.New(rand.NewPCG(seed, 11))
			for i, n := range r.Perm(4 * sources) {
				c := w.dial(nth("203.0.113.0", n%sources+1), server, uint16(n+1))
				w.send(float64(i)/10, c.syn(), c.refuse())
				if repeat {
					w.send(float64(i)/10+0.01, c.syn(), c.refuse())
				}
			}
			return w.closed(t)
		}
		one, other := play(1, false), play(uint64(sources), true)
		require.Equal(t, one.Srcs, other.Srcs)
		require.Equal(t, one.Targets, other.Targets)
		require.Equal(t, one.PortRanges, other.PortRanges)
		require.Equal(t, one.Outcomes, other.Outcomes)
		require.Equal(t, Distributed, other.Shape)
	}
}

// TestDividedWindowInRules: what such a rule may be, and what it says of itself.
func TestDividedWindowInRules(t *testing.T) {
	const good = "{name: x, count: target, by: proto, over: 49, within: 10m, window: divided, proto: tcp}"
	rules := onlyRule(t, good)
	_, err := New(Config{}, rules)
	require.NoError(t, err)
	require.Equal(t, "more than 49 distinct target per (proto) among unproductive attempts, within 10m, divided among many sources, over tcp",
		rules.Rules[0].Describe())
	for old, c := range map[string]struct{ changed, want string }{
		"count: target": {"count: dst", "window: divided is for count: target, by: proto, of: unproductive, proto: tcp, icmp or both"},
		"by: proto":     {"by: [src, proto]", "window: divided is for count: target, by: proto, of: unproductive, proto: tcp, icmp or both"},
		"proto: tcp":    {"proto: udp", "window: divided is for count: target, by: proto, of: unproductive, proto: tcp, icmp or both"},
		"over: 49":      {"over: 400", "over: must be below 400 with window: divided, which is what its memory holds"},
		"proto: tcp}":   {"proto: tcp, share: 0.3}", "share: has no meaning with window: divided"},
	} {
		_, err := ParseRules([]byte("rules:\n  - "+strings.Replace(good, old, c.changed, 1)+"\n"), "test")
		require.ErrorContains(t, err, c.want)
	}
	twice := rules
	twice.Rules = append(slices.Clone(rules.Rules), rules.Rules...)
	_, err = New(Config{}, twice)
	require.EqualError(t, err, `rule "x": "x" has a divided window already`)
	rules.Rules[0].Over = 400
	_, err = New(Config{}, rules)
	require.ErrorContains(t, err, "over less than 400")
}

// TestDistributedInAFlood: forged sources by the ten thousand, at one port of the host or at
// any, neither hide a crowd nor join it.
func TestDistributedInAFlood(t *testing.T) {
	for _, anywhere := range []bool{false, true} {
		w := newWire(t, atHome(t))
		r := rand.New(rand.NewPCG(1, 12))
		deal(7, 60, 240, 0.1, func(now float64, src string, n int) {
			w.refused(now, src, server, uint16(n+1))
			for i := range 150 {
				host, port := server, uint16(80)
				if anywhere {
					host, port = nth(server, r.IntN(1<<16)), uint16(r.IntN(1<<10))
				}
				forged := netip.AddrFrom4([4]byte{11 + byte(r.IntN(50)), byte(r.Uint32()), byte(r.Uint32()), byte(r.Uint32())})
				w.knock(now+float64(i)*0.0006, forged.String(), host, port)
			}
		})
		w.idle(90)
		s := w.closed(t)
		require.Equal(t, Distributed, s.Shape)
		require.Equal(t, 60, s.Sources)
		require.Equal(t, 240, s.Targets)
	}
}

// TestCrowdsCostNoMemoryPerEvent: not for sources that go on failing, under few keys or many.
func TestCrowdsCostNoMemoryPerEvent(t *testing.T) {
	e, err := New(Config{}, atHome(t))
	require.NoError(t, err)
	var events []flows.Event
	for i := range 64 * 7 {
		events = append(events, counted(0, nth(outside, i%64), nth(server, i%7), 0))
	}
	n := 0
	fail := func() {
		n++
		ev := &events[n%len(events)]
		ev.Port, ev.Start, ev.Line, ev.TimeLine = uint16(n%200), at(float64(n)), at(float64(n)), at(float64(n))
		s := e.source(&ev.Initiator)
		e.probe = e.keys.probe(ev, s)
		e.acquaint(ev)
		e.remember(s, &e.probe, false)
		e.divided(s, &e.probe)
	}
	for range 20_000 {
		fail()
	}
	require.Zero(t, testing.AllocsPerRun(2000, fail))
}
