package detect

import "slices"

// groupWays is how many groups share a bucket.
const groupWays = 7

// groupBucket holds groups by key. What a search or an eviction looks at fills two
// cache lines.
type groupBucket struct {
	keys   [groupWays]uint64 // 0: free
	sizes  [8]uint8          // of groups, up to 255
	until  [8]int64          // the line clock after which nothing of a group can lie in its window
	groups [groupWays]group
	_      [32]byte
}

// groupTable finds groups by key. It doubles whenever a bucket overflows; near its
// bound it forgets, of a bucket, the group with the fewest values, the one untouched
// for longest of those.
type groupTable struct {
	buckets []groupBucket
	blocks  blocks
	sets    binSets
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

// bucket is where a key belongs. The lowest bit of all keys is set.
func (t *groupTable) bucket(key uint64) int { return int(key >> 1 & uint64(len(t.buckets)-1)) }

// find is the group of a key, or nil.
func (t *groupTable) find(key uint64) *group {
	b := &t.buckets[t.bucket(key)]
	if i := slices.Index(b.keys[:], key); i >= 0 {
		return &b.groups[i]
	}
	return nil
}

// get is the group of a key, made if there is none. Nothing of it can count beyond
// until on the line clock.
func (t *groupTable) get(key uint64, until, now int64) (b *groupBucket, i int) {
	b = &t.buckets[t.bucket(key)]
	if i = slices.Index(b.keys[:], key); i < 0 {
		b, i = t.room(key, now)
		b.keys[i], b.until[i], b.groups[i] = key, until, group{}
		t.size++
	}
	b.until[i] = max(b.until[i], until)
	return b, i
}

// room finds a free slot for a key, if need be that of a group whose window is over,
// or of one that has to go.
func (t *groupTable) room(key uint64, now int64) (*groupBucket, int) {
	for {
		b := &t.buckets[t.bucket(key)]
		i := slices.Index(b.keys[:], 0)
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
		}
	}
}

// over is a group whose window is over, or -1.
func (b *groupBucket) over(now int64) int {
	for i := range b.keys {
		if b.keys[i] != 0 && b.until[i] < now {
			return i
		}
	}
	return -1
}

// evict forgets a group of a bucket, or if that has none of the next one.
func (t *groupTable) evict(from int) {
	for {
		b, worst := &t.buckets[from], -1
		for i := range b.keys {
			if b.keys[i] != 0 && (worst < 0 || b.poorer(i, b, worst)) {
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
	b.keys[i] = 0
	t.size--
}

// grow doubles the buckets: each is divided between two.
func (t *groupTable) grow() {
	old := t.buckets
	t.buckets = resident[groupBucket](2 * len(old))
	for n := range old {
		for i, key := range old[n].keys {
			if key == 0 {
				continue
			}
			b := &t.buckets[t.bucket(key)]
			for j := range b.keys {
				if b.keys[j] == 0 {
					b.keys[j], b.sizes[j], b.until[j], b.groups[j] = key, old[n].sizes[i], old[n].until[i], old[n].groups[i]
					break
				}
			}
		}
	}
}
