package detect

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// plain is a rule without errors, in lines 1 to 6; further keys of it start in
// line 7.
const plain = `rules:
  - name: x
    count: dst_port
    by: [src, dst]
    over: 9
    within: 5m
`

func plainRule(change func(*Rule)) Rule {
	r := Rule{
		Name: "x", Count: FieldDstPort, By: []Field{FieldSrc, FieldDst},
		Of: []Selector{SelectUnproductive}, Over: 9, Within: 5 * time.Minute, Window: Sliding,
	}
	if change != nil {
		change(&r)
	}
	return r
}

// unplaced are rules without the places of their keys.
func unplaced(rules Rules) Rules {
	rules.file, rules.places = "", nil
	return rules
}

func TestParseRulesKeys(t *testing.T) {
	swap := func(from, to string) string { return strings.Replace(plain, from, to, 1) }
	more := func(lines string) string { return plain + "    " + lines + "\n" }
	for _, c := range []struct {
		name, text string
		change     func(*Rule)
	}{
		{"defaults", plain, nil},
		{"CRLF", strings.ReplaceAll(plain, "\n", "\r\n"), nil},
		{"byte order mark", "\ufeff" + plain, nil},
		{"document markers", "---\n" + plain + "...\n", nil},
		{"quoted keys and values", strings.NewReplacer("name: x", `"name": 'x'`, "5m", `"5m"`).Replace(plain), nil},
		{"flow style", "rules: [{name: x, count: dst_port, by: [src, dst], over: 9, within: 5m}]", nil},
		{"comments", strings.ReplaceAll(plain, "\n", " # why\n"), nil},
		{"long name", swap("name: x", "name: "+strings.Repeat("a", 64)), func(r *Rule) { r.Name = strings.Repeat("a", 64) }},
		{"count dst", strings.NewReplacer("dst_port", "dst", "[src, dst]", "[src]").Replace(plain), func(r *Rule) {
			r.Count, r.By = FieldDst, []Field{FieldSrc}
		}},
		{"count target", swap("dst_port", "target"), func(r *Rule) { r.Count = FieldTarget }},
		{"count ip_proto", swap("dst_port", "ip_proto"), func(r *Rule) { r.Count = FieldIPProto }},
		{"by all", strings.NewReplacer("dst_port", "ip_proto", "[src, dst]", "[proto, dst_port, dst_net, dst, src]").Replace(plain), func(r *Rule) {
			r.Count, r.By = FieldIPProto, []Field{FieldProto, FieldDstPort, FieldDstNet, FieldDst, FieldSrc}
		}},
		{"by alone", swap("[src, dst]", "src"), func(r *Rule) { r.By = []Field{FieldSrc} }},
		{"of one", more("of: all"), func(r *Rule) { r.Of = []Selector{SelectAll} }},
		{"of list", more("of: [all, unproductive, crafted, half-open, abandoned, connection]"), func(r *Rule) {
			r.Of = []Selector{SelectAll, SelectUnproductive, SelectCrafted, "half-open", "abandoned", SelectConnection}
		}},
		{"of outcome, technique and direction", more("of: [inbound, refused, tcp-syn]"), func(r *Rule) {
			r.Of = []Selector{"inbound", "refused", "tcp-syn"}
		}},
		{"over 1", swap("over: 9", "over: 1"), func(r *Rule) { r.Over = 1 }},
		{"over 65535", swap("over: 9", "over: 65535"), func(r *Rule) { r.Over = 65535 }},
		{"90s", swap("5m", "90s"), func(r *Rule) { r.Within = 90 * time.Second }},
		{"1h", swap("5m", "1h"), func(r *Rule) { r.Within = time.Hour }},
		{"365d", swap("5m", "365d"), func(r *Rule) { r.Within = 365 * 24 * time.Hour }},
		{"the same in seconds", swap("5m", "31536000s"), func(r *Rule) { r.Within = 365 * 24 * time.Hour }},
		{"run", swap("5m", "run"), func(r *Rule) { r.Within, r.Window = 0, Run }},
		{"tumbling", more("window: tumbling"), func(r *Rule) { r.Window = Tumbling }},
		{"sliding", more("window: sliding"), nil},
		{"share", more("share: 0.3"), func(r *Rule) { r.Share = 0.3 }},
		{"share 0", more("share: 0"), nil},
		{"share 1", more("share: 1"), func(r *Rule) { r.Share = 1 }},
		{"proto one", more("proto: tcp"), func(r *Rule) { r.Proto = []string{"tcp"} }},
		{"proto list", more("proto: [tcp, udp, icmp, sctp, arp, ndp, ip]"), func(r *Rule) {
			r.Proto = []string{"tcp", "udp", "icmp", "sctp", "arp", "ndp", "ip"}
		}},
		{"port one", more("port: 22"), func(r *Rule) { r.Port = []PortRange{{22, 22}} }},
		{"port range", more(`port: "1-1023"`), func(r *Rule) { r.Port = []PortRange{{1, 1023}} }},
		{"port list", more("port: [1-1023, 0, 65535, 80-80]"), func(r *Rule) {
			r.Port = []PortRange{{1, 1023}, {0, 0}, {65535, 65535}, {80, 80}}
		}},
		{"from home", more("from: home"), func(r *Rule) { r.From = "home" }},
		{"from external", more("from: external"), func(r *Rule) { r.From = "external" }},
		{"and", more("and: [{count: target, over: 3}, {over: 20, count: ip_proto}]"), func(r *Rule) {
			r.And = []Condition{{FieldTarget, 3}, {FieldIPProto, 20}}
		}},
		{"and in block style", more("and:\n      - count: target\n        over: 3"), func(r *Rule) { r.And = []Condition{{FieldTarget, 3}} }},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := ParseRules([]byte(c.text), "f")
			require.NoError(t, err)
			require.Equal(t, Rules{Home: DefaultHome(), Rules: []Rule{plainRule(c.change)}}, unplaced(got))
		})
	}
}

