package app

import (
	"context"

	"github.com/synoptic-ids/synoptic/bpf"
	"github.com/synoptic-ids/synoptic/capture"
	"github.com/synoptic-ids/synoptic/detect/sensor"
)

// source is what a run reads.
type source interface {
	run(ctx context.Context, s *sensor.Sensor) (sensor.Summary, error)
	// Stats tells how far reading has come.
	Stats() (capture.Stats, error)
	// Close wakes what reads. Closing again does nothing.
	Close() error
}

// frames are read from captures, or from interfaces.
type frames struct{ capture.Source }

func (f frames) run(ctx context.Context, s *sensor.Sensor) (sensor.Summary, error) {
	return s.Run(ctx, f.Source)
}

// counter is a program in the kernel.
type counter struct{ *bpf.Counter }

func (c counter) run(ctx context.Context, s *sensor.Sensor) (sensor.Summary, error) {
	return s.RunCounter(ctx, c.Counter)
}

// Stats is of reading that has no end.
func (counter) Stats() (capture.Stats, error) { return capture.Stats{}, nil }
