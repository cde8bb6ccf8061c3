package site

import (
	"encoding/binary"
	"net/netip"
)

// The IP protocols used.
const (
	protoICMP   = 1
	protoTCP    = 6
	protoUDP    = 17
	protoICMPv6 = 58
)

var allHosts = netip.MustParseAddr("255.255.255.255")

// ipHeader is what varies in the IP header of a packet. Zero: the sender's own
// TTL and identification.
type ipHeader struct {
	ttl   uint8
	ident uint16
	fixed bool // ident is meant, 0 included
}

// send puts a packet on the wire. l4 is its transport header with the payload
// as far as that is not zeros, size the length of both on the wire, and sum
// where the checksum stands. It returns the IP packet as far as it was kept.
func (s *Site) send(t int64, from, to *host, ip ipHeader, proto uint8, l4 []byte, size, sum int) []byte {
	if ip.ttl == 0 {
		ip.ttl = from.stack.ttl - from.hops
	}
	if !ip.fixed {
		from.ident++
		ip.ident = from.ident
	}
	var b [14 + 40]byte
	src, dst := from.addr.AsSlice(), to.addr.AsSlice()
	head := 14 + 20
	if from.is6() {
		head = 14 + 40
		b[12], b[13], b[14], b[20], b[21] = 0x86, 0xdd, 0x60, proto, ip.ttl
		binary.BigEndian.PutUint16(b[18:], uint16(size))
		copy(b[22:], src)
		copy(b[38:], dst)
	} else {
		b[12], b[13], b[14], b[20], b[22], b[23] = 0x08, 0, 0x45, 0x40, ip.ttl, proto
		binary.BigEndian.PutUint16(b[16:], uint16(20+size))
		binary.BigEndian.PutUint16(b[18:], ip.ident)
		copy(b[26:], src)
		copy(b[30:], dst)
		binary.BigEndian.PutUint16(b[24:], ^fold(add(0, b[14:34])))
	}
	l4[sum], l4[sum+1] = 0, 0
	c := add(0, l4)
	if proto != protoICMP {
		c = add(add(c, src), dst) + uint32(proto) + uint32(size)
	}
	binary.BigEndian.PutUint16(l4[sum:], ^fold(c))
	copy(b[:], linkAddr(to, from))
	copy(b[6:], linkAddr(from, to))
	if from.outside() && s.cut(t) {
		t = s.end // it does not arrive
	}
	return s.put(t, b[:head], l4, head+size)[14:]
}

