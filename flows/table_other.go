package flows

// other takes everything but TCP and UDP.
func (t *Table) other(p *Packet, line int64, dst []Event) []Event {
	switch p.Kind {
	case KindUnreachable, KindTimeExceeded:
		return t.icmpError(p, line, dst)
	case KindEchoRequest:
		return t.request(p, ClassEcho, ICMPEcho, uint16(p.Seq>>16), line, dst)
	case KindEchoReply:
		return t.reply(p, ClassEcho, line, dst)
	case KindTimestampRequest:
		return t.request(p, ClassTimestamp, ICMPTimestamp, uint16(p.Seq>>16), line, dst)
	case KindTimestampReply:
		return t.reply(p, ClassTimestamp, line, dst)
	case KindMaskRequest:
		return t.request(p, ClassMask, ICMPMask, uint16(p.Seq>>16), line, dst)
	case KindMaskReply:
		return t.reply(p, ClassMask, line, dst)
	case KindARPRequest:
		return t.request(p, ClassARP, ARP, 0, line, dst)
	case KindARPReply:
		return t.reply(p, ClassARP, line, dst)
	case KindNeighborSolicit:
		return t.request(p, ClassNDP, NDP, 0, line, dst)
	case KindNeighborAdvert:
		return t.reply(p, ClassNDP, line, dst)
	case KindOther:
		return t.protocol(p, line, dst)
	case KindSCTPInit, KindSCTPInitAck, KindSCTPCookieEcho, KindSCTPCookieAck, KindSCTPAbort:
		return t.sctp(p, line, dst)
	}
	return dst
}

// request takes a packet that asks by its very type.
func (t *Table) request(p *Packet, c Class, technique Technique, id uint16, line int64, dst []Event) []Event {
	k := forward(p, c)
	marks := Mark(0)
	switch c {
	case ClassARP, ClassNDP:
		if !isHost(&p.Src) || p.Src == p.Dst {
			return dst
		}
		if t.gateways.is(&p.SrcMAC, &p.Src) {
			marks |= MarkGateway
		}
	default:
		if !mayStart(p) {
			return dst
		}
	}
	if (c == ClassARP || c == ClassEcho) && t.leases.looks(p, t.clock.now) {
		marks |= MarkLease
	}
	if marks != 0 {
		marked := *p
		marked.Marks |= marks
		p = &marked
	}
	e, n := t.find(&k)
	if e == nil {
		e, n = t.create(&k)
		return t.open(e, n, technique, p, line, id, dst)
	}
	if e.technique == technique && t.fresh(e, id) {
		e.saw(t.clock.now)
		e.copied()
		return dst
	}
	return t.connect(e, n, technique, p, line, id, dst)
}

// reply takes a packet that answers by its very type.
func (t *Table) reply(p *Packet, c Class, line int64, dst []Event) []Event {
	k := backward(p, c)
	e, n := t.find(&k)
	if e == nil {
		return t.orphan(&k, identifier(p), Answered, p, line, dst)
	}
	e.saw(t.clock.now)
	if e.has(stateFinal) {
		t.early(&k, identifier(p), p)
		return dst
	}
	return t.answer(e, n, dst)
}

// identifier is what an echo, timestamp or mask message has in place of a source
// port; 0 for others.
func identifier(p *Packet) uint16 {
	if p.Kind == KindARPReply || p.Kind == KindNeighborAdvert {
		return 0
	}
	return uint16(p.Seq >> 16)
}

// protocol takes an IP protocol without ports: a packet the other way answers.
func (t *Table) protocol(p *Packet, line int64, dst []Event) []Event {
	k := backward(p, ClassProtocol)
	if e, n := t.find(&k); e != nil {
		e.saw(t.clock.now)
		return t.answer(e, n, dst)
	}
	return t.request(p, ClassProtocol, IPProtocol, 0, line, dst)
}

func (t *Table) sctp(p *Packet, line int64, dst []Event) []Event {
	if p.Kind == KindSCTPInit {
		return t.request(p, ClassSCTP, SCTPInit, p.SrcPort, line, dst)
	}
	if p.Kind == KindSCTPCookieEcho {
		k := forward(p, ClassSCTP)
		e, _ := t.find(&k)
		if e == nil || e.technique == SCTPCookie {
			return t.request(p, ClassSCTP, SCTPCookie, p.SrcPort, line, dst)
		}
		e.saw(t.clock.now)
		e.state |= stateHandshake
		return dst
	}
	k := backward(p, ClassSCTP)
	e, n := t.find(&k)
	if e == nil {
		return t.orphan(&k, p.DstPort, sctpOutcome(p.Kind), p, line, dst)
	}
	e.saw(t.clock.now)
	if e.has(stateFinal) {
		t.early(&k, p.DstPort, p)
	}
	switch p.Kind {
	case KindSCTPInitAck:
		return t.answer(e, n, dst)
	case KindSCTPCookieAck:
		return t.raise(e, Productive, dst)
	default:
		if e.has(stateFinal) {
			return dst
		}
		return t.fail(e, Refused, dst)
	}
}

func (t *Table) icmpError(p *Packet, line int64, dst []Event) []Event {
	k := Key{Initiator: p.QuotedSrc, Responder: p.QuotedDst, Port: p.QuotedDstPort, Proto: p.QuotedProto, Class: ClassProtocol}
	switch p.QuotedProto {
	case protoTCP:
		k.Class = ClassTCP
	case protoUDP:
		k.Class = ClassUDP
	case protoSCTP:
		k.Class = ClassSCTP
	case protoICMP, protoICMPv6:
		k.Class, k.Port = requestClass(p.QuotedDstPort), 0
	}
	e, _ := t.find(&k)
	asked := k.Class == ClassTCP || k.Class == ClassUDP
	if e == nil || asked && !e.remembersPort(p.QuotedSrcPort) && !e.has(stateStream) {
		return t.orphan(&k, p.QuotedSrcPort, errorOutcome(p.Kind), p, line, dst)
	}
	if e.state&(stateFinal|stateStream) != 0 {
		t.early(&k, p.QuotedSrcPort, p)
		return dst
	}
	if p.Kind == KindTimeExceeded {
		return t.expire(e, dst)
	}
	if level(e.outcome) == level(Silent) {
		e.code = p.Code
	}
	return t.fail(e, Unreachable, dst)
}

// errorOutcome is what an ICMP error makes of what it quotes.
func errorOutcome(k Kind) Outcome {
	if k == KindTimeExceeded {
		return Expired
	}
	return Unreachable
}

// sctpOutcome is what an answer of SCTP makes of what it answers.
func sctpOutcome(k Kind) Outcome {
	switch k {
	case KindSCTPInitAck:
		return Answered
	case KindSCTPCookieAck:
		return Productive
	default:
		return Refused
	}
}

// requestClass is the class of a quoted ICMP request, by its type.
func requestClass(kind uint16) Class {
	switch kind {
	case 13:
		return ClassTimestamp
	case 17:
		return ClassMask
	default:
		return ClassEcho
	}
}

// IP protocol numbers, as assigned by IANA.
const (
	protoICMP   = 1
	protoTCP    = 6
	protoUDP    = 17
	protoICMPv6 = 58
	protoSCTP   = 132
)
