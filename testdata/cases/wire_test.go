package cases_test

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"time"
)

// IP protocol numbers.
const (
	icmp4 = 1
	tcp   = 6
	udp   = 17
	icmp6 = 58
	sctp  = 132
)

// TCP flags.
const (
	fin = 1 << iota
	syn
	rst
	psh
	ack
	urg
)

func be16(n int) []byte { return binary.BigEndian.AppendUint16(nil, uint16(n)) }
func be32(n int) []byte { return binary.BigEndian.AppendUint32(nil, uint32(n)) }

// sum is the checksum of IP and its relatives.
func sum(parts ...[]byte) []byte {
	n := 0
	for i, b := range slices.Concat(parts...) {
		n += int(b) << (8 * (1 - i%2))
	}
	for n > 0xffff {
		n = n>>16 + n&0xffff
	}
	return be16(0xffff - n)
}

// wan is the link address of everybody outside: the router's.
var wan = []byte{0x02, 0, 0x5e, 0, 0, 1}

// mac is the link address behind which an address lies.
func mac(a netip.Addr) []byte {
	switch {
	case a.Is4() && a.IsMulticast():
		b := a.As4()
		return []byte{0x01, 0, 0x5e, b[1] & 0x7f, b[2], b[3]}
	case a.Is6() && a.IsMulticast():
		b := a.As16()
		return slices.Concat([]byte{0x33, 0x33}, b[12:])
	case !atHome(a):
		return wan
	}
	b := a.As16()
	if a.Is6() {
		return slices.Concat([]byte{0x02, 0}, b[4:8])
	}
	return slices.Concat([]byte{0x02, 0}, b[12:])
}

// header is how an IP packet differs from an ordinary one. Zero: TTL 60, any
// identification.
type header struct {
	ttl int
	id  int
}

// ipPacket puts a transport payload into an IP packet of its addresses' version.
func ipPacket(src, dst netip.Addr, proto byte, h header, payload []byte) []byte {
	if h.ttl == 0 {
		h.ttl = 60
	}
	if src.Is6() {
		return slices.Concat(be32(6<<28), be16(len(payload)), []byte{proto, byte(h.ttl)}, src.AsSlice(), dst.AsSlice(), payload)
	}
	b := slices.Concat(
		be16(0x4500), be16(20+len(payload)), be16(h.id), be16(0), []byte{byte(h.ttl), proto, 0, 0},
		src.AsSlice(), dst.AsSlice(), payload,
	)
	copy(b[10:], sum(b[:20]))
	return b
}

// summed fills in the checksum of a transport header, which lies at an offset.
func summed(src, dst netip.Addr, proto byte, at int, b []byte) []byte {
	copy(b[at:], sum(src.AsSlice(), dst.AsSlice(), []byte{0, proto}, be16(len(b)), b))
	return b
}

// segment is a TCP segment between two sockets, with n bytes of payload.
type segment struct {
	from, to netip.AddrPort
	flags    byte
	seq, ack int
	window   int
	options  []byte
	n        int
	header   header
}

func (s segment) packet() []byte {
	b := slices.Concat(
		be16(int(s.from.Port())), be16(int(s.to.Port())), be32(s.seq), be32(s.ack),
		[]byte{byte(20+len(s.options)) << 2, s.flags}, be16(s.window), be32(0), s.options, make([]byte, s.n),
	)
	b = summed(s.from.Addr(), s.to.Addr(), tcp, 16, b)
	return ipPacket(s.from.Addr(), s.to.Addr(), tcp, s.header, b)
}

func udpPacket(from, to netip.AddrPort, payload []byte) []byte {
	b := slices.Concat(be16(int(from.Port())), be16(int(to.Port())), be16(8+len(payload)), be16(0), payload)
	return ipPacket(from.Addr(), to.Addr(), udp, header{}, summed(from.Addr(), to.Addr(), udp, 6, b))
}

// icmpPacket is a message of ICMP or ICMPv6.
func icmpPacket(src, dst netip.Addr, kind, code byte, body []byte) []byte {
	b := slices.Concat([]byte{kind, code, 0, 0}, body)
	if src.Is6() {
		return ipPacket(src, dst, icmp6, header{ttl: 255}, summed(src, dst, icmp6, 2, b))
	}
	copy(b[2:], sum(b))
	return ipPacket(src, dst, icmp4, header{}, b)
}

// sctpPacket holds one chunk.
func sctpPacket(from, to netip.AddrPort, tag int, chunk byte, body []byte) []byte {
	b := slices.Concat(
		be16(int(from.Port())), be16(int(to.Port())), be32(tag), be32(0), []byte{chunk, 0}, be16(4+len(body)), body,
	)
	return ipPacket(from.Addr(), to.Addr(), sctp, header{}, b)
}

func arpPacket(op int, from, to netip.Addr) []byte {
	there := make([]byte, 6)
	if op == 2 {
		there = mac(to)
	}
	return slices.Concat(be16(1), be16(0x0800), []byte{6, 4}, be16(op), mac(from), from.AsSlice(), there, to.AsSlice())
}

// ethernet frames a packet.
func ethernet(src, dst []byte, kind int, packet []byte) []byte {
	b := slices.Concat(dst, src, be16(kind), packet)
	for len(b) < 60 {
		b = append(b, 0)
	}
	return b
}

// stack is what can be told of an operating system by its TCP packets.
type stack struct {
	first, later int // windows of the SYN and of what follows, scaled
	stamps       bool
	options      []byte // of the SYN, but for time stamps
}

var (
	linux   = stack{64240, 502, true, []byte{2, 4, 5, 0xb4, 4, 2, 1, 3, 3, 7}}
	windows = stack{64240, 1026, false, []byte{2, 4, 5, 0xb4, 1, 3, 3, 8, 1, 1, 4, 2}}
)

// with are the options of a segment sent at a time.
func (s stack) with(flags byte, at time.Duration) []byte {
	echo, now := int(at/time.Millisecond)+1_000_000, int(at/time.Millisecond)+7_000_000
	if flags == syn {
		echo = 0
	}
	stamp := slices.Concat([]byte{8, 10}, be32(now), be32(echo))
	switch {
	case flags&syn != 0 && s.stamps:
		return slices.Concat(s.options, stamp)
	case flags&syn != 0:
		return s.options
	case s.stamps && flags&rst == 0:
		return slices.Concat([]byte{1, 1}, stamp)
	}
	return nil
}

// solicited is the group at which a neighbour is asked for.
func solicited(a netip.Addr) netip.Addr {
	b := a.As16()
	return netip.AddrFrom16([16]byte{0: 0xff, 1: 0x02, 11: 1, 12: 0xff, 13: b[13], 14: b[14], 15: b[15]})
}
