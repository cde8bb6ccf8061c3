package explain

import (
	"fmt"
	"math"
	"net/netip"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/synoptic-ids/synoptic/detect"
	"github.com/synoptic-ids/synoptic/flows"
)

// Factors are what each threshold is multiplied with, 1 being the present one.
func Factors() []float64 { return []float64{0.5, 0.7, 1, 1.5, 2, 5, 10} }

// AllRules is the name of the row in which every threshold is another at once.
const AllRules = "all of them"

// Sweep runs one engine beside the one in force for every other threshold of every
// rule, over the same events. Each has state of its own, as the one in force has, so
// that what it gives is what it would give: 8 MB to begin with, mostly tables of facts
// and of earlier hours, and 12 MB once something has failed at home. Its methods belong
// to one goroutine.
type Sweep struct {
	rows     []sweepRow
	variants []*variant
	present  found
}

// sweepRow is a rule, and what would be found at each of its thresholds.
type sweepRow struct {
	rule  string
	cells []sweepCell
}

// sweepCell is one threshold. variant is nil where the rule cannot have it; that of
// the present one is the engine in force.
type sweepCell struct {
	factor  float64
	firesAt int
	present bool
	variant *variant
}

// variant is an engine with rules of its own.
type variant struct {
	engine *detect.Engine
	found  found
}

// found counts scans by source.
type found struct {
	scans   int
	sources map[netip.Addr]struct{}
}

// take counts scans; one that turns out to be part of another is none. The sources of one
// by many grow in number from record to record.
func (f *found) take(s *detect.Scan) {
	switch {
	case s.Phase == detect.Open:
		f.scans++
	case s.MergedInto != "":
		f.scans--
	}
	if f.sources == nil {
		f.sources = map[netip.Addr]struct{}{}
	}
	for _, src := range sourcesOf(s) {
		if len(f.sources) < maxNamed {
			f.sources[src] = struct{}{}
		}
	}
}

// NewSweep makes a sweep over the thresholds of rules; cfg bounds each engine as it
// bounds the one in force.
func NewSweep(cfg detect.Config, rules detect.Rules) (*Sweep, error) {
	s := &Sweep{}
	for i := range rules.Rules {
		row := sweepRow{rule: rules.Rules[i].Name}
		for _, factor := range Factors() {
			row.cells = append(row.cells, s.cell(cfg, rules, &row, factor, i))
		}
		s.rows = append(s.rows, row)
	}
	all := sweepRow{rule: AllRules}
	for _, factor := range Factors() {
		all.cells = append(all.cells, s.cell(cfg, rules, &all, factor, allOfThem))
	}
	s.rows = append(s.rows, all)
	if len(s.variants) == 0 {
		return nil, fmt.Errorf("no rule has a threshold that could be another")
	}
	return s, nil
}

// allOfThem stands for every rule.
const allOfThem = -1

// cell makes the engine for one threshold of a rule, or of all of them, unless the row
// has it already.
func (s *Sweep) cell(cfg detect.Config, rules detect.Rules, row *sweepRow, factor float64, number int) sweepCell {
	c := sweepCell{factor: factor, present: factor == 1}
	changed := s.changed(rules.Rules, factor, number)
	if number != allOfThem {
		c.firesAt = scaled(rules.Rules[number].Over+1, factor)
		c.present = c.firesAt == rules.Rules[number].Over+1
		for _, old := range row.cells {
			if old.firesAt == c.firesAt {
				c.variant = old.variant
				return c
			}
		}
	}
	if c.present {
		return c
	}
	v := &variant{}
	cfg.Trace, cfg.Report = nil, func(sc detect.Scan) { v.found.take(&sc) }
	rules.Rules = changed
	var err error
	if v.engine, err = detect.New(cfg, rules); err != nil {
		return c // it is beyond what the rule can count
	}
	c.variant = v
	s.variants = append(s.variants, v)
	return c
}

// changed are the rules with the threshold of one of them, or of all, times a factor. Of all,
// those are left out that cannot count so far and would never fire.
func (s *Sweep) changed(rules []detect.Rule, factor float64, number int) []detect.Rule {
	var out []detect.Rule
	for i, r := range rules {
		if number == allOfThem && !s.rows[i].can(factor) {
			continue
		}
		if number == allOfThem || i == number {
			r.Over = scaled(r.Over+1, factor) - 1
		}
		out = append(out, r)
	}
	return out
}

