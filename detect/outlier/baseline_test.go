package outlier

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestWelford: mean and deviation of the first hours are those of the textbook.
func TestWelford(t *testing.T) {
	r := Config{}.withDefaults().rules()
	var b baseline
	require.Zero(t, b.deviation(&r))
	var sum float64
	var all []float64
	for n := range 24 {
		x := float64(n*n) / 30
		b.add(x, &r)
		sum += x
		all = append(all, x)
		mean := sum / float64(len(all))
		var squares float64
		for _, y := range all {
			squares += (y - mean) * (y - mean)
		}
		require.InDelta(t, mean, b.mean, 1e-9)
		if n > 0 {
			require.InDelta(t, math.Sqrt(squares/float64(n)), b.deviation(&r), 1e-9)
		}
	}
}

// TestForgetting: after the first hours, an hour weighs 2 % and fades.
func TestForgetting(t *testing.T) {
	r := Config{}.withDefaults().rules()
	var b baseline
	for range 24 {
		b.add(3, &r)
	}
	require.Equal(t, []float64{3, 0}, []float64{b.mean, b.deviation(&r)})
	b.add(8, &r)
	require.InDelta(t, 3+0.02*5, b.mean, 1e-12)
	require.InDelta(t, math.Sqrt(0.98*0.02*25), b.deviation(&r), 1e-12)
	require.EqualValues(t, 25, b.n)
}

// TestClipping: a value above the threshold enters as the threshold, or as the
// floor where that is higher.
func TestClipping(t *testing.T) {
	r := Config{}.withDefaults().rules()
	var b baseline
	b.add(1e6, &r)
	require.InDelta(t, 20, b.mean, 0, "the floor")
	b = baseline{mean: 30, spread: 4, n: 24}
	b.add(1e6, &r)
	require.InDelta(t, 30+0.02*14, b.mean, 1e-12, "30 + 7·2")
	b = baseline{mean: 30, spread: 0.01, n: 24}
	b.add(36.9, &r)
	require.InDelta(t, 30+0.02*6.9, b.mean, 1e-12, "what is not found is not clipped")
}

// TestQuietHours: many zeros at once are the same as one after the other.
func TestQuietHours(t *testing.T) {
	r := Config{}.withDefaults().rules()
	rapid.Check(t, func(t *rapid.T) {
		var b baseline
		for _, x := range rapid.SliceOfN(rapid.IntRange(0, 200), 0, 60).Draw(t, "hours") {
			b.add(float64(x), &r)
		}
		slow := b
		hours := rapid.IntRange(0, 2000).Draw(t, "quiet")
		for range hours {
			slow.add(0, &r)
		}
		b.quiet(uint32(hours), &r)
		require.Equal(t, slow.n, b.n)
		require.InDelta(t, slow.mean, b.mean, 1e-9)
		require.InDelta(t, slow.deviation(&r), b.deviation(&r), 1e-9)
	})
}

// TestQuietForAges: no number of hours overflows or takes long.
func TestQuietForAges(t *testing.T) {
	r := Config{}.withDefaults().rules()
	b := baseline{mean: 1e9, spread: 1e18, n: 24}
	b.quiet(math.MaxUint32, &r)
	b.quiet(math.MaxUint32, &r)
	require.Equal(t, baseline{n: math.MaxUint32}, b)
	require.InDelta(t, 7, b.threshold(&r), 0)
}
