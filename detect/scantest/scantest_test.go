package scantest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/detect"
	"github.com/synoptic-ids/synoptic/detect/scantest"
	"github.com/synoptic-ids/synoptic/detect/sensor"
)

const captures = "../../testdata/captures/"

// recorder notes how a test would have ended.
type recorder struct {
	testing.TB
	said []string
}

func (*recorder) Helper() {}

func (r *recorder) Fatalf(format string, args ...any) {
	r.said = append(r.said, fmt.Sprintf(format, args...))
}

func TestReplay(t *testing.T) {
	seen := 0
	got := scantest.Replay(t, captures+"syn-vertical.pcap", sensor.Config{OnScan: func(detect.Scan) { seen++ }})
	require.Len(t, got.Scans, 1)
	require.Len(t, got.Records, seen)
	require.Greater(t, len(got.Records), 1)
	require.Equal(t, detect.Open, got.Records[0].Phase)
	require.Equal(t, got.Scans[0], got.Records[len(got.Records)-1])
	require.Equal(t, uint64(403), got.Summary.Capture.Packets)
}

func TestReplayOfWhatCannotBeRead(t *testing.T) {
	notes := filepath.Join(t.TempDir(), "notes.txt")
	require.NoError(t, os.WriteFile(notes, []byte("nothing but some notes"), 0o600))
	for _, tt := range []struct {
		file string
		cfg  sensor.Config
		want string
	}{
		{"nosuch.pcap", sensor.Config{}, "no such file"},
		{notes, sensor.Config{}, "not a readable capture"},
		{captures + "mail.pcap", sensor.Config{Batch: -1}, "batch of -1 packets"},
	} {
		var r recorder
		scantest.Replay(&r, tt.file, tt.cfg)
		require.Len(t, r.said, 1)
		require.Contains(t, r.said[0], tt.want)
	}
}

func TestRequire(t *testing.T) {
	got := scantest.Replay(t, captures+"syn-vertical.pcap", sensor.Config{})
	want := scantest.Want{
		Src: "203.0.113.250", Shape: detect.Vertical, Technique: "tcp-syn", Hosts: 1, Ports: 200, Targets: 200,
	}
	scantest.RequireScans(t, got.Scans, want)
	scantest.RequireScans(t, got.Scans, scantest.Want{})
	scantest.RequireScans(t, nil)
	scantest.RequireNoScans(t, nil)
	scantest.RequireExpected(t, got, "testdata/syn-vertical.jsonl")

	for name, change := range map[string]func(*scantest.Want){
		"src":       func(w *scantest.Want) { w.Src = "203.0.113.251" },
		"shape":     func(w *scantest.Want) { w.Shape = detect.Block },
		"technique": func(w *scantest.Want) { w.Technique = "udp" },
		"hosts":     func(w *scantest.Want) { w.Hosts = 2 },
		"ports":     func(w *scantest.Want) { w.Ports = 2 },
		"targets":   func(w *scantest.Want) { w.Targets = 2 },
	} {
		var r recorder
		wrong := want
		change(&wrong)
		scantest.RequireScans(&r, got.Scans, wrong)
		require.Len(t, r.said, 1, name)
	}
	var r recorder
	scantest.RequireNoScans(&r, got.Scans)
	scantest.RequireScans(&r, got.Scans)
	scantest.RequireScans(&r, got.Scans, want, want)
	scantest.RequireScans(&r, nil, want)
	scantest.RequireExpected(&r, scantest.Result{}, "testdata/syn-vertical.jsonl")
	scantest.RequireExpected(&r, got, "testdata/nosuch.jsonl")
	require.Len(t, r.said, 6)
}
