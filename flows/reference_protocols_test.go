package flows

import (
	"slices"
)

// The rules of the protocols: 6 (TCP), 7 (UDP), 8 (ICMP), 9 (ARP and neighbour
// discovery), 10 (SCTP) and 11 (others).

func refKey(class Class, proto uint8, from, to [16]byte, port uint16) Key {
	if class == ClassARP {
		proto = 0
	}
	return Key{Initiator: from, Responder: to, Port: port, Proto: proto, Class: class}
}

// refKeys returns the keys of p with its sender as the initiator and as the
// responder, and both in the order in which they are looked for.
func refKeys(class Class, p *Packet) (own, reverse Key, order [2]Key) {
	own = refKey(class, p.Proto, p.Src, p.Dst, p.DstPort)
	reverse = refKey(class, p.Proto, p.Dst, p.Src, p.SrcPort)
	if p.SrcPort < p.DstPort {
		return own, reverse, [2]Key{reverse, own}
	}
	return own, reverse, [2]Key{own, reverse}
}

// tcp is rule 6. A segment with RST is a RST whatever else is set.
func (r *reference) tcp(p *Packet, line int64) {
	own, reverse, order := refKeys(ClassTCP, p)
	switch {
	case p.Flags&FlagRST != 0:
		r.reset(p, line, own, reverse)
	case p.Flags&(FlagSYN|FlagACK) == FlagSYN:
		if e := r.splitBy(p, own, reverse); e != nil {
			if e.attempt.Technique == TCPSYN {
				r.fromResponder(p, e.attempt)
			} else {
				r.midStream(e)
			}
			return
		}
		if r.mayStart(p) && !r.copy(p, own) {
			if e := r.entries[reverse]; e != nil && e.prompts(p.DstPort) {
				return
			}
			r.speaks(p, reverse, false)
		}
		r.first(p, line, own, TCPSYN)
	case p.Flags&FlagSYN != 0:
		e := r.entries[reverse]
		if e == nil {
			r.speaks(p, own, true)
		} else {
			r.speaks(p, reverse, false)
		}
		r.greet(p, e)
		switch {
		case e == nil:
			r.orphan(p, reverse, p.DstPort, Answered, line)
		case e.attempt == nil || e.attempt.over || e.attempt.Technique != TCPSYN:
			r.keep(p, reverse, p.DstPort)
		}
		switch {
		case e == nil || e.attempt == nil:
		case e.attempt.Technique == TCPSYN:
			r.raise(e.attempt, Answered)
		default:
			r.midStream(e)
		}
	default:
		r.segment(p, line, own, order)
	}
}

// splitBy is the entry whose responder sends a SYN of its own.
func (r *reference) splitBy(p *Packet, own, reverse Key) *refEntry {
	e := r.entries[reverse]
	if !r.mayStart(p) || e == nil || e.attempt == nil || e.attempt.over || !e.remembersPort(p.DstPort) || r.copy(p, own) {
		return nil
	}
	return e
}

// copy reports whether a SYN is one that is known.
func (r *reference) copy(p *Packet, own Key) bool {
	e := r.entries[own]
	return e != nil && e.attempt != nil && e.attempt.Technique == TCPSYN && slices.Contains(e.conns, refConnection(ClassTCP, p))
}

// speaks notes, for whose turn it is, that a segment belongs to an entry, if that exists.
func (r *reference) speaks(p *Packet, k Key, initiator bool) {
	e := r.entries[k]
	switch {
	case e == nil:
	case initiator && !e.remembersPort(p.SrcPort):
		e.turn = p.SrcPort
	case !initiator && !e.remembersPort(p.DstPort) && e.turn != p.DstPort:
		e.led = true
	}
}

// prompts reports whether a SYN of the responder to a port comes back to where the
// initiator chose to send from.
func (e *refEntry) prompts(port uint16) bool {
	return port != 0 && port == e.turn && !e.led && !e.talks()
}

// talks reports whether there is more between the two than segments without payload.
func (e *refEntry) talks() bool {
	if e.attempt == nil {
		return e.ahead || e.back
	}
	return e.attempt.Outcome == Productive
}

