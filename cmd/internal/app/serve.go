package app

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/synoptic-ids/synoptic/capture"
	"github.com/synoptic-ids/synoptic/cmd/internal/config"
	"github.com/synoptic-ids/synoptic/cmd/internal/exit"
	"github.com/synoptic-ids/synoptic/cmd/internal/metrics"
	"github.com/synoptic-ids/synoptic/detect/sensor"
)

// listenOn opens the address for metrics, if there is one.
func listenOn(plan *config.Plan) (net.Listener, error) {
	if plan.Listen == "" {
		return nil, nil
	}
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", plan.Listen)
	if err != nil {
		return nil, exit.With(exit.Failed, fmt.Errorf("--listen: %w", err), "another port can be had: --listen PORT; 0 lets the system choose one")
	}
	return l, nil
}

// tell begins to tell metrics, until stop is called.
func (a *App) tell(s *sensor.Sensor) (stop func()) {
	if a.listener == nil {
		return func() {}
	}
	cfg := metrics.Config{
		Version: a.version, Line: s, Sinks: a.out.counts, Stuck: a.pulse.stuck,
		Ready: func() string { return a.ready(s) }, Profiling: a.plan.Profiling,
		Counted: a.plan.XDP.Wanted,
	}
	if a.kept != nil {
		cfg.Kept = a.kept.Stats
	}
	if a.keeper != nil {
		cfg.Saved = a.keeper.saved
	}
	if len(a.plan.Devices) > 0 {
		cfg.Devices = a.devices
	}
	a.metrics = metrics.New(cfg)
	a.metrics.Reloaded(time.Now(), true)
	a.say.Info(fmt.Sprintf("metrics are told on http://%s/metrics", a.listener.Addr()))
	return a.metrics.Serve(a.listener)
}

// devices are the counts of each interface. What captures from one only has none but those of the run.
func (a *App) devices(sum *sensor.Summary) []capture.DeviceStats {
	if f, ok := a.source.(frames); ok {
		if several, ok := f.Source.(interface{ Devices() []capture.DeviceStats }); ok {
			return several.Devices()
		}
	}
	return []capture.DeviceStats{{Name: a.plan.Devices[0], Packets: sum.Capture.Packets, Dropped: sum.Capture.Dropped}}
}

// ready says why the run does not do what it is there for; empty: it does.
func (a *App) ready(s *sensor.Sensor) string {
	if s.Progress().Reads == 0 {
		return "nothing has been asked of the source yet"
	}
	if err := a.out.failing(); err != nil {
		return err.Error()
	}
	if a.kept != nil && a.kept.Failing() != nil {
		return a.kept.Failing().Error()
	}
	return ""
}
