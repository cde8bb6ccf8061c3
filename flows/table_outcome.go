package flows

// countsAnswered reports whether an answered attempt of a class can still
// count, for want of payload.
func countsAnswered(c Class) bool { return c == ClassTCP || c == ClassSCTP }

// level orders outcomes: they only rise.
func level(o Outcome) int {
	switch o {
	case Unreachable:
		return 1
	case Refused:
		return 2
	case Answered:
		return 3
	case Productive:
		return 4
	case Expired:
		return 5
	default:
		return 0
	}
}

// announce emits Opened for an attempt that waited until its initiator was
// decided, and what has happened to it meanwhile.
func (t *Table) announce(e *entry, dst []Event) []Event {
	if !e.has(statePending) {
		return dst
	}
	e.state &^= statePending
	dst = e.emit(Opened, t.now, dst)
	switch e.outcome {
	case Unreachable:
		return t.count(e, dst)
	case Productive:
		return e.emit(Raised, t.now, dst)
	}
	return dst
}

// raise lifts the outcome of an attempt and emits what follows from it.
func (t *Table) raise(e *entry, o Outcome, dst []Event) []Event {
	if level(o) <= level(e.outcome) || e.has(stateStream) {
		return dst
	}
	e.outcome = o
	if level(o) >= level(Refused) && o != Expired && !e.has(stateSeen) {
		e.state |= stateSeen
		t.sight.note(e, e.has(stateUnseen))
	}
	if o == Unreachable && t.ends {
		t.sight.hear(e)
	}
	if e.has(statePending) {
		return dst
	}
	ends := o == Productive || o == Expired || o == Answered && !countsAnswered(e.key.Class)
	switch {
	case ends && e.has(stateCounted):
		e.state &^= stateCounted | stateHalfOpen
		dst = e.emit(Withdrawn, t.now, dst)
	case o == Productive, !ends && e.has(stateCounted):
		dst = e.emit(Raised, t.now, dst)
	}
	return dst
}

// speak makes an attempt productive by a packet of its responder, and notes
// which link addresses carry the two.
func (t *Table) speak(e *entry, p *Packet, dst []Event) []Event {
	if level(e.outcome) < level(Productive) && !e.has(stateStream) {
		t.carry(e, p)
	}
	return t.raise(e, Productive, dst)
}

// carry notes the link addresses that carry an attempt and a packet of its responder.
func (t *Table) carry(e *entry, p *Packet) {
	t.gateways.note(&e.mac, &e.key.Initiator)
	t.gateways.note(&p.SrcMAC, &p.Src)
}

// fail raises the outcome to a failure, which counts at once.
func (t *Table) fail(e *entry, o Outcome, dst []Event) []Event {
	if level(o) <= level(e.outcome) {
		return dst
	}
	dst = t.raise(e, o, dst)
	if e.has(statePending) {
		return dst
	}
	return t.count(e, dst)
}

// count makes an attempt count against its initiator, once.
func (t *Table) count(e *entry, dst []Event) []Event {
	if e.has(stateOnce) || e.has(stateStream) {
		return dst
	}
	if e.outcome == Silent && t.sight.oneWay(e) {
		e.outcome = Unseen
	}
	e.state |= stateOnce | stateCounted
	return e.emit(Counted, t.now, dst)
}

// finish makes the outcome of an attempt final. Payload may still make it
// productive.
func (t *Table) finish(e *entry, dst []Event) []Event {
	dst = t.announce(e, dst)
	if e.state&(stateFinal|stateStream) != 0 {
		return dst
	}
	e.state |= stateFinal
	return e.emit(Final, t.now, dst)
}

// expire ends an attempt that was a traceroute.
func (t *Table) expire(e *entry, dst []Event) []Event {
	if e.state&(stateFinal|stateStream) != 0 || level(e.outcome) > level(Unreachable) {
		return dst
	}
	dst = t.announce(e, dst)
	dst = t.raise(e, Expired, dst)
	return t.finish(e, dst)
}

// stream turns an entry into a conversation whose beginning was not seen. Its
// attempt, if it had one, was none.
func (t *Table) stream(e *entry, dst []Event) []Event {
	if e.has(stateStream) {
		return dst
	}
	if e.has(stateCounted) {
		e.state &^= stateCounted
		dst = e.emit(Withdrawn, t.now, dst)
	}
	e.state |= stateStream
	t.stats.MidStream++
	return dst
}
