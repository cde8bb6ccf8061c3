package filter

import (
	"encoding/binary"

	"github.com/synoptic-ids/synoptic/flows"
)

// LINKTYPE numbers.
const (
	linkEthernet = 1
	linkSLL      = 113
	linkSLL2     = 276
)

// Ethertypes.
const (
	typeIPv4     = 0x0800
	typeARP      = 0x0806
	typeVLAN     = 0x8100
	typeIPv6     = 0x86dd
	typeMPLS     = 0x8847
	typeMPLSMore = 0x8848 // with an upstream label
	typeQinQ     = 0x88a8
	typeOld      = 0x9100
	maxLLC       = 1500 // what is not above it is a length
)

// maxTags bounds the tags, and the labels, that are looked at in a frame.
const maxTags = 8

// isTag reports whether a VLAN tag follows an ethertype.
func isTag(t uint16) bool { return t == typeVLAN || t == typeQinQ || t == typeOld }

// ethertype finds the first ethertype of the frame: where it stands. ok is
// false for links without.
func (c *context) ethertype() (at int, ok bool) {
	switch c.meta.Link {
	case linkEthernet:
		at = 12
	case linkSLL:
		at = 14
	case linkSLL2:
		if len(c.frame) < 20 {
			return 0, false
		}
		return 0, true
	default:
		return 0, false
	}
	return at, len(c.frame) >= at+2
}

// behind is where the bytes behind the ethertype at a place begin.
func (c *context) behind(at int) int {
	if c.meta.Link == linkSLL2 && at == 0 {
		return 20
	}
	return at + 2
}

// payload is the ethertype behind all tags, and where its bytes begin.
func (c *context) payload() (t uint16, at int, ok bool) {
	at, ok = c.ethertype()
	if !ok {
		return 0, 0, false
	}
	t = binary.BigEndian.Uint16(c.frame[at:])
	at = c.behind(at)
	for n := 0; isTag(t) && n < maxTags; n++ {
		if len(c.frame) < at+4 {
			return 0, 0, false
		}
		t = binary.BigEndian.Uint16(c.frame[at+2:])
		at += 4
	}
	const snap = 0xaaaa03000000
	if t <= maxLLC && len(c.frame) >= at+8 && binary.BigEndian.Uint64(c.frame[at:])>>16 == snap {
		t = binary.BigEndian.Uint16(c.frame[at+6:])
		at += 8
	}
	return t, at, true
}

// holds of a tag looks through all tags, or labels, in front of the first
// packet of the frame.
func (t tag) holds(c context) bool {
	if t.mpls {
		return t.labelled(&c)
	}
	if c.p.VLAN != 0 && (t.any || uint32(c.p.VLAN) == t.n) {
		return true
	}
	at, ok := c.ethertype()
	if !ok {
		return false
	}
	kind := binary.BigEndian.Uint16(c.frame[at:])
	at = c.behind(at)
	for n := 0; isTag(kind) && n < maxTags && len(c.frame) >= at+4; n++ {
		if t.any || uint32(binary.BigEndian.Uint16(c.frame[at:])&0xfff) == t.n {
			return true
		}
		kind = binary.BigEndian.Uint16(c.frame[at+2:])
		at += 4
	}
	return false
}

func (t tag) labelled(c *context) bool {
	kind, at, ok := c.payload()
	if !ok || kind != typeMPLS && kind != typeMPLSMore {
		return false
	}
	for n := 0; n < maxTags && len(c.frame) >= at+4; n++ {
		label := binary.BigEndian.Uint32(c.frame[at:])
		if t.any || label>>12 == t.n {
			return true
		}
		if label&0x100 != 0 { // bottom of the stack
			return false
		}
		at += 4
	}
	return false
}

func (e etherType) holds(c context) bool {
	t, _, ok := c.payload()
	return ok && t == uint16(e)
}

func (k cast) holds(c context) bool {
	switch k {
	case ipMulticast:
		return networkOf(c.p) == isIP && c.p.Dst[12] >= 224
	case ip6Multicast:
		return networkOf(c.p) == isIP6 && c.p.Dst[0] == 0xff
	}
	switch {
	case c.meta.Link == linkEthernet && len(c.frame) >= 6:
		if k == linkMulticast {
			return c.frame[0]&1 != 0
		}
		return [6]byte(c.frame) == [6]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
	case c.meta.Link == linkSLL && len(c.frame) >= 2:
		return k.cooked(binary.BigEndian.Uint16(c.frame))
	case c.meta.Link == linkSLL2 && len(c.frame) >= 11:
		return k.cooked(uint16(c.frame[10]))
	}
	return false
}

// cooked is what cooked captures say in place of the destination: 1 broadcast, 2
// multicast.
func (k cast) cooked(kind uint16) bool {
	return kind == 1 || kind == 2 && k == linkMulticast
}

