package outlier

import (
	"math"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
)

func TestSizes(t *testing.T) {
	require.Equal(t, uintptr(64), unsafe.Sizeof(record{}))
	require.Equal(t, uintptr(9*64), unsafe.Sizeof(bucket{}))
	require.Equal(t, uintptr(16), unsafe.Sizeof(slot{}))
}

var key = Key{Pair: 11, Source: 22, Destination: 33}

// small is a table for a few keys.
func small(c Config) *Table {
	c.Pairs, c.Sources, c.Destinations = 64, 64, 64
	if c.Values == 0 {
		c.Values = 1 << 13
	}
	return New(c)
}

// learn gives a pair hours with so many values each, from hour 0.
func learn(t *testing.T, table *Table, k Key, hours, count int) {
	t.Helper()
	for h := range hours {
		_, found := busy(table, k, count, h)
		require.False(t, found)
	}
}

// TestOwnHourIsNoBaseline: after 24 hours of one value each an hour of 21 is far
// out, and what it is compared with has not heard of it. With the tested hour in
// the baseline nothing could be: no value is further than (n-1)/√n standard
// deviations from the mean of n values that it is one of, and that is less than 7
// up to n = 50.
func TestOwnHourIsNoBaseline(t *testing.T) {
	table := small(Config{})
	learn(t, table, key, 24, 1)
	for v := range 1000 {
		f, found := table.Observe(key, uint64(v), hourOf(24))
		require.Equal(t, v+1 == 20, found, "value %d", v)
		if found {
			require.Equal(t, Finding{Value: 20, N: 24, Mean: 1, SD: 0, Threshold: 8, Level: Pair}, f)
		}
	}
	for n := 2; n <= 50; n++ {
		var b baseline
		r := rules{history: 1 << 20, unclipped: true}
		for range n - 1 {
			b.add(1, &r)
		}
		b.add(1e9, &r)
		z := (1e9 - b.mean) / b.deviation(&r)
		require.InDelta(t, float64(n-1)/math.Sqrt(float64(n)), z, 1e-6)
		require.Less(t, z, 7.0)
	}
}

// TestHistoryNeeded: with 23 earlier hours there is no finding, with 24 there is.
func TestHistoryNeeded(t *testing.T) {
	for hours, want := range map[int]bool{1: false, 23: false, 24: true, 25: true} {
		table := small(Config{})
		learn(t, table, key, hours, 1)
		_, found := busy(table, key, 500, hours)
		require.Equal(t, want, found, "%d hours", hours)
	}
}

// TestOncePerHour: a pair is found once in an hour, and again in the next.
func TestOncePerHour(t *testing.T) {
	table := small(Config{})
	learn(t, table, key, 24, 1)
	for h := 24; h < 26; h++ {
		n := 0
		for v := range 3000 {
			if _, ok := table.Observe(key, uint64(v%1500), hourOf(h)); ok {
				n++
			}
		}
		require.Equal(t, 1, n)
	}
	require.Equal(t, [4]uint64{Pair: 2}, table.Stats().Findings)
}

// TestRepeatedValuesCountOnce: a thousand packets to four ports are four values.
func TestRepeatedValuesCountOnce(t *testing.T) {
	table := small(Config{Floor: 5})
	learn(t, table, key, 24, 1)
	for n := range 1000 {
		_, found := table.Observe(key, uint64(n%9), hourOf(24))
		require.Equal(t, n == 8, found, "the ninth exceeds 1 + 7")
	}
}

// TestLevels: a pair without history is compared with its source's hours, then
// with the destination's, then with the site's, by the busiest pair of each hour.
func TestLevels(t *testing.T) {
	other := Key{Pair: 1, Source: 2, Destination: 3}
	for _, c := range []struct {
		name  string
		k     Key
		want  Level
		level string
	}{
		{"known pair", other, Pair, "pair"},
		{"known source", Key{4, other.Source, 5}, Source, "source"},
		{"known destination", Key{4, 5, other.Destination}, Destination, "destination"},
		{"both known", Key{4, other.Source, other.Destination}, Source, "source"},
		{"nothing known", Key{4, 5, 6}, Site, "site"},
	} {
		t.Run(c.name, func(t *testing.T) {
			table := small(Config{})
			for h := range 24 {
				busy(table, other, 12, h)
				busy(table, Key{uint64(100 + h), other.Source, uint64(100 + h)}, 2, h)
			}
			// A quiet neighbour in the same hour changes nothing, nor does its order.
			busy(table, Key{7, other.Source, 8}, 1, 24)
			f, found := busy(table, c.k, 100, 24)
			require.True(t, found)
			require.Equal(t, Finding{Value: 20, N: 24, Mean: 12, Threshold: 19, Level: c.want}, f)
			require.Equal(t, c.level, f.Level.String())
		})
	}
	require.Equal(t, "unknown", levels.String())
}

