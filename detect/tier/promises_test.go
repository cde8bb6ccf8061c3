package tier

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// table is one that the test needs no error of.
func table(t require.TestingT, c Config) *Table {
	tb, err := New(c)
	require.NoError(t, err)
	return tb
}

// source is the n-th address.
func source(n uint64) (a [16]byte) {
	a[10], a[11] = 0xff, 0xff
	binary.BigEndian.PutUint64(a[8:], n)
	return a
}

const (
	minute = int64(time.Minute)
	day    = 24 * nsPerHour
)

// found runs one source with a new target at every step until it is hit, and
// returns how many targets and how much time that took.
func found(tb *Table, start, step, until int64) (f Hit, targets int, after int64) {
	for at := int64(0); at < until; at += step {
		targets++
		if f, ok := tb.Fail(source(1), uint64(targets)*0x9e3779b97f4a7c15, start+at); ok {
			return f, targets, at
		}
	}
	return Hit{}, targets, 0
}

// TestEveryTenMinutes: one probe every ten minutes is found within a day, at
// whatever time of the day it begins.
func TestEveryTenMinutes(t *testing.T) {
	var longest, sum int64
	const runs = 500
	r := rand.New(rand.NewPCG(1, 2))
	for range runs {
		tb := table(t, Config{Suspects: 64, Door: 256, Seed: r.Uint64()})
		f, _, after := found(tb, r.Int64N(1000*day), 10*minute, 7*day)
		require.NotZero(t, after)
		require.Equal(t, Day, f.Tier)
		require.GreaterOrEqual(t, f.ActiveHours, 3)
		longest = max(longest, after)
		sum += after
	}
	t.Logf("found after %.1f hours on the mean, %.1f at most", float64(sum)/runs/nsPerHour, float64(longest)/nsPerHour)
	require.Less(t, longest, 9*int64(nsPerHour))
}

// TestDeadPrinter: a poller of one dead host is never suspect of more than that.
func TestDeadPrinter(t *testing.T) {
	tb := table(t, Config{Suspects: 64})
	for at := int64(0); at < 30*day; at += minute {
		_, ok := tb.Fail(source(1), 1, at)
		require.False(t, ok)
	}
	s := suspected(tb, 1)
	require.Equal(t, 1, s.distinct())
	l := s.open()
	require.Equal(t, []uint8{30, 7, 2}, []uint8{l.month, l.before, l.days})
}

// suspected is what is known of the n-th source, nil if it is no suspect.
func suspected(tb *Table, n uint64) *suspect {
	a := source(n)
	return tb.find(tb.keys.source(&a))
}

// TestTwentyFiveInAnHour: the first tier hits at 25 targets within any hour, give
// or take what the estimate is wrong by.
func TestTwentyFiveInAnHour(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	const runs = 4000
	counts := map[int]int{}
	lowest, highest, sum := 1000, 0, 0
	for range runs {
		tb := table(t, Config{Suspects: 8, Door: 256, Seed: r.Uint64()})
		f, n, _ := found(tb, r.Int64N(1000*day), 59*minute/34, 59*minute)
		require.Positive(t, f.Distinct)
		require.Equal(t, Hour, f.Tier)
		counts[n]++
		sum += n
		lowest, highest = min(lowest, n), max(highest, n)
	}
	t.Logf("hit at %d to %d targets, %.1f on the mean; at 25 or fewer %.0f %%", lowest, highest, float64(sum)/runs,
		100*float64(counts[22]+counts[23]+counts[24]+counts[25])/runs)
	require.InDelta(t, 25, float64(sum)/runs, 1)
	require.LessOrEqual(t, highest, 34)
	require.GreaterOrEqual(t, lowest, 19)
}

// TestThreeDays: one probe every 34 s for three days is hit again and again, never
// with an hour between, and is one suspect.
func TestThreeDays(t *testing.T) {
	tb := table(t, Config{Suspects: 64})
	var hits int
	last, first, longest := int64(0), int64(0), int64(0)
	n := uint64(0)
	for at := int64(0); at < 3*day; at += 34 * int64(time.Second) {
		n++
		f, ok := tb.Fail(source(1), n*0x9e3779b97f4a7c15, at)
		if !ok {
			continue
		}
		require.Equal(t, Hour, f.Tier)
		if hits++; hits == 1 {
			first = at
		}
		longest = max(longest, at-last)
		last = at
	}
	t.Logf("%d hits, the first after %d min, at most %d min apart", hits, first/minute, longest/minute)
	require.Less(t, first, 20*minute)
	require.Less(t, longest, 20*minute)
	require.Greater(t, hits, 250)
	s := tb.Stats()
	require.Equal(t, []any{1, uint64(1), uint64(0), uint64(0)}, []any{s.Suspects, s.Admitted, s.Evicted, s.Expired})
}

