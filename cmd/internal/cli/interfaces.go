package cli

import (
	"context"
	"errors"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/synoptic-ids/synoptic/bpf"
	"github.com/synoptic-ids/synoptic/capture"
	"github.com/synoptic-ids/synoptic/cmd/internal/app"
	"github.com/synoptic-ids/synoptic/cmd/internal/exit"
	"github.com/synoptic-ids/synoptic/cmd/internal/output"
)

const interfacesText = `
Usage:
    synoptic interfaces

Lists the network interfaces of this machine: whether they are up, what kind of
frames they have, how much passes on them now, by a second's count, how many
packets their cards have lost since they exist, and their addresses. Then it
says by which methods synoptic can capture, or why it cannot.

Example:
    $ synoptic interfaces
    $ sudo synoptic -i eth0
`

func interfacesCommand(streams app.Streams) *cobra.Command {
	return &cobra.Command{
		Use:   "interfaces",
		Short: "list network interfaces",
		Long:  strings.TrimSpace(interfacesText),
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return listInterfaces(cmd.Context(), streams) },
	}
}

// sample is how long traffic is counted.
const sample = time.Second

func listInterfaces(ctx context.Context, streams app.Streams) error {
	before, err := capture.Interfaces()
	if err != nil {
		return exit.With(exit.Failed, err)
	}
	began := time.Now()
	select {
	case <-ctx.Done():
		return nil
	case <-time.After(sample):
	}
	now, err := capture.Interfaces()
	if err != nil {
		return exit.With(exit.Failed, err)
	}
	if err := output.Interfaces(streams.Out, before, now, time.Since(began), methods()); err != nil {
		return exit.With(exit.Failed, err)
	}
	return nil
}

// methods says how packets can be captured here, or why not.
func methods() []output.Method {
	ring := output.Method{Name: "ring", Works: "-i NAME reads Linux's ring of packets"}
	libpcap := output.Method{Name: "libpcap", Works: "-i NAME captures with it, and needs what it needs"}
	if capture.HasLibpcap {
		ring.Why = errors.New("this build captures with libpcap; the ordinary one has a ring, on Linux")
		return []output.Method{ring, xdp(), libpcap}
	}
	libpcap.Why = capture.ErrNoLibpcap
	if ring.Why = capture.CheckRing(); errors.Is(ring.Why, os.ErrPermission) {
		ring.Hints = app.Unprivileged("NAME")
	}
	return []output.Method{ring, xdp(), libpcap}
}

// xdp says whether the kernel takes the program.
func xdp() output.Method {
	m := output.Method{
		Name: "xdp", Works: "-i NAME --xdp looks at packets in the driver, or where that cannot do it in the kernel's network stack",
		Why: bpf.Check(),
	}
	if errors.Is(m.Why, os.ErrPermission) {
		m.Why = errors.New("it needs root, or " + app.XDPCapabilities)
	}
	return m
}
