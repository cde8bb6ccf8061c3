package flows

import "encoding/binary"

// IP protocol numbers of tunnels.
const (
	protoIPv4    = 4
	protoIPv6    = 41
	protoGRE     = 47
	protoEtherIP = 97
	protoMPLS    = 137
)

// ipTunnel looks into a packet whose IP protocol is a tunnel's. b is what
// was captured of the IP payload.
//
// ESP (50) and L2TP version 3 (115) stay packets of their protocol: what they
// carry is encrypted, or begins at a place that only their ends know. Nothing is lost
// by that, for one protocol between two hosts is no scan.
func (d *Decoder) ipTunnel(p *Packet, b []byte, wire int) {
	var h header
	switch p.Proto {
	case protoIPv4:
		h = header{kind: TunnelIP, verdict: isTunnel, next: etherIPv4}
	case protoIPv6:
		h = header{kind: TunnelIP, verdict: isTunnel, next: etherIPv6}
	case protoGRE:
		h = readGRE(b, wire)
	case protoEtherIP:
		h = readEtherIP(b, wire)
	case protoMPLS:
		h = readMPLS(b, wire)
	default:
		return
	}
	d.carry(p, h, b, wire)
}

// readEtherIP reads the two bytes of RFC 3378: version 3, the rest zero.
func readEtherIP(b []byte, wire int) header {
	const size = 2
	if !matches(b, 0xffff<<48, 0x3000<<48) {
		return header{}
	}
	if len(b) < size {
		return cutHeader(TunnelEtherIP, size+14, wire)
	}
	return header{kind: TunnelEtherIP, verdict: isTunnel, off: size, next: etherTEB}
}

// Bits of the first 16 of a GRE header.
const (
	greChecksum  = 0x8000
	greRouting   = 0x4000
	greKey       = 0x2000
	greSequence  = 0x1000
	greReserved0 = 0x00f8 // of version 0 (RFC 1701: flags)
	greVersion   = 0x0007
	greAck       = 0x0080 // of version 1
	greReserved1 = 0x0778 // of version 1
)

// Protocols of GRE that are no common ethertypes.
const (
	greWCCP      = 0x883e // IPv4, behind a redirect header in version 2
	greERSPAN    = 0x88be // types I and II
	greERSPAN3   = 0x22eb
	greAruba     = 0x8200 // and every 16th up to greArubaLast: 802.11 without FCS
	greArubaLast = 0x8370
	greKeepalive = 0
)

// readGRE reads a GRE header of version 0 (RFC 1701, 2784, 2890, 7637) or 1
// (PPTP, RFC 2637), and what belongs to it of the protocols that it announces.
func readGRE(b []byte, wire int) header {
	if len(b) < 4 {
		return cutHeader(TunnelGRE, 4+20, wire)
	}
	flags, proto := binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])
	if flags&greVersion == 1 {
		return readPPTP(flags, proto, b, wire)
	}
	if flags&(greVersion|greReserved0) != 0 {
		return header{}
	}
	h := header{kind: TunnelGRE, verdict: isTunnel, off: 4, next: proto}
	if flags&(greChecksum|greRouting) != 0 {
		h.off += 4
	}
	if flags&greKey != 0 {
		h.off += 4
	}
	if flags&greSequence != 0 {
		h.off += 4
	}
	if flags&greRouting != 0 {
		h = skipRoutes(h, b, wire)
	}
	switch {
	case h.verdict != isTunnel:
		return h
	case h.off > wire:
		return header{}
	case proto == greKeepalive && h.off == wire:
		return h
	case proto <= maxLength || h.off == wire:
		return header{}
	case h.off >= len(b):
		return cutHeader(TunnelGRE, h.off+1, wire)
	}
	switch proto {
	case greERSPAN, greERSPAN3:
		return readERSPAN(h, flags, b, wire)
	case etherCisco: // the ethertype stands in front of it here
		if len(b) < h.off+4 {
			return cutHeader(TunnelGRE, h.off+4, wire)
		}
		h.next = binary.BigEndian.Uint16(b[h.off:])
		h.off += 4 + 4*int(b[h.off+3])
		return h.before(1, b, wire)
	case greWCCP:
		h.next = etherIPv4
		if b[h.off]>>4 != 4 {
			h.off += 4
		}
		return h.within(b, wire)
	}
	if proto >= greAruba && proto <= greArubaLast && proto&0xf == 0 {
		h.next = etherWiFi
	}
	return h
}

