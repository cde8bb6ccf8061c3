package flows

func (t *Table) udp(p *Packet, line int64, dst []Event) []Event {
	if p.SrcPort == portLeases || p.DstPort == portLeases {
		t.leases.note(p, t.clock.now)
	}
	if p.Has(MarkGroup) {
		if isHost(&p.Src) {
			t.notes.put(&p.Src, p.SrcPort, nil, noteOf{at: spanOf(t.clock.now)})
		}
		return dst
	}
	var ahead Key
	var sent *entry // the one with the sender as initiator
	var sentN uint32
	for turn := range 2 {
		if (turn == 0) == (p.SrcPort < p.DstPort) {
			back := backward(p, ClassUDP)
			if e, n := t.find(&back); e != nil && t.fresh(e, p.DstPort) {
				return t.udpReply(e, n, p, line, dst)
			}
			continue
		}
		ahead = forward(p, ClassUDP)
		sent, sentN = t.find(&ahead)
		if sent != nil && t.fresh(sent, p.SrcPort) {
			sent.saw(t.clock.now)
			sent.copied()
			return dst
		}
	}
	return t.udpFirst(p, line, sent, sentN, &ahead, dst)
}

// fresh reports whether an entry remembers a source port and saw a packet
// within the life of a UDP conversation.
func (t *Table) fresh(e *entry, port uint16) bool {
	return t.clock.now-e.last() <= sameFlow && e.remembersPort(port)
}

// udpReply takes a datagram from a responder, or, if it left first, from the
// one who turns out to be the initiator.
func (t *Table) udpReply(e *entry, n uint32, p *Packet, line int64, dst []Event) []Event {
	e.saw(t.clock.now)
	if e.has(statePending) && p.Time < e.start && mayStart(p) {
		k := forward(p, ClassUDP)
		if other, _ := t.find(&k); other == nil {
			t.turnRound(e, n, p, line, &k)
			if p.DstPort >= 1024 {
				t.sockets.answered(&p.Src, p.SrcPort, &p.Dst, p.DstPort)
			}
			return t.raise(e, Productive, dst)
		}
	}
	// Once a connection: no more is to be noted of its socket.
	if bit := shown(1) << max(e.indexOf(p.DstPort), 0); e.shown&bit == 0 {
		e.shown |= bit
		t.answered(p)
	}
	return t.speak(e, p, dst)
}

// answered notes a reply for what it says of the socket it goes to.
func (t *Table) answered(p *Packet) {
	if p.SrcPort >= 1024 {
		t.sockets.answered(&p.Dst, p.DstPort, &p.Src, p.SrcPort)
	}
}

// turnRound makes the sender of an earlier datagram the initiator.
func (t *Table) turnRound(e *entry, n uint32, p *Packet, line int64, k *Key) {
	t.unlink(&e.key)
	t.press.add(&t.keys, &e.key, -1)
	e.key = *k
	t.link(k, n)
	t.press.add(&t.keys, k, 1)
	e.place, e.shown = 0, 0
	e.start, e.line = p.Time, line
	e.outcome, e.packets, e.connections = Silent, 1, 1
	e.describe(p, p.SrcPort)
}

// udpFirst takes a datagram that continues no conversation.
func (t *Table) udpFirst(p *Packet, line int64, e *entry, n uint32, k *Key, dst []Event) []Event {
	if !isHost(&p.Src) {
		return dst
	}
	if e != nil {
		dst = t.connect(e, n, UDP, p, line, p.SrcPort, dst)
		t.notes.put(&p.Src, p.SrcPort, &p.Dst, noteOf{at: spanOf(t.clock.now), entry: n, port: p.DstPort, has: true})
		return dst
	}
	if asked, ok := t.notes.get(&p.Dst, p.DstPort, &p.Src); ok && !t.overtaken(k, p) {
		a := t.noted(asked, p)
		if t.clock.now-asked.at <= noteLife || a != nil && t.clock.now-a.last() <= noteLife {
			t.notes.put(&p.Src, p.SrcPort, &p.Dst, noteOf{at: spanOf(t.clock.now)})
			t.answered(p)
			back := backward(p, ClassUDP)
			t.early(&back, p.DstPort, p)
			if a == nil || p.Has(MarkReplyLike) {
				return dst
			}
			a.saw(t.clock.now)
			return t.raise(a, Productive, dst)
		}
	}
	group, ok := t.notes.get(&p.Dst, p.DstPort, nil)
	answersGroup := ok && t.clock.now-group.at <= noteLife
	if answersGroup || p.Has(MarkReplyLike) || t.sockets.serves(&p.Src, p.SrcPort) {
		t.notes.put(&p.Src, p.SrcPort, &p.Dst, noteOf{at: spanOf(t.clock.now)})
		if answersGroup {
			t.answered(p)
			return dst
		}
		back := backward(p, ClassUDP)
		if p.Has(MarkReplyLike) {
			return t.orphan(&back, p.DstPort, Productive, p, line, dst)
		}
		t.stats.Backscatter++
		t.early(&back, p.DstPort, p)
		return dst
	}
	e, n = t.create(k)
	dst = t.open(e, n, UDP, p, line, p.SrcPort, dst)
	t.notes.put(&p.Src, p.SrcPort, &p.Dst, noteOf{at: spanOf(t.clock.now), entry: n, port: p.DstPort, has: true})
	return dst
}

// noted is the entry that a note is about: of its sender, at the one that now
// answers. It is nil if the note has none, or the entry is another's by now.
func (t *Table) noted(n noteOf, answer *Packet) *entry {
	if !n.has {
		return nil
	}
	e := t.at(n.entry)
	k := Key{Initiator: answer.Dst, Responder: answer.Src, Port: n.port, Proto: protoUDP, Class: ClassUDP}
	if !e.has(stateUsed) || e.key != k {
		return nil
	}
	return e
}
