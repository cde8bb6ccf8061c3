package flows

// The delays of DESIGN's two clocks, in nanoseconds of the line clock.
const (
	millisecond = int64(1_000_000)
	second      = 1000 * millisecond

	announceAfter = 50 * millisecond  // who began a UDP conversation is decided
	countAfter    = 500 * millisecond // silence counts
	answerAfter   = second            // an answer without payload counts
	finalAfter    = 10 * second       // the outcome is final
	sameFlow      = 60 * second       // silence after which a source port is a new connection
	noteLife      = 30 * second       // a socket that sent may be answered from any port
)

type timerKind uint8

const (
	timerAnnounce timerKind = iota
	timerCount
	timerAnswer
	timerFinal
	timerKinds
)

func (k timerKind) delay() int64 {
	return [timerKinds]int64{announceAfter, countAfter, answerAfter, finalAfter}[k]
}

// timer is due at a time of the line clock, for an entry that must still be of
// the same generation.
type timer struct {
	deadline int64
	order    uint64
	entry    uint32
	gen      uint16
}

// timers are one queue a delay: the line clock never runs back, so each queue
// is in order by itself.
type timers struct {
	queues [timerKinds]timerQueue
	order  uint64
	next   int64 // no timer is due before
}

type timerQueue struct {
	ring       []timer
	head, size int
}

func (q *timerQueue) front() *timer { return &q.ring[q.head] }

func (q *timerQueue) push(t timer) {
	if q.size == len(q.ring) {
		grown := make([]timer, max(64, 2*len(q.ring)))
		n := copy(grown, q.ring[q.head:])
		copy(grown[n:], q.ring[:q.head])
		q.ring, q.head = grown, 0
	}
	q.ring[(q.head+q.size)&(len(q.ring)-1)] = t
	q.size++
}

func (q *timerQueue) pop() timer {
	t := q.ring[q.head]
	q.head = (q.head + 1) & (len(q.ring) - 1)
	q.size--
	return t
}

func (t *timers) set(k timerKind, now int64, entry uint32, gen uint16) {
	t.order++
	deadline := now + k.delay()
	t.queues[k].push(timer{deadline: deadline, order: t.order, entry: entry, gen: gen})
	t.next = min(t.next, deadline)
}

// due takes out the first timer with a deadline at or before now.
func (t *timers) due(now int64) (timer, timerKind, bool) {
	if now < t.next {
		return timer{}, 0, false
	}
	best := timerKinds
	t.next = never
	for k := range timerKinds {
		if t.queues[k].size == 0 {
			continue
		}
		f := t.queues[k].front()
		if f.deadline > now {
			t.next = min(t.next, f.deadline)
			continue
		}
		if best == timerKinds || f.before(t.queues[best].front()) {
			best = k
		}
	}
	if best == timerKinds {
		return timer{}, 0, false
	}
	t.next = now // others may be due as well
	return t.queues[best].pop(), best, true
}

func (a *timer) before(b *timer) bool {
	return a.deadline < b.deadline || a.deadline == b.deadline && a.order < b.order
}
