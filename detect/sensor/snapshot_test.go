package sensor_test

import (
	"context"
	"io"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/synoptic-ids/synoptic/capture"
	"github.com/synoptic-ids/synoptic/detect"
	"github.com/synoptic-ids/synoptic/detect/sensor"
)

// prompter is a live source that hands out frames when it is told to.
type prompter struct {
	capture.Source // what the frames were read from
	asked          chan struct{}
	tell           chan []capture.Frame // none: nothing came; closed: the end
	now            int64                // of the source, when nothing came
	// of its own account; only while it waits for tell
	packets, dropped uint64
}

func prompted(t *testing.T, file string) (*prompter, []capture.Frame) {
	t.Helper()
	var all []capture.Frame
	for _, f := range frames(t, file) {
		all = append(all, f.Frame)
	}
	src := open(t, file)
	_, err := src.Read(make([]capture.Frame, 1)) // from then on it knows the link type
	require.NoError(t, err)
	return &prompter{Source: src, asked: make(chan struct{}), tell: make(chan []capture.Frame)}, all
}

func (p *prompter) Read(fs []capture.Frame) (int, error) {
	p.asked <- struct{}{}
	told, more := <-p.tell
	switch {
	case !more:
		return 0, io.EOF
	case told == nil:
		return 0, &capture.Idle{Now: p.now}
	}
	p.packets += uint64(len(told))
	return copy(fs, told), nil
}

// Stats adds what was lost to what was handed out.
func (p *prompter) Stats() (capture.Stats, error) {
	return capture.Stats{Packets: p.packets, Dropped: p.dropped}, nil
}

// until waits for a state that comes for certain, whatever the goroutines' turns.
func until(t *testing.T, holds func() bool) {
	t.Helper()
	for !holds() {
		require.NoError(t, t.Context().Err())
		runtime.Gosched()
	}
}

// quiet has all frames read and judged, and the sensor wait for more.
func (p *prompter) quiet(t *testing.T, s *sensor.Sensor, fs []capture.Frame) {
	t.Helper()
	for len(fs) > 0 {
		<-p.asked
		n := min(len(fs), 100)
		p.tell <- fs[:n]
		fs = fs[n:]
	}
	<-p.asked
	p.tell <- nil
	<-p.asked
	until(t, func() bool { now := s.Progress(); return now.Waiting && now.Done == now.Batches })
}

// TestSnapshot: while a run waits for packets, what it has found so far can be known, and its
// rules changed.
func TestSnapshot(t *testing.T) {
	for name, inline := range map[string]bool{"piped": false, "inline": true} {
		t.Run(name, func(t *testing.T) {
			defer goleak.VerifyNone(t)
			src, fs := prompted(t, "../../testdata/captures/syn-vertical.pcap")
			var scans []detect.Scan
			s, err := sensor.New(sensor.Config{Inline: inline, OnScan: func(scan detect.Scan) { scans = append(scans, scan) }})
			require.NoError(t, err)
			require.Zero(t, s.Snapshot())
			done := make(chan sensor.Summary)
			go func() {
				sum, _ := s.Run(context.Background(), src)
				done <- sum
			}()
			src.quiet(t, s, fs)

			now := s.Snapshot()
			require.EqualValues(t, len(fs), now.Decode.Frames)
			require.EqualValues(t, len(fs), now.Table.Packets)
			require.EqualValues(t, 1, now.Detect.Opened)
			require.Zero(t, now.Detect.Closed)
			require.Equal(t, detect.Time(fs[0].Time), now.First)
			require.NotEmpty(t, now.Learning)

			list, err := detect.ParseAllow([]byte("allow: [{name: late, src: 203.0.113.250, note: why}]"), "test")
			require.NoError(t, err)
			rules, err := detect.Profile("default")
			require.NoError(t, err)
			rules.Allow = list
			require.NoError(t, s.Replace(rules))
			require.Error(t, s.Replace(detect.Rules{}))

			src.tell <- nil
			<-src.asked
			close(src.tell)
			sum := <-done
			require.EqualValues(t, 1, sum.Detect.Closed)
			require.Equal(t, s.Snapshot(), sum, "the last one is the run's own account")
			require.Empty(t, scans[len(scans)-1].Authorized, "it was open before the list")
		})
	}
}

// TestProgressStops: who looks twice can tell a run that is stuck from one that waits.
func TestProgressStops(t *testing.T) {
	src, fs := prompted(t, "../../testdata/captures/syn-vertical.pcap")
	stuck, free := make(chan struct{}), make(chan struct{})
	s, err := sensor.New(sensor.Config{OnScan: func(scan detect.Scan) {
		if scan.Phase == detect.Close {
			return
		}
		select {
		case stuck <- struct{}{}:
			<-free
		case <-free:
		}
	}})
	require.NoError(t, err)
	done := make(chan error)
	go func() {
		_, err := s.Run(context.Background(), src)
		done <- err
	}()
	<-src.asked
	src.tell <- nil
	<-src.asked
	until(t, func() bool { now := s.Progress(); return now.Waiting && now.Done == now.Batches })
	waits := s.Progress()
	require.True(t, s.Progress().Since(waits), "it has nothing to do")

	src.tell <- fs
	<-src.asked
	src.tell <- nil
	<-stuck
	held := s.Progress()
	require.Less(t, held.Done, held.Batches)
	require.False(t, s.Progress().Since(held))
	_ = s.Snapshot() // is to be had all the same

	close(free)
	<-src.asked
	until(t, func() bool { return s.Progress().Since(held) })
	close(src.tell)
	require.NoError(t, <-done)
}

func TestProgressSince(t *testing.T) {
	for name, tt := range map[string]struct {
		earlier, now sensor.Progress
		moved        bool
	}{
		"it waits for packets":         {sensor.Progress{Reads: 3, Waiting: true, Batches: 2, Done: 2}, sensor.Progress{Reads: 3, Waiting: true, Batches: 2, Done: 2}, true},
		"nothing that is read fits":    {sensor.Progress{Reads: 3, Batches: 2, Done: 2}, sensor.Progress{Reads: 4, Batches: 2, Done: 2}, true},
		"a packet is not digested":     {sensor.Progress{Reads: 3, Batches: 2, Done: 2}, sensor.Progress{Reads: 3, Batches: 2, Done: 2}, false},
		"a later stage is behind":      {sensor.Progress{Reads: 9, Batches: 4, Done: 2}, sensor.Progress{Reads: 9, Waiting: true, Batches: 4, Done: 2}, false},
		"a later stage has caught up":  {sensor.Progress{Reads: 9, Batches: 4, Done: 2}, sensor.Progress{Reads: 9, Batches: 4, Done: 3}, true},
		"a later stage falls behind":   {sensor.Progress{Reads: 5, Batches: 2, Done: 2}, sensor.Progress{Reads: 9, Batches: 4, Done: 2}, false},
		"the table settles at the end": {sensor.Progress{Reads: 5, Batches: 4, Done: 4}, sensor.Progress{Reads: 5, Batches: 4, Done: 7}, true},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, tt.moved, tt.now.Since(tt.earlier)) })
	}
}
