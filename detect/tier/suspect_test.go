package tier

import (
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestSize(t *testing.T) {
	require.Equal(t, uintptr(32), unsafe.Sizeof(suspect{}))
}

// TestLedgerPacks: every field keeps every value that it can have, beside any
// others.
func TestLedgerPacks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string, most uint8) uint8 { return rapid.Uint8Range(0, most).Draw(t, name) }
		l := ledger{
			hours:   rapid.Uint32Range(0, dayHours).Draw(t, "hours"),
			now:     [periods]uint8{draw("hour", 31), draw("day", 63), draw("week", 127)},
			earlier: [periods]uint8{draw("last hour", 31), draw("last day", 63), draw("last week", 127)},
			days:    draw("days", 7), before: draw("days before", 7), month: draw("days of month", 31),
		}
		var s suspect
		s.close(&l)
		require.Equal(t, l, s.open())
	})
}

// TestCounterError measures the linear counter where it decides.
func TestCounterError(t *testing.T) {
	targets := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{25, 40, 80, 150} {
		const runs = 4000
		var sum, squares float64
		for range runs {
			var s suspect
			var l ledger
			for range n {
				s.count(&l, targets.Uint64N(128))
			}
			d := float64(s.distinct() - n)
			sum += d
			squares += d * d
		}
		bias, sd, load := sum/runs, math.Sqrt(squares/runs), float64(n)/128
		want := math.Sqrt(128 * (math.Exp(load) - load - 1))
		t.Logf("%3d targets: bias %+.2f, standard deviation %5.2f = %.1f %% (theory %.2f)", n, bias, sd, 100*sd/float64(n), want)
		require.InDelta(t, 0, bias, 0.02*float64(n))
		require.InDelta(t, want, sd, 0.1*want+0.2)
	}
	require.Equal(t, []int{0, 1, 710}, []int{estimate(0), estimate(1), estimate(128)})
}

// model is a suspect by its definition: every new target with the hour it came in.
type model struct {
	bits   map[uint64]bool
	fresh  map[int64]int // by hour: targets that were new
	failed map[int64]bool
	period int64
}

func (m *model) fail(hour int64, bit uint64) {
	if p := floorDiv(hour, 30*24); p != m.period {
		m.bits, m.period = map[uint64]bool{}, p
	}
	m.failed[hour] = true
	if m.bits[bit] {
		return
	}
	before := estimate(len(m.bits))
	m.bits[bit] = true
	m.fresh[hour] += estimate(len(m.bits)) - before
}

// counted adds up what was new in a period of so many hours and the one before,
// and when the first of those began.
func (m *model) counted(hour, length int64, most int) (n int, since int64) {
	sums := map[int64]int{}
	for h, k := range m.fresh {
		sums[floorDiv(h, length)] += k
	}
	current := floorDiv(hour, length)
	n = min(sums[current], most) + min(sums[current-1], most)
	if sums[current-1] > 0 {
		current--
	}
	return n, current * length * nsPerHour
}

func (m *model) active(of func(hour int64) (period int64, counts bool)) int {
	set := map[int64]bool{}
	for h := range m.failed {
		if p, ok := of(h); ok {
			set[p] = true
		}
	}
	return len(set)
}

func (m *model) judge(c Config, hour int64) (f Hit, ok bool) {
	f.ActiveHours = m.active(func(h int64) (int64, bool) { return h, h > hour-24 })
	f.ActiveDays = m.active(func(h int64) (int64, bool) {
		return floorDiv(h, 24), floorDiv(h, 30*24) == floorDiv(hour, 30*24)
	})
	days := m.active(func(h int64) (int64, bool) {
		return floorDiv(h, 24), floorDiv(h, 7*24) >= floorDiv(hour, 7*24)-1
	})
	if f.Distinct, f.Since = m.counted(hour, 1, 31); f.Distinct >= c.Hour {
		return f, true
	}
	if f.Tier, f.Distinct, f.Since = Day, 0, 0; f.ActiveHours >= c.Active {
		if f.Distinct, f.Since = m.counted(hour, 24, 63); f.Distinct >= c.Day {
			return f, true
		}
	}
	if n, since := m.counted(hour, 7*24, 127); n >= c.Week && days >= c.Active {
		f.Tier, f.Distinct, f.Since, f.ActiveDays = Week, n, since, days
		return f, true
	}
	f.Distinct = estimate(len(m.bits))
	if f.Distinct >= c.Month && f.ActiveDays >= c.Active {
		f.Tier, f.Since = Month, floorDiv(hour, 30*24)*30*24*nsPerHour
		return f, true
	}
	return Hit{}, false
}

// TestAgainstModel plays failures with all kinds of pauses, around 1970 too.
func TestAgainstModel(t *testing.T) {
	hits := map[Tier]int{}
	rapid.Check(t, func(t *rapid.T) {
		c := Config{
			Hour: rapid.IntRange(4, 31).Draw(t, "hour"), Day: rapid.IntRange(4, 63).Draw(t, "day"),
			Week: rapid.IntRange(4, 127).Draw(t, "week"), Month: rapid.IntRange(4, 200).Draw(t, "month"),
			Active:   rapid.IntRange(1, 7).Draw(t, "active"),
			Suspects: 8, Door: 256,
		}
		table := table(t, c)
		start := rapid.Int64Range(-100*24, 100*24).Draw(t, "start")
		gaps := rapid.SampledFrom([][]int64{{0, 0, 0, 1}, {0, 1, 2, 7}, {1, 5, 24, 25}, {0, 24, 100, 168, 336, 700}}).Draw(t, "gaps")
		m := model{bits: map[uint64]bool{}, fresh: map[int64]int{}, failed: map[int64]bool{}, period: floorDiv(start, 720)}
		hour := start
		for range rapid.IntRange(1, 120).Draw(t, "failures") {
			gap := rapid.SampledFrom(gaps).Draw(t, "gap")
			hour += gap
			target := rapid.Uint64Range(0, 300).Draw(t, "target")
			if table.Stats().Suspects == 1 && table.slots[0].tag == 0 {
				require.Fail(t, "one suspect, one bucket, first slot")
			}
			if s := &table.slots[0]; s.tag != 0 && s.score(hour) < 0 { // it is forgotten
				m = model{bits: map[uint64]bool{}, fresh: map[int64]int{}, failed: map[int64]bool{}, period: floorDiv(hour, 720)}
				table.drop(&table.slots[0])
			}
			m.fail(hour, table.keys.bit(target))
			want, ok := m.judge(c, hour)
			got, hit := table.Fail(source(1), target, hour*nsPerHour+rapid.Int64Range(0, nsPerHour-1).Draw(t, "ns"))
			require.Equal(t, ok, hit, "want %+v, got %+v", want, got)
			if ok {
				require.Equal(t, want, got)
				hits[got.Tier]++
				m.bits, m.fresh = map[uint64]bool{}, map[int64]int{}
			}
		}
	})
	if testing.Short() {
		return // too few runs for all of them to come by
	}
	for tier := range tiers {
		require.Positive(t, hits[tier], "%s: the test must have come by", tier)
	}
}
