package detect

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// roomy are the bounds of some 256 MiB, poor those of some 4.
func roomy() Config { return Config{Groups: 200_000, History: 300_000, Pairs: 1 << 15} }
func poor() Config  { return Config{Groups: 3_000, History: 5_000, Pairs: 512} }

// checked is what CheckRules says of plain with a change.
func checked(t *testing.T, c Config, change func(*Rule)) (hints []string, err error) {
	t.Helper()
	rules := Rules{Home: DefaultHome()[:1], Rules: []Rule{plainRule(change)}}
	parsed, parseErr := ParseRules(writeRules(rules), "r.yaml")
	require.NoError(t, parseErr)
	found, err := c.CheckRules(parsed)
	for _, h := range found {
		hints = append(hints, h.Error())
	}
	return hints, err
}

// fitCase is a rule, the bounds it is held against, and what is said of it.
type fitCase struct {
	name   string
	bounds Config
	change func(*Rule)
	hints  []string
	err    string
}

func fitCases() []fitCase {
	by := func(r *Rule, f ...Field) { r.By = f }
	return []fitCase{
		{name: "what fits", bounds: roomy()},
		{name: "what fits in little", bounds: poor()},
		{
			name: "a threshold that few reach at a time", bounds: roomy(),
			change: func(r *Rule) { r.Over, r.Count = 20000, FieldDst; by(r, FieldSrc) },
			hints:  []string{"r.yaml:8:11: over: more than 20000 distinct dst are counted for 4 (src) at a time with this memory: beyond, those with the fewest are forgotten"},
		},
		{
			name: "a threshold that does not fit", bounds: poor(),
			change: func(r *Rule) { r.Over, r.Count = 20000, FieldDst; by(r, FieldSrc) },
			err:    "r.yaml:8:11: over: 20000 distinct dst do not fit into this memory: the most is 1990",
		},
		{
			name: "a bin that does not fit", bounds: poor(),
			change: func(r *Rule) { r.Over, r.Window = 20000, Tumbling },
			err:    "r.yaml:8:11: over: 20000 distinct dst_port do not fit into this memory: the most is 4499",
		},
		{
			name: "pairs over days", bounds: roomy(),
			change: func(r *Rule) { r.Within = 7 * ruleDay },
			hints:  []string{"r.yaml:9:13: within: 7d is looked at as far as the latest 300000 attempts go, which this memory keeps: above 0.5 a second, too few are counted"},
			err:    "r.yaml:9:13: within: 7d needs a count for each (src, dst) of all that time: with this memory the longest window is 2d",
		},
		{
			name: "pairs over a day", bounds: roomy(),
			change: func(r *Rule) { r.Within = ruleDay },
			hints: []string{
				"r.yaml:9:13: within: 1d is exact up to 2.3 new (src, dst) a second with this memory: beyond, those with the fewest are forgotten",
				"r.yaml:9:13: within: 1d is looked at as far as the latest 300000 attempts go, which this memory keeps: above 3.5 a second, too few are counted",
			},
		},
		{
			name: "sources over a month", bounds: roomy(),
			change: func(r *Rule) { r.Of, r.Within = []Selector{SelectConnection}, 30*ruleDay; by(r, FieldSrc) },
			hints:  []string{"r.yaml:9:13: within: 30d is exact up to 0.077 new (src) a second with this memory: beyond, those with the fewest are forgotten"},
		},
		{
			name: "failures of half a day", bounds: roomy(),
			change: func(r *Rule) { r.Within, r.Share = 12*time.Hour, 0.3; by(r, FieldSrc) },
			hints: []string{
				"r.yaml:9:13: within: 12h is exact up to 4.6 new (src) a second with this memory: beyond, those with the fewest are forgotten",
				"r.yaml:9:13: within: 12h is looked at as far as the latest 300000 attempts go, which this memory keeps: above 6.9 a second, too few are counted",
			},
		},
		{
			name: "a share of what succeeds as well has no history", bounds: roomy(),
			change: func(r *Rule) { r.Of, r.Share, r.Window, r.Within = []Selector{SelectAll}, 0.3, Run, 0 },
		},
		{
			name: "failures of everything", bounds: roomy(),
			change: func(r *Rule) { r.Share, r.Window, r.Within = 0.3, Run, 0 },
			hints:  []string{"r.yaml:9:13: within: the whole input is looked at as far as the latest 300000 attempts go, which this memory keeps: beyond, too few are counted"},
		},
		{
			name: "conditions", bounds: poor(),
			change: func(r *Rule) {
				r.Within, r.And, r.By = 10*time.Minute, []Condition{{FieldTarget, 3}}, []Field{FieldSrc}
			},
			hints: []string{
				"r.yaml:9:13: within: 10m is exact up to 5 new (src) a second with this memory: beyond, those with the fewest are forgotten",
				"r.yaml:13:7: and: 10m is looked at as far as the latest 5000 attempts go, which this memory keeps: above 8.3 a second, it counts too few",
			},
		},
		{
			name: "earlier hours", bounds: poor(),
			change: func(r *Rule) { r.Within, r.Window, r.Sigma, r.Share = time.Hour, Tumbling, 7, 0.3 },
			hints: []string{
				"r.yaml:11:12: share: 1h is looked at as far as the latest 5000 attempts go, which this memory keeps: above 1.4 a second, the rule waits for ten times its threshold, or for crafted probes",
				"r.yaml:12:12: sigma: this memory keeps the earlier hours of 512 (src, dst): others are compared with those of their source, their destination or the site",
			},
		},
	}
}

