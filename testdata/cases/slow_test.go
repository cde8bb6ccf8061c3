package cases_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/detect"
	"github.com/synoptic-ids/synoptic/detect/sensor"
)

// TestThreeDaysAreOneScan: a probe every 34 s for three days is one scan with all its
// targets, open from the first hour on, and not one for each idle moment or window.
func TestThreeDaysAreOneScan(t *testing.T) {
	t.Parallel()
	const probes = 3 * 24 * 3600 / 34
	tr := newTrace(false)
	every(0, 34*second, probes, func(i int, when time.Duration) {
		tr.dial(when, net(9), dmz(1+i%100), 1000+i/100).put(client, syn, 0)
	})
	var opened, closed []detect.Scan
	scans, _ := tr.records(t, sensor.Config{})
	for _, s := range scans {
		switch s.Phase {
		case detect.Open:
			opened = append(opened, s)
		case detect.Close:
			closed = append(closed, s)
		}
	}
	require.Len(t, opened, 1)
	require.Len(t, closed, 1)
	require.Less(t, opened[0].DetectedAfter.Seconds, 3600.0)
	require.Equal(t, probes, closed[0].Targets)
	require.Equal(t, 100, closed[0].Hosts)
}
