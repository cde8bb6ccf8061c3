package flows

import (
	"encoding/binary"
	"math/bits"
)

// pressure decides what goes from a full table that is too small for half a second of
// what comes, so that silence could not count: as in a flood of forged sources. Were
// the oldest to go, all would go before it counts. So who has many entries loses some
// of them, as it can best afford, and so does a target that many try; and of all others a part
// is drawn by hash to stay until it counts. How many and which part follows
// what had to go.
//
// An entry is counted for its initiator and for its target, from when the table is
// full for the first time. Several may share a counter.
type pressure struct {
	held  []uint32 // live entries by two hashes of the initiator, and one of the target; nil before
	size  int      // of the table
	most  int      // of one initiator, while all are drawn
	part  uint64   // of 2^16 hashes that are drawn; limits are lower likewise
	lost  int      // of those drawn, dropped in the round
	round int      // dropped in the round
}

const (
	// mostShare: by itself an initiator may hold 1/4096 of a table, and 64 entries.
	mostShare, mostLeast = 4096, 64
	// targetTimes is how many times more a target may.
	targetTimes = 64
	// all are drawn at first, and least at least: then it is one entry that each may hold.
	all, least = 1 << 16, all >> 6
	// A round ends after as many drops as there are entries; one in lostShare of them may
	// have been drawn.
	lostShare = 32
)

func newPressure(entries int) pressure {
	return pressure{size: entries, most: max(entries/mostShare, mostLeast), part: all}
}

// counters is how many counters so many entries have.
func counters(entries int) int { return 1 << bits.Len(uint(entries)) }

// begin counts what a full table holds, once.
func (p *pressure) begin(t *Table) {
	if p.held != nil {
		return
	}
	p.held = resident[uint32](counters(p.size))
	for n := range t.arena.next {
		if e := t.at(n); e.has(stateUsed) {
			p.add(&t.keys, &e.key, 1)
		}
	}
}

// add counts an entry that came, or with -1 one that went.
func (p *pressure) add(s *keys, k *Key, n int) {
	if p.held == nil {
		return
	}
	one, other := p.initiator(s, k)
	*one += uint32(n)
	*other += uint32(n)
	*p.target(s, k) += uint32(n)
}

// rank is that of an entry younger than half a second.
func (p *pressure) rank(s *keys, k *Key) int {
	most := max(uint32(uint64(p.most)*p.part/all), 1) //nolint:gosec // no more than p.most
	one, other := p.initiator(s, k)
	switch {
	case min(*one, *other) > most+few, *p.target(s, k) > targetTimes*most:
		return rankSpare
	case s.key(k)>>48 >= p.part:
		return rankYoung
	default:
		return rankDrawn
	}
}

// few is more than others mostly add to the lesser of two counters: there are more than
// entries, each of which counts three times.
const few = 4

// note learns of what rank an entry was that had to go.
func (p *pressure) note(rank int) {
	p.round++
	if rank == rankDrawn {
		p.lost++
	}
	if p.round < p.size {
		return
	}
	switch {
	case p.lost*lostShare > p.round:
		p.part = max(p.part-p.part/4, least)
	case p.lost == 0:
		p.part = min(p.part+p.part/4, all)
	}
	p.round, p.lost = 0, 0
}

// initiator are the two counters of a key's initiator.
func (p *pressure) initiator(s *keys, k *Key) (one, other *uint32) {
	h := mix(mix(binary.LittleEndian.Uint64(k.Initiator[8:])^s[3], binary.LittleEndian.Uint64(k.Initiator[:8])^s[2])^s[1], s[0])
	mask := uint64(len(p.held) - 1)
	return &p.held[h&mask], &p.held[h>>32&mask]
}

// target is the counter of a key's target.
func (p *pressure) target(s *keys, k *Key) *uint32 {
	h := mix(binary.LittleEndian.Uint64(k.Responder[8:])^s[2], binary.LittleEndian.Uint64(k.Responder[:8])^s[1])
	h = mix(h^uint64(k.Port)<<16^uint64(k.Class)^s[5], s[3])
	return &p.held[h&uint64(len(p.held)-1)]
}
