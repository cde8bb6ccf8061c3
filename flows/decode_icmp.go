package flows

import "encoding/binary"

// icmpHeader is the length of the ICMP header with the four bytes whose
// meaning depends on the type.
const icmpHeader = 8

func (d *Decoder) icmp4(p *Packet, b []byte, wire int) bool {
	if len(b) < icmpHeader {
		return d.cut(p, icmpHeader, wire)
	}
	p.Code = b[1]
	p.Payload = clamp(wire - icmpHeader)
	p.Kind = KindICMPOther
	switch b[0] {
	case 0:
		p.Kind = KindEchoReply
	case 8:
		p.Kind = KindEchoRequest
	case 13:
		p.Kind = KindTimestampRequest
	case 14:
		p.Kind = KindTimestampReply
	case 17:
		p.Kind = KindMaskRequest
	case 18:
		p.Kind = KindMaskReply
	case 3:
		// Code 4 asks for smaller packets: the host is reachable.
		if p.Code != 4 && p.quoteIPv4(b[icmpHeader:]) {
			p.Kind = KindUnreachable
		}
		return true
	case 11:
		if p.quoteIPv4(b[icmpHeader:]) {
			p.Kind = KindTimeExceeded
		}
		return true
	default:
		return true
	}
	p.Seq = binary.BigEndian.Uint32(b[4:8])
	return true
}

func (d *Decoder) icmp6(p *Packet, b []byte, wire int) bool {
	if len(b) < icmpHeader {
		return d.cut(p, icmpHeader, wire)
	}
	p.Code = b[1]
	p.Payload = clamp(wire - icmpHeader)
	p.Kind = KindICMPOther
	switch b[0] {
	case 128, 129:
		p.Kind = KindEchoRequest
		if b[0] == 129 {
			p.Kind = KindEchoReply
		}
		p.Seq = binary.BigEndian.Uint32(b[4:8])
	case 1:
		if p.quoteIPv6(b[icmpHeader:]) {
			p.Kind = KindUnreachable
		}
	case 3:
		if p.quoteIPv6(b[icmpHeader:]) {
			p.Kind = KindTimeExceeded
		}
	case 4:
		// "Unrecognized next header" is how a host refuses an IP protocol (RFC 4443
		// section 3.4): given as code 4, with which it refuses a port.
		if p.Code == 1 {
			p.Code = 4
			if p.quoteIPv6(b[icmpHeader:]) {
				p.Kind = KindUnreachable
			}
		}
	case 135, 136:
		if len(b) < 24 {
			return d.cut(p, 24, wire)
		}
		p.Marks &^= MarkGroup // solicitations go to a group by nature
		if b[0] == 135 {
			p.Kind = KindNeighborSolicit
			p.Dst = [16]byte(b[8:24])
		} else {
			p.Kind = KindNeighborAdvert
			p.Src = [16]byte(b[8:24])
		}
	}
	return true
}

// quoteIPv4 reads the packet that an ICMP error quotes. It reports false, and
// sets nothing, where the quote ends before it says whose packet it was.
func (p *Packet) quoteIPv4(q []byte) bool {
	if len(q) < 20 || q[0]>>4 != 4 {
		return false
	}
	header := int(q[0]&15) * 4
	if header < 20 || header > len(q) {
		return false
	}
	proto := q[9]
	later := binary.BigEndian.Uint16(q[6:8])&0x1fff != 0
	if !later && p.quoteTunnel(proto, q[header:]) {
		return true
	}
	if !p.quotePorts(proto, q[header:], later) {
		return false
	}
	p.QuotedSrc = mapped([4]byte(q[12:16]))
	p.QuotedDst = mapped([4]byte(q[16:20]))
	return true
}

// quoteIPv6 is quoteIPv4 for ICMPv6.
func (p *Packet) quoteIPv6(q []byte) bool {
	if len(q) < 40 || q[0]>>4 != 6 {
		return false
	}
	x := walkExtensions(q[6], q[40:])
	bare := x.stop == stopShort && int(binary.BigEndian.Uint16(q[4:6])) == x.off // a probe for the protocol number as such
	if x.stop == stopShort && !bare || x.stop == stopTooMany {
		return false
	}
	if x.stop != stopFragment && p.quoteTunnel(x.next, q[40+x.off:]) {
		return true
	}
	if !p.quotePorts(x.next, q[40+x.off:], x.stop == stopFragment) {
		return false
	}
	p.QuotedSrc = [16]byte(q[8:24])
	p.QuotedDst = [16]byte(q[24:40])
	return true
}

// quotePorts reads what tells the quoted packet from others between the same
// hosts: ports, or the identifier and the type of an ICMP request, which are kept as
// source and destination port. later says that q is the payload of a later fragment.
func (p *Packet) quotePorts(proto uint8, q []byte, later bool) bool {
	switch proto {
	case protoTCP, protoUDP, protoSCTP:
		if later || len(q) < 4 {
			return false
		}
		p.QuotedSrcPort = binary.BigEndian.Uint16(q[0:2])
		p.QuotedDstPort = binary.BigEndian.Uint16(q[2:4])
	case protoICMP, protoICMPv6:
		if later || len(q) < 6 || !icmpRequest(proto, q[0]) {
			return false
		}
		p.QuotedSrcPort, p.QuotedDstPort = binary.BigEndian.Uint16(q[4:6]), uint16(q[0])
	}
	p.QuotedProto = proto
	return true
}

// icmpRequest reports whether an ICMP type is a request. An error that quotes
// anything else changes nothing.
func icmpRequest(proto, kind uint8) bool {
	if proto == protoICMPv6 {
		return kind == 128
	}
	return kind == 8 || kind == 13 || kind == 17
}
