package detect

import "github.com/synoptic-ids/synoptic/flows"

// beyond is what a source with an open scan did that was counted and not told: see
// [flows.Summary].
type beyond struct {
	count, base tallied // the current count, and where it stood before the scan
	begun       int64   // when it began; 0: there is none
	before      uint64  // attempts in counts before that one
	targets     uint32  // the most in any
}

// tallied is a total of a count.
type tallied struct {
	attempts uint64
	targets  uint32
}

// Extend takes what a source did that was counted and not told as events. It lengthens the
// source's own scan, if one is open, and changes nothing else: no scan begins by it, and
// no target or outcome is known from it. It belongs to the goroutine of Observe, and comes
// behind the events of the same time.
func (e *Engine) Extend(sum *flows.Summary) {
	s := e.sources.find(&sum.Source)
	if s == nil || s.incident == nil {
		return
	}
	e.grown(s.incident, s.incident.extend(sum, e.now))
}

// extend adds a count to a scan, and reports whether that told anything new.
func (inc *incident) extend(sum *flows.Summary, now int64) bool {
	count := inc.share(sum)
	b := &inc.beyond
	if d := sum.First - b.begun; d > second || d < -second {
		b.before += b.count.attempts - b.base.attempts
		b.begun, b.count, b.base = sum.First, tallied{}, tallied{}
		if sum.First < inc.first { // what was counted before is not the scan's
			b.count, b.base = count, count
		}
	}
	if count.attempts <= b.count.attempts {
		return false
	}
	b.count = count
	if count.targets > b.base.targets {
		b.targets = max(b.targets, count.targets-b.base.targets)
	}
	if later := sum.Last - inc.last; later > 0 {
		inc.last += later
		inc.lastLine = max(inc.lastLine, min(inc.lastLine+later, now))
	}
	return true
}

// share is the part of a count that was tried by the techniques of the scan.
func (inc *incident) share(sum *flows.Summary) (t tallied) {
	var all uint64
	for technique, n := range sum.Packets {
		all += n
		if p := inc.withTechnique(flows.Technique(technique)); p != nil {
			t.attempts += n
		}
	}
	if t.attempts > 0 {
		t.targets = uint32(float64(sum.Targets) * (float64(t.attempts) / float64(all)))
	}
	return t
}

// attempts is how many were counted since the scan began.
func (b *beyond) attempts() uint64 { return b.before + b.count.attempts - b.base.attempts }

// extent is how many targets the scan has, those included that were only counted: they
// may be among the others, so that it is the larger number.
func (inc *incident) extent() int { return max(inc.targets, int(inc.beyond.targets)) }

// estimated reports whether the scan has more than is known of it.
func (inc *incident) estimated() bool { return inc.short || inc.beyond.attempts() > 0 }
