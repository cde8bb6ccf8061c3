package app

import (
	"context"
	"fmt"
	"time"

	"github.com/synoptic-ids/synoptic/cmd/internal/config"
	"github.com/synoptic-ids/synoptic/cmd/internal/exit"
	"github.com/synoptic-ids/synoptic/detect"
	"github.com/synoptic-ids/synoptic/detect/sensor"
)

// steer answers signals until stop is called. A terminal that is gone ends the run.
func (a *App) steer(s *sensor.Sensor, end context.CancelFunc) (stop func()) {
	heard := listen(a.plan.Live())
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				sum := s.Snapshot()
				a.degraded(&sum)
			case <-heard.account:
				a.interim(s)
			case <-heard.reload:
				if heard.hungUp() {
					end()
					return
				}
				a.reload(s)
			}
		}
	}()
	return func() {
		close(done)
		<-ended
		heard.stop()
	}
}

// reload reads rules and allow-list again, and opens outputs anew that were moved away: all
// of that, or nothing.
func (a *App) reload(s *sensor.Sensor) {
	a.supervisor.reloading()
	err := a.replace(s)
	a.supervisor.ready()
	if a.metrics != nil {
		a.metrics.Reloaded(time.Now(), err == nil)
	}
	if err != nil {
		a.say.Error(err)
		a.say.Warning("nothing was reloaded: rules, allow-list and outputs are what they were")
		return
	}
	a.say.Info(fmt.Sprintf("reloaded rules %s: %s", a.plan.RuleName, config.Contents(&a.plan.Rules)))
	a.inexact()
	a.say.Expired(a.plan.Rules.Allow, detect.Time(time.Now().UnixNano()))
}

func (a *App) replace(s *sensor.Sensor) error {
	rules, name, err := a.plan.From.Load()
	if err != nil {
		return err
	}
	files, err := a.out.prepare()
	if err != nil {
		return err
	}
	if err := s.Replace(rules); err != nil {
		files.drop()
		return exit.With(exit.Usage, fmt.Errorf("rules: %w", err))
	}
	a.plan.Rules, a.plan.RuleName = rules, name
	a.out.take(files)
	return nil
}

// interim writes to standard error what the run would say of itself if it ended now.
func (a *App) interim(s *sensor.Sensor) {
	sum := s.Snapshot()
	record := a.account(&sum)
	a.tallyMu.Lock()
	_ = a.tally.Write(a.bar.above(a.streams.Err), &record)
	a.tallyMu.Unlock()
	a.counters(&sum, &record)
}
