package sensor_test

import (
	"net/netip"
	"slices"
	"testing"
)

// carriers are the end points of the tunnel at a level, the sender first.
func (p pdu) carriers(six bool) (src, dst netip.Addr) {
	const first = 100 // of the farther ones, where there are several
	near, far := netip.AddrFrom4([4]byte{203, 0, 113, byte(2*p.level - 1)}), netip.AddrFrom4([4]byte{203, 0, 113, byte(2 * p.level)})
	if p.peer > 0 {
		far = netip.AddrFrom4([4]byte{203, 0, 113, byte(first + p.peer)})
	}
	if six {
		net := [16]byte{0x20, 0x01, 0x0d, 0xb8, 0xff, byte(p.level), 15: 1}
		near = netip.AddrFrom16(net)
		net[15] = byte(first + p.peer)
		far = netip.AddrFrom16(net)
	}
	if p.back {
		return far, near
	}
	return near, far
}

// inIP puts an IP header of a carrier in front.
func (p pdu) inIP(six bool, proto byte) pdu {
	p.level++
	src, dst := p.carriers(six)
	kind := uint16(0x0800)
	if six {
		kind = 0x86dd
	}
	return p.behind(kind, ipHeader(src, dst, proto, 0x4000+p.n, len(p.data)))
}

// ipProtocol is the number that IP has for an ethertype.
func (p pdu) ipProtocol() byte { return map[uint16]byte{0x0800: 4, 0x86dd: 41, 0x8847: 137}[p.kind] }

func inIPv4(p pdu) pdu { return p.inIP(false, p.ipProtocol()) }
func inIPv6(p pdu) pdu { return p.inIP(true, p.ipProtocol()) }

// inUDP is a datagram to a tunnel's port, from a port that depends on the packet
// as tunnels do to spread load; fixed is for those that use one port for both.
func inUDP(six bool, port int, fixed bool) layer {
	return func(p pdu) pdu {
		from, to := 49152+p.n*997%16384, port
		if fixed {
			from = port
		}
		p = p.behind(0, be16(from), be16(to), be16(8+len(p.data)), be16(0))
		return p.inIP(six, 17)
	}
}

// labelled puts MPLS labels (RFC 3032) in front, n of them.
func labelled(n int) layer {
	return func(p pdu) pdu {
		var stack []byte
		for i := range n {
			entry := (16000+i)<<12 | 64
			if i == n-1 {
				entry |= 1 << 8
			}
			stack = append(stack, be32(entry)...)
		}
		return p.behind(0x8847, stack)
	}
}

// vendor overwrites the destination address of an Ethernet header that was just
// put in front.
func vendor(first ...byte) layer {
	return func(p pdu) pdu {
		copy(p.data, first)
		return p
	}
}

// controlWord is that of a pseudowire (RFC 4385), with a sequence number.
func controlWord(p pdu) pdu { return p.behind(p.kind, be16(0), be16(p.n+1)) }

// gre is a GRE header (RFC 2784, RFC 2890) with optional fields by its flags.
func gre(flags int, six bool) layer {
	const withChecksum, withKey, withSequence = 0x8000, 0x2000, 0x1000
	return func(p pdu) pdu {
		h := slices.Concat(be16(flags), be16(int(p.kind)))
		if flags&withChecksum != 0 {
			h = append(h, 0, 0, 0, 0)
		}
		if flags&withKey != 0 {
			h = append(h, be32(0x4500_0001)...)
		}
		if flags&withSequence != 0 {
			h = append(h, be32(p.n)...)
		}
		if flags&withChecksum != 0 {
			copy(h[4:], checksum(h, p.data))
		}
		return p.behind(0, h).inIP(six, 47)
	}
}

// as changes the ethertype by which a packet is announced.
func as(kind uint16) layer {
	return func(p pdu) pdu {
		p.kind = kind
		return p
	}
}

func vxlan(p pdu) pdu { return p.behind(0, []byte{8, 0, 0, 0}, be32(0x1234<<8)) }

// gpe is the generic protocol extension of VXLAN, with the number of what
// follows.
func gpe(p pdu) pdu { return p.behind(0, []byte{0x0c, 0, 0, p.next()}, be32(0x1234<<8)) }

// next is the number that NSH and VXLAN-GPE have for an ethertype.
func (p pdu) next() byte {
	return map[uint16]byte{0x0800: 1, 0x86dd: 2, 0x6558: 3, 0x894f: 4, 0x8847: 5}[p.kind]
}

