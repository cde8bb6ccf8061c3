package capture

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// fill hands out frames that are there.
func (s *rings) fill(fs []Frame) int {
	if len(s.all) > 1 {
		return s.merge(fs)
	}
	r := s.all[0]
	for n := 0; r.take(); r.release() {
		for n < len(fs) && r.cur.next(&fs[n]) {
			n++
		}
		if n > 0 {
			r.handed.Add(uint64(n))
			return n // what is read of a block is valid until it is released
		}
	}
	return 0
}

// merge hands out frames of several rings in the order of their times. What a ring
// that is empty will bring is not known: others wait until it can be nothing
// older than what they have.
func (s *rings) merge(fs []Frame) (n int) {
	now := clockNow()
	empty := false
	for _, r := range s.all {
		if !r.lead(now) {
			empty = true
		}
	}
	for n < len(fs) {
		r := s.earliest()
		if r == nil || empty && !r.waited(now) {
			return n
		}
		r.head.Iface = r.iface
		fs[n] = r.head
		r.handed.Add(1)
		n++
		r.has = r.cur.next(&r.head)
		if !r.has {
			return n // and what comes next of it is known when the block is released
		}
	}
	return n
}

// lead reads ahead to the next frame, and reports whether there is one.
func (r *ring) lead(now time.Time) bool {
	for !r.has {
		taken := r.held
		if !r.take() {
			return false
		}
		if !taken {
			r.taken = now
		}
		if r.has = r.cur.next(&r.head); !r.has {
			r.release()
		}
	}
	return true
}

// waited reports whether nothing older than the next frame can be elsewhere: by
// its time, or, for clocks are set, by how long ago its block was taken.
func (r *ring) waited(now time.Time) bool {
	return now.UnixNano()-r.head.Time > int64(late) || now.Sub(r.taken) > late
}

// earliest is the ring with the first frame, nil if none has any.
func (s *rings) earliest() (first *ring) {
	for _, r := range s.all {
		if r.has && (first == nil || r.head.Time < first.head.Time) {
			first = r
		}
	}
	return first
}

// wait waits for a block of a ring that has none, for Close, or until it is time
// to look again.
func (s *rings) wait() error {
	patience := s.turn
	for _, r := range s.all {
		if r.held {
			patience = retire * time.Millisecond // its frames wait for others
		}
	}
	troubled, err := s.bell.wait(patience)
	if err != nil && !s.isClosed() {
		return fmt.Errorf("waiting for packets: %w", err)
	}
	for _, fd := range troubled {
		if err := s.trouble(fd); err != nil {
			return err
		}
	}
	return nil
}

// trouble finds out what is wrong with a socket. That its device went down is
// no error.
func (s *rings) trouble(fd int) error {
	code, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err == nil && code != 0 {
		err = unix.Errno(code)
	}
	if err != nil && !errors.Is(err, unix.ENETDOWN) {
		return fmt.Errorf("capturing: %w", err)
	}
	return s.look()
}

// look tells what became of the devices, and binds sockets to those that are back.
func (s *rings) look() error {
	for i, d := range s.devices {
		fd := s.all[i*s.cfg.Sockets].fd
		if news := d.look(fd); news != "" {
			s.news(news)
		}
		if !d.gone {
			continue
		}
		if s.cfg.Sockets > 1 {
			return fmt.Errorf("capturing from %s: %w", d.name, errGone)
		}
		if err := s.rebind(d, s.all[i]); err != nil {
			return fmt.Errorf("capturing from %s: %w", d.asked, err)
		}
	}
	return nil
}

var errGone = errors.New("the interface is gone, and sockets that share a device cannot be given another")

// rebind gives a socket the device that now has the name of one that is gone.
func (s *rings) rebind(gone *device, r *ring) error {
	d, err := findDevice(r.fd, gone.asked)
	if errors.Is(err, ErrNoDevice) {
		return nil
	}
	if err != nil {
		return err
	}
	if d.link != gone.link {
		return nil // not what is captured; another of that name may come
	}
	d.hatype, d.missed = gone.hatype, gone.missed // the program is for that type
	*gone = *d
	if err := r.bind(!s.cfg.Own); err != nil {
		gone.gone = true
		if errors.Is(err, unix.ENODEV) {
			return nil // it is gone again
		}
		return err
	}
	s.news(fmt.Sprintf("interface %s is back; capturing goes on", d.name))
	return nil
}
