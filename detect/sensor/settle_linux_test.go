package sensor_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/synoptic-ids/synoptic/bpf/settle"
	"github.com/synoptic-ids/synoptic/capture"
	"github.com/synoptic-ids/synoptic/detect/sensor"
)

// thinned is a source of which the kernel drops what is settled.
type thinned struct {
	capture.Source
	t       *testing.T
	in, out int
	told    int64 // time of the latest frame that came through
	gone    int
}

// thin puts the program before a source, or skips the test where that is not possible.
func thin(t *testing.T, src capture.Source) *thinned {
	t.Helper()
	const all = 1 << 16
	p, err := settle.Load(all, 1)
	if errors.Is(err, os.ErrPermission) && os.Getenv("SYNOPTIC_REQUIRE_LAB") != "1" {
		t.Skip("needs the capability CAP_BPF: ", err)
	}
	require.NoError(t, err)
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	require.NoError(t, p.Attach(pair[1]))
	require.NoError(t, p.Close())
	t.Cleanup(func() { _, _ = unix.Close(pair[0]), unix.Close(pair[1]) })
	return &thinned{Source: src, t: t, in: pair[0], out: pair[1]}
}

// passes reports whether the kernel lets a frame through. The capture's time is not the
// kernel's: that some comes through for the time's sake is done here.
func (s *thinned) passes(f *capture.Frame) bool {
	if s.Link(f.Iface) != 1 || len(f.Data) == 0 {
		return true
	}
	_, err := unix.Write(s.in, f.Data)
	require.NoError(s.t, err)
	_, err = unix.Read(s.out, make([]byte, 1))
	if errors.Is(err, unix.EAGAIN) && f.Time-s.told < int64(settle.Tell) {
		s.gone++
		return false
	}
	s.told = f.Time
	return true
}

func (s *thinned) Read(fs []capture.Frame) (int, error) {
	n, err := s.Source.Read(fs)
	kept := 0
	for i := range fs[:n] {
		if s.passes(&fs[i]) {
			fs[kept] = fs[i]
			kept++
		}
	}
	return kept, err
}

// TestSettledInTheKernel holds that nothing that is said of a capture changes when the kernel
// drops what is settled.
func TestSettledInTheKernel(t *testing.T) {
	thin(t, nil) // or skip it all
	gone := 0
	for _, file := range captures(t) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			src := thin(t, open(t, file))
			require.Equal(t, said(t, open(t, file), sensor.Config{}), said(t, src, sensor.Config{}))
			gone += src.gone
		})
	}
	require.Greater(t, gone, 1000)
}
