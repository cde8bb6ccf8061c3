package walk

import (
	"math"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestSize(t *testing.T) {
	require.LessOrEqual(t, unsafe.Sizeof(Walk{}), uintptr(8))
}

// TestStraightFailures: a scanner that finds nothing is suspect at its fourth
// first contact and alarming at its ninth, once each.
func TestStraightFailures(t *testing.T) {
	var w Walk
	reached := map[int]int{}
	for n := 1; n <= 100; n++ {
		if r := w.Failure(); r != 0 {
			reached[n] = r
		}
	}
	require.Equal(t, map[int]int{4: Suspect, 9: Alert}, reached)
	require.Equal(t, Max, w.Value())
	require.Equal(t, Max, w.Peak())
	for range Max {
		require.Positive(t, w.Value())
		w.Success()
	}
	require.Zero(t, w.Value(), "forgiven after %d successes", Max)
	require.Equal(t, Max, w.Peak())
	failed, succeeded := w.Counts()
	require.Equal(t, 100, failed)
	require.Equal(t, Max, succeeded)
}

// TestNothingIsSavedUp: a long good history delays an alarm by nothing.
func TestNothingIsSavedUp(t *testing.T) {
	var w Walk
	for range 100_000 {
		w.Success()
	}
	for range Alert - 1 {
		require.NotEqual(t, Alert, w.Failure())
	}
	require.Equal(t, Alert, w.Failure())
	_, succeeded := w.Counts()
	require.Equal(t, math.MaxUint16, succeeded, "no overflow")
}

// TestThresholdReachedAgain: an alarm can be raised anew after a way down.
func TestThresholdReachedAgain(t *testing.T) {
	w := Resume(Alert - 1)
	require.Equal(t, Alert, w.Failure())
	require.Zero(t, w.Failure())
	w.Success()
	w.Success()
	require.Equal(t, Alert, w.Failure())
}

func TestResume(t *testing.T) {
	for value, want := range map[int]int{-5: 0, 0: 0, 7: 7, Max: Max, 1000: Max} {
		w := Resume(value)
		require.Equal(t, want, w.Value())
		require.Equal(t, want, w.Peak())
	}
}

// TestWithdrawOfNothing: a withdrawal too many is a success.
func TestWithdrawOfNothing(t *testing.T) {
	var w Walk
	w.Withdraw()
	failed, succeeded := w.Counts()
	require.Equal(t, []int{0, 0, 1}, []int{w.Value(), failed, succeeded})
}

func TestWithdrawKeepsSaturatedCount(t *testing.T) {
	var w Walk
	for range math.MaxUint16 + 5 {
		w.Failure()
	}
	w.Withdraw()
	failed, _ := w.Counts()
	require.Equal(t, math.MaxUint16, failed, "or more, still")
}

// exact is the walk with all its steps kept.
type exact []bool

func (steps exact) value() (v int) {
	for _, failure := range steps {
		if failure {
			v = min(v+1, Max)
		} else {
			v = max(v-1, 0)
		}
	}
	return v
}

// TestWalkAgainstSteps compares with the steps played anew, withdrawn ones as the
// successes they were.
func TestWalkAgainstSteps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var w Walk
		var steps exact
		withdrawn := 0
		for _, op := range rapid.SliceOfN(rapid.SampledFrom([]string{"fail", "fail", "succeed", "withdraw"}), 1, 200).Draw(t, "steps") {
			switch op {
			case "fail":
				before := w.Value()
				reached := w.Failure()
				require.Equal(t, before < w.Value() && (w.Value() == Suspect || w.Value() == Alert), reached != 0)
				steps = append(steps, true)
			case "succeed":
				w.Success()
				steps = append(steps, false)
			case "withdraw":
				var failures []int
				for i, failure := range steps {
					if failure {
						failures = append(failures, i)
					}
				}
				if len(failures) == 0 {
					continue
				}
				w.Withdraw()
				steps[rapid.SampledFrom(failures).Draw(t, "which")] = false
				withdrawn++
			}
			want := steps.value()
			require.LessOrEqual(t, w.Value(), want, "never accuses for what was withdrawn")
			require.GreaterOrEqual(t, w.Value(), want-2*withdrawn)
			if withdrawn == 0 {
				require.Equal(t, want, w.Value())
			}
		}
		var failed, succeeded int
		for _, failure := range steps {
			if failure {
				failed++
			} else {
				succeeded++
			}
		}
		gotFailed, gotSucceeded := w.Counts()
		require.Equal(t, []int{failed, succeeded}, []int{gotFailed, gotSucceeded})
	})
}

// TestNoAllocation: a walk does not touch the heap.
func TestNoAllocation(t *testing.T) {
	var w Walk
	require.Zero(t, testing.AllocsPerRun(100, func() {
		w.Failure()
		w.Success()
		w.Withdraw()
	}))
}
