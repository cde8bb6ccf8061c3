package detect

import (
	"math"

	"github.com/synoptic-ids/synoptic/flows"
)

// overwhelming is how many times its threshold a count must reach before the
// share of failures is no longer asked.
const overwhelming = 10

// guardSets are reused from one question to the next.
type guardSets struct {
	spoken    map[[16]byte]struct{} // hosts with a productive conversation
	used      map[uint16]struct{}   // ports of such conversations
	failed    map[uint64]failure    // values that failed
	succeeded map[uint64]bool       // or else: whether they failed, of hosts spoken with
}

// failure is how a value has failed.
type failure struct {
	crafted bool
	active  bool // otherwise than by a connection that was never used
	unused  bool // at a port that was used elsewhere
	shut    bool // otherwise than by a connection that was never used, or broken off
}

func newGuardSets() guardSets {
	return guardSets{map[[16]byte]struct{}{}, map[uint16]struct{}{}, map[uint64]failure{}, map[uint64]bool{}}
}

// fires decides whether a rule whose threshold was crossed may accuse the
// source: its further conditions, and the guards. counted is what its count came to,
// value what it has found.
func (e *Engine) fires(r *compiledRule, counted int, s *source, pr *probe) (value int, ok bool) {
	var w weight
	if r.unproductive {
		w = e.weigh(r, s, pr)
		if r.crafted && !w.whole { // nothing excuses what is crafted, so that the count stands by itself
			w.failed, w.crafted = max(w.failed, counted), max(w.crafted, counted)
		}
		why := w.holds(r)
		if why == NotHeld && !w.certain(r) && !r.byDst && e.listed(s, pr) {
			why = HeldList
		}
		if why != NotHeld {
			e.stats.Guarded++
			e.held(r, s, pr, counted, why, &w)
			return 0, false
		}
	}
	if !e.conditions(r, s, pr) {
		e.held(r, s, pr, counted, HeldCondition, &w)
		return 0, false
	}
	return max(w.failed, counted), true
}

// holds is what holds a rule back by what was weighed.
func (w *weight) holds(r *compiledRule) Hold {
	switch {
	case w.failed <= r.Over:
		return HeldExcused
	case w.certain(r):
		return NotHeld
	default:
		return w.shares(r)
	}
}

// certain reports whether a rule does not ask what else was tried: it never does, or so
// much failed, or half of it was crafted.
func (w *weight) certain(r *compiledRule) bool {
	return r.Share == 0 || w.overwhelms(r) || 2*w.crafted >= w.failed
}

// shares is what holds a rule back that asks for a share of failures. Where the
// successes may have been forgotten, none can be told.
func (w *weight) shares(r *compiledRule) Hold {
	switch {
	case !w.whole:
		return HeldForgotten
	case !w.seeks(r.Share):
		return HeldShare
	default:
		return NotHeld
	}
}

// weight is what is remembered of a source under a rule's key and window, in
// distinct values.
type weight struct {
	failed, crafted, succeeded int
	unused                     int  // of those that failed, by nothing but connections that were never used or broken off, of a host of ours
	spoken, spared             int  // of what succeeded: of hosts spoken with; of unused connections, to ports used elsewhere
	whole                      bool // nothing of the window has been forgotten
}

// seeks reports whether enough of what was tried led nowhere for a search. A host of
// ours that finds nearly all doors open knew of them: connections that are closed unused,
// as monitors and health checks close them, or reset before they are complete, as load
// balancers do, count, but do not show that it sought.
func (w *weight) seeks(share float64) bool {
	return float64(w.failed-w.unused) >= share*float64(w.failed+w.succeeded)
}

// overwhelms reports whether so much failed that the share is no longer asked. Of a
// host all ports of which take connections, thirty are: it answers everything.
func (w *weight) overwhelms(r *compiledRule) bool {
	return w.failed >= overwhelming*(r.Over+1) || r.byDst && r.Count == FieldDstPort && w.unused == w.failed && w.failed >= answersAllPorts
}

