package capture

import (
	"errors"
	"time"

	"golang.org/x/net/bpf"
)

// DeviceConfig holds what can be chosen about capturing from devices. The zero
// value is good.
type DeviceConfig struct {
	// SnapLen is how many bytes of a packet are captured. Default: 192, which is
	// all headers, in most tunnels too. At most 262,144.
	SnapLen int
	// Buffer is the size in bytes of the buffer in which the system keeps
	// packets until they are read, for each device. Default: 32 MiB.
	Buffer int
	// Own leaves devices out of promiscuous mode, so that they receive what is
	// meant for this host only.
	Own bool
	// Incoming leaves out what this host sends. Of a loopback device, where all
	// that is sent is received, that is left out in any case. libpcap ignores it.
	Incoming bool
	// Filter makes the program by which the system drops packets before they are
	// copied, for a link type, passing on snap bytes of others; nil: none is
	// dropped. libpcap ignores it.
	Filter func(link uint16, snap uint32) ([]bpf.Instruction, error)
	// Thin makes what drops packets that nobody needs before they are copied, of
	// devices with Ethernet's headers, and passes on snap bytes of others; nil, or if it
	// returns nil: none are dropped. With Filter or Incoming, of a loopback device and of
	// all devices at once it is not used. libpcap ignores it.
	Thin func(snap int) Thinner
	// Sockets is over how many sockets a device is read, 1 to 64; the system
	// divides packets among them by conversations. That pays off where cards with
	// several queues wait for each other at one. Default: 1. libpcap ignores it.
	Sockets int
	// Notify is told, from within Read and as the device is opened, what happens to a
	// device: that it goes down, comes up, is renamed, or is gone. nil: nobody is.
	// libpcap ignores it.
	Notify func(message string)
}

// Thinner has the system drop packets. Its methods may be called from any goroutine.
type Thinner interface {
	// Attach makes a packet socket drop packets.
	Attach(socket int) error
	// Dropped is how many were, and how many bytes of them would have been captured.
	Dropped() (packets, bytes uint64)
	// Forget is called when packets were lost, so that what the Thinner saw may not
	// have been read.
	Forget()
}

// DeviceStats counts what a [Source] has read of one of its devices. Both are totals since it was opened.
type DeviceStats struct {
	Name    string // as it was asked for
	Packets uint64 // packets handed out
	Dropped uint64 // packets lost before, by the system or by the card
}

// What is returned where a way to capture is asked for that this build or system
// has not.
var (
	ErrNoLibpcap = errors.New("this build has no libpcap; build with -tags libpcap")
	ErrNoRing    = errors.New("only Linux has rings of packets")
)

// ErrNoDevice is returned by [OpenRing] for a name that no interface has.
var ErrNoDevice = errors.New("there is no interface of that name")

const (
	// turn is how long a Read of a device waits for packets, and how often a busy
	// device is left for what is behind it to make use of what was read.
	turn = 100 * time.Millisecond
	// holdBack is how far Idle stays behind the clock, for packets with earlier
	// times may still lie in the system's buffer.
	holdBack = time.Second

	defaultSnapLen = 192
	mostSnapLen    = 1 << 18
	defaultBuffer  = 32 << 20
	mostSockets    = 64
)

// defaults fills in what was left out.
func (c DeviceConfig) defaults() DeviceConfig {
	if c.SnapLen <= 0 {
		c.SnapLen = defaultSnapLen
	}
	c.SnapLen = min(c.SnapLen, mostSnapLen)
	if c.Buffer <= 0 {
		c.Buffer = defaultBuffer
	}
	c.Sockets = min(max(c.Sockets, 1), mostSockets)
	if c.Notify == nil {
		c.Notify = func(string) {}
	}
	return c
}

func clockNow() time.Time {
	return time.Now() //nolint:forbidigo // a live source has no packets to tell the time when there are none
}