// reset looks for the initiator's entry only where the responder has none. To
// a flag probe the initiator's RST is a segment with other flags.
func (r *reference) reset(p *Packet, line int64, own, reverse Key) {
	if e := r.entries[reverse]; e != nil {
		r.speaks(p, reverse, false)
		r.closes(p, e.attempt, false)
		r.hear(p, e.attempt, false)
		if e.waits() {
			r.raise(e.attempt, Refused)
		} else {
			r.keep(p, reverse, p.DstPort)
		}
		return
	}
	e := r.entries[own]
	if e == nil {
		r.orphan(p, reverse, p.DstPort, Refused, line)
		return
	}
	r.speaks(p, own, true)
	if e.attempt == nil {
		return
	}
	a := e.attempt
	if a.Technique != TCPSYN {
		r.probeAgain(p, line, e)
		return
	}
	r.closes(p, a, true)
	r.hear(p, a, true)
	switch {
	case a.over || a.Outcome != Answered || a.payload:
	case a.Handshake:
		a.closed = true
	default:
		a.HalfOpen = true
		r.count(a)
	}
}

// segment takes a segment with neither SYN nor RST. It belongs to the first
// entry that is found, whatever that is.
func (r *reference) segment(p *Packet, line int64, own Key, order [2]Key) {
	for _, k := range order {
		e := r.entries[k]
		r.speaks(p, k, k == own)
		if e != nil && k == own && p.Has(MarkOrder) {
			r.order(p, e, k)
		}
		if e != nil {
			r.closes(p, e.attempt, k == own)
		}
		switch {
		case e == nil:
			continue
		case e.attempt == nil:
			r.stream(p, e, k == own)
		case e.attempt.Technique == TCPSYN && k == own:
			r.fromInitiator(p, e.attempt)
		case e.attempt.Technique == TCPSYN:
			r.fromResponder(p, e.attempt)
		case k == own:
			r.probeAgain(p, line, e)
		default:
			r.midStream(e)
			r.stream(p, e, false)
		}
		return
	}
	if t := refProbe(p); t != 0 {
		r.first(p, line, own, t)
		return
	}
	e := &refEntry{}
	r.entries[order[0]] = e
	r.joined(p, order[0], line)
	r.speaks(p, order[0], order[0] == own)
	r.stream(p, e, order[0] == own)
}

// stream is the rest of rule 13: a segment of a mid-stream entry.
func (r *reference) stream(p *Packet, e *refEntry, initiator bool) {
	if p.Payload > 0 {
		e.ahead, e.back = e.ahead || initiator, e.back || !initiator
	}
	if e.ahead && e.back {
		r.carries(p.SrcMAC, p.Src)
	}
}

// fromInitiator: the segment that proves an answer is looked at as one after
// the answer, too, so its payload makes the attempt productive.
func (r *reference) fromInitiator(p *Packet, a *refAttempt) {
	if refRank(a.Outcome) < Answered {
		if a.over || p.Flags&FlagACK == 0 || p.Seq != a.Seq+1 {
			return
		}
		a.unseen, a.Handshake = true, true
		if !a.twoWay {
			r.view(a, ClassTCP).unseen++
		}
		r.raise(a, Answered)
	}
	if p.Flags&FlagACK != 0 {
		a.Handshake = true
	}
	if p.Payload > 0 {
		a.payload = true
		if a.unseen {
			r.raise(a, Productive)
		}
	}
	if p.Flags&FlagFIN != 0 && a.Handshake {
		a.closed = true
	}
	r.hear(p, a, true)
}

func (r *reference) fromResponder(p *Packet, a *refAttempt) {
	if o := refRank(a.Outcome); o == Silent || o == Unreachable {
		r.raise(a, Answered)
	}
	if a.payload {
		r.speak(p, a)
	}
	r.hear(p, a, false)
}

type refLink struct {
	mac [6]byte
	v4  bool
}

