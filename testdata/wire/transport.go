package wire

import (
	"encoding/binary"
	"net/netip"
)

// TCP is the header of a segment.
type TCP struct {
	SrcPort, DstPort uint16
	Seq, Ack         uint32
	Flags            uint8
	Window           uint16
	Options          []byte // filled up with zeros to a multiple of four bytes
}

// Append appends the header.
func (t *TCP) Append(b []byte) []byte {
	at := len(b)
	b = ports(b, t.SrcPort, t.DstPort)
	b = binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(b, t.Seq), t.Ack)
	b = binary.BigEndian.AppendUint16(append(b, 0, t.Flags), t.Window)
	b = append(append(b, 0, 0, 0, 0), t.Options...)
	for (len(b)-at)%4 != 0 {
		b = append(b, 0)
	}
	b[at+12] = byte((len(b) - at) / 4 << 4)
	return b
}

// UDP appends the header of a datagram with so many bytes of payload.
func UDP(b []byte, src, dst uint16, payload int) []byte {
	return append(binary.BigEndian.AppendUint16(ports(b, src, dst), uint16(8+payload)), 0, 0)
}

func ports(b []byte, src, dst uint16) []byte {
	return binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(b, src), dst)
}

// ICMP appends a message: its type and code, the four bytes behind the checksum, and what
// follows. That of IPv6 differs by its numbers only.
func ICMP(b []byte, kind, code uint8, rest uint32, body []byte) []byte {
	b = binary.BigEndian.AppendUint32(append(b, kind, code, 0, 0), rest)
	return append(b, body...)
}

// Echo appends an echo request or reply without its payload.
func Echo(b []byte, v6, reply bool, id, seq uint16) []byte {
	kind := uint8(8)
	switch {
	case v6 && reply:
		kind = 129
	case v6:
		kind = 128
	case reply:
		kind = 0
	}
	return ICMP(b, kind, 0, uint32(id)<<16|uint32(seq), nil)
}

// Solicited is the group at which a neighbour is asked for.
func Solicited(a netip.Addr) netip.Addr {
	b := a.As16()
	return netip.AddrFrom16([16]byte{0: 0xff, 1: 0x02, 11: 1, 12: 0xff, 13: b[13], 14: b[14], 15: b[15]})
}

// Neighbor appends a solicitation for an address, or the advertisement of it, with the
// link address of who sends it.
func Neighbor(b []byte, advert bool, target netip.Addr, own MAC) []byte {
	kind, flags, option := uint8(135), uint32(0), byte(1)
	if advert {
		kind, flags, option = 136, 0x60<<24, 2
	}
	a := target.As16()
	b = ICMP(b, kind, 0, flags, a[:])
	return append(append(b, option, 1), own[:]...)
}

// ARP appends a whole frame, without padding: a request for to, or from's reply to it.
func ARP(b []byte, reply bool, from, to End) []byte {
	there, known, op := Broadcast(), MAC{}, byte(1)
	if reply {
		there, known, op = to.MAC, to.MAC, 2
	}
	b = append(append(b, there[:]...), from.MAC[:]...)
	b = append(b, 8, 6, 0, 1, 8, 0, 6, 4, 0, op)
	b = append(append(b, from.MAC[:]...), from.Addr.AsSlice()...)
	return append(append(b, known[:]...), to.Addr.AsSlice()...)
}
