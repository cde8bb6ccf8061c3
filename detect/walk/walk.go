package walk

import "math"

// Thresholds of the walk, in failures beyond successes. Both are the least k with
// 4^k ≥ beta/alpha (Wald) at a detection probability beta of 0.99. For an
// ordinary source that fails at one first contact in five, the mean number of
// first contacts between two false alarms is 560 at Suspect and 582,525 at Alert.
const (
	Suspect = 4 // alpha 0.01, as in the paper and in Bro's trw-impl.bro
	Alert   = 9 // alpha 0.00001
)

// Max is where the walk stops climbing. It bounds how long a source is held to
// what it once was: from here, 18 successes lead back to 0.
const Max = 2 * Alert

// Walk is the walk of one source. The zero value stands at 0. Feed it first
// contacts only, the first attempt of the source at each target: a source that
// retries one dead server is no scanner. Not safe for concurrent use.
type Walk struct {
	failed, succeeded uint16
	value, peak       uint8
}

// Resume returns a walk that goes on from a value that was kept elsewhere, from
// 0 to Max (more is taken as Max). What had led there is not known to it.
func Resume(value int) Walk {
	v := uint8(min(max(value, 0), Max))
	return Walk{value: v, peak: v}
}

// Failure notes a first contact that failed. It returns Suspect or Alert if that
// took the walk up to it, otherwise 0. After a way down the same threshold can be
// reached again.
func (w *Walk) Failure() (reached int) {
	w.failed = increased(w.failed)
	if w.value == Max {
		return 0
	}
	w.value++
	w.peak = max(w.peak, w.value)
	if w.value == Suspect || w.value == Alert {
		return int(w.value)
	}
	return 0
}

// Success notes a first contact that succeeded.
func (w *Walk) Success() {
	w.succeeded = increased(w.succeeded)
	w.down(1)
}

// Withdraw turns a failure noted earlier into a success: the contact became
// productive after it had counted as failed. Where the walk would now stand
// depends on steps that are forgotten. It goes to the lowest value that they
// allow: never above the walk that had known from the start, nor more than 2
// below it for each failure withdrawn.
func (w *Walk) Withdraw() {
	w.succeeded = increased(w.succeeded)
	if w.failed > 0 && w.failed < math.MaxUint16 {
		w.failed--
	}
	w.down(2)
}

func (w *Walk) down(n uint8) { w.value -= min(n, w.value) }

// Value is where the walk stands: 0 to Max.
func (w *Walk) Value() int { return int(w.value) }

// Peak is the highest value the walk has had: 0 to Max. A failure withdrawn
// later does not lower it.
func (w *Walk) Peak() int { return int(w.peak) }

// Counts returns how many first contacts failed and succeeded, each at most
// 65535, which stands for that many or more.
func (w *Walk) Counts() (failed, succeeded int) { return int(w.failed), int(w.succeeded) }

// increased adds one and stays at the greatest number there is.
func increased(n uint16) uint16 {
	if n == math.MaxUint16 {
		return n
	}
	return n + 1
}
