package flows

func (t *Table) tcp(p *Packet, line int64, dst []Event) []Event {
	switch {
	case p.Flags&(FlagSYN|FlagACK|FlagRST) == FlagSYN:
		return t.tcpSYN(p, line, dst)
	case p.Flags&(FlagSYN|FlagACK|FlagRST) == FlagSYN|FlagACK:
		return t.tcpSYNACK(p, line, dst)
	case p.Flags&FlagRST != 0:
		return t.tcpRST(p, line, dst)
	default:
		return t.tcpSegment(p, line, dst)
	}
}

// forward is the key of a packet whose sender is the initiator.
func forward(p *Packet, c Class) Key {
	return Key{Initiator: p.Src, Responder: p.Dst, Port: p.DstPort, Proto: p.Proto, Class: c}
}

// backward is the key of a packet whose sender is the responder.
func backward(p *Packet, c Class) Key {
	return Key{Initiator: p.Dst, Responder: p.Src, Port: p.SrcPort, Proto: p.Proto, Class: c}
}

// oriented is the key of a packet whose sender is the initiator, or is not.
func oriented(p *Packet, c Class, initiator bool) Key {
	if initiator {
		return forward(p, c)
	}
	return backward(p, c)
}

func (t *Table) tcpSYN(p *Packet, line int64, dst []Event) []Event {
	if !mayStart(p) {
		return dst
	}
	k := forward(p, ClassTCP)
	e, n := t.find(&k)
	if e != nil && e.technique == TCPSYN && !e.has(stateStream) && e.remembers(p.SrcPort, uint16(p.Seq)) {
		e.copied()
		if p.IPID == e.ipid && p.Time-e.start < millisecond {
			t.stats.Doubled++
		}
		return dst
	}
	back := backward(p, ClassTCP)
	switch r, rn := t.find(&back); {
	case r == nil:
	case r.state&(stateFinal|stateStream) == 0 && r.remembersPort(p.DstPort):
		if r.technique != TCPSYN {
			return t.stream(r, dst)
		}
		return t.tcpResponder(r, rn, p, dst)
	case r.prompts(p.DstPort):
		return dst
	default:
		r.replies(p.DstPort)
	}
	if e == nil {
		e, n = t.create(&k)
		return t.open(e, n, TCPSYN, p, line, p.SrcPort, dst)
	}
	return t.connect(e, n, TCPSYN, p, line, p.SrcPort, dst)
}

func (t *Table) tcpSYNACK(p *Packet, line int64, dst []Event) []Event {
	k := backward(p, ClassTCP)
	e, n := t.find(&k)
	if e == nil {
		own := forward(p, ClassTCP)
		if e, _ = t.find(&own); e != nil {
			e.asks(p.SrcPort)
		}
		return t.orphan(&k, p.DstPort, Answered, p, line, dst)
	}
	e.replies(p.DstPort)
	if e.technique != TCPSYN {
		t.early(&k, p.DstPort, p)
		return t.stream(e, dst)
	}
	if e.greet(p) && t.ends {
		t.carry(e, p)
	}
	if e.has(stateFinal) {
		t.early(&k, p.DstPort, p)
		return dst
	}
	return t.answer(e, n, dst)
}

// answer notes an answer. Where one must be followed by payload, the initiator
// has a second for it.
func (t *Table) answer(e *entry, n uint32, dst []Event) []Event {
	if e.state&(stateStream|stateFinal) != 0 || level(e.outcome) >= level(Answered) {
		return dst
	}
	dst = t.raise(e, Answered, dst)
	if countsAnswered(e.key.Class) && !t.ends {
		t.set(timerAnswer, t.clock.now, n, e.gen)
	}
	return dst
}

func (t *Table) tcpRST(p *Packet, line int64, dst []Event) []Event {
	back := backward(p, ClassTCP)
	if e, n := t.find(&back); e != nil {
		e.replies(p.DstPort)
		if t.ends {
			dst = t.ended(e, n, p, false, dst)
		}
		dst = t.hear(e, n, p, false, dst)
		if e.state&(stateFinal|stateStream) != 0 {
			t.early(&back, p.DstPort, p)
			return dst
		}
		return t.fail(e, Refused, dst)
	}
	k := forward(p, ClassTCP)
	e, n := t.find(&k)
	if e == nil {
		return t.orphan(&back, p.DstPort, Refused, p, line, dst)
	}
	e.asks(p.SrcPort)
	if e.technique != TCPSYN && !e.has(stateStream) {
		return t.tcpProbed(e, n, p, line, true, dst)
	}
	if t.ends {
		dst = t.ended(e, n, p, true, dst)
	}
	dst = t.hear(e, n, p, true, dst)
	if e.outcome != Answered || e.state&(statePayload|stateFinal|stateStream) != 0 {
		return dst
	}
	if e.has(stateHandshake) {
		e.state |= stateClosed
		return dst
	}
	e.state |= stateHalfOpen
	return t.count(e, dst)
}

