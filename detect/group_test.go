package detect

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/synoptic-ids/synoptic/flows"
)

// exact is a sliding window without bounds: what a group must agree with.
type exact map[uint64]int64

func (x exact) insert(v uint64, line int64) {
	if old, ok := x[v]; !ok || line > old {
		x[v] = line
	}
}

func (x exact) size(window int64) (n int) {
	latest := int64(0)
	for _, line := range x {
		latest = max(latest, line)
	}
	for _, line := range x {
		if line >= latest-window {
			n++
		}
	}
	return n
}

// TestSlidingGroupIsExact: as long as nothing is withdrawn, a group that keeps
// only the most recent values crosses its threshold when all values would, in order or late.
func TestSlidingGroupIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		over := rapid.IntRange(1, 12).Draw(t, "over")
		window := int64(rapid.IntRange(1, 60).Draw(t, "window"))
		late := rapid.IntRange(0, 30).Draw(t, "late")
		g, x := recent{}, exact{}
		now := int64(100)
		for range rapid.IntRange(1, 120).Draw(t, "steps") {
			now += int64(rapid.IntRange(0, 4).Draw(t, "gap"))
			v, line := rapid.Uint64Range(0, 30).Draw(t, "value"), now-int64(rapid.IntRange(0, late).Draw(t, "lateness"))
			g = g.insert(v, line, over+1+spare)
			x.insert(v, line)
			require.LessOrEqual(t, len(g), over+1+spare)
			require.Equal(t, min(x.size(window), over+1+spare), g.within(window))
			require.True(t, slices.IsSortedFunc(g, func(a, b element) int { return cmp.Compare(a.line, b.line) }))
		}
	})
}

// TestWithdrawalsLoseNoCrossing plays histories in which attempts count up to a
// second late and one in six is withdrawn within thirty seconds, far more than slow
// hosts cause. At every step (a guard may hold a rule back for long) a group must be above its
// threshold when a window that keeps everything is.
func TestWithdrawalsLoseNoCrossing(t *testing.T) {
	const over, window, histories = 9, 300 * second, 2000
	type step struct {
		at, line int64
		value    uint64
		remove   bool
	}
	random := rand.New(rand.NewPCG(1, 2))
	above, steps := 0, 0
	for range histories {
		var history []step
		now := int64(0)
		for v := range uint64(40) {
			now += random.Int64N(50 * second)
			history = append(history, step{at: now + random.Int64N(second), line: now, value: v})
			if random.IntN(6) == 0 {
				history = append(history, step{at: now + second + random.Int64N(29*second), value: v, remove: true})
			}
		}
		slices.SortStableFunc(history, func(a, b step) int { return cmp.Compare(a.at, b.at) })
		g, x := recent{}, exact{}
		for _, s := range history {
			if s.remove {
				g = g.remove(s.value)
				delete(x, s.value)
			} else {
				g = g.insert(s.value, s.line, over+1+spare)
				x.insert(s.value, s.line)
			}
			steps++
			want := x.size(window)
			if want > over {
				above++
			}
			if got := g.within(window); got > over != (want > over) {
				require.Equal(t, want, got)
			}
		}
	}
	require.Greater(t, above, steps/5)
	require.Less(t, above, steps*4/5)
}

func TestGroupOfABin(t *testing.T) {
	table := newGroupTable(100_000, []*compiledRule{{Rule: Rule{Over: 9, Window: Tumbling}}})
	b, i := table.get(1, 1, 0)
	g := &b.groups[i]
	for v := range uint64(maxDistinct + 10) {
		table.insertBin(g, element{v, int64(v)}, 0)
		size := table.insertBin(g, element{v, int64(v) + 1}, 0)
		if v < 100 || v > maxDistinct-3 {
			require.Equal(t, int(min(v+1, maxDistinct)), size)
		}
		if v == 20 { // still a list
			table.remove(g, v)
			require.EqualValues(t, 20, g.size)
			table.insertBin(g, element{v, 0}, 0)
		}
	}
	table.remove(g, 5)
	table.remove(g, maxDistinct+5)
	require.EqualValues(t, maxDistinct-1, g.size)
}

