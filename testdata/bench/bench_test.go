package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/capture"
	"github.com/synoptic-ids/synoptic/detect"
	"github.com/synoptic-ids/synoptic/detect/sensor"
)

const sample = "../captures/scan-day.pcapng"

// The line that is measured must do what the sensor does, or its figures say
// nothing about it.
func TestLineDoesWhatTheSensorDoes(t *testing.T) {
	src, err := capture.Open(sample, capture.Config{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, src.Close()) })
	var opened uint64
	s, err := sensor.New(sensor.Config{OnScan: func(s detect.Scan) {
		if s.Phase == detect.Open {
			opened++
		}
	}})
	require.NoError(t, err)
	want, err := s.Run(context.Background(), src)
	require.NoError(t, err)

	l, err := newLine(len(stageNames))
	require.NoError(t, err)
	require.NoError(t, l.run(sample))
	require.Equal(t, want.Capture.Packets, l.read)
	decoded := l.decoder.Stats()
	decoded.Frames += l.settled.Undecoded
	decoded.Packets += l.settled.Undecoded
	require.Equal(t, want.Decode, decoded)
	require.Equal(t, want.Settled, l.settled.Passed)
	require.Equal(t, want.Table, l.table.Stats())
	require.Equal(t, want.Detect, l.engine.Stats())
	require.Equal(t, opened, l.opened)
	require.Positive(t, l.opened)
}

func TestStagesAddUp(t *testing.T) {
	stages, whole, err := measureStages(sample, 1)
	require.NoError(t, err)
	require.Len(t, stages, len(stageNames))
	require.Positive(t, whole.emitted)
	n, err := count(sample)
	require.NoError(t, err)
	require.Equal(t, n, whole.read)
}

func TestMissingFile(t *testing.T) {
	_, _, err := measureStages("absent.pcap", 1)
	require.ErrorContains(t, err, "absent.pcap")
	b := bench{dir: t.TempDir(), rounds: 1, out: &bytes.Buffer{}}
	require.ErrorContains(t, b.run(), "go run ./testdata/gen bench")
}

func TestSpread(t *testing.T) {
	tests := []struct {
		name string
		in   []float64
		want spread
	}{
		{"one", []float64{2}, spread{2, 2, 2}},
		{"odd", []float64{3, 1, 2}, spread{2, 1, 3}},
		{"even", []float64{4, 1, 3, 2}, spread{2.5, 1, 4}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { require.Equal(t, tt.want, spreadOf(tt.in)) })
	}
}

// The ratio is that of the pairs: one slow pair must not show in it.
func TestCompareTakesRatiosOfPairs(t *testing.T) {
	us := []use{
		{cpu: 2 * time.Second, wall: 3 * time.Second, gc: 20 * time.Millisecond, peak: 7},
		{cpu: 20 * time.Second, wall: 30 * time.Second, gc: time.Second, peak: 9},
		{cpu: time.Second, wall: time.Second, peak: 8},
	}
	them := []use{{cpu: time.Second, wall: time.Second}, {cpu: 10 * time.Second, wall: 10 * time.Second}, {cpu: time.Second, wall: time.Second}}
	got := compare(us, them)
	require.Equal(t, spread{2, 1, 2}, got.cpu)
	require.Equal(t, spread{3, 1, 3}, got.wall)
	require.Equal(t, spread{1, 0, 5}, got.garbage)
	require.Equal(t, 2*time.Second, got.ours)
	require.Equal(t, time.Second, got.theirs)
	require.Equal(t, int64(9), got.peak)
}

func TestRunOnce(t *testing.T) {
	goTool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("no go command to run")
	}
	var u use
	require.NoError(t, runOnce([]string{goTool, "version"}, &u))
	require.Positive(t, u.wall)
	require.Positive(t, u.peak)
	require.Less(t, u.gc, u.wall*2)
	require.ErrorContains(t, runOnce([]string{goTool, "nonsense"}, &u), "nonsense")
}

func TestCollecting(t *testing.T) {
	require.Zero(t, collecting("tcpdump: reading from file\n"))
	require.Equal(t, 1659*time.Microsecond+2500*time.Millisecond, collecting(`
gc 7 @0.101s 2%: 0.021+1.2+0.004 ms clock, 0.05+0.1/1.0/0.5+0.009 ms cpu, 3->3->1 MB, 4 MB goal, 0 MB stacks, 0 MB globals, 2 P
synoptic: warning: 3 ms clock, 9+9 ms cpu, no
gc 8 @0.201s 2%: 0+1+2 ms clock, 0+2500/0/0+0 ms cpu, 3->3->1 MB, 4 MB goal, 0 MB stacks, 0 MB globals, 2 P (forced)
`))
}

// A collection that this process is made to do is in the sum of its own lines: the form of
// gctrace is Go's, and may change with it.
func TestCollectingReadsWhatGoSays(t *testing.T) {
	if os.Getenv("BENCH_COLLECT") != "" {
		runtime.GC()
		runtime.GC() // waits until the line of the first is out; its own may be cut off by the end
		return
	}
	t.Setenv("BENCH_COLLECT", "1")
	var u use
	require.NoError(t, runOnce([]string{os.Args[0], "-test.run", t.Name()}, &u))
	require.Positive(t, u.gc)
}