// nsh is a network service header (RFC 8300), metadata of type 1 or 2.
func nsh(kind byte, metadata int) layer {
	return func(p pdu) pdu {
		words := 2 + metadata/4
		return p.behind(0x894f, be16(63<<6|words), []byte{kind, p.next()}, be32(5<<8|255), make([]byte, metadata))
	}
}

// geneve is a Geneve header (RFC 8926) with words of options.
func geneve(words int) layer {
	return func(p pdu) pdu {
		options := make([]byte, 4*words)
		if words > 0 {
			copy(options, slices.Concat(be16(0x0102), []byte{0x21, byte(words - 1)}))
		}
		return p.behind(0, []byte{byte(words), 0}, be16(int(p.kind)), be32(0x1234<<8), options)
	}
}

// erspan2 is the header of ERSPAN type II.
func erspan2(p pdu) pdu { return p.behind(0x88be, be32(1<<28|42<<16|1<<11|9), be32(3)) }

// erspan3 is the header of type III, with or without the subheader.
func erspan3(subheader bool) layer {
	return func(p pdu) pdu {
		if !subheader {
			return p.behind(0x22eb, be32(2<<28|42<<16|9), be32(123456), be32(0))
		}
		return p.behind(0x22eb, be32(2<<28|42<<16|9), be32(123456), be32(1), make([]byte, 8))
	}
}

// gtp is the header of a GTP-U packet (3GPP TS 29.281), with extension headers
// of types and lengths in units of 4 bytes.
func gtp(optional byte, extensions ...[2]byte) layer {
	return func(p pdu) pdu {
		var rest []byte
		if optional != 0 || len(extensions) > 0 {
			rest = slices.Concat(be16(p.n), []byte{0, 0})
		}
		for _, e := range extensions {
			optional |= 4
			rest[len(rest)-1] = e[0]
			h := make([]byte, 4*int(e[1]))
			h[0] = e[1]
			rest = append(rest, h...)
		}
		return p.behind(0, []byte{0x30 | optional, 0xff}, be16(len(rest)+len(p.data)), be32(0x7001), rest)
	}
}

// Teredo's indicators (RFC 4380) in front of the IPv6 packet.
func teredoOrigin(p pdu) pdu { return p.behind(0, be16(0), be16(0x1234), be32(0x34ff8e9a)) }

func teredoAuthentication(p pdu) pdu { return p.behind(0, be16(1), be16(0), make([]byte, 9)) }

// teredo is a datagram between a client and the port of a server.
func teredo(p pdu) pdu {
	const server, client = 3544, 51515
	from, to := client, server
	if p.back {
		from, to = to, from
	}
	return p.behind(0, be16(from), be16(to), be16(8+len(p.data)), be16(0)).inIP(false, 17)
}

// pptp is the GRE of PPTP (RFC 2637) with PPP inside.
func pptp(p pdu) pdu {
	p = ppp(p).behind(0, []byte{0xff, 3})
	return p.behind(0, be16(0x3001), be16(0x880b), be16(len(p.data)), be16(5), be32(p.n)).inIP(false, 47)
}

// l2tp is a data message of L2TP version 2 (RFC 2661) with PPP inside.
func l2tp(p pdu) pdu {
	return ppp(p).behind(0, be16(0x0002), be16(3), be16(4), []byte{0xff, 3})
}

// etherIP is an Ethernet frame directly in IP (RFC 3378).
func etherIP(p pdu) pdu { return bridged(p).behind(0, be16(0x3000)).inIP(false, 97) }

