package flows

import "encoding/binary"

// loopback reads the address family in front of BSD loopback frames.
func (d *Decoder) loopback(p *Packet, b []byte, wire int, link uint16) bool {
	if len(b) < 4 {
		return d.cut(p, 4, wire)
	}
	family := binary.BigEndian.Uint32(b)
	if link == linkNull && family > 0xffff { // the byte order of the capturing host
		family = binary.LittleEndian.Uint32(b)
	}
	return d.family(p, family, b[4:], wire-4)
}

// family reads what an address family of any system announces.
func (d *Decoder) family(p *Packet, family uint32, b []byte, wire int) bool {
	switch family {
	case 2:
		return d.ipv4(p, b, wire)
	case 10, 24, 28, 30: // AF_INET6 of Linux, NetBSD and OpenBSD, FreeBSD, Darwin
		return d.ipv6(p, b, wire)
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
	switch c.hardware { // of some the protocol field says nothing
	case 770:
		return d.frameRelay(p, b, wire)
	case 801:
		return d.wifi(p, b, wire, 0)
	case 802:
		return d.prism(p, b, wire, linkPrism)
	case 803:
		return d.radiotap(p, b, wire)
	}
	switch {
	case c.protocol == 4: // 802.2 follows
		return d.llc(p, b, wire)
	case c.protocol == 7:
		return d.hdlc(p, b, wire)
	case c.protocol <= maxLength:
		return d.noIP(c.protocol)
	}
	return d.network(p, c.protocol, b, wire)
}
