package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Saved is what became of saving what a run remembers.
type Saved struct {
	Saves, Failures uint64
	// Of the last that succeeded: when, how long it took, and how many bytes it has. Zero before the first.
	At    time.Time
	Took  time.Duration
	Bytes int
}

// kept is a series that is not there where no state is kept.
func kept(kind prometheus.ValueType, name, help string, value func(*Saved) float64) series {
	return series{
		desc: prometheus.NewDesc("synoptic_state_"+name, help, nil, nil), kind: kind,
		value: func(r *reading) []float64 {
			if r.saved == nil {
				return nil
			}
			return []float64{value(r.saved)}
		},
	}
}

// saves are what becomes of saving the state.
func saves() []series {
	const counter, gauge = prometheus.CounterValue, prometheus.GaugeValue
	return []series{
		kept(counter, "saves_total", "Times that the state was saved.", func(s *Saved) float64 { return float64(s.Saves) }),
		kept(counter, "save_failures_total", "Times that the state could not be saved.", func(s *Saved) float64 { return float64(s.Failures) }),
		kept(gauge, "last_save_timestamp_seconds", "When the state was last saved; 0 before the first time.", func(s *Saved) float64 {
			if s.At.IsZero() {
				return 0
			}
			return float64(s.At.UnixMilli()) / 1e3
		}),
		kept(gauge, "last_save_duration_seconds", "How long that took, with what waits to be written.", func(s *Saved) float64 { return s.Took.Seconds() }),
		kept(gauge, "bytes", "Size of the state that was last saved.", func(s *Saved) float64 { return float64(s.Bytes) }),
	}
}
