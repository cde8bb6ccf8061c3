package flows

// Rule 17: answers without questions, and conversations without beginnings.

// orphan emits an answer to which there is no question, and keeps it.
func (r *reference) orphan(p *Packet, k Key, port uint16, o Outcome, line int64) {
	r.out = append(r.out, Event{Kind: Orphaned, At: r.now, Attempt: Attempt{
		Key: k, SrcPort: port, Outcome: o, Code: p.Code,
		Start: p.Time, Line: line, Time: p.Time, TimeLine: line,
		Seq: p.Seq, Ack: p.Ack, Flags: p.Flags, Question: p.Question,
		Iface: p.Iface, VLAN: p.VLAN, TTL: p.TTL, SrcMAC: p.SrcMAC, Packets: 1, Marks: p.Marks,
	}})
	r.keep(p, k, port)
}

// joined emits that a conversation was met in its middle.
func (r *reference) joined(p *Packet, k Key, line int64) {
	r.out = append(r.out, Event{Kind: Joined, At: r.now, Attempt: Attempt{
		Key: k, Start: p.Time, Line: line, Time: p.Time, TimeLine: line, Iface: p.Iface, VLAN: p.VLAN,
	}})
}
