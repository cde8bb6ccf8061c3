package flows

// ended takes the FIN or RST of a connection whose other segments are not given, for what
// it says of them by sequence numbers: rule 20.
func (t *Table) ended(e *entry, n uint32, p *Packet, initiator bool, dst []Event) []Event {
	port := p.SrcPort
	if !initiator {
		port = p.DstPort
	}
	if e.technique != TCPSYN || e.has(stateStream) || !e.latest(port) {
		return dst
	}
	sent, received, ok := e.said(p, initiator)
	ok = ok && (initiator || p.Flags&FlagACK != 0) // else nobody says what the initiator has sent
	if ok && initiator && p.Flags&FlagACK != 0 && level(e.outcome) < level(Answered) {
		if e.has(stateFinal) && !e.has(stateSeen) {
			e.state |= stateSeen
			t.sight.note(e, true)
		}
		e.state |= stateUnseen
		dst = t.answer(e, n, dst)
	}
	if !ok || level(e.outcome) < level(Answered) && !e.has(stateUnseen) && (initiator || sent == 0) {
		return dst
	}
	if initiator && p.Flags&FlagACK != 0 || !initiator && p.Flags&FlagFIN != 0 || sent > 0 {
		e.state |= stateHandshake
	}
	if sent > 0 {
		e.state |= statePayload
		switch {
		case !initiator:
			return t.speak(e, p, dst)
		case p.Flags&FlagACK != 0:
			return t.raise(e, Productive, dst)
		}
	}
	if e.outcome != Answered || received > 0 || e.state&(statePayload|stateFinal) != 0 {
		return dst
	}
	if !e.has(stateHandshake) {
		e.state |= stateHalfOpen
	}
	return t.count(e, dst)
}
