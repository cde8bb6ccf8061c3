package capture

import (
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

// blocked is a Source whose Read waits for input that does not come, and the
// end that would write it.
func blockedSources(t *testing.T) map[string]func() (Source, func()) {
	capture := manyPackets("pcap", 1)
	return map[string]func() (Source, func()){
		"pipe of the system": func() (Source, func()) {
			r, w, err := os.Pipe()
			require.NoError(t, err)
			_, err = w.Write(capture)
			require.NoError(t, err)
			src, err := Open("-", Config{Stdin: r})
			require.NoError(t, err)
			return src, func() { _ = w.Close() }
		},
		"reader that cannot be closed": func() (Source, func()) {
			r, w := io.Pipe()
			go func() { _, _ = w.Write(capture) }()
			src, err := NewReader(struct{ io.Reader }{r}, inputName, Config{})
			require.NoError(t, err)
			return src, func() { _ = w.Close() }
		},
		"compressed pipe": func() (Source, func()) {
			r, w := io.Pipe()
			packed := pack(t, "zstd", capture)
			go func() { _, _ = w.Write(packed) }()
			src, err := NewReader(r, inputName, Config{})
			require.NoError(t, err)
			return src, func() { _ = w.Close() }
		},
	}
}

func TestCloseWakesRead(t *testing.T) {
	defer goleak.VerifyNone(t)
	for name, open := range blockedSources(t) {
		t.Run(name, func(t *testing.T) {
			src, release := open()
			fs := make([]Frame, 10)
			n, err := src.Read(fs)
			require.NoError(t, err)
			require.Equal(t, 1, n)
			result := make(chan error)
			go func() {
				_, err := src.Read(fs)
				result <- err
			}()
			require.NoError(t, src.Close())
			require.ErrorIs(t, <-result, os.ErrClosed)
			require.NoError(t, src.Close())
			_, err = src.Read(fs)
			require.ErrorIs(t, err, os.ErrClosed)
			release()
		})
	}
}

func TestCloseLeavesNothingBehind(t *testing.T) {
	defer goleak.VerifyNone(t)
	name := filepath.Join(t.TempDir(), "capture")
	require.NoError(t, os.WriteFile(name, manyPackets("pcap", 3), 0o600))
	src, err := Open(name, Config{})
	require.NoError(t, err)
	file := src.(*files).file.(*os.File)
	require.NoError(t, src.Close())
	_, err = file.Stat()
	require.ErrorIs(t, err, os.ErrClosed)

	src, err = Open(name, Config{})
	require.NoError(t, err)
	file = src.(*files).file.(*os.File)
	_, _ = drain(t, src, 10)
	_, err = file.Stat()
	require.ErrorIs(t, err, os.ErrClosed, "a file is closed at its end")
	require.NoError(t, src.Close())
	_, err = src.Read(make([]Frame, 1))
	require.ErrorIs(t, err, os.ErrClosed)
}

// TestStatsAndCloseWhileReading is for the race detector.
func TestStatsAndCloseWhileReading(t *testing.T) {
	name := filepath.Join(t.TempDir(), "capture")
	require.NoError(t, os.WriteFile(name, pack(t, "gzip", manyPackets("pcapng", 5000)), 0o600))
	for _, stop := range []uint64{1, 300, 2000} {
		src, err := Join([]string{name, name, name}, Config{})
		require.NoError(t, err)
		var reader sync.WaitGroup
		reader.Go(func() {
			fs := make([]Frame, 7)
			for {
				_, err := src.Read(fs)
				if err != nil {
					if err != io.EOF {
						require.ErrorIs(t, err, os.ErrClosed)
					}
					return
				}
			}
		})
		last := Stats{}
		for last.Packets < stop {
			st, err := src.Stats()
			require.NoError(t, err)
			require.GreaterOrEqual(t, st.Packets, last.Packets)
			require.GreaterOrEqual(t, st.Offset, last.Offset)
			require.LessOrEqual(t, st.Offset, st.Total)
			_ = src.Link(0)
			last = st
		}
		var closers sync.WaitGroup
		for range 3 {
			closers.Go(func() { require.NoError(t, src.Close()) })
		}
		closers.Wait()
		reader.Wait()
	}
}

func TestCloseWhileNamedPipeHasNoWriter(t *testing.T) {
	name := namedPipe(t)
	src, err := Open(name, Config{})
	require.NoError(t, err)
	result := make(chan error)
	go func() {
		_, err := src.Read(make([]Frame, 1))
		result <- err
	}()
	require.NoError(t, src.Close())
	require.ErrorIs(t, <-result, os.ErrClosed)
	// Let the open that waits for a writer go.
	w, err := os.OpenFile(name, os.O_RDWR, 0)
	require.NoError(t, err)
	require.NoError(t, w.Close())
}
