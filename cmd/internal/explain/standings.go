package explain

import (
	"cmp"
	"slices"

	"github.com/synoptic-ids/synoptic/detect"
	"github.com/synoptic-ids/synoptic/flows"
)

// stood is the furthest that a rule got, and when.
type stood struct {
	detect.Standing
	at detect.Time
	n  uint64 // of what was told, in order
}

// beats reports whether a standing is further than one before it, or says what held
// the same back.
func (s *stood) beats(o *stood) bool {
	if s.Value != o.Value {
		return s.Value > o.Value
	}
	return s.Hold != detect.NotHeld && s.Rule.Name == o.Rule.Name
}

// standings are the furthest of each rule, of one source.
type standings map[string]*stood

func (s standings) take(st *detect.Standing, at detect.Time) {
	now := stood{Standing: *st, at: at}
	if old := s[st.Rule.Name]; old == nil || now.beats(old) {
		s[st.Rule.Name] = &now
	}
}

// nearestKept is how many sources are kept as the nearest to a rule's threshold,
// twice as many before the further half is dropped.
const nearestKept = 512

// misses are, for each rule, the sources that came nearest to its threshold.
type misses struct {
	order []string // of rules
	rules map[string]map[[16]byte]*stood
	n     uint64
}

func newMisses(names []string) misses {
	return misses{order: names, rules: map[string]map[[16]byte]*stood{}}
}

func (m *misses) take(st *detect.Standing, at detect.Time) {
	m.n++
	now := stood{Standing: *st, at: at, n: m.n}
	rule := m.rules[st.Rule.Name]
	if rule == nil {
		rule = map[[16]byte]*stood{}
		m.rules[st.Rule.Name] = rule
	}
	old := rule[st.Src]
	if old != nil && !now.beats(old) {
		return
	}
	rule[st.Src] = &now
	if len(rule) > 2*nearestKept {
		for _, far := range sorted(rule)[nearestKept:] {
			delete(rule, far.Src)
		}
	}
}

// sorted are the standings of one rule, the furthest first.
func sorted(rule map[[16]byte]*stood) []*stood {
	all := make([]*stood, 0, len(rule))
	for _, s := range rule {
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b *stood) int {
		return cmp.Or(cmp.Compare(b.Value, a.Value), cmp.Compare(a.n, b.n))
	})
	return all
}

// nearestShown is how many sources are told of for each rule.
const nearestShown = 5

// nearest lists, rule by rule, the sources that came nearest, but for some.
func (m *misses) nearest(but func(src [16]byte) bool) []Stand {
	out := []Stand{}
	for _, name := range m.order {
		shown := 0
		for _, s := range sorted(m.rules[name]) {
			if shown == nearestShown {
				break
			}
			if !but(s.Src) {
				out = append(out, s.record(false))
				shown++
			}
		}
	}
	return out
}

// record is a standing as it is told.
func (s *stood) record(fired bool) Stand {
	r := s.Rule
	st := Stand{
		Rule: r.Name, Src: flows.Addr(s.Src), Count: string(r.Count), Value: s.Value, FiresAt: r.Over + 1,
		Window: window(r), Time: s.at, Fired: fired,
	}
	if slices.Contains(r.By, detect.FieldDst) {
		dst := flows.Addr(s.Dst)
		st.Dst = &dst
	}
	if slices.Contains(r.By, detect.FieldDstNet) {
		net := detect.NetworkOf(flows.Addr(s.Dst))
		st.DstNet = &net
	}
	if slices.Contains(r.By, detect.FieldDstPort) {
		port := s.Port
		st.Port = &port
	}
	if s.Class != 0 {
		st.Proto = detect.ProtoName(s.Class)
	}
	if s.Hold != detect.NotHeld {
		st.Held = &Hold{
			By: s.Hold.String(), Failed: s.Failed, Tried: s.Failed + s.Succeeded, Share: r.Share,
			Spoken: s.Spoken, Spared: s.Spared, Unused: s.Unused, Hours: s.Hours, Limit: s.Limit,
		}
	}
	return st
}

// window is the time of a rule in words.
func window(r *detect.Rule) string {
	switch r.Window {
	case detect.Run, detect.Walk:
		return string(r.Window)
	default:
		return r.Within.String()
	}
}

// ownRules lists the rules that counted anything of the address: those that fired, then
// those that came nearest.
func (c *Collector) ownRules() []Stand {
	fired := map[string]bool{}
	for i := range c.scans {
		for _, f := range c.scans[i].Rules {
			fired[f.Rule] = true
		}
	}
	out := []Stand{}
	for _, name := range c.misses.order {
		if s := c.own[name]; s != nil && s.Value > 0 {
			out = append(out, s.record(fired[name]))
		}
	}
	slices.SortStableFunc(out, func(a, b Stand) int {
		if a.Fired != b.Fired {
			if a.Fired {
				return -1
			}
			return 1
		}
		return cmp.Compare(b.nearness(), a.nearness())
	})
	return out
}

// nearness is how near a rule came to its threshold, in thousandths.
func (s *Stand) nearness() int { return 1000 * s.Value / s.FiresAt }
