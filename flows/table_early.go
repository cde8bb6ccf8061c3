package flows

const (
	// earlyLife is how long an answer waits for its question: several receive queues
	// hand packets over up to this much out of order.
	earlyLife = 50 * millisecond
	// earlySlots bounds how many wait at once. Of two in one place the later stays.
	earlySlots = 1 << 12
)

// earlyAnswers are the answers that came to nothing of late. Without one there is
// no memory for them.
type earlyAnswers struct {
	slots *earlyTable
	until int64 // the line clock when the last of them has waited in vain
}

// earlyTable finds answers by what they answer. The tags lie together, so that a
// look that finds nothing stays in the cache.
type earlyTable struct {
	tags    [earlySlots]uint64 // 0 is empty
	at      [earlySlots]int64  // the line clock when it came
	packets [earlySlots]Packet
}

// earlyTag hashes what an answer answers: an attempt's key, and the source port or
// identifier of the question.
func earlyTag(k *Key, port uint16, seed uint64) uint64 {
	return mix(hashKey(k, seed)^uint64(port)<<24^mix2, seed^mix1) | 1
}

// earlyPlace is where a tag belongs.
func earlyPlace(tag uint64) uint64 { return tag >> 52 % earlySlots }

// early keeps an answer that no attempt waits for.
func (t *Table) early(k *Key, port uint16, p *Packet) {
	if t.waiting.slots == nil {
		t.waiting.slots = new(earlyTable)
	}
	tag := earlyTag(k, port, t.seed)
	i := earlyPlace(tag)
	s := t.waiting.slots
	s.tags[i], s.at[i], s.packets[i] = tag, t.clock.now, *p
	t.waiting.until = t.clock.now + earlyLife
}

// answerTo finds the answer that waits for a question: nil if there is none, or if
// it left before the question did.
func (t *Table) answerTo(k *Key, port uint16, p *Packet) (answer *Packet, place uint64) {
	s := t.waiting.slots
	if s == nil || t.clock.now > t.waiting.until {
		return nil, 0
	}
	tag := earlyTag(k, port, t.seed)
	i := earlyPlace(tag)
	if s.tags[i] != tag || t.clock.now-s.at[i] > earlyLife {
		return nil, 0
	}
	a := &s.packets[i]
	if a.Time < p.Time || a.Time == p.Time && a.Kind == KindUDP {
		return nil, 0
	}
	return a, i
}

// asked lets the answer that waits for a first packet come now.
func (t *Table) asked(k *Key, port uint16, p *Packet, dst []Event) []Event {
	a, i := t.answerTo(k, port, p)
	if a == nil {
		return dst
	}
	t.waiting.slots.tags[i] = 0
	switch a.Kind {
	case KindTCP:
		return t.tcp(a, t.clock.now, dst)
	case KindUDP:
		return t.udp(a, t.clock.now, dst)
	default:
		return t.other(a, t.clock.now, dst)
	}
}

// overtaken reports whether a datagram that has a note against it is the question
// of an answer that left the note.
func (t *Table) overtaken(k *Key, p *Packet) bool {
	a, _ := t.answerTo(k, p.SrcPort, p)
	return a != nil && a.Kind == KindUDP && !p.Has(MarkReplyLike) && !t.sockets.serves(&p.Src, p.SrcPort)
}