// TestRates: how long a steady rate of new targets a day takes to be hit. Up to
// three it never is, at four hardly. From six on it always is, and from forty on within a day or
// two, even in the worst case.
func TestRates(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for _, c := range []struct {
		rate         int64
		all          bool
		days, atMost float64
	}{
		{3, false, 400, 0},
		{4, false, 90, 90},
		{5, false, 90, 90},
		{6, true, 120, 60},
		{8, true, 60, 20},
		{12, true, 60, 14},
		{20, true, 60, 7},
		{40, true, 60, 2},
		{80, true, 60, 1.2},
		{144, true, 60, 0.5},
	} {
		const runs = 40
		var hit, longest, sum float64
		tierOf := map[string]int{}
		for range runs {
			tb := table(t, Config{Suspects: 64, Door: 256, Seed: r.Uint64()})
			if f, _, after := found(tb, r.Int64N(1000*day), day/c.rate, int64(c.days)*day); f.Distinct > 0 {
				d := float64(after) / float64(day)
				hit, longest, sum = hit+1, max(longest, d), sum+d
				tierOf[f.Tier.String()]++
			}
		}
		t.Logf("%3d new targets a day: hit %3.0f %%, after %5.1f days on the mean, %5.1f at most %v", c.rate, 100*hit/runs, sum/max(hit, 1), longest, tierOf)
		require.LessOrEqual(t, longest, c.atMost)
		if c.all {
			require.InDelta(t, runs, hit, 0)
		}
		if c.rate <= 3 {
			require.Zero(t, hit)
		}
		if c.rate == 4 {
			require.LessOrEqual(t, hit/runs, 0.1)
		}
	}
}

// TestOrdinaryClient: three new dead targets a day, all within one hour of work,
// beside five that it tries every ten minutes for ever.
func TestOrdinaryClient(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for range 20 {
		tb := table(t, Config{Suspects: 64, Door: 256, Seed: r.Uint64()})
		start := r.Int64N(1000 * day)
		for at := int64(0); at < 30*day; at += 10 * minute {
			target := uint64(at/(10*minute)) % 5
			if m := at % day / (10 * minute); m < 3 {
				target = r.Uint64()
			}
			_, ok := tb.Fail(source(1), target*0x9e3779b97f4a7c15, start+at)
			require.False(t, ok, "after %v", time.Duration(at))
		}
	}
}

// TestFlood: a million sources an hour with one packet each. Who was suspect
// before stays, and the door keeps nearly all of them out.
func TestFlood(t *testing.T) {
	tb := table(t, Config{})
	n, hits := uint64(0), 0
	probe := func(at int64) {
		n++
		if _, ok := tb.Fail(source(1), n*0x9e3779b97f4a7c15, at); ok {
			hits++
		}
	}
	for at := int64(0); at < 3*nsPerHour; at += 12 * minute {
		probe(at)
	}
	const perHour = 1_000_000
	for i := range uint64(3 * perHour) {
		at := int64(3*nsPerHour) + int64(i)*(nsPerHour/perHour)
		tb.Fail(source(1<<32+i), i, at)
		if i%(perHour/5) == 0 {
			probe(at)
		}
	}
	s := tb.Stats()
	t.Logf("%+v", s)
	require.NotNil(t, suspected(tb, 1))
	seen := suspected(tb, 1).set()
	require.Greater(t, seen, 21, "none of its 30 targets were forgotten")
	half := 1 << 17
	require.InDelta(t, half, s.Suspects, 6000)
	require.Greater(t, s.Barred, uint64(3*perHour-half-3000))
	for at := int64(6 * nsPerHour); hits == 0 && at < 10*nsPerHour; at += 12 * minute {
		probe(at)
	}
	require.Equal(t, 1, hits)
}

// TestScannerDuringFlood: one probe every ten minutes that begins when the table
// is already full of strangers and the flood goes on. In proportion to the bounds
// it is that of TestFlood, and one seven times as large.
func TestScannerDuringFlood(t *testing.T) {
	for name, perHour := range map[string]int{"what the door holds": 62_500, "far more": 437_500} {
		t.Run(name, func(t *testing.T) {
			tb := table(t, Config{Suspects: 1 << 14, Door: 1 << 17})
			var n, probes uint64
			next := 2*int64(nsPerHour) + 7*minute
			step := int64(nsPerHour) / int64(perHour)
			for at := int64(0); at < 26*nsPerHour; at += step {
				n++
				tb.Fail(source(1<<32+n), n, at)
				if at < next {
					continue
				}
				next += 10 * minute
				probes++
				if _, ok := tb.Fail(source(1), probes*0x9e3779b97f4a7c15, at); ok {
					t.Logf("found after %.1f hours; %+v", float64(at-2*nsPerHour)/nsPerHour, tb.Stats())
					return
				}
			}
			require.Fail(t, "not found within a day")
		})
	}
}
