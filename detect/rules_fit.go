package detect

import (
	"fmt"
	"slices"
	"sort"
	"strconv"
	"time"
)

// What a rule is told of that cannot be exact at any traffic within the memory.
const (
	// fewKeys is how many sources, pairs and so on should reach a rule's threshold at once.
	fewKeys = 100
	// fewPairs is of how many pairs the earlier hours should be known.
	fewPairs = 1000
	// slowRate is how many new keys, or attempts, in a second there should be room for as long as
	// a window is. Where there is not even room for one, keys of two hosts are refused: they are
	// more with each host.
	slowRate = 10
)

// CheckRules says what the rules cannot count exactly within the bounds: those that still work
// in hints, in order of position, and those that would not in an error, which joins a [*RuleError]
// for each. Rules that were read from a file carry the places, others the name of the rule. Zero
// bounds stand for the defaults. It may be called from any goroutine.
func (c Config) CheckRules(rules Rules) (hints []*RuleError, err error) {
	f := fitter{bounds: c.withDefaults(), file: rules.file, hints: &ruleProblems{}, errs: &ruleProblems{}}
	for i, r := range rules.Rules {
		rule, err := compile(r, i)
		if err != nil {
			return nil, fmt.Errorf("rule %q: %w", r.Name, err)
		}
		f.rules = append(f.rules, rule)
	}
	f.table = newGroupTable(f.bounds.Groups, f.rules)
	for i, r := range f.rules {
		f.rule, f.places = r, nil
		if i < len(rules.places) {
			f.places = rules.places[i]
		}
		f.room()
		f.keys()
		f.past()
		f.baselines()
	}
	_ = f.hints.err() // which sorts them
	return f.hints.errs, f.errs.err()
}

// fitter holds rules against bounds, one after the other.
type fitter struct {
	bounds      Config
	rules       []*compiledRule
	table       groupTable // as the rules would have it
	file        string
	hints, errs *ruleProblems

	rule   *compiledRule
	places map[string]rulePos // of the rule's keys
}

// say adds what a key of the rule comes to.
func (f *fitter) say(to *ruleProblems, key, format string, args ...any) {
	e := &RuleError{Rule: f.rule.Name, File: f.file, Msg: key + ": " + fmt.Sprintf(format, args...)}
	if at, ok := f.places[key]; ok {
		e.Line, e.Column = at.line, at.column
	}
	to.errs = append(to.errs, e)
}

// counts reports whether the rule counts in groups.
func (f *fitter) counts() bool {
	switch f.rule.Window {
	case Sliding, Tumbling, Run, "":
		return f.rule.Sigma == 0
	}
	return false
}

// room is about the values under one key: it must be possible to hold as many as the rule fires at.
func (f *fitter) room() {
	r := f.rule
	if !f.counts() {
		return
	}
	n := f.table.atOnce(r)
	switch {
	case n == 0:
		f.say(f.errs, "over", "%d distinct %s do not fit into this memory: the most is %d", r.Over, r.Count, f.most())
	case n < fewKeys:
		f.say(f.hints, "over", "more than %d distinct %s are counted for %d (%s) at a time with this memory: beyond, those with the fewest are forgotten",
			r.Over, r.Count, n, joined(r.By, ", "))
	}
}

// most is the largest threshold for which there would be room.
func (f *fitter) most() int {
	changed := *f.rule
	rules := slices.Clone(f.rules)
	rules[slices.Index(rules, f.rule)] = &changed
	return sort.Search(maxOver, func(n int) bool {
		changed.Over = n + 1
		t := newGroupTable(f.bounds.Groups, rules)
		return t.atOnce(&changed) == 0
	})
}

// keys is about how many counts there may be within a window.
func (f *fitter) keys() {
	r := f.rule
	if !f.counts() || r.window == 0 {
		return
	}
	rate := perSecond(f.bounds.Groups, r.Within)
	by := joined(r.By, ", ")
	switch {
	case rate < 1 && (r.byDst || r.byPort):
		longest := time.Duration(f.bounds.Groups) * time.Second
		f.say(f.errs, "within", "%s needs a count for each (%s) of all that time: with this memory the longest window is %s",
			durationText(r.Within), by, durationText(wholeUnits(longest)))
	case rate < slowRate:
		f.say(f.hints, "within", "%s is exact up to %s new (%s) a second with this memory: beyond, those with the fewest are forgotten",
			durationText(r.Within), rateText(rate), by)
	}
}

// past is about what only the history knows: of failures, whether they still weigh; what was tried
// besides; what further conditions count.
func (f *fitter) past() {
	r := f.rule
	var key, then string
	switch {
	case r.Window == Walk || r.Window == Slow || r.Window == Divided:
		return
	case len(r.And) > 0:
		key, then = "and", "it counts too few"
	case r.Sigma > 0 && (r.Share == 0 || !r.unproductive):
		return
	case r.Sigma > 0:
		key, then = "share", "the rule waits for ten times its threshold, or for crafted probes"
	case r.unproductive:
		key, then = "within", "too few are counted"
	default:
		return
	}
	n := f.bounds.History
	if r.Window == Run {
		f.say(f.hints, key, "the whole input is looked at as far as the latest %d attempts go, which this memory keeps: beyond, %s", n, then)
		return
	}
	if rate := perSecond(n, r.Within); rate < slowRate {
		f.say(f.hints, key, "%s is looked at as far as the latest %d attempts go, which this memory keeps: above %s a second, %s",
			durationText(r.Within), n, rateText(rate), then)
	}
}

// baselines is about how many pairs are compared with hours of their own.
func (f *fitter) baselines() {
	if n := pairsEach(f.bounds.Pairs, f.rules); f.rule.Sigma > 0 && n < fewPairs {
		f.say(f.hints, "sigma", "this memory keeps the earlier hours of %d (%s): others are compared with those of their source, their destination or the site",
			n, joined(f.rule.By, ", "))
	}
}

func perSecond(n int, within time.Duration) float64 { return float64(n) / within.Seconds() }

// rateText is a rate to two digits.
func rateText(rate float64) string { return strconv.FormatFloat(rate, 'g', 2, 64) }

// wholeUnits is a duration in the largest unit of which it has two, rounded down.
func wholeUnits(d time.Duration) time.Duration {
	for _, unit := range []time.Duration{ruleDay, time.Hour, time.Minute} {
		if d >= 2*unit {
			return d.Truncate(unit)
		}
	}
	return d.Truncate(time.Second)
}
