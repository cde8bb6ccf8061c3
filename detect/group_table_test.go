package detect

import (
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestGroupSizes(t *testing.T) {
	require.EqualValues(t, 16, unsafe.Sizeof(element{}))
	require.EqualValues(t, 32, unsafe.Sizeof(group{}))
	require.Zero(t, unsafe.Sizeof(groupBucket{})%64)
}

// TestGroupTableAgainstMap: below its bound every group holds what a list of its own
// would, in whatever order groups come and grow.
func TestGroupTableAgainstMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rule := &compiledRule{Rule: Rule{Over: rapid.IntRange(1, 40).Draw(t, "over")}, window: 50}
		table, lists := newGroupTable(1000), map[uint64]recent{}
		for now := range int64(rapid.IntRange(1, 400).Draw(t, "steps")) {
			key := 2*mixed(rapid.Uint64Range(0, 60).Draw(t, "key"), 1) | 1
			x := element{rapid.Uint64Range(0, 50).Draw(t, "value"), now}
			b, i := table.get(key, now+1000, now)
			if rapid.IntRange(0, 9).Draw(t, "remove") == 0 {
				table.remove(&b.groups[i], x.value)
				lists[key] = lists[key].remove(x.value)
			} else {
				lists[key] = lists[key].insert(x.value, x.line, rule.Over+1+spare)
				require.Equal(t, lists[key].within(50), table.insert(&b.groups[i], x, rule, &source{}))
			}
		}
		require.Equal(t, len(lists), table.size)
		for key, l := range lists {
			require.ElementsMatch(t, l, table.blocks.held(table.find(key)))
		}
		require.Zero(t, table.evicted)
	})
}

// TestGroupsWhoseWindowIsOverMakeRoom: they are not what a bound is for.
func TestGroupsWhoseWindowIsOverMakeRoom(t *testing.T) {
	table := newGroupTable(1 << 12)
	for now := range int64(100_000) {
		table.get(mixed(uint64(now), 1)|1, now+20, now)
	}
	require.Zero(t, table.evicted)
	require.LessOrEqual(t, len(table.buckets), 64)
}

// TestFullTableKeepsLargeGroups: many keys of one value each take their places from
// one another.
func TestFullTableKeepsLargeGroups(t *testing.T) {
	table, rule := newGroupTable(200), &compiledRule{Rule: Rule{Over: 9}, window: 1 << 40}
	const large = 1
	for v := range uint64(8) {
		b, i := table.get(large, 1<<40, 0)
		table.insert(&b.groups[i], element{v, int64(v)}, rule, &source{})
		b.sizes[i] = uint8(b.groups[i].size)
	}
	for i := range uint64(10_000) {
		b, n := table.get(mixed(i, 1)|1, 1<<40, 0)
		table.insert(&b.groups[n], element{i, 9}, rule, &source{})
		b.sizes[n] = 1
	}
	require.Positive(t, table.evicted)
	require.LessOrEqual(t, table.size, 200)
	require.Len(t, table.blocks.held(table.find(large)), 8)
}

// TestBlocksAreBounded: when all elements are given out, windows stay shorter than
// their rule wants, and groups that are over give theirs back.
func TestBlocksAreBounded(t *testing.T) {
	table, rule := newGroupTable(1000), &compiledRule{Rule: Rule{Over: 100}, window: 1 << 40}
	table.blocks.max = 64
	for k := range uint64(20) {
		for v := range uint64(50) {
			b, i := table.get(2*k+1, 10, 0)
			table.insert(&b.groups[i], element{v, int64(v)}, rule, &source{})
		}
	}
	require.True(t, table.blocks.short)
	require.LessOrEqual(t, table.blocks.made, 64)
	table.sweep(11)
	require.Zero(t, table.size)
	place, ok := table.blocks.take(4)
	require.True(t, ok, "%d", place)
}
