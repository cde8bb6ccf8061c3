package bpf

import (
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"

	"github.com/cilium/ebpf/link"
	"github.com/cilium/ebpf/ringbuf"
	"golang.org/x/sys/unix"

	"github.com/synoptic-ids/synoptic/flows"
)

// Counter counts the packets of an interface. Read belongs to one goroutine at a time; the
// other methods may be called from any.
type Counter struct {
	config  Config
	objects *xdpObjects
	promisc int // the socket of promiscuous mode, -1 without
	ring    *ringbuf.Reader
	record  ringbuf.Record
	decoder flows.Decoder
	offset  int64 // from monotonic time to that since 1970
	life    life
	sources *sources

	tunnels atomic.Uint64
	mu      sync.Mutex // over what Stats, Mode and Close look at and Read changes
	link    link.Link  // nil: the interface is gone
	mode    Mode
	refused string // why it could not be attached again
	seen    Stats  // what was found at the last look
	bloom   *bloom
	closed  bool
}

// Open attaches the program to an interface of the network namespace that the calling
// thread is in. It returns [ErrNotSupported] where the kernel has no XDP, and a
// [*BusyError] where there is another's program. When the Counter is closed, or the process
// ends however it does, the program is gone and the interface as it was.
//
// Where the interface is removed, Read goes on, and attaches the program to one of the same
// name that comes, in the namespace of the thread that it is called on.
func Open(c Config) (*Counter, error) {
	t, err := tuningFor(c.Memory)
	if err != nil {
		return nil, err
	}
	return open(c, t)
}

func open(c Config, t tuning) (*Counter, error) {
	device, err := net.InterfaceByName(c.Interface)
	if err != nil {
		return nil, fmt.Errorf("interface %s: %w", c.Interface, err)
	}
	n, err := assemble(t)
	if err != nil {
		return nil, err
	}
	n.config = c
	if !c.Own {
		if n.promisc, err = listener(); err != nil {
			return nil, n.fail(err)
		}
	}
	if err := n.attach(device); err != nil {
		return nil, n.fail(err)
	}
	return n, nil
}

// assemble makes a Counter whose program is loaded, and attached to nothing.
func assemble(t tuning) (*Counter, error) {
	objects, err := load(t)
	if err != nil {
		return nil, err
	}
	n := &Counter{promisc: -1, objects: objects}
	if n.sources, err = mapSources(n.objects.Sources.FD(), t.sizes.sets); err != nil {
		return nil, n.fail(fmt.Errorf("reading the sources of the XDP program: %w", err))
	}
	if n.bloom, err = mapBloom(n.objects.Targets.FD(), t.sizes.cells); err != nil {
		return nil, n.fail(fmt.Errorf("reading the targets of the XDP program: %w", err))
	}
	if n.ring, err = ringbuf.NewReader(n.objects.Events); err != nil {
		return nil, n.fail(fmt.Errorf("reading what the XDP program tells: %w", err))
	}
	if err := n.begin(); err != nil {
		return nil, n.fail(err)
	}
	return n, nil
}

// fail closes what was opened so far.
func (c *Counter) fail(err error) error {
	_ = c.Close()
	return err
}

// Mode is where the program runs, or did before the interface was removed: Native or Generic.
func (c *Counter) Mode() Mode {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.mode
}

// Close detaches the program and wakes a blocked Read. Closing again does nothing.
func (c *Counter) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil
	}
	c.closed = true
	var errs []error
	if c.link != nil {
		errs = append(errs, c.link.Close())
	}
	if c.promisc >= 0 {
		errs = append(errs, unix.Close(c.promisc))
	}
	if c.ring != nil { // waits until no Read looks at it
		errs = append(errs, c.ring.Close())
	}
	if c.bloom != nil {
		errs = append(errs, c.bloom.close())
	}
	if c.sources != nil {
		errs = append(errs, c.sources.close())
	}
	errs = append(errs, c.objects.Close())
	c.objects = nil // what its variables are in stays mapped until it is collected
	return errors.Join(errs...)
}

// Stats tells what was seen so far.
func (c *Counter) Stats() (Stats, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return Stats{}, os.ErrClosed
	}
	n, err := c.count()
	n.Tunnels = c.tunnels.Load()
	if c.link != nil {
		n.Mode = c.mode
	}
	n.RingLoad = float64(c.ring.AvailableBytes()) / float64(c.ring.BufferSize())
	return n, err
}

// count is what the program has counted, and what was seen at the last look.
func (c *Counter) count() (Stats, error) {
	n := c.seen
	var each []xdpCounters
	if err := c.objects.Counts.Lookup(uint32(0), &each); err != nil {
		return n, fmt.Errorf("reading the counters of the XDP program: %w", err)
	}
	for i := range each {
		cpu := &each[i]
		for class := range n.Packets {
			n.Packets[class] += cpu.Classes[class]
		}
		n.Told += cpu.Told
		n.RingFull += cpu.RingFull
		n.OverBudget += cpu.OverBudget
		n.Evicted += cpu.Evicted
	}
	return n, nil
}
