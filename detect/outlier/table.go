package outlier

// nsPerHour is an hour in ns.
const nsPerHour = 3600 * 1_000_000_000

// Key names what an observation is of, by hashes that the caller keeps apart:
// the pair (with the protocol, if protocols are to be told apart), its source and
// its destination.
type Key struct{ Pair, Source, Destination uint64 }

// Level is whose earlier hours an hour was compared with.
type Level uint8

// The levels, in the order in which they are asked: the first with enough history
// decides. A pair is compared with its own hours; otherwise with the most that any
// pair of the same source, of the same destination, or of the site did in an
// hour.
const (
	Pair Level = iota
	Source
	Destination
	Site
	levels
)

// String returns pair, source, destination or site.
func (l Level) String() string {
	if l >= levels {
		return "unknown"
	}
	return [levels]string{"pair", "source", "destination", "site"}[l]
}

// Finding is an hour far above the earlier ones, as it stood when it got there.
type Finding struct {
	Value     int     // distinct values in this hour so far
	AtLeast   bool    // Value is a lower bound: not all values could be kept
	N         int     // earlier hours compared with
	Mean, SD  float64 // of those, clipped and weighted
	Threshold float64 // Mean + Sigmas·max(SD, 1), which Value exceeds
	Level     Level
}

// Stats are totals since New, and what is held now.
type Stats struct {
	Pairs, Sources, Destinations Occupancy
	Values                       int            // distinct values held, of the current hour
	Findings                     [levels]uint64 // by Level
	Capped                       uint64         // hours of a pair that are known as lower bounds only
	Full                         uint64         // values left out because Config.Values were held
}

// Occupancy is how full a table is, and how often it was too full.
type Occupancy struct {
	Held    int
	Evicted uint64
}

// Table counts distinct values by pair and hour. Not safe for concurrent use.
type Table struct {
	rules                        rules
	exact                        uint32
	pairs, sources, destinations records
	active                       []uint32 // places of pairs that have been active in this hour
	site                         record
	values                       values
	owner                        uint32 // the latest that was given to a pair's hour
	hour                         int32
	begun                        bool
	findings                     [levels]uint64
	capped, full                 uint64
}

// New returns an empty table with all the memory it will ever use.
func New(c Config) *Table {
	c = c.withDefaults()
	t := &Table{
		rules:        c.rules(),
		exact:        uint32(min(c.Exact, 1<<31-1)),
		pairs:        newRecords(c.Pairs, spread(c.Seed, 1)),
		sources:      newRecords(c.Sources, spread(c.Seed, 2)),
		destinations: newRecords(c.Destinations, spread(c.Seed, 3)),
		values:       newValues(c.Values, spread(c.Seed, 4)),
	}
	t.active = make([]uint32, 0, len(t.pairs.buckets)*ways)
	t.pairs.leave = t.leave
	return t
}

// Observe notes that a pair showed a value at a time in ns of the line clock, of
// which hours are counted from 1970; a time before the latest one is taken as that
// one. It reports the hour, once, at the value that makes it far out.
func (t *Table) Observe(k Key, value uint64, now int64) (Finding, bool) {
	t.turn(now)
	n, i := t.pairs.get(k.Pair, t.hour, &t.rules)
	b := &t.pairs.buckets[n]
	if b.busy[i] == 0 {
		t.active = append(t.active, uint32(n*ways+i))
		b.busy[i] = 1
	}
	pair := &b.records[i]
	pair.source, pair.destination = k.Source, k.Destination
	if !t.count(pair, value) {
		return Finding{}, false
	}
	b.busy[i] = uint16(min(pair.value, month))
	t.site.value = max(t.site.value, pair.value)
	return t.judge(pair)
}

// leave takes to its source and destination what a pair did in this hour, before it makes room.
// One value is no more than that it was there.
func (t *Table) leave(b *bucket, i int) {
	if b.busy[i] > 1 {
		t.share(&b.records[i])
	}
}