// tunnels are the ways to carry packets in packets, each on an Ethernet.
func tunnels() []wrapping {
	const key, seq, sum = 0x2000, 0x1000, 0x8000
	var (
		vxlan4, vxlan6 = inUDP(false, 4789, false), inUDP(true, 4789, false)
		gpe4           = inUDP(false, 4790, false)
		geneve4        = inUDP(false, 6081, false)
		geneve6        = inUDP(true, 6081, false)
		gtp4, gtp6     = inUDP(false, 2152, true), inUDP(true, 2152, true)
	)
	all := []wrapping{
		{name: "MPLS", layers: []layer{labelled(1)}},
		{name: "MPLS, two labels", layers: []layer{labelled(2)}},
		{name: "MPLS, three labels", layers: []layer{labelled(3)}},
		{name: "MPLS, three labels in a VLAN", layers: []layer{labelled(3), tagged(0x8100, 7)}},
		{name: "MPLS multicast", layers: []layer{labelled(1), as(0x8848)}},
		{name: "pseudowire", layers: []layer{bridged, labelled(1)}},
		{name: "pseudowire, two labels", layers: []layer{bridged, labelled(2)}},
		{name: "pseudowire, address e8-40-f2", layers: []layer{bridged, vendor(0xe8, 0x40, 0xf2), labelled(1)}},
		{name: "pseudowire, address 00-1b-21", layers: []layer{bridged, vendor(0x00, 0x1b, 0x21), labelled(1)}},
		{name: "pseudowire with control word", layers: []layer{bridged, controlWord, labelled(2)}},
		{name: "pseudowire with control word, address 00-1b-21", layers: []layer{bridged, vendor(0x00, 0x1b, 0x21), controlWord, labelled(2)}},
		{name: "pseudowire of a VLAN", layers: []layer{tagged(0x8100, 7), bridged, controlWord, labelled(2)}},
		{name: "GRE", layers: []layer{gre(0, false)}},
		{name: "GRE with key", layers: []layer{gre(key, false)}},
		{name: "GRE with sequence number", layers: []layer{gre(seq, false)}},
		{name: "GRE with checksum", layers: []layer{gre(sum, false)}},
		{name: "GRE with all three", layers: []layer{gre(key|seq|sum, false)}},
		{name: "GRE over IPv6", layers: []layer{gre(0, true)}},
		{name: "GRE-TEB", layers: []layer{bridged, gre(0, false)}},
		{name: "GRE-TEB over IPv6", layers: []layer{bridged, gre(0, true)}},
		{name: "NVGRE", layers: []layer{bridged, gre(key, false)}},
		{name: "GRE of MPLS", layers: []layer{labelled(1), gre(0, false)}},
		{name: "GRE of a VLAN", layers: []layer{tagged(0x8100, 42), bridged, gre(0, false)}},
		{name: "PPTP", layers: []layer{pptp}},
		{name: "L2TP", layers: []layer{l2tp, inUDP(false, 1701, true)}},
		{name: "EtherIP", layers: []layer{etherIP}},
		{name: "in IPv4", layers: []layer{inIPv4}}, // IPIP, 6in4
		{name: "in IPv6", layers: []layer{inIPv6}}, // 4in6, 6in6
		{name: "MPLS in IPv4", layers: []layer{labelled(1), inIPv4}},
		{name: "MPLS in UDP", layers: []layer{labelled(1), inUDP(false, 6635, false)}},
		{name: "VXLAN", layers: []layer{bridged, vxlan, vxlan4}},
		{name: "VXLAN over IPv6", layers: []layer{bridged, vxlan, vxlan6}},
		{name: "VXLAN of a VLAN", layers: []layer{tagged(0x8100, 42), bridged, vxlan, vxlan4}},
		{name: "VXLAN, port 8472", layers: []layer{bridged, vxlan, inUDP(false, 8472, false)}},
		{name: "VXLAN-GPE", layers: []layer{gpe, gpe4}},
		{name: "VXLAN-GPE of Ethernet", layers: []layer{bridged, gpe, gpe4}},
		{name: "Geneve", layers: []layer{bridged, geneve(0), geneve4}},
		{name: "Geneve with an option", layers: []layer{bridged, geneve(2), geneve4}},
		{name: "Geneve with long options", layers: []layer{bridged, geneve(32), geneve4}},
		{name: "Geneve of IP", layers: []layer{geneve(0), geneve4}},
		{name: "Geneve over IPv6", layers: []layer{bridged, geneve(1), geneve6}},
		{name: "ERSPAN I", layers: []layer{bridged, as(0x88be), gre(0, false)}},
		{name: "ERSPAN II", layers: []layer{bridged, erspan2, gre(seq, false)}},
		{name: "ERSPAN II over IPv6", layers: []layer{bridged, erspan2, gre(seq, true)}},
		{name: "ERSPAN III", layers: []layer{bridged, erspan3(false), gre(seq, false)}},
		{name: "ERSPAN III with subheader", layers: []layer{bridged, erspan3(true), gre(seq, false)}},
		{name: "GTP-U", layers: []layer{gtp(0), gtp4}},
		{name: "GTP-U with sequence number", layers: []layer{gtp(2), gtp4}},
		{name: "GTP-U with extension header", layers: []layer{gtp(0, [2]byte{0x85, 1}), gtp4}},
		{name: "GTP-U with two", layers: []layer{gtp(2, [2]byte{0x40, 1}, [2]byte{0x85, 2}), gtp4}},
		{name: "GTP-U over IPv6", layers: []layer{gtp(0), gtp6}},
		{name: "Teredo", only: 6, layers: []layer{teredo}},
		{name: "Teredo with origin", only: 6, layers: []layer{teredoOrigin, teredo}},
		{name: "Teredo with authentication", only: 6, layers: []layer{teredoAuthentication, teredo}},
		{name: "Teredo with both", only: 6, layers: []layer{teredoOrigin, teredoAuthentication, teredo}},
		{name: "NSH", layers: []layer{nsh(1, 16)}},
		{name: "NSH, metadata of type 2", layers: []layer{nsh(2, 8)}},
		{name: "NSH without metadata", layers: []layer{nsh(2, 0)}},
		{name: "NSH of Ethernet", layers: []layer{bridged, nsh(1, 16)}},
		{name: "NSH in VXLAN-GPE", layers: []layer{nsh(1, 16), gpe, gpe4}},
		{name: "NSH of Ethernet in VXLAN-GPE", layers: []layer{bridged, nsh(2, 0), gpe, gpe4}},
		{name: "PPPoE", layers: []layer{pppoe}},
		{name: "PPPoE of MPLS", layers: []layer{labelled(1), pppoe}},
		{name: "PPPoE in VXLAN", layers: []layer{pppoe, bridged, vxlan, vxlan4}},
		{name: "PPPoE in a pseudowire", layers: []layer{pppoe, bridged, controlWord, labelled(2)}},
	}
	for i := range all {
		all[i].link = 1
		all[i].layers = append(all[i].layers, ether)
	}
	return append(all, nests()...)
}

