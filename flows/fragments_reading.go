package flows

import "encoding/binary"

// reading is one way to read the beginning of a datagram whose fragments
// contradict each other.
type reading struct {
	ports uint32 // source and destination; of ICMP its type
	mark  uint32 // a hash of all that tells its packet from others
	probe uint8  // how much of a probe it is, 0 for not at all
}

// choose reads the datagram in every way that systems do and fills out with
// those of which a packet is to be given, the most of a probe first. It returns
// how many bytes of each are there, and how many it found.
//
// Of two fragments that claim the same bytes, Windows and Solaris mostly believe
// the first, Cisco's IOS the last. BSD, and Linux until 2018, believe the one
// that begins earlier; where both begin alike, BSD the first and Linux the
// last. Linux since then throws both away, as RFC 5722 tells all to do for IPv6
// (Ptacek and Newsham, "Insertion, Evasion, and Denial of Service", 1998,
// section 5; Novak, "Target-Based Fragmentation Reassembly", 2005).
//
// What tells a probe stands in two blocks: the ports in the first, the flags in
// the second. So each of the two, by itself, is taken as it came first and as
// it came last. That covers them all: the second block without the first comes
// only in fragments that begin with it, where earlier decides nothing.
//
// A packet is given of the strongest reading, and of another if it is a probe
// too and has other ports: whichever of them is real must not be hidden.
func (g *datagram) choose(out [][fragmentWindow]byte) (n int32, found int) {
	n = g.contiguous(g.seen | g.stale)
	if n == 0 {
		return 0, 0
	}
	for found < len(out) {
		var best reading
		var bytes [fragmentWindow]byte
		has := false
		for way := range uint8(4) {
			if way&1 != 0 && g.differ&1 == 0 || way&2 != 0 && g.differ&^1 == 0 {
				continue
			}
			w := g.mixed(way)
			if r, ok := g.read(w[:n]); ok && (!has || r.probe > best.probe) {
				best, bytes, has = r, w, true
			}
		}
		if !has {
			break
		}
		g.tell(best)
		out[found] = bytes
		found++
	}
	return n, found
}

// mixed is the window with the first block as it came first, or last (bit 0 of
// way), and likewise the others (bit 1).
func (g *datagram) mixed(way uint8) [fragmentWindow]byte {
	w := g.window[way>>1]
	copy(w[:fragmentBlock], g.window[way&1][:fragmentBlock])
	return w
}

// read judges one reading; ok if a packet of it is to be given.
func (g *datagram) read(b []byte) (r reading, ok bool) {
	need, least := headerNeeds(g.next, g.key.proto == 0, b)
	if g.total >= 0 {
		need = min(need, int(g.total))
	}
	if least == 0 || len(b) < max(need, least) {
		return r, false
	}
	r = readingOf(g.next, b)
	stronger := r.probe > 0
	for _, old := range g.given {
		if old.mark == r.mark {
			return r, false
		}
		if old.mark != 0 && old.ports == r.ports && old.probe >= r.probe {
			stronger = false
		}
	}
	own := g.contiguous(g.seen) >= int32(need)
	return r, stronger || own && !g.told
}

// tell notes that a packet of a reading is given.
func (g *datagram) tell(r reading) {
	if first := &g.given[0]; first.mark == 0 || first.ports == r.ports {
		*first = r
	} else {
		g.given[1] = r
	}
	g.told, g.ever = true, true
}

// headerNeeds is how many bytes of a transport header, or of what it quotes,
// all that [Packet] says of it takes, judged by the part b that there is; and
// with how few anything can be said. Both are 0 for other protocols.
func headerNeeds(proto uint8, six bool, b []byte) (need, least int) {
	switch proto {
	case protoTCP:
		need, least = 20, tcpFlagsEnd
		if len(b) >= tcpFlagsEnd {
			need = max(need, int(b[12]>>4)*4)
		}
	case protoUDP:
		need, least = 8+18, 8 // with the bytes of Packet.Question
		if len(b) >= 8 {
			if asksName(b[8:]) {
				need = 8 + questionMost
			}
			if size := int(binary.BigEndian.Uint16(b[4:])); size >= 8 {
				need = min(need, size)
			}
		}
	case protoSCTP:
		need, least = sctpHeader+1, sctpHeader+1
		if len(b) > sctpHeader && (b[sctpHeader] == 1 || b[sctpHeader] == 2) {
			need = sctpHeader + 8
		}
	case protoICMP, protoICMPv6:
		return icmpNeeds(proto, six, b)
	}
	return need, least
}

func icmpNeeds(proto uint8, six bool, b []byte) (need, least int) {
	need, least = icmpHeader, icmpHeader
	switch {
	case six != (proto == protoICMPv6):
		return 0, 0
	case len(b) == 0:
	case six && (b[0] == 135 || b[0] == 136):
		return 24, 24
	case six && (b[0] == 1 || b[0] == 3):
		need = icmpHeader + 40 + 8
	case !six && (b[0] == 3 || b[0] == 11):
		need = icmpHeader + 20 + 8
		if len(b) > icmpHeader {
			need = min(icmpHeader+int(b[icmpHeader]&15)*4+8, fragmentWindow)
		}
	}
	return need, least
}

// readingOf judges a transport header of which there are as many bytes as
// headerNeeds says at the least.
func readingOf(proto uint8, b []byte) reading {
	r := reading{ports: binary.BigEndian.Uint32(b)}
	h := uint32(fnvBasis) ^ uint32(proto)
	switch proto {
	case protoTCP:
		h = fnv1a(h, b[:min(len(b), 16)]) // without the checksum
		r.probe = tcpProbe(b[13])
	case protoUDP:
		h = fnv1a(h, b[:6])
		r.probe = 1
	case protoSCTP:
		h = fnv1a(h, b[:8])
		h = fnv1a(h, b[sctpHeader:sctpHeader+1])
		if b[sctpHeader] == 1 || b[sctpHeader] == 10 {
			r.probe = 1
		}
	default:
		r.ports = uint32(b[0])
		h = fnv1a(h, b[:2])
		h = fnv1a(h, b[4:8])
		if icmpRequest(proto, b[0]) {
			r.probe = 1
		}
	}
	r.mark = max(h, 1)
	return r
}

// tcpProbe is how much of a probe flags are: a connection's first segment, a
// flag probe, one that may be one or the middle of a conversation, neither.
func tcpProbe(flags uint8) uint8 {
	if flags&(FlagSYN|FlagACK|FlagRST) == FlagSYN {
		return 3
	}
	switch flags &^ (FlagECE | FlagCWR) {
	case 0, FlagFIN, FlagFIN | FlagPSH | FlagURG, FlagFIN | FlagACK:
		return 2
	case FlagACK:
		return 1
	}
	return 0
}
