package flows

import "encoding/binary"

func (d *Decoder) udp(p *Packet, b []byte, wire int) bool {
	if len(b) < 4 {
		return d.cut(p, 4, wire)
	}
	p.Kind = KindUDP
	p.SrcPort = binary.BigEndian.Uint16(b[0:2])
	p.DstPort = binary.BigEndian.Uint16(b[2:4])
	if len(b) < 8 {
		p.Payload = clamp(wire - 8)
		p.Marks |= MarkTruncated
		if wire < 8 && p.Marks&MarkFragmented == 0 {
			p.Marks = p.Marks&^MarkTruncated | MarkMalformed
		}
		if tunnelPort(p.DstPort) || answerPort(p.SrcPort) {
			d.udpTunnel(p, nil, wire-8)
		}
		return true
	}
	size := int(binary.BigEndian.Uint16(b[4:6]))
	switch {
	case size >= 8 && size <= wire:
		wire = size // what follows belongs to no datagram
	case size == 0, p.Marks&MarkFragmented != 0:
		// Zero: a jumbogram, or to be cut up by the card. A first fragment
		// states the length of the whole datagram.
	default:
		p.Marks |= MarkMalformed
	}
	wire -= 8
	p.Payload = clamp(wire)
	if wire == 0 {
		return true
	}
	payload := b[8:]
	if len(payload) > wire {
		payload = payload[:wire]
	}
	p.Question = question(payload)
	p.readPayload(payload, wire)
	if tunnelPort(p.DstPort) || answerPort(p.SrcPort) {
		d.udpTunnel(p, payload, wire)
	}
	return true
}

// questionMost is how many bytes of a payload [Packet].Question is made of at most.
const questionMost = 64

// question hashes payload bytes 2 to 18, as far as there are any, and of a question
// to a name server the name as well: those for www.… agree so far.
func question(b []byte) uint32 {
	h := opening(b)
	if len(b) > 18 && asksName(b) {
		for _, c := range b[18:min(len(b), questionMost)] {
			h = (h ^ uint32(c)) * 16777619 // FNV-1a
		}
	}
	return h
}

// asksName reports whether a payload begins as a DNS message that asks one question
// and answers none.
func asksName(b []byte) bool {
	return len(b) >= 12 && b[2]&0x80 == 0 && binary.BigEndian.Uint64(b[4:12])>>16 == 1<<32
}

// opening hashes payload bytes 2 to 18, as far as there are any.
func opening(b []byte) uint32 {
	if len(b) < 18 {
		var padded [18]byte
		copy(padded[:], b)
		padded[0], padded[1] = 0, 0
		return asked(&padded, uint64(max(len(b), 2)))
	}
	return asked((*[18]byte)(b), 18)
}

func asked(b *[18]byte, size uint64) uint32 {
	const low, high = 0x9e3779b97f4a7c15, 0x243f6a8885a308d3 // not secret: to ask alike is nothing to gain by
	return uint32(mix(binary.LittleEndian.Uint64(b[2:])^low, binary.LittleEndian.Uint64(b[10:])^size^high) >> 16)
}

// stunCookie stands at bytes 4 to 8 of every STUN message.
const stunCookie = 0x2112a442

// readPayload notes what a UDP payload says of itself. b is what was captured
// of it, wire its length.
func (p *Packet) readPayload(b []byte, wire int) {
	if len(b) >= 8 && binary.BigEndian.Uint32(b[4:8]) == stunCookie && b[0]&0xc0 == 0 {
		p.Marks |= MarkSTUN
		if t := binary.BigEndian.Uint16(b); t == 0x0101 || t == 0x0111 {
			p.Marks |= MarkReplyLike
		}
	}
	if p.SrcPort <= 5355 && replyLike(p.SrcPort, b, wire) {
		p.Marks |= MarkReplyLike
	}
}

// replyLike reports whether a payload from a well-known port is an answer by
// its content. The port alone proves nothing: scanners choose theirs.
func replyLike(port uint16, b []byte, wire int) bool {
	switch port {
	case 53, 5353, 5355: // DNS, mDNS, LLMNR: QR is set, the operation is one that exists
		return len(b) > 2 && wire >= 12 && b[2]&0x80 != 0 && b[2]>>3&0xf <= 6
	case 123: // NTP, mode 4: server
		return len(b) > 0 && wire >= 48 && b[0]&7 == 4 && b[0]>>3&7 >= 1 && b[0]>>3&7 <= 4
	case 67: // DHCP, op 2: reply
		return len(b) > 0 && wire >= 240 && b[0] == 2 && dhcpCookie(b)
	case 161:
		return snmpResponse(b)
	}
	return false
}

// dhcpCookie reports whether b has DHCP's magic cookie, or was cut before it.
func dhcpCookie(b []byte) bool {
	return len(b) < 240 || binary.BigEndian.Uint32(b[236:240]) == 0x63825363
}

// snmpResponse reports whether b is an SNMP message of version 1 or 2c with a
// GetResponse in it.
func snmpResponse(b []byte) bool {
	const (
		sequence    = 0x30
		integer     = 0x02
		octetString = 0x04
		getResponse = 0xa2
	)
	b, _ = berHeader(b, sequence)
	b, n := berHeader(b, integer)
	if n < 1 || n > 4 || n > len(b) {
		return false
	}
	b, n = berHeader(b[n:], octetString)
	return n >= 0 && n < len(b) && b[n] == getResponse
}

// berHeader takes a tag and length off b and returns the rest and the length;
// nil and -1 if b does not start with that tag and a length below 65,536.
func berHeader(b []byte, tag byte) ([]byte, int) {
	switch {
	case len(b) < 2 || b[0] != tag:
	case b[1] < 0x80:
		return b[2:], int(b[1])
	case b[1] == 0x81 && len(b) >= 3:
		return b[3:], int(b[2])
	case b[1] == 0x82 && len(b) >= 4:
		return b[4:], int(binary.BigEndian.Uint16(b[2:4]))
	}
	return nil, -1
}