// weigh counts what failed, what of that was crafted, and what succeeded. Where
// hosts are counted, one that the source had a productive conversation with has
// failed nothing; where ports of a host are, an unused connection to a host that
// the source has such a conversation with is no failure either (FTP's data, where
// the server alone sends). Crafted probes have no such excuse. Connections that
// were never used are no failure where there is nothing else and the source has
// used their port elsewhere, as browsers and health checks do.
func (e *Engine) weigh(r *compiledRule, s *source, pr *probe) (w weight) {
	clear(e.guard.spoken)
	clear(e.guard.used)
	clear(e.guard.failed)
	clear(e.guard.succeeded)
	if s.talks {
		e.recall(s, pr, r, 0, func(a *attempted) {
			if a.outcome == flows.Productive {
				e.guard.spoken[a.responder] = struct{}{}
				e.guard.used[a.port] = struct{}{}
			}
		})
	}
	w.whole = e.walk(r, s, pr, 0, func(a *attempted) {
		v := r.value(a)
		_, spoken := e.guard.spoken[a.responder]
		excused := spoken && !a.crafted && (!r.byDst || a.handshake && a.outcome == flows.Answered)
		switch {
		case r.holds(a) && !excused:
			_, used := e.guard.used[a.port]
			open := a.outcome == flows.Answered && !a.crafted && (a.handshake || a.halfOpen)
			unused := open && !a.halfOpen
			f := e.guard.failed[v]
			e.guard.failed[v] = failure{f.crafted || a.crafted, f.active || !unused, f.unused || unused && used, f.shut || !open}
		case a.counted || a.outcome == flows.Answered || a.outcome == flows.Productive: // or excused: it was tried
			e.guard.succeeded[v] = e.guard.succeeded[v] || excused && r.holds(a)
		}
	})
	active, spared, shut := 0, 0, 0
	for v, f := range e.guard.failed {
		w.failed++
		if f.crafted {
			w.crafted++
		}
		if f.active {
			active++
		}
		if f.shut {
			shut++
		}
		if f.unused && !f.active {
			spared++
		}
		delete(e.guard.succeeded, v)
	}
	if active == 0 {
		w.failed -= spared
		w.spared = spared
	}
	if e.home.has(&s.addr) {
		w.unused = w.failed - shut
	}
	w.succeeded = len(e.guard.succeeded)
	if e.cfg.Trace != nil {
		w.spoken = spokenWith(e.guard.succeeded)
	}
	return w
}

// spokenWith counts the values that failed at hosts spoken with.
func spokenWith(succeeded map[uint64]bool) (n int) {
	for _, spoken := range succeeded {
		if spoken {
			n++
		}
	}
	return n
}

// walkLimit bounds how many attempts a guard looks at, beyond 16 times the
// threshold.
const walkLimit = 1024

// walk visits the source's attempts that a rule concerns, under the same key and
// in the same window as a probe, the latest first. over is a threshold other than
// the rule's own that has to be reached. It reports whether nothing of the window
// was forgotten.
func (e *Engine) walk(r *compiledRule, s *source, pr *probe, over int, visit func(*attempted)) bool {
	return e.recall(s, pr, r, over, func(a *attempted) {
		if r.sameKey(a, &pr.attempted) && r.concerns(a, s, e.home) {
			visit(a)
		}
	})
}

// late is how much later than its start an attempt may be remembered.
const late = 20 * second

// recall visits the source's attempts in a rule's window.
func (e *Engine) recall(s *source, pr *probe, r *compiledRule, over int, visit func(*attempted)) (whole bool) {
	edge := int64(math.MinInt64)
	switch {
	case r.sliding():
		edge = pr.line - r.window
	case r.Window == Tumbling:
		edge = pr.line - r.window - late
	}
	pos := s.newest
	for range walkLimit + 16*max(r.Over, over) {
		a := e.past.at(pos)
		if a == nil {
			return pos == 0 && (!s.partial || s.made <= edge || e.sources.lost < edge)
		}
		pos = a.prev
		if a.line < edge {
			if a.line < edge-late {
				return true
			}
			continue
		}
		if r.Window != Tumbling || floorDiv(a.start, r.window) == floorDiv(pr.time, r.window) {
			visit(a)
		}
	}
	return true
}

func (c *compiledRule) sameKey(a, b *attempted) bool {
	switch {
	case c.byDst && a.responder != b.responder:
	case c.byNet && networkOf(&a.responder) != networkOf(&b.responder):
	case c.byPort && a.port != b.port:
	case c.byProto && a.class != b.class:
	default:
		return true
	}
	return false
}

// conditions checks the rule's further counts under the same key and window.
func (e *Engine) conditions(r *compiledRule, s *source, pr *probe) bool {
	for _, c := range r.And {
		distinct := map[uint64]struct{}{}
		e.walk(r, s, pr, c.Over, func(a *attempted) {
			if r.holds(a) && (r.unproductive || a.flagged) {
				distinct[r.keys.value(c.Count, a)] = struct{}{}
			}
		})
		if len(distinct) <= c.Over {
			return false
		}
	}
	return true
}
