package flows

import "encoding/binary"

// LINKTYPE numbers, as tcpdump.org/linktypes.html has them.
const (
	linkNull         = 0
	linkEthernet     = 1
	linkTokenRing    = 6
	linkSLIP         = 8
	linkPPP          = 9
	linkFDDI         = 10
	linkRawBSD       = 12
	linkRawOpen      = 14 // DLT_RAW of OpenBSD
	linkPPPHDLC      = 50
	linkPPPoE        = 51
	linkATM          = 100
	linkRaw          = 101
	linkCHDLC        = 104
	linkWiFi         = 105
	linkFrameRelay   = 107
	linkLoop         = 108
	linkEnc          = 109
	linkSLL          = 113
	linkPFLOG        = 117
	linkPrism        = 119
	linkIPoverFC     = 122
	linkRadiotap     = 127
	linkFireWire     = 138
	linkUser2        = 149 // DLT_PKTAP of macOS
	linkAVS          = 163
	linkPPPD         = 166
	linkJuniperEther = 178
	linkJuniperPPP   = 179
	linkJuniperFR    = 180
	linkJuniperCHDLC = 181
	linkPPI          = 192
	linkPPPDir       = 204
	linkCHDLCDir     = 205
	linkFRDir        = 206
	linkIPNET        = 226
	linkIPv4         = 228
	linkIPv6         = 229
	linkNFLOG        = 239
	linkIPoIB        = 242
	linkPKTAP        = 258
	linkSLL2         = 276
	linkBroadcom     = 281
	linkBroadcomPre  = 282
	linkDSA          = 284
	linkEDSA         = 285
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

const (
	maxTags    = 4 // VLAN tags in a row
	maxNesting = 8 // frames, and tags other than VLAN's, within a frame
)

// deeper enters a frame within a frame, unless it is one too many. Whoever
// enters one takes it off nesting again.
func (d *Decoder) deeper() bool {
	if d.nesting == maxNesting {
		return false
	}
	d.nesting++
	return true
}

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
	case linkWiFi:
		return d.wifi(p, b, wire, 0)
	case linkRadiotap:
		return d.radiotap(p, b, wire)
	case linkPrism, linkAVS:
		return d.prism(p, b, wire, link)
	case linkPPI:
		return d.ppi(p, b, wire)
	}
	return d.serial(p, b, wire, link)
}

func (d *Decoder) ethernet(p *Packet, b []byte, wire int) bool {
	if len(b) < 14 {
		return d.cut(p, 14, wire)
	}
	h := (*[14]byte)(b)
	p.SrcMAC = [6]byte(h[6:12])
	if h[0]&1 != 0 {
		p.Marks |= MarkGroup
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
	return d.tagged(p, ethertype, b, wire)
}

// llc reads an 802.2 header. SNAP carries IP, and the service access point
// that is IP's own.
func (d *Decoder) llc(p *Packet, b []byte, wire int) bool {
	const (
		ownIP = 0x060603
		snap  = 0xaaaa03
	)
	if wire < 8 {
		return d.noIP(etherNone)
	}
	if len(b) < 8 {
		return d.cut(p, 8, wire)
	}
	h := binary.BigEndian.Uint64(b)
	switch h >> 40 {
	case ownIP:
		return d.ipv4(p, b[3:], wire-3)
	case snap:
		return d.snap(p, uint32(h>>16)&0xffffff, uint16(h), b[8:], wire-8)
	}
	return d.noIP(etherNone)
}

// snap reads what a SNAP header announces: an organisation and, where that is
// none or the one of bridges between 802 networks, an ethertype.
func (d *Decoder) snap(p *Packet, organisation uint32, ethertype uint16, b []byte, wire int) bool {
	const bridges = 0x0000f8
	switch {
	case organisation != 0 && organisation != bridges:
		return d.noIP(etherNone)
	case ethertype <= maxLength || !d.deeper():
		return d.noIP(ethertype)
	}
	ok := d.network(p, ethertype, b, wire)
	d.nesting--
	return ok
}

// noIP counts a frame that has nothing for the table, unless it is one inside
// a packet: then it is that packet's to count.
func (d *Decoder) noIP(ethertype uint16) bool {
	if d.tunnel.carried == 0 {
		d.ethertypes.add(ethertype)
	}
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
