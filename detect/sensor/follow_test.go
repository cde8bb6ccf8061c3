package sensor_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/synoptic-ids/synoptic/capture"
	"github.com/synoptic-ids/synoptic/detect"
	"github.com/synoptic-ids/synoptic/detect/sensor"
)

// TestFollowedFileIsHandedOn: what was read is judged while the file is waited
// for, though it fills no batch; the run ends only because a scan was opened.
func TestFollowedFileIsHandedOn(t *testing.T) {
	whole, err := os.ReadFile(filepath.Join("..", "..", "testdata", "captures", "syn-vertical.pcap"))
	require.NoError(t, err)
	for name, inline := range map[string]bool{"piped": false, "inline": true} {
		t.Run(name, func(t *testing.T) {
			defer goleak.VerifyNone(t)
			file := filepath.Join(t.TempDir(), "cap")
			require.NoError(t, os.WriteFile(file, whole[:len(whole)/3], 0o600))
			src, err := capture.Open(file, capture.Config{Follow: true, Interval: 1})
			require.NoError(t, err)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var phases []detect.Phase
			s, err := sensor.New(sensor.Config{Inline: inline, Batch: 4096, OnScan: func(scan detect.Scan) {
				phases = append(phases, scan.Phase)
				if scan.Phase == detect.Open {
					cancel()
					require.NoError(t, src.Close())
				}
			}})
			require.NoError(t, err)
			sum, err := s.Run(ctx, src)
			require.NoError(t, err)
			require.True(t, sum.Stopped)
			require.Zero(t, sum.Capture.Damaged)
			require.Equal(t, detect.Open, phases[0])
			require.Equal(t, detect.Close, phases[len(phases)-1], "open scans are closed")
		})
	}
}
