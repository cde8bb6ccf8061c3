package detect

import "slices"

// owns reports whether most of a member's own scan is the crowd's.
func (inc *incident) owns(old *incident) bool {
	if old == nil {
		return false
	}
	within, all := 0, 0
	for _, p := range old.parts {
		for k := range p.targets.all() {
			all++
			if inc.crowd.fits(&attempted{responder: k.host, port: k.port, class: p.class}) {
				within++
			}
		}
	}
	return 2*within > all
}

// absorb takes what a member's own scan knows.
func (inc *incident) absorb(old *incident, speaker, bound int) {
	inc.speaker = speaker
	if old.firstLine < inc.firstLine {
		inc.first, inc.firstLine = old.first, old.firstLine
	}
	if old.lastLine > inc.lastLine {
		inc.last, inc.lastLine = old.last, old.lastLine
	}
	inc.cut += old.cut
	inc.short = inc.short || old.estimated()
	inc.allowed.absorb(&old.addr, &old.allowed)
	inc.probed = inc.probed || old.probed
	for i := range old.engaged {
		inc.engage(&old.engaged[i])
	}
	for _, p := range old.parts {
		to := inc.partOf(p.technique, p.class)
		if to.attempts == 0 {
			to.first, to.last = p.first, p.last
		}
		to.first, to.last = min(to.first, p.first), max(to.last, p.last)
		to.attempts += p.attempts
		to.packets += p.packets
		to.full = to.full || p.full
		for k, st := range p.targets.all() {
			inc.merge(to, k, st, bound)
		}
	}
}

// merge takes a target of another scan.
func (inc *incident) merge(p *part, k *target, st *targetState, bound int) {
	a := attempted{
		responder: k.host, port: k.port, class: p.class, technique: p.technique, outcome: st.outcome, code: st.code,
		crafted: st.crafted, handshake: st.handshake, halfOpen: st.halfOpen,
	}
	host := inc.keys.addr(&k.host, 0)
	mine := p.targets.find(k, k.hash(host))
	switch {
	case mine != nil:
		inc.tally.count(p.technique, k, mine, -1)
	case inc.targets >= bound || !inc.room.allows(inc.targets):
		p.full = true
		return
	default:
		inc.room.left--
		inc.meet(p, &a, k, host)
		mine = p.targets.add(k, k.hash(host))
		mine.outcome, mine.code = st.outcome, st.code
	}
	p.vote(mine, &a)
	if rises(mine.outcome, st.outcome) {
		mine.outcome, mine.code = st.outcome, st.code
	}
	inc.tally.count(p.technique, k, mine, +1)
	t := try{*k, p.technique, uint16(inc.speaker)}
	*inc.tries.get(&t, t.hash(host)) = st.progress
}

// absorbAll ends the scans of members that a crowd's has absorbed.
func (e *Engine) absorbAll(inc *incident) {
	for n := range inc.crowd.members {
		if s := e.sources.find(&inc.crowd.members[n].addr); s != nil && inc.owns(s.incident) {
			e.merge(s.incident, inc)
		}
	}
}

// merge ends a scan that another has absorbed.
func (e *Engine) merge(old, into *incident) {
	e.open = slices.DeleteFunc(e.open, func(o *incident) bool { return o == old })
	old.mergedInto = into.id
	e.close(old, e.now)
}
