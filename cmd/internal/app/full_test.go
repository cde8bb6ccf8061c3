package app

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/cmd/internal/config"
	"github.com/synoptic-ids/synoptic/detect"
	"github.com/synoptic-ids/synoptic/detect/sensor"
	"github.com/synoptic-ids/synoptic/flows"
)

// TestBoundsAreToldOnce: each in its own words, with the size it has, at the first time that it
// was reached.
func TestBoundsAreToldOnce(t *testing.T) {
	var out bytes.Buffer
	var line sensor.Config
	bounds, err := line.Fit(64 << 20)
	require.NoError(t, err)
	a := &App{say: NewVoice(&out), bounds: bounds, plan: config.Plan{Memory: 64 << 20}}
	for _, f := range fulls() {
		require.Positive(t, a.roomFor(f.bound), f.bound)
	}
	a.degraded(&sensor.Summary{})
	require.Empty(t, out.String())

	some := sensor.Summary{Detect: detect.Stats{SourcesEvicted: 1, FactsEvicted: 1}}
	a.degraded(&some)
	a.degraded(&some)
	require.Equal(t, 2, strings.Count(out.String(), "\n"), "few facts are not told: %s", out.String())
	require.Regexp(t, `^synoptic: warning: there is room for about \d+ sources: beyond, those quiet for longest are forgotten, .*
synoptic: hint: --memory is 64MiB, and more forgets less; the run record has the counts
$`, out.String())

	const many = 1 << 20
	a.degraded(&sensor.Summary{
		Decode: flows.DecodeStats{Displaced: 1}, Table: flows.TableStats{Evicted: 1},
		Detect: detect.Stats{
			SourcesEvicted: 2, GroupsEvicted: 1, WalksEvicted: 1, SuspectsEvicted: many, PairsEvicted: many,
			FactsEvicted: many, Cut: 1, WatchesEvicted: 1,
		},
	})
	require.Equal(t, len(fulls())+1, strings.Count(out.String(), "\n"))
	require.Equal(t, 1, strings.Count(out.String(), "hint"))
}
