package tier

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// spend lets a source fail at count new targets in an hour, spread over it.
func spend(tb *Table, next *uint64, hour int64, count int) (f Hit, ok bool) {
	for n := range count {
		*next++
		if got, hit := tb.Fail(source(1), *next*0x9e3779b97f4a7c15, hour*nsPerHour+int64(n)); hit {
			f, ok = got, true
		}
	}
	return f, ok
}

// TestActiveHours: forty in a day are a hit only over three hours.
func TestActiveHours(t *testing.T) {
	tb := table(t, Config{Suspects: 64, Hour: 31})
	var n uint64
	for _, hour := range []int64{1000, 1002} {
		_, ok := spend(tb, &n, hour, 24)
		require.False(t, ok)
	}
	f, ok := tb.Fail(source(1), 0x9e3779b97f4a7c15, 1005*nsPerHour)
	require.True(t, ok, "a target it knows already, in a third hour")
	require.Equal(t, Day, f.Tier)
	require.Equal(t, 3, f.ActiveHours)
	require.InDelta(t, 48, f.Distinct, 8)
	require.EqualValues(t, 1000/24*24*nsPerHour, f.Since)

	// What was counted is spent, the hours are not.
	_, ok = spend(tb, &n, 1007, 20)
	require.False(t, ok)
	f, ok = spend(tb, &n, 1009, 27)
	require.True(t, ok)
	require.Equal(t, []any{Day, 5}, []any{f.Tier, f.ActiveHours})
	require.Equal(t, [tiers]uint64{Day: 2}, tb.Stats().Hits)
}

// TestActiveDays: for the week and the month it takes three days.
func TestActiveDays(t *testing.T) {
	monday := int64(7 * 24 * 1000)
	tb := table(t, Config{Suspects: 64, Hour: 31, Day: 63, Week: 40})
	var n uint64
	for _, hour := range []int64{2, 6, 24 + 20, 24 + 22} { // never more than 24 and 24 hours
		_, ok := spend(tb, &n, monday+hour, 16)
		require.False(t, ok)
	}
	f, ok := spend(tb, &n, monday+7*24, 1)
	require.True(t, ok)
	require.Equal(t, []any{Week, 3, monday * nsPerHour}, []any{f.Tier, f.ActiveDays, f.Since})

	tb = table(t, Config{Suspects: 64, Hour: 31, Day: 63, Week: 127, Month: 80})
	period := int64(30 * 24 * 500)
	n = 0
	for d, ok := int64(0), false; !ok; d += 4 { // 38 every four days
		require.Less(t, d, int64(12))
		if f, ok = spend(tb, &n, period+d*24, 19); !ok {
			f, ok = spend(tb, &n, period+d*24+5, 19)
		}
	}
	require.Equal(t, []any{Month, period * nsPerHour}, []any{f.Tier, f.Since})
	require.Equal(t, 3, f.ActiveDays)
}

// TestTimeRunsForwardOnly: a failure from before is one of now.
func TestTimeRunsForwardOnly(t *testing.T) {
	tb := table(t, Config{Suspects: 64})
	var n uint64
	spend(tb, &n, 1000, 12)
	f, ok := spend(tb, &n, 10, 18)
	require.True(t, ok)
	require.EqualValues(t, 1000*nsPerHour, f.Since)
	require.NotPanics(t, func() {
		tb.Fail(source(1), 1, math.MaxInt64)
		early := table(t, Config{Suspects: 8})
		early.Fail(source(1), 1, math.MinInt64)
		early.Fail(source(1), 1, math.MaxInt64)
	})
}

// TestQuietSuspectsAreForgotten: two days for every target, thirty at most and after
// a hit.
func TestQuietSuspectsAreForgotten(t *testing.T) {
	for _, c := range []struct {
		targets int
		hours   int64
	}{{1, 48}, {2, 96}, {20, 720}, {40, 720}} {
		tb := table(t, Config{Suspects: 64})
		var n uint64
		_, ok := spend(tb, &n, 0, c.targets)
		require.Equal(t, c.targets == 40, ok)
		other := func(hour int64) {
			for range 32 { // to come round the table
				tb.Fail(source(2), 1, hour*nsPerHour)
			}
		}
		other(c.hours)
		require.NotNil(t, suspected(tb, 1), "%d targets", c.targets)
		other(c.hours + 1)
		require.Nil(t, suspected(tb, 1), "%d targets", c.targets)
		require.EqualValues(t, 1, tb.Stats().Expired)
	}
}

// TestKnownAreNotAskedAtTheDoor, but take no slot that is worth more.
func TestKnownAreNotAskedAtTheDoor(t *testing.T) {
	tb := table(t, Config{Suspects: 8, Door: 256})
	for n := range uint64(4) {
		for target := range n + 2 {
			tb.Fail(source(n), target, 0)
		}
	}
	tb.Fail(source(10), 0, 0)
	require.Nil(t, suspected(tb, 10))
	for n := range uint64(4) {
		for target := range uint64(2) {
			tb.FailKnown(source(20+n), target, 0)
		}
		require.NotNil(t, suspected(tb, 20+n))
	}
	tb.FailKnown(source(30), 0, 0)
	require.Nil(t, suspected(tb, 30))
	require.Equal(t, Stats{Suspects: 8, Admitted: 8, Barred: 1, Crowded: 1}, tb.Stats())
}

