package app

import (
	"errors"
	"os"
	"strings"

	"github.com/synoptic-ids/synoptic/bpf/settle"
	"github.com/synoptic-ids/synoptic/capture"
	"github.com/synoptic-ids/synoptic/cmd/internal/config"
	"github.com/synoptic-ids/synoptic/cmd/internal/exit"
)

// openDevices begins to capture. What happens to the devices later is told as a
// warning.
func openDevices(plan config.Plan, say *Voice) (capture.Source, error) {
	cfg := capture.DeviceConfig{SnapLen: plan.SnapLen, Own: plan.Own, Notify: say.Warning}
	if plan.Filter != nil {
		cfg.Filter = plan.Filter.Prefilter
	}
	var thin thinning
	defer thin.close()
	if plan.Count == 0 && plan.Evidence == "" { // what a scanner says on settled conversations is kept
		cfg.Thin = func(snap int) capture.Thinner { return thin.load(snap, plan.Seed) }
	}
	var source capture.Source
	var err error
	if capture.HasLibpcap { // who builds with it wants it
		source, err = capture.OpenLibpcapDevice(plan.Devices[0], cfg)
	} else {
		source, err = capture.OpenRing(plan.Devices, cfg)
	}
	switch {
	case errors.Is(err, os.ErrPermission):
		return nil, exit.With(exit.Failed, err, Unprivileged(plan.Devices...)...)
	case errors.Is(err, capture.ErrNoDevice):
		return nil, exit.With(exit.Failed, err, "'synoptic interfaces' lists what there is")
	case err != nil:
		return nil, exit.With(exit.Failed, err)
	}
	if !plan.Quiet {
		say.Info("capturing from " + strings.Join(plan.Devices, ", ") + " until interrupted")
	}
	if plan.Verbose {
		say.Info(thin.String())
	}
	return source, nil
}

// Unprivileged says how somebody who may not capture comes to do so.
func Unprivileged(devices ...string) []string {
	program, err := os.Executable()
	if err != nil {
		program = "synoptic"
	}
	return []string{
		"capturing needs root: sudo " + program + " -i " + strings.Join(devices, " -i "),
		"or, given once, a capability: sudo setcap cap_net_raw+ep " + program,
	}
}

// thinning is how the kernel comes to drop what the line would pass over. Where it cannot,
// the line does.
type thinning struct {
	program *settle.Program
	err     error
}

func (t *thinning) load(snap int, seed uint64) capture.Thinner {
	if t.program, t.err = settle.Load(snap, seed); t.err != nil {
		return nil
	}
	return t.program
}

// close gives up what is not needed once the sockets have the program.
func (t *thinning) close() {
	if t.program != nil {
		_ = t.program.Close()
	}
}

// String says where settled conversations are dropped.
func (t *thinning) String() string {
	switch {
	case t.err != nil:
		return "settled conversations are read, for the kernel cannot drop them: " + t.err.Error()
	case t.program == nil:
		return "settled conversations are read"
	}
	return "settled conversations are dropped in the kernel, where interfaces are of Ethernet"
}