// speak is the first half of rule 13: a packet of the responder makes an
// attempt productive.
func (r *reference) speak(p *Packet, a *refAttempt) {
	if a.Outcome < Productive && !a.gone {
		r.carries(a.SrcMAC, a.Initiator)
		r.carries(p.SrcMAC, p.Src)
	}
	r.raise(a, Productive)
}

func (r *reference) carries(mac [6]byte, addr [16]byte) {
	l := refLink{mac, IsIPv4(&addr)}
	if c := r.carried[l]; mac != [6]byte{} && len(c) < 4 && !slices.Contains(c, refNet(addr)) {
		r.carried[l] = append(c, refNet(addr))
	}
}

// refNet is what rule 13 compares of an address.
func refNet(addr [16]byte) string {
	if IsIPv4(&addr) {
		return string(addr[:])
	}
	return string(addr[:8])
}

// gateway is the second half of rule 13.
func (r *reference) gateway(p *Packet) bool {
	c := slices.Clone(r.carried[refLink{p.SrcMAC, IsIPv4(&p.Src)}])
	c = slices.DeleteFunc(c, func(s string) bool { return s == refNet(p.Src) })
	return len(c) >= 3
}

// refProbe returns the technique of a segment that is a flag probe by itself, or 0.
func refProbe(p *Packet) Technique {
	if p.Payload != 0 || p.EchoedTime != 0 {
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
	}
	return 0
}

// probeAgain takes a segment of the initiator of a flag probe. The same again
// is a flag probe by itself. Flags are compared with ECE and CWR left out, Seq
// in the 16 bits that are remembered.
func (r *reference) probeAgain(p *Packet, line int64, e *refEntry) {
	a := e.attempt
	t := refProbe(p)
	same := slices.Contains(e.conns, refConnection(ClassTCP, p)) && p.Ack == a.Ack && t == a.Technique
	switch {
	case same:
		a.copied()
	case !e.remembersPort(p.SrcPort) && t != 0:
		r.first(p, line, a.Key, t)
	default:
		r.midStream(e)
		r.stream(p, e, true)
	}
}

// midStream ends the attempt of a flag probe without Final.
func (r *reference) midStream(e *refEntry) {
	a := e.attempt
	if a.Counted {
		a.Counted, a.Withdrawn = false, true
		r.emit(Withdrawn, a)
	}
	a.over, a.gone = true, true
	e.attempt = nil
}

type refSocket struct {
	addr [16]byte
	port uint16
}

type refSent struct {
	from refSocket
	to   [16]byte
}

// refNote says when a socket last sent to a host, and to which entry, nil if that
// datagram belonged to none.
type refNote struct {
	entry *refEntry
	key   Key
	at    int64
}

// ofAttempt says whether the note's entry is still what the datagram went to.
func (n refNote) ofAttempt() bool { return n.entry != nil && n.entry.attempt.Key == n.key }

func (n refNote) live(clock int64) bool {
	return clock-n.at <= 30*refSecond || n.ofAttempt() && clock-n.entry.last <= 30*refSecond
}

// udp is rule 7. A datagram that turns an attempt round leaves no note, as it
// was found in the way of a reply.
func (r *reference) udp(p *Packet, line int64) {
	from, to := refSocket{p.Src, p.SrcPort}, refSocket{p.Dst, p.DstPort}
	r.lease(p)
	if p.Has(MarkGroup) {
		if refFromHost(p) {
			r.toGroup[from] = r.span()
		}
		return
	}
	own, _, order := refKeys(ClassUDP, p)
	for _, k := range order {
		port := p.SrcPort
		if k != own {
			port = p.DstPort
		}
		e := r.entries[k]
		switch {
		case e == nil || !e.remembersPort(port) || r.clock-e.last > refMinute:
			continue
		case k == own:
			r.first(p, line, k, UDP)
			return
		case !r.turns(p, e.attempt, own):
			r.answered(to, from)
			e.last = r.span()
			r.speak(p, e.attempt)
			return
		}
		r.turn(p, line, e)
		return
	}
	if !refFromHost(p) {
		return
	}
	r.udpFirst(p, line, own)
	n := refNote{at: r.span()}
	if e := r.entries[own]; e != nil {
		n.entry, n.key = e, own
	}
	r.sent[refSent{from, p.Dst}] = n
}

