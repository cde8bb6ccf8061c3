package flows

// Rule 16: what the latest connection of an attempt shows of a conversation.

const (
	refTalkAfter = 20 * refSecond
	refTalkTime  = 10_000 // milliseconds
	refTalkSent  = 4096
	refTalkGot   = 1048576
)

// refTalk is one connection.
type refTalk struct {
	opened          int64 // L
	base            *uint32
	asked, answered bool // payload
	closed, back    bool // FIN
	reset           bool
	asksAgain, told bool
}

// greet: only the first SYN+ACK that fits counts.
func (r *reference) greet(p *Packet, e *refEntry) {
	if e == nil || e.attempt == nil || e.attempt.Technique != TCPSYN {
		return
	}
	a := e.attempt
	if a.talk.base == nil && p.DstPort == a.SrcPort && p.Ack == a.Seq+1 {
		base := p.Seq + 1
		a.talk.base = &base
		if r.endsOnly {
			r.carries(a.SrcMAC, a.Initiator)
			r.carries(p.SrcMAC, p.Src)
		}
	}
}

// hear takes a segment that is neither SYN nor, but where a handshake is split, of
// another attempt.
func (r *reference) hear(p *Packet, a *refAttempt, initiator bool) {
	port := p.DstPort
	if initiator {
		port = p.SrcPort
	}
	if a == nil || a.Technique != TCPSYN || port != a.SrcPort {
		return
	}
	k := &a.talk
	if initiator && k.base == nil && p.Flags&FlagACK != 0 && p.Seq == a.Seq+1 {
		base := p.Ack
		k.base = &base
	}
	if p.Payload > 0 {
		k.asked, k.answered = k.asked || initiator, k.answered || !initiator
	}
	if p.Flags&(FlagFIN|FlagRST) != 0 {
		r.ends(p, a, initiator)
	} else if a.over {
		r.lasts(a)
	}
}

// ends is the end of a connection by one side.
func (r *reference) ends(p *Packet, a *refAttempt, initiator bool) {
	k := &a.talk
	sent, received := a.said(p, initiator)
	switch {
	case p.Flags&FlagRST != 0:
		k.reset = true
	case initiator:
		k.closed = true
	default:
		k.back = true
	}
	if sent >= 1<<31 || received >= 1<<31 || a.Outcome != Productive || k.told {
		return
	}
	if !k.asked && sent == 0 || !k.answered && received == 0 {
		return
	}
	if lasted := r.lasted(a); lasted >= refTalkTime || sent >= refTalkSent || received >= refTalkGot {
		k.told, k.asksAgain = true, true
		r.converse(a, sent, received, lasted)
	}
}

// said is what both sides have sent, by the numbers of a FIN or RST.
func (a *refAttempt) said(p *Packet, initiator bool) (sent, received uint32) {
	k := &a.talk
	if initiator {
		sent = p.Seq + uint32(p.Payload) - (a.Seq + 1)
		if k.base != nil && p.Flags&FlagACK != 0 {
			received = refLess(p.Ack-*k.base, k.back)
		}
		return sent, received
	}
	if p.Flags&FlagACK != 0 {
		sent = refLess(p.Ack-(a.Seq+1), k.closed)
	}
	if k.base != nil {
		received = p.Seq + uint32(p.Payload) - *k.base
	}
	return sent, received
}

// refLess leaves out the number that a FIN took.
func refLess(n uint32, fin bool) uint32 {
	if fin && n > 0 {
		n--
	}
	return n
}

// lasted is in milliseconds: both times are rounded down to such, since the
// attempt's line time.
func (r *reference) lasted(a *refAttempt) uint32 {
	return uint32((r.now-a.Line)/refMilli) - uint32((a.talk.opened-a.Line)/refMilli)
}

// lasts looks at a connection of a final attempt.
func (r *reference) lasts(a *refAttempt) {
	k := &a.talk
	open := func() bool {
		return a.Outcome == Productive && k.asked && k.answered && !k.closed && !k.back && !k.reset
	}
	if a.Technique != TCPSYN || k.asksAgain || !open() {
		return
	}
	k.asksAgain = true
	if lasted := r.lasted(a); lasted >= refTalkTime {
		r.converse(a, 0, 0, lasted)
		return
	}
	e := r.entries[a.Key]
	r.at(r.now+refTalkAfter, func() {
		if e.attempt == a && open() {
			r.converse(a, 0, 0, r.lasted(a))
		}
	})
}

func (r *reference) converse(a *refAttempt, sent, received, lasted uint32) {
	r.emit(Conversed, a)
	ev := &r.out[len(r.out)-1]
	ev.Sent, ev.Received, ev.Lasted = sent, received, lasted
}

// order is rule 18.
func (r *reference) order(p *Packet, e *refEntry, k Key) {
	if e.attempt == nil && e.ahead && e.back || e.attempt != nil && e.attempt.Technique == TCPSYN && e.attempt.Outcome == Productive {
		r.out = append(r.out, Event{Kind: Ordered, At: r.now, Attempt: Attempt{Key: k, Question: p.Question}})
	}
}
