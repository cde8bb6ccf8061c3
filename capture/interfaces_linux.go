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
		if m.Header.Type != syscall.RTM_NEWLINK || len(m.Data) < syscall.SizeofIfInfomsg {
			continue
		}
		// struct ifinfomsg: the hardware type at 2, the number at 4
		in := byIndex[int(int32(binary.NativeEndian.Uint32(m.Data[4:])))]
		if in == nil {
			continue // it came this moment
		}
		in.Link = linkOfType(binary.NativeEndian.Uint16(m.Data[2:]))
		attributes, err := syscall.ParseNetlinkRouteAttr(m)
		if err != nil {
			return fmt.Errorf("reading counters of %s: %w", in.Name, err)
		}
		for _, a := range attributes {
			if a.Attr.Type == unix.IFLA_STATS64 && len(a.Value) >= statsSize {
				in.counters(a.Value)
			}
		}
	}
	return nil
}

func (in *Interface) counters(stats []byte) {
	number := func(at int) uint64 { return binary.NativeEndian.Uint64(stats[at:]) }
	in.Counted = true
	in.Packets = number(statPackets) + number(statPackets+8)
	in.Bytes = number(statBytes) + number(statBytes+8)
	in.Lost = number(statMissed)
}
