package outlier

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// reference keeps every value of every hour, and works out each answer from all
// of them.
type reference struct {
	config Config
	seen   []observation
	found  map[[2]int]bool // pair and hour
}

type observation struct {
	pair, source, destination uint64
	value                     uint64
	hour                      int
}

// most is the greatest number of distinct values that a pair among those chosen
// had in an hour.
func (r *reference) most(hour int, of func(o *observation) bool) int {
	sets := map[uint64]map[uint64]bool{}
	best := 0
	for i := range r.seen {
		o := &r.seen[i]
		if o.hour != hour || !of(o) {
			continue
		}
		if sets[o.pair] == nil {
			sets[o.pair] = map[uint64]bool{}
		}
		sets[o.pair][o.value] = true
		best = max(best, len(sets[o.pair]))
	}
	return best
}

// history is the mean and deviation of the hours from the first to the one before.
func (r *reference) history(hour int, of func(o *observation) bool) (n int, mean, sd float64) {
	first := hour
	for i := range r.seen {
		if of(&r.seen[i]) {
			first = min(first, r.seen[i].hour)
		}
	}
	var clipped []float64
	variance := 0.0
	for h := first; h < hour; h++ {
		x := float64(r.most(h, of))
		x = min(x, max(float64(r.config.Floor), mean+r.config.Sigmas*max(sd, 1)))
		if n++; n <= r.config.History {
			clipped = append(clipped, x)
			mean, variance = 0, 0
			for _, y := range clipped {
				mean += y / float64(n)
			}
			for _, y := range clipped {
				variance += (y - mean) * (y - mean) / max(float64(n-1), 1)
			}
		} else {
			a := r.config.Weight
			variance = (1-a)*variance + a*(1-a)*(x-mean)*(x-mean)
			mean = (1-a)*mean + a*x
		}
		sd = math.Sqrt(variance)
	}
	return n, mean, sd
}

func (r *reference) observe(o observation) (f Finding, found, doubtful bool) {
	r.seen = append(r.seen, o)
	value := r.most(o.hour, func(p *observation) bool { return p.pair == o.pair })
	id := [2]int{int(o.pair), o.hour}
	if r.found[id] || value < r.config.Floor {
		return Finding{}, false, false
	}
	for l, of := range []func(*observation) bool{
		func(p *observation) bool { return p.pair == o.pair },
		func(p *observation) bool { return p.source == o.source },
		func(p *observation) bool { return p.destination == o.destination },
		func(*observation) bool { return true },
	} {
		n, mean, sd := r.history(o.hour, of)
		if n < r.config.History {
			continue
		}
		limit := mean + r.config.Sigmas*max(sd, 1)
		r.found[id] = float64(value) > limit
		f = Finding{Value: value, N: n, Mean: mean, SD: sd, Threshold: limit, Level: Level(l)}
		return f, r.found[id], math.Abs(float64(value)-limit) < 1e-9
	}
	return Finding{}, false, false
}

// TestAgainstReference plays random hours of a few pairs that share sources and
// destinations.
func TestAgainstReference(t *testing.T) {
	findings := map[Level]int{}
	rapid.Check(t, func(t *rapid.T) {
		config := Config{
			History: rapid.IntRange(2, 5).Draw(t, "history"),
			Floor:   rapid.IntRange(1, 4).Draw(t, "floor"),
			Sigmas:  rapid.Float64Range(0.5, 2).Draw(t, "sigmas"),
			Weight:  rapid.Float64Range(0.01, 0.5).Draw(t, "weight"),
			Pairs:   64, Sources: 64, Destinations: 64, Values: 4096,
			Seed: rapid.Uint64().Draw(t, "seed"),
		}
		table := New(config)
		ref := reference{config: config, found: map[[2]int]bool{}}
		hour := 0
		for range rapid.IntRange(1, 40).Draw(t, "bursts") {
			hour += rapid.SampledFrom([]int{0, 0, 1, 1, 1, 2, 5, 30}).Draw(t, "gap")
			source := rapid.Uint64Range(0, 2).Draw(t, "source")
			destination := rapid.Uint64Range(0, 2).Draw(t, "destination")
			for range rapid.IntRange(1, 12).Draw(t, "values") {
				o := observation{
					pair: source*3 + destination, source: source, destination: destination,
					value: rapid.Uint64Range(0, 20).Draw(t, "value"), hour: hour,
				}
				want, found, doubtful := ref.observe(o)
				if doubtful {
					return // rounding decides
				}
				got, ok := table.Observe(Key{o.pair, o.source, o.destination}, o.value, hourOf(hour)+1)
				require.Equal(t, found, ok, "want %+v, got %+v", want, got)
				if !ok {
					continue
				}
				findings[got.Level]++
				require.Equal(t, []any{want.Value, want.N, want.Level}, []any{got.Value, got.N, got.Level})
				require.InDelta(t, want.Mean, got.Mean, 1e-9)
				require.InDelta(t, want.SD, got.SD, 1e-6)
				require.InDelta(t, want.Threshold, got.Threshold, 1e-5)
			}
		}
	})
	if testing.Short() {
		return // too few runs for all of them to come by
	}
	for l := range levels {
		require.Positive(t, findings[l], "%s: the test must have come by", l)
	}
}

// TestSameInputSameBits: two tables agree to the last bit, and so do two seeds.
func TestSameInputSameBits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := Config{History: 3, Floor: 2, Sigmas: 1, Pairs: 64, Sources: 64, Destinations: 64, Values: 4096}
		a, b := New(c), New(c)
		c.Seed = 1
		other := New(c)
		now := int64(0)
		for range rapid.IntRange(1, 300).Draw(t, "observations") {
			now += rapid.Int64Range(0, nsPerHour).Draw(t, "gap")
			p := rapid.Uint64Range(0, 3).Draw(t, "pair")
			k, v := Key{p, p / 2, p % 2}, rapid.Uint64Range(0, 40).Draw(t, "value")
			f, found := a.Observe(k, v, now)
			for _, table := range []*Table{b, other} {
				g, same := table.Observe(k, v, now)
				require.Equal(t, found, same)
				require.Equal(t, f, g)
			}
		}
		require.Equal(t, a.Stats(), b.Stats())
	})
}
