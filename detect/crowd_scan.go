package detect

import (
	"cmp"
	"slices"

	"github.com/synoptic-ids/synoptic/detect/marks"
	"github.com/synoptic-ids/synoptic/flows"
)

// together takes a probe into the open scan of a crowd that it belongs to, and reports whether
// there is one: then it is nothing that its source did alone.
func (e *Engine) together(s *source, pr *probe) bool {
	for _, at := range e.crowds.of(&s.addr) {
		if inc := at.inc; inc != nil && at.fits(&pr.attempted) {
			ev := pr.event
			fits := pr.flagged || !pr.counted && inc.belongs(&pr.attempted)
			if ev.Kind == flows.Counted {
				fits = !pr.excused || inc.belongs(&pr.attempted)
				if acted(&pr.attempted, ev.At) {
					at.members[at.n].acts++
				}
			}
			inc.speaker = at.n
			e.grown(inc, inc.take(&pr.attempted, fits, e.cfg.Targets))
			return true
		}
	}
	return false
}

// acted reports whether a source did upon an answer what only the addressee does: it reset the
// connection, before the second was over that the table waits for it, or completed the handshake.
func acted(a *attempted, now int64) bool {
	return a.handshake || a.halfOpen && now-a.line < second
}

// fireTogether opens the scan of a crowd instead of one of its member, where most of what the
// rule counts of the member is the crowd's.
func (e *Engine) fireTogether(r *compiledRule, c crossing, s *source, pr *probe) bool {
	for _, at := range e.crowds.of(&s.addr) {
		if at.inc != nil {
			continue
		}
		shared, alone := 0, 0
		weigh := func(a *attempted) {
			switch {
			case !r.holds(a):
			case at.fits(a):
				shared++
			default:
				alone++
			}
		}
		weigh(&pr.attempted)
		e.walk(r, s, pr, 0, weigh)
		if shared > alone {
			e.openCrowd(at.crowd, r, c, pr)
			return true
		}
	}
	return false
}

// openCrowd opens the scan of a crowd, filled with what is remembered of its members.
func (e *Engine) openCrowd(g *crowd, r *compiledRule, c crossing, pr *probe) {
	inc := e.foundCrowd(g, r, pr.vlan)
	rank := e.backfillCrowd(inc, c.reach, pr.start)
	inc.detected = Detected{Targets: max(rank, min(c.value, inc.targets)), Seconds: seconds(e.now - inc.firstLine)}
	inc.evidence = Evidence{
		Count: string(r.Count), Value: c.value, Threshold: r.Over, Window: r.windowText(), Baseline: baselineOf(c.baseline),
	}
	inc.fired(r, c, pr, e.now)
	e.announceCrowd(inc)
}

// foundCrowd makes the scan of a crowd.
func (e *Engine) foundCrowd(g *crowd, r *compiledRule, vlan uint16) *incident {
	e.stats.Opened++
	g.inc = &incident{crowd: g, rule: r, home: e.home, floor: idleFloor(r), vlan: vlan, tries: map[try]progress{}, allowed: e.allow.ofMany()}
	return g.inc
}

// announceCrowd reports the scan of a crowd for the first time, and the ends of those of its
// members that it has absorbed.
func (e *Engine) announceCrowd(inc *incident) {
	inc.id, inc.day = inc.crowdID(), inc.crowdDay()
	e.open = append(e.open, inc)
	e.check = min(e.check, inc.lastLine+idleMin)
	inc.doubling = 2 * inc.targets
	e.report(inc, Open, inc.ownTime(e.now), nil)
	e.absorbAll(inc)
}

// backfillCrowd gives the new scan of a crowd its members' attempts as backfill gives a source
// its own; their sources did none of them alone. Of members that have a scan it takes that.
func (e *Engine) backfillCrowd(inc *incident, reach, until int64) (rank int) {
	type claim struct {
		*attempted
		speaker int
	}
	var found []claim
	for n := range inc.crowd.members {
		s := e.sources.find(&inc.crowd.members[n].addr)
		if s == nil || inc.owns(s.incident) {
			continue
		}
		e.recallOf(inc, s, reach, func(a *attempted) {
			found = append(found, claim{a, n})
		})
	}
	slices.SortStableFunc(found, func(a, b claim) int {
		return cmp.Or(cmp.Compare(a.line, b.line), cmp.Compare(a.start, b.start))
	})
	if len(found) > 0 {
		inc.first, inc.firstLine, inc.last, inc.lastLine = found[0].start, found[0].line, found[0].start, found[0].line
	}
	for _, material := range []bool{true, false} {
		for _, f := range found {
			if f.material() != material {
				continue
			}
			before := inc.targets
			inc.speaker = f.speaker
			inc.take(f.attempted, material || inc.belongs(f.attempted), e.cfg.Targets)
			if inc.targets > before && f.start <= until && material {
				rank++
			}
			if acted(f.attempted, e.now) {
				inc.crowd.members[f.speaker].acts++
			}
		}
	}
	for _, f := range found {
		f.excused, f.flagged = true, false
	}
	for n := range inc.crowd.members {
		if s := e.sources.find(&inc.crowd.members[n].addr); s != nil && inc.owns(s.incident) {
			inc.absorb(s.incident, n, e.cfg.Targets)
		}
	}
	return rank
}

