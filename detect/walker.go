package detect

import (
	"slices"

	"github.com/synoptic-ids/synoptic/detect/walk"
	"github.com/synoptic-ids/synoptic/flows"
)

// walkerMet is how many first contacts a walk remembers: contacts with what
// is among them are none.
const walkerMet = 64

// contact is a first contact of a walk.
type contact struct {
	value  uint64 // what the rule counts, hashed
	port   uint16
	failed bool
	line   int64
}

// walker is the walk of one source, of one class of targets, over hosts or over
// the ports of a host, and what it takes to tell first contacts.
type walker struct {
	key     uint64
	walk    walk.Walk
	began   int64 // line time of the failure that took it up from 0
	touched int64
	tags    [walkerMet]uint32  // of what was met
	met     [walkerMet]contact // a ring
	next    int
	// patience is how many more failures need not be looked at.
	patience int
}

// find is a first contact that is remembered, or nil.
func (w *walker) find(value uint64) *contact {
	tag := uint32(value)
	for i := range min(w.next, walkerMet) {
		if w.tags[i] == tag && w.met[i].value == value {
			return &w.met[i]
		}
	}
	return nil
}

func (w *walker) meet(c contact) {
	w.met[w.next%walkerMet], w.tags[w.next%walkerMet] = c, uint32(c.value)
	w.next++
}

// up takes a failure, and reports whether it was a first contact.
func (w *walker) up(c contact) bool {
	if w.find(c.value) != nil {
		return false
	}
	w.meet(c)
	if w.walk.Value() == 0 {
		w.began, w.patience = c.line, 0
	}
	w.walk.Failure()
	return true
}

// down takes a success. What had been taken as a failure is taken back.
func (w *walker) down(c contact) {
	c.failed = false
	if old := w.find(c.value); old != nil {
		if !old.failed {
			return
		}
		*old, w.patience = c, 0
		w.walk.Withdraw()
		return
	}
	w.meet(c)
	w.walk.Success()
}

// spread reports whether the failures since the walk left 0 lie as those of a
// scan do: over hosts, on few ports. Those of file sharing each have their own.
func (w *walker) spread() bool {
	if w.patience > 0 {
		w.patience--
		return false
	}
	var ports [walkerMet]uint16
	failed, distinct := 0, 0
	for i := range min(w.next, walkerMet) {
		c := &w.met[i]
		if !c.failed || c.line < w.began {
			continue
		}
		failed++
		if !slices.Contains(ports[:distinct], c.port) {
			ports[distinct] = c.port
			distinct++
		}
	}
	if 3*distinct <= failed {
		return true
	}
	// Another failure, in the place of an older one, brings them closer by three at most.
	w.patience = (3*distinct - failed - 1) / 3
	return false
}

// walkerChunk is how many walks are allocated at a time.
const walkerChunk = 1 << 4

// walkerTable finds walks by key. At its bound it forgets, of those it looks at,
// the one least far up, the longest untouched.
type walkerTable struct {
	index   index
	chunks  []*[walkerChunk]walker
	size    int
	hand    int
	max     int
	evicted uint64
}

func newWalkerTable(bound int) walkerTable { return walkerTable{index: newIndex(1 << 6), max: bound} }

func (t *walkerTable) at(n int) *walker { return &t.chunks[n/walkerChunk][n%walkerChunk] }

func (t *walkerTable) find(key uint64) *walker {
	for n, at := t.index.first(key); n != none; n, at = t.index.next(key, at) {
		if w := t.at(int(n)); w.key == key {
			return w
		}
	}
	return nil
}

func (t *walkerTable) make(key uint64) *walker {
	n := t.size
	if n < t.max {
		if n%walkerChunk == 0 {
			t.chunks = append(t.chunks, new([walkerChunk]walker))
		}
		t.size++
	} else {
		n = t.victim()
		t.evicted++
		t.index.remove(t.at(n).key, uint32(n))
	}
	w := t.at(n)
	*w = walker{key: key}
	t.index.add(key, uint32(n))
	return w
}

