package config

import (
	"fmt"
	"slices"

	"github.com/synoptic-ids/synoptic/capture"
	"github.com/synoptic-ids/synoptic/cmd/internal/exit"
)

// The bounds of --snaplen, in bytes. What is shorter holds no TCP header behind
// those of Ethernet and IPv6.
const (
	LeastSnapLen = 96
	MostSnapLen  = 1 << 18
)

func checkDevices(s Settings) error {
	first := s.Devices[0]
	switch {
	case len(s.Inputs) > 0:
		return exit.With(exit.Usage, fmt.Errorf("-r and -i exclude each other"),
			"one run reads captures or interfaces; start two")
	case s.Follow:
		return exit.With(exit.Usage, fmt.Errorf("--follow is for captures, not for -i"), "an interface is read until you interrupt it")
	case slices.Contains(s.Devices, ""):
		return exit.With(exit.Usage, fmt.Errorf("-i needs the name of an interface, not an empty one"), "'synoptic interfaces' lists them")
	case s.SnapLen != 0 && (s.SnapLen < LeastSnapLen || s.SnapLen > MostSnapLen):
		return exit.With(exit.Usage, fmt.Errorf("--snaplen %d is not between %d and %d bytes", s.SnapLen, LeastSnapLen, MostSnapLen))
	case !capture.HasLibpcap && !capture.HasRing:
		return exit.With(exit.Usage, fmt.Errorf("-i %s: only on Linux does this build capture by itself, for it has no libpcap", first),
			"let tcpdump capture: tcpdump -i "+first+" -U -w - | synoptic -r -",
			"or build with libpcap: CGO_ENABLED=1 go build -tags libpcap ./cmd/synoptic")
	case capture.HasLibpcap && len(s.Devices) > 1:
		return exit.With(exit.Usage, fmt.Errorf("-i is given %d times, and a build with libpcap captures from one interface", len(s.Devices)),
			"on Linux the ordinary build captures from several")
	}
	for i, name := range s.Devices {
		if slices.Contains(s.Devices[:i], name) {
			return exit.With(exit.Usage, fmt.Errorf("-i %s is given twice", name), "each packet would count twice")
		}
	}
	return nil
}