// TestNothingBeforeTheSiteIsKnown: the first day finds nothing.
func TestNothingBeforeTheSiteIsKnown(t *testing.T) {
	table := small(Config{})
	for h := range 24 {
		_, found := busy(table, nthKey(h), 1000, h)
		require.False(t, found)
	}
}

// TestGapOfDays: hours without traffic are zeros, whether or not anything else
// happened in them.
func TestGapOfDays(t *testing.T) {
	for name, others := range map[string]bool{"alone": false, "with others": true} {
		t.Run(name, func(t *testing.T) {
			table := small(Config{})
			learn(t, table, key, 30, 10)
			for h := 30; h < 30+72 && others; h++ {
				busy(table, nthKey(h), 1, h)
			}
			f, found := busy(table, key, 500, 30+72)
			require.True(t, found)
			require.Equal(t, 30+72, f.N)
			fade := math.Pow(0.98, 72)
			require.InDelta(t, 10*fade, f.Mean, 1e-9)
			require.InDelta(t, 10*math.Sqrt(fade*(1-fade)), f.SD, 1e-9)
			require.InDelta(t, f.Mean+7*f.SD, f.Threshold, 1e-9)
			require.InDelta(t, math.Ceil(f.Threshold), f.Value, 0, "at the value that exceeds it")
		})
	}
}

// TestQuietHoursAreHistory: a pair that spoke once a day ago has 24 hours behind it.
func TestQuietHoursAreHistory(t *testing.T) {
	table := small(Config{})
	busy(table, key, 1, 0)
	f, found := busy(table, key, 40, 24)
	require.True(t, found)
	require.Equal(t, 24, f.N)
	require.Equal(t, Pair, f.Level)
	require.InDelta(t, 1.0/24, f.Mean, 1e-12)
}

// TestTimeRunsForwardOnly: an observation from before counts in the current hour,
// and hours begin at whole ones, before 1970 too.
func TestTimeRunsForwardOnly(t *testing.T) {
	table := small(Config{Floor: 2})
	learn(t, table, key, 24, 1)
	for v := range uint64(8) {
		_, found := table.Observe(key, v, hourOf(24))
		require.False(t, found)
	}
	_, found := table.Observe(key, 8, hourOf(2))
	require.True(t, found)

	table = small(Config{Floor: 2})
	for h := -24; h < 0; h++ {
		table.Observe(key, 0, hourOf(h))
		table.Observe(key, 1, hourOf(h+1)-1)
	}
	f, found := busy(table, key, 100, 0)
	require.True(t, found)
	require.Equal(t, []any{24, 2.0}, []any{f.N, f.Mean})
	require.NotPanics(t, func() {
		table.Observe(key, 0, math.MaxInt64)
		New(Config{}).Observe(key, 0, math.MinInt64)
	})
}

// TestAtLeast: above the bound the count is a lower bound, and says so.
func TestAtLeast(t *testing.T) {
	table := small(Config{Exact: 30})
	learn(t, table, key, 24, 25)
	table.Observe(key, 0, hourOf(24))
	_, found := busy(table, key, 1000, 24)
	require.False(t, found, "33 were needed, 30 can be counted")
	require.EqualValues(t, 1, table.Stats().Capped)
	require.Equal(t, 30, table.Stats().Values)
	require.Zero(t, table.Stats().Full)
}

// TestValuesFull: when there is no more room for values, counts are lower bounds,
// and the next hour starts afresh.
func TestValuesFull(t *testing.T) {
	table := small(Config{Values: 64})
	k2 := Key{44, 55, 66}
	for h := range 24 {
		busy(table, key, 1, h)
		busy(table, k2, 1, h)
	}
	_, found := busy(table, k2, 15, 24)
	require.False(t, found)
	_, found = busy(table, key, 100, 24)
	require.True(t, found)
	s := table.Stats()
	require.Equal(t, 48, s.Values)
	require.EqualValues(t, 100-33, s.Full)
	_, found = busy(table, key, 100, 24)
	require.False(t, found)
	busy(table, k2, 100, 24)
	require.EqualValues(t, 2, table.Stats().Capped)

	_, found = busy(table, k2, 40, 25)
	require.True(t, found)
	require.Equal(t, 40, table.Stats().Values)
}