// nests are tunnels in tunnels.
func nests() []wrapping {
	vxlan4, geneve6, gtp4 := inUDP(false, 4789, false), inUDP(true, 6081, false), inUDP(false, 2152, true)
	return []wrapping{
		{name: "GRE in IPIP", link: 1, layers: []layer{gre(0, false), inIPv4, ether}},
		{name: "IP in IP in IP", link: 101, layers: []layer{inIPv4, inIPv4}},
		{name: "in IPv4 in IPv6", link: 101, layers: []layer{inIPv4, inIPv6}},
		{name: "VXLAN in 4in6", link: 1, layers: []layer{bridged, vxlan, vxlan4, inIPv6, ether}},
		{name: "ERSPAN II of VXLAN", link: 1, layers: []layer{bridged, vxlan, vxlan4, bridged, erspan2, gre(0x1000, false), ether}},
		{name: "GTP-U in VXLAN on QinQ", link: 1, layers: []layer{gtp(0), gtp4, bridged, vxlan, vxlan4, tagged(0x8100, 42), tagged(0x88a8, 7), ether}},
		{name: "VXLAN on an access point", link: 127, layers: []layer{bridged, vxlan, vxlan4, wifi(fromDS, []byte{0, 0}, 0), radiotap(nil, 0)}},
		{name: "GRE in PPP", link: 9, layers: []layer{gre(0, false), ppp, always(0xff, 3)}},
		{name: "GRE in NFLOG", link: 239, layers: []layer{gre(0, false), nflog}},
		{name: "three: IPIP, GRE, Geneve", link: 276, layers: []layer{inIPv4, gre(0, false), bridged, geneve(1), geneve6, cooked2}},
		{name: "three: MPLS, GRE, PPPoE", link: 1, layers: []layer{labelled(2), gre(0, false), pppoe, ether}},
		{name: "four: IP in IP", link: 101, layers: []layer{inIPv4, inIPv4, inIPv4, inIPv4}},
		{name: "four: IPIP, GRE, Geneve, VXLAN", link: 1, layers: []layer{inIPv4, gre(0, false), bridged, geneve(1), geneve6, bridged, vxlan, vxlan4, ether}},
		{name: "four: GTP-U, 6in4, VXLAN, 4in6", link: 113, layers: []layer{gtp(2), gtp4, inIPv4, bridged, vxlan, vxlan4, inIPv6, cooked}},
	}
}

func TestScanInEveryTunnel(t *testing.T) {
	if testing.Short() {
		t.Skip("is on one goroutine: minutes with the race detector")
	}
	t.Parallel()
	for _, w := range tunnels() {
		t.Run(w.name, w.foundInAll)
	}
}