func (h hardware) holds(c context) bool {
	var src, dst bool
	if c.meta.Link == linkEthernet && len(c.frame) >= 12 {
		src, dst = [6]byte(c.frame[6:]) == h.mac, [6]byte(c.frame) == h.mac
	} else {
		src = c.p.Depth == 0 && c.p.SrcMAC == h.mac && h.mac != [6]byte{}
	}
	switch h.dir {
	case source:
		return src
	case destination:
		return dst
	case both:
		return src && dst
	}
	return src || dst
}

// carries reports whether an IP protocol only carries others, so that a
// decoded packet may have another one in its place.
func carries(n uint8) bool {
	switch n {
	case 0, 4, 41, 43, 44, ipGRE, ipAH, 60, 97, 115, 135, 137, 139, 140:
		return true
	}
	return false
}

// holds of a protocol is for those that carry others: they are also looked for
// in the headers of the first packet of the frame.
func (p protocol) holds(c context) bool {
	if of := networkOf(c.p); of != isARP && c.p.Proto == p.n && (p.version == 0 || p.version.network() == of) {
		return true
	}
	v, chain, at, ok := c.first()
	if !ok || p.version != 0 && p.version != v {
		return false
	}
	for n := 0; n <= maxTags; n++ {
		if chain == p.n {
			return true
		}
		if chain, at, ok = c.extension(v, chain, at); !ok {
			return false
		}
	}
	return false
}

// first finds the first IP header of the frame: its version, its protocol
// field, and where its payload begins.
func (c *context) first() (v version, proto uint8, at int, ok bool) {
	t, at, ok := c.payload()
	if !ok {
		if c.meta.Link == linkEthernet || c.meta.Link == linkSLL || c.meta.Link == linkSLL2 || len(c.frame) == 0 || c.p.Depth != 0 || !isRaw(c.meta.Link) {
			return 0, 0, 0, false
		}
		t = typeIPv4
		if c.frame[0]>>4 == 6 {
			t = typeIPv6
		}
	}
	b := c.frame[at:]
	switch {
	case t == typeIPv4 && len(b) >= 20 && b[0]>>4 == 4:
		return v4, b[9], at + max(int(b[0]&15)*4, 20), true
	case t == typeIPv6 && len(b) >= 40 && b[0]>>4 == 6:
		return v6, b[6], at + 40, true
	}
	return 0, 0, 0, false
}

// extension steps over an extension header, or AH.
func (c *context) extension(v version, proto uint8, at int) (next uint8, behind int, ok bool) {
	if at+8 > len(c.frame) {
		return 0, 0, false
	}
	size := (int(c.frame[at+1]) + 1) * 8
	switch proto {
	case ipAH:
		size = (int(c.frame[at+1]) + 2) * 4
	case 44:
		size = 8
		if binary.BigEndian.Uint16(c.frame[at+2:])&^7 != 0 {
			return c.frame[at], len(c.frame), v == v6 // what follows is no header
		}
	case 0, 43, 60, 135, 139, 140:
	default:
		return 0, 0, false
	}
	return c.frame[at], at + size, v == v6 || proto == ipAH
}

// isRaw reports whether frames of a link begin with an IP header.
func isRaw(link uint16) bool {
	switch link {
	case 12, 14, 101, 228, 229:
		return true
	}
	return false
}

// icmpType is the type of an ICMP packet: by its kind, or from the frame.
func (c *context) icmpType() (uint8, bool) {
	six := c.p.Has(flows.MarkIPv6)
	switch c.p.Kind {
	case flows.KindEchoRequest:
		return pick(six, 128, 8)
	case flows.KindEchoReply:
		return pick(six, 129, 0)
	case flows.KindTimestampRequest:
		return 13, true
	case flows.KindTimestampReply:
		return 14, true
	case flows.KindMaskRequest:
		return 17, true
	case flows.KindMaskReply:
		return 18, true
	case flows.KindUnreachable:
		return pick(six, 1, 3)
	case flows.KindTimeExceeded:
		return pick(six, 3, 11)
	case flows.KindNeighborSolicit:
		return 135, true
	case flows.KindNeighborAdvert:
		return 136, true
	case flows.KindICMPOther:
		return c.icmpInFrame()
	}
	return 0, false
}

func pick(six bool, a, b uint8) (uint8, bool) {
	if six {
		return a, true
	}
	return b, true
}

// icmpInFrame finds the type behind the first IP header of the frame, which is
// the packet's unless it was in a tunnel.
func (c *context) icmpInFrame() (uint8, bool) {
	if c.p.Depth != 0 {
		return 0, false
	}
	v, proto, at, ok := c.first()
	for n := 0; ok && n <= maxTags; n++ {
		if at >= len(c.frame) {
			return 0, false
		}
		if v == v4 && proto == ipICMP || v == v6 && proto == ipICMPv6 {
			return c.frame[at], true
		}
		proto, at, ok = c.extension(v, proto, at)
	}
	return 0, false
}