// TestFindingSaysAtLeast: a value left out before the threshold was crossed.
func TestFindingSaysAtLeast(t *testing.T) {
	table := small(Config{})
	learn(t, table, key, 24, 1)
	busy(table, key, 19, 24)
	used := table.values.used
	table.values.used = len(table.values.slots)
	table.Observe(key, 100, hourOf(24))
	table.values.used = used
	f, found := table.Observe(key, 101, hourOf(24))
	require.True(t, found)
	require.True(t, f.AtLeast)
	require.Equal(t, 20, f.Value)
}

// TestEpochsWrap: the number of the hour may come round.
func TestEpochsWrap(t *testing.T) {
	v := newValues(8, 1)
	s, _ := v.place(1, 2)
	v.keep(s, 1, 2)
	v.epoch = math.MaxUint32
	v.empty()
	require.EqualValues(t, 1, v.epoch)
	_, found := v.place(1, 2)
	require.False(t, found)
}

// TestFloodKeepsTheEstablished: a pair with a week behind it outlives twenty times
// as many strangers as there is room for, and its next hour is judged by its own
// history.
func TestFloodKeepsTheEstablished(t *testing.T) {
	table := New(Config{Pairs: 1 << 10, Sources: 1 << 10, Destinations: 1 << 10, Values: 1 << 16})
	learn(t, table, key, 7*24, 2)
	for n := range 20 << 10 {
		table.Observe(nthKey(n), 0, hourOf(7*24))
	}
	f, found := busy(table, key, 100, 7*24)
	require.True(t, found)
	require.Equal(t, []any{Pair, 7 * 24, 2.0}, []any{f.Level, f.N, f.Mean})
	s := table.Stats()
	require.Equal(t, 1<<10, s.Pairs.Held)
	require.EqualValues(t, 19<<10+1, s.Pairs.Evicted)
	require.Zero(t, s.Sources.Evicted, "an hour of one value is not worth a place")
}

// TestBusyStrangerSurvivesFlood: one that is in the middle of a scan is not
// forgotten for those with one value.
func TestBusyStrangerSurvivesFlood(t *testing.T) {
	table := New(Config{Pairs: 1 << 10, Sources: 1 << 10, Destinations: 1 << 10, Values: 1 << 17})
	learn(t, table, Key{1, 2, 3}, 24, 1)
	found := 0
	for n := range 40 << 10 {
		table.Observe(nthKey(n), 0, hourOf(24))
		if n%512 == 0 && n/512 < 40 {
			if _, ok := table.Observe(key, uint64(n), hourOf(24)); ok {
				found++
			}
		}
	}
	require.Equal(t, 1, found)
}

// TestDefaults: numbers that make no sense are the defaults.
func TestDefaults(t *testing.T) {
	want := Config{
		History: 24, Floor: 20, Sigmas: 7, Weight: 0.02, Exact: 1024,
		Pairs: 1 << 18, Sources: 1 << 15, Destinations: 1 << 15, Values: 1 << 18,
	}
	require.Equal(t, want, Config{}.withDefaults())
	odd := Config{History: -1, Floor: -1, Sigmas: math.NaN(), Weight: 1.5, Exact: -1, Pairs: -1, Sources: -1, Destinations: -1, Values: -1}
	require.Equal(t, want, odd.withDefaults())
	require.Equal(t, 2, Config{History: 1}.withDefaults().History)
	for n, rounded := range map[int]int{1: 8, 8: 8, 9: 16, 1000: 1024, 1024: 1024} {
		require.Equal(t, rounded, roundUp(n, 8))
	}
}

// TestNoAllocation: whatever happens, New has made room for it.
func TestNoAllocation(t *testing.T) {
	table := New(Config{Pairs: 64, Sources: 16, Destinations: 16, Values: 64})
	n := 0
	require.Zero(t, testing.AllocsPerRun(10_000, func() {
		n++
		table.Observe(nthKey(n%500), uint64(n), int64(n)*nsPerHour/100)
	}))
}

// BenchmarkObserve is the cost of a new value: of few pairs, and of more than
// there is room for.
func BenchmarkObserve(b *testing.B) {
	for name, pairs := range map[string]int{"1k pairs": 1 << 10, "1M pairs": 1 << 20} {
		b.Run(name, func(b *testing.B) {
			table := New(Config{})
			for n := range 1 << 20 { // past the first use of the memory
				table.Observe(nthKey(n), 0, hourOf(-1))
			}
			n := 0
			for b.Loop() {
				n++
				table.Observe(nthKey(n&(pairs-1)), uint64(n), int64(n)*20_000_000)
			}
		})
	}
}
