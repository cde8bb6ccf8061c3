package app

import (
	"fmt"
	"io"

	"github.com/synoptic-ids/synoptic/cmd/internal/exit"
	"github.com/synoptic-ids/synoptic/cmd/internal/explain"
	"github.com/synoptic-ids/synoptic/cmd/internal/output"
	"github.com/synoptic-ids/synoptic/detect/sensor"
)

// openExplain makes an explanation, or a sweep, the only output of a run.
func (a *App) openExplain(stdout io.Writer, terminal bool) {
	x := a.plan.Explain
	s := &sink{name: "standard output", buf: &spool{w: stdout}}
	a.out = &fanout{sinks: []*sink{s}, alone: true, abandon: func() {}}
	if x.Sweep {
		a.watch = func(cfg *sensor.Config) error { return a.sweep(s, cfg) }
		return
	}
	c := explain.New(x.Address, a.plan.Rules)
	s.encoder = output.NewExplain(s.buf, c, output.ExplainConfig{JSON: x.JSON, All: x.All, Color: colored(a.plan.Color, terminal)})
	a.watch = func(cfg *sensor.Config) error {
		cfg.Engine.Trace, cfg.OnPacket = c, c.Packet
		cfg.Inline = true // a collector belongs to one goroutine
		return nil
	}
}

// engineSize is about what an engine takes that has seen little, in MB.
const engineSize = 10

// sweep makes the engines of a sweep, bounded as the one in force is.
func (a *App) sweep(s *sink, cfg *sensor.Config) error {
	sweep, err := explain.NewSweep(cfg.Engine, a.plan.Rules)
	if err != nil {
		return exit.With(exit.Usage, err)
	}
	a.engines = sweep.Engines()
	if a.plan.Verbose {
		a.say.Info(fmt.Sprintf("sweep: %d engines beside the one in force, of %d MB each and what they remember", a.engines, engineSize))
	}
	s.encoder, cfg.OnEvents = output.NewSweep(s.buf, sweep, a.plan.Explain.JSON), sweep.Events
	return nil
}
