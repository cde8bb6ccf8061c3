package tier

import (
	"math"
	"math/bits"
)

// suspect is 32 bytes, without pointers. The fields of a ledger are packed into
// two of its words.
type suspect struct {
	seen [2]uint64 // the linear counter of targets
	low  uint64
	tag  uint32 // 31 bits of the source's hash, and hit; 0: a free slot
	hour uint16 // the last it failed in, counted from 1970, as far as it goes
	high uint16
}

// hit is the bit of a tag that says that the suspect once passed a threshold.
const hit = 1

// tagOf leaves room for that bit, and is never 0.
func tagOf(h uint64) uint32 {
	return max(uint32(h>>33), 1) << 1
}

// Indices of the counts by period.
const (
	hourly = iota
	daily
	weekly
	periods
)

// ledger is what a suspect did lately.
type ledger struct {
	hours        uint32         // bit n: it failed in the n-th hour before the last one it failed in
	now, earlier [periods]uint8 // new targets in the current period and in the one before
	days, before uint8          // days it failed on, in the current week and the one before
	month        uint8          // days it failed on, in the 30-day period
}

// The greatest numbers that fit.
var most = [periods]uint8{31, 63, 127}

const dayHours = 1<<24 - 1

func (s *suspect) open() (l ledger) {
	w := s.low
	take := func(n int) uint8 {
		v := uint8(w & (1<<n - 1))
		w >>= n
		return v
	}
	l.hours = uint32(w & dayHours)
	w >>= 24
	l.now[hourly], l.earlier[hourly] = take(5), take(5)
	l.now[daily], l.earlier[daily] = take(6), take(6)
	l.now[weekly] = take(7)
	l.days, l.before, l.month = take(3), take(3), take(5)
	l.earlier[weekly] = uint8(s.high)
	return l
}

func (s *suspect) close(l *ledger) {
	var w uint64
	put := func(v uint8, n int) { w = w<<n | uint64(v) }
	put(l.month, 5)
	put(l.before, 3)
	put(l.days, 3)
	put(l.now[weekly], 7)
	put(l.earlier[daily], 6)
	put(l.now[daily], 6)
	put(l.earlier[hourly], 5)
	put(l.now[hourly], 5)
	s.low = w<<24 | uint64(l.hours)
	s.high = uint16(l.earlier[weekly])
}

// quiet is for how many hours the suspect has not failed.
func (s *suspect) quiet(hour int64) int64 { return int64(uint16(hour) - s.hour) }

// roll moves to an hour in which the suspect fails.
func (s *suspect) roll(l *ledger, hour int64) {
	gap := s.quiet(hour)
	if gap == 0 {
		return
	}
	last := hour - gap
	s.hour = uint16(hour)
	l.hours = uint32(uint64(l.hours)<<min(gap, 24))&dayHours | 1
	day, before := floorDiv(hour, 24), floorDiv(last, 24)
	l.turn(hourly, gap)
	l.turn(daily, day-before)
	week := floorDiv(day, 7) - floorDiv(before, 7)
	l.turn(weekly, week)
	switch {
	case week == 1:
		l.days, l.before = 0, l.days
	case week > 1:
		l.days, l.before = 0, 0
	}
	if floorDiv(day, 30) != floorDiv(before, 30) {
		s.seen, l.month = [2]uint64{}, 0
	}
	if day != before {
		l.days++
		l.month++
	}
}

// turn moves the count of a period so many periods on.
func (l *ledger) turn(period int, on int64) {
	switch {
	case on == 1:
		l.now[period], l.earlier[period] = 0, l.now[period]
	case on > 1:
		l.now[period], l.earlier[period] = 0, 0
	}
}

// begin is the first failure of a suspect.
func (s *suspect) begin(tag uint32, hour int64) {
	*s = suspect{tag: tag, hour: uint16(hour)}
	s.close(&ledger{hours: 1, days: 1, month: 1})
}

// count adds a target, by its bit.
func (s *suspect) count(l *ledger, bit uint64) {
	word, b := &s.seen[bit>>6&1], uint64(1)<<(bit&63)
	if *word&b != 0 {
		return // it is not new
	}
	before := s.distinct()
	*word |= b
	more := s.distinct() - before
	for p := range periods {
		l.now[p] = uint8(min(int(l.now[p])+more, int(most[p])))
	}
}

// distinct is how many targets the counter has most likely seen.
func (s *suspect) distinct() int { return estimate(s.set()) }

// set is how many bits of the counter are set.
func (s *suspect) set() int {
	return bits.OnesCount64(s.seen[0]) + bits.OnesCount64(s.seen[1])
}

// estimate is how many distinct targets have most likely set so many of 128 bits.
// When all are set, half a bit is taken to be left.
func estimate(set int) int {
	return int(math.Round(-128 * math.Log(max(float64(128-set), 0.5)/128)))
}

// spent begins the counting anew, after a hit.
func (s *suspect) spent(l *ledger) {
	s.seen, s.tag = [2]uint64{}, s.tag|hit
	l.now, l.earlier = [periods]uint8{}, [periods]uint8{}
}

// Hours that a suspect is remembered for, for each target, and at most.
const (
	perTarget = 48
	longest   = 30 * 24
)

// score is for how many more hours the suspect is worth remembering.
func (s *suspect) score(hour int64) int64 {
	worth := int64(longest)
	if s.tag&hit == 0 {
		worth = min(worth, perTarget*int64(max(s.set(), 1)))
	}
	return worth - s.quiet(hour)
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
