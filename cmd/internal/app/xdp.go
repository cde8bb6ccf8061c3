package app

import (
	"errors"
	"fmt"
	"os"

	"github.com/synoptic-ids/synoptic/bpf"
	"github.com/synoptic-ids/synoptic/cmd/internal/config"
	"github.com/synoptic-ids/synoptic/cmd/internal/exit"
	"github.com/synoptic-ids/synoptic/detect/sensor"
)

// kernelShare is the part of the memory, one in so many, that the kernel's tables get.
const kernelShare = 8

// openXDP attaches the program to the interface. Where it cannot be, and no mode was asked
// for, it says so and returns nil: frames are captured then.
func openXDP(plan config.Plan, say *Voice) (source, error) {
	device := plan.Devices[0]
	c, err := bpf.Open(bpf.Config{
		Interface: device, Mode: plan.XDP.Mode, Memory: plan.Memory / kernelShare, Own: plan.Own, Warn: say.Warning,
	})
	if err == nil {
		say.Info(fmt.Sprintf("capturing from %s by XDP, %s, until interrupted", device, c.Mode()))
		return counter{c}, nil
	}
	if busy, ok := errors.AsType[*bpf.BusyError](err); ok {
		return nil, exit.With(exit.Failed, err, busyHint(busy))
	}
	if plan.XDP.Mode != bpf.Auto {
		return nil, exit.With(exit.Failed, err, "--xdp without =MODE captures where there can be no XDP")
	}
	say.Warning(fmt.Sprintf("no XDP on %s, packets are captured: %v", device, err))
	if errors.Is(err, os.ErrPermission) {
		say.Hint("XDP needs root, or " + XDPCapabilities)
	}
	return nil, nil
}

// XDPCapabilities are those that loading and attaching the program takes.
const XDPCapabilities = "cap_net_raw,cap_net_admin,cap_bpf,cap_perfmon"

// busyHint says how the other program is told apart and removed.
func busyHint(busy *bpf.BusyError) string {
	return fmt.Sprintf("stop what has attached it, or leave --xdp out; 'ip link set dev %s xdp off' removes one that nobody holds", busy.Interface)
}

// ownMemory is what is left of the memory for what this process remembers.
func (a *App) ownMemory() int64 {
	if _, ok := a.source.(counter); ok {
		return a.plan.Memory - a.plan.Memory/kernelShare
	}
	return a.plan.Memory
}

// mode names how the kernel's program runs; empty: there is none.
func (a *App) mode() string {
	if c, ok := a.source.(counter); ok {
		return c.Mode().String()
	}
	return ""
}

// kernel says what the program in the kernel has done.
func (a *App) kernel(s *sensor.Summary) {
	if k := s.Kernel; k != nil {
		a.say.Info(fmt.Sprintf("xdp: %d told, %d not told for want of room, %d over budget, %d of tunnels; targets fill %.0f %%, the ring %.0f %%; %d generations, %d sources over budget (%d evicted)",
			k.Told, k.RingFull, k.OverBudget, k.Tunnels, 100*k.Load, 100*k.RingLoad, k.Generations, k.Sources, k.Evicted))
	}
}
