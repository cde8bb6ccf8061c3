package capture

import "encoding/binary"

// LINKTYPE numbers of devices.
const (
	linkEthernet = 1
	linkRaw      = 101
	linkCooked   = 113
)

// Bits of a frame's status.
const (
	statusTagged  = 0x10 // the outermost VLAN tag was taken out, and has its TCI in the header
	statusHasTPID = 0x40 // and its ethertype too
)

const (
	tagSize    = 4
	addresses  = 12 // bytes in front of an Ethernet frame's tags
	cookedSize = 16
	typeVLAN   = 0x8100
)

// framing is how the frames of a device are made what a capture file has of them.
type framing struct {
	link uint16
	snap int // bytes of a frame that are kept
}

// place sets a frame's data: snap bytes at start, behind the frame's header h,
// with what the system has taken out put back, where there is room for it.
func (w framing) place(f *Frame, h []byte, start, snap int) {
	status := binary.NativeEndian.Uint32(h[frameStatus:])
	tagged := status&statusTagged != 0
	switch {
	case w.link == linkCooked:
		start, snap, f.Len = w.cooked(h, start, snap, f.Len, tagged)
	case tagged && w.link == linkEthernet && snap >= addresses && start >= frameHeader+tagSize:
		to := start - tagSize
		copy(h[to:], h[start:start+addresses])
		binary.BigEndian.PutUint16(h[to+addresses:], tagType(h, status))
		binary.BigEndian.PutUint16(h[to+addresses+2:], uint16(binary.NativeEndian.Uint32(h[frameTCI:])))
		start, snap, f.Len = to, snap+tagSize, f.Len+tagSize
	}
	snap = min(snap, w.snap)
	f.Data = h[start : start+snap : start+snap]
}

func tagType(h []byte, status uint32) uint16 {
	if status&statusHasTPID == 0 {
		return typeVLAN // what old systems took out was always that
	}
	return binary.NativeEndian.Uint16(h[frameTPID:])
}

// cooked puts the header of LINKTYPE_LINUX_SLL in the place of the link header,
// whatever that is, and the VLAN tag that was taken out behind it.
func (w framing) cooked(h []byte, start, snap int, wire uint32, tagged bool) (from, size int, length uint32) {
	link := int(binary.NativeEndian.Uint16(h[frameNet:])) - start
	header := make([]byte, 0, cookedSize+tagSize)
	header = append(header, 0, h[frameKind])
	header = binary.BigEndian.AppendUint16(header, binary.NativeEndian.Uint16(h[frameHatype:]))
	header = append(header, 0, h[frameHalen])
	header = append(header, h[frameAddress:frameHeader]...)
	if tagged {
		header = binary.BigEndian.AppendUint16(header, tagType(h, binary.NativeEndian.Uint32(h[frameStatus:])))
		header = binary.BigEndian.AppendUint16(header, uint16(binary.NativeEndian.Uint32(h[frameTCI:])))
	}
	header = append(header, h[frameProtocol:frameProtocol+2]...)
	if link < 0 || link > snap || start+link < frameHeader+len(header) {
		return 0, 0, wire // as no system leaves it; it is decoded as a frame that was cut
	}
	from = start + link - len(header)
	copy(h[from:], header)
	return from, snap - link + len(header), wire - uint32(link) + uint32(len(header))
}