// udpFirst takes a datagram that is neither a reply nor a copy by the entries.
func (r *reference) udpFirst(p *Packet, line int64, own Key) {
	from, to := refSocket{p.Src, p.SrcPort}, refSocket{p.Dst, p.DstPort}
	if r.entries[own] != nil {
		r.first(p, line, own, UDP)
		return
	}
	starts := !p.Has(MarkReplyLike) && !r.isServer(from)
	early, waits := r.answerTo(p, own, p.SrcPort)
	overtaken := waits && early.Kind == KindUDP && starts
	if n, ok := r.sent[refSent{to, p.Src}]; ok && n.live(r.clock) && !overtaken {
		r.answered(to, from)
		_, reverse, _ := refKeys(ClassUDP, p)
		r.keep(p, reverse, p.DstPort)
		if n.ofAttempt() && !p.Has(MarkReplyLike) {
			n.entry.last = r.span()
			r.raise(n.entry.attempt, Productive)
		}
		return
	}
	if at, ok := r.toGroup[to]; ok && r.clock-at <= 30*refSecond {
		r.answered(to, from)
		return
	}
	_, reverse, _ := refKeys(ClassUDP, p)
	switch {
	case starts:
		r.first(p, line, own, UDP)
	case p.Has(MarkReplyLike):
		r.orphan(p, reverse, p.DstPort, Productive, line)
	default:
		r.keep(p, reverse, p.DstPort)
	}
}

// turns says whether p, a reply to the attempt a, is what a replied to. One who
// may start no attempt (rule 4) does not come to have one so.
func (r *reference) turns(p *Packet, a *refAttempt, own Key) bool {
	return a.pending && p.Time < a.Start && r.entries[own] == nil && r.mayStart(p)
}

func (r *reference) turn(p *Packet, line int64, e *refEntry) {
	own, reverse, _ := refKeys(ClassUDP, p)
	r.answered(refSocket{p.Src, p.SrcPort}, refSocket{p.Dst, p.DstPort})
	delete(r.entries, reverse)
	r.entries[own] = e
	c := refConnection(ClassUDP, p)
	e.attempt.Attempt = Attempt{Key: own, Technique: UDP}
	e.attempt.begin(p, line, r.clock, c)
	e.conns = nil
	e.saw(c, r.span())
	r.raise(e.attempt, Productive)
}

// answered notes that the socket to had a reply, of whatever kind, of the
// socket by. It tells nothing new from a host or a port that has told already.
func (r *reference) answered(to, by refSocket) {
	known := func(s refSocket) bool { return s.addr == by.addr || s.port == by.port }
	if by.port >= 1024 && !slices.ContainsFunc(r.answers[to], known) {
		r.answers[to] = append(r.answers[to], by)
	}
}

func (r *reference) isServer(s refSocket) bool { return len(r.answers[s]) >= 3 }

var refICMPClass = map[Kind]Class{
	KindEchoRequest: ClassEcho, KindEchoReply: ClassEcho,
	KindTimestampRequest: ClassTimestamp, KindTimestampReply: ClassTimestamp,
	KindMaskRequest: ClassMask, KindMaskReply: ClassMask,
	KindARPRequest: ClassARP, KindARPReply: ClassARP,
	KindNeighborSolicit: ClassNDP, KindNeighborAdvert: ClassNDP,
}

var refTechnique = map[Class]Technique{
	ClassEcho: ICMPEcho, ClassTimestamp: ICMPTimestamp, ClassMask: ICMPMask, ClassARP: ARP, ClassNDP: NDP,
}

// request and reply are rules 8 and 9.
func (r *reference) request(p *Packet, line int64) {
	class := refICMPClass[p.Kind]
	q := *p
	if (class == ClassARP || class == ClassNDP) && r.gateway(p) {
		q.Marks |= MarkGateway
	}
	if r.leased(p, class) {
		q.Marks |= MarkLease
	}
	p = &q
	r.first(p, line, refKey(class, p.Proto, p.Src, p.Dst, 0), refTechnique[class])
}

