package detect

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestProfiles(t *testing.T) {
	require.Equal(t, []string{"default", "splunk"}, Profiles())
	for _, name := range Profiles() {
		text, err := ProfileSource(name)
		require.NoError(t, err)
		parsed, err := ParseRules(text, name)
		require.NoError(t, err)
		rules, err := Profile(name)
		require.NoError(t, err)
		require.Equal(t, unplaced(parsed), unplaced(rules))
		require.Equal(t, DefaultHome(), rules.Home)
		written, err := ParseRules(writeRules(rules), name)
		require.NoError(t, err)
		require.Equal(t, unplaced(rules), unplaced(written))
	}
}

func TestProfileSourceIsACopy(t *testing.T) {
	a, err := ProfileSource("default")
	require.NoError(t, err)
	clear(a)
	b, err := ProfileSource("default")
	require.NoError(t, err)
	require.NotEqual(t, a, b)
}

func TestUnknownProfile(t *testing.T) {
	for name, want := range map[string]string{
		"":            `unknown profile "": must be default or splunk`,
		"zeek":        `unknown profile "zeek": must be default or splunk`,
		"Splnk":       `unknown profile "Splnk": did you mean "splunk"?`,
		"../profiles": `unknown profile "../profiles": must be default or splunk`,
	} {
		_, err := Profile(name)
		require.EqualError(t, err, want)
		_, err = ProfileSource(name)
		require.EqualError(t, err, want)
	}
}

// TestSplunkProfile holds the profile to the published searches: every
// difference changes what they find.
func TestSplunkProfile(t *testing.T) {
	rules, err := Profile("splunk")
	require.NoError(t, err)
	of := []Selector{SelectConnection}
	by := []Field{FieldSrc}
	require.Equal(t, []Rule{
		{Name: "ports-by-source", Count: FieldDstPort, By: by, Of: of, Over: 50, Within: 10 * time.Minute, Window: Tumbling},
		{Name: "external-ports-by-source", Count: FieldDstPort, By: by, Of: of, Over: 50, Window: Run, From: "external"},
		{Name: "external-hosts-by-source", Count: FieldDst, By: by, Of: of, Over: 3, Window: Run, From: "external"},
		{Name: "outlier-ports-by-pair", Count: FieldDstPort, By: []Field{FieldSrc, FieldDst}, Of: of, Over: 19, Within: time.Hour, Window: Tumbling, Sigma: 7},
	}, rules.Rules)
}

// TestDefaultProfile holds the profile to its principles, not to its numbers.
func TestDefaultProfile(t *testing.T) {
	rules, err := Profile("default")
	require.NoError(t, err)
	var names []string
	for _, r := range rules.Rules {
		names = append(names, r.Name)
		require.Contains(t, r.Of, SelectUnproductive, r.Name)
		if r.Window == Slow || r.Window == Divided {
			continue
		}
		require.Greater(t, len(r.By), 1, "%s counts by source alone", r.Name)
		require.NotEmpty(t, r.Proto, r.Name)
		if r.Window == Walk || r.Sigma > 0 || r.Window == Slow {
			continue
		}
		require.Equal(t, Sliding, r.Window, r.Name)
		if !slices.Contains(r.Of, SelectCrafted) && r.Count != FieldIPProto {
			require.Positive(t, r.Share, r.Name)
		}
	}
	require.Equal(t, []string{
		"ports-on-a-host", "hosts-on-a-port", "crafted-ports-on-a-host", "crafted-hosts-on-a-port",
		"ping-sweep", "arp-sweep", "protocols-on-a-host", "walk-over-hosts", "walk-over-ports", "unusual-ports", "unusual-hosts",
		"slow-hour", "slow-day", "slow-week", "slow-month", "distributed",
	}, names)
}

func TestDescribe(t *testing.T) {
	rules, err := ParseRules([]byte(`rules:
  - {name: a, count: dst_port, by: [src, dst, proto], over: 9, within: 5m}
  - {name: b, count: dst, by: [src], of: [unproductive, crafted], over: 4, within: 90s, window: tumbling, proto: [tcp, udp], share: 0.3}
  - {name: c, count: target, by: [src], of: all, over: 3, within: run, from: external, port: [1-1023, 3389], and: [{count: dst, over: 5}]}
  - {name: d, count: ip_proto, by: [src], of: all, over: 3, within: 48h, from: home}
  - {name: e, count: dst, by: [src], of: all, over: 3, within: 7200s}
  - {name: f, count: dst, by: [src, proto], over: 8, within: walk, proto: tcp}
`), "f")
	require.NoError(t, err)
	var got []string
	for _, r := range rules.Rules {
		got = append(got, r.Describe())
	}
	require.Equal(t, []string{
		"more than 9 distinct dst_port per (src, dst, proto) among unproductive attempts, within 5m sliding",
		"more than 4 distinct dst per (src) among unproductive, crafted attempts, within 90s tumbling, over tcp or udp, where a share of at least 0.3 fails",
		"more than 3 distinct target per (src) among all attempts, within the whole input, and more than 5 distinct dst, to ports 1-1023, 3389, from outside home",
		"more than 3 distinct ip_proto per (src) among all attempts, within 2d sliding, from home",
		"more than 3 distinct dst per (src) among all attempts, within 2h sliding",
		"more than 8 distinct dst per (src, proto) among unproductive attempts, within a walk that successes take back, over tcp",
	}, got)
}

// TestEveryWordIsUnderstood gives the engine each word that a file may hold:
// the reader and the engine must know the same ones.
func TestEveryWordIsUnderstood(t *testing.T) {
	base := Rule{Count: FieldTarget, By: []Field{FieldSrc}, Over: 1, Window: Run}
	var rules []Rule
	add := func(word string, change func(*Rule)) {
		r := base
		r.Name = word // for the error
		change(&r)
		rules = append(rules, r)
	}
	for _, w := range selectorWords() {
		add(w, func(r *Rule) { r.Of = []Selector{Selector(w)} })
	}
	for _, w := range protoWords() {
		add(w, func(r *Rule) { r.Proto = []string{w} })
	}
	for _, w := range countWords() {
		add(w, func(r *Rule) { r.Count = Field(w) })
		add(w, func(r *Rule) { r.And = []Condition{{Field(w), 1}} })
	}
	for _, w := range byWords() {
		add(w, func(r *Rule) { r.By = []Field{FieldSrc, Field(w)} })
	}
	for _, w := range fromWords() {
		add(w, func(r *Rule) { r.From = w })
	}
	_, err := New(Config{}, Rules{Home: DefaultHome(), Rules: rules})
	require.NoError(t, err)
	for _, name := range Profiles() {
		rules, err := Profile(name)
		require.NoError(t, err)
		_, err = New(Config{}, rules)
		require.NoError(t, err, name)
	}
}
