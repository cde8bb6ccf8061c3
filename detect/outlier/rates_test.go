package outlier

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestFalsePositives: two weeks of pairs with nothing but ordinary hours. Those
// with light tails give no finding at all. With heavy tails seven standard
// deviations are exceeded by a few hours in a thousand, clipped or not.
func TestFalsePositives(t *testing.T) {
	const pairs, hours = 400, 336
	most := map[string]float64{"negative binomial(2, k=0.3)": 0.0040, "lognormal(1, 1)": 0.0055}
	for _, f := range families() {
		rates := map[bool]float64{}
		for _, unclipped := range []bool{false, true} {
			r := rand.New(rand.NewPCG(1, 2))
			table := New(Config{Pairs: 1 << 13, Sources: 1 << 13, Destinations: 1 << 13, Values: 1 << 16})
			table.rules.unclipped = unclipped
			found := 0
			for h := range hours {
				for p := range pairs {
					if _, ok := busy(table, nthKey(p), f.draw(r), h); ok {
						found++
					}
				}
			}
			require.Zero(t, table.Stats().Full)
			require.Zero(t, table.Stats().Pairs.Evicted)
			rates[unclipped] = float64(found) / float64(pairs*(hours-24))
			require.LessOrEqual(t, rates[unclipped], most[f.name], f.name)
		}
		t.Logf("%-28s false positives per pair and hour: %.5f, without clipping %.5f", f.name, rates[false], rates[true])
	}
}

// TestPoisoning: a scan of 1,000 ports must not hide one of 100 ports two days
// later. Without clipping it does.
func TestPoisoning(t *testing.T) {
	const pairs, first, second = 100, 100, 148
	for _, f := range families() {
		for _, unclipped := range []bool{false, true} {
			r := rand.New(rand.NewPCG(3, 4))
			table := New(Config{Pairs: 1 << 10, Sources: 1 << 10, Destinations: 1 << 10, Values: 1 << 18})
			table.rules.unclipped = unclipped
			recall := map[int]int{}
			for h := range second + 1 {
				for p := range pairs {
					count := f.draw(r)
					switch h {
					case first:
						count = 1000
					case second:
						count = 100
					}
					if _, ok := busy(table, nthKey(p), count, h); ok {
						recall[h]++
					}
				}
			}
			require.Zero(t, table.Stats().Full)
			require.Equal(t, pairs, recall[first], f.name)
			if unclipped {
				require.Zero(t, recall[second], f.name)
			} else {
				require.Equal(t, pairs, recall[second], f.name)
			}
			t.Logf("%-28s unclipped %-5t recall of the second scan %.3f", f.name, unclipped, float64(recall[second])/pairs)
		}
	}
}
