package app

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/detect/sensor"
)

func TestPulse(t *testing.T) {
	var p pulse
	at := time.Now()
	require.True(t, p.feel(sensor.Progress{}, at), "who begins is not stuck")
	require.True(t, p.feel(sensor.Progress{Reads: 1, Waiting: true}, at), "it has nothing to do")
	require.True(t, p.feel(sensor.Progress{Reads: 3, Batches: 3, Done: 1}, at))
	require.False(t, p.feel(sensor.Progress{Reads: 3, Batches: 3, Done: 1}, at.Add(-time.Hour)), "a batch is not done")
	require.Less(t, p.stuck(), time.Hour)
	require.True(t, p.feel(sensor.Progress{Reads: 3, Waiting: true, Batches: 3, Done: 2}, at.Add(-2*time.Hour)), "another is")
	require.GreaterOrEqual(t, p.stuck(), 2*time.Hour)
	require.False(t, p.feel(sensor.Progress{Reads: 3, Waiting: true, Batches: 3, Done: 2}, at))
	require.GreaterOrEqual(t, p.stuck(), 2*time.Hour, "it still is where it was")
}
