package capture

import (
	"fmt"
	"net"
	"net/netip"
)

// Interface is a network interface of this machine.
type Interface struct {
	Name      string
	Index     int // the system's number of it
	Addresses []netip.Prefix
	Up        bool   // it was switched on
	Running   bool   // and is connected with something
	Link      uint16 // LINKTYPE of what is captured from it; 0xffff: not known
	// Counted says that the system counts what passes: Packets and Bytes received and
	// sent, and Lost packets, for which the card had no room, since it exists.
	Counted              bool
	Packets, Bytes, Lost uint64
}

// Interfaces lists the network interfaces, in the order of their numbers.
func Interfaces() ([]Interface, error) {
	found, err := net.Interfaces()
	if err != nil {
		return nil, fmt.Errorf("listing interfaces: %w", err)
	}
	all := make([]Interface, 0, len(found))
	for i := range found {
		f := &found[i]
		in := Interface{
			Name: f.Name, Index: f.Index, Link: noLink,
			Up: f.Flags&net.FlagUp != 0, Running: f.Flags&net.FlagRunning != 0,
		}
		addresses, err := f.Addrs()
		if err != nil {
			return nil, fmt.Errorf("listing the addresses of %s: %w", f.Name, err)
		}
		for _, a := range addresses {
			if p, err := netip.ParsePrefix(a.String()); err == nil {
				in.Addresses = append(in.Addresses, p)
			}
		}
		all = append(all, in)
	}
	return all, count(all)
}
