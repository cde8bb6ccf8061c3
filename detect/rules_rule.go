package detect

import (
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
)

const (
	maxOver       = 65535
	maxNameLength = 64
	maxPorts      = 256
	ruleDay       = 24 * time.Hour
	maxWithin     = 365 * ruleDay
)

// ruleReader reads one rule.
type ruleReader struct {
	*ruleProblems
	names map[string]int // line of each name given so far
	m     ruleMapping
	rule  Rule
	good  map[string]bool // keys that were given and understood
	of    []ruleEntry     // the values of of, for their positions
	and   []ruleEntry     // the counts of and, likewise
}

func ruleKeys() []string {
	return []string{
		"name", "count", "by", "of", "over", "within", "window", "share", "sigma",
		"proto", "port", "from", "and",
	}
}

// read reads the rule of e. It is of use only if no problem was added.
func (r *ruleReader) read(e ruleEntry) Rule {
	var ok bool
	if r.m, ok = r.mapping(e.value, e.at, "a rule", ruleKeys()); !ok {
		return Rule{}
	}
	r.rule = Rule{Of: []Selector{SelectUnproductive}, Window: Sliding}
	r.good = map[string]bool{}
	r.missing(r.m, "a rule", []string{"name", "count", "by", "over", "within"})
	r.take("name", r.name)
	r.take("count", r.count)
	r.take("by", r.by)
	r.take("of", r.selectors)
	r.take("over", r.over)
	r.take("window", r.window)
	r.take("within", r.within)
	r.take("share", r.share)
	r.take("sigma", r.sigma)
	r.take("proto", r.proto)
	r.take("port", r.ports)
	r.take("from", r.from)
	r.take("and", r.conditions)
	r.check()
	return r.rule
}

func (r *ruleReader) take(key string, read func(ruleEntry) bool) {
	if e, ok := r.m.keys[key]; ok {
		r.good[key] = read(e)
	}
}

func (r *ruleReader) name(e ruleEntry) (ok bool) {
	r.rule.Name, ok = r.newName(e, "rule", r.names)
	return ok
}

// newName reads the name of what, which none of names may be yet.
func (p *ruleProblems) newName(e ruleEntry, what string, names map[string]int) (string, bool) {
	text, ok := textOf(e.value)
	if !ok || text == "" || len(text) > maxNameLength || strings.Trim(text, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		p.add(e.at, "name: must be 1 to %d lower-case letters, digits and hyphens, not %s", maxNameLength, shown(e.value))
		return "", false
	}
	if line, twice := names[text]; twice {
		p.add(e.at, "name: %q is already the name of the %s in line %d", text, what, line)
		return "", false
	}
	names[text] = e.at.line
	return text, true
}

func (r *ruleReader) count(e ruleEntry) (ok bool) {
	r.rule.Count, ok = r.field(e)
	return ok
}

// field reads what a rule counts.
func (r *ruleReader) field(e ruleEntry) (Field, bool) {
	if text, _ := textOf(e.value); text == string(FieldSrc) {
		r.add(e.at, "count: src cannot be counted: scans are opened by source")
		return "", false
	}
	w, ok := r.word(e, countWords())
	return Field(w), ok
}

func (r *ruleReader) by(e ruleEntry) bool {
	_, words, ok := r.words(e, byWords())
	for _, w := range words {
		r.rule.By = append(r.rule.By, Field(w))
	}
	return ok
}

func (r *ruleReader) selectors(e ruleEntry) bool {
	list, words, ok := r.words(e, selectorWords())
	r.of = list
	r.rule.Of = make([]Selector, len(words))
	for i, w := range words {
		r.rule.Of[i] = Selector(w)
	}
	return ok
}

func (r *ruleReader) over(e ruleEntry) (ok bool) {
	r.rule.Over, ok = r.whole(e, 1, maxOver)
	return ok
}

func (r *ruleReader) window(e ruleEntry) bool {
	w, ok := r.word(e, windowWords())
	r.rule.Window = WindowKind(w)
	return ok
}

func (r *ruleReader) within(e ruleEntry) bool {
	text, ok := textOf(e.value)
	if ok && text == string(Run) {
		if kind, given := r.m.keys["window"]; given && r.good["window"] {
			r.add(kind.at, "window: %s has no meaning with within: run, which is the whole input", r.rule.Window)
		}
		r.rule.Window = Run
		return true
	}
	if ok && text == string(Walk) {
		if kind, given := r.m.keys["window"]; given && r.good["window"] {
			r.add(kind.at, "window: %s has no meaning with within: walk, which takes as long as it takes", r.rule.Window)
		}
		r.rule.Window = Walk
		return true
	}
	d, valid := duration(text)
	if !ok || !valid {
		r.add(e.at, "within: must be run, walk or a duration from 1s to 365d such as 90s, 5m, 1h or 7d, not %s", shown(e.value))
		return false
	}
	r.rule.Within = d
	return true
}