// tcpSegment takes what is neither SYN nor RST.
func (t *Table) tcpSegment(p *Packet, line int64, dst []Event) []Event {
	initiator := p.SrcPort >= p.DstPort
	first := oriented(p, ClassTCP, initiator)
	e, n := t.find(&first)
	if e == nil {
		initiator = !initiator
		second := oriented(p, ClassTCP, initiator)
		if e, n = t.find(&second); e == nil {
			return t.tcpUnknown(p, line, &first, dst)
		}
	}
	e.turns(p, initiator)
	if initiator && p.Has(MarkOrder) {
		dst = t.order(e, p, dst)
	}
	if p.Flags&FlagFIN != 0 && t.ends {
		dst = t.ended(e, n, p, initiator, dst)
	}
	switch {
	case e.has(stateStream):
		t.tcpStream(e, p, initiator)
		return dst
	case e.technique != TCPSYN:
		return t.tcpProbed(e, n, p, line, initiator, dst)
	case initiator:
		return t.tcpInitiator(e, n, p, dst)
	default:
		return t.tcpResponder(e, n, p, dst)
	}
}

// tcpMidStream makes an entry mid-stream by a segment.
func (t *Table) tcpMidStream(e *entry, p *Packet, initiator bool, dst []Event) []Event {
	dst = t.stream(e, dst)
	t.tcpStream(e, p, initiator)
	return dst
}

// tcpStream takes a segment of a conversation whose beginning was not seen. Once
// both sides have sent payload, it tells which link addresses carry them.
func (t *Table) tcpStream(e *entry, p *Packet, initiator bool) {
	spoke, other, carried := stateAhead, stateBack, stateAheadCarried
	if !initiator {
		spoke, other, carried = stateBack, stateAhead, stateBackCarried
	}
	if p.Payload > 0 {
		e.state |= spoke
	}
	if e.has(spoke|other) && !e.has(carried) {
		e.state |= carried
		t.gateways.note(&p.SrcMAC, &p.Src)
	}
}

func (t *Table) tcpInitiator(e *entry, n uint32, p *Packet, dst []Event) []Event {
	if level(e.outcome) < level(Answered) {
		if e.has(stateFinal) || p.Flags&FlagACK == 0 || p.Seq != e.seq+1 {
			return dst
		}
		e.state |= stateUnseen | stateHandshake
		dst = t.answer(e, n, dst)
	}
	if p.Flags&FlagACK != 0 {
		e.state |= stateHandshake
	}
	if p.Payload > 0 {
		e.state |= statePayload
		if e.has(stateUnseen) {
			dst = t.raise(e, Productive, dst)
		}
	}
	if p.Flags&FlagFIN != 0 && e.has(stateHandshake) {
		e.state |= stateClosed
	}
	return t.hear(e, n, p, true, dst)
}

func (t *Table) tcpResponder(e *entry, n uint32, p *Packet, dst []Event) []Event {
	switch {
	case e.has(statePayload):
		dst = t.speak(e, p, dst)
	case level(e.outcome) < level(Refused):
		dst = t.answer(e, n, dst)
	}
	return t.hear(e, n, p, false, dst)
}

// probeOf names the flag probe that a segment would be, 0 for none.
func probeOf(p *Packet) Technique {
	if p.Payload > 0 || p.EchoedTime != 0 {
		return 0
	}
	switch p.Flags &^ (FlagECE | FlagCWR) {
	case 0:
		return TCPNull
	case FlagFIN:
		return TCPFIN
	case FlagFIN | FlagPSH | FlagURG:
		return TCPXmas
	case FlagFIN | FlagACK:
		return TCPMaimon
	case FlagACK:
		return TCPACK
	default:
		return 0
	}
}

// tcpUnknown takes a segment of no known conversation: a flag probe, or the
// middle of a conversation.
func (t *Table) tcpUnknown(p *Packet, line int64, first *Key, dst []Event) []Event {
	technique := probeOf(p)
	if technique != 0 && !mayStart(p) {
		return dst
	}
	k := forward(p, ClassTCP)
	if technique == 0 || t.tombstones.has(t.keys.key(first)) {
		e, _ := t.create(first)
		e.technique = TCPACK
		dst = t.joined(first, p, line, dst)
		e.turns(p, p.SrcPort >= p.DstPort)
		return t.tcpMidStream(e, p, p.SrcPort >= p.DstPort, dst)
	}
	e, n := t.create(&k)
	return t.open(e, n, technique, p, line, p.SrcPort, dst)
}

// tcpProbed takes a further segment of a tuple that has seen a flag probe.
func (t *Table) tcpProbed(e *entry, n uint32, p *Packet, line int64, initiator bool, dst []Event) []Event {
	if !initiator {
		return t.tcpMidStream(e, p, initiator, dst)
	}
	technique := probeOf(p)
	switch {
	case !e.remembersPort(p.SrcPort):
		if technique == 0 {
			return t.tcpMidStream(e, p, initiator, dst)
		}
		if !mayStart(p) {
			return dst
		}
		return t.connect(e, n, technique, p, line, p.SrcPort, dst)
	case technique == e.technique && e.remembers(p.SrcPort, uint16(p.Seq)) && p.Ack == e.ack:
		e.copied()
		return dst
	default:
		return t.tcpMidStream(e, p, initiator, dst)
	}
}
