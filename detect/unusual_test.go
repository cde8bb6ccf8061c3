package detect

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// ordinaryHours are hours in each of which two further ports of a pair fail, and two
// others serve.
func ordinaryHours(w *wire, hours int) {
	for h := range hours {
		for i := range 2 {
			w.refused(float64(h*3600+i*600), inside, server, uint16(10000+2*h+i))
			w.busy(float64(h*3600+i*600+60), inside, server, uint16(20000+2*h+i))
		}
	}
}

// TestUnusualHour: thirty ports in an hour, two minutes apart, are no scan to the
// rules with windows, but far more than the pair's earlier hours.
func TestUnusualHour(t *testing.T) {
	for _, tt := range []struct {
		name  string
		hours int
		ports int
		found bool
	}{
		{"after a day", 26, 30, true},
		{"too little is known", 20, 30, false},
		{"below the floor", 26, 19, false},
		{"the floor", 26, 20, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWire(t, profile(t, "default"))
			ordinaryHours(w, tt.hours)
			for i := range tt.ports {
				w.refused(float64(tt.hours*3600+i*110), inside, server, uint16(2000+i))
			}
			w.end()
			opened := w.phase(Open)
			if !tt.found {
				require.Empty(t, opened)
				return
			}
			require.Len(t, opened, 1)
			s := opened[0]
			require.Equal(t, "unusual-ports", s.Rule)
			require.Equal(t, 20, s.Evidence.Value)
			require.Equal(t, 20, s.Targets, "of this hour, not of the day")
			b := s.Evidence.Baseline
			require.NotNil(t, b)
			require.Equal(t, "pair", b.Level)
			require.GreaterOrEqual(t, b.Hours, 24)
			require.InDelta(t, 2, b.Mean, 0.1)
			require.InDelta(t, b.Mean+7*max(b.SD, 1), b.Threshold, 0.01)
		})
	}
}

// TestUnusualHourIsGuarded: where most of what was tried succeeds it is no scan.
func TestUnusualHourIsGuarded(t *testing.T) {
	w := newWire(t, profile(t, "default"))
	ordinaryHours(w, 26)
	for i := range 25 {
		at := float64(26*3600 + i*120)
		w.refused(at, inside, server, uint16(2000+i))
		for j := range 4 {
			w.busy(at+10, inside, server, uint16(3000+4*i+j))
		}
	}
	w.end()
	require.Empty(t, w.scans)
}

// TestSplunkOutlier: the search as it is meant counts connections, whatever came of
// them, and one scan does not hide the next.
func TestSplunkOutlier(t *testing.T) {
	w := newWire(t, profile(t, "splunk"))
	ordinaryHours(w, 30)
	for i := range 45 { // fewer than the other searches ask for
		w.busy(float64(30*3600+i*60), inside, server, uint16(2000+i))
	}
	ordinaryHours(w, 0)
	for i := range 40 {
		w.busy(float64(60*3600+i*60), inside, server, uint16(4000+i))
	}
	w.end()
	fired := 0
	for _, s := range w.phase(Close) {
		for _, f := range s.Rules {
			if f.Rule == "outlier-ports-by-pair" {
				fired++
			}
		}
	}
	require.Equal(t, 2, fired)
}

// TestRulesShareWhatIsRememberedOfEarlierHours: however many compare with them, and no more
// than the bound says.
func TestRulesShareWhatIsRememberedOfEarlierHours(t *testing.T) {
	rules := []*compiledRule{{}}
	for _, want := range []int{1 << 15, 1 << 14, 1 << 13, 1 << 13, 1 << 12} {
		rules = append(rules, &compiledRule{Rule: Rule{Sigma: 7}})
		require.Equal(t, want, pairsEach(1<<15, rules))
	}
}
