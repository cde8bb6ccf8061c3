package sensor_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/detect"
	"github.com/synoptic-ids/synoptic/detect/sensor"
)

// healthOf runs frames through a sensor and returns what it says of their health, but for
// what has to be learned.
func healthOf(t *testing.T, fs []frame) (about []string) {
	t.Helper()
	s, err := sensor.New(sensor.Config{OnNotice: func(n detect.Notice) {
		if n.Event == detect.Health && n.About != detect.HealthLearning {
			about = append(about, n.About)
		}
	}})
	require.NoError(t, err)
	sum, err := s.Run(context.Background(), read(t, asPcap(t, fs)))
	require.NoError(t, err)
	require.NotEmpty(t, sum.Learning)
	return about
}

// TestHealthOfDuplicates has each frame twice, as a mirror port of both directions sends it.
func TestHealthOfDuplicates(t *testing.T) {
	fs := frames(t, "../../testdata/captures/syn-vertical.pcap")
	require.Empty(t, healthOf(t, fs))
	var twice []frame
	for _, f := range fs {
		again := f
		again.Time += 2000
		twice = append(twice, f, again)
	}
	require.Equal(t, []string{detect.HealthDuplicates}, healthOf(t, twice))
}

// TestHealthOfClocks sets the clock back by an hour in the middle.
func TestHealthOfClocks(t *testing.T) {
	fs := frames(t, "../../testdata/captures/syn-vertical.pcap")
	for i := len(fs) / 2; i < len(fs); i++ {
		fs[i].Time -= 3600e9
	}
	require.Equal(t, []string{detect.HealthClockJump}, healthOf(t, fs))
}
