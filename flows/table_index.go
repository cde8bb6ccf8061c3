package flows

import "encoding/binary"

// chunk is how many entries are allocated at a time: growing never copies.
const chunk = 1 << 12

// leastSlots is how many slots an index begins with.
const leastSlots = 1 << 12

// arena holds the entries and finds them by key: open addressing with linear
// probing over 8-byte slots, the lower half of the hash beside the number of
// the entry, so that a probe touches an entry only to confirm it, and moving a
// slot touches none: the half tells its home.
type arena struct {
	keys   keys
	chunks []*[chunk]entry
	free   []uint32
	next   uint32 // first entry never used
	live   int
	slots  []uint64 // hash<<32 | entry+1; 0 is empty
	mask   uint64
	hand   uint32 // where the search for an entry to drop goes on
}

// resident makes a table whose pages are there. Reading a page that was never
// written and then writing it, as a lookup and an insertion do, costs two faults, the
// second with an interrupt of every other processor.
func resident[T any](n int) []T {
	t := make([]T, n)
	clear(t)
	return t
}

func newArena(k keys) arena {
	return arena{keys: k, slots: make([]uint64, leastSlots), mask: leastSlots - 1}
}

func (a *arena) at(i uint32) *entry { return &a.chunks[i/chunk][i%chunk] }

// equal compares keys word by word, addresses' low halves first: in place, and most often
// done after the first.
func equal(a, b *Key) bool {
	return binary.LittleEndian.Uint64(a.Responder[8:]) == binary.LittleEndian.Uint64(b.Responder[8:]) &&
		binary.LittleEndian.Uint64(a.Initiator[8:]) == binary.LittleEndian.Uint64(b.Initiator[8:]) &&
		a.Port == b.Port && a.Proto == b.Proto && a.Class == b.Class &&
		binary.LittleEndian.Uint64(a.Responder[:8]) == binary.LittleEndian.Uint64(b.Responder[:8]) &&
		binary.LittleEndian.Uint64(a.Initiator[:8]) == binary.LittleEndian.Uint64(b.Initiator[:8])
}

func (a *arena) find(k *Key) (*entry, uint32) {
	h := a.keys.key(k)
	for i := h & a.mask; ; i = (i + 1) & a.mask {
		s := a.slots[i]
		if s == 0 {
			return nil, 0
		}
		if s>>32 == h&lower {
			n := uint32(s) - 1
			if e := a.at(n); equal(&e.key, k) {
				return e, n
			}
		}
	}
}

// insert makes an entry for a key that is not there.
func (a *arena) insert(k *Key) (*entry, uint32) {
	if uint64(a.live)*3 >= a.mask*2 {
		a.grow()
	}
	n, gen := a.take()
	e := a.at(n)
	*e = entry{key: *k, gen: gen, state: stateUsed}
	a.live++
	a.link(k, n)
	return e, n
}

// take finds room for an entry, and the generation it is to have. An entry never
// used is not looked at: reading memory before writing it costs a page fault more.
func (a *arena) take() (n uint32, gen uint16) {
	if l := len(a.free); l > 0 {
		n = a.free[l-1]
		a.free = a.free[:l-1]
		return n, a.at(n).gen
	}
	n = a.next
	a.next++
	if int(n/chunk) == len(a.chunks) {
		a.chunks = append(a.chunks, new([chunk]entry))
	}
	return n, 0
}

func (a *arena) link(k *Key, n uint32) { a.place(a.keys.key(k)<<32 | uint64(n+1)) }

// lower is the half of a hash that is in a slot.
const lower = 1<<32 - 1

// place puts a slot where it is found.
func (a *arena) place(slot uint64) {
	i := slot >> 32 & a.mask
	for a.slots[i] != 0 {
		i = (i + 1) & a.mask
	}
	a.slots[i] = slot
}

// unlink takes a key out of the index, closing the gap behind it, so that no
// markers of deleted entries pile up.
func (a *arena) unlink(k *Key) {
	h := a.keys.key(k)
	i := h & a.mask
	for {
		s := a.slots[i]
		if s == 0 {
			return
		}
		if s>>32 == h&lower && a.at(uint32(s)-1).key == *k {
			break
		}
		i = (i + 1) & a.mask
	}
	gap := i
	for j := (i + 1) & a.mask; a.slots[j] != 0; j = (j + 1) & a.mask {
		home := a.slots[j] >> 32
		if (j-home)&a.mask >= (j-gap)&a.mask {
			a.slots[gap] = a.slots[j]
			gap = j
		}
	}
	a.slots[gap] = 0
}

// drop frees an entry. Its generation moves on, so that its timers are void.
func (a *arena) drop(e *entry, n uint32) {
	a.unlink(&e.key)
	e.gen++
	e.state = 0
	a.free = append(a.free, n)
	a.live--
}

func (a *arena) grow() {
	old := a.slots
	a.slots = resident[uint64](2 * len(old))
	a.mask = uint64(len(a.slots) - 1)
	for _, s := range old {
		if s != 0 {
			a.place(s)
		}
	}
}
