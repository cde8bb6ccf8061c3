package flows

// closes is rule 20.
func (r *reference) closes(p *Packet, a *refAttempt, initiator bool) {
	port := p.DstPort
	if initiator {
		port = p.SrcPort
	}
	if !r.endsOnly || p.Flags&(FlagFIN|FlagRST) == 0 || a == nil || a.Technique != TCPSYN || port != a.SrcPort {
		return
	}
	acked := p.Flags&FlagACK != 0
	sent, received := a.said(p, initiator)
	if sent >= 1<<31 || received >= 1<<31 || !initiator && !acked {
		return
	}
	answered := func() bool { return refRank(a.Outcome) >= Answered }
	if initiator && acked && !answered() {
		if !a.unseen && !a.twoWay {
			r.view(a, ClassTCP).unseen++
		}
		a.unseen = true
		r.raise(a, Answered)
	}
	if !answered() && !a.unseen && (initiator || sent == 0) {
		return
	}
	if initiator && acked || !initiator && p.Flags&FlagFIN != 0 || sent > 0 {
		a.Handshake = true
	}
	if sent > 0 {
		a.payload = true
		switch {
		case !initiator:
			r.speak(p, a)
		case acked:
			r.raise(a, Productive)
		}
	}
	if a.Outcome == Answered && !a.payload && received == 0 && !a.over {
		if !a.Handshake {
			a.HalfOpen = true
		}
		r.count(a)
	}
}