// share takes to its source and destination what a pair did in the hour.
func (t *Table) share(pair *record) {
	n, i := t.sources.get(pair.source, t.hour, &t.rules)
	source := &t.sources.buckets[n].records[i]
	source.value = max(source.value, pair.value)
	n, i = t.destinations.get(pair.destination, t.hour, &t.rules)
	destination := &t.destinations.buckets[n].records[i]
	destination.value = max(destination.value, pair.value)
}

// turn begins the hour of a time, if that is a later one.
func (t *Table) turn(now int64) {
	h := now / nsPerHour
	if now%nsPerHour < 0 {
		h--
	}
	hour := int32(h) // 2.6 million hours are all that 64 bits of ns can tell
	if t.begun && hour <= t.hour {
		return
	}
	if t.begun {
		for _, place := range t.active {
			b, i := &t.pairs.buckets[place/ways], place%ways
			t.share(&b.records[i])
			b.busy[i] = 0
		}
		t.active = t.active[:0]
		t.values.empty()
		t.site.roll(hour, &t.rules)
	} else {
		t.site.begin(hour)
	}
	t.hour, t.owner, t.begun = hour, 0, true
}

// count adds a value to the pair's hour, and reports whether it was another one.
func (t *Table) count(pair *record, value uint64) bool {
	if pair.set == 0 {
		t.owner++
		pair.set = t.owner
	}
	slot, known := t.values.place(pair.set, value)
	if known {
		return false
	}
	if full := t.values.full(); full || pair.value >= t.exact {
		if full {
			t.full++
		}
		if !pair.capped {
			pair.capped = true
			t.capped++
		}
		return false
	}
	t.values.keep(slot, pair.set, value)
	pair.value++
	return true
}

// judge compares the pair's hour with the earlier hours of the first level that
// has enough of them.
func (t *Table) judge(pair *record) (Finding, bool) {
	value := float64(pair.value)
	if pair.found || value < t.rules.floor {
		return Finding{}, false
	}
	for l, r := range t.compared(pair) {
		if r == nil || r.n < t.rules.history {
			continue
		}
		limit := r.threshold(&t.rules)
		if value <= limit {
			return Finding{}, false
		}
		pair.found = true
		t.findings[l]++
		return Finding{
			Value: int(pair.value), AtLeast: pair.capped, N: int(r.n), Mean: r.mean,
			SD: r.deviation(&t.rules), Threshold: limit, Level: Level(l),
		}, true
	}
	return Finding{}, false
}

// Stats returns totals and what is held.
func (t *Table) Stats() Stats {
	return Stats{
		Pairs:        Occupancy{t.pairs.held, t.pairs.evicted},
		Sources:      Occupancy{t.sources.held, t.sources.evicted},
		Destinations: Occupancy{t.destinations.held, t.destinations.evicted},
		Values:       t.values.used, Findings: t.findings, Capped: t.capped, Full: t.full,
	}
}

// Now returns how the hour of a pair stands that was observed last: as a finding,
// whether it is one or not. N is 0 where nobody's earlier hours are enough.
func (t *Table) Now(k Key) (f Finding) {
	pair := t.pairs.find(k.Pair, t.hour, &t.rules)
	if pair == nil {
		return f
	}
	f.Value, f.AtLeast = int(pair.value), pair.capped
	for l, r := range t.compared(pair) {
		if r != nil && r.n >= t.rules.history {
			f.N, f.Mean, f.SD = int(r.n), r.mean, r.deviation(&t.rules)
			f.Threshold, f.Level = r.threshold(&t.rules), Level(l)
			break
		}
	}
	return f
}

// compared are whose earlier hours a pair may be compared with, by Level; nil where there is
// none.
func (t *Table) compared(pair *record) [levels]*record {
	return [levels]*record{
		pair,
		t.sources.find(pair.source, t.hour, &t.rules),
		t.destinations.find(pair.destination, t.hour, &t.rules),
		&t.site,
	}
}
