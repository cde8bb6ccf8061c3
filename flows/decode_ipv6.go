package flows

import "encoding/binary"

// maxExtensions bounds the extension headers of a packet: there is room for no
// more in an Ethernet frame of 1,500 bytes. No stack sends more than a few, but
// most take as many as there are, and a probe behind many wants to be overlooked.
const maxExtensions = 180

func (d *Decoder) ipv6(p *Packet, b []byte, wire int) bool {
	if len(b) < 40 {
		return d.cut(p, 40, wire)
	}
	h := (*[40]byte)(b)
	if h[0]>>4 != 6 {
		d.malformed++
		return false
	}
	p.Marks |= MarkIPv6
	p.Proto, p.TTL = h[6], h[7]
	p.Src = [16]byte(h[8:24])
	p.Dst = [16]byte(h[24:40])
	if h[24] == 0xff {
		p.Marks |= MarkGroup
	}
	size := int(binary.BigEndian.Uint16(h[4:6]))
	b, wire = b[40:], wire-40
	// Zero stands for a jumbogram, or for a segment that the network card has
	// yet to cut up. A frame that could be all padding is neither.
	if size == 0 && wire > smallest-40+14 {
		size = wire
	}
	if size < len(b) {
		b = b[:size]
	} else if size > len(b) {
		p.Marks |= MarkTruncatedIP
	}
	switch p.Proto {
	case protoTCP, protoUDP, protoICMPv6:
		return d.transport(p, b, size)
	}
	return d.extended(p, b, size)
}

// extended walks the extension headers in front of a transport header.
func (d *Decoder) extended(p *Packet, b []byte, wire int) bool {
	x := walkExtensions(p.Proto, b)
	if x.fragment && x.stop != stopTooMany {
		return d.fragment6(p, b, wire, &x)
	}
	p.Proto = x.next
	b, wire = b[x.off:], wire-x.off
	switch x.stop {
	case stopTooMany:
		d.malformed++
		return false
	case stopShort:
		if wire == 0 { // a probe for the protocol number as such
			p.Kind = KindOther
			return true
		}
		return d.cut(p, x.need, wire)
	}
	return d.transport(p, b, wire)
}

// stop says why a walk over extension headers ended.
type stop uint8

const (
	stopTransport stop = iota // at a header that is no extension
	stopFragment              // at the payload of a fragment with an offset
	stopShort                 // at an extension header that is not all there
	stopTooMany
)

// extensions is where a walk over extension headers came to.
type extensions struct {
	off      int   // offset of what it stopped at, never beyond the bytes walked
	need     int   // with stopShort: length of the header it stopped at, as far as known
	frag     int   // offset of the fragment header, the last one if there are more
	next     uint8 // protocol number of what it stopped at
	stop     stop
	fragment bool // it passed a fragment header that is not an atomic fragment's (RFC 6946)
}

// walkExtensions goes over the extension headers of IPv6, and AH, from b on.
// next is the protocol number of the first.
func walkExtensions(next uint8, b []byte) extensions {
	x := extensions{next: next}
	for n := 0; ; n++ {
		switch x.next {
		case protoHopByHop, protoRouting, protoDestOpts, protoMobility, protoHIP, protoShim6, protoFragment, protoAH:
		default:
			return x
		}
		rest := b[x.off:]
		x.need = 8
		if len(rest) >= 2 {
			x.need = extensionLength(x.next, rest[1])
		}
		switch {
		case n == maxExtensions:
			x.stop = stopTooMany
			return x
		case len(rest) < x.need:
			x.stop = stopShort
			return x
		}
		if x.next == protoFragment {
			at := binary.BigEndian.Uint16(rest[2:])
			if at&^7 != 0 {
				x.stop = stopFragment
			}
			if at&^6 != 0 {
				x.frag, x.fragment = x.off, true
			}
		}
		x.next = rest[0]
		x.off += x.need
		if x.stop == stopFragment {
			return x
		}
	}
}

// extensionLength is the length in bytes of an extension header, at least 8.
func extensionLength(proto, length uint8) int {
	switch proto {
	case protoFragment:
		return 8
	case protoAH:
		return max(8, (int(length)+2)*4)
	}
	return (int(length) + 1) * 8
}
