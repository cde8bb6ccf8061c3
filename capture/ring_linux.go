package capture

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"
	"time"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// HasRing is whether the system has rings of packets.
const HasRing = true

// OpenRing captures from devices by TPACKET_V3, the ring of packets that Linux
// shares with a program. Packets are those that a capture file would have: the
// VLAN tag that the system took out is back in place. "any" is all devices at
// once, in LINKTYPE_LINUX_SLL; a packet that passes several of them is seen as
// often. Packets of several devices come in the order of their times, those of
// the n-th with Iface n.
//
// What receives offload has merged is one frame. A device that goes down or is
// renamed is read on; one that was removed, when one of the same name and link
// type is there again, unless Sockets is more than 1.
//
// Read returns [*Idle] at least ten times a second, and whenever all packets that
// were there have been read. Stats.Dropped counts what the system lost because it
// was not read in time, by the program or by the card, and when it is closed what lay
// there unread; by device they are told by a method Devices() []DeviceStats. An error that is [os.ErrPermission] says that the
// capability CAP_NET_RAW is missing.
func OpenRing(devices []string, cfg DeviceConfig) (Source, error) {
	if len(devices) == 0 {
		return nil, errors.New("no device is named")
	}
	cfg = cfg.defaults()
	s := &rings{cfg: cfg, turn: turn, turned: clockNow(), news: cfg.Notify}
	if cfg.Thin != nil && cfg.Filter == nil && !cfg.Incoming {
		s.thin = cfg.Thin(s.cfg.SnapLen)
	}
	var err error
	if s.cards, err = newCards(); err != nil {
		return nil, fmt.Errorf("capturing: %w", err)
	}
	for i, name := range devices {
		if err := s.add(name, uint32(i)); err != nil {
			s.closeAll()
			s.unmapAll()
			return nil, fmt.Errorf("capturing from %s: %w", name, err)
		}
	}
	if s.bell, err = newBell(s.all); err != nil {
		s.closeAll()
		s.unmapAll()
		return nil, fmt.Errorf("capturing: %w", err)
	}
	// For a caller that has closed it amid a batch, and never called Read again.
	runtime.AddCleanup(s, unmap, s.maps())
	return s, nil
}

// CheckRing says why [OpenRing] cannot work, whatever the device; nil, if it can.
// An error that is [os.ErrPermission] says that the capability CAP_NET_RAW is missing.
func CheckRing() error {
	r, err := newRing(&device{hatype: hatypeEther, link: linkEthernet}, 0, DeviceConfig{Buffer: 1}.defaults(), nil)
	if err != nil {
		return err
	}
	r.mem.free()
	return unix.Close(r.fd)
}

// rings is a Source over the rings of some devices.
type rings struct {
	cfg     DeviceConfig
	thin    Thinner // or nil
	all     []*ring
	devices []*device
	cards   *cards
	links   []uint16
	bell    *bell // rings when a ring has something, or is closed
	turn    time.Duration
	turned  time.Time // when Read last returned Idle for that it was time
	looked  time.Time // when devices were last looked at
	unsaid  bool      // frames were handed out since Read last returned Idle
	news    func(string)
	drained time.Time // when Drain was called, if it was

	mu      sync.Mutex
	closed  bool
	reading bool // Read is under way
	lent    bool // frames of the last Read may still be in use
	gone    bool // sockets are closed
	tally   Stats
	lost    uint64 // packets that rings had no room for
	thinned uint64 // bytes of what was thinned out
}

// add makes the sockets of a device.
func (s *rings) add(name string, iface uint32) error {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	d, err := findDevice(fd, name)
	_ = unix.Close(fd)
	if err != nil {
		return err
	}
	if d.index > 0 {
		d.missed.count(d.index, s.cards.ask(d.index))
	}
	s.devices, s.links = append(s.devices, d), append(s.links, d.link)
	group := newGroup
	for range s.cfg.Sockets {
		r, err := newRing(d, iface, s.cfg, s.thin)
		if err != nil {
			return err
		}
		s.all = append(s.all, r)
		if err := r.bind(!s.cfg.Own); err != nil {
			return err
		}
		if s.cfg.Sockets > 1 {
			if group, err = r.join(group); err != nil {
				return err
			}
		}
	}
	if !d.up {
		s.news(fmt.Sprintf("interface %s is down; capturing begins when it is up", d.name))
	}
	return nil
}

// Read implements Source.
func (s *rings) Read(fs []Frame) (int, error) {
	if len(fs) == 0 {
		return 0, nil
	}
	if !s.enter() {
		return 0, os.ErrClosed
	}
	n, err := s.read(fs)
	return n, s.leave(fs[:n], err)
}

// enter begins a Read. It reports false if the source was closed.
func (s *rings) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lent = false
	if s.closed {
		s.unmapAll()
		return false
	}
	s.reading = true
	return true
}

// leave ends a Read, and closes the sockets if that was asked for meanwhile.
func (s *rings) leave(fs []Frame, err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reading, s.lent = false, len(fs) > 0
	s.tally.Packets += uint64(len(fs))
	for i := range fs {
		s.tally.Bytes += uint64(len(fs[i].Data))
	}
	if s.closed {
		s.closeAll()
		if !s.lent {
			s.unmapAll()
			return os.ErrClosed
		}
	}
	return err
}

func (s *rings) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

