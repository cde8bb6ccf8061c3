package detect

import (
	"math"
	"slices"

	"github.com/synoptic-ids/synoptic/detect/gate"
	"github.com/synoptic-ids/synoptic/flows"
)

// quiet is for how long a source must have been quiet for its record to go to another one
// that is not asked at the gate: no window but the slow ones, which are kept elsewhere, goes
// back further.
const quiet = hour

// admission decides which sources get a record. As long as there is a free one, or one of a
// source that has long been quiet, all do. Under pressure those do that the gate has seen
// fail at several targets, or that had a conversation by TCP, which nobody forges. What
// others do is judged where no record is needed: for notices, known services and the slow
// windows, which have a door of their own.
type admission struct {
	gate  *gate.Gate
	until int64 // line clock before which it is not looked again for a record of one who was quiet
	// ghost stands for a source that has no record, while an event of it is observed.
	ghost   source
	pressed bool
	told    int64 // the slowest gap in the latest record of health
}

func newAdmission(c *Config) admission {
	return admission{gate: gate.New(gate.Config{Cells: c.Gate, Bits: c.GateBits, Seed: c.Seed})}
}

// source finds the record of a source, or makes one, if there is room; else it is the
// ghost that stands for the source.
func (e *Engine) source(addr *[16]byte) *source {
	if s := e.sources.find(addr); s != nil {
		return s
	}
	if e.roomy() {
		return e.record(addr)
	}
	e.admission.ghost = source{addr: *addr, hash: e.keys.addr(addr, 0), made: e.now, active: e.now}
	return &e.admission.ghost
}

// isGhost reports whether a source has no record.
func (e *Engine) isGhost(s *source) bool { return s == &e.admission.ghost }

// roomy reports whether a source need not be asked at the gate.
func (e *Engine) roomy() bool {
	a := &e.admission
	switch {
	case a.gate.Forced():
		return false
	case !e.sources.full():
		return true
	case e.now < a.until:
		return false
	}
	if v := e.sources.victim(); v.incident == nil && e.now-v.active >= quiet {
		return true
	}
	a.until = e.now + second
	e.pressed()
	return false
}

// record makes a record, if there is no room in the place of the one that can be spared
// best; its scan, if it has one, is closed.
func (e *Engine) record(addr *[16]byte) *source {
	if e.sources.full() {
		if v := e.sources.victim(); v.incident != nil {
			inc := v.incident
			e.open = slices.DeleteFunc(e.open, func(o *incident) bool { return o == inc })
			e.close(inc, e.now)
		}
	}
	return e.sources.make(addr, e.now)
}

// admit asks the gate about the ghost's failed attempt, and returns the record of one who is
// let in; nil otherwise.
func (e *Engine) admit(pr *probe) *source {
	ghost := &e.admission.ghost
	credit, ok := e.admission.gate.Admits(&ghost.addr, pr.service, e.now)
	if !ok {
		return nil
	}
	s := e.record(&ghost.addr)
	s.credit = uint8(min(credit, math.MaxUint8))
	return s
}

// unlet reports whether a ghost is not let in; else it has become a source with a record.
func (e *Engine) unlet(s **source, pr *probe) bool {
	let := e.admit(pr)
	if let != nil {
		*s = let
	}
	return let == nil
}

// finalGhost sees the end of a failure, or of an answered attempt, of a source without a
// record.
func (e *Engine) finalGhost(s *source, pr *probe) {
	if pr.counted {
		e.slow(s, pr)
	} else if asksHost(pr.class) {
		e.facts.answer(s, pr, e.now)
	}
}

// largeScan is from how many targets on an open scan needs no history under pressure.
const largeScan = 64

// isLarge reports whether what a source does is left out of the history: under pressure, all
// there is to know of a large scan is in the scan, and the history is for those of whom nothing
// is known yet.
func (e *Engine) isLarge(s *source) bool {
	return s.incident != nil && e.now < e.admission.until && s.incident.isLarge()
}

// isLarge reports whether a scan has many targets, or as many as there is room for.
func (inc *incident) isLarge() bool {
	return inc.targets >= largeScan || slices.ContainsFunc(inc.parts, func(p *part) bool { return p.full })
}

// observeGhost sees that a source without a record had more than silence or refusal: it gets
// one for a conversation by TCP. Of others what they show of services is learned.
func (e *Engine) observeGhost(pr *probe) *source {
	if pr.class == flows.ClassTCP && pr.outcome == flows.Productive {
		return e.record(&e.admission.ghost.addr)
	}
	if !pr.counted && (pr.outcome == flows.Answered || pr.outcome == flows.Productive) {
		e.productive(&e.admission.ghost, pr)
		e.sources.lose(e.now)
	}
	return nil
}

// pressed says that there is pressure, once; and of how slow scans the first targets are
// lost, whenever that has halved.
func (e *Engine) pressed() {
	a := &e.admission
	gap := int64(a.gate.Stats().Gap)
	if a.pressed && (gap == 0 || a.told != 0 && 2*gap > a.told) {
		return
	}
	a.pressed, a.told = true, gap
	n := HealthNotice(HealthFlood, Time(e.now+e.health.shift), 0)
	n.Slowest = seconds(gap)
	e.cfg.Notify(n)
}
