package filter

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
)

// sample is a frame, and what it would be without what is around its packet.
type sample struct {
	frame []byte
	// bare is the packet behind the frame's addresses, without tags, tunnels,
	// extension headers: what tcpdump tests at fixed places.
	bare []byte
	// four is bare over IPv4, where the packet is TCP or UDP over IPv6; else nil.
	four []byte
	// outer is the frame without tags: the first packet in it, as it is.
	outer []byte
	what  string // how the frame differs from bare; empty if it does not
}

// gen draws samples and expressions. The same seed draws the same.
type gen struct{ *rand.Rand }

func newGen(seed uint64) gen { return gen{rand.New(rand.NewPCG(seed, 1))} }

func one[T any](g gen, all ...T) T { return all[g.IntN(len(all))] }

func be16(n uint16) []byte { return binary.BigEndian.AppendUint16(nil, n) }

func be32(n uint32) []byte { return binary.BigEndian.AppendUint32(nil, n) }

func cat(parts ...[]byte) []byte { return slices.Concat(parts...) }

// The pools are small, so that expressions hit.
var (
	macs   = [][6]byte{{0, 0, 0x5e, 0, 0x53, 1}, {0, 0, 0x5e, 0, 0x53, 2}, {1, 0, 0x5e, 0, 0, 9}, {0xff, 0xff, 0xff, 0xff, 0xff, 0xff}}
	hosts4 = [][4]byte{{192, 0, 2, 1}, {192, 0, 2, 77}, {198, 51, 100, 20}, {203, 0, 113, 5}, {224, 0, 0, 9}, {255, 255, 255, 255}}
	hosts6 = [][16]byte{
		{0x20, 1, 0xd, 0xb8, 15: 1}, {0x20, 1, 0xd, 0xb8, 0, 1, 15: 2}, {0x20, 1, 0xd, 0xb8, 0, 9, 15: 0x99}, {0xff, 2, 15: 1},
	}
	ports  = []uint16{22, 53, 80, 443, 1024, 50000}
	labels = []uint32{3, 100, 1048575}
	vlans  = []uint16{0, 10, 20, 4095}
)

func (g gen) mac() []byte { m := one(g, macs...); return m[:] }

// transport is a header with some payload, and its protocol number.
func (g gen) transport(six bool) (b []byte, proto uint8) {
	p := cat(be16(one(g, ports...)), be16(one(g, ports...)))
	payload := make([]byte, g.IntN(40))
	switch g.IntN(8) {
	case 0, 1, 2:
		flags := one[uint8](g, 0, 1, 2, 4, 16, 18, 20, 24, 41, 0xc2)
		p = cat(p, be32(g.Uint32()), be32(one(g, 0, g.Uint32())), []byte{0x50, flags}, be16(one(g, 0, 1024, uint16(g.Uint32()))), make([]byte, 4))
		return cat(p, payload), ipTCP
	case 3, 4:
		return cat(p, be16(uint16(8+len(payload))), make([]byte, 2), payload), ipUDP
	case 5:
		kinds, proto := []byte{0, 3, 5, 8, 11, 13, 14, 17, 18, 30}, uint8(ipICMP)
		if six {
			kinds, proto = []byte{1, 2, 3, 128, 129, 133, 134, 137}, ipICMPv6
		}
		return cat([]byte{one(g, kinds...), byte(g.IntN(5)), 0, 0}, be16(uint16(g.IntN(3))), be16(uint16(g.IntN(3))), payload), proto
	case 6:
		return cat(p, be32(g.Uint32()), make([]byte, 4), []byte{byte(g.IntN(16)), 0}, be16(20), make([]byte, 16)), ipSCTP
	}
	return cat(make([]byte, 8), payload), one[uint8](g, ipIGMP, ipESP, 103, 112, 200)
}

func ipv4(src, dst [4]byte, proto uint8, id, frag uint16, ttl uint8, payload []byte) []byte {
	return cat([]byte{0x45, 0}, be16(uint16(20+len(payload))), be16(id), be16(frag), []byte{ttl, proto, 0, 0}, src[:], dst[:], payload)
}

func ipv6(src, dst [16]byte, next, hops uint8, payload []byte) []byte {
	return cat(be32(0x60000000), be16(uint16(len(payload))), []byte{next, hops}, src[:], dst[:], payload)
}

