package app

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/detect"
)

func TestSevere(t *testing.T) {
	type record struct {
		id       string
		phase    detect.Phase
		severity int
		lets     bool
	}
	v := newSevere(3)
	for _, r := range []record{
		{"low", detect.Open, 2, false},
		{"rises", detect.Open, 2, false},
		{"high", detect.Open, 4, true},
		{"rises", detect.Update, 3, true},
		{"low", detect.Update, 2, false},
		{"high", detect.Update, 2, true}, // once told, told to its close
		{"high", detect.Close, 2, true},
		{"rises", detect.Close, 3, true},
		{"low", detect.Close, 2, false},
		{"high", detect.Reopen, 2, false}, // each time anew
		{"high", detect.Close, 4, true},
		{"brief", detect.Close, 5, true},
	} {
		require.Equal(t, r.lets, v.lets(&detect.Scan{ID: r.id, Phase: r.phase, Severity: r.severity}), "%+v", r)
	}
	require.Empty(t, v.told, "nothing is remembered of what has closed")
	require.EqualValues(t, 1, v.withheld)
	var all severe
	require.True(t, all.lets(&detect.Scan{Severity: 1}))
}
