package outlier

import "slices"

// record is what is known of one key: a cache line, without pointers.
type record struct {
	key uint64
	// Of a pair, the keys of its source and destination.
	source, destination uint64
	baseline
	hour   int32  // the hour it last had traffic in; those since are zeros
	value  uint32 // of that hour: distinct values of a pair; otherwise the most of any pair
	set    uint32 // owns the pair's values of that hour
	active uint16 // hours with traffic
	found  bool   // in that hour
	capped bool   // value is a lower bound
}

// roll takes what is over into the baseline, up to the hour before the given one.
func (r *record) roll(hour int32, by *rules) {
	if r.hour == hour {
		return
	}
	r.add(float64(r.value), by)
	r.quiet(uint32(hour-r.hour)-1, by)
	r.begin(hour)
}

// begin starts an hour with traffic.
func (r *record) begin(hour int32) {
	r.hour, r.value, r.set, r.found, r.capped = hour, 0, 0, false, false
	if r.active < 1<<16-1 {
		r.active++
	}
}

// month bounds what a record's age is worth, in hours.
const month = 30 * 24

// ways is how many slots a key can be in.
const ways = 8

// records is a bounded table of them.
type records struct {
	buckets []bucket
	seed    uint64
	held    int
	evicted uint64
	leave   func(*bucket, int) // is told of a record that makes room; may be nil
}

// bucket holds records by their keys' hashes. What a search or an eviction looks at
// fills one cache line, and so does each record.
//
// It is worth an hour to remember a record for every hour it was active in, less those
// it has been quiet for, and a pair a little more while it is busy. A flood of pairs seen once
// thus takes its slots from one another.
type bucket struct {
	tags    [ways]uint16 // of keys; 0: free
	busy    [ways]uint16 // of a pair that was active in the current hour, its values, up to a month's worth; else 0
	worth   [ways]int32  // the latest hour it was active in, and how many there were
	records [ways]record
}

func newRecords(n int, seed uint64) records {
	return records{buckets: resident[bucket](roundUp(n, ways) / ways), seed: seed}
}

// resident makes a table whose pages are there. Reading a page that was never
// written and then writing it, as a lookup and an insertion do, costs two faults, the
// second with an interrupt of every other processor.
func resident[T any](n int) []T {
	t := make([]T, n)
	clear(t)
	return t
}

// place is the bucket in which a key belongs, and its tag there.
func (t *records) place(key uint64) (n int, tag uint16) {
	h := spread(key^t.seed, 0)
	return int(h & uint64(len(t.buckets)-1)), uint16(h>>48) | 1
}

// find is the place of a key, or -1.
func (b *bucket) find(key uint64, tag uint16) int {
	for i := range b.tags {
		if b.tags[i] == tag && b.records[i].key == key {
			return i
		}
	}
	return -1
}

// find is the record of a key, rolled to an hour, or nil.
func (t *records) find(key uint64, hour int32, by *rules) *record {
	n, tag := t.place(key)
	b := &t.buckets[n]
	i := b.find(key, tag)
	if i < 0 {
		return nil
	}
	b.roll(i, hour, by)
	return &b.records[i]
}

// get is find, but makes a record if there is none, in the place of the one in its bucket that
// is worth least, the first of equals. It returns where that is.
func (t *records) get(key uint64, hour int32, by *rules) (n, i int) {
	n, tag := t.place(key)
	b := &t.buckets[n]
	if i = b.find(key, tag); i >= 0 {
		b.roll(i, hour, by)
		return n, i
	}
	if i = slices.Index(b.tags[:], 0); i < 0 {
		i = b.least()
		if t.leave != nil {
			t.leave(b, i)
		}
		t.evicted++
		t.held--
	}
	t.held++
	b.tags[i], b.records[i] = tag, record{key: key}
	b.records[i].begin(hour)
	b.weigh(i)
	return n, i
}

// roll rolls a record to an hour.
func (b *bucket) roll(i int, hour int32, by *rules) {
	if b.records[i].hour != hour {
		b.records[i].roll(hour, by)
		b.weigh(i)
	}
}

// weigh keeps what a record is worth.
func (b *bucket) weigh(i int) {
	b.worth[i] = b.records[i].hour + int32(min(b.records[i].active, month))
}

// least is the record worth least, the first of equals.
func (b *bucket) least() (least int) {
	for i := range b.worth {
		if b.worth[i]+int32(b.busy[i]) < b.worth[least]+int32(b.busy[least]) {
			least = i
		}
	}
	return least
}

// spread makes a hash of two words (SplitMix64): every bit of the first depends on
// all of both, so that keys and values need not be hashes themselves.
func spread(a, b uint64) uint64 {
	z := a + b*0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}
