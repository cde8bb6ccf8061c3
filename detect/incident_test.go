package detect

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/synoptic-ids/synoptic/flows"
)

// story tells the phases of the scans in order, with what updates are about
// and the number of targets.
func (w *wire) story() (lines []string) {
	for _, s := range w.scans {
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("%s %d %s", s.Phase, s.Targets, strings.Join(s.Added, " "))))
	}
	return lines
}

func TestUpdatesOnDoubling(t *testing.T) {
	w := newWire(t, profile(t, "default"))
	for i := range 100 {
		w.knock(float64(i), outside, server, uint16(100+i))
	}
	w.end()
	require.Equal(t, []string{"open 10", "update 20 targets", "update 40 targets", "update 80 targets", "close 100"}, w.story())
	for _, s := range w.scans {
		require.Equal(t, w.scans[0].ID, s.ID)
		require.Equal(t, w.scans[0].DetectedAfter, s.DetectedAfter)
		require.Equal(t, w.scans[0].Evidence, s.Evidence)
	}
}

func TestUpdatesOnChange(t *testing.T) {
	w := newWire(t, profile(t, "default"))
	for i := range 11 {
		w.knock(float64(i), outside, server, uint16(100+i))
	}
	w.knock(20, outside, nth(server, 1), 100) // a second victim
	w.send(30, w.datagram(outside, server, 100))
	w.refused(40, outside, server, 101)
	w.refused(41, outside, server, 102)
	c := w.dial(outside, server, 103)
	w.send(50, c.syn(), c.synack(), c.ack())
	for i := range 5 {
		w.knock(60+float64(i), outside, nth(server, 2+i), 100)
	}
	w.end()
	require.Equal(t, []string{
		"open 10", "update 12 hosts", "update 13 technique", "update 13 verdict", "update 13 verdict", "update 15 shape", "close 18",
	}, w.story())
	require.Equal(t, []string{"tcp-connect", "udp"}, w.phase(Close)[0].Techniques)
}

// TestRulesOfAPlainScan: what breaks one rule and has many targets is not held against further ones
// with a sliding window; bins are counted to the end.
func TestRulesOfAPlainScan(t *testing.T) {
	rules := onlyRule(t, "{name: ports, count: dst_port, by: [src, dst], over: 9, within: 5m}")
	for _, line := range []string{
		"{name: hosts, count: dst, by: [src, dst_port], over: 9, within: 5m}",
		"{name: bins, count: dst, by: [src, dst_port], over: 9, within: 5m, window: tumbling}",
	} {
		rules.Rules = append(rules.Rules, onlyRule(t, line).Rules...)
	}
	for _, c := range []struct {
		ports int
		want  []string
	}{{plainScan - 12, []string{"ports", "hosts", "bins"}}, {plainScan, []string{"ports", "bins"}}} {
		w := newWire(t, rules)
		for i := range c.ports {
			w.knock(0, outside, server, uint16(1000+i))
		}
		for i := range 12 {
			w.knock(10, outside, nth(server, 1+i), 22)
		}
		var fired []string
		for _, f := range w.closed(t).Rules {
			fired = append(fired, f.Rule)
		}
		require.Equal(t, c.want, fired)
	}
}

// TestIdleTime: a scan is over after a quarter of an hour, or eight times the
// usual gap between its attempts, a day at most.
func TestIdleTime(t *testing.T) {
	for _, c := range []struct {
		name string
		gap  float64 // of the forty attempts after the first ten
		want float64
	}{{"quick", 1, 900}, {"just a quarter of an hour", 112, 900}, {"slow", 240, 1920}, {"slower", 800, 6400}} {
		w := newWire(t, profile(t, "default"))
		now := 0.0
		for i := range 50 {
			if i >= 10 {
				now += c.gap
			}
			w.knock(now, outside, server, uint16(100+i))
		}
		w.idle(now + c.want - 0.001)
		require.Empty(t, w.phase(Close), c.name)
		w.idle(now + c.want + 5000)
		require.Len(t, w.phase(Close), 1, c.name)
		require.Equal(t, Time(at(now+c.want)), w.scans[len(w.scans)-1].Time, "due, not when it was noticed: %s", c.name)
		require.Equal(t, Time(at(now)), w.scans[len(w.scans)-1].Last, c.name)
	}
	inc := incident{floor: idleMin, gaps: [gapsKept]int64{50 * idleMax}, gapCount: 1}
	require.Equal(t, 24*3600*second, inc.idle())
	require.Equal(t, 15*60*second, (&incident{floor: idleMin}).idle())
}

