package walk

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// mixer spreads small numbers over all 64 bits, as a keyed hash would.
const mixer = 0x9e3779b97f4a7c15

const minute = 60 * 1_000_000_000

// TestMixingInOpenServices: a scanner that follows each probe with one of a
// service it knows to be open keeps the walk down for ever, and is found by its
// failures.
func TestMixingInOpenServices(t *testing.T) {
	var w Walk
	var f Failures
	targets := rand.New(rand.NewPCG(1, 2))
	at := 0
	for n := 1; n <= 10_000; n++ {
		require.Zero(t, w.Failure())
		w.Success()
		if _, reached := f.Fail(targets.Uint64(), int64(n)*minute); reached && at == 0 {
			at = n
		}
	}
	require.LessOrEqual(t, w.Peak(), 1)
	require.InDelta(t, FailureLimit, at, 8)
}

// TestOrdinarySourceStaysBelow: ten dead targets an hour, tried every minute.
func TestOrdinarySourceStaysBelow(t *testing.T) {
	var f Failures
	for n := range 7 * 24 * 60 {
		count, reached := f.Fail(uint64(n%10)*mixer, int64(n)*minute)
		require.False(t, reached)
		require.LessOrEqual(t, count, 12)
	}
}

// TestFailuresWindow: what lies within one window is counted together wherever
// it begins, and what is further apart than two is not.
func TestFailuresWindow(t *testing.T) {
	for start := -2 * int64(FailureWindow); start < 2*FailureWindow; start += 7 * minute {
		var f Failures
		f.Fail(1, start)
		count, _ := f.Fail(2, start+FailureWindow)
		require.Equal(t, 2, count, "from %d", start)
		require.Equal(t, 2, f.Count(start), "the clock never runs back")
		require.Equal(t, 0, f.Count(start+3*FailureWindow))
		count, _ = f.Fail(1, start+3*FailureWindow)
		require.Equal(t, 1, count)
	}
}

// TestWithdrawnTargets: they count no more, and take no other with them.
func TestWithdrawnTargets(t *testing.T) {
	var f Failures
	for n := range uint64(20) {
		f.Fail(n, 0)
	}
	require.InDelta(t, 24, f.Count(0), 0, "20 of 64 bits")
	for n := range uint64(5) {
		f.Withdraw(n, 0)
		f.Withdraw(n, 0)
	}
	f.Withdraw(60, 0)
	require.Equal(t, 24-5, f.Count(0), "5 bits, and one that had not failed")
	f.Fail(3, 1)
	require.Equal(t, 24-5, f.Count(1), "it was productive in this window")
	require.Equal(t, 24-5, f.Count(FailureWindow))
	f.Fail(3, 2*FailureWindow)
	require.Equal(t, 1, f.Count(2*FailureWindow))
}

// TestSuccessesWipeOutNothing: a source with as many late successes as failures.
func TestSuccessesWipeOutNothing(t *testing.T) {
	var f Failures
	targets := rand.New(rand.NewPCG(3, 4))
	for range 30 {
		f.Fail(targets.Uint64(), 0)
		late := targets.Uint64()
		f.Fail(late, 0)
		f.Withdraw(late, 0)
	}
	require.GreaterOrEqual(t, f.Count(0), FailureLimit)
}

// TestFailuresError measures the estimate where it decides.
func TestFailuresError(t *testing.T) {
	targets := rand.New(rand.NewPCG(5, 6))
	for _, n := range []int{10, FailureLimit, 64} {
		var sum, squares float64
		const runs = 4000
		for range runs {
			var f Failures
			var got int
			for range n {
				got, _ = f.Fail(targets.Uint64(), 0)
			}
			d := float64(got - n)
			sum += d
			squares += d * d
		}
		bias, sd := sum/runs, math.Sqrt(squares/runs)
		load := float64(n) / 64
		want := math.Sqrt(64 * (math.Exp(load) - load - 1))
		t.Logf("%d targets: bias %+.2f, standard deviation %.2f (theory %.2f)", n, bias, sd, want)
		require.InDelta(t, 0, bias, 0.06*float64(n))
		require.InDelta(t, want, sd, 0.25*want+0.3)
	}
	require.Equal(t, 311, estimate(math.MaxUint64))
}

// TestFailuresAgainstSets compares with sets of targets in the two windows.
func TestFailuresAgainstSets(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var f Failures
		windows := map[int64]map[uint64]bool{} // of bits: true if withdrawn
		now := int64(0)
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			now += rapid.SampledFrom([]int64{0, minute, 20 * minute, FailureWindow, 2 * FailureWindow}).Draw(t, "gap")
			target := rapid.Uint64Range(0, 63).Draw(t, "target")
			w := now / FailureWindow
			if windows[w] == nil {
				windows[w] = map[uint64]bool{}
			}
			_, here := windows[w][target]
			_, before := windows[w-1][target]
			switch {
			case rapid.Bool().Draw(t, "withdraw"):
				f.Withdraw(target, now)
				if here || before {
					windows[w][target] = true
				}
			default:
				f.Fail(target, now)
				if !here {
					windows[w][target] = false
				}
			}
			var failed, withdrawn uint64
			for _, set := range []map[uint64]bool{windows[w], windows[w-1]} {
				for b, back := range set {
					failed |= 1 << b
					if back {
						withdrawn |= 1 << b
					}
				}
			}
			require.Equal(t, max(0, estimate(failed)-estimate(withdrawn)), f.Count(now))
		}
	})
}
