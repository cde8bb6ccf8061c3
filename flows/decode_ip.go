package flows

import "encoding/binary"

// IP protocol numbers of extension headers; those of transports stand beside
// the table's use of them.
const (
	protoHopByHop = 0
	protoRouting  = 43
	protoFragment = 44
	protoAH       = 51
	protoDestOpts = 60
	protoMobility = 135
	protoHIP      = 139
	protoShim6    = 140
)

// arp reads ARP for IPv4 over Ethernet, over IEEE 802 networks, as it is
// called behind SNAP, and over InfiniBand.
func (d *Decoder) arp(p *Packet, b []byte, wire int) bool {
	const (
		ethernet, networks, infiniBand = 1, 6, 32
		short, long                    = 0x0800_0604, 0x0800_1404 // IPv4 in 4 bytes over 6 or 20 bytes
	)
	if len(b) < 28 {
		return d.cut(p, 28, wire)
	}
	at := 14 // of the sender's address
	switch hardware, sizes := binary.BigEndian.Uint16(b), binary.BigEndian.Uint32(b[2:]); {
	case sizes == short && (hardware == ethernet || hardware == networks):
	case sizes == long && hardware == infiniBand:
		at = 28
		if len(b) < 56 {
			return d.cut(p, 56, wire)
		}
	default:
		return d.noIP(etherARP)
	}
	switch binary.BigEndian.Uint16(b[6:]) {
	case 1:
		p.Kind = KindARPRequest
	case 2:
		p.Kind = KindARPReply
	default:
		return d.noIP(etherARP)
	}
	p.Marks &= MarkTunnel // requests go to a group by nature
	p.Src = mapped([4]byte(b[at:]))
	p.Dst = mapped([4]byte(b[2*at-4:]))
	return true
}

// mapped is an IPv4 address as [Packet] holds it.
func mapped(a [4]byte) [16]byte {
	return [16]byte{10: 0xff, 11: 0xff, 12: a[0], 13: a[1], 14: a[2], 15: a[3]}
}

// smallest is the length of the IP part of the shortest Ethernet frame: what
// is no longer than that may be padding.
const smallest = 46

func (d *Decoder) ipv4(p *Packet, b []byte, wire int) bool {
	if len(b) < 20 {
		return d.cut(p, 20, wire)
	}
	h := (*[20]byte)(b)
	header := int(h[0]&15) * 4
	total := int(binary.BigEndian.Uint16(h[2:4]))
	if h[0]>>4 != 4 || header < 20 || total < header && total != 0 {
		d.malformed++
		return false
	}
	p.IPID = binary.BigEndian.Uint16(h[4:6])
	p.TTL, p.Proto = h[8], h[9]
	binary.BigEndian.PutUint32(p.Src[8:12], 0xffff)
	binary.BigEndian.PutUint32(p.Dst[8:12], 0xffff)
	copy(p.Src[12:16], h[12:16])
	copy(p.Dst[12:16], h[16:20])
	if h[16]>>4 == 0xe || binary.BigEndian.Uint32(h[16:20]) == 0xffffffff {
		p.Marks |= MarkGroup
	}
	fragment := binary.BigEndian.Uint16(h[6:8])
	if fragment&0x4000 != 0 {
		p.Marks |= MarkDF
	}
	unsized := total == 0
	if unsized { // the network card fills it in as it cuts the segment up
		total = wire
	}
	if total < len(b) {
		b = b[:total] // the rest is padding
	} else if total > len(b) {
		p.Marks |= MarkTruncatedIP
	}
	if header > len(b) {
		return d.cut(p, header, total)
	}
	b, wire = b[header:], total-header
	if fragment&0x3fff != 0 {
		return d.fragment4(p, b, wire, fragment)
	}
	if p.Proto == protoTCP && !unsized {
		return d.tcp(p, b, wire)
	}
	depth := p.Depth
	ok := d.transport(p, b, wire)
	if unsized && total <= smallest && p.Depth == depth { // no card would have had to cut that
		p.Marks = p.Marks&^(MarkReplyLike|MarkSTUN) | MarkMalformed
		p.Payload, p.Question = 0, 0
	}
	return ok
}

// laterFragment settles a fragment without a transport header that can be read.
func (d *Decoder) laterFragment(p *Packet, wire int) bool {
	p.Marks |= MarkFragmented
	p.Kind = KindFragment
	p.Payload = clamp(wire)
	return true
}

// transport reads the header behind the IP headers. b is what was captured of
// the IP payload, wire its length by the IP header.
func (d *Decoder) transport(p *Packet, b []byte, wire int) bool {
	switch p.Proto {
	case protoTCP:
		return d.tcp(p, b, wire)
	case protoUDP:
		return d.udp(p, b, wire)
	case protoICMP:
		if p.Marks&MarkIPv6 == 0 {
			return d.icmp4(p, b, wire)
		}
	case protoICMPv6:
		if p.Marks&MarkIPv6 != 0 {
			return d.icmp6(p, b, wire)
		}
	case protoSCTP:
		return d.sctp(p, b, wire)
	case protoAH:
		if p.Marks&MarkIPv6 == 0 {
			return d.extended(p, b, wire)
		}
	}
	p.Kind = KindOther
	p.Payload = clamp(wire)
	if wire > 0 {
		d.ipTunnel(p, b, wire)
	}
	return true
}