// TestSecondScan: what comes after a scan has closed is another one, and holds
// nothing of the first.
func TestSecondScan(t *testing.T) {
	w := newWire(t, profile(t, "default"))
	for i := range 30 {
		w.knock(float64(i), outside, server, uint16(100+i))
	}
	for i := range 12 {
		w.knock(2000+float64(i), outside, server, uint16(120+i))
	}
	w.end()
	require.Equal(t, []string{"open 10", "update 20 targets", "close 30", "open 10", "close 12"}, w.story())
	require.NotEqual(t, w.scans[0].ID, w.scans[3].ID)
	require.Equal(t, w.scans[0].Correlation, w.scans[3].Correlation, "the same source and day")
	require.Equal(t, Time(at(2000)), w.scans[4].First)
	require.Equal(t, "120-131", w.scans[4].PortRanges)
	require.EqualValues(t, 2, w.engine.Stats().Opened)
	require.EqualValues(t, 2, w.engine.Stats().Closed)
}

// TestSecondScanOfBins: where no gap ends what is filled in, the close of the scan
// before does.
func TestSecondScanOfBins(t *testing.T) {
	w := newWire(t, onlyRule(t, "{name: it, count: dst_port, by: [src], of: connection, over: 9, within: 1h, window: tumbling}"))
	for i := range 10 {
		w.knock(float64(i), outside, server, uint16(100+i))
		w.knock(3*3600+float64(i), inside, server, uint16(100+i))
	}
	for i := range 10 {
		w.knock(6*3600+float64(i), outside, server, uint16(200+i))
	}
	w.end()
	closed := w.phase(Close)
	require.Len(t, closed, 3)
	require.Equal(t, "200-209", closed[2].PortRanges)
	require.Equal(t, Time(at(6*3600)), closed[2].First)
}

// TestDetectedAfter ranks by start: attempts that counted at once do not make
// those before them late.
func TestDetectedAfter(t *testing.T) {
	w := newWire(t, profile(t, "default"))
	for i := range 4 {
		w.knock(float64(i)/100, outside, server, uint16(100+i))
	}
	for i := range 10 {
		w.refused(0.1+float64(i)/100, outside, server, uint16(200+i))
	}
	w.idle(2)
	require.Equal(t, []string{"open 10"}, w.story())
	require.Equal(t, Detected{Targets: 10, Seconds: 0.09}, w.scans[0].DetectedAfter)
	s := w.closed(t)
	require.Equal(t, 14, s.Targets)
	require.Equal(t, Time(at(0)), s.First)

	w = newWire(t, profile(t, "default"))
	w.knock(0, outside, server, 100) // it began first, and counts last
	for i := range 9 {
		w.refused(0.1+float64(i)/100, outside, server, uint16(200+i))
	}
	w.idle(2)
	require.Equal(t, Detected{Targets: 10, Seconds: 0.5}, w.scans[0].DetectedAfter, "no fewer than it took")
}

// TestCut: the input may end before half a second has passed.
func TestCut(t *testing.T) {
	w := newWire(t, profile(t, "default"))
	for i := range 12 {
		w.knock(float64(i)/1000, outside, server, uint16(100+i))
	}
	s := w.closed(t)
	require.Equal(t, 12, s.Cut)
	require.Equal(t, 12, s.Targets)
	require.Equal(t, Outcomes{Silent: 12}, s.Outcomes)
	require.InDelta(t, 12/0.011, s.Rate, 0.001)
}

// TestClosingOrder: by the time due, then by the order of opening; at the end
// of the input by the order of opening.
func TestClosingOrder(t *testing.T) {
	for _, end := range []bool{true, false} {
		w := newWire(t, profile(t, "default"))
		for n, offset := range []float64{0, 100, 50} {
			for i := range 10 {
				w.refused(offset+float64(i)/100, nth(outside, n), server, uint16(100+i))
			}
		}
		w.refused(200, nth(outside, 0), server, 1)
		want := []string{"203.0.0.0", "203.0.0.1", "203.0.0.2"}
		if !end {
			w.idle(5000)
			want = []string{"203.0.0.2", "203.0.0.1", "203.0.0.0"}
		}
		w.end()
		var got []string
		for _, s := range w.phase(Close) {
			got = append(got, s.Src.String())
		}
		require.Equal(t, want, got)
	}
}

