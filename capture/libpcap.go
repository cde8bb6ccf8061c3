//go:build libpcap

package capture

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/gopacket"
	gopcap "github.com/google/gopacket/pcap"
)

// HasLibpcap is whether libpcap was built in.
const HasLibpcap = true

// OpenLibpcapFile reads a file with libpcap: a pcap file, or a pcapng file of
// one link type. [Open] reads more kinds of files, and damaged ones further; this
// is for comparing.
func OpenLibpcapFile(name string) (Source, error) {
	handle, err := gopcap.OpenOffline(name)
	if err != nil {
		return nil, fmt.Errorf("opening %s with libpcap: %w", name, err)
	}
	return newLibpcap(name, handle, false)
}

// OpenLibpcapDevice captures from a device with libpcap: an interface, or "any"
// where the system has that. Read brings a packet at a time, and [*Idle] at least
// ten times a second. Stats.Dropped counts what the system and the device lost.
func OpenLibpcapDevice(device string, cfg DeviceConfig) (Source, error) {
	handle, err := activate(device, cfg)
	if err != nil {
		return nil, fmt.Errorf("capturing from %s with libpcap: %w", device, err)
	}
	return newLibpcap(device, handle, true)
}

func activate(device string, cfg DeviceConfig) (*gopcap.Handle, error) {
	cfg = cfg.defaults()
	inactive, err := gopcap.NewInactiveHandle(device)
	if err != nil {
		return nil, err
	}
	defer inactive.CleanUp()
	if err := errors.Join(inactive.SetSnapLen(cfg.SnapLen), inactive.SetPromisc(!cfg.Own),
		inactive.SetTimeout(turn), inactive.SetBufferSize(cfg.Buffer)); err != nil {
		return nil, err
	}
	handle, err := inactive.Activate()
	switch {
	case err == nil:
		return handle, nil
	case err.Error() == pcapNotPromiscuous && !cfg.Own: // "any" is none that can be
		cfg.Own = true
		return activate(device, cfg)
	case err.Error() == pcapDenied:
		return nil, os.ErrPermission
	}
	if detail := inactive.Error(); detail.Error() != "" {
		return nil, detail
	}
	return nil, err
}

// How gopacket words what its errors have no type for.
const (
	pcapDenied         = "Permission Denied"
	pcapNotPromiscuous = "Cannot set as promisc"
)

// libpcap is a Source over a handle of gopacket. A handle may not be used while
// it is closed, nor may what it has read, so everything that touches it holds the
// lock, for at most one turn, and packets are copied out.
type libpcap struct {
	Source // by way of FromGopacket
	name   string
	live   bool
	turned time.Time // when Read last returned Idle

	mu      sync.Mutex
	handle  *gopcap.Handle // nil once closed
	data    []byte
	dropped atomic.Uint64
	damaged atomic.Uint64
}

func newLibpcap(name string, handle *gopcap.Handle, live bool) (Source, error) {
	link, err := linkOfHandle(handle)
	if err != nil {
		handle.Close()
		return nil, &FormatError{Name: name, What: err.Error(), Hint: hintOther}
	}
	l := &libpcap{name: name, live: live, handle: handle, turned: clockNow()}
	l.Source = FromGopacket(l, link)
	return l, nil
}

// ZeroCopyReadPacketData implements gopacket.ZeroCopyPacketDataSource.
func (l *libpcap) ZeroCopyReadPacketData() ([]byte, gopacket.CaptureInfo, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.handle == nil {
		return nil, gopacket.CaptureInfo{}, os.ErrClosed
	}
	data, info, err := l.handle.ZeroCopyReadPacketData()
	if err == nil {
		info.InterfaceIndex = 0
		l.data = append(l.data[:0], data...)
		return l.data, info, nil
	}
	if l.live {
		l.count()
	}
	if next, ok := err.(gopcap.NextError); ok && next == gopcap.NextErrorReadError { //nolint:errorlint // it is never wrapped
		err = errors.New(l.handle.Error().Error())
	}
	return nil, info, err
}

// count takes over the losses. The lock is held.
func (l *libpcap) count() {
	if st, err := l.handle.Stats(); err == nil {
		l.dropped.Store(uint64(max(st.PacketsDropped, 0)) + uint64(max(st.PacketsIfDropped, 0)))
	}
}

// Read implements Source.
func (l *libpcap) Read(fs []Frame) (int, error) {
	if l.damaged.Load() > 0 {
		return 0, io.EOF
	}
	if now := clockNow(); l.live && now.Sub(l.turned) >= turn {
		l.turned = now
		return 0, l.idle()
	}
	n, err := l.Source.Read(fs)
	switch {
	case err == nil, errors.Is(err, io.EOF), errors.Is(err, os.ErrClosed):
		return n, err
	case errors.Is(err, gopcap.NextErrorTimeoutExpired):
		l.turned = clockNow()
		return 0, l.idle()
	case l.live:
		return 0, fmt.Errorf("capturing from %s: %w", l.name, err)
	}
	l.damaged.Store(1)
	st, _ := l.Source.Stats() // does not fail
	return 0, &DamageError{Name: l.name, Packets: st.Packets, Reason: err.Error(), Err: err}
}

func (l *libpcap) idle() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.handle == nil {
		return os.ErrClosed
	}
	l.count()
	return &Idle{Now: l.turned.Add(-holdBack).UnixNano()}
}

// Stats implements Source.
func (l *libpcap) Stats() (Stats, error) {
	st, err := l.Source.Stats()
	st.Dropped, st.Damaged = l.dropped.Load(), l.damaged.Load()
	return st, err
}

// Close implements Source. It is what FromGopacket closes, too.
func (l *libpcap) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.handle == nil {
		return nil
	}
	if l.live {
		l.count()
	}
	l.handle.Close()
	l.handle = nil
	return nil
}

// linkOfHandle is the LINKTYPE number of a handle. gopacket keeps 8 bits of it;
// the names of the link types that the handle can have tell the rest.
func linkOfHandle(handle *gopcap.Handle) (uint16, error) {
	links, err := handle.ListDataLinks()
	if err != nil {
		return 0, err
	}
	low := uint8(handle.LinkType())
	for _, link := range links {
		number := gopcap.DatalinkNameToVal(link.Name)
		if number < 0 || uint8(number) != low {
			continue
		}
		if same, ok := sameLink(link.Name); ok {
			return same, nil
		}
		return uint16(number), nil
	}
	return 0, fmt.Errorf("a capture of a link type that libpcap has no name for (the last 8 bits are %d)", low)
}

// sameLink is the LINKTYPE number of link types that have other numbers within
// libpcap, depending on the system.
func sameLink(name string) (uint16, bool) {
	link, ok := map[string]uint16{
		"RAW": 101, "ATM_RFC1483": 100, "SLIP_BSDOS": 102, "PPP_BSDOS": 103, "LOOP": 108,
		"ENC": 109, "PFSYNC": 246, "PKTAP": 258,
	}[name]
	return link, ok
}
