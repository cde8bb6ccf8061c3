package detect

import (
	"slices"

	"github.com/synoptic-ids/synoptic/detect/divide"
	"github.com/synoptic-ids/synoptic/flows"
)

const (
	// dividedOver is what the threshold must be below: what is remembered holds no more, and
	// something must be left for members who try the same.
	dividedOver = 400
	// dividedLooks is how many attempts of a source are looked at for another of the
	// same kind.
	dividedLooks = 16
	// dividedMost is the number of targets from which on a scan is one of its own.
	dividedMost = 128
	// dividedPast is how many of them are asked for a success before a source is taken
	// for a member.
	dividedPast = 64
)

// division is what the rule with a divided window counts in.
type division struct {
	rule  *compiledRule // nil without one
	table *divide.Table
	key   divide.Key // about whose sources vet is asked
	vet   func(*[16]byte) bool
}

// begin makes what the rule counts in, if there is one.
func (d *division) begin(e *Engine) {
	if d.rule != nil {
		d.table = divide.New(divide.Config{Over: d.rule.Over, Window: d.rule.window, Keys: e.cfg.Divided, Seed: e.cfg.Seed})
		d.vet = e.stranger
	}
}

// divided takes a failed probe of ours for the search of crowds that divide our ports or hosts
// among them, and reports whether it became part of the scan of one. The source must have
// failed at another target of the kind: one that was seen once may be forged.
func (e *Engine) divided(s *source, pr *probe) bool {
	r := e.division.rule
	if r == nil || pr.excused || pr.outcome == flows.Unseen || s.newest == 0 ||
		s.incident != nil && s.incident.targets > dividedMost ||
		!r.concerns(&pr.attempted, s, e.home) || !r.holds(&pr.attempted) || !e.home.has(&pr.responder) {
		return false
	}
	var ports, hosts [2]*attempted // the source's attempts before, of either kind
	pos := s.newest
	for range dividedLooks {
		a := e.past.at(pos)
		if a == nil || a.line < pr.line-r.window || pos <= s.after {
			break
		}
		pos = a.prev
		if a.class != pr.class || !r.holds(a) {
			continue
		}
		switch {
		case a.responder == pr.responder && a.port != pr.port:
			note(&ports, a)
		case a.responder != pr.responder && a.port == pr.port && e.home.has(&a.responder):
			note(&hosts, a)
		}
	}
	return hasPorts(pr.class) && e.tried(divide.Key{Host: pr.responder, Class: uint8(pr.class)}, &ports, s, pr) ||
		e.tried(divide.Key{Port: pr.port, Class: uint8(pr.class)}, &hosts, s, pr)
}

// note keeps the first two of a kind.
func note(found *[2]*attempted, a *attempted) {
	for i := range found {
		if found[i] == nil {
			found[i] = a
			return
		}
	}
}

// tried counts a probe under a key, beside what the source tried there before.
func (e *Engine) tried(k divide.Key, before *[2]*attempted, s *source, pr *probe) bool {
	if before[0] == nil {
		return false
	}
	if g := e.crowds.dividing(k); g != nil {
		return e.enter(g, before, s, pr)
	}
	d := &e.division
	d.key = k
	if before[1] == nil { // it has not been counted when it was the only one
		if f, ok := d.table.Add(k, tryOf(s, before[0]), d.vet); ok {
			return e.openDivided(k, &f, before, s, pr)
		}
	}
	f, ok := d.table.Add(k, tryOf(s, &pr.attempted), d.vet)
	return ok && e.openDivided(k, &f, before, s, pr)
}

func tryOf(s *source, a *attempted) divide.Try {
	return divide.Try{Src: s.addr, Host: a.responder, Port: a.port, Line: a.line}
}

// stranger reports whether a source may be one of a crowd: it has no business there, that is no
// productive conversation with the host, or on the port. Who speaks with a host is told by it which
// ports to connect to (FTP, RPC); who polls devices has some that answer.
func (e *Engine) stranger(addr *[16]byte) bool {
	s, k := e.sources.find(addr), &e.division.key
	if s == nil {
		return false
	}
	if k.Host != ([16]byte{}) {
		return !e.facts.spoke(s.hash, e.keys.addr(&k.Host, 0), e.now)
	}
	pos := s.newest
	for range dividedPast {
		a := e.past.at(pos)
		if a == nil {
			break
		}
		if a.outcome == flows.Productive && a.port == k.Port && uint8(a.class) == k.Class {
			return false
		}
		pos = a.prev
	}
	return true
}

// openDivided opens the scan of a crowd that was found, and reports whether the source belongs to it.
func (e *Engine) openDivided(k divide.Key, f *divide.Finding, before *[2]*attempted, s *source, pr *probe) bool {
	g := &crowd{scope: k, divides: true, touched: e.now}
	if !e.crowds.add(g, e.now) {
		return false
	}
	for i := range f.Sources {
		e.crowds.join(g, &f.Sources[i])
	}
	e.openCrowd(g, e.division.rule, crossing{value: f.Targets, reach: f.Since}, pr, &Division{
		Sources: len(f.Sources), Shared: f.Shared, Expected: round3(f.Expected),
	})
	return e.together(s, pr) || e.enter(g, before, s, pr)
}

// enter makes a source one more member of a crowd, if the crowd has not been where it was: those who
// divide their targets do not meet.
func (e *Engine) enter(g *crowd, before *[2]*attempted, s *source, pr *probe) bool {
	for _, a := range []*attempted{before[0], before[1], &pr.attempted} {
		if a == nil {
			continue
		}
		k := targetOf(a)
		if _, known := g.inc.find(a.technique, &k, e.keys.addr(&k.host, 0)); known != nil {
			return false
		}
	}
	e.division.key = g.scope
	if !e.stranger(&s.addr) || !e.crowds.join(g, &s.addr) {
		return false
	}
	e.gather(g)
	return e.together(s, pr)
}

// dividing is the crowd with an open scan that divides what a key has in common, or nil.
func (s *crowdSet) dividing(k divide.Key) *crowd {
	for _, g := range s.all {
		if g.divides && g.scope == k && g.inc != nil {
			return g
		}
	}
	return nil
}

// dividable reports whether a rule counts what a divided window can.
func dividable(r *Rule) bool {
	tcpOrICMP := func(p string) bool { return p == "tcp" || p == "icmp" }
	return r.Count == FieldTarget && slices.Equal(r.By, []Field{FieldProto}) &&
		slices.Equal(r.Of, []Selector{SelectUnproductive}) && len(r.Proto) > 0 &&
		!slices.ContainsFunc(r.Proto, func(p string) bool { return !tcpOrICMP(p) })
}
