package flows

import (
	"encoding/binary"
	"slices"
)

// wrapping puts a packet inside another.
type wrapping struct {
	name string
	kind Tunnel
	// ethernet says that it carries Ethernet frames; else it carries IP.
	ethernet bool
	// shim says that there is no IP packet around what it carries: around
	// gives an Ethernet frame, not an IP packet.
	shim   bool
	around func(in []byte) []byte
}

// outer4 is an IPv4 packet between two ends of a tunnel.
func outer4(proto byte, payload ...[]byte) []byte {
	b := inet(proto, slices.Concat(payload...), put(12, 203, 0, 113, 1, 203, 0, 113, 2))
	return b
}

// outer6 is outer4 for IPv6.
func outer6(next byte, payload ...[]byte) []byte {
	return inet6(next, slices.Concat(payload...), put(8, unhex("20010db800ff00000000000000000001 20010db800ff00000000000000000002")...))
}

// outerUDP is a datagram between two ends of a tunnel.
func outerUDP(port int, payload ...[]byte) []byte {
	body := slices.Concat(payload...)
	return outer4(17, u16(50000), u16(port), u16(8+len(body)), u16(0), body)
}

// ethertypeOf is the ethertype of an IP packet.
func ethertypeOf(in []byte) []byte {
	if in[0]>>4 == 6 {
		return u16(etherIPv6)
	}
	return u16(etherIPv4)
}

// protocolOf is the protocol number of an IP packet in IP.
func protocolOf(in []byte) byte {
	if in[0]>>4 == 6 {
		return protoIPv6
	}
	return protoIPv4
}

// nextOf is the next protocol of an IP packet in NSH and VXLAN-GPE.
func nextOf(in []byte) byte {
	if in[0]>>4 == 6 {
		return 2
	}
	return 1
}

// backbone is an Ethernet header between two ends of a tunnel.
func backbone(ethertype int, parts ...[]byte) []byte {
	return slices.Concat(unhex("0200000000ee 0200000000dd"), u16(ethertype), slices.Concat(parts...))
}

// gtpOf is a G-PDU; options follow the first 8 bytes.
func gtpOf(flags byte, options string, in []byte) []byte {
	o := unhex(options)
	return outerUDP(2152, []byte{0x30 | flags, 0xff}, u16(len(o)+len(in)), unhex("00000042"), o, in)
}