// TestParts keeps techniques apart: an ARP sweep and the ports of one host are
// no block.
func TestParts(t *testing.T) {
	w := newWire(t, profile(t, "default"))
	for i := range 12 {
		w.send(float64(i), flows.Packet{Kind: flows.KindARPRequest, Src: address(inside), Dst: address(nth(inside, i))})
	}
	for i := range 40 {
		w.refused(20+float64(i), inside, nth(inside, 3), uint16(100+i))
	}
	s := w.closed(t)
	require.Equal(t, Vertical, s.Shape)
	require.Equal(t, []string{"arp", "tcp-connect"}, s.Techniques)
	require.Equal(t, "arp-sweep", s.Rule)
	require.Equal(t, []Part{
		{
			Technique: "arp", Proto: "arp", Shape: Horizontal, Hosts: 12, Targets: 12, Attempts: 12,
			First: Time(at(0)), Last: Time(at(11)), Outcomes: Outcomes{Silent: 12},
		},
		{
			Technique: "tcp-connect", Proto: "tcp", Shape: Vertical, Hosts: 1, Ports: 40, Targets: 40, Attempts: 40,
			First: Time(at(20)), Last: Time(at(59)), Outcomes: Outcomes{Refused: 40},
		},
	}, s.Parts)
	require.Equal(t, []Fired{
		{"arp-sweep", Time(at(9.5)), 10}, {"ports-on-a-host", Time(at(29)), 10},
	}, s.Rules)
	require.Equal(t, Outcomes{Silent: 12, Refused: 40}, s.Outcomes)
	require.Equal(t, 52, s.Targets)
	require.Equal(t, 12, s.Hosts)
}

func TestShapes(t *testing.T) {
	for _, c := range []struct {
		class        flows.Class
		hosts, ports int
		want         Shape
	}{
		{flows.ClassTCP, 1, 1, Vertical},
		{flows.ClassTCP, 1, 9, Vertical},
		{flows.ClassTCP, 2, 1, Horizontal},
		{flows.ClassTCP, 2, 6, Vertical},
		{flows.ClassTCP, 2, 5, Block},
		{flows.ClassTCP, 2, 2, Block},
		{flows.ClassTCP, 6, 2, Horizontal},
		{flows.ClassTCP, 5, 2, Block},
		{flows.ClassTCP, 100, 100, Block},
		{flows.ClassEcho, 50, 0, Horizontal},
		{flows.ClassARP, 1, 0, Vertical},
		{flows.ClassProtocol, 1, 0, Protocol},
	} {
		p := part{class: c.class, hosts: &hostSet{}, ports: &portSet{}}
		for i := range c.hosts {
			host := address(nth(server, i))
			p.hosts.put(&host, new(hashKeys).addr(&host, 0))
		}
		for i := range c.ports {
			p.ports.put(uint16(i))
		}
		require.Equal(t, c.want, p.shape(), "%d hosts, %d ports", c.hosts, c.ports)
	}
}

// TestShapeInTheRecord: the one host and the one port are named, and holes in a
// block are told.
func TestShapeInTheRecord(t *testing.T) {
	scan := func(n int, target func(i int) (string, uint16)) Scan {
		w := newWire(t, profile(t, "default"))
		for i := range n {
			host, port := target(i)
			w.refused(float64(i)/10, outside, host, port)
		}
		return w.closed(t)
	}
	s := scan(20, func(i int) (string, uint16) { return server, uint16(i) })
	require.Equal(t, server, s.Dst.String())
	require.Nil(t, s.Port)
	require.Empty(t, s.HostRanges)
	s = scan(20, func(i int) (string, uint16) { return nth(server, i), 22 })
	require.Nil(t, s.Dst)
	require.EqualValues(t, 22, *s.Port)
	require.Equal(t, []string{"198.51.0.0/24: 20 of 256"}, s.HostRanges)
	require.InDelta(t, 20/1.9, s.Rate, 0.001)
	s = scan(100, func(i int) (string, uint16) { return nth(server, i/10), uint16(i % 10) })
	require.Equal(t, Block, s.Shape)
	require.False(t, s.Sparse)
	s = scan(40, func(i int) (string, uint16) { return nth(server, max(0, i-12)), uint16(i) })
	require.Equal(t, Block, s.Shape)
	require.True(t, s.Sparse, "%d of %d x %d", s.Targets, s.Hosts, s.Ports)
}

