package flows

// Rule 15: answers that come before their questions.

// refAsked is what an answer answers: an attempt's key, and the source port or
// identifier of the question.
type refAsked struct {
	key  Key
	port uint16
}

type refEarly struct {
	p  Packet
	at int64
}

// waits says whether an entry has an attempt that is not final.
func (e *refEntry) waits() bool { return e != nil && e.attempt != nil && !e.attempt.over }

// keep takes an answer that no attempt waits for, in place of an earlier one.
func (r *reference) keep(p *Packet, k Key, port uint16) {
	r.early[refAsked{k, port}] = refEarly{*p, r.clock}
}

// answerTo is the answer that waits for p, if p is first by its own time.
func (r *reference) answerTo(p *Packet, k Key, port uint16) (Packet, bool) {
	a, ok := r.early[refAsked{k, port}]
	first := p.Time < a.p.Time || p.Time == a.p.Time && a.p.Kind != KindUDP
	return a.p, ok && first && r.clock-a.at <= 50*refMilli
}

// asked lets the answer that waits for the first packet p come now. It is
// looked for once: if it comes to nothing again, it waits again.
func (r *reference) asked(p *Packet, k Key, port uint16) {
	if a, ok := r.answerTo(p, k, port); ok {
		delete(r.early, refAsked{k, port})
		r.take(&a, r.clock)
	}
}
