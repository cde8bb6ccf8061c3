package detect

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"

	"github.com/synoptic-ids/synoptic/detect/weekly"
)

const (
	maxAllowances = 256
	maxNoteLength = 200 // characters
	maxHours      = 64  // under one key when
)

// ParseAllow reads an allow-list: YAML with the key allow, described by
// [AllowExample]. What holds of [ParseRules] holds of it, errors and bounds
// included: a rules file may have the same key.
func ParseAllow(data []byte, name string) ([]Allowance, error) {
	p := &ruleProblems{file: name}
	var out []Allowance
	root := p.parseYAML(data)
	if len(p.errs) == 0 {
		if m, ok := p.mapping(root, rulePos{1, 1}, "an allow-list", []string{"allow"}); ok {
			p.missing(m, "an allow-list", []string{"allow"})
			if e, ok := m.keys["allow"]; ok {
				out = p.allowances(e)
			}
		}
	}
	if err := p.err(); err != nil {
		return nil, err
	}
	return out, nil
}

// HoldsAllow reports whether a file means to be an allow-list and no rules file:
// it has the key allow, and not the key rules.
func HoldsAllow(data []byte) bool {
	p := &ruleProblems{}
	m, ok := p.mapping(p.parseYAML(data), rulePos{}, "", []string{"home", "rules", "allow"})
	_, allow := m.keys["allow"]
	_, rules := m.keys["rules"]
	return ok && allow && !rules
}

func (p *ruleProblems) allowances(e ruleEntry) []Allowance {
	seq, ok := e.value.(*ast.SequenceNode)
	if !ok || len(seq.Values) == 0 {
		what := "an empty list"
		if !ok {
			what = shown(e.value)
		}
		p.add(e.at, "allow: must be a list of entries, each beginning with \"- name:\", not %s", what)
		return nil
	}
	list, _ := p.list(e, "a list of entries")
	if len(list) > maxAllowances {
		p.add(list[maxAllowances].at, "allow: at most %d entries fit, these are %d", maxAllowances, len(list))
		return nil
	}
	out := make([]Allowance, 0, len(list))
	names := map[string]int{} // name: line
	for _, one := range list {
		r := allowReader{ruleProblems: p, names: names}
		out = append(out, r.read(one))
	}
	return out
}

// allowReader reads one entry of an allow-list.
type allowReader struct {
	*ruleProblems
	names map[string]int // line of each name given so far
	m     ruleMapping
	entry Allowance
}

func allowKeys() []string {
	return []string{"name", "src", "dst", "proto", "port", "when", "zone", "expires", "note"}
}

// read reads the entry of e. It is of use only if no problem was added.
func (r *allowReader) read(e ruleEntry) Allowance {
	var ok bool
	if r.m, ok = r.mapping(e.value, e.at, "an entry", allowKeys()); !ok {
		return Allowance{}
	}
	r.missing(r.m, "an entry", []string{"name", "src", "note"})
	r.take("name", func(e ruleEntry) { r.entry.Name, _ = r.newName(e, "entry", r.names) })
	r.take("src", func(e ruleEntry) { r.entry.Src = r.networks(e) })
	r.take("dst", func(e ruleEntry) { r.entry.Dst = r.networks(e) })
	r.take("proto", func(e ruleEntry) { _, r.entry.Proto, _ = r.words(e, protoWords()) })
	r.take("port", func(e ruleEntry) { r.entry.Port, _ = r.portRanges(e) })
	r.take("note", func(e ruleEntry) { r.entry.Note = r.note(e) })
	r.take("when", func(e ruleEntry) { r.entry.When = r.hours(e) })
	zone := time.UTC
	r.take("zone", func(e ruleEntry) { r.entry.Zone, zone = r.zone(e) })
	if zone != nil {
		r.take("expires", func(e ruleEntry) { r.entry.Expires = r.expires(e, zone) })
	}
	r.check()
	return r.entry
}

func (r *allowReader) take(key string, read func(ruleEntry)) {
	if e, ok := r.m.keys[key]; ok {
		read(e)
	}
}

// check reports keys that are right by themselves and without meaning together.
func (r *allowReader) check() {
	if e, ok := r.m.keys["port"]; ok && len(r.entry.Proto) > 0 && !anyPorts(r.entry.Proto) {
		r.add(e.at, "port: cannot narrow down proto %s, which has no ports", strings.Join(r.entry.Proto, ", "))
	}
	_, when := r.m.keys["when"]
	_, expires := r.m.keys["expires"]
	if e, ok := r.m.keys["zone"]; ok && !when && !expires {
		r.add(e.at, "zone: has no meaning without when or expires")
	}
}

func (r *allowReader) note(e ruleEntry) string {
	text, ok := textOf(e.value)
	odd := strings.ContainsFunc(text, func(c rune) bool { return !unicode.IsPrint(c) })
	if !ok || text == "" || odd || utf8.RuneCountInString(text) > maxNoteLength {
		r.add(e.at, "note: must be 1 to %d printable characters that say who allowed it and why, not %s", maxNoteLength, shown(e.value))
		return ""
	}
	return text
}

func (r *allowReader) hours(e ruleEntry) []weekly.Hours {
	list, _ := r.list(e, "one or more of days and times such as mon-fri 22:00-06:00")
	if len(list) > maxHours {
		r.add(list[maxHours].at, "when: at most %d fit, these are %d", maxHours, len(list))
		return nil
	}
	var out []weekly.Hours
	for _, one := range list {
		text, _ := textOf(one.value)
		h, err := weekly.Parse(text)
		if err != nil {
			r.add(one.at, "when: %s: %s%s", shown(one.value), err, colonHint(one.value))
		}
		out = append(out, h)
	}
	return out
}

// colonHint says why 22:00-06:00 may be no text: between braces YAML takes the
// colon for that of a key.
func colonHint(n ast.Node) string {
	switch n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return ", in quotes where YAML takes it for a key"
	}
	return ""
}

// zone reads the name of a time zone; the location is nil with a problem added.
func (r *allowReader) zone(e ruleEntry) (string, *time.Location) {
	text, ok := textOf(e.value)
	zone, err := loadZone(text)
	if !ok || text == "" || err != nil {
		r.add(e.at, "zone: must be UTC or the name of a time zone such as Europe/Berlin, not %s", shown(e.value))
		return "", nil
	}
	return text, zone
}

// expires reads the last day on which the entry holds.
func (r *allowReader) expires(e ruleEntry, zone *time.Location) Time {
	text, _ := textOf(e.value)
	day, err := time.Parse(time.DateOnly, text)
	if err != nil || day.Year() < 1971 || day.Year() > 2261 {
		r.add(e.at, "expires: must be the last day, from 1971 to 2261, such as 2026-12-31, not %s", shown(e.value))
		return 0
	}
	return Time(time.Date(day.Year(), day.Month(), day.Day()+1, 0, 0, 0, 0, zone).UnixNano())
}
