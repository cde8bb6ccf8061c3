package detect

// index finds the numbers of records by their hash: open addressing with linear
// probing over 8-byte slots, which hold the upper half of the hash beside the number,
// so that a search touches a record only to confirm it. It doubles at two thirds.
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

func newIndex() index { return index{slots: make([]uint64, 1<<6)} }

// first is the first record that may have a hash, and where to look for the next one.
func (x *index) first(hash uint64) (n uint32, at uint64) {
	return x.search(hash, hash&uint64(len(x.slots)-1))
}

// next is the record after the one that was found before.
func (x *index) next(hash, at uint64) (n uint32, after uint64) {
	return x.search(hash, (at+1)&uint64(len(x.slots)-1))
}

func (x *index) search(hash, at uint64) (uint32, uint64) {
	mask := uint64(len(x.slots) - 1)
	for ; ; at = (at + 1) & mask {
		switch s := x.slots[at]; {
		case s == 0:
			return none, at
		case s>>32 == hash>>32:
			return uint32(s) - 1, at
		}
	}
}

// add notes a record that is not there yet. hashOf is the hash of a record.
func (x *index) add(hash uint64, n uint32, hashOf func(uint32) uint64) {
	if 3*(x.held+1) > 2*len(x.slots) {
		x.grow(hashOf)
	}
	x.place(hash, n)
	x.held++
}

func (x *index) place(hash uint64, n uint32) {
	mask := uint64(len(x.slots) - 1)
	at := hash & mask
	for x.slots[at] != 0 {
		at = (at + 1) & mask
	}
	x.slots[at] = hash>>32<<32 | uint64(n+1)
}

func (x *index) grow(hashOf func(uint32) uint64) {
	old := x.slots
	x.slots = resident[uint64](2 * len(old))
	for _, s := range old {
		if s != 0 {
			n := uint32(s) - 1
			x.place(hashOf(n), n)
		}
	}
}

// remove forgets a record, and moves up what was displaced by it.
func (x *index) remove(hash uint64, n uint32, hashOf func(uint32) uint64) {
	mask := uint64(len(x.slots) - 1)
	gap := hash & mask
	for uint32(x.slots[gap]) != n+1 {
		gap = (gap + 1) & mask
	}
	for at := (gap + 1) & mask; x.slots[at] != 0; at = (at + 1) & mask {
		home := hashOf(uint32(x.slots[at])-1) & mask
		if (at-home)&mask >= (at-gap)&mask {
			x.slots[gap] = x.slots[at]
			gap = at
		}
	}
	x.slots[gap] = 0
	x.held--
}
