package app

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/synoptic-ids/synoptic/capture"
	"github.com/synoptic-ids/synoptic/cmd/internal/config"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// half is a source that has been read half through.
type half struct{ total int64 }

func (half) Read([]capture.Frame) (int, error) { return 0, io.EOF }
func (half) Link(uint32) uint16                { return 1 }
func (half) Close() error                      { return nil }

func (h half) Stats() (capture.Stats, error) {
	return capture.Stats{Total: h.total, Offset: h.total / 2}, nil
}

func TestBar(t *testing.T) {
	for _, tt := range []struct {
		name  string
		plan  config.Plan
		total int64
		drawn bool
	}{
		{"asked for", config.Plan{Progress: config.Always}, 1000, true},
		{"no terminal", config.Plan{Progress: config.Auto}, 1000, false},
		{"never", config.Plan{Progress: config.Never}, 1000, false},
		{"quiet", config.Plan{Progress: config.Always, Quiet: true}, 1000, false},
		{"size not known", config.Plan{Progress: config.Always}, 0, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var b bytes.Buffer
			bar := newBar(&b, tt.plan)
			stop := bar.start(half{tt.total}, func() {})
			bar.update(half{tt.total})
			require.Equal(t, tt.drawn, strings.Contains(b.String(), "50%"), b.String())
			stop()
			require.Equal(t, tt.drawn, strings.HasSuffix(b.String(), "\r\x1b[K") || strings.HasSuffix(b.String(), "\x1b[2K\r"), "the bar is taken away at the end: %q", b.String())
			was := b.Len()
			bar.update(half{tt.total})
			require.Equal(t, was, b.Len(), "nothing is drawn after the end")
		})
	}
}

func TestBarMakesRoom(t *testing.T) {
	var b bytes.Buffer
	bar := newBar(&b, config.Plan{Progress: config.Always})
	bar.onTerminal = func(io.Writer) bool { return true }
	stop := bar.start(half{1000}, func() {})
	defer stop()
	bar.update(half{1000})
	drawn := b.Len()
	_, err := io.WriteString(bar.above(&b), "a line\n")
	require.NoError(t, err)
	after := b.String()[drawn:]
	require.True(t, strings.HasSuffix(after, "a line\n"))
	require.Contains(t, after, "\x1b[", "the bar is cleared before the line")
	_, err = io.WriteString(bar.above(&b), "another\n")
	require.NoError(t, err)
	require.True(t, strings.HasSuffix(b.String(), "a line\nanother\n"), "it is cleared once")
	bar.update(half{1000})
	require.Contains(t, b.String()[strings.LastIndex(b.String(), "another"):], "50%", "it is drawn again below")
}

func TestColored(t *testing.T) {
	for _, tt := range []struct {
		mode     config.Mode
		terminal bool
		noColor  string
		term     string
		want     bool
	}{
		{config.Auto, true, "", "xterm", true},
		{config.Auto, false, "", "xterm", false},
		{config.Auto, true, "1", "xterm", false},
		{config.Auto, true, "", "dumb", false},
		{config.Always, false, "1", "dumb", true},
		{config.Never, true, "", "xterm", false},
	} {
		t.Setenv("NO_COLOR", tt.noColor)
		t.Setenv("TERM", tt.term)
		require.Equal(t, tt.want, colored(tt.mode, tt.terminal), "%+v", tt)
	}
}
