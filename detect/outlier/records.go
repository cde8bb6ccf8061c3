package outlier

import "slices"

// record is what is known of one key: 40 bytes, without pointers.
type record struct {
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

// score is what it is worth to remember a record: an hour for every hour it was
// active in, less those it has been quiet for, and a little more while it is
// busy. A flood of pairs seen once thus takes its slots from one another.
func (r *record) score(hour int32) int {
	s := min(int(r.active), month) - int(hour-r.hour)
	if r.hour == hour {
		s += int(min(r.value, month))
	}
	return s
}

// ways is how many slots a key can be in.
const ways = 8

// records is a bounded table of them.
type records struct {
	buckets []bucket
	seed    uint64
	held    int
	evicted uint64
}

// bucket holds records by their keys' hashes, which fill a cache line.
type bucket struct {
	keys    [ways]uint64 // 0: free
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

// get finds the record of a key, rolled to an hour. If there is none, it takes the
// place of the one in its bucket with the lowest score, the first of equals.
func (t *records) get(key uint64, hour int32, by *rules) *record {
	key = max(spread(key^t.seed, 0), 1)
	b := &t.buckets[key&uint64(len(t.buckets)-1)]
	if i := slices.Index(b.keys[:], key); i >= 0 {
		b.records[i].roll(hour, by)
		return &b.records[i]
	}
	i := slices.Index(b.keys[:], 0)
	if i < 0 {
		i = b.worst(hour)
		t.evicted++
		t.held--
	}
	t.held++
	r := &b.records[i]
	b.keys[i], *r = key, record{}
	r.begin(hour)
	return r
}

func (b *bucket) worst(hour int32) (worst int) {
	for i := range b.records {
		if b.records[i].score(hour) < b.records[worst].score(hour) {
			worst = i
		}
	}
	return worst
}

// spread makes a hash of two words (SplitMix64): every bit of the first depends on
// all of both, so that keys and values need not be hashes themselves.
func spread(a, b uint64) uint64 {
	z := a + b*0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}
