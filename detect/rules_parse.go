package detect

import (
	"net/netip"

	"github.com/goccy/go-yaml/ast"
)

const (
	maxRules    = 256
	maxNetworks = 1024
)

// ParseRules reads a rules file: YAML with the keys home and rules, described
// by the profile "default" (see [ProfileSource]), and allow, described by
// [AllowExample]. Name stands for the file in
// messages. Everything that is not understood is an error, so that no rule
// silently does something else than it says.
//
// The error joins a [*RuleError] for each mistake, in order of position, to
// one hundred. The input may have 1 MiB, 32,768 words and punctuation marks,
// 6,000 keys, 256 rules, 256 entries under allow and 1,024 networks in each list. Anchors, aliases and tags are
// refused. It may be called from any goroutine.
func ParseRules(data []byte, name string) (Rules, error) {
	p := &ruleProblems{file: name}
	rules := p.readFile(data)
	if err := p.err(); err != nil {
		return Rules{}, err
	}
	return rules, nil
}

// DefaultHome are the networks taken for home where a rules file names none:
// the private ones, RFC 1918 and fc00::/7.
func DefaultHome() []netip.Prefix {
	return []netip.Prefix{
		netip.MustParsePrefix("10.0.0.0/8"),
		netip.MustParsePrefix("172.16.0.0/12"),
		netip.MustParsePrefix("192.168.0.0/16"),
		netip.MustParsePrefix("fc00::/7"),
	}
}

func (p *ruleProblems) readFile(data []byte) Rules {
	root := p.parseYAML(data)
	if len(p.errs) > 0 {
		return Rules{}
	}
	m, ok := p.mapping(root, rulePos{1, 1}, "a rules file", []string{"home", "rules", "allow"})
	if !ok {
		return Rules{}
	}
	p.missing(m, "a rules file", []string{"rules"})
	out := Rules{Home: DefaultHome(), file: p.file}
	if e, ok := m.keys["home"]; ok {
		out.Home = p.networks(e)
	}
	if e, ok := m.keys["rules"]; ok {
		out.Rules, out.places = p.rules(e)
	}
	if e, ok := m.keys["allow"]; ok {
		out.Allow = p.allowances(e)
	}
	return out
}

// rules reads the list of rules, and where their keys stand.
func (p *ruleProblems) rules(e ruleEntry) ([]Rule, []map[string]rulePos) {
	seq, ok := e.value.(*ast.SequenceNode)
	if !ok || len(seq.Values) == 0 {
		what := "an empty list"
		if !ok {
			what = shown(e.value)
		}
		p.add(e.at, "rules: must be a list of rules, each beginning with \"- name:\", not %s", what)
		return nil, nil
	}
	list, _ := p.list(e, "a list of rules")
	if len(list) > maxRules {
		p.add(list[maxRules].at, "rules: at most %d rules fit, these are %d", maxRules, len(list))
		return nil, nil
	}
	out, places := make([]Rule, 0, len(list)), make([]map[string]rulePos, 0, len(list))
	names := map[string]int{} // name: line
	for _, one := range list {
		r := ruleReader{ruleProblems: p, names: names}
		out = append(out, r.read(one))
		places = append(places, r.m.places())
	}
	return out, places
}

func (p *ruleProblems) networks(e ruleEntry) []netip.Prefix {
	list, ok := p.list(e, "one or more networks such as 10.0.0.0/8")
	if !ok {
		return nil
	}
	if len(list) > maxNetworks {
		p.add(list[maxNetworks].at, "%s: at most %d networks fit, these are %d", e.key, maxNetworks, len(list))
		return nil
	}
	seen := map[netip.Prefix]bool{}
	var out []netip.Prefix
	for _, one := range list {
		n, ok := p.network(one)
		if ok && seen[n] {
			p.add(one.at, "%s: %s is listed twice", e.key, n)
		}
		seen[n] = true
		out = append(out, n)
	}
	return out
}

// network reads a prefix, or an address that stands for itself alone.
func (p *ruleProblems) network(e ruleEntry) (netip.Prefix, bool) {
	text, _ := textOf(e.value)
	n, err := netip.ParsePrefix(text)
	if err != nil {
		a, err := netip.ParseAddr(text)
		if err != nil || a.Zone() != "" {
			p.add(e.at, "%s: must be a network such as 10.0.0.0/8 or an address such as 192.0.2.1, not %s", e.key, shown(e.value))
			return netip.Prefix{}, false
		}
		n = netip.PrefixFrom(a, a.BitLen())
	}
	if n.Addr().Is4In6() {
		p.add(e.at, "%s: %s is an IPv4 address in IPv6 form: write it as IPv4", e.key, n)
		return netip.Prefix{}, false
	}
	if n != n.Masked() {
		p.add(e.at, "%s: %s has bits set beyond its length: did you mean %s?", e.key, n, n.Masked())
		return netip.Prefix{}, false
	}
	return n, true
}
