package capture

import (
	"encoding/binary"
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"
)

// cards asks the system how many packets the cards of devices had no room for. It has a
// socket of its own, for files of the system may be out of reach later.
type cards struct {
	fd     int
	answer [1 << 14]byte
}

func newCards() (*cards, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("asking for counters of interfaces: %w", err)
	}
	return &cards{fd: fd}, nil
}

func (c *cards) close() { _ = unix.Close(c.fd) }

// ask returns struct rtnl_link_stats64 of a device, nil if it is not to be had. The system
// answers before it returns from what it was asked by.
func (c *cards) ask(index int) []byte {
	question := make([]byte, 0, unix.SizeofNlMsghdr+unix.SizeofIfInfomsg)
	question = binary.NativeEndian.AppendUint32(question, uint32(cap(question)))
	question = binary.NativeEndian.AppendUint16(question, unix.RTM_GETLINK)
	question = binary.NativeEndian.AppendUint16(question, unix.NLM_F_REQUEST)
	question = append(question, make([]byte, 12)...) // nobody's number twice, and of ifinfomsg what stands before its number
	question = binary.NativeEndian.AppendUint32(question, uint32(index))
	question = append(question, make([]byte, 8)...)
	if unix.Sendto(c.fd, question, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}) != nil {
		return nil
	}
	n, _, err := unix.Recvfrom(c.fd, c.answer[:], 0)
	if err != nil {
		return nil
	}
	messages, err := syscall.ParseNetlinkMessage(c.answer[:n])
	if err != nil {
		return nil
	}
	for i := range messages {
		if of, stats, err := statsOf(&messages[i]); err == nil && of == index {
			return stats
		}
	}
	return nil
}

// missed is what the card of a device has had no room for since it was first asked.
type missed struct {
	index       int // of the device; another one may have come in its place
	last, total uint64
}

// count takes over what the system counts, which begins anew with another device.
func (m *missed) count(index int, stats []byte) {
	if stats == nil {
		return
	}
	now := binary.NativeEndian.Uint64(stats[statMissed:])
	if m.index == index && now > m.last {
		m.total += now - m.last
	}
	m.index, m.last = index, now
}
