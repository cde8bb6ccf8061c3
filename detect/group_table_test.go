package detect

import (
	"math"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestGroupSizes(t *testing.T) {
	require.EqualValues(t, 16, unsafe.Sizeof(element{}))
	require.EqualValues(t, 64, unsafe.Sizeof(group{}))
	require.Zero(t, unsafe.Offsetof(groupBucket{}.groups)%64)
	require.Zero(t, unsafe.Sizeof(groupBucket{})%64)
}

// TestGroupTableAgainstMap: below its bound every group holds what a list of its own
// would, in whatever order groups come and grow.
func TestGroupTableAgainstMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rule := &compiledRule{Rule: Rule{Over: rapid.IntRange(1, 40).Draw(t, "over")}, window: 50}
		table, lists := newGroupTable(10_000, []*compiledRule{rule}), map[uint64]recent{}
		for now := range int64(rapid.IntRange(1, 400).Draw(t, "steps")) {
			key := 2*mixed(rapid.Uint64Range(0, 60).Draw(t, "key"), 1) | 1
			x := element{rapid.Uint64Range(0, 50).Draw(t, "value"), now}
			b, i := table.get(key, now+1000, now)
			if rapid.IntRange(0, 9).Draw(t, "remove") == 0 {
				table.remove(&b.groups[i], x.value)
				lists[key] = lists[key].remove(x.value)
			} else {
				lists[key] = lists[key].insert(x.value, x.line, rule.Over+1+spare)
				require.Equal(t, lists[key].within(50), table.insert(&b.groups[i], x, rule, &source{}, now))
			}
		}
		require.Equal(t, len(lists), table.size)
		for key, l := range lists {
			require.ElementsMatch(t, l, table.blocks.held(table.find(key)))
		}
		require.Zero(t, table.evicted)
	})
}

// TestTicksNeverRunAhead: a group is never taken for one that is over before it is.
func TestTicksNeverRunAhead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		table := newGroupTable(8, nil)
		lines := rapid.OneOf(rapid.Int64(), rapid.Int64Range(-1e9, 1e9), rapid.Just(int64(math.MaxInt64)))
		table.tick(lines.Draw(t, "epoch"))
		until, now := lines.Draw(t, "until"), lines.Draw(t, "now")
		if table.tick(until) < table.tick(now) {
			require.Less(t, until, now)
		}
		require.Equal(t, until == math.MaxInt64, table.tick(until) == never)
	})
}

// TestGroupsWhoseWindowIsOverMakeRoom: they are not what a bound is for.
func TestGroupsWhoseWindowIsOverMakeRoom(t *testing.T) {
	table := newGroupTable(1<<12, nil)
	for now := range int64(100_000) {
		table.get(mixed(uint64(now), 1)|1, (now+20)*second, now*second)
	}
	require.Zero(t, table.evicted)
	require.LessOrEqual(t, len(table.buckets), 64)
}

// TestFullTableKeepsLargeGroups: many keys of one value each take their places from
// one another.
func TestFullTableKeepsLargeGroups(t *testing.T) {
	rule := &compiledRule{Rule: Rule{Over: 9}, window: 1 << 40}
	table := newGroupTable(200, []*compiledRule{rule})
	const large = 1
	for v := range uint64(8) {
		b, i := table.get(large, 1<<40, 0)
		table.insert(&b.groups[i], element{v, int64(v)}, rule, &source{}, 0)
		b.sizes[i] = uint8(b.groups[i].size)
	}
	for i := range uint64(10_000) {
		key := mixed(i, 1) | 1
		b, n := table.get(key, 1<<40, 0)
		table.insert(&b.groups[n], element{i, 9}, rule, &source{}, 0)
		b.sizes[n] = 1
	}
	require.Positive(t, table.evicted)
	require.LessOrEqual(t, table.size, 200)
	require.Len(t, table.blocks.held(table.find(large)), 8)
}