// packet draws an IP or ARP packet: as it comes, as it would be bare, and over
// IPv4.
func (g gen) packet() (kind uint16, l3, bare, four []byte, what string) {
	switch g.IntN(10) {
	case 0:
		a, b := one(g, hosts4...), one(g, hosts4...)
		l3 = cat([]byte{0, 1, 8, 0, 6, 4, 0, byte(1 + g.IntN(2))}, g.mac(), a[:], g.mac(), b[:])
		return typeARP, l3, l3, nil, ""
	case 1, 2, 3, 4:
		return g.packet6()
	}
	a, b, ttl := one(g, hosts4...), one(g, hosts4...), one[uint8](g, 1, 64, 255)
	t, proto := g.transport(false)
	id := uint16(g.IntN(3))
	switch g.IntN(8) {
	case 0: // a fragment other than the first
		l3 = ipv4(a, b, proto, 1000+uint16(g.IntN(60000)), one[uint16](g, 5, 0x2005), ttl, t)
		return typeIPv4, l3, l3, nil, ""
	case 1: // the first
		l3 = ipv4(a, b, proto, 1000+uint16(g.IntN(60000)), 0x2000, ttl, cat(t, make([]byte, 64)))
		return typeIPv4, l3, l3, nil, ""
	case 2:
		ah := cat([]byte{proto, 4, 0, 0}, make([]byte, 20))
		return typeIPv4, ipv4(a, b, ipAH, id, 0, ttl, cat(ah, t)), ipv4(a, b, proto, id, 0, ttl, t), nil, "behind AH"
	}
	l3 = ipv4(a, b, proto, id, one[uint16](g, 0, 0x4000), ttl, t)
	return typeIPv4, l3, l3, nil, ""
}

func (g gen) packet6() (kind uint16, l3, bare, four []byte, what string) {
	a, b, hops := one(g, hosts6...), one(g, hosts6...), one[uint8](g, 1, 64, 255)
	if g.IntN(8) == 0 { // its addresses are who asks for whom
		target := one(g, hosts6[:3]...)
		q := cat([]byte{135, 0, 0, 0, 0, 0, 0, 0}, target[:])
		group := [16]byte{0xff, 2, 11: 1, 12: 0xff, 13: 0, 14: 0, 15: target[15]}
		return typeIPv6, ipv6(a, group, ipICMPv6, 255, q), ipv6(a, target, ipICMPv6, 255, q), nil, "neighbour discovery"
	}
	t, proto := g.transport(true)
	bare = ipv6(a, b, proto, hops, t)
	if proto == ipTCP || proto == ipUDP || proto == ipSCTP {
		four = ipv4(hosts4[0], hosts4[1], proto, 0, 0, hops, t)
	}
	if g.IntN(4) > 0 {
		return typeIPv6, bare, bare, four, ""
	}
	ext := cat([]byte{proto, 0}, make([]byte, 6))
	return typeIPv6, ipv6(a, b, one[uint8](g, 0, 60, 43), hops, cat(ext, t)), bare, four, "behind extension headers"
}

// sample draws a frame on Ethernet.
func (g gen) sample() sample {
	kind, l3, bare, four, what := g.packet()
	addr := cat(g.mac(), g.mac())
	s := sample{bare: cat(addr, be16(kind), bare), what: what}
	if four != nil {
		s.four = cat(addr, be16(typeIPv4), four)
	}
	if g.IntN(5) == 0 && kind != typeARP {
		kind, l3 = g.tunnel(kind, l3)
		s.what = "in a tunnel"
	}
	s.outer = cat(addr, be16(kind), l3)
	switch g.IntN(8) {
	case 0:
		s.what = "tagged"
		l3 = cat(be16(one(g, vlans...)), be16(kind), l3)
		kind = one[uint16](g, typeVLAN, typeQinQ, typeOld)
	case 1:
		s.what = "tagged"
		l3 = cat(be16(one(g, vlans...)), be16(typeVLAN), be16(one(g, vlans...)), be16(kind), l3)
		kind = typeQinQ
	case 2:
		s.what = "behind SNAP"
		l3 = cat([]byte{0xaa, 0xaa, 3, 0, 0, 0}, be16(kind), l3)
		kind = uint16(len(l3))
	case 3:
		if kind == typeIPv4 || kind == typeIPv6 {
			s.what = "behind MPLS"
			l3 = cat(be32(one(g, labels...)<<12|0x140), l3)
			kind = typeMPLS
		}
	}
	s.frame = cat(addr, be16(kind), l3)
	return s
}

// tunnel puts a packet into another one.
func (g gen) tunnel(kind uint16, l3 []byte) (uint16, []byte) {
	inner := cat([]byte{0, 0, 0x5e, 0, 0x53, 9, 0, 0, 0x5e, 0, 0x53, 8}, be16(kind), l3)
	var proto uint8
	var p []byte
	switch g.IntN(4) {
	case 0:
		vxlan := cat([]byte{8, 0, 0, 0, 0, 0, 7, 0}, inner)
		proto, p = ipUDP, cat(be16(50000), be16(4789), be16(uint16(8+len(vxlan))), be16(0), vxlan)
	case 1:
		proto, p = ipGRE, cat(be16(0), be16(kind), l3)
	case 2:
		proto, p = ipGRE, cat(be16(0), be16(0x6558), inner)
	default:
		proto, p = 4, l3
		if kind == typeIPv6 {
			proto = 41
		}
	}
	if g.IntN(2) == 0 {
		return typeIPv6, ipv6(hosts6[0], hosts6[1], proto, 64, p)
	}
	return typeIPv4, ipv4(hosts4[0], hosts4[2], proto, 0, 0, 64, p)
}
