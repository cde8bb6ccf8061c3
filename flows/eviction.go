package flows

const (
	// hands is how many entries an eviction looks at before it takes the best of
	// them.
	hands = 64
	// shake is after how many it is content with a silent one that has counted. In a
	// flood there are hardly others, and each look costs a cache line.
	shake = 4
)

// evict forgets one entry to make room: the first final one under the hand,
// else a silent one that has counted, else the oldest; never, if there is
// another, one younger than half a second. Conversations leave a tombstone, so that what
// is left of them is not taken for a probe.
func (t *Table) evict() {
	var best *entry
	var place uint32
	worst := 4
	var spare [2]uint32 // the first that could be dropped
	spares := 0
	for looked := range hands {
		n := t.hand
		t.hand++
		if t.hand == t.arena.next {
			t.hand = 0
		}
		e := t.at(n)
		if !e.has(stateUsed) {
			continue
		}
		rank := t.pressure(e)
		if rank < worst || rank == worst && best != nil && e.start < best.start {
			best, place, worst = e, n, rank
		}
		if rank <= 1 && spares < len(spare) {
			spare[spares] = n
			spares++
		}
		if rank == 0 || worst == 1 && looked >= shake {
			break
		}
	}
	// Those are met again first, in the order in which they came.
	for i := range spares {
		if spare[i] != place {
			t.hand = spare[i]
			break
		}
	}
	if best == nil {
		return
	}
	if best.state&(stateFinal|stateStream) == 0 {
		t.stats.EvictedLive++
	}
	if best.key.Class == ClassTCP && (best.has(stateStream) || level(best.outcome) >= level(Answered)) {
		back := Key{Initiator: best.key.Responder, Responder: best.key.Initiator, Port: best.ports[best.head()], Proto: protoTCP, Class: ClassTCP}
		t.tombstones.add(t.keys.key(&best.key))
		t.tombstones.add(t.keys.key(&back))
	}
	t.stats.Evicted++
	t.drop(best, place)
}

// pressure orders entries by how little is lost with them, least first.
func (t *Table) pressure(e *entry) int {
	switch {
	case e.state&(stateFinal|stateStream) != 0:
		return 0
	case t.clock.now-e.line < countAfter:
		return 3
	case e.has(stateCounted) && level(e.outcome) == level(Silent):
		return 1
	default:
		return 2
	}
}

// tombstones remember, one bit each, conversations that left the table. When a
// quarter of the bits are set they are cleared: old conversations are over.
type tombstones struct {
	bits []uint64
	set  int
}

const tombstoneBits = 1 << 20

func newTombstones() tombstones { return tombstones{bits: make([]uint64, tombstoneBits/64)} }

func (t *tombstones) add(h uint64) {
	if t.set >= tombstoneBits/4 {
		clear(t.bits)
		t.set = 0
	}
	w, b := &t.bits[h%tombstoneBits/64], uint64(1)<<(h%64)
	if *w&b == 0 {
		*w |= b
		t.set++
	}
}

func (t *tombstones) has(h uint64) bool {
	return t.set > 0 && t.bits[h%tombstoneBits/64]>>(h%64)&1 == 1
}
