package detect

import "github.com/synoptic-ids/synoptic/flows"

// isAlone reports whether a probe is of the only attempt of its source so far. Such
// an attempt is counted when a second one comes: of most sources of a forged flood
// there is none, and one cannot cross a threshold.
func (e *Engine) isAlone(s *source, pr *probe) bool {
	if pr.event.Kind == flows.Counted && s.waiting == 0 && s.after == 0 && s.incident == nil {
		if a := e.past.at(s.newest); a != nil && a.prev == 0 && a.start == pr.start {
			s.waiting = s.newest
		}
	}
	switch s.waiting {
	case 0:
		return false
	case s.newest:
		return true
	}
	e.countFirst(s, pr.event)
	return false
}

// countFirst counts the attempt that waited, as what it has become since.
func (e *Engine) countFirst(s *source, ev *flows.Event) {
	a := e.past.at(s.waiting)
	s.waiting = 0
	if a == nil {
		return // it was too long ago
	}
	host := e.keys.addr(&a.responder, 0)
	first := probe{attempted: *a, event: ev, host: host, line: a.line, time: a.start}
	for _, r := range e.rules {
		switch {
		case !r.unproductive || !r.concerns(a, s, e.home) || !r.holds(a):
		case r.Sigma > 0:
			e.unusual(r, s, &first)
		default:
			e.groups.count(r, s, &first, e.now)
		}
	}
}