// TestLowestScoreMakesRoom in a bucket of eight, and those with a higher one than
// a newcomer's do not.
func TestLowestScoreMakesRoom(t *testing.T) {
	tb := table(t, Config{Suspects: 8, Door: 256})
	for n := range uint64(4) {
		for target := range n + 2 { // two targets or more
			tb.Fail(source(n), target, 0)
		}
	}
	for hour := range int64(2) { // four more come in by the door
		for n := range uint64(4) {
			tb.Fail(source(10+n), 0, hour*nsPerHour)
			if hour == 1 && n > 0 {
				tb.Fail(source(10+n), 1, nsPerHour)
			}
		}
	}
	require.Equal(t, Stats{Suspects: 8, Admitted: 8, Barred: 4}, tb.Stats())
	for hour := range int64(2) {
		tb.Fail(source(20), 0, hour*nsPerHour+2*nsPerHour)
	}
	s := tb.Stats()
	require.Equal(t, []any{8, uint64(1), uint64(9)}, []any{s.Suspects, s.Evicted, s.Admitted})
	require.Nil(t, suspected(tb, 10), "the one with one target")
	for n := range uint64(4) {
		require.NotNil(t, suspected(tb, n))
	}
	tb.Fail(source(20), 1, 3*nsPerHour)
	tb.Fail(source(20), 2, 3*nsPerHour)
	for hour := range int64(2) {
		tb.Fail(source(21), 0, hour*nsPerHour+3*nsPerHour)
	}
	require.EqualValues(t, 1, tb.Stats().Crowded)
	require.EqualValues(t, 1, tb.Stats().Evicted)
}

// TestBounds floods a small table in any way, and everything adds up.
func TestBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := Config{Suspects: rapid.SampledFrom([]int{8, 16, 64}).Draw(t, "suspects"), Door: 256, Hour: 5, Day: 6}
		a, b := table(t, c), table(t, c)
		now := int64(0)
		for range rapid.IntRange(1, 400).Draw(t, "failures") {
			now += rapid.SampledFrom([]int64{0, minute, nsPerHour, day}).Draw(t, "gap")
			src := source(rapid.Uint64Range(0, 100).Draw(t, "source"))
			target := rapid.Uint64Range(0, 20).Draw(t, "target")
			f, ok := a.Fail(src, target, now)
			g, same := b.Fail(src, target, now)
			require.Equal(t, []any{f, ok}, []any{g, same}, "the same input gives the same")
			held := 0
			for i := range a.slots {
				if a.slots[i].tag != 0 {
					held++
				}
			}
			s := a.Stats()
			require.Equal(t, held, s.Suspects)
			require.LessOrEqual(t, held, c.Suspects)
			require.Equal(t, s, b.Stats())
		}
	})
}

// TestConfig: what cannot be counted in 32 bytes is refused.
func TestConfig(t *testing.T) {
	for _, c := range []struct {
		config Config
		want   string
	}{
		{Config{Hour: 32}, "tier: hour is 32, must be 1 to 31"},
		{Config{Hour: -1}, "tier: hour is -1, must be 1 to 31"},
		{Config{Day: 64}, "tier: day is 64, must be 1 to 63"},
		{Config{Week: 128}, "tier: week is 128, must be 1 to 127"},
		{Config{Month: 301}, "tier: month is 301, must be 1 to 300"},
		{Config{Active: 8}, "tier: active is 8, must be 1 to 7"},
		{Config{Suspects: -8}, "tier: suspects is -8, must be 1 to 268435456"},
		{Config{Door: 1 << 29}, "tier: door is 536870912, must be 1 to 268435456"},
	} {
		_, err := New(c.config)
		require.EqualError(t, err, c.want)
	}
	c, err := Config{}.withDefaults()
	require.NoError(t, err)
	require.Equal(t, Config{Hour: 25, Day: 40, Week: 80, Month: 150, Active: 3, Suspects: 1 << 18, Door: 1 << 21}, c)
	c, err = Config{Suspects: 9, Door: 1}.withDefaults()
	require.NoError(t, err)
	require.Equal(t, []int{16, 256}, []int{c.Suspects, c.Door})
	names := ""
	for tier := range tiers + 1 {
		names += tier.String() + " "
	}
	require.Equal(t, "hour day week month unknown ", names)
}

// TestNoAllocation: whatever happens, New has made room for it.
func TestNoAllocation(t *testing.T) {
	tb := table(t, Config{Suspects: 64, Door: 256})
	n := uint64(0)
	require.Zero(t, testing.AllocsPerRun(20_000, func() {
		n++
		tb.Fail(source(n%300), n, int64(n)*minute)
		tb.Fail(source(n%50), n, int64(n)*minute)
	}))
}

func BenchmarkFail(b *testing.B) {
	for name, sources := range map[string]uint64{"1k sources": 1 << 10, "flood": 1 << 40} {
		b.Run(name, func(b *testing.B) {
			tb := table(b, Config{})
			n := uint64(0)
			for n < 1<<18 {
				n++
				tb.Fail(source(n), n, 0)
			}
			for b.Loop() {
				n++
				tb.Fail(source(n%sources), n, int64(n)*1_000_000)
			}
		})
	}
}