func TestCheckRules(t *testing.T) {
	for _, c := range fitCases() {
		t.Run(c.name, func(t *testing.T) {
			hints, err := checked(t, c.bounds, c.change)
			require.Equal(t, c.hints, hints)
			if c.err == "" {
				require.NoError(t, err)
				return
			}
			require.EqualError(t, err, c.err)
			var one *RuleError
			require.ErrorAs(t, err, &one)
			require.Equal(t, "x", one.Rule)
		})
	}
}

// TestCheckRulesNamesTheMostThatFits: what an error says would fit does, and no more does.
func TestCheckRulesNamesTheMostThatFits(t *testing.T) {
	for _, over := range []int{1990, 1991} {
		_, err := poor().CheckRules(Rules{Rules: []Rule{plainRule(func(r *Rule) { r.Over, r.Count, r.By = over, FieldDst, []Field{FieldSrc} })}})
		require.Equal(t, over > 1990, err != nil)
	}
	for _, within := range []time.Duration{50 * time.Minute, 51 * time.Minute} {
		_, err := poor().CheckRules(Rules{Rules: []Rule{plainRule(func(r *Rule) { r.Within = within })}})
		require.Equal(t, within > 50*time.Minute, err != nil)
	}
}

// TestCheckRulesWithoutAFile names the rule, and all that is wrong.
func TestCheckRulesWithoutAFile(t *testing.T) {
	long := plainRule(func(r *Rule) { r.Name, r.Within = "long", 30*ruleDay })
	_, err := roomy().CheckRules(Rules{Rules: []Rule{plainRule(nil), long, long}})
	list, ok := errors.AsType[interface {
		error
		Unwrap() []error
	}](err)
	require.True(t, ok)
	require.Len(t, list.Unwrap(), 2)
	require.ErrorContains(t, list.Unwrap()[0], `rule "long": within: 30d needs`)
	_, err = roomy().CheckRules(Rules{Rules: []Rule{{Name: "odd"}}})
	require.EqualError(t, err, `rule "odd": by must contain src: scans are opened by source`)
}

// TestProfilesFit: as they are delivered, with the default memory, the profiles are exact.
func TestProfilesFit(t *testing.T) {
	for name, bounds := range map[string][]Config{"default": {{}, roomy()}, "splunk": {{}, roomy()}} {
		rules, err := Profile(name)
		require.NoError(t, err)
		for _, c := range append(bounds, poor()) {
			_, err := c.CheckRules(rules)
			require.NoError(t, err, name)
		}
		hints, err := roomy().CheckRules(rules)
		require.NoError(t, err)
		require.Empty(t, hints)
	}
}
