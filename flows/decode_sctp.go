package flows

import "encoding/binary"

// sctpHeader is the length of SCTP's common header, in front of the chunks.
const sctpHeader = 12

func (d *Decoder) sctp(p *Packet, b []byte, wire int) bool {
	if len(b) <= sctpHeader {
		return d.cut(p, sctpHeader+1, wire)
	}
	p.SrcPort = binary.BigEndian.Uint16(b[0:2])
	p.DstPort = binary.BigEndian.Uint16(b[2:4])
	p.Seq = binary.BigEndian.Uint32(b[4:8])
	p.Payload = clamp(wire - sctpHeader)
	switch b[sctpHeader] {
	case 1:
		p.Kind = KindSCTPInit
	case 2:
		p.Kind = KindSCTPInitAck
	case 6:
		p.Kind = KindSCTPAbort
	case 10:
		p.Kind = KindSCTPCookieEcho
	case 11:
		p.Kind = KindSCTPCookieAck
	default:
		p.Kind = KindSCTPOther
	}
	if p.Kind != KindSCTPInit && p.Kind != KindSCTPInitAck {
		return true
	}
	switch { // the initiate tag follows the chunk's type, flags and length
	case len(b) >= sctpHeader+8:
		p.Seq = binary.BigEndian.Uint32(b[sctpHeader+4:])
	case wire >= sctpHeader+8 || p.Marks&MarkFragmented != 0:
		p.Seq = 0
		p.Marks |= MarkTruncated
	default:
		p.Seq = 0
		p.Marks |= MarkMalformed
	}
	return true
}