// recallOf visits what a member did that is the crowd's, back to the first gap that would have
// ended a scan, or to where the rule's count began.
func (e *Engine) recallOf(inc *incident, s *source, reach int64, visit func(*attempted)) {
	edge := e.now
	for pos := s.newest; pos > s.after; {
		a := e.past.at(pos)
		if a == nil || a.line < edge-inc.floor && a.line < reach {
			return
		}
		pos = a.prev
		if a.material() {
			edge = min(edge, a.line)
		}
		if inc.crowd.fits(a) && (a.material() || a.outcome == flows.Answered || a.outcome == flows.Productive) {
			visit(a)
		}
	}
}

// gather brings what the members of a crowd have open into its scan; and opens that, if one
// of them has a scan that is the crowd's.
func (e *Engine) gather(g *crowd) {
	for n := range g.members {
		s := e.sources.find(&g.members[n].addr)
		if s == nil || s.incident == nil {
			continue
		}
		old := s.incident
		if g.inc == nil {
			if !(&incident{crowd: g}).owns(old) {
				continue
			}
			inc := e.foundCrowd(g, old.rule, old.vlan)
			inc.evidence, inc.detected = old.evidence, old.detected
			inc.rules, inc.bins = slices.Clone(old.rules), slices.Clone(old.bins)
			inc.first, inc.firstLine, inc.last, inc.lastLine = old.first, old.firstLine, old.last, old.lastLine
			e.backfillCrowd(inc, old.firstLine, old.first)
			e.announceCrowd(inc)
			return
		}
		if g.inc.owns(old) {
			g.inc.absorb(old, n, e.cfg.Targets)
			e.merge(s, old, g.inc)
		}
	}
}

// owns reports whether most of a member's own scan is the crowd's.
func (inc *incident) owns(old *incident) bool {
	if old == nil {
		return false
	}
	within, all := 0, 0
	for _, p := range old.parts {
		for k := range p.targets {
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
	inc.short = inc.short || old.short
	inc.allowed.absorb(&old.allowed)
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
		for k, st := range p.targets {
			inc.merge(to, k, st, bound)
		}
	}
}

// merge takes a target of another scan.
func (inc *incident) merge(p *part, k target, st targetState, bound int) {
	a := attempted{
		responder: k.host, port: k.port, class: p.class, technique: p.technique, outcome: st.outcome, code: st.code,
		crafted: st.crafted, handshake: st.handshake, halfOpen: st.halfOpen,
	}
	mine, known := p.targets[k]
	switch {
	case known:
		inc.tally.count(p.technique, &k, &mine, -1)
	case inc.targets >= bound:
		p.full = true
		return
	default:
		inc.meet(p, &a, k)
		mine.outcome, mine.code = st.outcome, st.code
	}
	p.vote(&mine, &a)
	if rises(mine.outcome, st.outcome) {
		mine.outcome, mine.code = st.outcome, st.code
	}
	inc.tally.count(p.technique, &k, &mine, +1)
	p.targets[k] = mine
	inc.tries[try{k, p.technique, inc.speaker}] = st.progress
}

// absorbAll ends the scans of members that a crowd's has absorbed.
func (e *Engine) absorbAll(inc *incident) {
	for n := range inc.crowd.members {
		if s := e.sources.find(&inc.crowd.members[n].addr); s != nil && inc.owns(s.incident) {
			e.merge(s, s.incident, inc)
		}
	}
}

// merge ends a scan that another has absorbed.
func (e *Engine) merge(s *source, old, into *incident) {
	e.open = slices.DeleteFunc(e.open, func(o *incident) bool { return o == old })
	old.mergedInto = into.id
	e.close(old, e.now)
}

// try is a target as one member tried it.
type try struct {
	target
	technique flows.Technique
	speaker   int
}

// followMember counts what has been added to a member's attempt.
func (inc *incident) followMember(p *part, k target, a *attempted, bound int) {
	t := try{k, p.technique, inc.speaker}
	pg, known := inc.tries[t]
	if !known {
		if len(inc.tries) >= 4*bound {
			p.full = true
			inc.judge(a)
			inc.pace(a)
			return
		}
		pg.start = a.start - 1
	}
	inc.follow(p, &pg, a)
	inc.tries[t] = pg
}

// tool is the tool that the probes of a scan bear the mark of. Of a crowd, the one that most
// probes of its members do.
func (e *Engine) tool(inc *incident) *Tool {
	if inc.crowd == nil {
		if m, ok := inc.source.votes.Best(); ok {
			return &Tool{Name: m.Name, Version: m.Version, Matched: m.Matched, Of: m.Of}
		}
		return nil
	}
	var named []marks.Mark
	for i := range inc.crowd.members {
		s := e.sources.find(&inc.crowd.members[i].addr)
		if s == nil {
			continue
		}
		m, ok := s.votes.Best()
		if !ok {
			continue
		}
		n := slices.IndexFunc(named, func(o marks.Mark) bool { return o.Name == m.Name })
		if n < 0 {
			named = append(named, m)
			continue
		}
		named[n].Matched += m.Matched
		named[n].Of += m.Of
		if named[n].Version == "" {
			named[n].Version = m.Version
		}
	}
	if len(named) == 0 {
		return nil
	}
	best := slices.MaxFunc(named, func(a, b marks.Mark) int {
		return cmp.Or(cmp.Compare(a.Matched, b.Matched), cmp.Compare(b.Name, a.Name))
	})
	return &Tool{Name: best.Name, Version: best.Version, Matched: best.Matched, Of: best.Of}
}
