package tier

// blockWords is a block of a filter: 512 bits, a cache line.
const blockWords = 8

// filter is a Bloom filter whose probes for a key lie in one block (Putze,
// Sanders and Singler 2007), six of them at 16 bits for a key.
type filter struct {
	words []uint64
	keys  int
}

func newFilter(capacity int) filter { return filter{words: make([]uint64, capacity*16/64)} }

// full reports whether the filter holds what it was made for. With more, it would
// know everybody.
func (f *filter) full() bool { return f.keys >= len(f.words)*64/16 }

// probe returns the block of a key, and the bits in it as nine at a time.
func (f *filter) probe(h uint64) (block []uint64, at uint64) {
	n := uint64(len(f.words)/blockWords - 1)
	return f.words[(h&n)*blockWords:][:blockWords], mix(h|1, 0x9e3779b97f4a7c15)
}

func (f *filter) has(h uint64) bool {
	block, at := f.probe(h)
	for range 6 {
		if block[at>>6&7]>>(at&63)&1 == 0 {
			return false
		}
		at >>= 9
	}
	return true
}

func (f *filter) add(h uint64) {
	block, at := f.probe(h)
	for range 6 {
		block[at>>6&7] |= 1 << (at & 63)
		at >>= 9
	}
	f.keys++
}

func (f *filter) empty() {
	clear(f.words)
	f.keys = 0
}

// door lets in who comes in a second hour.
type door struct {
	now, before filter // this hour's, and those of hours before it
	since       int64  // the hour from which before is complete
	full        uint64 // sources that were not noted
}

// doorMemory is for how many hours the door remembers, at most.
const doorMemory = 7 * 24

// admits reports whether a source was here in an earlier hour, and notes it if not.
func (d *door) admits(h uint64) bool {
	switch {
	case d.before.has(h):
		return true
	case d.now.has(h):
	case d.now.full():
		d.full++
	default:
		d.now.add(h)
	}
	return false
}

// turn ends an hour. What it noted joins the earlier hours, or replaces them if
// both would be too many, or they are too old.
func (d *door) turn(ended, begun int64) {
	if begun-d.since <= doorMemory && d.now.keys+d.before.keys <= len(d.before.words)*64/16 {
		if d.now.keys == 0 {
			return
		}
		for i, w := range d.now.words {
			d.before.words[i] |= w
		}
		d.before.keys += d.now.keys
	} else {
		d.before, d.now = d.now, d.before
		d.since = ended
		if begun-d.since > doorMemory {
			d.before.empty()
		}
	}
	d.now.empty()
}
