package detect

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/flows"
)

// slowOnly is the default profile's slow windows alone.
func slowOnly(t *testing.T) Rules {
	rules, err := Profile("default")
	require.NoError(t, err)
	rules.Rules = slices.DeleteFunc(rules.Rules, func(r Rule) bool { return r.Window != Slow })
	require.Len(t, rules.Rules, 4)
	return rules
}

// TestSlowScans: a scanner that mixes in what answers, so that no walk climbs, is
// found by what fails in an hour, a day, a week.
func TestSlowScans(t *testing.T) {
	const minute, hour = 60.0, 3600.0
	for _, tt := range []struct {
		name   string
		pace   float64
		probes int
		rule   string
	}{
		{"one a minute", minute, 60, "slow-hour"},
		{"one in ten minutes", 10 * minute, 144, "slow-day"},
		{"one in two hours", 2 * hour, 150, "slow-week"},
		{"one a day", 24 * hour, 60, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWire(t, slowOnly(t))
			for i := range tt.probes {
				at := float64(i) * tt.pace
				w.knock(at, outside, nth("10.0.0.0", i), uint16(1000+i%7))
				w.busy(at+20, outside, "10.1.1.1", 443)
			}
			w.end()
			opened := w.phase(Open)
			if tt.rule == "" {
				require.Empty(t, opened)
				return
			}
			require.NotEmpty(t, opened)
			require.Equal(t, tt.rule, opened[0].Rule)
		})
	}
}

// TestSlowSparesTheOrdinary: a poller of dead printers, what is not ours, and whoever
// mostly succeeds.
func TestSlowSparesTheOrdinary(t *testing.T) {
	for name, attempt := range map[string]func(w *wire, i int, at float64){
		"three dead printers":     func(w *wire, i int, at float64) { w.knock(at, inside, nth("10.0.0.0", i%3), 9100) },
		"hosts that are not ours": func(w *wire, i int, at float64) { w.knock(at, inside, nth(server, i), 443) },
		"one in five does not work": func(w *wire, i int, at float64) {
			if i%5 == 0 {
				w.knock(at, inside, nth("10.0.0.0", i), 443)
			} else {
				w.busy(at, inside, nth("10.0.0.0", i), 443)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWire(t, slowOnly(t))
			for i := range 400 {
				attempt(w, i, float64(i)*60)
			}
			w.end()
			require.Empty(t, w.scans)
		})
	}
}

func TestRuleErrorsOfSlow(t *testing.T) {
	for rule, want := range map[string]string{
		"{name: a, count: target, by: [src], over: 9, within: 2h, window: slow}":                               "2:70: window: slow is for count: target, by: src, of: unproductive, within: 1h, 1d, 7d or 30d",
		"{name: a, count: dst, by: [src], over: 9, within: 1h, window: slow}":                                  "2:67: window: slow is for count: target, by: src, of: unproductive, within: 1h, 1d, 7d or 30d",
		"{name: a, count: target, by: [src], over: 31, within: 1h, window: slow}":                              "2:47: over: must be below 31 with window: slow and within: 1h, which is what its memory holds",
		"{name: a, count: target, by: [src], over: 9, within: 1h, window: slow, and: [{count: dst, over: 3}]}": "2:81: and: has no meaning with window: slow",
	} {
		_, err := ParseRules([]byte("rules:\n  - "+rule+"\n"), "f")
		require.EqualError(t, err, "f:"+want, rule)
	}
	twice, err := ParseRules([]byte("rules:\n  - {name: a, count: target, by: src, over: 9, within: 1h, window: slow}\n  - {name: b, count: target, by: src, over: 8, within: 1h, window: slow}\n"), "f")
	require.NoError(t, err)
	_, err = New(Config{}, twice)
	require.EqualError(t, err, `rule "b": "a" is slow within the same time`)
}

// TestSlowScansAmongMany: where others have taken half the room for suspects, who fails again
// and again is one at once, and need not come in another hour as those do who fail once or twice.
func TestSlowScansAmongMany(t *testing.T) {
	e, err := New(Config{Suspects: 256, Door: 256}, slowOnly(t))
	require.NoError(t, err)
	opened := map[string]string{}
	e.cfg.Report = func(s Scan) {
		if s.Phase == Open {
			opened[s.Src.String()] = s.Rule
		}
	}
	at := int64(1e18)
	for i := range uint32(1000) {
		at += second / 10
		tries(e, at, forgedFrom+i, ours+i, 443, flows.Silent)
	}
	suspects := e.tiers.table.Stats().Suspects
	for i := range uint32(40) {
		at += second
		tries(e, at, scannerFrom, ours+i%7, uint16(1000+i/7), flows.Refused)
		tries(e, at, scannerFrom+1+i/3, ours+i, 443, flows.Refused) // each fails three times
	}
	require.Equal(t, map[string]string{"100.0.0.0": "slow-hour"}, opened)
	require.LessOrEqual(t, e.tiers.table.Stats().Suspects, suspects+1)
}