// victim is the place of the walk to forget.
func (t *walkerTable) victim() int {
	best := t.hand
	for range looks {
		t.hand = (t.hand + 1) % t.size
		if a, b := t.at(t.hand), t.at(best); a.walk.Value() < b.walk.Value() || a.walk.Value() == b.walk.Value() && a.touched < b.touched {
			best = t.hand
		}
	}
	return best
}

// step takes a probe's part in the walks, once its outcome is final: up if it
// failed, down if it succeeded. A handshake that was never used says nothing either
// way, nor does silence over UDP, where much is sent that nobody is to answer.
func (e *Engine) step(s *source, pr *probe) {
	success := !pr.counted && (pr.outcome == flows.Answered || pr.outcome == flows.Productive)
	failure := e.fails(s, pr)
	if !failure && (!success || !s.walks) || e.isLarge(s) {
		return
	}
	for _, r := range e.walks {
		if r.concerns(&pr.attempted, s, e.home) && (success || r.holds(&pr.attempted)) && (s.incident == nil || !s.incident.done(r)) {
			e.walkOf(r, s, pr, failure)
		}
	}
}

// fails reports whether a probe, once its outcome is final, is a failure whatever the
// time between it and others. A handshake that a host of ours breaks off with an ordinary
// stack's packets, as load balancers do, says no more than one that was never used.
func (e *Engine) fails(s *source, p *probe) bool {
	if p.class == flows.ClassUDP {
		// Silence says nothing, and what goes from a lower port to an ephemeral one
		// may be an answer.
		if p.outcome != flows.Unreachable || p.event.SrcPort < p.port && p.port >= ephemeral && !p.repeats {
			return false
		}
	}
	return p.counted && (p.outcome != flows.Answered || p.halfOpen && (p.crafted || !e.home.has(&s.addr)))
}

// walkOf takes a probe's part in the walk of one rule.
func (e *Engine) walkOf(r *compiledRule, s *source, pr *probe, failure bool) {
	if failure && !r.byDst && !pr.crafted && e.facts.spoke(s.hash, pr.host, e.now) {
		return // no first contact
	}
	c := contact{value: r.valueOf(pr), port: pr.port, failed: failure, line: pr.line}
	w := e.walkers.find(r.key(s, pr, 0))
	switch {
	case w != nil:
		w.forget(s)
	case !failure:
		return
	default:
		if w = e.beginWalk(r, s, pr, c); w == nil {
			return
		}
	}
	w.touched = e.now
	if !failure {
		w.down(c)
		return
	}
	if !w.up(c) {
		return
	}
	value := w.walk.Value()
	e.stands(r, s, pr, value)
	hosts := !r.byDst && hasPorts(pr.class)
	switch {
	case value <= r.Over:
	case hosts && !w.spread():
		e.held(r, s, pr, value, HeldSpread, &weight{})
	case hosts && e.listed(s, pr):
		e.held(r, s, pr, value, HeldList, &weight{})
	default:
		e.fire(r, crossing{value: value, reach: w.began}, s, pr)
		if s.incident != nil && s.incident.done(r) {
			*w = walker{key: w.key} // it is the first to make room, for there is nothing more to find
		}
	}
}

// beginWalk makes a walk at a source's second failure: most sources have one, which
// is kept in their record until then.
func (e *Engine) beginWalk(r *compiledRule, s *source, pr *probe, c contact) *walker {
	first := s.lone
	if first.class == pr.class && (first.responder == pr.responder || !r.byDst) {
		if v := r.value(&attempted{responder: first.responder, port: first.port, class: first.class, proto: pr.proto}); v != c.value {
			s.walks = true
			w := e.walkers.make(r.key(s, pr, 0))
			w.up(contact{value: v, port: first.port, failed: true, line: first.line})
			return w
		}
		return nil
	}
	s.lone = lone{pr.responder, pr.line, pr.port, pr.class}
	return nil
}

// lone is a source's failure before it has a walk.
type lone struct {
	responder [16]byte
	line      int64
	port      uint16
	class     flows.Class
}

// forget begins a walk anew whose failures belong to a scan that is closed.
func (w *walker) forget(s *source) {
	if s.after > 0 && w.began <= s.closed {
		*w = walker{key: w.key}
	}
}
