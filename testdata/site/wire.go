package site

import (
	"net/netip"

	"github.com/synoptic-ids/synoptic/testdata/wire"
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
		ip.ttl = from.stack.TTL - from.hops
	}
	if !ip.fixed {
		from.ident++
		ip.ident = from.ident
	}
	h := wire.Header{TTL: ip.ttl, ID: ip.ident, DF: true}
	head := wire.IP(s.head[:0], from.end(to), to.end(from), h, proto, l4, size, sum)
	if from.outside() && s.cut(t) {
		t = s.end // it does not arrive
	}
	return s.put(t, head, l4, len(head)+size)[wire.Ethernet:]
}

// put keeps a frame of two parts and zeros until its time, and returns what is
// kept of it; a frame after the end is dropped.
func (s *Site) put(t int64, head, rest []byte, size int) []byte {
	size = max(size, 60)
	if len(s.free) == 0 {
		s.slab = append(s.slab, stored{})
		s.free = append(s.free, int32(len(s.slab)-1))
	}
	i := s.free[len(s.free)-1]
	f := &s.slab[i]
	n := copy(f.data[:], head)
	n += copy(f.data[n:], rest)
	clear(f.data[n:])
	f.kept, f.size = uint8(min(size, snap)), uint32(size)
	if t < s.end {
		s.free = s.free[:len(s.free)-1]
		s.frames.push(t, i)
	}
	return f.data[:f.kept]
}

// end is h as one end of a packet to or from peer.
func (h *host) end(peer *host) wire.End {
	mac, group := wire.GroupMAC(h.addr)
	a := h.addr.As16()
	switch {
	case group:
	case h.addr.Is4() && a[12] == 10 && a[15] == 255:
		mac = wire.Broadcast()
	case h.hops > 0 && peer.hops == 0:
		mac = routerMAC
	default:
		mac = h.mac
	}
	return wire.End{Addr: h.addr, MAC: mac}
}

// datagram sends one UDP datagram of n bytes at least, which begins with text,
// and returns the IP packet.
func (s *Site) datagram(t int64, from, to *host, sport, dport uint16, text string, n int) []byte {
	return s.datagramTTL(t, from, to, sport, dport, 0, text, n)
}

func (s *Site) datagramTTL(t int64, from, to *host, sport, dport uint16, ttl uint8, text string, n int) []byte {
	n = max(n, len(text))
	l4 := wire.UDP(s.l4[:0], sport, dport, n)
	l4 = append(l4, text[:min(len(text), len(s.l4)-len(l4))]...)
	return s.send(t, from, to, ipHeader{ttl: ttl}, wire.ProtoUDP, l4, 8+n, wire.SumUDP)
}

// icmp sends an ICMP message of n bytes behind its header at least.
func (s *Site) icmp(t int64, from, to *host, ip ipHeader, message []byte, n int) {
	proto := uint8(wire.ProtoICMP)
	if from.is6() {
		proto = wire.ProtoICMPv6
	}
	s.send(t, from, to, ip, proto, message, max(8+n, len(message)), wire.SumICMP)
}

// unreachable answers an IP packet of to, for a port that by does not have, with
// an error.
func (s *Site) unreachable(t int64, by, to *host, packet []byte) {
	kind, code := uint8(3), uint8(3)
	if by.is6() {
		kind, code = 1, 4
	}
	s.icmpError(t, by, to, packet, kind, code, len(packet))
}

// icmpError answers a packet of to, of which n bytes are quoted.
func (s *Site) icmpError(t int64, by, to *host, packet []byte, kind, code uint8, n int) {
	s.icmp(t, by, to, ipHeader{}, wire.ICMP(s.l4[:0], kind, code, 0, packet[:min(len(packet), 60)]), n)
}

// echo sends an echo request or reply.
func (s *Site) echo(t int64, from, to *host, reply bool, id, seq uint16) {
	s.icmp(t, from, to, ipHeader{}, wire.Echo(s.l4[:0], from.is6(), reply, id, seq), 56)
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
	s.arpPacket(t, false, from, to)
	if answered {
		s.arpPacket(t+to.answer(), true, to, from)
	}
}

func (s *Site) arpPacket(t int64, reply bool, from, to *host) {
	b := wire.ARP(s.head[:0], reply, wire.End{Addr: from.addr, MAC: from.mac}, wire.End{Addr: to.addr, MAC: to.mac})
	s.put(t, b, nil, len(b))
}

// solicit asks for the neighbour to, at its solicited-node group.
func (s *Site) solicit(t int64, from, to *host, answered bool) {
	s.icmp(t, from, group(wire.Solicited(to.addr)), ipHeader{ttl: 255}, wire.Neighbor(s.l4[:0], false, to.addr, from.mac), 0)
	if answered {
		s.icmp(t+to.answer(), to, from, ipHeader{ttl: 255}, wire.Neighbor(s.l4[:0], true, to.addr, to.mac), 0)
	}
}
