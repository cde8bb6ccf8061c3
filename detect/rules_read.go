package detect

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// ruleEntry is a key with its value, or one value of a list under that key.
type ruleEntry struct {
	key   string
	at    rulePos // of the value; of the key where the value is missing
	keyAt rulePos
	value ast.Node
}

// ruleMapping is what stands under the keys of one mapping.
type ruleMapping struct {
	at   rulePos // of its first key
	keys map[string]ruleEntry
	// meant holds the keys that a mistyped one seems to mean; they are not reported as
	// missing as well.
	meant map[string]bool
}

// places are where the values stand, by their keys.
func (m *ruleMapping) places() map[string]rulePos {
	places := make(map[string]rulePos, len(m.keys))
	for key, e := range m.keys {
		places[key] = e.at
	}
	return places
}

// mapping reads a mapping, and reports keys that are not among known and keys
// given twice. what names it in messages.
func (p *ruleProblems) mapping(n ast.Node, at rulePos, what string, known []string) (ruleMapping, bool) {
	var pairs []*ast.MappingValueNode
	switch n := n.(type) {
	case *ast.MappingNode:
		pairs = n.Values
	case *ast.MappingValueNode:
		pairs = []*ast.MappingValueNode{n}
	default:
		p.add(at, "%s must be a mapping with the keys %s, not %s", what, strings.Join(known, ", "), shown(n))
		return ruleMapping{}, false
	}
	m := ruleMapping{at: at, keys: map[string]ruleEntry{}, meant: map[string]bool{}}
	for i, pair := range pairs {
		e := pairEntry(pair)
		if i == 0 {
			m.at = e.keyAt
		}
		first, twice := m.keys[e.key]
		switch {
		case !slices.Contains(known, e.key):
			p.unknownKey(e, known, m.meant)
		case twice:
			p.add(e.keyAt, "%s: is given twice, first in line %d", e.key, first.keyAt.line)
		default:
			m.keys[e.key] = e
		}
	}
	return m, true
}

func pairEntry(pair *ast.MappingValueNode) ruleEntry {
	t := pair.Key.GetToken()
	e := ruleEntry{key: t.Value, keyAt: tokenAt(t), value: pair.Value}
	e.at = e.keyAt
	if !isNothing(e.value) {
		e.at = nodeAt(e.value)
	}
	return e
}

func (p *ruleProblems) unknownKey(e ruleEntry, known []string, meant map[string]bool) {
	key := quoted(e.key)
	if w := closest(e.key, known); w != "" {
		meant[w] = true
		p.add(e.keyAt, "unknown key %s: did you mean %q?", key, w)
		return
	}
	p.add(e.keyAt, "unknown key %s: the keys here are %s", key, strings.Join(known, ", "))
}

// missing reports the keys of need that m lacks.
func (p *ruleProblems) missing(m ruleMapping, what string, need []string) {
	for _, key := range need {
		if _, ok := m.keys[key]; !ok && !m.meant[key] {
			p.add(m.at, "%s: is missing: %s needs %s", key, what, strings.Join(need, ", "))
		}
	}
}

// list splits the value of e into its elements; a value alone is a list of one.
func (p *ruleProblems) list(e ruleEntry, want string) ([]ruleEntry, bool) {
	seq, ok := e.value.(*ast.SequenceNode)
	if !ok {
		return []ruleEntry{e}, true
	}
	if len(seq.Values) == 0 {
		p.add(e.at, "%s: must be %s, not an empty list", e.key, want)
		return nil, false
	}
	out := make([]ruleEntry, len(seq.Values))
	for i, v := range seq.Values {
		out[i] = ruleEntry{key: e.key, at: nodeAt(v), keyAt: e.keyAt, value: v}
	}
	return out, true
}

// word reads one of a set of words.
func (p *ruleProblems) word(e ruleEntry, allowed []string) (string, bool) {
	text, ok := textOf(e.value)
	if ok && slices.Contains(allowed, text) {
		return text, true
	}
	if w := closest(text, allowed); ok && w != "" {
		p.add(e.at, "%s: unknown value %s: did you mean %q?", e.key, quoted(text), w)
		return "", false
	}
	p.add(e.at, "%s: must be %s, not %s", e.key, oneOf(allowed), shown(e.value))
	return "", false
}

// words reads a list of words without repetition.
func (p *ruleProblems) words(e ruleEntry, allowed []string) ([]ruleEntry, []string, bool) {
	list, ok := p.list(e, "one or more of "+strings.Join(allowed, ", "))
	var out []string
	for _, one := range list {
		w, good := p.word(one, allowed)
		if good && slices.Contains(out, w) {
			p.add(one.at, "%s: %q is listed twice", e.key, w)
			good = false
		}
		ok = ok && good
		out = append(out, w)
	}
	return list, out, ok
}

// whole reads a whole number in decimal.
func (p *ruleProblems) whole(e ruleEntry, from, to int) (int, bool) {
	if n, ok := e.value.(*ast.IntegerNode); ok {
		if v, ok := decimal(n.Token.Value, to); ok && v >= from {
			return v, true
		}
	}
	p.add(e.at, "%s: must be a whole number from %d to %d, not %s%s", e.key, from, to, shown(e.value), quoteHint(e.value))
	return 0, false
}

// decimal reads digits without sign, leading zero or underscore, up to most:
// YAML would read 010 as eight and 0x10 as sixteen.
func decimal(s string, most int) (int, bool) {
	if s == "" || len(s) > 9 || len(s) > 1 && s[0] == '0' {
		return 0, false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
	}
	v, err := strconv.Atoi(s)
	return v, err == nil && v <= most
}

func textOf(n ast.Node) (string, bool) {
	s, ok := n.(*ast.StringNode)
	if !ok {
		return "", false
	}
	return s.Value, true
}

func isNothing(n ast.Node) bool {
	_, null := n.(*ast.NullNode)
	return n == nil || null
}

// nodeAt is where a value begins; the token of a mapping is its first colon.
func nodeAt(n ast.Node) rulePos {
	switch m := n.(type) {
	case *ast.MappingNode:
		if !m.IsFlowStyle && len(m.Values) > 0 {
			return tokenAt(m.Values[0].Key.GetToken())
		}
	case *ast.MappingValueNode:
		return tokenAt(m.Key.GetToken())
	}
	return tokenAt(n.GetToken())
}

// shown is a value as a message quotes it.
func shown(n ast.Node) string {
	if isNothing(n) {
		return "nothing"
	}
	switch n := n.(type) {
	case *ast.StringNode:
		return quoted(n.Value)
	case *ast.SequenceNode:
		return "a list"
	case *ast.MappingNode, *ast.MappingValueNode:
		return "a mapping"
	}
	return shortened(n.GetToken().Value)
}

func quoted(s string) string { return fmt.Sprintf("%q", shortened(s)) }

// shortened keeps a message readable whatever the file holds.
func shortened(s string) string {
	const most = 40
	r := []rune(s)
	if len(r) <= most {
		return s
	}
	return string(r[:most]) + "…"
}

// quoteHint says why "9" is not 9.
func quoteHint(n ast.Node) string {
	s, ok := n.(*ast.StringNode)
	if !ok || s.Token.Type != token.SingleQuoteType && s.Token.Type != token.DoubleQuoteType {
		return ""
	}
	if _, err := strconv.ParseFloat(s.Value, 64); err != nil {
		return ""
	}
	return ": leave out the quotes"
}

func oneOf(words []string) string {
	if len(words) == 2 {
		return words[0] + " or " + words[1]
	}
	return "one of " + strings.Join(words, ", ")
}