// put keeps a frame of two parts and zeros until its time, and returns what is
// kept of it; a frame after the end is dropped.
func (s *Site) put(t int64, head, rest []byte, wire int) []byte {
	wire = max(wire, 60)
	if len(s.free) == 0 {
		s.slab = append(s.slab, stored{})
		s.free = append(s.free, int32(len(s.slab)-1))
	}
	i := s.free[len(s.free)-1]
	f := &s.slab[i]
	n := copy(f.data[:], head)
	n += copy(f.data[n:], rest)
	clear(f.data[n:])
	f.kept, f.wire = uint8(min(wire, snap)), uint32(wire)
	if t < s.end {
		s.free = s.free[:len(s.free)-1]
		s.frames.push(t, i)
	}
	return f.data[:f.kept]
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

// linkAddr is the MAC address that stands for h on its way to or from peer.
func linkAddr(h, peer *host) []byte {
	a := h.addr.As16()
	switch {
	case h.addr == allHosts, h.addr.Is4() && a[12] == 10 && a[15] == 255:
		return []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
	case h.addr.IsMulticast() && h.is6():
		return []byte{0x33, 0x33, a[12], a[13], a[14], a[15]}
	case h.addr.IsMulticast():
		return []byte{0x01, 0x00, 0x5e, a[13] & 0x7f, a[14], a[15]}
	case h.hops > 0 && peer.hops == 0:
		return routerMAC[:]
	}
	return h.mac[:]
}

// datagram sends one UDP datagram of n bytes at least, which begins with text,
// and returns the IP packet.
func (s *Site) datagram(t int64, from, to *host, sport, dport uint16, text string, n int) []byte {
	return s.datagramTTL(t, from, to, sport, dport, 0, text, n)
}

func (s *Site) datagramTTL(t int64, from, to *host, sport, dport uint16, ttl uint8, text string, n int) []byte {
	size := 8 + max(n, len(text))
	l4 := s.l4[:8+min(len(text), len(s.l4)-8)]
	binary.BigEndian.PutUint16(l4, sport)
	binary.BigEndian.PutUint16(l4[2:], dport)
	binary.BigEndian.PutUint16(l4[4:], uint16(size))
	copy(l4[8:], text)
	return s.send(t, from, to, ipHeader{ttl: ttl}, protoUDP, l4, size, 6)
}

// icmp sends an ICMP message.
func (s *Site) icmp(t int64, from, to *host, kind, code uint8, rest uint32, body []byte, n int) {
	l4 := s.l4[:8+len(body)]
	l4[0], l4[1] = kind, code
	binary.BigEndian.PutUint32(l4[4:], rest)
	copy(l4[8:], body)
	proto := uint8(protoICMP)
	if from.is6() {
		proto = protoICMPv6
	}
	s.send(t, from, to, ipHeader{}, proto, l4, 8+max(n, len(body)), 2)
}

// unreachable answers an IP packet of to, for a port that by does not have, with
// an error.
func (s *Site) unreachable(t int64, by, to *host, packet []byte) {
	quoted := append([]byte(nil), packet[:min(len(packet), 60)]...)
	kind, code := uint8(3), uint8(3)
	if by.is6() {
		kind, code = 1, 4
	}
	s.icmp(t, by, to, kind, code, 0, quoted, len(packet))
}

// echo sends an echo request or reply.
func (s *Site) echo(t int64, from, to *host, reply bool, id, seq uint16) {
	kind := uint8(8)
	switch {
	case from.is6() && reply:
		kind = 129
	case from.is6():
		kind = 128
	case reply:
		kind = 0
	}
	s.icmp(t, from, to, kind, 0, uint32(id)<<16|uint32(seq), nil, 56)
}

// ping is one echo request, answered or not.
func (s *Site) ping(t int64, from, to *host, answered bool) {
	id := uint16(from.rnd.Uint32())
	s.echo(t, from, to, false, id, 1)
	if answered {
		s.echo(t+to.answer(), to, from, true, id, 1)
	}
}

// arp asks, as broadcast, who has the address of to; if answered it replies.
func (s *Site) arp(t int64, from, to *host, answered bool) {
	s.arpPacket(t, 1, from, to)
	if answered {
		s.arpPacket(t+to.answer(), 2, to, from)
	}
}

func (s *Site) arpPacket(t int64, op byte, from, to *host) {
	var b [42]byte
	copy(b[:], []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	copy(b[6:], from.mac[:])
	copy(b[12:], []byte{8, 6, 0, 1, 8, 0, 6, 4, 0, op})
	copy(b[22:], from.mac[:])
	copy(b[28:], from.addr.AsSlice())
	if op == 2 {
		copy(b[:], to.mac[:])
		copy(b[32:], to.mac[:])
	}
	copy(b[38:], to.addr.AsSlice())
	s.put(t, b[:], nil, 42)
}

// solicit asks for the neighbour to, at its solicited-node group.
func (s *Site) solicit(t int64, from, to *host, answered bool) {
	a := to.addr.As16()
	group := &host{addr: netip.AddrFrom16([16]byte{0: 0xff, 1: 0x02, 11: 1, 12: 0xff, 13: a[13], 14: a[14], 15: a[15]}), stack: linux}
	s.neighbour(t, from, group, 135, 0, a, 1, from.mac)
	if answered {
		s.neighbour(t+to.answer(), to, from, 136, 0x60, a, 2, to.mac)
	}
}

func (s *Site) neighbour(t int64, from, to *host, kind, flags byte, target [16]byte, option byte, mac [6]byte) {
	l4 := s.l4[:32]
	clear(l4)
	l4[0], l4[4], l4[24], l4[25] = kind, flags, option, 1
	copy(l4[8:], target[:])
	copy(l4[26:], mac[:])
	s.send(t, from, to, ipHeader{ttl: 255}, protoICMPv6, l4, 32, 2)
}
