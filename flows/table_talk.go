package flows

// shown is a bit set: of UDP which of the remembered connections the responder has
// answered, of TCP what the latest connection has shown.
type shown uint8

const (
	shownBase     shown = 1 << iota // entry.base is known
	shownAsked                      // the initiator sent payload
	shownAnswered                   // the responder did
	shownClosed                     // the initiator sent FIN
	shownBack                       // the responder did
	shownReset                      // either sent RST
	shownLasting                    // said to last, or to be asked about again
	shownTold                       // it has ended, and was said to have been a conversation
)

const (
	shownBoth = shownAsked | shownAnswered
	shownEnd  = shownClosed | shownBack | shownReset
)

// A connection that lasts for probeTime, or on which the initiator has sent probeSent
// or got probeReceived bytes, is more than a probe: one that grabs a banner, or asks
// what a service is and of which version. How much the answer to a short question is,
// a front page say, is the responder's choice, so that it must be much more.
const (
	probeTime     = 10_000 // milliseconds
	probeSent     = 4 << 10
	probeReceived = 1 << 20
)

// mostSaid is how far a sequence number can be ahead of another.
const mostSaid = 1 << 31

// age is how many milliseconds ago the attempt's first packet came.
func (e *entry) age(now int64) uint32 { return uint32((now - e.line) / millisecond) }

// latest reports whether a port is that from which the latest connection was made.
func (e *entry) latest(port uint16) bool { return e.ports[e.head()] == port }

// greet takes the SYN-ACK of the latest connection for what the responder counts
// from, and reports whether it is that, and the first.
func (e *entry) greet(p *Packet) bool {
	if e.shown&shownBase != 0 || !e.latest(p.DstPort) || p.Ack != e.seq+1 {
		return false
	}
	e.shown |= shownBase
	e.base = p.Seq + 1
	return true
}

// hear takes a segment, from the initiator or the responder, for what it says of the
// latest connection as a conversation.
func (t *Table) hear(e *entry, n uint32, p *Packet, initiator bool, dst []Event) []Event {
	port, spoke := p.SrcPort, shownAsked
	if !initiator {
		port, spoke = p.DstPort, shownAnswered
	}
	if e.technique != TCPSYN || !e.latest(port) {
		return dst
	}
	if initiator && e.shown&shownBase == 0 && p.Flags&FlagACK != 0 && p.Seq == e.seq+1 {
		e.shown |= shownBase
		e.base = p.Ack
	}
	if p.Payload > 0 {
		e.shown |= spoke
	}
	if p.Flags&(FlagFIN|FlagRST) != 0 {
		return t.hangUp(e, p, initiator, dst)
	}
	if e.has(stateFinal) {
		return t.lasting(e, n, dst)
	}
	return dst
}

// hangUp takes the end of the latest connection, from one side, and tells by the
// sequence numbers how much was said.
func (t *Table) hangUp(e *entry, p *Packet, initiator bool, dst []Event) []Event {
	sent, received, ok := e.said(p, initiator)
	switch {
	case p.Flags&FlagRST != 0:
		e.shown |= shownReset
	case initiator:
		e.shown |= shownClosed
	default:
		e.shown |= shownBack
	}
	asked, answered := sent > 0 || e.shown&shownAsked != 0, received > 0 || e.shown&shownAnswered != 0
	if !ok || !asked || !answered || e.outcome != Productive || e.shown&shownTold != 0 {
		return dst
	}
	lasted := e.age(t.clock.now) - e.opened
	if lasted < probeTime && sent < probeSent && received < probeReceived {
		return dst
	}
	e.shown |= shownTold | shownLasting
	dst = e.emit(Conversed, t.now, dst)
	ev := &dst[len(dst)-1]
	ev.Sent, ev.Received, ev.Lasted = sent, received, lasted
	return dst
}

// said is how many bytes of payload either side has sent on the latest connection, by
// the numbers of a segment with FIN or RST. A side's FIN takes a number as well.
func (e *entry) said(p *Packet, initiator bool) (sent, received uint32, ok bool) {
	own, other := p.Seq+uint32(p.Payload), p.Ack
	from, to, fin := e.seq+1, e.base, shownBack
	known, acked := true, e.shown&shownBase != 0
	if !initiator {
		from, to, fin = e.base, e.seq+1, shownClosed
		known, acked = acked, known
	}
	var mine, others uint32
	if known {
		mine = own - from
	}
	if acked && p.Flags&FlagACK != 0 {
		others = other - to
		if e.shown&fin != 0 && others > 0 {
			others--
		}
	}
	if mine >= mostSaid || others >= mostSaid {
		return 0, 0, false
	}
	if initiator {
		return mine, others, true
	}
	return others, mine, true
}

// open reports whether both sides have spoken on the latest connection of a
// productive attempt, and neither has ended it.
func (e *entry) open() bool {
	return e.technique == TCPSYN && e.outcome == Productive && e.shown&(shownBoth|shownEnd) == shownBoth
}

// lasting looks at a connection that is open when its attempt is final, or later: it
// lasts by now, or will be asked about again.
func (t *Table) lasting(e *entry, n uint32, dst []Event) []Event {
	if !e.open() || e.shown&shownLasting != 0 {
		return dst
	}
	e.shown |= shownLasting
	if t.lasts(e) {
		return t.lasted(e, dst)
	}
	t.set(timerTalk, t.now, n, e.gen)
	return dst
}

// lasts reports whether the latest connection is older than a probe gets.
func (t *Table) lasts(e *entry) bool { return e.age(t.now)-e.opened >= probeTime }

// lasted says that a connection lasts, if it does.
func (t *Table) lasted(e *entry, dst []Event) []Event {
	if !e.open() {
		return dst
	}
	dst = e.emit(Conversed, t.now, dst)
	dst[len(dst)-1].Lasted = e.age(t.now) - e.opened
	return dst
}

// order takes an FTP client's order to connect somewhere, if both sides have
// spoken: else anybody might have sent it.
func (t *Table) order(e *entry, p *Packet, dst []Event) []Event {
	if e.technique == TCPSYN && e.outcome == Productive || e.has(stateStream|stateAhead|stateBack) {
		return append(dst, Event{Kind: Ordered, At: t.now, Attempt: Attempt{Key: e.key, Question: p.Question}})
	}
	return dst
}
