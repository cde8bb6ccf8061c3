package tier

import "math/bits"

// Tier is what a suspect has passed.
type Tier uint8

// The tiers, in the order in which they are asked.
const (
	Hour Tier = iota
	Day
	Week
	Month
	tiers
)

// String returns hour, day, week or month.
func (t Tier) String() string {
	if t >= tiers {
		return "unknown"
	}
	return [tiers]string{"hour", "day", "week", "month"}[t]
}

// Hit is a suspect that passed a threshold. What it reports is spent: the next
// hit of the same source takes as many targets again.
type Hit struct {
	Tier        Tier
	Distinct    int   // failed targets in the tier's periods, estimated
	ActiveHours int   // of the last 24 hours, those in which it failed
	ActiveDays  int   // days on which it failed: of this and the last week for Week, else of the 30-day period
	Since       int64 // ns: when the earliest period that was counted began
}

// Stats are totals since New, and what is held now.
type Stats struct {
	Suspects int
	Admitted uint64        // sources that became suspects
	Barred   uint64        // failures of sources that the door did not let in
	Unnoted  uint64        // of those, by sources that the door had no room to note
	Crowded  uint64        // sources let in for whom there was no slot worth giving
	Evicted  uint64        // suspects that made room
	Expired  uint64        // suspects forgotten because they were quiet for long
	Hits     [tiers]uint64 // by Tier
}

// nsPerHour is an hour in ns.
const nsPerHour = 3600 * 1_000_000_000

// ways is how many slots a source can be in.
const ways = 8

// Table holds the suspects. Not safe for concurrent use.
type Table struct {
	config Config
	keys   keys
	slots  []suspect
	door   door
	hour   int64
	begun  bool
	hand   int // the slot that is looked at next for one to forget
	stats  Stats
}

// New returns an empty table with all the memory it will ever use. The error says
// which number of the Config is out of range.
func New(c Config) (*Table, error) {
	c, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	return &Table{
		config: c, keys: newKeys(c.Seed), slots: make([]suspect, c.Suspects),
		door: door{now: newFilter(c.Door), before: newFilter(c.Door)},
	}, nil
}

// Fail notes that a source failed at a target, given by a hash, at a time in ns of
// the line clock; a time before the latest one is taken as that one. Failures
// should be final: none can be taken back. It reports the tier passed, if any.
func (t *Table) Fail(source [16]byte, target uint64, now int64) (Hit, bool) {
	return t.fail(&source, target, now, false)
}

// FailKnown is Fail for a source that others have seen come again: it is not asked at the
// door.
func (t *Table) FailKnown(source [16]byte, target uint64, now int64) (Hit, bool) {
	return t.fail(&source, target, now, true)
}

func (t *Table) fail(source *[16]byte, target uint64, now int64, known bool) (Hit, bool) {
	t.turn(now)
	t.sweep()
	h := t.keys.source(source)
	s := t.find(h)
	if s == nil {
		if s = t.admit(h, known); s == nil {
			return Hit{}, false
		}
	}
	l := s.open()
	s.roll(&l, t.hour)
	s.count(&l, t.keys.bit(target))
	found, ok := t.judge(s, &l)
	if ok {
		s.spent(&l)
		t.stats.Hits[found.Tier]++
	}
	s.close(&l)
	return found, ok
}

// Stats returns totals and what is held.
func (t *Table) Stats() Stats {
	s := t.stats
	s.Unnoted = t.door.full
	return s
}

// turn begins the hour of a time, if that is a later one.
func (t *Table) turn(now int64) {
	hour := floorDiv(now, nsPerHour)
	switch {
	case !t.begun:
		t.begun = true
		t.door.since = hour
	case hour > t.hour:
		t.door.turn(t.hour, hour)
	default:
		return
	}
	t.hour = hour
}

// judge compares with the thresholds, the shortest period first.
func (t *Table) judge(s *suspect, l *ledger) (Hit, bool) {
	c := &t.config
	f := Hit{ActiveHours: bits.OnesCount32(l.hours), ActiveDays: int(l.month)}
	day := floorDiv(t.hour, 24)
	for _, p := range [periods]struct {
		tier    Tier
		limit   int
		active  bool
		current int64 // the period now, and its hours
		length  int64
	}{
		{Hour, c.Hour, true, t.hour, 1},
		{Day, c.Day, f.ActiveHours >= c.Active, day, 24},
		{Week, c.Week, int(l.days+l.before) >= c.Active, floorDiv(day, 7), 7 * 24},
	} {
		if n := int(l.now[p.tier]) + int(l.earlier[p.tier]); n >= p.limit && p.active {
			f.Tier, f.Distinct = p.tier, n
			if l.earlier[p.tier] > 0 {
				p.current--
			}
			f.Since = p.current * p.length * nsPerHour
			if p.tier == Week {
				f.ActiveDays = int(l.days + l.before)
			}
			return f, true
		}
	}
	f.Distinct = s.distinct()
	if f.Distinct < c.Month || int(l.month) < c.Active {
		return Hit{}, false
	}
	f.Tier = Month
	f.Since = floorDiv(day, 30) * 30 * 24 * nsPerHour
	return f, true
}

// Counts returns what a source's counts stand at, by Tier, as judged at its latest
// failure: all 0 where it is no suspect, or what it did is spent.
func (t *Table) Counts(source [16]byte) (counts [Month + 1]int) {
	s := t.find(t.keys.source(&source))
	if s == nil {
		return counts
	}
	l := s.open()
	for p := range periods {
		counts[p] = int(l.now[p]) + int(l.earlier[p])
	}
	counts[Month] = s.distinct()
	return counts
}
