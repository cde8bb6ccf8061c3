package flows

// orphan emits that an answer came to which there is no question: of the key and
// the source port (or identifier) given.
func (t *Table) orphan(k *Key, port uint16, o Outcome, p *Packet, line int64, dst []Event) []Event {
	t.stats.Backscatter++
	dst = append(dst, Event{})
	ev := &dst[len(dst)-1]
	ev.Kind, ev.At = Orphaned, t.now
	a := &ev.Attempt
	a.Key, a.SrcPort, a.Outcome, a.Code = *k, port, o, p.Code
	a.Start, a.Line, a.Time, a.TimeLine = p.Time, line, p.Time, line
	a.Seq, a.Ack, a.Flags, a.Question = p.Seq, p.Ack, p.Flags, p.Question
	a.Iface, a.VLAN, a.TTL, a.SrcMAC = p.Iface, p.VLAN, p.TTL, p.SrcMAC
	a.Packets, a.Marks = 1, p.Marks
	t.early(k, port, p)
	return dst
}

// joined emits that a conversation was met in its middle.
func (t *Table) joined(k *Key, p *Packet, line int64, dst []Event) []Event {
	return append(dst, Event{Kind: Joined, At: t.now, Attempt: Attempt{
		Key: *k, Start: p.Time, Line: line, Time: p.Time, TimeLine: line, Iface: p.Iface, VLAN: p.VLAN,
	}})
}
