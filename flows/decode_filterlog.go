package flows

import "encoding/binary"

// pflog reads the header that packet filters of the BSDs log packets with.
func (d *Decoder) pflog(p *Packet, b []byte, wire int) bool {
	if len(b) < 4 {
		return d.cut(p, 4, wire)
	}
	size := (int(b[0]) + 3) &^ 3
	if size < 48 { // no version had less
		d.malformed++
		return false
	}
	if len(b) < size {
		return d.cut(p, size, wire)
	}
	return d.family(p, uint32(b[1]), b[size:], wire-size)
}

// enc reads the header of OpenBSD's interface for decrypted IPsec: an address
// family in the byte order of the capturing host, an SPI and flags.
func (d *Decoder) enc(p *Packet, b []byte, wire int) bool {
	if len(b) < 12 {
		return d.cut(p, 12, wire)
	}
	family := binary.LittleEndian.Uint32(b)
	if family > 0xffff {
		family = binary.BigEndian.Uint32(b)
	}
	return d.family(p, family, b[12:], wire-12)
}

// ipnet reads the header of Solaris' IP observability devices.
func (d *Decoder) ipnet(p *Packet, b []byte, wire int) bool {
	if len(b) < 24 {
		return d.cut(p, 24, wire)
	}
	switch b[1] {
	case 2:
		return d.ipv4(p, b[24:], wire-24)
	case 26:
		return d.ipv6(p, b[24:], wire-24)
	}
	return d.noIP(etherNone)
}

// nflog reads the attributes that Linux' netfilter logs packets with. They are
// in the byte order of the capturing host, which the first one betrays: their
// types are below 256.
func (d *Decoder) nflog(p *Packet, b []byte, wire int) bool {
	const packetHeader, payload, hardwareAddress = 1, 9, 8
	if len(b) < 8 {
		return d.cut(p, 8, wire)
	}
	if b[1] != 0 { // a version that does not exist yet
		return d.noIP(etherNone)
	}
	big := b[6] == 0
	u16 := func(b []byte) uint16 {
		if big {
			return binary.BigEndian.Uint16(b)
		}
		return binary.LittleEndian.Uint16(b)
	}
	family, ethertype := b[0], uint16(0)
	b, wire = b[4:], wire-4
	for len(b) >= 4 {
		size, kind := int(u16(b)), u16(b[2:])&0x3fff
		if size < 4 {
			d.malformed++
			return false
		}
		value, valueWire := shorten(b[4:], wire-4, size-4)
		switch {
		case kind == payload:
			return d.logged(p, value, valueWire, family, ethertype)
		case kind == packetHeader && len(value) >= 4:
			ethertype = binary.BigEndian.Uint16(value)
		case kind == hardwareAddress && len(value) >= 10 && binary.BigEndian.Uint16(value) == 6:
			p.SrcMAC = [6]byte(value[4:])
		}
		size = (size + 3) &^ 3
		b, wire = b[min(size, len(b)):], max(wire-size, 0)
	}
	if wire >= 4 { // the payload is further on
		return d.cut(p, 4, wire)
	}
	return d.noIP(etherNone)
}

// logged reads the payload that netfilter logged: family is IPv4's or IPv6's,
// or that of a bridge, whose packets state their ethertype.
func (d *Decoder) logged(p *Packet, b []byte, wire int, family byte, ethertype uint16) bool {
	switch {
	case family == 2:
		return d.ipv4(p, b, wire)
	case family == 10:
		return d.ipv6(p, b, wire)
	case ethertype > maxLength:
		return d.network(p, ethertype, b, wire)
	}
	return d.noIP(ethertype)
}

// pktap reads the header of macOS' capture of several interfaces, which states
// the link type of each frame. It also stands under a link type for private
// use, where only a header that looks like one is taken for one.
func (d *Decoder) pktap(p *Packet, b []byte, wire int, link uint16) bool {
	const packet, least = 1, 108
	if len(b) < 12 {
		return d.cut(p, 12, wire)
	}
	order := binary.ByteOrder(binary.LittleEndian)
	if b[0] == 0 && b[1] == 0 {
		order = binary.BigEndian
	}
	size, kind := order.Uint32(b), order.Uint32(b[4:])
	switch {
	case link == linkUser2 && (size < least || size > 1<<10 || kind > packet):
		d.links.add(link)
		return false
	case size < 12 || size > 0xffff:
		d.malformed++
		return false
	case kind != packet:
		return d.noIP(etherNone)
	case len(b) < int(size):
		return d.cut(p, int(size), wire)
	}
	return d.inner(p, b[size:], wire-int(size), order.Uint32(b[8:]), link)
}
