package bpf

import (
	"errors"
	"fmt"
)

// Mode is where the program runs.
type Mode uint8

// The modes.
const (
	// Auto is Native, or Generic where the interface cannot do that.
	Auto Mode = iota
	// Native is in the driver of the interface, before the kernel has done anything
	// with a packet.
	Native
	// Generic is in the kernel's network stack, on every interface: it saves user space
	// the packets, but not the kernel.
	Generic
)

// String is the mode in lower case.
func (m Mode) String() string {
	switch m {
	case Native:
		return "native"
	case Generic:
		return "generic"
	}
	return "auto"
}

// Config says what to count. The zero value but for Interface is good.
type Config struct {
	// Interface names the network interface.
	Interface string
	// Iface is what Packet.Iface of packets is to be.
	Iface uint32
	// Mode is where the program is to run. Default: Auto.
	Mode Mode
	// Memory is how much the kernel may take for the program's tables, in bytes. Default
	// and least: 16 MiB.
	Memory int64
	// Own leaves the interface out of promiscuous mode, so that it receives what is meant
	// for this host only.
	Own bool
	// Warn is told, from within Open, what was not possible and what is done instead, and,
	// from within Read, what became of the interface. It must not call the Counter. nil:
	// nobody is.
	Warn func(message string)
}

// ErrNotSupported is returned by [Open] where the system or its kernel has no XDP.
var ErrNotSupported = errors.New("no XDP on this system")

// BusyError is returned by [Open] for an interface that has an XDP program already. It is
// left alone.
type BusyError struct {
	Interface string
	// Program names the program, and ID is its number; empty and 0 if the kernel does not
	// say.
	Program string
	ID      uint32
}

// Error says whose program it is, as far as is known.
func (e *BusyError) Error() string {
	if e.ID == 0 {
		return fmt.Sprintf("%s has an XDP program of its own", e.Interface)
	}
	if e.Program == "" {
		return fmt.Sprintf("%s has an XDP program of its own, number %d", e.Interface, e.ID)
	}
	return fmt.Sprintf("%s has an XDP program of its own, %s, number %d", e.Interface, e.Program, e.ID)
}

// warn tells what was not possible.
func (c *Config) warn(message string) {
	if c.Warn != nil {
		c.Warn(message)
	}
}
