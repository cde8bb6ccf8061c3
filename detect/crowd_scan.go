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
	for _, at := range e.crowds.places(&s.addr, s.hash) {
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
	for _, at := range e.crowds.places(&s.addr, s.hash) {
		if at.inc != nil || at.divides {
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
			e.openCrowd(at.crowd, r, c, pr, nil)
			return true
		}
	}
	return false
}

// openCrowd opens the scan of a crowd, filled with what is remembered of its members.
func (e *Engine) openCrowd(g *crowd, r *compiledRule, c crossing, pr *probe, d *Division) {
	inc := e.foundCrowd(g, r, pr.vlan)
	rank := e.backfillCrowd(inc, c.reach, pr.start)
	inc.detected = Detected{Targets: max(rank, min(c.value, inc.targets)), Seconds: seconds(e.now - inc.firstLine)}
	inc.evidence = Evidence{
		Count: string(r.Count), Value: c.value, Threshold: r.Over, Window: r.windowText(), Baseline: baselineOf(c.baseline),
		Division: d,
	}
	inc.fired(r, c, pr, e.now)
	e.announceCrowd(inc)
}

// foundCrowd makes the scan of a crowd.
func (e *Engine) foundCrowd(g *crowd, r *compiledRule, vlan uint16) *incident {
	e.stats.Opened++
	g.inc = &incident{crowd: g, keys: e.keys, rule: r, home: e.home, floor: idleFloor(r), vlan: vlan, allowed: e.allow.ofMany(), room: &e.room}
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

// claim is an attempt of a member that is the crowd's.
type claim struct {
	*attempted
	speaker int
}

// backfillCrowd gives the scan of a crowd the attempts of members that are new to it, as backfill
// gives a source its own; they are nothing that a source did alone any more. Of members that
// have a scan it takes that. It returns how many of the targets were tried until a time.
func (e *Engine) backfillCrowd(inc *incident, reach, until int64) (rank int) {
	g := inc.crowd
	from := g.taken
	g.taken = len(g.members)
	found := e.claims(inc, from, reach)
	if len(found) > 0 && from == 0 {
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
				g.members[f.speaker].acts++
			}
		}
	}
	for _, f := range found {
		f.excused, f.flagged = true, false
	}
	for n := from; n < len(g.members); n++ {
		if s := e.sources.find(&g.members[n].addr); s != nil && inc.owns(s.incident) {
			inc.absorb(s.incident, n, e.cfg.Targets)
		}
	}
	return rank
}

// claims are what members from one on did that is the crowd's, in the order in which they did it.
func (e *Engine) claims(inc *incident, from int, reach int64) (found []claim) {
	for n := from; n < len(inc.crowd.members); n++ {
		if s := e.sources.find(&inc.crowd.members[n].addr); s != nil && !inc.owns(s.incident) {
			e.recallOf(inc, s, reach, func(a *attempted) { found = append(found, claim{a, n}) })
		}
	}
	slices.SortStableFunc(found, func(a, b claim) int {
		return cmp.Or(cmp.Compare(a.line, b.line), cmp.Compare(a.start, b.start))
	})
	return found
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

// gather brings the past of new members into the scan of their crowd; and opens that, if one of
// them has a scan that is the crowd's.
func (e *Engine) gather(g *crowd) {
	if g.inc != nil {
		if g.taken < len(g.members) {
			e.backfillCrowd(g.inc, g.inc.firstLine, e.now)
			e.absorbAll(g.inc)
		}
		return
	}
	for n := range g.members {
		s := e.sources.find(&g.members[n].addr)
		if s == nil || !(&incident{crowd: g}).owns(s.incident) {
			continue
		}
		old := s.incident
		inc := e.foundCrowd(g, old.rule, old.vlan)
		inc.evidence, inc.detected = old.evidence, old.detected
		inc.rules, inc.bins = slices.Clone(old.rules), slices.Clone(old.bins)
		inc.first, inc.firstLine, inc.last, inc.lastLine = old.first, old.firstLine, old.last, old.lastLine
		e.backfillCrowd(inc, old.firstLine, old.first)
		e.announceCrowd(inc)
		return
	}
}

// try is a target as one member tried it.
type try struct {
	target
	technique flows.Technique
	speaker   uint16 // below maxMembers
}

func (t *try) hash(host uint64) uint64 {
	return mixed(t.target.hash(host), uint64(t.technique)<<16|uint64(t.speaker))
}

// followMember counts what has been added to a member's attempt.
func (inc *incident) followMember(p *part, k *target, host uint64, a *attempted, bound int) {
	t := try{*k, p.technique, uint16(inc.speaker)}
	pg := inc.tries.find(&t, t.hash(host))
	if pg == nil {
		if inc.tries.size() >= 4*bound {
			p.full = true
			inc.judge(a)
			inc.pace(a)
			return
		}
		pg = inc.tries.add(&t, t.hash(host))
		pg.start = a.start - 1
	}
	inc.follow(p, pg, a)
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
