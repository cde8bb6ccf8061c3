package config

import (
	"fmt"

	"github.com/synoptic-ids/synoptic/bpf"
	"github.com/synoptic-ids/synoptic/cmd/internal/exit"
)

// XDP says whether packets are to be looked at by a program in the kernel.
type XDP struct {
	Wanted bool
	Mode   bpf.Mode // Auto: the ring takes its place where there can be none
}

// xdp reads how the program is to run, and refuses what it cannot do.
func xdp(s Settings, p *Plan) (XDP, error) {
	x := XDP{Wanted: s.XDP != ""}
	if !x.Wanted {
		return x, nil
	}
	for _, x.Mode = range []bpf.Mode{bpf.Auto, bpf.Native, bpf.Generic} {
		if x.Mode.String() == s.XDP {
			return x, unfit(s, p)
		}
	}
	return x, exit.With(exit.Usage, fmt.Errorf("--xdp=%s is not native or generic", s.XDP),
		"without =MODE it is native where the driver can do that, else generic")
}

// unfit says what is asked for that there is not with XDP.
func unfit(s Settings, p *Plan) error {
	without := "leave --xdp out to capture whole headers of all packets"
	switch {
	case len(s.Devices) != 1 || s.Devices[0] == "any":
		return exit.With(exit.Usage, fmt.Errorf("--xdp takes one interface by name"), "start one run for each")
	case s.SnapLen != 0:
		return exit.With(exit.Usage, fmt.Errorf("--snaplen is for capturing, and --xdp hands over headers only"), without)
	case s.Evidence != "":
		return exit.With(exit.Usage, fmt.Errorf("-w keeps packets, and --xdp hands over headers only"), without)
	case p.Tunnels != 0:
		return exit.With(exit.Usage, fmt.Errorf("--tunnels %s: --xdp does not look into tunnels, nor at what carries them", p.Tunnels), without)
	case p.Filter != nil && p.Filter.OfFrame():
		return exit.With(exit.Usage, fmt.Errorf("--xdp: the filter asks for what is around a packet, and only packets are handed over"),
			"filter by hosts, networks, ports and protocols, or "+without)
	}
	return nil
}
