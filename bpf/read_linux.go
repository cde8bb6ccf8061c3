package bpf

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// patience is how long Read waits for something to give.
	patience = 100 * time.Millisecond
	// nap is how long it waits at a time for the program to wake it: that does so only
	// when much is waiting.
	nap = 20 * time.Millisecond
	// batchMost is how many packets one Read gives about.
	batchMost = 1024
	// tick is how far the kernel's coarse clock may be behind.
	tick = 10 * int64(time.Millisecond)
)

// Read waits until there is something new, at most 100 ms, and puts it into b instead of
// what was there. It returns [os.ErrClosed] once the Counter is closed.
func (c *Counter) Read(b *Batch) error {
	b.Packets, b.Summaries = b.Packets[:0], b.Summaries[:0]
	for waited := time.Duration(0); ; waited += nap {
		begun, err := c.turn(b)
		if err != nil {
			return err
		}
		empty, err := c.drain(b)
		if err != nil {
			return err
		}
		if len(b.Packets) == 0 && len(b.Summaries) == 0 && waited+nap < patience {
			continue
		}
		if b.Now = begun - tick; !empty {
			b.Now = b.Packets[len(b.Packets)-1].Time
		}
		return nil
	}
}

// drain takes what the program has told, until nothing waits or the batch is full. It
// waits for a nap if there is nothing, or a summary already.
func (c *Counter) drain(b *Batch) (empty bool, err error) {
	c.ring.SetDeadline(realClock().Add(nap))
	for read := 0; len(b.Packets) < batchMost; read++ {
		if (read > 0 || len(b.Summaries) > 0) && c.ring.AvailableBytes() == 0 {
			return true, nil
		}
		switch err := c.ring.ReadInto(&c.record); {
		case err == nil:
			b.Packets = c.decode(b.Packets, c.record.RawSample)
		case errors.Is(err, os.ErrDeadlineExceeded):
			return true, nil
		case errors.Is(err, os.ErrClosed):
			return false, os.ErrClosed
		default:
			return false, fmt.Errorf("reading what the XDP program tells: %w", err)
		}
	}
	return false, nil
}

// monotonic is the time by the clock that the program has, in nanoseconds.
func monotonic() (int64, error) {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &t); err != nil {
		return 0, fmt.Errorf("reading the clock: %w", err)
	}
	return t.Nano(), nil
}

func realClock() time.Time {
	return time.Now() //nolint:forbidigo // the kernel's clock has to be told in time since 1970
}
