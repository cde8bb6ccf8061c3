//go:build unix

package capture

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func namedPipe(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "pipe")
	require.NoError(t, unix.Mkfifo(name, 0o600))
	return name
}

// TestPipeThatPauses: before more is waited for, what was read is to be made use of.
func TestPipeThatPauses(t *testing.T) {
	r, w, err := os.Pipe()
	require.NoError(t, err)
	defer w.Close()
	src, err := Open("-", Config{Stdin: r})
	require.NoError(t, err)
	defer src.Close()
	first := at(1, 1, "first")
	second := at(2, 1, "second")[pcapHeader:]
	fs := make([]Frame, 8)
	write := func(b []byte) {
		_, err := w.Write(b)
		require.NoError(t, err)
	}
	reads := func(want string) {
		n, err := src.Read(fs)
		require.NoError(t, err)
		require.Equal(t, 1, n)
		require.Equal(t, want, string(fs[0].Data))
	}
	write(first)
	reads("first")
	_, err = src.Read(fs)
	idle, ok := errors.AsType[*Idle](err)
	require.True(t, ok, "%v", err)
	require.Zero(t, idle.Now)
	write(second[:10]) // it is waited for the rest
	go func() { _, _ = w.Write(second[10:]) }()
	reads("second")
	write(at(3, 1, "third")[pcapHeader:])
	reads("third") // without waiting
	_, err = src.Read(fs)
	require.ErrorAs(t, err, &idle)
	require.NoError(t, w.Close())
	_, err = src.Read(fs)
	require.ErrorIs(t, err, io.EOF)
}
