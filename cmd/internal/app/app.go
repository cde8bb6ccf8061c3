// Package app is one run of the command: a sensor, its outputs, and what is
// said about it.
package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"github.com/synoptic-ids/synoptic/capture"
	"github.com/synoptic-ids/synoptic/cmd/internal/config"
	"github.com/synoptic-ids/synoptic/cmd/internal/evidence"
	"github.com/synoptic-ids/synoptic/cmd/internal/exit"
	"github.com/synoptic-ids/synoptic/cmd/internal/metrics"
	"github.com/synoptic-ids/synoptic/cmd/internal/output"
	"github.com/synoptic-ids/synoptic/detect"
	"github.com/synoptic-ids/synoptic/detect/sensor"
	"github.com/synoptic-ids/synoptic/flows"
)

// Streams are where the command reads and writes. What is nil is not there.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
}

// App is one run.
type App struct {
	plan    config.Plan
	streams Streams
	version string
	source  source
	say     *Voice
	bar     *bar
	out     *fanout
	kept    *evidence.Folder // nil: packets of scans are not
	keeper  *keeper          // nil: nothing is kept for a later run
	pulse   pulse
	// Who started it and may want to know how it is doing.
	supervisor *supervisor
	// Where metrics are asked for.
	listener net.Listener
	metrics  *metrics.Metrics
	watch    func(*sensor.Config) error // nil: nobody asks how it decides
	engines  int                        // that run beside the one in force
	closed   []detect.Scan              // for --expect
	tallyMu  sync.Mutex
	tally    *output.Tally // for who asks while the run goes on
	bounds   []flows.Bound // what the memory is divided into
	limit    int64         // in bytes, by which garbage is collected; 0: the environment says it
	room     int           // in bytes, beyond that
	reached  uint          // of fulls, by place: what was said already
	worst    int           // highest severity of a closed scan that was not authorized
}

// New opens the inputs and outputs of a plan, which [App.Run] closes. Errors are
// of type [*exit.Error].
func New(plan config.Plan, streams Streams, version string) (*App, error) {
	a := &App{plan: plan, streams: streams, version: version, tally: output.NewTally(), supervisor: newSupervisor()}
	a.bar = newBar(streams.Err, plan)
	a.say = NewVoice(a.bar.above(streams.Err))
	// Inputs first: a run that cannot begin must not empty the files of the
	// one before.
	if plan.State != "" {
		var err error
		if a.keeper, err = openKeeper(&plan, a.say, time.Now()); err != nil {
			return nil, err
		}
		a.plan = plan // with the seed of the state
	}
	source, err := open(plan, streams, a.say)
	if err != nil {
		return nil, err
	}
	a.source = source
	if a.listener, err = listenOn(&plan); err != nil {
		_ = source.Close()
		return nil, err
	}
	if plan.Explain != nil {
		a.openExplain(a.bar.above(streams.Out), isTerminal(streams.Out))
		return a, nil
	}
	a.kept, err = openEvidence(&plan, version, a.say)
	if err == nil {
		a.out, err = openOutputs(plan, a.bar.above(streams.Out), isTerminal(streams.Out), a.say)
	}
	if err == nil {
		err = a.inherit()
	}
	if err != nil {
		_ = source.Close()
		if a.listener != nil {
			_ = a.listener.Close()
		}
		return nil, err
	}
	return a, nil
}

func open(plan config.Plan, streams Streams, say *Voice) (source, error) {
	if plan.XDP.Wanted {
		if c, err := openXDP(plan, say); c != nil || err != nil {
			return c, err
		}
	}
	if len(plan.Devices) > 0 {
		devices, err := openDevices(plan, say)
		if err != nil {
			return nil, err
		}
		return frames{devices}, nil
	}
	files, err := capture.Join(plan.Inputs, capture.Config{Stdin: streams.In, Follow: plan.Follow})
	if err != nil {
		return nil, openError(err)
	}
	return frames{files}, nil
}

