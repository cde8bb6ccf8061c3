package lab

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/bpf/settle"
	"github.com/synoptic-ids/synoptic/capture"
	"github.com/synoptic-ids/synoptic/detect"
	"github.com/synoptic-ids/synoptic/detect/sensor"
)

// watch is the line as it looks on while a run is recorded.
type watch struct {
	src     capture.Source
	cancel  context.CancelFunc
	settled *settle.Program
	records []detect.Scan
	ended   chan error
}

// look begins to capture on a bridge of the router.
func (s *site) look(t *testing.T, bridge string) *watch {
	t.Helper()
	w := &watch{ended: make(chan error, 1)}
	require.NoError(t, s.router.Do(func() (err error) {
		w.src, err = capture.OpenRing([]string{bridge}, capture.DeviceConfig{
			SnapLen: snaplen, Thin: func(snap int) capture.Thinner { return w.thin(t, snap) },
		})
		return err
	}))
	cfg := labConfig()
	cfg.OnScan = func(sc detect.Scan) { w.records = append(w.records, sc) }
	line, err := sensor.New(cfg)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	w.cancel = cancel
	go func() {
		_, err := line.Run(ctx, w.src)
		w.ended <- err
	}()
	t.Cleanup(func() { cancel(); _ = w.src.Close() })
	return w
}

// thin has the kernel drop what is settled, of which the recording has all.
func (w *watch) thin(t *testing.T, snap int) capture.Thinner {
	t.Helper()
	program, err := settle.Load(snap, 1)
	require.NoError(t, err)
	w.settled = program
	return program
}

// stop ends it, and returns the scans that it closed.
func (w *watch) stop(t *testing.T) []detect.Scan {
	t.Helper()
	w.cancel()
	require.NoError(t, <-w.ended)
	st, err := w.src.Stats()
	require.NoError(t, err)
	require.Zero(t, st.Dropped)
	require.NoError(t, errors.Join(w.src.Close(), w.settled.Close()))
	return closedScans(w.records)
}

// requireSame holds the scans seen live against those of the recording. Each socket
// has times of its own, and ids are made of times; and a recording ends with its last
// packet, where the line that looks on waits what comes of it, so that nothing is cut.
func requireSame(t *testing.T, recorded, live []detect.Scan) {
	t.Helper()
	require.Equal(t, timeless(t, recorded), timeless(t, live), "scans of the recording, and of the ring")
}

// timeless is scans as JSON without times and what is made of them, in the order of
// their sources.
func timeless(t *testing.T, scans []detect.Scan) []string {
	t.Helper()
	scans = slices.Clone(scans)
	slices.SortStableFunc(scans, func(a, b detect.Scan) int { return cmp.Compare(nameOf(a.Src), nameOf(b.Src)) })
	var all []string
	for i := range scans {
		text, err := json.Marshal(&scans[i])
		require.NoError(t, err)
		var record map[string]any
		require.NoError(t, json.Unmarshal(text, &record))
		strip(record)
		text, err = json.MarshalIndent(record, "", " ")
		require.NoError(t, err)
		all = append(all, string(text))
	}
	return all
}

// strip takes times out of a record, and what is made of them.
func strip(value any) {
	switch v := value.(type) {
	case map[string]any:
		for _, key := range []string{"id", "correlation", "merged_into", "time", "first", "last", "rate", "seconds", "cut"} {
			delete(v, key)
		}
		for _, inner := range v {
			strip(inner)
		}
	case []any:
		for _, inner := range v {
			strip(inner)
		}
	}
}
