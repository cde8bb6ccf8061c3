package app_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/cmd/internal/app"
	"github.com/synoptic-ids/synoptic/cmd/internal/config"
)

// supervise stands in for systemd, and returns what reads what the run tells it.
func supervise(t *testing.T, watchdog string) (told func(patience time.Duration) string) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })
	t.Setenv("NOTIFY_SOCKET", name)
	t.Setenv("WATCHDOG_USEC", watchdog)
	t.Setenv("WATCHDOG_PID", "")
	return func(patience time.Duration) string {
		require.NoError(t, conn.SetReadDeadline(time.Now().Add(patience)))
		b := make([]byte, 100)
		n, err := conn.Read(b)
		if err != nil {
			require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		}
		return string(b[:n])
	}
}

// made is a run that has not begun.
func made(t *testing.T, s config.Settings, streams app.Streams) *app.App {
	t.Helper()
	plan, err := config.Check(s)
	require.NoError(t, err)
	a, err := app.New(plan, streams, "test")
	require.NoError(t, err)
	return a
}

const patience = time.Minute

// TestSupervised: a run says when it is ready, that it is alive, and when it ends.
func TestSupervised(t *testing.T) {
	told := supervise(t, "400000")
	data, err := os.ReadFile(captures + "syn-vertical.pcap")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	in := &stuck{data: bytes.NewReader(data), cancel: func() {}, closed: make(chan struct{})}
	a := made(t, config.Settings{Inputs: []string{"-"}}, app.Streams{In: in, Out: io.Discard, Err: io.Discard})
	done := make(chan error)
	go func() { done <- a.Run(ctx) }()
	require.Equal(t, "READY=1", told(patience))
	for range 3 { // though nothing comes
		require.Equal(t, "WATCHDOG=1", told(patience))
	}
	cancel()
	var last []string
	for !slices.Contains(last, "STOPPING=1") {
		last = append(last, told(patience))
		require.Subset(t, []string{"WATCHDOG=1", "STOPPING=1"}, last)
	}
	require.NoError(t, <-done)
}

// blocked is an output that takes nothing until it is freed.
type blocked struct {
	once      sync.Once
	hit, free chan struct{}
}

func (b *blocked) Write(p []byte) (int, error) {
	b.once.Do(func() { close(b.hit) })
	<-b.free
	return len(p), nil
}

// TestWatchdogStarves: a run of which one stage is stuck is not said to be alive.
func TestWatchdogStarves(t *testing.T) {
	told := supervise(t, "400000")
	out := &blocked{hit: make(chan struct{}), free: make(chan struct{})}
	a := made(t, config.Settings{Inputs: []string{captures + "syn-vertical.pcap"}}, app.Streams{Out: out, Err: io.Discard})
	done := make(chan error)
	go func() { done <- a.Run(t.Context()) }()
	require.Equal(t, "READY=1", told(patience))
	<-out.hit
	fed := 0
	for told(2*time.Second) != "" {
		fed++
		require.Less(t, fed, 8, "it goes on")
	}
	close(out.free)
	require.NoError(t, <-done)
}

// TestNobodySupervises: without systemd nothing is told, and nothing is missed.
func TestNobodySupervises(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", filepath.Join(t.TempDir(), "nobody"))
	t.Setenv("WATCHDOG_USEC", "nonsense")
	var said bytes.Buffer
	a := made(t, config.Settings{Inputs: []string{captures + "xmas.pcap"}}, app.Streams{Out: io.Discard, Err: &said})
	require.NoError(t, a.Run(t.Context()))
	require.Empty(t, said.String())
}
