package flows

import "encoding/binary"

// serial reads the link headers of lines without addresses, and leaves all
// others to special.
func (d *Decoder) serial(p *Packet, b []byte, wire int, link uint16) bool {
	switch link {
	case linkPPP, linkPPPHDLC:
		return d.hdlc(p, b, wire)
	case linkPPPoE:
		return d.pppoe(p, b, wire)
	case linkCHDLC:
		return d.cisco(p, b, wire)
	case linkFrameRelay:
		return d.frameRelay(p, b, wire)
	case linkPPPD, linkPPPDir, linkCHDLCDir, linkFRDir:
	default:
		return d.special(p, b, wire, link)
	}
	if len(b) < 1 {
		return d.cut(p, 1, wire)
	}
	b, wire = b[1:], wire-1 // the first byte is the direction
	switch link {
	case linkPPPD: // it has taken the place of the address
		if len(b) < 1 {
			return d.cut(p, 1, wire)
		}
		return d.ppp(p, b[1:], wire-1)
	case linkCHDLCDir:
		return d.cisco(p, b, wire)
	case linkFRDir:
		return d.frameRelay(p, b, wire)
	}
	return d.hdlc(p, b, wire)
}

// hdlc reads PPP with or without the address and control bytes of HDLC. Some
// programs pass Cisco's HDLC off as PPP.
func (d *Decoder) hdlc(p *Packet, b []byte, wire int) bool {
	if len(b) < 2 {
		return d.cut(p, 2, wire)
	}
	switch binary.BigEndian.Uint16(b) {
	case 0xff03:
		return d.ppp(p, b[2:], wire-2)
	case ciscoUnicast, ciscoMulticast:
		return d.cisco(p, b, wire)
	}
	return d.ppp(p, b, wire)
}

// ppp reads a PPP frame from its protocol number on.
func (d *Decoder) ppp(p *Packet, b []byte, wire int) bool {
	const (
		ipv4          = 0x21
		ipv6          = 0x57
		multilink     = 0x3d
		mplsUnicast   = 0x281
		mplsMulticast = 0x283
	)
	size := 2
	if len(b) > 0 && b[0]&1 != 0 { // compressed to one byte
		size = 1
	}
	if len(b) < size {
		return d.cut(p, size, wire)
	}
	proto := uint16(b[0])
	if size == 2 {
		proto = binary.BigEndian.Uint16(b)
	}
	b, wire = b[size:], wire-size
	switch proto {
	case ipv4:
		return d.ipv4(p, b, wire)
	case ipv6:
		return d.ipv6(p, b, wire)
	case mplsUnicast:
		return d.internet(p, etherMPLS, b, wire)
	case mplsMulticast:
		return d.internet(p, etherMPLSGroup, b, wire)
	case multilink:
		return d.multilink(p, b, wire)
	}
	return d.noIP(etherPPP) // PPP's own numbers would be mistaken for ethertypes
}

// multilink reads the first fragment of a packet that several lines share, if
// its sequence numbers are long, as they are unless the ends agree otherwise.
func (d *Decoder) multilink(p *Packet, b []byte, wire int) bool {
	if len(b) < 4 {
		return d.cut(p, 4, wire)
	}
	if b[0]&0x80 == 0 || b[0]&0x3f != 0 || !d.deeper() {
		return d.noIP(etherPPP)
	}
	ok := d.ppp(p, b[4:], wire-4)
	d.nesting--
	return ok
}

// pppoe reads PPP over Ethernet from its own header on.
func (d *Decoder) pppoe(p *Packet, b []byte, wire int) bool {
	if len(b) < 6 {
		return d.cut(p, 6, wire)
	}
	if b[0] != 0x11 || b[1] != 0 {
		return d.noIP(etherPPPoE)
	}
	size := int(binary.BigEndian.Uint16(b[4:]))
	b, wire = shorten(b[6:], wire-6, size)
	return d.ppp(p, b, wire)
}

// shorten bounds a payload, and its length on the wire, to size bytes.
func shorten(b []byte, wire, size int) ([]byte, int) {
	return b[:min(size, len(b))], min(size, wire)
}

// Address and control bytes of Cisco's HDLC.
const (
	ciscoUnicast   = 0x0f00
	ciscoMulticast = 0x8f00
)

// cisco reads Cisco's HDLC: address, control, ethertype.
func (d *Decoder) cisco(p *Packet, b []byte, wire int) bool {
	if len(b) < 4 {
		return d.cut(p, 4, wire)
	}
	ethertype := binary.BigEndian.Uint16(b[2:])
	if ethertype <= maxLength {
		return d.noIP(ethertype)
	}
	return d.network(p, ethertype, b[4:], wire-4)
}

// frameRelay reads a Q.922 address of two to four bytes, and what RFC 2427 or
// Cisco's encapsulation put behind it.
func (d *Decoder) frameRelay(p *Packet, b []byte, wire int) bool {
	n := 1
	for n <= len(b) && b[n-1]&1 == 0 { // the last byte of the address is odd
		n++
	}
	switch {
	case n == 1 && len(b) > 0, n > 4:
		return d.noIP(etherNone)
	case len(b) < n+2:
		return d.cut(p, n+2, wire)
	}
	if b[n] == 0x03 {
		return d.multiprotocol(p, b[n+1:], wire-n-1)
	}
	ethertype := binary.BigEndian.Uint16(b[n:])
	if ethertype <= maxLength {
		return d.noIP(etherNone)
	}
	return d.network(p, ethertype, b[n+2:], wire-n-2)
}

// multiprotocol reads the protocol identifier of RFC 2427.
func (d *Decoder) multiprotocol(p *Packet, b []byte, wire int) bool {
	const (
		ipv4 = 0xcc
		ipv6 = 0x8e
		ppp  = 0xcf
		snap = 0x80
	)
	if len(b) > 0 && b[0] == 0 { // a byte to make the header even
		b, wire = b[1:], wire-1
	}
	if len(b) < 1 {
		return d.cut(p, 1, wire)
	}
	id := b[0]
	b, wire = b[1:], wire-1
	switch id {
	case ipv4:
		return d.ipv4(p, b, wire)
	case ipv6:
		return d.ipv6(p, b, wire)
	case ppp:
		return d.ppp(p, b, wire)
	case snap:
	default:
		return d.noIP(etherNone)
	}
	if len(b) < 5 {
		return d.cut(p, 5, wire)
	}
	organisation, number := binary.BigEndian.Uint32(b)>>8, binary.BigEndian.Uint16(b[3:])
	b, wire = b[5:], wire-5
	if organisation == 0x0080c2 && (number == 1 || number == 7) {
		return d.bridged(p, etherNone, b, wire)
	}
	return d.snap(p, organisation, number, b, wire)
}
