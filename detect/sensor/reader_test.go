package sensor

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/capture"
)

// steady is a source that never pauses and never ends.
type steady struct {
	capture.Source
	gap, now int64
	reads    int
}

func (s *steady) Read(fs []capture.Frame) (int, error) {
	s.reads++
	for i := range fs {
		s.now += s.gap
		fs[i] = capture.Frame{Data: make([]byte, 60), Time: s.now, Len: 60}
	}
	return len(fs), nil
}

func (s *steady) Link(uint32) uint16 { return ethernet }

// TestPatience: however few of the packets that are read are of interest, they are passed on
// within a tenth of a second by their own time, or after as many as one Read brings.
func TestPatience(t *testing.T) {
	for _, tt := range []struct {
		gap   time.Duration
		batch int
		reads int
	}{
		{10 * time.Millisecond, 1, 10},
		{time.Millisecond, 1, 100},
		{time.Millisecond, 7, 15}, // 105 ms
		{time.Second, 256, 1},
	} {
		src := &steady{gap: int64(tt.gap), now: 1}
		r := newReader(context.Background(), src, Config{Batch: tt.batch}, &seen{})
		var b packetBatch
		for range 3 {
			src.reads = 0
			more, err := r.fill(&b, 1<<20)
			require.NoError(t, err)
			require.True(t, more)
			if src.now > int64(time.Duration(tt.batch)*tt.gap)+1 { // the first packets are passed on at once
				require.Equal(t, tt.reads, src.reads, "gap %v, batch %d", tt.gap, tt.batch)
			}
		}
	}
}

// tank is a source that has so many frames, and more as long as it is not drained.
type tank struct {
	capture.Source
	left    int
	drained bool
}

func (s *tank) Read(fs []capture.Frame) (int, error) {
	n := min(len(fs), s.left)
	if s.drained && n == 0 {
		return 0, io.EOF
	}
	s.left -= n
	for i := range fs[:n] {
		fs[i] = capture.Frame{Data: make([]byte, 60), Time: 1, Len: 60}
	}
	return n, nil
}

func (s *tank) Link(uint32) uint16 { return ethernet }

func (s *tank) Stats() (capture.Stats, error) { return capture.Stats{}, nil }

func (s *tank) Drain() error {
	s.drained = true
	return nil
}

// TestDrain: a run that is to end reads what its source has.
func TestDrain(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, inline := range []bool{false, true} {
		s, err := New(Config{Inline: inline})
		require.NoError(t, err)
		sum, err := s.Run(ctx, &tank{left: 1000})
		require.NoError(t, err)
		require.True(t, sum.Stopped)
		require.Equal(t, uint64(1000), sum.Decode.Frames)
	}
}
