package flows

import "encoding/binary"

// maxLabels bounds an MPLS label stack. Real ones have one to five.
const maxLabels = 16

const (
	// labelGAL announces no payload but a channel between routers (RFC 5586).
	labelGAL = 13
	// labelELI announces an entropy label (RFC 6790), the only one that has a
	// time to live of 0.
	labelELI = 7
)

// readMPLS reads a label stack. What it carries is nowhere stated: see
// [mplsPayload].
func readMPLS(b []byte, wire int) header {
	above := uint32(0) // the label above
	for off := 0; off < 4*maxLabels; off += 4 {
		if len(b) < off+4 {
			return cutHeader(TunnelMPLS, off+4, wire)
		}
		entry := binary.BigEndian.Uint32(b[off:])
		if entry&0xff == 0 && above != labelELI {
			return header{}
		}
		above = entry >> 12
		if entry&0x100 == 0 { // not the bottom of the stack
			continue
		}
		h := header{kind: TunnelMPLS, verdict: isTunnel, off: off + 4}
		if entry>>12 == labelGAL {
			return h
		}
		next, skip := mplsPayload(b[h.off:], wire-h.off)
		h.next, h.off = next, h.off+skip
		return h
	}
	return header{}
}

// mplsPayload tells what follows a label stack by its content: IP, or an
// Ethernet frame with or without a control word (RFC 4448) in front of it,
// which skip passes over.
func mplsPayload(b []byte, wire int) (ethertype uint16, skip int) {
	if len(b) >= 4 && b[0]|b[1] == 0 && wire >= 4+14 && (len(b) < 4+14 || looksEthernet(b[4:], wire-4)) {
		return etherTEB, 4
	}
	return ipOrEthernet(b, wire), 0
}

// ipOrEthernet tells an IP packet from an Ethernet frame where nothing says
// which it is. The first nibble alone will not do: a frame's first byte is
// part of a MAC address and may be anything (RFC 8469). It returns etherNone
// for what is neither.
func ipOrEthernet(b []byte, wire int) uint16 {
	switch {
	case len(b) == 0:
		return etherIPv4 // cut; nothing depends on which
	case b[0]>>4 == 4 && (looksIPv4(b, wire) || !looksEthernet(b, wire)):
		return etherIPv4
	case b[0]>>4 == 6 && (looksIPv6(b, wire) || !looksEthernet(b, wire)):
		return etherIPv6
	case looksEthernet(b, wire), len(b) < 14 && wire >= 14:
		return etherTEB
	}
	return etherNone
}

// looksIPv4 reports whether b is an IPv4 packet by lengths and checksum, as
// far as it was captured.
func looksIPv4(b []byte, wire int) bool {
	if len(b) < 20 {
		return wire >= 20
	}
	header, total := int(b[0]&15)*4, int(binary.BigEndian.Uint16(b[2:]))
	if header < 20 || total < header || total > wire {
		return false
	}
	if len(b) < header {
		return true
	}
	sum := uint32(0)
	for i := 0; i < header; i += 2 {
		sum += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	return sum%0xffff == 0
}

// looksIPv6 reports whether b is an IPv6 packet by its length; behind it there
// may be the padding of a short frame.
func looksIPv6(b []byte, wire int) bool {
	if len(b) < 6 {
		return wire >= 40
	}
	size := 40 + int(binary.BigEndian.Uint16(b[4:]))
	return size == wire || size < wire && wire <= smallest
}

// looksEthernet reports whether b is an Ethernet frame: its source is no
// group, and its type is a known one that goes with what follows.
func looksEthernet(b []byte, wire int) bool {
	if len(b) < 14 || b[6]&1 != 0 {
		return false
	}
	first := -1 // the byte behind the header
	if len(b) > 14 {
		first = int(b[14])
	}
	switch t := binary.BigEndian.Uint16(b[12:]); t {
	case etherIPv4:
		return first < 0 || first>>4 == 4
	case etherIPv6:
		return first < 0 || first>>4 == 6
	case etherARP:
		return first <= 0
	case etherVLAN, etherQinQ, etherOld, etherMPLS, etherMPLSGroup, etherNSH,
		etherPPPoE, etherMACsec, etherBackbone, etherCisco, etherVNTag, etherETag,
		0x8035, 0x8809, 0x8863, 0x888e, 0x88cc, 0x8902, 0x9000:
		// RARP, LACP, discovery of PPPoE, EAP, LLDP, CFM, loop tests.
		return true
	default: // 802.2: spanning tree, SNAP, IS-IS
		return int(t) >= 3 && int(t) <= min(maxLength, wire-14) &&
			(first < 0 || first == 0x42 || first == 0xaa || first == 0xfe)
	}
}

// readNSH reads a network service header (RFC 8300).
func readNSH(b []byte, wire int) header {
	if len(b) < 8 {
		return cutHeader(TunnelNSH, 8, wire)
	}
	h := header{kind: TunnelNSH, verdict: isTunnel, off: int(b[1]&0x3f) * 4}
	if b[0]>>6 != 0 || h.off < 8 || h.off > wire {
		return header{}
	}
	if h.off > len(b) {
		return cutHeader(TunnelNSH, h.off, wire)
	}
	switch b[3] {
	case 1:
		h.next = etherIPv4
	case 2:
		h.next = etherIPv6
	case 3:
		h.next = etherTEB
	case 4:
		h.next = etherNSH
	case 5:
		h.next = etherMPLS
	}
	return h
}
