package flows

// TableConfig says how a [Table] is built. The zero value is the default.
type TableConfig struct {
	// MaxEntries bounds how many targets are remembered at once; 0 means
	// 1,048,576, at about 200 bytes each. At the bound the table forgets as the package
	// comment says.
	MaxEntries int
	// MaxNotes bounds how many sockets are remembered that asked others by UDP, rounded up
	// to a power of two, at least 64; of sockets that were answered and of link addresses
	// it is a quarter each. 0 means 65,536. Of a full bucket the oldest goes.
	MaxNotes int
	// Ends says that of TCP only SYNs, FINs, RSTs and flag probes are given, as by a program
	// in the kernel that counts all else: see rule 20 of the package comment.
	Ends bool
	// Seed keys the hash functions. The same seed gives the same output for
	// the same input; nothing but speed, and what is forgotten for want of room, depends
	// on it. One that others know lets them choose addresses that fall together in the
	// tables: where they can send, draw it.
	Seed uint64
	// Relay, if it is not nil, takes over what a call has appended to dst as soon as there are
	// 4,096 events or so, in their order, and returns what to append to next; now is the line
	// clock behind them. A pause after a flood makes hundreds of thousands due at once.
	Relay func(events []Event, now int64) []Event
}

// TableStats counts what a [Table] has seen since it was made.
type TableStats struct {
	Packets     uint64 // packets given to Add
	Attempts    uint64 // attempts opened
	Connections uint64 // connections of those attempts
	Doubled     uint64 // SYNs that came again within a millisecond, with the same identification
	Backscatter uint64 // replies, resets and ICMP errors that belonged to nothing when they came
	MidStream   uint64 // conversations whose beginning was not seen
	Evicted     uint64 // targets forgotten because the table was full
	EvictedLive uint64 // of those, attempts whose outcome was not decided yet
	ClockJumps  uint64 // times an interface's clock was set anew
	Entries     int    // targets remembered now
}

// Table pairs both directions of conversations and emits what becomes of the
// attempts in them, by the rules of the package comment. It belongs to one
// goroutine.
type Table struct {
	arena
	timers
	clock      lineClock
	sight      visibility
	notes      noteTable
	sockets    socketTable
	gateways   gateways
	leases     leases
	tombstones tombstones
	waiting    earlyAnswers
	press      pressure
	relay      func([]Event, int64) []Event
	max        int
	ends       bool  // TableConfig.Ends
	now        int64 // what events are said to happen at
	stats      TableStats
}

// NewTable makes an empty table.
func NewTable(cfg TableConfig) *Table {
	cfg = cfg.withDefaults()
	k := newKeys(cfg.Seed)
	t := &Table{
		arena:      newArena(k),
		sight:      visibility{cells: map[sightKey]*sightCell{}, doubts: cfg.Ends},
		notes:      newNoteTable(k, cfg.MaxNotes),
		sockets:    newSocketTable(k, cfg.MaxNotes/4),
		gateways:   newGateways(k, cfg.MaxNotes/4),
		tombstones: newTombstones(),
		timers:     newTimers(cfg.MaxEntries),
		press:      newPressure(cfg.MaxEntries),
		relay:      cfg.Relay,
		max:        cfg.MaxEntries,
		ends:       cfg.Ends,
	}
	return t
}

// Stats tells what the table has seen so far. It belongs to the goroutine of
// Add.
func (t *Table) Stats() TableStats {
	s := t.stats
	s.ClockJumps = t.clock.jumps
	s.Entries = t.live
	return s
}

// Now is the line clock: 0 before the first packet.
func (t *Table) Now() int64 { return t.clock.now }

// Add takes one packet and appends what it makes happen to dst: first the
// timers that were due before it, then its own events.
func (t *Table) Add(p *Packet, dst []Event) []Event {
	line := t.clock.arrive(p.Iface, p.Time)
	if t.clock.now >= t.timers.next {
		dst = t.fire(t.clock.now, dst)
	}
	t.now = t.clock.now
	t.stats.Packets++
	if p.Has(MarkCarrier) {
		return dst
	}
	if t.live >= t.max {
		dst = t.relieve(dst)
	}
	switch p.Kind {
	case KindTCP:
		return t.tcp(p, line, dst)
	case KindUDP:
		return t.udp(p, line, dst)
	default:
		return t.other(p, line, dst)
	}
}

// Advance moves the line clock to now, as a live source does when no packet
// comes, and appends the events that are due. An earlier now does nothing.
func (t *Table) Advance(now int64, dst []Event) []Event {
	if !t.clock.begun || now <= t.clock.now {
		return dst
	}
	t.clock.now = now
	return t.fire(now, dst)
}

// closing is how many attempts one Close settles.
const closing = 256

