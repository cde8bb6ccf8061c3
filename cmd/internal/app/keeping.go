package app

import (
	"errors"
	"fmt"

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
	save := func() {
		a.keeper.save(s.Save, a.secure)
		a.makeRoom(cap(a.keeper.buf))
	}
	ended := every(a.plan.StateEvery, save)
	return func() {
		ended()
		save()
	}
}

// flush writes out what the outputs hold, and notes in the journal which scans they know to be over.
func (a *App) flush() {
	if a.keeper == nil {
		a.out.flush()
		return
	}
	_ = a.settle(false) // which does not fail where nothing is kept
}

// secure is flush that keeps what cannot be written.
func (a *App) secure() error { return a.settle(true) }

func (a *App) settle(keep bool) error {
	k := a.keeper
	k.settling.Lock()
	defer k.settling.Unlock()
	told := k.mark()
	a.out.flush()
	owed := a.out.owed()
	switch {
	case len(owed) == 0:
		k.release()
	case !keep:
		return nil
	default:
		if err := k.hold(owed); err != nil {
			return err
		}
	}
	k.deliver(told)
	return nil
}

// bequeath keeps, when the outputs are closed, what could not be written for the next run.
func (a *App) bequeath() {
	if a.keeper == nil {
		return
	}
	owed := a.out.owed()
	if len(owed) == 0 {
		a.keeper.release()
		return
	}
	if err := a.keeper.hold(owed); err != nil {
		a.say.Warning(fmt.Sprintf("what could not be written is lost: %v", err))
		return
	}
	a.say.Info("what could not be written is kept in " + a.keeper.waiting.path + ", for the next run")
}