// TestConnectOrSYN: the words for two ways to open a connection.
func TestConnectOrSYN(t *testing.T) {
	for _, c := range []struct {
		name, want string
		send       func(c conn) []flows.Packet
	}{
		{"dark, ordinary stack", "tcp-connect", func(c conn) []flows.Packet { return []flows.Packet{c.syn()} }},
		{"dark, crafted", "tcp-syn", func(c conn) []flows.Packet { p := c.syn(); p.Window = 1024; return []flows.Packet{p} }},
		{"handshakes", "tcp-connect", func(c conn) []flows.Packet { return []flows.Packet{c.syn(), c.synack(), c.ack()} }},
		{"handshakes, crafted", "tcp-connect", func(c conn) []flows.Packet {
			p := c.syn()
			p.Window = 1024
			return []flows.Packet{p, c.synack(), c.ack()}
		}},
		{"half-open", "tcp-syn", func(c conn) []flows.Packet { return []flows.Packet{c.syn(), c.synack(), c.abort()} }},
		{"answered, and silence", "tcp-syn", func(c conn) []flows.Packet { return []flows.Packet{c.syn(), c.synack()} }},
	} {
		w := newWire(t, profile(t, "default"))
		for i := range 12 {
			w.send(2*float64(i), c.send(w.dial(outside, server, uint16(i)))...)
		}
		require.Equal(t, c.want, w.closed(t).Technique, c.name)
	}
}

// TestSameTrafficSameBytes runs random traffic twice, the second time with time
// passing in small steps between the packets.
func TestSameTrafficSameBytes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		run := func(steps bool) string {
			random, w := rand.New(rand.NewPCG(seed, 1)), newWire(t, profile(t, "default"))
			now := 0.0
			for range 150 {
				gap := []float64{0, 0.01, 1, 1, 20, 100}[random.IntN(6)]
				for k := 1.0; steps && k < 4; k++ {
					w.idle(now + gap*k/4)
				}
				now += gap
				kind := zooOrder[random.IntN(len(zooOrder))]
				w.send(now, zoo(w, kind, nth(outside, random.IntN(3)), nth(server, random.IntN(5)), uint16(random.IntN(60)))...)
			}
			w.idle(now) // the last packet may be no event
			w.end()
			return records(t, w.scans)
		}
		first := run(false)
		require.Equal(t, first, run(false))
		require.Equal(t, first, run(true))
	})
}

// TestSourcesAreIndependent mixes the events of several sources at random: what
// is said of each is what would be said of it alone.
func TestSourcesAreIndependent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const sources = 3
		type step struct {
			who int
			ev  flows.Event
		}
		var steps []step
		for who := range sources {
			now, gap := 0, rapid.SampledFrom([]int{1, 20}).Draw(t, "gap")
			for i := range rapid.IntRange(5, 60).Draw(t, "attempts") {
				now += rapid.IntRange(0, gap).Draw(t, "wait")
				ev := counted(float64(now), nth(outside, who), nth(server, i%2), uint16(rapid.IntRange(0, 40).Draw(t, "port")))
				ev.SrcPort = uint16(40000 + who) // or they were decoys of each other
				steps = append(steps, step{who, ev})
			}
		}
		order := rapid.Permutation([]int{0, 1, 2}).Draw(t, "order") // of sources at one time
		slices.SortStableFunc(steps, func(a, b step) int {
			if c := cmp.Compare(a.ev.At, b.ev.At); c != 0 {
				return c
			}
			return order[a.who] - order[b.who]
		})
		said := func(only int) map[string][]Scan {
			by := map[string][]Scan{}
			e, err := New(Config{Report: func(s Scan) { by[s.Src.String()] = append(by[s.Src.String()], s) }}, profile(t, "default"))
			require.NoError(t, err)
			for i := range steps {
				if only < 0 || steps[i].who == only {
					e.Observe(&steps[i].ev)
				}
			}
			e.Advance(at(1e6))
			e.Close()
			return by
		}
		together := said(-1)
		for who := range sources {
			name := nth(outside, who)
			require.Equal(t, records(t, said(who)[name]), records(t, together[name]))
		}
	})
}
