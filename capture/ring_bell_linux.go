package capture

import (
	"errors"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// bell rings when one of some rings has a block that was not there. It is a set of
// sockets (epoll) that the runtime waits for. To wait in a call of the system's own
// keeps the runtime's monitor awake, at 20 µs a turn, which took a third of the CPU
// time of a flood that is read 60 times a second.
type bell struct {
	*os.File
	conn     syscall.RawConn
	rings    []*ring
	asked    bool // whether the rings were looked at in this wait
	troubled []int
	look     func(fd uintptr) bool
}

func newBell(rings []*ring) (*bell, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	for _, r := range rings {
		event := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(r.fd)}
		if err := unix.EpollCtl(fd, unix.EPOLL_CTL_ADD, r.fd, &event); err != nil {
			_ = unix.Close(fd)
			return nil, err
		}
	}
	if err := unix.SetNonblock(fd, true); err != nil { // by which os knows that it can be waited for
		_ = unix.Close(fd)
		return nil, err
	}
	b := &bell{File: os.NewFile(uintptr(fd), "rings"), rings: rings}
	b.look = b.rung
	b.conn, err = b.SyscallConn()
	return b, err
}

// wait waits until a ring that was empty has a block, something is wrong with
// sockets, which are returned, or the time is over. Close ends it with an error.
func (b *bell) wait(patience time.Duration) (troubled []int, err error) {
	b.asked, b.troubled = false, b.troubled[:0]
	if err := b.SetReadDeadline(clockNow().Add(patience)); err != nil {
		return nil, err
	}
	err = b.conn.Read(b.look)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = nil
	}
	return b.troubled, err
}

// rung is asked once before the runtime waits, and again when it was woken.
func (b *bell) rung(fd uintptr) bool {
	for _, r := range b.rings {
		if !r.held && r.ready() {
			return true
		}
	}
	if !b.asked {
		b.asked = true
		return false
	}
	var events [8]unix.EpollEvent
	n, _ := unix.EpollWait(int(fd), events[:], 0)
	for _, e := range events[:max(n, 0)] {
		if e.Events&(unix.EPOLLERR|unix.EPOLLHUP) != 0 {
			b.troubled = append(b.troubled, int(e.Fd))
		}
	}
	return true
}
