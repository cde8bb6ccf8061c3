package flows

import "slices"

const (
	// earlyLife is how long an answer waits for its question: several receive queues
	// hand packets over up to this much out of order.
	earlyLife = 50 * millisecond
	// earlyBuckets times ways answers wait at once: of a full bucket the one that has
	// waited longest is lost.
	earlyBuckets = 1 << 10
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
	tags    [earlyBuckets][ways]uint64 // 0 is empty
	at      [earlyBuckets][ways]int64  // the line clock when it came
	packets [earlyBuckets][ways]Packet
}

// earlyBucket is where a tag belongs.
func earlyBucket(tag uint64) uint64 { return tag >> 52 % earlyBuckets }

// early keeps an answer that no attempt waits for, of those to one question the
// latest.
func (t *Table) early(k *Key, port uint16, p *Packet) {
	if t.waiting.slots == nil {
		t.waiting.slots = new(earlyTable)
	}
	tag := t.keys.early(k, port)
	b, s := earlyBucket(tag), t.waiting.slots
	place := 0
	for i, other := range s.tags[b] {
		if other == tag {
			place = i
			break
		}
		if s.tags[b][place] != 0 && (other == 0 || s.at[b][i] < s.at[b][place]) {
			place = i
		}
	}
	s.tags[b][place], s.at[b][place], s.packets[b][place] = tag, t.clock.now, *p
	t.waiting.until = t.clock.now + earlyLife
}

// answerTo finds the answer that waits for a question, and the word that keeps it:
// nil if there is none, or if it left before the question did.
func (t *Table) answerTo(k *Key, port uint16, p *Packet) (answer *Packet, kept *uint64) {
	s := t.waiting.slots
	if s == nil || t.clock.now > t.waiting.until {
		return nil, nil
	}
	tag := t.keys.early(k, port)
	b := earlyBucket(tag)
	i := slices.Index(s.tags[b][:], tag)
	if i < 0 || t.clock.now-s.at[b][i] > earlyLife {
		return nil, nil
	}
	a := &s.packets[b][i]
	if a.Time < p.Time || a.Time == p.Time && a.Kind == KindUDP {
		return nil, nil
	}
	return a, &s.tags[b][i]
}

// asked lets the answer that waits for a first packet come now.
func (t *Table) asked(k *Key, port uint16, p *Packet, dst []Event) []Event {
	a, kept := t.answerTo(k, port, p)
	if a == nil {
		return dst
	}
	*kept = 0
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
