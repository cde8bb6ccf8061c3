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
	objects *xdpObjects
	link    link.Link
	mode    Mode
	promisc int // the socket of promiscuous mode, -1 without
	ring    *ringbuf.Reader
	record  ringbuf.Record
	decoder flows.Decoder
	iface   uint32
	offset  int64 // from monotonic time to that since 1970
	life    life
	sources *sources

	tunnels atomic.Uint64
	mu      sync.Mutex // over what Stats and Close look at and Read changes
	seen    Stats      // what was found at the last look
	bloom   *bloom
	closed  bool
}

// Open attaches the program to an interface of the network namespace that the calling
// thread is in. It returns [ErrNotSupported] where the kernel has no XDP, and a
// [*BusyError] where there is another's program. When the Counter is closed, or the process ends however it does, the program is gone and the
// interface as it was.
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
	n.iface = c.Iface
	if !c.Own {
		if n.promisc, err = listen(device); err != nil {
			return nil, n.fail(err)
		}
	}
	if n.link, n.mode, err = attach(n.objects.Synoptic, device, &c); err != nil {
		return nil, n.fail(err)
	}
	return n, nil
}

// assemble makes a Counter whose program is loaded, and attached to nothing.
func assemble(t tuning) (*Counter, error) {
	n := &Counter{promisc: -1}
	var err error
	if n.objects, err = load(t); err != nil {
		return nil, err
	}
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

// Mode is where the program runs: Native or Generic.
func (c *Counter) Mode() Mode { return c.mode }

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
	return errors.Join(append(errs, c.objects.Close())...)
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