// read waits for frames.
func (s *rings) read(fs []Frame) (int, error) {
	if s.giveBack() {
		if now := clockNow(); now.Sub(s.turned) >= s.turn {
			return 0, s.idle(now, true)
		}
	}
	for {
		if n := s.fill(fs); n > 0 {
			s.unsaid = true
			return n, nil
		}
		if s.unsaid {
			s.unsaid = false
			return 0, &Idle{}
		}
		if s.empty() {
			return 0, io.EOF
		}
		if err := s.wait(); err != nil {
			return 0, err
		}
		if s.isClosed() {
			return 0, os.ErrClosed
		}
		if now := clockNow(); now.Sub(s.turned) >= s.turn {
			return 0, s.idle(now, s.pending())
		}
	}
}

// Drain lets nothing more in, so that Read comes to io.EOF when it has handed out what is
// there. It is called between two Reads.
func (s *rings) Drain() error {
	s.drained = clockNow()
	none, err := bpf.Assemble([]bpf.Instruction{bpf.RetConstant{Val: 0}})
	if err != nil {
		return err
	}
	for _, r := range s.all {
		if err := attach(r.fd, none); err != nil {
			return fmt.Errorf("closing the ring to packets: %w", err)
		}
	}
	return nil
}

// empty reports whether there is nothing to come, also of blocks that were being filled
// when nothing more was let in.
func (s *rings) empty() bool {
	return !s.drained.IsZero() && clockNow().Sub(s.drained) > late && !s.pending()
}

// giveBack releases blocks of which all frames were handed out, and reports
// whether there were any.
func (s *rings) giveBack() (some bool) {
	for _, r := range s.all {
		if r.done() {
			r.release()
			some = true
		}
	}
	return some
}

// idle is a turn: what was read is made use of; and, once a second, losses are
// counted and devices looked at. While packets are there that were not read, it
// is not known how late it is.
func (s *rings) idle(now time.Time, busy bool) error {
	s.turned, s.unsaid = now, false
	if now.Sub(s.looked) >= time.Second {
		s.looked = now
		s.mu.Lock()
		s.countAll()
		s.mu.Unlock()
		if err := s.look(); err != nil {
			return err
		}
	}
	if busy {
		return &Idle{}
	}
	return &Idle{Now: now.Add(-holdBack).UnixNano()}
}

// pending reports whether there are frames that were not handed out.
func (s *rings) pending() bool {
	for _, r := range s.all {
		if r.ready() {
			return true
		}
	}
	return false
}

// Link implements Source.
func (s *rings) Link(iface uint32) uint16 {
	if uint64(iface) >= uint64(len(s.links)) {
		return noLink
	}
	return s.links[iface]
}

// Stats implements Source. It never fails.
func (s *rings) Stats() (Stats, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.countAll()
	return s.tally, nil
}

// Devices counts what was read of each device, in the order in which they were named. It may be called from any
// goroutine.
func (s *rings) Devices() []DeviceStats {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.countAll()
	all := make([]DeviceStats, len(s.devices))
	for i, d := range s.devices {
		all[i] = DeviceStats{Name: d.asked, Dropped: d.missed.total}
	}
	for _, r := range s.all {
		d := &all[r.iface]
		d.Packets += r.handed.Load()
		d.Dropped += r.dropped
		if s.gone {
			d.Dropped += r.left()
		}
	}
	return all
}

// countAll takes over the losses. The lock is held.
func (s *rings) countAll() {
	if s.gone {
		return
	}
	before := s.lost
	s.lost, s.tally.Skipped = 0, 0
	for _, r := range s.all {
		r.count()
		s.lost += r.dropped
		s.tally.Skipped += r.skipped.Load()
	}
	if s.thin != nil {
		s.countThinned(s.lost > before)
	}
	s.tally.Dropped = s.lost
	for _, d := range s.devices {
		if d.index > 0 {
			d.missed.count(d.index, s.cards.ask(d.index))
		}
		s.tally.Dropped += d.missed.total
	}
}

// countThinned takes over what was thinned out.
func (s *rings) countThinned(lost bool) {
	if lost {
		s.thin.Forget()
	}
	packets, bytes := s.thin.Dropped()
	s.tally.Packets += packets - s.tally.Thinned
	s.tally.Bytes += bytes - s.thinned
	s.tally.Thinned, s.thinned = packets, bytes
}

// Close implements Source. Frames that were handed out stay valid until the next
// Read.
func (s *rings) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	if s.reading {
		return s.bell.Close() // which wakes it, and it closes the rest
	}
	s.closeAll()
	if !s.lent {
		s.unmapAll()
	}
	return nil
}

// closeAll closes the sockets. The lock is held, or nobody else knows of them.
func (s *rings) closeAll() {
	if s.gone {
		return
	}
	s.countAll()
	s.gone = true
	for _, r := range s.all {
		s.tally.Dropped += r.left()
		_ = unix.Close(r.fd)
	}
	s.cards.close()
	if s.bell != nil {
		_ = s.bell.Close()
	}
}

func (s *rings) maps() []*mapping {
	all := make([]*mapping, len(s.all))
	for i, r := range s.all {
		all[i] = r.mem
	}
	return all
}

func (s *rings) unmapAll() { unmap(s.maps()) }

func unmap(all []*mapping) {
	for _, m := range all {
		m.free()
	}
}
