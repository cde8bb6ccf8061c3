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
	talkAfter     = 20 * second       // a connection that was young at the end of its attempt is looked at again
	noteLife      = 30 * second       // a socket that sent may be answered from any port
)

// timerKind tells the delays apart, the longest first: of timers due at the same
// moment the one with the longer delay goes first, as it is of the earlier packet. That
// of the final outcome is set when silence would count, so that the many attempts of
// a flood which are dropped before leave one timer behind and not two.
type timerKind uint8

const (
	timerTalk timerKind = iota
	timerFinal
	timerAnswer
	timerCount
	timerAnnounce
	timerKinds
)

func (k timerKind) delay() int64 {
	return [timerKinds]int64{talkAfter, finalAfter - countAfter, answerAfter, countAfter, announceAfter}[k]
}

// timer is due at a time of the line clock, for an entry that must still be of
// the same generation.
type timer struct {
	deadline int64
	entry    uint32
	gen      uint16
}

// timers are one queue a delay: the line clock never runs back, so each queue
// is in order by itself.
type timers struct {
	queues  [timerKinds]timerQueue
	fronts  [timerKinds]int64 // the first deadline of each, never if it is empty
	next    int64             // the first of all
	soonest timerKind         // whose that is
	spare   []*[timerChunk]timer
	held    int // in all queues
	most    int // that are held before those that are void are taken out
}

// timersEach is how many timers there may be for each entry that there may be. An entry has
// two at most that are not void, so that taking out the others is worth it.
const timersEach = 3

func newTimers(entries int) timers {
	t := timers{next: never, most: timersEach * entries}
	for k := range t.fronts {
		t.fronts[k] = never
	}
	return t
}

// timerChunk is how many timers are allocated at a time.
const timerChunk = 1 << 10

// timerQueue is a list of chunks; those that have been emptied are used again, by
// whichever queue needs one.
type timerQueue struct {
	chunks     []*[timerChunk]timer // the first is being emptied, the last filled
	head, size int
}

func (q *timerQueue) front() *timer { return &q.chunks[0][q.head] }

func (t *timers) push(q *timerQueue, f timer) {
	at := q.head + q.size
	if at == len(q.chunks)*timerChunk {
		t.room(q)
	}
	q.chunks[at/timerChunk][at%timerChunk] = f
	q.size++
}

func (t *timers) room(q *timerQueue) {
	if n := len(t.spare); n > 0 {
		q.chunks, t.spare = append(q.chunks, t.spare[n-1]), t.spare[:n-1]
		return
	}
	q.chunks = append(q.chunks, new([timerChunk]timer))
}

func (t *timers) shift(q *timerQueue) timer {
	f := q.chunks[0][q.head]
	q.head++
	q.size--
	if q.head == timerChunk {
		t.spare = append(t.spare, q.chunks[0])
		n := copy(q.chunks, q.chunks[1:])
		q.chunks, q.head = q.chunks[:n], 0
	}
	return f
}

func (t *timers) set(k timerKind, now int64, entry uint32, gen uint16) {
	deadline := now + k.delay()
	t.push(&t.queues[k], timer{deadline: deadline, entry: entry, gen: gen})
	t.held++
	t.fronts[k] = min(t.fronts[k], deadline)
	if deadline < t.next || deadline == t.next && k < t.soonest {
		t.next, t.soonest = deadline, k
	}
}

// due takes out the first timer with a deadline at or before now.
func (t *timers) due(now int64) (timer, timerKind, bool) {
	if now < t.next {
		return timer{}, 0, false
	}
	k := t.soonest
	f := t.pop(k)
	return f, k, true
}

// look finds the first deadline of all, and whose it is.
func (t *timers) look() {
	t.next, t.soonest = t.fronts[0], 0
	for k := timerKind(1); k < timerKinds; k++ {
		if t.fronts[k] < t.next {
			t.next, t.soonest = t.fronts[k], k
		}
	}
}

// pop takes out the first timer of a queue.
func (t *timers) pop(k timerKind) timer {
	q := &t.queues[k]
	f := t.shift(q)
	t.held--
	t.fronts[k] = never
	if q.size > 0 {
		t.fronts[k] = q.front().deadline
	}
	t.look()
	return f
}

// tidy takes out timers that are void, where a flood has left too many: their entries
// were dropped, or their outcome is final. What comes after it is still looked at.
func (t *Table) tidy() {
	for k := range t.queues {
		q := &t.queues[k]
		for range q.size {
			f := t.shift(q)
			e := t.at(f.entry)
			if e.gen == f.gen && (timerKind(k) == timerTalk || !e.has(stateFinal)) {
				t.push(q, f)
				continue
			}
			t.held--
		}
		t.fronts[k] = never
		if q.size > 0 {
			t.fronts[k] = q.front().deadline
		}
	}
	t.look()
}
