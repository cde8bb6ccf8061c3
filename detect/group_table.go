package detect

import (
	"math"
	"slices"
)

// groupWays is how many groups share a bucket.
const groupWays = 7

// groupBucket holds groups by key. What a search or an eviction looks at fills one cache
// line, and so does each group.
type groupBucket struct {
	tags   [groupWays]uint32 // of keys; 0: free
	until  [groupWays]uint32 // the tick after which nothing of a group can lie in its window
	sizes  [8]uint8          // of groups, up to 255
	groups [groupWays]group
}

// groupTable finds groups by key. It doubles whenever a bucket overflows; near its
// bound it forgets, of a bucket, the group with the fewest values, the one untouched
// for longest of those.
type groupTable struct {
	buckets []groupBucket
	blocks  blocks
	sets    binSets
	epoch   int64 // of ticks, on the line clock
	begun   bool  // there is one
	size    int
	max     int
	evicted uint64
}

// newGroupTable makes a table of so many groups for some rules.
func newGroupTable(bound int, rules []*compiledRule) groupTable {
	most, elements, bins := blockLeast, elementsEach*bound, 0
	for _, r := range rules {
		switch {
		case r.Sigma > 0:
		case r.sliding():
			most = max(most, r.keeps())
		default:
			most, bins = max(most, few), max(bins, r.Over+1)
		}
	}
	t := groupTable{buckets: make([]groupBucket, 1), max: bound}
	if bins > 0 { // values of sets take a third more than others
		elements /= 2
		t.sets.room = elements * 3 / 4
		t.sets.max = max(t.sets.room, bins)
	}
	t.blocks = newBlocks(most, elements)
	return t
}

// atOnce is for how many keys at a time as many values can be held as a rule fires at.
func (t *groupTable) atOnce(r *compiledRule) int {
	if !r.sliding() {
		return t.sets.room / (r.Over + 1)
	}
	for _, c := range t.blocks {
		if c.size >= r.keeps() {
			return c.room
		}
	}
	return 0
}

// never is a tick after all others.
const never = math.MaxUint32

// tick is a time of the line clock, in units of 67 ms since the first that was asked for:
// those of nine years differ.
func (t *groupTable) tick(line int64) uint32 {
	if !t.begun {
		t.epoch, t.begun = line, true
	}
	switch {
	case line == math.MaxInt64:
		return never
	case line < t.epoch:
		return 0
	}
	return uint32(min((uint64(line)-uint64(t.epoch))>>26, never-1))
}

// bucket is where a key belongs. The lowest bit of all keys is set.
func (t *groupTable) bucket(key uint64) int { return int(key >> 1 & uint64(len(t.buckets)-1)) }

// find is the place of a key in its bucket, or -1.
func (b *groupBucket) find(key uint64) int {
	tag := tagged(key)
	for i := range b.tags {
		if b.tags[i] == tag && b.groups[i].key == key {
			return i
		}
	}
	return -1
}

// find is the group of a key, or nil.
func (t *groupTable) find(key uint64) *group {
	b := &t.buckets[t.bucket(key)]
	if i := b.find(key); i >= 0 {
		return &b.groups[i]
	}
	return nil
}

// get is the group of a key, made if there is none. Nothing of it can count beyond
// until on the line clock.
func (t *groupTable) get(key uint64, until, now int64) (b *groupBucket, i int) {
	begun := t.tick(now)
	b = &t.buckets[t.bucket(key)]
	if i = b.find(key); i < 0 {
		b, i = t.room(key, begun)
		b.tags[i], b.until[i], b.groups[i] = tagged(key), 0, group{key: key}
		t.size++
	}
	b.until[i] = max(b.until[i], t.tick(until))
	return b, i
}

// room finds a free slot for a key, if need be that of a group whose window is over,
// or of one that has to go.
func (t *groupTable) room(key uint64, now uint32) (*groupBucket, int) {
	for {
		b := &t.buckets[t.bucket(key)]
		i := slices.Index(b.tags[:], 0)
		if i < 0 || t.size >= t.max {
			if over := b.over(now); over >= 0 {
				t.release(b, over)
				i = over
			}
		}
		switch {
		case i >= 0 && t.size < t.max:
			return b, i
		case 2*len(t.buckets)*groupWays <= t.max:
			t.grow()
		default:
			t.evict(t.bucket(key))
			return b, slices.Index(b.tags[:], 0)
		}
	}
}

// over is a group whose window is over, or -1.
func (b *groupBucket) over(now uint32) int {
	for i := range b.tags {
		if b.tags[i] != 0 && b.until[i] < now {
			return i
		}
	}
	return -1
}

// evict forgets a group of a bucket, or if that has none of the next one.
func (t *groupTable) evict(from int) {
	for {
		b, worst := &t.buckets[from], -1
		for i := range b.tags {
			if b.tags[i] != 0 && (worst < 0 || b.poorer(i, b, worst)) {
				worst = i
			}
		}
		if worst >= 0 {
			t.evicted++
			t.release(b, worst)
			return
		}
		from = (from + 1) % len(t.buckets)
	}
}

// poorer reports whether a group can be spared rather than another.
func (b *groupBucket) poorer(i int, than *groupBucket, j int) bool {
	return b.sizes[i] < than.sizes[j] || b.sizes[i] == than.sizes[j] && b.until[i] < than.until[j]
}

func (t *groupTable) release(b *groupBucket, i int) {
	g := &b.groups[i]
	if g.set {
		t.sets.free(g.place)
	} else {
		t.blocks.free(g)
	}
	b.tags[i] = 0
	t.size--
}

// grow doubles the buckets: each is divided between two.
func (t *groupTable) grow() {
	old := t.buckets
	t.buckets = resident[groupBucket](2 * len(old))
	for n := range old {
		from := &old[n]
		for i := range from.tags {
			if from.tags[i] == 0 {
				continue
			}
			b := &t.buckets[t.bucket(from.groups[i].key)]
			j := slices.Index(b.tags[:], 0)
			b.tags[j], b.sizes[j], b.until[j], b.groups[j] = from.tags[i], from.sizes[i], from.until[i], from.groups[i]
		}
	}
}