func TestParseRulesHome(t *testing.T) {
	got, err := ParseRules([]byte("home: [192.0.2.0/24, 198.51.100.7, 2001:db8::/32, ::1, 0.0.0.0/0]\n"+plain), "f")
	require.NoError(t, err)
	var want []netip.Prefix
	for _, s := range []string{"192.0.2.0/24", "198.51.100.7/32", "2001:db8::/32", "::1/128", "0.0.0.0/0"} {
		want = append(want, netip.MustParsePrefix(s))
	}
	require.Equal(t, want, got.Home)
}

func TestParseRulesKeepsOrder(t *testing.T) {
	const n = maxRules
	var b strings.Builder
	b.WriteString("rules:\n")
	for i := range n {
		fmt.Fprintf(&b, "  - {name: r%d, count: dst, by: [src], over: %d, within: 5m}\n", i, i+1)
	}
	got, err := ParseRules([]byte(b.String()), "f")
	require.NoError(t, err)
	require.Len(t, got.Rules, n)
	for i, r := range got.Rules {
		require.Equal(t, fmt.Sprintf("r%d", i), r.Name)
		require.Equal(t, i+1, r.Over)
	}
	b.WriteString("  - {name: one-more, count: dst, by: [src], over: 9, within: 5m}\n")
	_, err = ParseRules([]byte(b.String()), "f")
	require.EqualError(t, err, "f:258:5: rules: at most 256 rules fit, these are 257")
}

func TestRuleErrorIsFound(t *testing.T) {
	_, err := ParseRules([]byte(strings.Replace(plain, "over: 9", "over: many", 1)), "rules.yaml")
	require.EqualError(t, err, `rules.yaml:5:11: over: must be a whole number from 1 to 65535, not "many"`)
	var one *RuleError
	require.ErrorAs(t, err, &one)
	require.Equal(t, RuleError{File: "rules.yaml", Line: 5, Column: 11, Msg: `over: must be a whole number from 1 to 65535, not "many"`}, *one)
}

func TestParseRulesReportsAllInOrder(t *testing.T) {
	text := `home: [10.0.0.1/8]
rules:
  - name: A
    cuont: dst
    by: [dst]
    over: 0
    within: soon
  - name: b
    count: dst
    by: [src]
    over: 9
    within: 5m
    share: 2
unknown: 1
`
	_, err := ParseRules([]byte(text), "f")
	require.EqualError(t, err, strings.Join([]string{
		`f:1:8: home: 10.0.0.1/8 has bits set beyond its length: did you mean 10.0.0.0/8?`,
		`f:3:11: name: must be 1 to 64 lower-case letters, digits and hyphens, not "A"`,
		`f:4:5: unknown key "cuont": did you mean "count"?`,
		`f:5:9: by: must contain src: scans are opened by source`,
		`f:6:11: over: must be a whole number from 1 to 65535, not 0`,
		`f:7:13: within: must be run, walk or a duration from 1s to 365d such as 90s, 5m, 1h or 7d, not "soon"`,
		`f:13:12: share: must be a number from 0 to 1 such as 0.3, not 2`,
		`f:14:1: unknown key "unknown": the keys here are home, rules, allow`,
	}, "\n"))
}

func TestParseRulesBoundsItsErrors(t *testing.T) {
	_, err := ParseRules([]byte("rules:\n"+strings.Repeat("  - 1\n", 200)), "f")
	lines := strings.Split(err.Error(), "\n")
	require.Len(t, lines, maxRuleErrors+1)
	require.Equal(t, "f:102:5: 100 more errors from here on", lines[maxRuleErrors])
}