// duration reads a whole number and one unit: time.ParseDuration has no days
// and takes fractions.
func duration(s string) (time.Duration, bool) {
	if s == "" {
		return 0, false
	}
	var unit time.Duration
	switch s[len(s)-1] {
	case 's':
		unit = time.Second
	case 'm':
		unit = time.Minute
	case 'h':
		unit = time.Hour
	case 'd':
		unit = ruleDay
	default:
		return 0, false
	}
	n, ok := decimal(s[:len(s)-1], int(maxWithin/unit))
	return time.Duration(n) * unit, ok && n > 0
}

func (r *ruleReader) share(e ruleEntry) bool {
	switch e.value.(type) {
	case *ast.IntegerNode, *ast.FloatNode:
		text := e.value.GetToken().Value
		v, err := strconv.ParseFloat(text, 64)
		if err == nil && text[0] != '-' && v <= 1 {
			r.rule.Share = v
			return true
		}
	}
	r.add(e.at, "share: must be a number from 0 to 1 such as 0.3, not %s%s", shown(e.value), quoteHint(e.value))
	return false
}

// maxSigma is the most standard deviations that a rule may ask for.
const maxSigma = 100

func (r *ruleReader) sigma(e ruleEntry) (ok bool) {
	switch e.value.(type) {
	case *ast.IntegerNode, *ast.FloatNode:
		text := e.value.GetToken().Value
		v, err := strconv.ParseFloat(text, 64)
		if err == nil && v >= 1 && v <= maxSigma {
			r.rule.Sigma = v
			return true
		}
	}
	r.add(e.at, "sigma: must be a number from 1 to %d such as 7, not %s%s", maxSigma, shown(e.value), quoteHint(e.value))
	return false
}

func (r *ruleReader) proto(e ruleEntry) (ok bool) {
	_, r.rule.Proto, ok = r.words(e, protoWords())
	return ok
}

func (r *ruleReader) from(e ruleEntry) (ok bool) {
	r.rule.From, ok = r.word(e, fromWords())
	return ok
}

func (r *ruleReader) ports(e ruleEntry) (ok bool) {
	r.rule.Port, ok = r.portRanges(e)
	return ok
}

// portRanges reads ports and ranges of them.
func (p *ruleProblems) portRanges(e ruleEntry) ([]PortRange, bool) {
	list, ok := p.list(e, "one or more ports or ranges such as 1-1023")
	if len(list) > maxPorts {
		p.add(list[maxPorts].at, "port: at most %d ports and ranges fit, these are %d", maxPorts, len(list))
		return nil, false
	}
	var out []PortRange
	for _, one := range list {
		r, good := p.portRange(one)
		ok = ok && good
		out = append(out, r)
	}
	return out, ok
}

func (p *ruleProblems) portRange(e ruleEntry) (PortRange, bool) {
	var text string
	switch n := e.value.(type) {
	case *ast.IntegerNode:
		text = n.Token.Value
	case *ast.StringNode:
		text = n.Value
	}
	low, high, ranged := strings.Cut(text, "-")
	if !ranged {
		high = low
	}
	from, ok := decimal(low, 65535)
	to, ok2 := decimal(high, 65535)
	if !ok || !ok2 {
		p.add(e.at, "port: must be a port from 0 to 65535 or a range such as 1-1023, not %s", shown(e.value))
		return PortRange{}, false
	}
	if from > to {
		p.add(e.at, "port: the range %d-%d runs backwards: did you mean %d-%d?", from, to, to, from)
		return PortRange{}, false
	}
	return PortRange{From: uint16(from), To: uint16(to)}, true
}

func (r *ruleReader) conditions(e ruleEntry) bool {
	const want = "one or more conditions such as {count: dst, over: 5}"
	list, ok := r.list(e, want)
	keys := []string{"count", "over"}
	for _, one := range list {
		m, good := r.mapping(one.value, one.at, "and: a condition", keys)
		if !good {
			ok = false
			continue
		}
		r.missing(m, "a condition", keys)
		var c Condition
		count, given := m.keys["count"]
		if given {
			c.Count, good = r.field(count)
		}
		over, given2 := m.keys["over"]
		if given2 {
			var valid bool
			c.Over, valid = r.whole(over, 1, maxOver)
			good = good && valid
		}
		ok = ok && given && given2 && good
		r.and = append(r.and, count)
		r.rule.And = append(r.rule.And, c)
	}
	return ok
}