// within is h where it ends inside the captured bytes b; else it is cut, or
// too long to be one.
func (h header) within(b []byte, wire int) header {
	if h.off > len(b) {
		return cutHeader(h.kind, h.off, wire)
	}
	return h
}

// skipRoutes passes over the source routes of RFC 1701, the last of which is
// empty.
func skipRoutes(h header, b []byte, wire int) header {
	const most = 16
	for range most {
		if h.off+4 > len(b) {
			return cutHeader(h.kind, h.off+4, wire)
		}
		route := b[h.off : h.off+4]
		h.off += 4 + int(route[3])
		if route[0]|route[1]|route[3] == 0 {
			return h
		}
	}
	return header{}
}

// readPPTP reads the rest of a GRE header of version 1. Without a sequence
// number it acknowledges and carries nothing.
func readPPTP(flags, proto uint16, b []byte, wire int) header {
	if flags&(greChecksum|greRouting|greReserved1) != 0 || flags&greKey == 0 || proto != etherPPP {
		return header{}
	}
	h := header{kind: TunnelPPTP, verdict: isTunnel, off: 8}
	if flags&greSequence != 0 {
		h.off += 4
		h.next = etherPPP
	}
	if flags&greAck != 0 {
		h.off += 4
	}
	if h.off > wire {
		return header{}
	}
	return h.within(b, wire)
}

// readERSPAN reads the header of a mirrored frame behind a GRE header h. Type
// I has none, and no sequence number in GRE; II has 8 bytes, III 12 or 20.
func readERSPAN(h header, flags uint16, b []byte, wire int) header {
	h.kind, h.next = TunnelERSPAN, etherTEB
	rest := b[h.off:]
	switch version := rest[0] >> 4; {
	case flags&greSequence == 0 && binary.BigEndian.Uint16(b[2:]) == greERSPAN:
	case version == 1:
		h.off += 8
	case version == 2:
		const (
			frameTypes = 0x7c // 0: an Ethernet frame, 2: an IP packet
			optional   = 0x01 // 8 bytes more
		)
		if len(rest) < 12 {
			return cutHeader(TunnelERSPAN, h.off+12, wire)
		}
		h.off += 12
		if rest[11]&optional != 0 {
			h.off += 8
		}
		if rest[10]&frameTypes>>2 == 2 {
			h.next = etherIPv4
			if h.off < len(b) && b[h.off]>>4 == 6 {
				h.next = etherIPv6
			}
		}
	default:
		h.next = etherNone
	}
	if h.off > wire {
		return header{}
	}
	return h.within(b, wire)
}

// quoteTunnel reads the packet inside a quoted one, where IP or GRE carries it:
// it is the one that an attempt may be waiting for. Each level takes 20 bytes
// of the quote at least. It reports false, and sets nothing, for any other.
func (p *Packet) quoteTunnel(proto uint8, q []byte) bool {
	const unknown = 0xffff // the quote is likely to be cut
	h := header{verdict: isTunnel}
	switch proto {
	case protoIPv4:
		h.next = etherIPv4
	case protoIPv6:
		h.next = etherIPv6
	case protoGRE:
		h = readGRE(q, unknown)
	}
	switch {
	case h.verdict != isTunnel:
		return false
	case h.next == etherIPv4:
		return p.quoteIPv4(q[h.off:])
	case h.next == etherIPv6:
		return p.quoteIPv6(q[h.off:])
	}
	return false
}
