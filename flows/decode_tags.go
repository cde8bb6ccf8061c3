package flows

import "encoding/binary"

// Ethertypes of what switches put between the addresses of a frame and the
// ethertype it had, or around the whole frame.
const (
	etherPPPoE      = 0x8864
	etherLongLLC    = 0x8870 // 802.2 in a frame too long for its length to be stated
	etherMACsec     = 0x88e5
	etherBackbone   = 0x88e7 // 802.1ah
	etherFabricPath = 0x8903
	etherCisco      = 0x8909 // Cisco metadata: security group tags
	etherVNTag      = 0x8926
	etherETag       = 0x893f // 802.1BR
	etherTRILL      = 0x22f3
	etherPPP        = 0x880b
	etherEDSA       = 0xdada // Marvell's switch chips
)

// tagged reads what the seldom ethertypes announce.
//
//go:noinline
func (d *Decoder) tagged(p *Packet, ethertype uint16, b []byte, wire int) bool {
	switch ethertype {
	case etherPPPoE:
		return d.pppoe(p, b, wire)
	case etherLongLLC:
		return d.llc(p, b, wire)
	case etherVNTag:
		return d.untag(p, ethertype, b, wire, 4)
	case etherETag:
		return d.untag(p, ethertype, b, wire, 6)
	case etherEDSA:
		return d.edsa(p, b, wire)
	case etherCisco:
		if len(b) < 2 {
			return d.cut(p, 2, wire)
		}
		return d.untag(p, ethertype, b, wire, 2+4*int(b[1]))
	case etherMACsec:
		return d.macsec(p, b, wire)
	case etherMPLS, etherMPLSGroup:
		return d.shim(p, readMPLS(b, wire), ethertype, b, wire)
	case etherNSH:
		return d.shim(p, readNSH(b, wire), ethertype, b, wire)
	case etherTEB:
		return d.wrapped(p, ethertype, b, wire, 0)
	case etherPPP:
		return d.hdlc(p, b, wire)
	case etherFabricPath:
		return d.wrapped(p, ethertype, b, wire, 2)
	case etherBackbone:
		return d.wrapped(p, ethertype, b, wire, 4)
	case etherTRILL:
		if len(b) < 2 {
			return d.cut(p, 2, wire)
		}
		options := int(binary.BigEndian.Uint16(b)>>6) & 0x1f
		return d.wrapped(p, ethertype, b, wire, 6+4*options)
	}
	return d.noIP(ethertype)
}

// untag passes over a tag of size bytes and the ethertype that follows it.
func (d *Decoder) untag(p *Packet, tag uint16, b []byte, wire, size int) bool {
	if len(b) < size+2 {
		return d.cut(p, size+2, wire)
	}
	if !d.deeper() {
		return d.noIP(tag)
	}
	ok := d.network(p, binary.BigEndian.Uint16(b[size:]), b[size+2:], wire-size-2)
	d.nesting--
	return ok
}

// wrapped passes over a header of size bytes that a whole frame follows.
func (d *Decoder) wrapped(p *Packet, header uint16, b []byte, wire, size int) bool {
	if len(b) < size {
		return d.cut(p, size, wire)
	}
	return d.bridged(p, header, b[size:], wire-size)
}

// bridged reads an Ethernet frame within another frame or packet. Its
// addresses count, not those it was carried by. One too deep is counted under
// header.
func (d *Decoder) bridged(p *Packet, header uint16, b []byte, wire int) bool {
	if !d.deeper() {
		return d.noIP(header)
	}
	p.Marks &^= MarkGroup
	ok := d.ethernet(p, b, wire)
	d.nesting--
	return ok
}

// macsec reads a frame that 802.1AE authenticates. If it also encrypts it, the
// frame is counted.
func (d *Decoder) macsec(p *Packet, b []byte, wire int) bool {
	const (
		identified, encrypted, changed = 0x20, 0x08, 0x04
		check                          = 16 // bytes behind the data
	)
	if len(b) < 6 {
		return d.cut(p, 6, wire)
	}
	if b[0]&(encrypted|changed) != 0 {
		return d.sealed()
	}
	size, short := 6, int(b[1]&0x3f)
	if b[0]&identified != 0 {
		size = 14
	}
	b, wire = shorten(b, wire, max(wire-check, 0))
	if short != 0 { // the rest is padding
		b, wire = shorten(b, wire, size+short)
	}
	return d.untag(p, etherMACsec, b, wire, size)
}

// edsa reads the tag of Marvell's switch chips that has an ethertype.
func (d *Decoder) edsa(p *Packet, b []byte, wire int) bool {
	if len(b) < 8 {
		return d.cut(p, 8, wire)
	}
	if b[0] != 0 || b[1] != 0 {
		return d.noIP(etherEDSA)
	}
	p.marvell(binary.BigEndian.Uint32(b[2:]))
	return d.untag(p, etherEDSA, b, wire, 6)
}

// marvell takes the VLAN out of a tag that has replaced one of 802.1Q.
func (p *Packet) marvell(tag uint32) {
	const replaced = 1 << 29
	if tag&replaced != 0 && p.VLAN == 0 {
		p.VLAN = uint16(tag & 0xfff)
	}
}

// switched reads Ethernet with the tag of a switch chip.
func (d *Decoder) switched(p *Packet, b []byte, wire int, link uint16) bool {
	switch link {
	case linkEDSA:
		return d.ethernet(p, b, wire)
	case linkBroadcomPre:
		if len(b) < 4 {
			return d.cut(p, 4, wire)
		}
		return d.ethernet(p, b[4:], wire-4)
	}
	if len(b) < 18 {
		return d.cut(p, 18, wire)
	}
	p.SrcMAC = [6]byte(b[6:12])
	if b[0]&1 != 0 {
		p.Marks |= MarkGroup
	}
	if link == linkDSA {
		p.marvell(binary.BigEndian.Uint32(b[12:]))
	}
	return d.network(p, binary.BigEndian.Uint16(b[16:]), b[18:], wire-18)
}