// grace is how long a run that is to stop early has to notice by itself,
// before the input is closed under it.
const grace = 250 * time.Millisecond

// Run reads all inputs and reports. It returns nil, or an [*exit.Error]. When
// ctx ends, it reports what was found until then.
func (a *App) Run(ctx context.Context) error {
	defer func() { _ = a.source.Close() }()
	stop, err := profiling(a.plan)
	if err != nil {
		_ = a.out.close()
		return exit.With(exit.Failed, err)
	}
	err = a.run(ctx)
	if stopErr := stop(); stopErr != nil {
		a.say.Error(stopErr)
		if err == nil {
			err = exit.Silent(exit.Failed)
		}
	}
	return err
}

func (a *App) run(ctx context.Context) error {
	cfg := a.sensorConfig()
	var err error
	if a.bounds, err = cfg.Fit(a.ownMemory()); err != nil {
		_ = a.out.close()
		return exit.With(exit.Usage, err)
	}
	if a.watch != nil {
		if err := a.watch(&cfg); err != nil {
			_ = a.out.close()
			return err
		}
	}
	defer a.collect()()
	s, err := a.begin(cfg)
	if err != nil {
		_ = a.out.close()
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	a.out.abandon = cancel
	a.settings()
	a.budget()
	a.inexact()
	a.hidden()
	if a.plan.Live() {
		a.say.Expired(a.plan.Rules.Allow, detect.Time(time.Now().UnixNano()))
	}
	unhook := context.AfterFunc(ctx, func() {
		a.supervisor.stopping()
		time.AfterFunc(grace, func() { _ = a.source.Close() })
	})
	defer unhook()
	silent := a.tell(s)
	still := a.pulse.start(a.supervisor.beat(), s.Progress, a.supervisor.felt)
	steered := a.steer(s, cancel)
	ticking := a.bar.start(a.source, a.flush)
	kept := a.flushEvidence()
	remembered := a.keep(s)
	var summary sensor.Summary
	if err = a.confine(); err == nil {
		a.supervisor.ready()
		summary, err = a.source.run(ctx, s)
	}
	ticking()
	kept()
	remembered()
	steered()
	still()
	silent()
	return a.finish(ctx, &summary, err)
}

func (a *App) sensorConfig() sensor.Config {
	cfg := sensor.Config{
		Rules: a.plan.Rules, OnScan: a.scan, OnNotice: a.notice, MaxPackets: a.plan.Count,
		Batch: a.plan.Batch, Inline: a.plan.Inline,
		Decoder: flows.DecoderConfig{Tunnels: a.plan.Tunnels}, Filter: a.plan.Filter,
		Seed: a.plan.Seed, Heartbeat: a.plan.Heartbeat,
	}
	if a.kept != nil {
		cfg.Evidence = sensor.Evidence{Keeper: a.kept, SnapLen: evidenceSnapLen(&a.plan)}
	}
	for _, o := range a.plan.Outputs {
		if o.Format == config.Attempts {
			cfg.OnAttempt = func(at flows.Attempt) { a.out.attempt(&at) }
		}
	}
	return cfg
}

func (a *App) scan(s detect.Scan) {
	a.out.scan(&s)
	if a.keeper != nil {
		a.keeper.note(&s)
	}
	a.tallyMu.Lock()
	a.tally.Scan(&s)
	a.tallyMu.Unlock()
	if a.metrics != nil {
		a.metrics.Scan(&s)
	}
	if s.Phase != detect.Close || s.MergedInto != "" {
		return
	}
	if len(s.Authorized) == 0 {
		a.worst = max(a.worst, s.Severity)
	}
	if a.plan.Expect != nil {
		a.closed = append(a.closed, s)
	}
}

func (a *App) notice(n detect.Notice) {
	a.out.notice(&n)
	if a.metrics != nil {
		a.metrics.Notice(&n)
	}
}

// finish writes the account of the run and decides how it ends.
func (a *App) finish(ctx context.Context, s *sensor.Summary, runErr error) error {
	record := a.account(s)
	interrupted := ctx.Err() != nil && (runErr != nil || s.Stopped)
	switch {
	case interrupted:
		record.Stopped = "interrupted"
		runErr = nil
	case runErr != nil:
		record.Stopped = runErr.Error()
	case s.Stopped:
		record.Stopped = fmt.Sprintf("after %d packets, as asked for", a.plan.Count)
	}
	a.out.run(&record)
	closeErr := a.out.close()
	a.bequeath()
	if a.plan.Verbose {
		a.counters(s, &record)
	}
	return a.verdict(s, &record, interrupted, errors.Join(runErr, closeErr))
}

// account makes the record of the run as far as it is known by now.
func (a *App) account(s *sensor.Summary) output.Run {
	record := output.RunOf(s)
	record.Inputs, record.Home = a.plan.Sources(), append([]netip.Prefix{}, a.plan.Rules.Home...)
	record.Withheld, record.XDP = a.out.withheld(), a.mode()
	if a.kept != nil {
		record.Evidence = evidenceOf(&s.Evidence, a.kept.Stats())
	}
	record.Profile, record.Version = a.plan.RuleName, a.version
	for _, entry := range a.plan.Rules.Allow {
		record.Allow = append(record.Allow, entry.Name)
	}
	if a.plan.Filter != nil {
		record.Filter = a.plan.Filter.String()
	}
	return record
}

// verdict says what went wrong and returns how the run ends.
func (a *App) verdict(s *sensor.Summary, record *output.Run, interrupted bool, err error) error {
	a.warn(s, record)
	if !a.plan.Live() && record.Packets > 0 {
		a.say.Expired(a.plan.Rules.Allow, s.First)
	}
	// To be interrupted is how a live run ends.
	early := interrupted && !a.plan.Live()
	if early && !a.out.abandoned {
		a.say.Warning(fmt.Sprintf("stopped early, after %d packets", record.Packets))
	}
	code := exit.Done
	if len(s.Refused) > 0 {
		a.refusals(s)
		code = exit.Failed
	}
	if err != nil {
		a.say.Error(exit.With(exit.Failed, err))
		code = exit.Failed
	}
	if a.unkept() {
		code = exit.Failed
	}
	judged := a.plan.Strict || a.plan.Expect != nil || a.plan.FailOn > 0
	if a.plan.Strict && record.Broken > 0 || early && judged {
		code = exit.Failed
	}
	if code == exit.Done && a.plan.Expect != nil {
		code = a.compare()
	}
	if code == exit.Done && a.plan.FailOn > 0 && a.worst >= a.plan.FailOn {
		code = exit.Found
	}
	if code == exit.Done {
		return nil
	}
	return exit.Silent(code)
}

// compare holds the closed scans against those expected.
func (a *App) compare() exit.Code {
	d := a.plan.Expect.Match(a.closed)
	if d.None() {
		return exit.Done
	}
	a.say.Error(fmt.Errorf("the scans are not those of %s: %s", a.plan.ExpectFile, d.Summary()))
	a.say.Plain(d.String())
	return exit.Differs
}

// openError explains why an input cannot be opened.
func openError(err error) error {
	var format *capture.FormatError
	switch {
	case errors.As(err, &format):
		return exit.With(exit.Failed, err, nonEmpty(format.Hint)...)
	case errors.Is(err, os.ErrNotExist):
		return exit.With(exit.Failed, err, "-r takes a capture file, a directory of them, or - for standard input")
	case errors.Is(err, os.ErrPermission):
		return exit.With(exit.Failed, err, "its owner must let you read it")
	default:
		return exit.With(exit.Failed, err)
	}
}

func nonEmpty(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}
