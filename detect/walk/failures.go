package walk

import (
	"math"
	"math/bits"
)

// FailureWindow is the time in ns within which [Failures] counts, and
// FailureLimit the count that calls for an alarm: bro-simple-scan's limit for
// remote sources, far above what an ordinary source fails at in an hour.
const (
	FailureWindow = 3600 * 1_000_000_000
	FailureLimit  = 25
)

// Failures counts the distinct targets that failed a source. Successes
// elsewhere do not enter: only a target's own failure can be withdrawn. The zero
// value has counted nothing.
//
// Targets live in a linear counter of 64 bits for each of two windows on end, the
// current and the one before. So whatever failed within any FailureWindow is
// counted together, and what is counted together lies within two. The count is an
// estimate: at 25 its standard deviation is 2.4, and it grows to 300 at most.
// Not safe for concurrent use.
type Failures struct {
	failed, withdrawn [2]uint64 // of this window and of the one before
	window            int64     // which one it is, counted from 1970
}

// Fail notes that a target, named by a keyed hash of all 64 bits, failed at a
// time in ns of the line clock. It returns the count, and whether this target
// took it up to FailureLimit.
func (f *Failures) Fail(target uint64, now int64) (count int, reached bool) {
	f.turn(now)
	before := f.count()
	f.failed[0] |= bit(target)
	count = f.count()
	return count, before < FailureLimit && count >= FailureLimit
}

// Withdraw takes back that a target failed: it became productive after all. It
// then counts as failed no more in this window, whatever else it does.
func (f *Failures) Withdraw(target uint64, now int64) {
	f.turn(now)
	if b := bit(target); (f.failed[0]|f.failed[1])&b != 0 {
		f.failed[0] |= b
		f.withdrawn[0] |= b
	}
}

// Count returns how many distinct targets have failed, at a time in ns.
func (f *Failures) Count(now int64) int {
	f.turn(now)
	return f.count()
}

// turn moves on to the window of a time. A time before it stays in it.
func (f *Failures) turn(now int64) {
	w := now / FailureWindow
	if now < 0 {
		w = (now+1)/FailureWindow - 1
	}
	switch {
	case f.failed[0]|f.failed[1] == 0: // nothing to lose
		f.window = w
	case w == f.window+1:
		f.failed = [2]uint64{0, f.failed[0]}
		f.withdrawn = [2]uint64{0, f.withdrawn[0]}
		f.window = w
	case w > f.window:
		*f = Failures{window: w}
	}
}

// count sets the targets withdrawn off against those failed. Clearing their bits
// instead would clear other targets with them, and a source with many services to
// succeed at could wipe out its failures that way.
func (f *Failures) count() int {
	failed, withdrawn := f.failed[0]|f.failed[1], f.withdrawn[0]|f.withdrawn[1]
	return max(0, estimate(failed)-estimate(withdrawn))
}

func bit(target uint64) uint64 { return 1 << (target & 63) }

// estimate is how many distinct targets have most likely set the bits that are
// set (Whang, Vander-Zanden and Taylor 1990). When all are set, half a bit is
// taken to be left.
func estimate(set uint64) int {
	zeros := max(float64(64-bits.OnesCount64(set)), 0.5)
	return int(math.Round(-64 * math.Log(zeros/64)))
}
