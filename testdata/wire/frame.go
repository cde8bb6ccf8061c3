// Package wire makes the frames of made-up hosts, for the captures of testdata/gen and
// the days of testdata/site: Ethernet, in that ARP or IP, in that TCP, UDP and ICMP, with
// lengths and checksums as systems write them; and pcap files of them.
//
// Functions append to a slice that they are given and return it. They keep no state: any
// goroutine may call them.
package wire

import (
	"encoding/binary"
	"net/netip"
)

// The IP protocols that are made.
const (
	ProtoICMP   = 1
	ProtoTCP    = 6
	ProtoUDP    = 17
	ProtoICMPv6 = 58
)

// Where the checksum of a transport header stands, in bytes from its beginning.
const (
	SumTCP  = 16
	SumUDP  = 6
	SumICMP = 2
)

// Ethernet is the length of the link header in bytes.
const Ethernet = 14

// MAC is a link address.
type MAC [6]byte

// Broadcast is the link address of everybody.
func Broadcast() MAC { return MAC{0xff, 0xff, 0xff, 0xff, 0xff, 0xff} }

// GroupMAC is the link address of a group, or of 255.255.255.255; false for a host.
func GroupMAC(a netip.Addr) (MAC, bool) {
	b := a.As16()
	switch {
	case a == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return Broadcast(), true
	case !a.IsMulticast():
		return MAC{}, false
	case a.Is6():
		return MAC{0x33, 0x33, b[12], b[13], b[14], b[15]}, true
	default:
		return MAC{0x01, 0x00, 0x5e, b[13] & 0x7f, b[14], b[15]}, true
	}
}

// End is one end of a packet: its address, and the link address that stands for it there.
type End struct {
	Addr netip.Addr
	MAC  MAC
}

// Header is what varies in the IP header of a packet.
type Header struct {
	TTL   uint8
	ID    uint16 // IPv4
	DF    bool   // IPv4: may not be fragmented
	Label uint32 // IPv6: the flow, 20 bits
}

// IP appends the link and IP headers that go in front of a transport packet, and fills in
// its checksum at sum. l4 is that packet as far as it is not zeros, size its length on
// the wire in bytes.
func IP(b []byte, from, to End, h Header, proto uint8, l4 []byte, size, sum int) []byte {
	b = append(append(b, to.MAC[:]...), from.MAC[:]...)
	if from.Addr.Is6() {
		b = binary.BigEndian.AppendUint32(append(b, 0x86, 0xdd), 6<<28|h.Label)
		b = append(binary.BigEndian.AppendUint16(b, uint16(size)), proto, h.TTL)
		src, dst := from.Addr.As16(), to.Addr.As16()
		b = append(append(b, src[:]...), dst[:]...)
	} else {
		b = binary.BigEndian.AppendUint16(append(b, 0x08, 0, 0x45, 0), uint16(20+size))
		b = binary.BigEndian.AppendUint16(b, h.ID)
		b = append(b, 0, 0, h.TTL, proto, 0, 0)
		if h.DF {
			b[len(b)-6] = 0x40
		}
		src, dst := from.Addr.As4(), to.Addr.As4()
		b = append(append(b, src[:]...), dst[:]...)
		SumIPv4(b[len(b)-20:])
	}
	l4[sum], l4[sum+1] = 0, 0
	c := add(0, l4)
	if proto != ProtoICMP {
		addresses := 8
		if from.Addr.Is6() {
			addresses = 32
		}
		c = add(c, b[len(b)-addresses:]) + uint32(proto) + uint32(size)
	}
	binary.BigEndian.PutUint16(l4[sum:], ^fold(c))
	return b
}

// SumIPv4 sets the checksum of a header without options.
func SumIPv4(ip []byte) {
	ip[10], ip[11] = 0, 0
	binary.BigEndian.PutUint16(ip[10:], ^fold(add(0, ip[:20])))
}

// Packet is the IP packet in a frame, as sent: without padding.
func Packet(frame []byte) []byte {
	ip := frame[Ethernet:]
	if frame[12] == 0x86 {
		return ip[:40+int(binary.BigEndian.Uint16(ip[4:]))]
	}
	return ip[:binary.BigEndian.Uint16(ip[2:])]
}

func add(sum uint32, b []byte) uint32 {
	for ; len(b) >= 2; b = b[2:] {
		sum += uint32(b[0])<<8 | uint32(b[1])
	}
	if len(b) == 1 {
		sum += uint32(b[0]) << 8
	}
	return sum
}

func fold(sum uint32) uint16 {
	sum = sum&0xffff + sum>>16
	return uint16(sum&0xffff + sum>>16)
}
