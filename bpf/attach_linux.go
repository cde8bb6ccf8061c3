package bpf

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"syscall"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"
)

// attach puts the program on an interface, in the driver if that is wanted and works.
func attach(program *ebpf.Program, device *net.Interface, c *Config) (link.Link, Mode, error) {
	if c.Mode == Generic {
		l, err := attachMode(program, device, Generic)
		return l, Generic, err
	}
	l, err := attachMode(program, device, Native)
	if c.Mode == Native || !cannot(err) {
		return l, Native, err
	}
	c.warn(fmt.Sprintf("%s: no XDP in the driver (%v): the program runs in the generic mode, which costs more", device.Name, err))
	l, err = attachMode(program, device, Generic)
	return l, Generic, err
}

// cannot reports whether an error says that the driver, or the interface as it is set up,
// has no XDP.
func cannot(err error) bool {
	for _, e := range []error{unix.EOPNOTSUPP, unix.ERANGE, unix.EINVAL, unix.ENOMEM, unix.ENOTSUP} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

func attachMode(program *ebpf.Program, device *net.Interface, m Mode) (link.Link, error) {
	flags := link.XDPDriverMode
	if m == Generic {
		flags = link.XDPGenericMode
	}
	l, err := link.AttachXDP(link.XDPOptions{Program: program, Interface: device.Index, Flags: flags})
	switch {
	case err == nil:
		return l, nil
	case errors.Is(err, unix.EBUSY), errors.Is(err, unix.EEXIST):
		return nil, busy(device)
	}
	return nil, fmt.Errorf("attaching the XDP program to %s: %w", device.Name, err)
}

// busy says whose program is on an interface.
func busy(device *net.Interface) error {
	e := &BusyError{Interface: device.Name}
	if e.ID = attachedTo(device.Index); e.ID == 0 {
		return e
	}
	p, err := ebpf.NewProgramFromID(ebpf.ProgramID(e.ID))
	if err != nil {
		return e
	}
	defer func() { _ = p.Close() }()
	if info, err := p.Info(); err == nil {
		e.Program = info.Name
	}
	return e
}

// What rtnetlink says of XDP on an interface: linux/if_link.h.
const (
	iflaXDP       = 43
	iflaXDPProgID = 4
	nested        = 0x3fff // what is left of a type without its flags
)

// attachedTo is the number of the XDP program on an interface, 0 if there is none or the
// kernel does not say.
func attachedTo(index int) uint32 { return programIn(linkAttribute(index, iflaXDP)) }

// linkAttribute is what rtnetlink says of an interface, nil if nothing.
func linkAttribute(index int, kind uint16) []byte {
	answer, err := syscall.NetlinkRIB(syscall.RTM_GETLINK, syscall.AF_UNSPEC)
	if err != nil {
		return nil
	}
	messages, err := syscall.ParseNetlinkMessage(answer)
	if err != nil {
		return nil
	}
	for i := range messages {
		m := &messages[i]
		if m.Header.Type != syscall.RTM_NEWLINK || len(m.Data) < syscall.SizeofIfInfomsg ||
			binary.NativeEndian.Uint32(m.Data[4:]) != uint32(index) {
			continue
		}
		attributes, err := syscall.ParseNetlinkRouteAttr(m)
		if err != nil {
			return nil
		}
		for _, a := range attributes {
			if a.Attr.Type&nested == kind {
				return a.Value
			}
		}
	}
	return nil
}

// programIn finds the number of the program among nested attributes.
func programIn(b []byte) uint32 {
	for len(b) >= 4 {
		size, kind := int(binary.NativeEndian.Uint16(b)), binary.NativeEndian.Uint16(b[2:])&nested
		if size < 4 || size > len(b) {
			return 0
		}
		if kind == iflaXDPProgID && size >= 8 {
			return binary.NativeEndian.Uint32(b[4:])
		}
		b = b[min((size+3)&^3, len(b)):]
	}
	return 0
}

// listener makes a socket on which nothing arrives: it holds interfaces in promiscuous mode.
func listener() (int, error) {
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("opening a socket for promiscuous mode: %w", err)
	}
	return fd, nil
}

// listen puts an interface into promiscuous mode, which XDP by itself does not, until the
// listener is closed or the interface removed.
func listen(fd int, device *net.Interface) error {
	membership := unix.PacketMreq{Ifindex: int32(device.Index), Type: unix.PACKET_MR_PROMISC}
	if err := unix.SetsockoptPacketMreq(fd, unix.SOL_PACKET, unix.PACKET_ADD_MEMBERSHIP, &membership); err != nil {
		return fmt.Errorf("putting %s into promiscuous mode: %w", device.Name, err)
	}
	return nil
}
