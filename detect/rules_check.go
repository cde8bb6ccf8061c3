package detect

import (
	"slices"
	"strings"
	"time"

	"github.com/synoptic-ids/synoptic/detect/walk"
)

// check reports what is wrong between keys that are right by themselves.
func (r *ruleReader) check() {
	by, byGood := r.m.keys["by"], r.good["by"]
	if byGood && !slices.Contains(r.rule.By, FieldSrc) && r.rule.Window != Divided {
		r.add(by.at, "by: must contain src: scans are opened by source")
	}
	if r.good["of"] {
		r.checkKinds()
	}
	r.checkCounts()
	r.checkPorts()
	r.checkWalk()
	r.checkSigma()
	r.checkSlow()
	r.checkDivided()
}

// checkDivided reports what a divided window cannot count.
func (r *ruleReader) checkDivided() {
	e, ok := r.m.keys["window"]
	if !ok || !r.good["window"] || r.rule.Window != Divided {
		return
	}
	for _, key := range []string{"of", "count", "by", "proto"} {
		if _, given := r.m.keys[key]; given && !r.good[key] {
			return
		}
	}
	if !dividable(&r.rule) {
		r.add(e.at, "window: divided is for count: target, by: proto, of: unproductive, proto: tcp, icmp or both")
	}
	if over, ok := r.m.keys["over"]; ok && r.good["over"] && r.rule.Over >= dividedOver {
		r.add(over.at, "over: must be below %d with window: divided, which is what its memory holds", dividedOver)
	}
	for _, key := range []string{"and", "share"} {
		if other, ok := r.m.keys[key]; ok && r.good[key] && (key == "and" || r.rule.Share > 0) {
			r.add(other.at, "%s: has no meaning with window: divided", key)
		}
	}
}

// checkSlow reports what a slow window cannot count.
func (r *ruleReader) checkSlow() {
	e, ok := r.m.keys["window"]
	if !ok || !r.good["window"] || !r.good["within"] || r.rule.Window != Slow {
		return
	}
	if _, given := r.m.keys["of"]; given && !r.good["of"] || !r.good["count"] || !r.good["by"] || !r.good["over"] {
		return
	}
	t, ok := tierOf(&r.rule)
	switch {
	case !ok:
		r.add(e.at, "window: slow is for count: target, by: src, of: unproductive, within: 1h, 1d, 7d or 30d")
	case r.rule.Over >= tierMost()[t]:
		r.add(r.m.keys["over"].at, "over: must be below %d with window: slow and within: %s, which is what its memory holds", tierMost()[t], durationText(r.rule.Within))
	}
	if and, ok := r.m.keys["and"]; ok && r.good["and"] {
		r.add(and.at, "and: has no meaning with window: slow")
	}
}

// checkSigma reports what cannot be compared with earlier hours.
func (r *ruleReader) checkSigma() {
	e, ok := r.m.keys["sigma"]
	if !ok || !r.good["sigma"] || !r.good["within"] {
		return
	}
	if r.rule.Window != Tumbling || r.rule.Within != time.Hour {
		r.add(e.at, "sigma: compares an hour with earlier hours: it needs within: 1h and window: tumbling")
	}
	if and, ok := r.m.keys["and"]; ok && r.good["and"] {
		r.add(and.at, "and: has no meaning with sigma")
	}
}

// checkWalk reports what a walk cannot be combined with.
func (r *ruleReader) checkWalk() {
	if r.rule.Window != Walk {
		return
	}
	if e, ok := r.m.keys["of"]; ok && r.good["of"] && !slices.Equal(r.rule.Of, []Selector{SelectUnproductive}) {
		r.add(e.at, "of: must be unproductive with within: walk, which goes up with failures and down with successes")
	}
	if e, ok := r.m.keys["count"]; ok && r.good["count"] && r.rule.Count != FieldDst && r.rule.Count != FieldDstPort {
		r.add(e.at, "count: must be dst or dst_port with within: walk")
	}
	if e, ok := r.m.keys["by"]; ok && r.good["by"] && slices.Contains(r.rule.By, FieldDstNet) {
		r.add(e.at, "by: dst_net has no meaning with within: walk, which goes over hosts or over ports of one")
	}
	if e, ok := r.m.keys["over"]; ok && r.good["over"] && r.rule.Over >= walk.Max {
		r.add(e.at, "over: must be below %d with within: walk, which climbs no higher", walk.Max)
	}
	for _, key := range []string{"share", "and"} {
		if e, ok := r.m.keys[key]; ok && r.good[key] {
			r.add(e.at, "%s: has no meaning with within: walk, where successes count against failures", key)
		}
	}
}

// checkKinds reports selectors that no attempt can have together.
func (r *ruleReader) checkKinds() {
	first := map[selectorKind]Selector{}
	for i, s := range r.rule.Of {
		kind := kindOf(string(s))
		if kind == "" {
			continue
		}
		if other, ok := first[kind]; ok {
			r.add(r.of[i].at, "of: %s contradicts %s: an attempt has one %s, and all of the list must hold", s, other, kind)
			continue
		}
		first[kind] = s
	}
}

// checkCounts reports a count that can never exceed one, and counts that say
// the same.
func (r *ruleReader) checkCounts() {
	seen := map[Field]bool{}
	r.eachCount(func(e ruleEntry, f Field) {
		switch {
		case r.good["by"] && slices.Contains(r.rule.By, f):
			r.add(e.at, "count: %s is also in by, where it has one value", f)
		case seen[f]:
			r.add(e.at, "count: %s is already counted by this rule", f)
		}
		seen[f] = true
	})
}

// eachCount calls f for each count of the rule that was understood.
func (r *ruleReader) eachCount(f func(ruleEntry, Field)) {
	if r.good["count"] {
		f(r.m.keys["count"], r.rule.Count)
	}
	for i, c := range r.rule.And {
		if c.Count != "" {
			f(r.and[i], c.Count)
		}
	}
}

// checkPorts reports ports asked of targets that have none.
func (r *ruleReader) checkPorts() {
	without := r.portless()
	if without == "" {
		return
	}
	r.eachCount(func(e ruleEntry, f Field) {
		if f == FieldDstPort {
			r.add(e.at, "count: dst_port cannot be counted of %s, which has no ports", without)
		}
	})
	if e, ok := r.m.keys["port"]; ok {
		r.add(e.at, "port: cannot narrow down %s, which has no ports", without)
	}
}

// portless names the protocols or the technique to which the rule is narrowed, if
// none of its targets has ports.
func (r *ruleReader) portless() string {
	if r.good["proto"] && !anyPorts(r.rule.Proto) {
		return "proto " + strings.Join(r.rule.Proto, ", ")
	}
	if !r.good["of"] {
		return ""
	}
	for _, s := range r.rule.Of {
		if kindOf(string(s)) == kindTechnique && !techniqueHasPorts(string(s)) {
			return string(s)
		}
	}
	return ""
}
