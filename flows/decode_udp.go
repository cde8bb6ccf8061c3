package flows

import (
	"bytes"
	"encoding/binary"
)

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
	if p.SrcPort <= maxReplyPort && replyLike(p.SrcPort, b, wire) {
		p.Marks |= MarkReplyLike
	}
}

// maxReplyPort is the last of the ports in replyLike.
const maxReplyPort = 11211

// replyLike reports whether a payload from a well-known port is an answer by
// its content. The port alone proves nothing: scanners choose theirs.
func replyLike(port uint16, b []byte, wire int) bool {
	switch port {
	case 53, 5353, 5355: // DNS, mDNS, LLMNR: QR is set, the operation is one that exists
		return len(b) > 2 && wire >= 12 && b[2]&0x80 != 0 && b[2]>>3&0xf <= 6
	case 123: // NTP
		return ntpReply(b, wire)
	case 67: // DHCP, op 2: reply
		return len(b) > 0 && wire >= 240 && b[0] == 2 && dhcpCookie(b)
	case 161:
		return snmpResponse(b)
	case 389: // LDAP without connections, as domain controllers are looked for
		return ldapResponse(b)
	case 1900: // SSDP
		return bytes.HasPrefix(b, []byte("HTTP/1."))
	case 5683: // CoAP: version 1, an acknowledgement with a response
		return len(b) > 4 && b[0]>>4 == 6 && b[0]&0xf <= 8 && b[1]>>5 >= 2 && b[1]>>5 <= 5
	case maxReplyPort: // memcached
		return memcachedReply(b)
	}
	return false
}

// ntpReply reports whether b is NTP of a server (mode 4), or an answer to a control (6) or
// private (7) message.
func ntpReply(b []byte, wire int) bool {
	if len(b) < 2 || b[0]>>3&7 < 1 || b[0]>>3&7 > 4 {
		return false
	}
	switch b[0] & 7 {
	case 4:
		return wire >= 48
	case 6:
		return wire >= 12 && b[1]&0x80 != 0
	case 7:
		return wire >= 8 && b[0]&0x80 != 0
	}
	return false
}

// memcachedReply reports whether b has the frame header of memcached, and is a later one of
// several datagrams or begins as an answer does. Requests fit into one datagram.
func memcachedReply(b []byte) bool {
	if len(b) < 11 || b[6]|b[7] != 0 {
		return false
	}
	sequence, total := binary.BigEndian.Uint16(b[2:4]), binary.BigEndian.Uint16(b[4:6])
	if sequence > 0 {
		return sequence < total
	}
	for _, answer := range []string{"VALUE ", "STAT ", "END\r\n", "ERROR\r\n", "VERSION "} {
		if bytes.HasPrefix(b[8:], []byte(answer)) {
			return true
		}
	}
	return false
}

// ldapResponse reports whether b is an LDAP message with a search result in it.
func ldapResponse(b []byte) bool {
	const (
		sequence, integer = 0x30, 0x02
		entry, done       = 0x64, 0x65
	)
	b, _ = berHeader(b, sequence)
	b, n := berHeader(b, integer)
	return n >= 1 && n <= 4 && n < len(b) && (b[n] == entry || b[n] == done)
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
	case b[1] == 0x84 && len(b) >= 6 && b[2]|b[3] == 0: // as Microsoft's do
		return b[6:], int(binary.BigEndian.Uint16(b[4:6]))
	}
	return nil, -1
}