// Close settles the attempts that are not final yet, in the order in which they
// were opened, as if nothing more were to come. It settles 256 at a time, so that dst
// need not hold them all: call it until more is false. The table is not to be
// used afterwards.
func (t *Table) Close(dst []Event) (events []Event, more bool) {
	t.now = t.clock.now
	for range closing {
		next := timerFinal // those opened before the ones whose silence would not count yet
		if t.queues[next].size == 0 {
			next = timerCount
		}
		if t.queues[next].size == 0 {
			return dst, false
		}
		f := t.pop(next)
		e := t.at(f.entry)
		if e.gen != f.gen || e.has(stateFinal) {
			continue
		}
		dst = t.announce(e, dst)
		switch {
		case e.outcome == Silent && !e.has(stateOnce):
			e.state |= stateCut
			dst = t.count(e, dst)
		case e.outcome == Answered && e.technique == TCPSYN && e.has(stateClosed) && !e.has(statePayload) && !t.ends:
			dst = t.count(e, dst)
		}
		dst = t.finish(e, dst)
	}
	return dst, true
}

// relayed is how many events there are when TableConfig.Relay takes them over.
const relayed = 4096

func (t *Table) fire(now int64, dst []Event) []Event {
	for {
		due, kind, ok := t.due(now)
		if !ok {
			return dst
		}
		e := t.at(due.entry)
		if e.gen != due.gen || e.has(stateFinal) && kind != timerTalk {
			continue
		}
		t.now = due.deadline
		if len(dst) >= relayed && t.relay != nil {
			dst = t.relay(dst, t.now)
		}
		switch kind {
		case timerAnnounce:
			dst = t.announce(e, dst)
		case timerCount:
			t.set(timerFinal, due.deadline, due.entry, due.gen)
			if e.outcome == Silent {
				dst = t.count(e, dst)
			}
		case timerAnswer:
			if e.outcome == Answered {
				if !e.has(stateHandshake) {
					e.state |= stateHalfOpen
				}
				dst = t.count(e, dst)
			}
		case timerFinal:
			dst = t.finish(e, dst)
			dst = t.lasting(e, due.entry, dst)
		case timerTalk:
			dst = t.lasted(e, dst)
		}
	}
}

// open makes a new attempt in an entry and sets its timers.
func (t *Table) open(e *entry, n uint32, technique Technique, p *Packet, line int64, port uint16, dst []Event) []Event {
	if !e.has(stateFinal) && !e.has(stateStream) && e.connections > 0 {
		dst = t.finish(t.announced(e, &dst), dst)
	}
	fresh := technique == UDP && e.technique == UDP && t.clock.now-e.last() <= sameFlow
	e.begin(technique, p, line, port, fresh)
	e.saw(t.clock.now)
	e.opened = e.age(t.clock.now)
	t.stats.Attempts++
	t.stats.Connections++
	if technique == UDP {
		e.state |= statePending
		t.set(timerAnnounce, t.clock.now, n, e.gen)
	}
	t.set(timerCount, t.clock.now, n, e.gen)
	if technique != UDP {
		dst = e.emit(Opened, t.now, dst)
	}
	return t.asked(&e.key, port, p, dst)
}

// announced is announce for use inside an expression.
func (t *Table) announced(e *entry, dst *[]Event) *entry {
	*dst = t.announce(e, *dst)
	return e
}

// connect notes a further connection to the target of an entry: part of its
// attempt, or a new attempt if that is over.
func (t *Table) connect(e *entry, n uint32, technique Technique, p *Packet, line int64, port uint16, dst []Event) []Event {
	if e.state&(stateFinal|stateStream) != 0 || e.technique != technique {
		return t.open(e, n, technique, p, line, port, dst)
	}
	dst = t.announce(e, dst)
	e.saw(t.clock.now)
	e.packets++
	e.connections++
	t.stats.Connections++
	e.describe(p, port)
	e.opened = e.age(t.clock.now)
	dst = e.emit(Opened, t.now, dst)
	opened := &dst[len(dst)-1]
	opened.Time, opened.TimeLine = p.Time, line
	return t.asked(&e.key, port, p, dst)
}

// create makes an entry. There is room: see relieve.
func (t *Table) create(k *Key) (*entry, uint32) {
	e, n := t.insert(k)
	t.press.add(&t.keys, k, 1)
	return e, n
}

// mayStart reports whether a packet can start an attempt at all: rule 4.
func mayStart(p *Packet) bool {
	return !p.Has(MarkGroup) && isHost(&p.Src)
}

// isHost reports whether an address can be one host's: neither unspecified nor
// a group.
func isHost(a *[16]byte) bool {
	if IsIPv4(a) {
		return a[12]|a[13]|a[14]|a[15] != 0 && a[12]>>4 != 14 && a[12]&a[13]&a[14]&a[15] != 255
	}
	return *a != [16]byte{} && a[0] != 255
}
