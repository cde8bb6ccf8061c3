package app

import (
	"bufio"
	"fmt"
	"io"

	"github.com/synoptic-ids/synoptic/cmd/internal/exit"
	"github.com/synoptic-ids/synoptic/cmd/internal/explain"
	"github.com/synoptic-ids/synoptic/cmd/internal/output"
	"github.com/synoptic-ids/synoptic/detect"
	"github.com/synoptic-ids/synoptic/detect/sensor"
)

// openExplain makes an explanation, or a sweep, the only output of a run.
func (a *App) openExplain(stdout io.Writer, terminal bool) error {
	plan := &a.plan
	s := &sink{name: "standard output", buf: bufio.NewWriterSize(stdout, sinkBuffer)}
	a.out = &fanout{sinks: []*sink{s}, alone: true, abandon: func() {}}
	if plan.Explain.Sweep {
		return a.openSweep(s)
	}
	c := explain.New(plan.Explain.Address, plan.Rules)
	s.encoder = output.NewExplain(s.buf, c, output.ExplainConfig{
		JSON: plan.Explain.JSON, All: plan.Explain.All, Color: colored(plan.Color, terminal),
	})
	a.watch = func(cfg *sensor.Config) {
		cfg.Engine.Trace, cfg.OnPacket = c, c.Packet
		cfg.Inline = true // a collector belongs to one goroutine
	}
	return nil
}

// engineSize is about what an engine takes that has seen little, in MB.
const engineSize = 10

func (a *App) openSweep(s *sink) error {
	sweep, err := explain.NewSweep(detect.Config{}, a.plan.Rules)
	if err != nil {
		return exit.With(exit.Usage, err)
	}
	if a.plan.Verbose {
		a.say.Info(fmt.Sprintf("sweep: %d engines beside the one in force, of %d MB each and what they remember", sweep.Engines(), engineSize))
	}
	s.encoder = output.NewSweep(s.buf, sweep, a.plan.Explain.JSON)
	a.watch = func(cfg *sensor.Config) { cfg.OnEvents = sweep.Events }
	return nil
}