// can reports whether a rule can have its threshold times a factor.
func (r *sweepRow) can(factor float64) bool {
	return slices.ContainsFunc(r.cells, func(c sweepCell) bool { return c.factor == factor && (c.present || c.variant != nil) })
}

// scaled is a threshold times a factor: a count at which a rule can fire.
func scaled(firesAt int, factor float64) int {
	return min(max(int(math.Round(factor*float64(firesAt))), 2), math.MaxUint16+1)
}

// Events gives a batch of events to every engine, with the line clock behind it.
func (s *Sweep) Events(events []flows.Event, now int64) {
	s.each(func(v *variant) {
		for i := range events {
			v.engine.Observe(&events[i])
		}
		v.engine.Advance(now)
	})
}

// each does something with every variant, on as many goroutines as there are
// processors: no engine sees another.
func (s *Sweep) each(do func(*variant)) {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(s.variants)) {
		wg.Go(func() {
			for n := next.Add(1); n <= int64(len(s.variants)); n = next.Add(1) {
				do(s.variants[n-1])
			}
		})
	}
	wg.Wait()
}

// Scan takes a record of the engine in force.
func (s *Sweep) Scan(sc *detect.Scan) { s.present.take(sc) }

// Engines is how many run beside the one in force.
func (s *Sweep) Engines() int { return len(s.variants) }

// Swept is what a sweep found. Its JSON form is the record that --json writes.
type Swept struct {
	Event   string     `json:"event"` // always "sweep"
	Scans   int        `json:"scans"` // as the rules are
	Sources int        `json:"sources"`
	Engines int        `json:"engines"` // that ran beside the one in force
	Rules   []SweptRow `json:"rules"`
}

// SweptRow is what would be found at other thresholds of one rule, the others being
// what they are.
type SweptRow struct {
	Rule       string           `json:"rule"`
	Thresholds []SweptThreshold `json:"thresholds"`
}

// SweptThreshold is what would be found at one threshold.
type SweptThreshold struct {
	Factor   float64      `json:"factor"`             // of the present one
	FiresAt  int          `json:"fires_at,omitempty"` // the count; none for all rules at once
	Present  bool         `json:"present"`
	Possible bool         `json:"possible"` // whether the rule can count so far
	Scans    int          `json:"scans"`
	Sources  int          `json:"sources"`
	Gained   []netip.Addr `json:"gained"` // sources that are named then and are not now
	Lost     []netip.Addr `json:"lost"`   // and the reverse
}

// Finish ends the scans that are open, as the end of the input does, and returns what
// was found.
func (s *Sweep) Finish() Swept {
	s.each(func(v *variant) { v.engine.Close() })
	out := Swept{
		Event: "sweep", Scans: s.present.scans, Sources: len(s.present.sources), Engines: len(s.variants), Rules: []SweptRow{},
	}
	for _, row := range s.rows {
		swept := SweptRow{Rule: row.rule}
		for _, c := range row.cells {
			swept.Thresholds = append(swept.Thresholds, s.threshold(&c))
		}
		out.Rules = append(out.Rules, swept)
	}
	return out
}

func (s *Sweep) threshold(c *sweepCell) SweptThreshold {
	t := SweptThreshold{
		Factor: c.factor, FiresAt: c.firesAt, Present: c.present, Possible: true,
		Gained: []netip.Addr{}, Lost: []netip.Addr{},
	}
	switch {
	case c.present:
		t.Scans, t.Sources = s.present.scans, len(s.present.sources)
	case c.variant == nil:
		t.Possible = false
	default:
		f := &c.variant.found
		t.Scans, t.Sources = f.scans, len(f.sources)
		t.Gained, t.Lost = without(f.sources, s.present.sources), without(s.present.sources, f.sources)
	}
	return t
}

// without lists, in order, what one set has and another has not.
func without(a, b map[netip.Addr]struct{}) []netip.Addr {
	out := []netip.Addr{}
	for addr := range a {
		if _, has := b[addr]; !has {
			out = append(out, addr)
		}
	}
	slices.SortFunc(out, netip.Addr.Compare)
	return out
}
