package flows

import "encoding/binary"

// LINKTYPE numbers, as tcpdump.org/linktypes.html has them.
const (
	linkNull     = 0
	linkEthernet = 1
	linkRawBSD   = 12
	linkRawOpen  = 14 // DLT_RAW of OpenBSD
	linkRaw      = 101
	linkLoop     = 108
	linkSLL      = 113
	linkIPv4     = 228
	linkIPv6     = 229
	linkSLL2     = 276
)

// Ethertypes.
const (
	etherIPv4 = 0x0800
	etherARP  = 0x0806
	etherVLAN = 0x8100
	etherIPv6 = 0x86dd
	etherQinQ = 0x88a8
	etherOld  = 0x9100 // QinQ before it was standardised

	// etherNone is what frames without an ethertype are counted under.
	etherNone = 0
	// maxLength is the greatest value of the ethertype field that is a length.
	maxLength = 1500
)

// maxTags bounds the VLAN tags of a frame.
const maxTags = 4

// link reads the link header, of any type but Ethernet, and what follows. wire is the length of b on the
// wire, never below len(b).
func (d *Decoder) link(p *Packet, b []byte, wire int, link uint16) bool {
	switch link {
	case linkRaw, linkRawBSD, linkRawOpen:
		return d.raw(p, b, wire)
	case linkIPv4:
		return d.ipv4(p, b, wire)
	case linkIPv6:
		return d.ipv6(p, b, wire)
	case linkNull, linkLoop:
		return d.loopback(p, b, wire, link)
	case linkSLL:
		return d.sll(p, b, wire)
	case linkSLL2:
		return d.sll2(p, b, wire)
	}
	d.links.add(link)
	return false
}

func (d *Decoder) ethernet(p *Packet, b []byte, wire int) bool {
	if len(b) < 14 {
		return d.cut(p, 14, wire)
	}
	h := (*[14]byte)(b)
	p.SrcMAC = [6]byte(h[6:12])
	if h[0]&1 != 0 {
		p.Marks = MarkGroup
	}
	if h[12] == etherIPv4>>8 && h[13] == 0 {
		return d.ipv4(p, b[14:], wire-14)
	}
	return d.network(p, binary.BigEndian.Uint16(h[12:14]), b[14:], wire-14)
}

// network reads what an ethertype announces, through VLAN tags and SNAP.
func (d *Decoder) network(p *Packet, ethertype uint16, b []byte, wire int) bool {
	for tags := 0; ethertype == etherVLAN || ethertype == etherQinQ || ethertype == etherOld; tags++ {
		if tags == maxTags {
			return d.noIP(ethertype)
		}
		if len(b) < 4 {
			return d.cut(p, 4, wire)
		}
		if p.VLAN == 0 { // a tag with id 0 carries a priority and names no VLAN
			p.VLAN = binary.BigEndian.Uint16(b) & 0xfff
		}
		ethertype = binary.BigEndian.Uint16(b[2:])
		b, wire = b[4:], wire-4
	}
	if ethertype > maxLength {
		return d.internet(p, ethertype, b, wire)
	}
	if n := int(ethertype); n < wire { // the rest is padding
		b, wire = b[:min(n, len(b))], n
	}
	return d.llc(p, b, wire)
}

// internet reads what an ethertype announces that is neither tag nor length.
func (d *Decoder) internet(p *Packet, ethertype uint16, b []byte, wire int) bool {
	switch ethertype {
	case etherIPv4:
		return d.ipv4(p, b, wire)
	case etherIPv6:
		return d.ipv6(p, b, wire)
	case etherARP:
		return d.arp(p, b, wire)
	}
	return d.noIP(ethertype)
}

// llc reads an 802.2 header. Only SNAP with an ethertype carries IP.
func (d *Decoder) llc(p *Packet, b []byte, wire int) bool {
	const snap = 0xaaaa03000000
	if wire < 8 {
		return d.noIP(etherNone)
	}
	if len(b) < 8 {
		return d.cut(p, 8, wire)
	}
	h := binary.BigEndian.Uint64(b)
	if h>>16 != snap {
		return d.noIP(etherNone)
	}
	return d.internet(p, uint16(h), b[8:], wire-8)
}

// noIP counts a frame that has nothing for the table.
func (d *Decoder) noIP(ethertype uint16) bool {
	d.ethertypes.add(ethertype)
	return false
}

// raw reads a frame that starts with an IP header of either version.
func (d *Decoder) raw(p *Packet, b []byte, wire int) bool {
	if len(b) == 0 {
		return d.cut(p, 1, wire)
	}
	if b[0]>>4 == 6 {
		return d.ipv6(p, b, wire)
	}
	return d.ipv4(p, b, wire)
}

// loopback reads the address family in front of BSD loopback frames.
func (d *Decoder) loopback(p *Packet, b []byte, wire int, link uint16) bool {
	if len(b) < 4 {
		return d.cut(p, 4, wire)
	}
	family := binary.BigEndian.Uint32(b)
	if link == linkNull && family > 0xffff { // the byte order of the capturing host
		family = binary.LittleEndian.Uint32(b)
	}
	switch family {
	case 2:
		return d.ipv4(p, b[4:], wire-4)
	case 10, 24, 28, 30: // AF_INET6 of Linux, NetBSD, FreeBSD and Darwin
		return d.ipv6(p, b[4:], wire-4)
	}
	return d.noIP(etherNone)
}

// sll reads the header of Linux "cooked" captures.
func (d *Decoder) sll(p *Packet, b []byte, wire int) bool {
	if len(b) < 16 {
		return d.cut(p, 16, wire)
	}
	h := (*[16]byte)(b)
	c := cooked{
		kind:     binary.BigEndian.Uint16(h[0:2]),
		hardware: binary.BigEndian.Uint16(h[2:4]),
		protocol: binary.BigEndian.Uint16(h[14:16]),
	}
	if binary.BigEndian.Uint16(h[4:6]) == 6 {
		p.SrcMAC = [6]byte(h[6:12])
	}
	return d.cooked(p, c, b[16:], wire-16)
}

// sll2 reads the second version of it, which tcpdump -i any writes.
func (d *Decoder) sll2(p *Packet, b []byte, wire int) bool {
	if len(b) < 20 {
		return d.cut(p, 20, wire)
	}
	h := (*[20]byte)(b)
	c := cooked{
		kind:     uint16(h[10]),
		hardware: binary.BigEndian.Uint16(h[8:10]),
		protocol: binary.BigEndian.Uint16(h[0:2]),
	}
	if h[11] == 6 {
		p.SrcMAC = [6]byte(h[12:18])
	}
	return d.cooked(p, c, b[20:], wire-20)
}

// cooked is what both cooked headers say.
type cooked struct {
	kind     uint16 // 1 broadcast, 2 multicast
	hardware uint16 // ARPHRD_ number
	protocol uint16 // ethertype, or one of Linux' own numbers below 1536
}

func (d *Decoder) cooked(p *Packet, c cooked, b []byte, wire int) bool {
	if c.kind == 1 || c.kind == 2 {
		p.Marks = MarkGroup
	}
	switch {
	case c.hardware >= 801 && c.hardware <= 803: // 802.11: the protocol field says nothing
		return d.noIP(etherNone)
	case c.protocol == 4: // 802.2 follows
		return d.llc(p, b, wire)
	case c.protocol <= maxLength:
		return d.noIP(c.protocol)
	}
	return d.network(p, c.protocol, b, wire)
}
