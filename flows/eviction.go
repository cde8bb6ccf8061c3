package flows

const (
	// hands is how many entries an eviction looks at, at most, before it takes the best
	// of them. Each look costs a cache line: so it is content after shake with one of
	// which all is known, or that its source or target has many like it; and after
	// search with one that was not drawn to stay.
	hands  = 64
	shake  = 4
	search = 12
)

// The ranks of entries under pressure: what is lost with them, least first.
const (
	rankOver    = iota // final, or met in its middle
	rankDecided        // has failed and counted
	rankSpare          // older than half a second; or one of many
	rankYoung          // younger
	rankDrawn          // younger, and drawn to stay until it counts
	ranks
)

// relieve makes room for an entry. What is dropped ends as if the input did, but that
// silence does not count: an answer may be under way. Conversations leave a
// tombstone, so that what is left of them is not taken for a probe.
func (t *Table) relieve(dst []Event) []Event {
	t.press.begin(t)
	e, n, rank := t.victim()
	if e == nil {
		return dst
	}
	if e.state&(stateFinal|stateStream) == 0 {
		t.stats.EvictedLive++
		if e.outcome == Silent && !e.has(stateOnce) {
			e.state |= stateCut
		}
		dst = t.finish(e, dst)
	}
	if e.key.Class == ClassTCP && (e.has(stateStream) || level(e.outcome) >= level(Answered)) {
		back := Key{Initiator: e.key.Responder, Responder: e.key.Initiator, Port: e.ports[e.head()], Proto: protoTCP, Class: ClassTCP}
		t.tombstones.add(t.keys.key(&e.key))
		t.tombstones.add(t.keys.key(&back))
	}
	t.stats.Evicted++
	t.press.note(rank)
	t.press.add(&t.keys, &e.key, -1)
	t.drop(e, n)
	if t.held >= t.most {
		t.tidy()
	}
	return dst
}

// victim is the entry to drop: of those under the hand the one of the lowest rank, the
// oldest of several. The hand goes round in the order in which entries came, for
// each comes where one was dropped.
func (t *Table) victim() (best *entry, place uint32, worst int) {
	worst = ranks
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
		rank := t.rank(e)
		if rank < worst || rank == worst && best != nil && e.start < best.start {
			best, place, worst = e, n, rank
		}
		if rank <= rankDecided && spares < len(spare) {
			spare[spares] = n
			spares++
		}
		if rank == rankOver || worst <= rankSpare && looked >= shake || worst == rankYoung && looked >= search {
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
	return best, place, worst
}

// rank is what is lost with an entry.
func (t *Table) rank(e *entry) int {
	switch {
	case e.state&(stateFinal|stateStream) != 0:
		return rankOver
	case e.has(stateCounted) && level(e.outcome) <= level(Refused):
		return rankDecided
	case t.clock.now-e.line >= countAfter:
		return rankSpare
	default:
		return t.press.rank(&t.keys, &e.key)
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