// TestBlocksAreBounded: when all of a size are given out, the groups that need one take them from
// those with fewer values, and first from those whose window is over.
func TestBlocksAreBounded(t *testing.T) {
	rule := &compiledRule{Rule: Rule{Over: 100}, window: 1 << 40}
	table := newGroupTable(1000, []*compiledRule{rule})
	require.Equal(t, []int{4, 20, 64, 110}, sizesOf(table.blocks))
	fill := func(key uint64, values int, until, now int64) {
		for v := range uint64(values) {
			b, i := table.get(key, until, now)
			table.insert(&b.groups[i], element{v, int64(v)}, rule, &source{}, now)
			b.sizes[i] = uint8(min(b.groups[i].size, 255))
		}
	}
	most := table.blocks[3].max
	require.Equal(t, 9, most)
	for k := range uint64(30) {
		fill(2*k+1, 100, 10*second, 0)
	}
	require.EqualValues(t, 21, table.evicted)
	require.Equal(t, most, table.size)
	require.Len(t, table.blocks[3].owners, most)
	require.Len(t, table.blocks.held(table.find(59)), 100, "the latest has all of its own")
	fill(61, 100, 30*second, 11*second)
	require.EqualValues(t, 21, table.evicted, "the window of others is over")
	require.Equal(t, most, table.size)
}

func sizesOf(b blocks) (sizes []int) {
	for _, c := range b {
		sizes = append(sizes, c.size)
	}
	return sizes
}

// TestFloodOfSmallGroupsBlindsNobody: sources without number, each at several ports of a host,
// take the room of one another, during the flood and ever after.
func TestFloodOfSmallGroupsBlindsNobody(t *testing.T) {
	for _, each := range []int{2, 5, 8} {
		opened := map[string]int{}
		e, err := New(Config{Groups: 2000, Sources: 20_000, Report: func(s Scan) {
			if s.Phase == Open {
				opened[s.Src.String()]++
			}
		}}, onlyRule(t, "{name: ports, count: dst_port, by: [src, dst, proto], over: 9, within: 5m}"))
		require.NoError(t, err)
		fail := func(seconds float64, src string, port int) {
			ev := counted(seconds, src, server, uint16(port))
			e.Observe(&ev)
		}
		for i := range 10_000 {
			for port := range each {
				fail(float64(i)/1000, nth("192.0.2.0", i), 80+port)
			}
			if i >= 9_000 && i%10 == 0 && each < 8 {
				fail(float64(i)/1000, outside, i)
			}
		}
		during := map[string]int{}
		if each < 8 { // with more each than the scanner has at first, they are worth more
			during[outside] = 1
		}
		require.Equal(t, during, opened, "while it lasts, %d each", each)
		for port := range 10 {
			fail(2000, inside, 80+port)
		}
		during[inside] = 1
		require.Equal(t, during, opened, "afterwards, %d each", each)
		require.Positive(t, e.Stats().GroupsEvicted)
	}
}

// TestSetsOfBinsAreBounded: bins of many values share what they may hold; where it is full,
// those with fewer are forgotten.
func TestSetsOfBinsAreBounded(t *testing.T) {
	rule := &compiledRule{Rule: Rule{Over: 50, Window: Tumbling}, window: 1 << 40}
	table := newGroupTable(100, []*compiledRule{rule})
	require.Equal(t, 150, table.sets.max)
	n := 0
	for k := range uint64(6) {
		for v := range uint64(60) {
			key := 2*k + 1
			b, i := table.get(key, 1<<40, 0)
			n = table.insertBin(&b.groups[i], element{v, int64(v)}, 0)
			b.sizes[i] = uint8(n)
			require.LessOrEqual(t, table.sets.held, table.sets.max)
		}
		require.Equal(t, 60, n, "each can reach its threshold")
	}
	require.EqualValues(t, 4, table.evicted)
	held := 0
	for _, set := range table.sets.sets {
		held += len(set)
	}
	require.Equal(t, held, table.sets.held)
}