// ipWrappings carry IP packets.
func ipWrappings() []wrapping {
	gre := func(head string) func([]byte) []byte {
		return func(in []byte) []byte {
			h := unhex(head)
			copy(h[2:], ethertypeOf(in))
			return outer4(47, h, in)
		}
	}
	return []wrapping{
		{"ip in ip", TunnelIP, false, false, func(in []byte) []byte { return outer4(protocolOf(in), in) }},
		{"ip in ipv6", TunnelIP, false, false, func(in []byte) []byte { return outer6(protocolOf(in), in) }},
		{"ip in ipv6 with options", TunnelIP, false, false, func(in []byte) []byte {
			return outer6(60, []byte{protocolOf(in)}, unhex("00 0401040000 00"), in) // tunnel encapsulation limit
		}},
		{"ip in ip behind AH", TunnelIP, false, false, func(in []byte) []byte {
			return outer4(51, []byte{protocolOf(in), 4, 0, 0}, make([]byte, 20), in)
		}},
		{"gre", TunnelGRE, false, false, gre("0000 0000")},
		{"gre with checksum", TunnelGRE, false, false, gre("8000 0000 12340000")},
		{"gre with key", TunnelGRE, false, false, gre("2000 0000 00000001")},
		{"gre with sequence", TunnelGRE, false, false, gre("1000 0000 00000001")},
		{"gre with all", TunnelGRE, false, false, gre("b000 0000 12340000 00000001 00000002")},
		{"gre with routes", TunnelGRE, false, false, gre("4000 0000 00000000 08000004 c0000201 00000000")},
		{"gre in ipv6", TunnelGRE, false, false, func(in []byte) []byte { return outer6(47, u16(0), ethertypeOf(in), in) }},
		{"gre with a tag", TunnelGRE, false, false, func(in []byte) []byte {
			return outer4(47, unhex("0000 8100 0007"), ethertypeOf(in), in)
		}},
		{"pptp", TunnelPPTP, false, false, func(in []byte) []byte {
			return outer4(47, unhex("3081 880b"), u16(len(in)+4), unhex("0001 00000005 00000006 ff03 00"), pppOf(in), in)
		}},
		{"gpe", TunnelVXLANGPE, false, false, func(in []byte) []byte {
			return outerUDP(4790, unhex("0c0000"), []byte{nextOf(in)}, unhex("00000500"), in)
		}},
		{"nsh in gpe", TunnelNSH, false, false, func(in []byte) []byte {
			return outerUDP(4790, unhex("0c000004 00000500"), unhex("0fc202"), []byte{nextOf(in)}, unhex("00000aff"), in)
		}},
		{"geneve", TunnelGeneve, false, false, func(in []byte) []byte {
			return outerUDP(6081, unhex("0000"), ethertypeOf(in), unhex("00000500"), in)
		}},
		{"gtp", TunnelGTP, false, false, func(in []byte) []byte { return gtpOf(0, "", in) }},
		{"gtp with sequence", TunnelGTP, false, false, func(in []byte) []byte { return gtpOf(2, "0001 00 00", in) }},
		{"gtp with extensions", TunnelGTP, false, false, func(in []byte) []byte {
			return gtpOf(4, "0000 00 85 01 100085 02 10000000000000", in)
		}},
		{"mpls over udp", TunnelMPLS, false, false, func(in []byte) []byte { return outerUDP(6635, unhex("0001e140"), in) }},
		{"mpls over ip", TunnelMPLS, false, false, func(in []byte) []byte { return outer4(137, unhex("00010040 0001e140"), in) }},
		{"l2tp", TunnelL2TP, false, false, func(in []byte) []byte {
			return outerUDP(1701, unhex("0002 0001 0002 ff03 00"), pppOf(in), in)
		}},
		{"l2tp with all", TunnelL2TP, false, false, func(in []byte) []byte {
			return outerUDP(1701, unhex("4a02"), u16(18+len(in)), unhex("0001 0002 0001 0002 0002 0000 00"), pppOf(in), in)
		}},
		{"ayiya", TunnelAYIYA, false, false, func(in []byte) []byte {
			return outerUDP(5072, unhex("4152 11"), []byte{protocolOf(in)}, unhex("5fffffff"), make([]byte, 16+20), in)
		}},
		{"mpls", TunnelMPLS, false, true, func(in []byte) []byte { return backbone(etherMPLS, unhex("0001e140"), in) }},
		{"mpls, three labels, to a group", TunnelMPLS, false, true, func(in []byte) []byte {
			return backbone(etherMPLSGroup, unhex("0001e040 0001f040 00001140"), in)
		}},
		{"mpls with entropy", TunnelMPLS, false, true, func(in []byte) []byte {
			return backbone(etherMPLS, unhex("0001e040 00007040 00123100"), in)
		}},
		{"gre with cisco's tag", TunnelGRE, false, false, func(in []byte) []byte {
			return outer4(47, unhex("2000 8909 00000028"), ethertypeOf(in), unhex("01 01 0001 0007"), in)
		}},
		{"nsh", TunnelNSH, false, true, func(in []byte) []byte {
			return backbone(etherNSH, unhex("0fc601"), []byte{nextOf(in)}, unhex("00000aff"), make([]byte, 16), in)
		}},
	}
}

// pppOf is the last byte of PPP's protocol number of an IP packet.
func pppOf(in []byte) []byte {
	if in[0]>>4 == 6 {
		return []byte{0x57}
	}
	return []byte{0x21}
}

// teredoWrappings carry IPv6 packets only.
func teredoWrappings() []wrapping {
	teredo := func(indicators string) func([]byte) []byte {
		return func(in []byte) []byte { return outerUDP(3544, unhex(indicators), in) }
	}
	return []wrapping{
		{"teredo", TunnelTeredo, false, false, teredo("")},
		{"teredo with origin", TunnelTeredo, false, false, teredo("0000 1234 c6336414")},
		{"teredo with authentication", TunnelTeredo, false, false, teredo("0001 02 03 aabb ccddee 0102030405060708 00")},
		{"teredo with both", TunnelTeredo, false, false, teredo("0001 00 00 0102030405060708 00 0000 1234 c6336414")},
	}
}

