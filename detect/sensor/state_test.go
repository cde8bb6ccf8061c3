package sensor_test

import (
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/detect"
	"github.com/synoptic-ids/synoptic/detect/sensor"
	"github.com/synoptic-ids/synoptic/flows"
)

// moment is what the engine is given at a time: an event, or none.
type moment struct {
	event *flows.Event
	now   int64
}

// moments are what the engine is given of captures.
func moments(t *testing.T, files ...string) (all []moment) {
	t.Helper()
	said(t, open(t, files...), sensor.Config{OnEvents: func(events []flows.Event, now int64) {
		for _, ev := range events {
			all = append(all, moment{event: &ev})
		}
		all = append(all, moment{now: now})
	}})
	return all
}

// told are the records of an engine, but for those of what is no scan.
type told struct {
	t     *testing.T
	scans []string
}

func (o *told) engine(rules detect.Rules, cfg detect.Config) *detect.Engine {
	cfg.Report = func(s detect.Scan) {
		b, err := json.Marshal(s)
		require.NoError(o.t, err)
		o.scans = append(o.scans, string(b))
	}
	e, err := detect.New(cfg, rules)
	require.NoError(o.t, err)
	return e
}

func (m *moment) give(e *detect.Engine) {
	if m.event == nil {
		e.Advance(m.now)
		return
	}
	e.Observe(m.event)
}

// recorded are the captures, and those of real scanners.
func recorded(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("../../testdata/lab/recordings/*.pcap")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	return append(captures(t), files...)
}

// TestSavedAndLoaded replaces the engine time and again by another one that has loaded its state: all
// that is told is what the one engine would have told.
func TestSavedAndLoaded(t *testing.T) {
	const times = 10
	// Tables are small, for they are made anew each time.
	cfg := detect.Config{Suspects: 256, Door: 256, Pairs: 1024, Facts: 1024, Gate: 1024}
	byDefault, err := detect.Profile("default")
	require.NoError(t, err)
	splunk, err := detect.Profile("splunk")
	require.NoError(t, err)
	for n, file := range recorded(t) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			all := moments(t, file)
			for _, rules := range []detect.Rules{byDefault, splunk} {
				whole, split := told{t: t}, told{t: t}
				e := whole.engine(rules, cfg)
				for i := range all {
					all[i].give(e)
				}
				e.Close()
				e = split.engine(rules, cfg)
				every := max(len(all)/times, 1)
				for i := range all {
					all[i].give(e)
					if (i+n)%every == 0 {
						e = split.reloaded(e, rules, cfg)
					}
				}
				e.Close()
				require.Equal(t, whole.scans, split.scans)
			}
		})
	}
}

// reloaded is another engine that has loaded the state of one.
func (o *told) reloaded(e *detect.Engine, rules detect.Rules, cfg detect.Config) *detect.Engine {
	state := e.AppendState(nil)
	e = o.engine(rules, cfg)
	require.NoError(o.t, e.LoadState(state))
	require.Len(o.t, e.AppendState(nil), len(state), "it saves what it has loaded")
	return e
}
