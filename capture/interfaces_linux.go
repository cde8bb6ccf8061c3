package capture

import (
	"encoding/binary"
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"
)

// Where counters stand in struct rtnl_link_stats64.
const (
	statPackets = 0  // received; sent are the 8 bytes behind
	statBytes   = 16 // likewise
	statMissed  = 120
	statsSize   = statMissed + 8
)

// count adds what the system counts, and the link types.
func count(all []Interface) error {
	answer, err := syscall.NetlinkRIB(syscall.RTM_GETLINK, syscall.AF_UNSPEC)
	if err != nil {
		return fmt.Errorf("asking for counters of interfaces: %w", err)
	}
	messages, err := syscall.ParseNetlinkMessage(answer)
	if err != nil {
		return fmt.Errorf("reading counters of interfaces: %w", err)
	}
	byIndex := make(map[int]*Interface, len(all))
	for i := range all {
		byIndex[all[i].Index] = &all[i]
	}
	for i := range messages {
		m := &messages[i]
		index, stats, err := statsOf(m)
		in := byIndex[index]
		if in == nil {
			continue // no interface, or it came this moment
		}
		if err != nil {
			return fmt.Errorf("reading counters of %s: %w", in.Name, err)
		}
		in.Link = linkOfType(binary.NativeEndian.Uint16(m.Data[2:])) // the hardware type
		if stats != nil {
			in.counters(stats)
		}
	}
	return nil
}

// statsOf is the interface that a message is about, and its struct rtnl_link_stats64, nil if
// it has none. Of other messages the interface is 0.
func statsOf(m *syscall.NetlinkMessage) (index int, stats []byte, err error) {
	if m.Header.Type != syscall.RTM_NEWLINK || len(m.Data) < syscall.SizeofIfInfomsg {
		return 0, nil, nil
	}
	index = int(int32(binary.NativeEndian.Uint32(m.Data[4:])))
	attributes, err := syscall.ParseNetlinkRouteAttr(m)
	for _, a := range attributes {
		if a.Attr.Type == unix.IFLA_STATS64 && len(a.Value) >= statsSize {
			stats = a.Value
		}
	}
	return index, stats, err
}

func (in *Interface) counters(stats []byte) {
	number := func(at int) uint64 { return binary.NativeEndian.Uint64(stats[at:]) }
	in.Counted = true
	in.Packets = number(statPackets) + number(statPackets+8)
	in.Bytes = number(statBytes) + number(statBytes+8)
	in.Lost = number(statMissed)
}