// ethernetWrappings carry Ethernet frames.
func ethernetWrappings() []wrapping {
	in4 := func(proto byte, head string) func([]byte) []byte {
		return func(in []byte) []byte { return outer4(proto, unhex(head), in) }
	}
	inUDP := func(port int, head string) func([]byte) []byte {
		return func(in []byte) []byte { return outerUDP(port, unhex(head), in) }
	}
	return []wrapping{
		{"gre teb", TunnelGRE, true, false, in4(47, "0000 6558")},
		{"nvgre", TunnelGRE, true, false, in4(47, "2000 6558 00000501")},
		{"erspan I", TunnelERSPAN, true, false, in4(47, "0000 88be")},
		{"erspan II", TunnelERSPAN, true, false, in4(47, "1000 88be 00000001 10640001 00000000")},
		{"erspan III", TunnelERSPAN, true, false, in4(47, "1000 22eb 00000001 20640001 00000000 0000 0000")},
		{"erspan III with subheader", TunnelERSPAN, true, false, in4(47, "1000 22eb 00000001 20640001 00000000 0000 0001 0102030405060708")},
		{"802.11 in gre", TunnelGRE, true, false, func(in []byte) []byte {
			wifi := slices.Concat(unhex("0801 0000 0200000000aa"), in[6:12], in[:6], unhex("0000 aaaa03000000"))
			return outer4(47, unhex("0000 8200"), wifi, in[12:])
		}},
		{"etherip", TunnelEtherIP, true, false, in4(97, "3000")},
		{"vxlan", TunnelVXLAN, true, false, inUDP(4789, "08000000 00000500")},
		{"vxlan on the old port", TunnelVXLAN, true, false, inUDP(8472, "08000000 00000500")},
		{"vxlan with group policy", TunnelVXLAN, true, false, inUDP(4789, "88401234 00000500")},
		{"gpe with ethernet", TunnelVXLANGPE, true, false, inUDP(4790, "0c000003 00000500")},
		{"geneve with ethernet", TunnelGeneve, true, false, inUDP(6081, "0000 6558 00000500")},
		{"geneve with options", TunnelGeneve, true, false, inUDP(6081, "0340 6558 00000500 010201020000000000000000")},
		{"gtp with ethernet", TunnelGTP, true, false, func(in []byte) []byte { return gtpOf(0, "", in) }},
		{"pseudowire over udp", TunnelMPLS, true, false, inUDP(6635, "0001e140 00000007")},
		{"pseudowire", TunnelMPLS, true, true, func(in []byte) []byte { return backbone(etherMPLS, unhex("0001e140"), in) }},
		{"pseudowire with control word", TunnelMPLS, true, true, func(in []byte) []byte {
			return backbone(etherMPLS, unhex("0001e040 0001e140 00000007"), in)
		}},
		{"nsh with ethernet", TunnelNSH, true, true, func(in []byte) []byte {
			return backbone(etherNSH, unhex("0fc20203 00000aff"), in)
		}},
	}
}

// allWrappings are those that carry IPv6, directly or in Ethernet.
func allWrappings() []wrapping {
	return slices.Concat(ipWrappings(), teredoWrappings(), ethernetWrappings())
}

// wrap puts the frame of one link type inside a tunnel, and returns the frame
// that comes of it and its link type. A frame of IP comes in as linkRaw.
func (w wrapping) wrap(link uint16, data []byte) (uint16, []byte) {
	switch {
	case w.ethernet && link == linkRaw:
		data = ether(int(binary.BigEndian.Uint16(ethertypeOf(data))), data)
	case !w.ethernet && link == linkEthernet:
		data = data[14:] // one without tags
	}
	if w.shim {
		return linkEthernet, w.around(data)
	}
	return linkRaw, w.around(data)
}

// tunnelSeeds are frames with a SYN inside each tunnel, and in four and five
// tunnels, for the tests over all frames.
func tunnelSeeds() []seed {
	var s []seed
	v4, v6 := inet(6, synHeader), inet6(6, synHeader)
	for _, w := range allWrappings() {
		if w.kind != TunnelTeredo {
			link, data := w.wrap(linkRaw, v4)
			s = append(s, seed{w.name + " v4", link, data})
		}
		link, data := w.wrap(linkRaw, v6)
		s = append(s, seed{w.name + " v6", link, data})
	}
	for depth := 2; depth <= maxDepth+1; depth++ {
		link, data := uint16(linkRaw), v6
		for range depth {
			link, data = ipWrappings()[1].wrap(link, data)
		}
		s = append(s, seed{"deep", link, data})
	}
	for _, c := range ordinaryCases() {
		s = append(s, seed{c.name, linkRaw, c.data})
	}
	for _, c := range carrierCases() {
		s = append(s, seed{c.name, linkRaw, c.data})
	}
	return s
}