func (r *reference) reply(p *Packet, line int64) {
	k := refKey(refICMPClass[p.Kind], p.Proto, p.Dst, p.Src, 0)
	e := r.entries[k]
	port := refConnection(k.Class, p).port
	if e == nil {
		r.orphan(p, k, port, Answered, line)
		return
	}
	if !e.waits() {
		r.keep(p, k, port)
	}
	e.last = r.span()
	r.raise(e.attempt, Answered)
}

// icmpError is the rest of rule 8. A quoted SCTP packet need not be of a
// remembered port. What expires is announced, and Final at once.
func (r *reference) icmpError(p *Packet, line int64) {
	class, port := ClassProtocol, uint16(0)
	switch p.QuotedProto {
	case 1, 58:
		class = ClassEcho
		switch p.QuotedDstPort {
		case 13:
			class = ClassTimestamp
		case 17:
			class = ClassMask
		}
	case 6:
		class, port = ClassTCP, p.QuotedDstPort
	case 17:
		class, port = ClassUDP, p.QuotedDstPort
	case 132:
		class, port = ClassSCTP, p.QuotedDstPort
	}
	k := refKey(class, p.QuotedProto, p.QuotedSrc, p.QuotedDst, port)
	e := r.entries[k]
	hasPorts := class == ClassTCP || class == ClassUDP
	if e == nil || e.attempt != nil && hasPorts && !e.remembersPort(p.QuotedSrcPort) {
		o := Unreachable
		if p.Kind == KindTimeExceeded {
			o = Expired
		}
		r.orphan(p, k, p.QuotedSrcPort, o, line)
		return
	}
	if !e.waits() {
		r.keep(p, k, p.QuotedSrcPort)
		return
	}
	a := e.attempt
	silent := refRank(a.Outcome) == Silent
	if p.Kind == KindUnreachable && silent && !a.over {
		a.Code = p.Code
		r.raise(a, Unreachable)
	}
	if p.Kind == KindTimeExceeded && (silent || a.Outcome == Unreachable) && !a.over {
		r.announce(a)
		r.raise(a, Expired)
		r.finish(a)
	}
}

// sctp is rule 10. What answers, refuses or makes productive comes from the responder.
func (r *reference) sctp(p *Packet, line int64) {
	own, reverse, _ := refKeys(ClassSCTP, p)
	if p.Kind == KindSCTPInit {
		r.first(p, line, own, SCTPInit)
		return
	}
	if p.Kind == KindSCTPCookieEcho {
		if e := r.entries[own]; e == nil || e.attempt.Technique == SCTPCookie {
			r.first(p, line, own, SCTPCookie)
		} else {
			e.last = r.span()
			e.attempt.Handshake = true
		}
		return
	}
	e := r.entries[reverse]
	if e == nil {
		o := map[Kind]Outcome{KindSCTPInitAck: Answered, KindSCTPCookieAck: Productive, KindSCTPAbort: Refused}
		r.orphan(p, reverse, p.DstPort, o[p.Kind], line)
		return
	}
	if !e.waits() {
		r.keep(p, reverse, p.DstPort)
	}
	e.last = r.span()
	switch p.Kind {
	case KindSCTPInitAck:
		r.raise(e.attempt, Answered)
	case KindSCTPCookieAck:
		r.raise(e.attempt, Productive)
	case KindSCTPAbort:
		r.raise(e.attempt, Refused)
	}
}

// protocol is rule 11.
func (r *reference) protocol(p *Packet, line int64) {
	if e := r.entries[refKey(ClassProtocol, p.Proto, p.Dst, p.Src, 0)]; e != nil {
		e.last = r.span()
		r.raise(e.attempt, Answered)
		return
	}
	r.first(p, line, refKey(ClassProtocol, p.Proto, p.Src, p.Dst, 0), IPProtocol)
}
