package app

import (
	"errors"

	"github.com/synoptic-ids/synoptic/cmd/internal/exit"
	"github.com/synoptic-ids/synoptic/detect/sensor"
)

// begin makes the sensor, which goes on from the state of an earlier run if there is one that it can
// go on from.
func (a *App) begin(cfg sensor.Config) (*sensor.Sensor, error) {
	if a.keeper != nil {
		cfg.State, cfg.Closed = a.keeper.loaded, a.keeper.closed
	}
	s, err := sensor.New(cfg)
	if errors.Is(err, sensor.ErrState) {
		if err := a.keeper.aside(err); err != nil {
			return nil, exit.With(exit.Failed, err)
		}
		cfg.State, cfg.Closed = nil, nil
		s, err = sensor.New(cfg)
	}
	if err != nil {
		return nil, exit.With(exit.Usage, err)
	}
	if a.keeper != nil {
		a.keeper.loaded = nil
	}
	return s, nil
}

// keep saves what the run remembers at intervals, until stop is called, and then once more: when the
// scans have been closed.
func (a *App) keep(s *sensor.Sensor) (stop func()) {
	if a.keeper == nil {
		return func() {}
	}
	save := func() { a.keeper.save(s.Save, a.flush) }
	ended := every(a.plan.StateEvery, save)
	return func() {
		ended()
		save()
	}
}

// flush writes out what the outputs hold, and notes in the journal which scans they know to be over. It
// reports whether they have all there is.
func (a *App) flush() bool {
	if a.keeper == nil {
		a.out.flush()
		return true
	}
	told := a.keeper.mark()
	a.out.flush()
	if a.out.waiting() {
		return false
	}
	a.keeper.deliver(told)
	return true
}
