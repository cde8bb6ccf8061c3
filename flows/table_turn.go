package flows

// Who sends first on a tuple has chosen its ports. What then comes back to the same
// port, a SYN too, is no choice of the one that sends it, and accuses nobody. That holds
// only for those who never do anything else: a segment that its receiver has not asked
// for may have elicited what would excuse the next.

// turns notes a segment of either side.
func (e *entry) turns(p *Packet, initiator bool) {
	if initiator {
		e.asks(p.SrcPort)
	} else {
		e.replies(p.DstPort)
	}
}

// asks notes that the initiator sends from a port.
func (e *entry) asks(port uint16) {
	if !e.remembersPort(port) {
		e.turn = port
	}
}

// replies notes that the responder sends to a port.
func (e *entry) replies(port uint16) {
	if !e.remembersPort(port) && e.turn != port {
		e.led = true
	}
}

// prompts reports whether a SYN of the responder to a port only comes back to where the
// initiator has just sent from: the two have never talked, and the responder has never
// spoken first.
func (e *entry) prompts(port uint16) bool {
	return port != 0 && e.turn == port && !e.led && !e.talks()
}

// talks reports whether there is more between the two than segments without payload.
func (e *entry) talks() bool {
	return e.outcome == Productive || e.has(stateStream) && e.state&(stateAhead|stateBack) != 0
}
