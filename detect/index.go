package detect

// index finds the numbers of records by their hash: open addressing with linear
// probing over 8-byte slots, which hold the upper half of the hash beside the number.
// That half alone says where a record belongs, so that a search touches a record only to
// confirm it, and growing touches none. It doubles at two thirds.
type index struct {
	slots []uint64 // tag<<32 | number+1; 0: free
	held  int
}

// none is no number.
const none = ^uint32(0)

// resident makes a table whose pages are there. Reading a page that was never
// written and then writing it, as a lookup and an insertion do, costs two faults, the
// second with an interrupt of every other processor.
func resident[T any](n int) []T {
	t := make([]T, n)
	clear(t)
	return t
}

// newIndex makes an index with so many slots, a power of two.
func newIndex(slots int) index { return index{slots: make([]uint64, slots)} }

// home is where what has a hash, or a slot with such a tag, belongs.
func (x *index) home(tagged uint64) uint64 { return tagged >> 32 & uint64(len(x.slots)-1) }

// first is the first record that may have a hash, and where to look for the next one.
func (x *index) first(hash uint64) (n uint32, at uint64) { return x.search(hash, x.home(hash)) }

// next is the record after the one that was found before.
func (x *index) next(hash, at uint64) (n uint32, after uint64) {
	return x.search(hash, (at+1)&uint64(len(x.slots)-1))
}

func (x *index) search(hash, at uint64) (uint32, uint64) {
	mask := uint64(len(x.slots) - 1)
	for ; ; at = (at + 1) & mask {
		switch s := x.slots[at&mask]; {
		case s == 0:
			return none, at
		case s>>32 == hash>>32:
			return uint32(s) - 1, at
		}
	}
}

// add notes a record that is not there yet.
func (x *index) add(hash uint64, n uint32) {
	if 3*(x.held+1) > 2*len(x.slots) {
		x.grow()
	}
	x.place(hash>>32<<32 | uint64(n+1))
	x.held++
}

func (x *index) place(slot uint64) {
	mask := uint64(len(x.slots) - 1)
	at := x.home(slot)
	for x.slots[at&mask] != 0 {
		at = (at + 1) & mask
	}
	x.slots[at] = slot
}

func (x *index) grow() {
	old := x.slots
	x.slots = resident[uint64](2 * len(old))
	for _, s := range old {
		if s != 0 {
			x.place(s)
		}
	}
}

// remove forgets a record, and moves up what was displaced by it.
func (x *index) remove(hash uint64, n uint32) {
	mask := uint64(len(x.slots) - 1)
	gap := x.home(hash)
	for uint32(x.slots[gap]) != n+1 {
		gap = (gap + 1) & mask
	}
	for at := (gap + 1) & mask; x.slots[at] != 0; at = (at + 1) & mask {
		if (at-x.home(x.slots[at]))&mask >= (at-gap)&mask {
			x.slots[gap] = x.slots[at]
			gap = at
		}
	}
	x.slots[gap] = 0
	x.held--
}
