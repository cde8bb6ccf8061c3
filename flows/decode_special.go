package flows

import "encoding/binary"

// special reads the link headers that captures seldom have.
func (d *Decoder) special(p *Packet, b []byte, wire int, link uint16) bool {
	switch link {
	case linkPFLOG:
		return d.pflog(p, b, wire)
	case linkNFLOG:
		return d.nflog(p, b, wire)
	case linkPKTAP, linkUser2:
		return d.pktap(p, b, wire, link)
	case linkEnc:
		return d.enc(p, b, wire)
	case linkIPNET:
		return d.ipnet(p, b, wire)
	case linkSLIP:
		return d.slip(p, b, wire)
	case linkFDDI:
		return d.fddi(p, b, wire)
	case linkTokenRing:
		return d.tokenRing(p, b, wire)
	case linkATM:
		return d.llc(p, b, wire)
	case linkIPoverFC:
		if len(b) < 16 {
			return d.cut(p, 16, wire)
		}
		return d.llc(p, b[16:], wire-16)
	case linkFireWire:
		return d.typed(p, b, wire, 16)
	case linkIPoIB:
		return d.typed(p, b, wire, 40)
	case linkJuniperEther, linkJuniperPPP, linkJuniperFR, linkJuniperCHDLC:
		return d.juniper(p, b, wire, link)
	case linkBroadcom, linkBroadcomPre, linkDSA, linkEDSA:
		return d.switched(p, b, wire, link)
	}
	d.links.add(link)
	return false
}

// typed reads a header with an ethertype behind the first at bytes. InfiniBand
// has two more bytes behind it.
func (d *Decoder) typed(p *Packet, b []byte, wire, at int) bool {
	header := at + 2
	if at == 40 {
		header += 2
	}
	if len(b) < header {
		return d.cut(p, header, wire)
	}
	ethertype := binary.BigEndian.Uint16(b[at:])
	if ethertype <= maxLength {
		return d.noIP(ethertype)
	}
	return d.network(p, ethertype, b[header:], wire-header)
}

// slip reads the header of 16 bytes that the BSDs put in front of SLIP: the
// direction, and the compressed header that the packet came with.
func (d *Decoder) slip(p *Packet, b []byte, wire int) bool {
	if len(b) < 16 {
		return d.cut(p, 16, wire)
	}
	if b[0] > 1 {
		return d.noIP(etherNone)
	}
	return d.raw(p, b[16:], wire-16)
}

// fddi reads a frame control byte and two addresses. Whether their bits are
// swapped depends on the capturing system, so that no group is told by them.
func (d *Decoder) fddi(p *Packet, b []byte, wire int) bool {
	if len(b) < 13 {
		return d.cut(p, 13, wire)
	}
	if b[0]&0xf0 != 0x50 { // not 802.2 frames
		return d.noIP(etherNone)
	}
	p.SrcMAC = [6]byte(b[7:13])
	return d.llc(p, b[13:], wire-13)
}

// tokenRing reads access and frame control, two addresses and the route, which
// there is if the source address says so in its group bit.
func (d *Decoder) tokenRing(p *Packet, b []byte, wire int) bool {
	const routed, lengths = 0x80, 0x1f
	header := 14
	if len(b) < header+2 {
		return d.cut(p, header+2, wire)
	}
	if b[1]>>6 != 1 { // not 802.2 frames
		return d.noIP(etherNone)
	}
	p.SrcMAC = [6]byte(b[8:14])
	if b[8]&routed != 0 {
		p.SrcMAC[0] &^= routed
		header += int(b[14] & lengths)
	}
	if len(b) < header {
		return d.cut(p, header, wire)
	}
	return d.llc(p, b[header:], wire-header)
}

// juniper reads the header that Juniper's routers put in front of the link
// header, or instead of it.
func (d *Decoder) juniper(p *Packet, b []byte, wire int, link uint16) bool {
	const magic, bare, extended = 0x4d4743, 0x02, 0x80
	if len(b) < 6 {
		return d.cut(p, 6, wire)
	}
	if binary.BigEndian.Uint32(b)>>8 != magic {
		d.malformed++
		return false
	}
	flags, header := b[3], 4
	if flags&extended != 0 {
		header = 6 + int(binary.BigEndian.Uint16(b[4:]))
	}
	if flags&bare != 0 {
		header += 4 // a number for the protocol in place of the link header
	}
	if len(b) < header {
		return d.cut(p, header, wire)
	}
	b, wire = b[header:], wire-header
	switch {
	case flags&bare != 0:
		return d.raw(p, b, wire)
	case link == linkJuniperEther:
		return d.ethernet(p, b, wire)
	case link == linkJuniperFR:
		return d.frameRelay(p, b, wire)
	}
	return d.hdlc(p, b, wire)
}
