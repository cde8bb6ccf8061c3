package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/cmd/internal/app"
	"github.com/synoptic-ids/synoptic/cmd/internal/config"
	"github.com/synoptic-ids/synoptic/cmd/internal/exit"
)

const captures = "../../../testdata/captures/"

// run runs settings to the end and returns the exit code and what was said.
func run(t *testing.T, ctx context.Context, s config.Settings, in io.Reader, out io.Writer) (exit.Code, string) {
	t.Helper()
	plan, err := config.Check(s)
	require.NoError(t, err)
	var said bytes.Buffer
	a, err := app.New(plan, app.Streams{In: in, Out: out, Err: &said}, "test")
	require.NoError(t, err)
	err = a.Run(ctx)
	if err != nil {
		app.NewVoice(&said).Error(err)
	}
	return exit.CodeOf(err), said.String()
}

func TestReaderThatGoesAway(t *testing.T) {
	r, w, err := os.Pipe()
	require.NoError(t, err)
	require.NoError(t, r.Close())
	defer func() { _ = w.Close() }()
	code, said := run(t, t.Context(), config.Settings{Inputs: []string{captures + "scan-day.pcapng"}}, nil, w)
	require.Equal(t, exit.Done, code)
	require.Empty(t, said)
}

func TestReaderThatGoesAwayDoesNotStopOtherOutputs(t *testing.T) {
	whole, rest := filepath.Join(t.TempDir(), "whole.jsonl"), filepath.Join(t.TempDir(), "rest.jsonl")
	code, _ := run(t, t.Context(), config.Settings{
		Inputs: []string{captures + "scan-day.pcapng"}, Outputs: []string{"json:" + whole},
	}, nil, io.Discard)
	require.Equal(t, exit.Done, code)

	r, w, err := os.Pipe()
	require.NoError(t, err)
	require.NoError(t, r.Close())
	defer func() { _ = w.Close() }()
	code, said := run(t, t.Context(), config.Settings{
		Inputs: []string{captures + "scan-day.pcapng"}, Outputs: []string{"text", "json:" + rest}, FailOn: "info",
	}, nil, w)
	require.Equal(t, exit.Found, code, "the verdict does not depend on who reads")
	require.Empty(t, said)
	want, err := os.ReadFile(whole)
	require.NoError(t, err)
	got, err := os.ReadFile(rest)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got))
}

// stuck is standard input that gives a capture and then neither ends nor goes
// on, until it is closed.
type stuck struct {
	data   *bytes.Reader
	cancel context.CancelFunc
	closed chan struct{}
}

func (s *stuck) Read(p []byte) (int, error) {
	if s.data.Len() > 0 {
		return s.data.Read(p)
	}
	s.cancel()
	<-s.closed
	return 0, os.ErrClosed
}

func (s *stuck) Close() error {
	select {
	case <-s.closed:
	default:
		close(s.closed)
	}
	return nil
}

func TestInterrupt(t *testing.T) {
	data, err := os.ReadFile(captures + "syn-vertical.pcap")
	require.NoError(t, err)
	for _, tt := range []struct {
		name     string
		settings config.Settings
		code     exit.Code
	}{
		{"plain", config.Settings{}, exit.Done},
		{"strict", config.Settings{Strict: true}, exit.Failed},
		{"fail on", config.Settings{FailOn: "critical"}, exit.Failed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			in := &stuck{data: bytes.NewReader(data), cancel: cancel, closed: make(chan struct{})}
			tt.settings.Inputs, tt.settings.JSON = []string{"-"}, true
			var out bytes.Buffer
			code, said := run(t, ctx, tt.settings, in, &out)
			require.Equal(t, tt.code, code)
			require.Contains(t, said, "synoptic: warning: stopped early, after ")
			lines := strings.Split(strings.TrimSpace(out.String()), "\n")
			var record map[string]any
			require.NoError(t, json.Unmarshal([]byte(lines[len(lines)-1]), &record))
			require.Equal(t, "run", record["event"])
			require.Equal(t, "interrupted", record["stopped"])
		})
	}
}

func TestSameBytesAlways(t *testing.T) {
	var first string
	for _, s := range []config.Settings{{}, {Batch: 1}, {Batch: 7}, {Batch: 4096}, {Inline: true}, {Inline: true, Batch: 1}} {
		s.Inputs, s.JSON = []string{captures + "scan-day.pcapng"}, true
		var out bytes.Buffer
		code, _ := run(t, t.Context(), s, nil, &out)
		require.Equal(t, exit.Done, code)
		if first == "" {
			first = out.String()
		}
		require.Equal(t, first, out.String(), "%+v", s)
	}
	require.Contains(t, first, `"phase":"close"`)
}

func TestVoiceHidesControlCharacters(t *testing.T) {
	var b bytes.Buffer
	app.NewVoice(&b).Error(exit.With(exit.Failed, os.ErrNotExist, "look at \x1b[31mthis"))
	require.Equal(t, "synoptic: error: file does not exist\nsynoptic: hint: look at \\x1b[31mthis\n", b.String())
}