// TestTumblingBins puts connections at the very edges of bins: each bin holds
// its first nanosecond and not its last edge.
func TestTumblingBins(t *testing.T) {
	const over = 3
	rules := onlyRule(t, fmt.Sprintf("{name: bins, count: dst_port, by: [src], of: connection, over: %d, within: 10m, window: tumbling}", over))
	for _, c := range []struct {
		name  string
		times []float64
		want  []Fired
	}{
		{"first to last nanosecond", []float64{0, 1, 2, 599.999999999}, []Fired{{"bins", Time(at(599.999999999)), 4}}},
		{"cut in two", []float64{597, 598, 599, 600, 601, 602}, nil},
		{"the edge is the later bin's", []float64{599.999999999, 600, 601, 602, 603}, []Fired{{"bins", Time(at(603)), 4}}},
		{
			"each bin by itself",
			[]float64{0, 1, 2, 3, 4, 5, 600, 601, 602, 603, 604, 1200, 1201, 1202},
			[]Fired{{"bins", Time(at(3)), 6}, {"bins", Time(at(603)), 5}},
		},
		{"more than a list holds", slices.Collect(func(yield func(float64) bool) {
			for i := range 200 {
				if !yield(float64(i)) {
					return
				}
			}
		}), []Fired{{"bins", Time(at(3)), 200}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWire(t, rules)
			for i, when := range c.times {
				w.knock(when, outside, server, uint16(100+i))
				w.knock(when, outside, server, uint16(100+i))
			}
			w.end()
			if c.want == nil {
				require.Empty(t, w.scans)
				return
			}
			require.Equal(t, c.want, w.phase(Close)[0].Rules)
			require.Equal(t, Evidence{Count: "dst_port", Value: 4, Threshold: 3, Window: "10m0s tumbling"}, w.phase(Close)[0].Evidence)
		})
	}
}

func TestBinsBeforeTheEpoch(t *testing.T) {
	for _, c := range [][3]int64{{7, 10, 0}, {10, 10, 1}, {0, 10, 0}, {-1, 10, -1}, {-10, 10, -1}, {-11, 10, -2}} {
		require.Equal(t, c[2], floorDiv(c[0], c[1]), "%d/%d", c[0], c[1])
	}
}

// TestRunCountsTheWholeInput: nothing leaves the count, however long it takes.
func TestRunCountsTheWholeInput(t *testing.T) {
	w := newWire(t, onlyRule(t, "{name: all, count: dst, by: [src], of: connection, over: 3, within: run}"))
	for i := range 3 {
		w.knock(float64(i)*86400, outside, nth(server, i), 80)
	}
	w.idle(4 * 86400)
	require.Empty(t, w.scans)
	w.knock(4*86400, outside, nth(server, 3), 80)
	s := w.closed(t)
	require.Equal(t, 4, s.Targets)
	require.Equal(t, "run", s.Evidence.Window)
	require.Equal(t, Time(at(0)), s.First)
}

// TestWithdrawnLeavesTheCount: slow hosts that answer after all are no
// evidence, and a real target afterwards still is.
func TestWithdrawnLeavesTheCount(t *testing.T) {
	w := newWire(t, onlyRule(t, "{name: some, count: dst_port, by: [src, dst, proto], over: 9, within: 5m}"))
	for i := range 19 {
		c := w.dial(outside, server, uint16(100+i))
		w.send(float64(2*i), c.syn())
		if i < 10 {
			w.send(float64(2*i)+1, c.synack(), c.ack(), c.ask(), c.reply())
		}
	}
	w.knock(40, outside, server, 200)
	w.idle(40.4)
	require.Empty(t, w.scans, "nine have failed, ten were slow")
	w.idle(40.6)
	require.Len(t, w.phase(Open), 1)
	require.Equal(t, 10, w.scans[0].Evidence.Value)
}

// TestGroupsAreBounded: at the bound the oldest counts are forgotten, which may
// lose a source and never names another.
func TestGroupsAreBounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bound := rapid.IntRange(1, 6).Draw(t, "bound")
		rules := onlyRule(t, "{name: a, count: dst_port, by: [src, dst], over: 2, within: 5m}")
		script := rapid.SliceOfN(rapid.IntRange(0, 5*3*6-1), 1, 150).Draw(t, "script")
		named := func(cfg Config) (map[string]bool, Stats) {
			sources := map[string]bool{}
			cfg.Report = func(s Scan) { sources[s.Src.String()] = true }
			e, err := New(cfg, rules)
			require.NoError(t, err)
			for i, n := range script {
				ev := counted(float64(i), nth(outside, n%5), nth(server, n/5%3), uint16(80+n/15))
				e.Observe(&ev)
				require.True(t, cfg.Groups == 0 || e.Stats().Groups <= bound)
			}
			e.Close()
			return sources, e.Stats()
		}
		all, unbounded := named(Config{})
		some, bounded := named(Config{Groups: bound})
		require.Zero(t, unbounded.GroupsEvicted)
		require.Subset(t, all, some)
		if len(all) == 0 && unbounded.Groups > bound {
			require.Positive(t, bounded.GroupsEvicted)
		}
	})
}

// counted is the event of a TCP attempt that failed silently: it began half a
// second before.
func counted(seconds float64, src, dst string, port uint16) flows.Event {
	line, who := at(seconds), uint32(address(src)[15])<<16
	return flows.Event{Kind: flows.Counted, At: line + second/2, Attempt: flows.Attempt{
		Key:   flows.Key{Initiator: address(src), Responder: address(dst), Port: port, Proto: 6, Class: flows.ClassTCP},
		Start: line, Line: line, Time: line, TimeLine: line, Packets: 1, Connections: 1, Counted: true,
		Technique: flows.TCPSYN, Window: 64240, Options: 1, Seq: uint32(line/second*7919) ^ who, SrcPort: uint16(line / second % 60000),
	}}
}
