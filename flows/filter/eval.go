package filter

import (
	"github.com/synoptic-ids/synoptic/flows"
)

func (r relation) holds(c context) bool {
	a, ok := c.value(r.l)
	if !ok {
		return false
	}
	b, ok := c.value(r.r)
	return ok && compare(r.op, a, b)
}

// value is what a packet has for v; false if it does not have it.
func (c *context) value(v value) (uint32, bool) {
	switch v := v.(type) {
	case number:
		return uint32(v), true
	case wireLength:
		return max(uint32(len(c.frame)), c.meta.Len), true
	case field:
		return c.field(v)
	case fragmentation:
		return c.fragmentation(v.mask)
	case arithmetic:
		a, ok := c.value(v.l)
		if !ok {
			return 0, false
		}
		b, ok := c.value(v.r)
		if !ok {
			return 0, false
		}
		return calculate(v.op, a, b)
	}
	return 0, false
}

func (c *context) field(f field) (n uint32, ok bool) {
	if f.layer == layerEther || f.layer == layerLink {
		if f.layer == layerEther && c.meta.Link != linkEthernet || int(f.off+f.size) > len(c.frame) {
			return 0, false
		}
		for _, b := range c.frame[f.off : f.off+f.size] {
			n = n<<8 | uint32(b)
		}
		return n, true
	}
	for off := f.off; off < f.off+f.size; off++ {
		b, ok := c.byteOf(f.layer, off)
		if !ok {
			return 0, false
		}
		n = n<<8 | uint32(b)
	}
	return n, true
}

// byteOf is a byte of a header as the packet holds it.
func (c *context) byteOf(layer layer, off uint32) (uint8, bool) {
	p := c.p
	switch layer {
	case layerIP:
		return ipByte(p, off)
	case layerIP6:
		return ip6Byte(p, off)
	case layerARP:
		return arpByte(p, off)
	case layerTCP:
		return tcpByte(p, off)
	case layerUDP:
		return portByte(p, off, p.Kind == flows.KindUDP)
	case layerSCTP:
		return portByte(p, off, p.Proto == ipSCTP && withPorts(p))
	case layerICMP:
		return c.icmpByte(off, p.Proto == ipICMP && networkOf(p) == isIP)
	default:
		return c.icmpByte(off, p.Proto == ipICMPv6 && networkOf(p) == isIP6)
	}
}

func ipByte(p *flows.Packet, off uint32) (uint8, bool) {
	ok := networkOf(p) == isIP
	switch {
	case off < 6:
		return half(p.IPID, off), ok
	case off == 8:
		return p.TTL, ok
	case off == 9:
		return p.Proto, ok
	case off < 16:
		return p.Src[off&15], ok
	default:
		return p.Dst[12+off&15], ok
	}
}

func ip6Byte(p *flows.Packet, off uint32) (uint8, bool) {
	ok := networkOf(p) == isIP6
	switch {
	case off == 6:
		return p.Proto, ok
	case off == 7:
		return p.TTL, ok
	case off < 24:
		return p.Src[(off-8)&15], ok
	default:
		return p.Dst[(off-24)&15], ok
	}
}

func arpByte(p *flows.Packet, off uint32) (uint8, bool) {
	ok := networkOf(p) == isARP
	switch {
	case off == 6:
		return 0, ok
	case off == 7:
		if p.Kind == flows.KindARPReply {
			return 2, ok
		}
		return 1, ok
	case off < 18:
		return p.Src[(off-2)&15], ok
	default:
		return p.Dst[(off-12)&15], ok
	}
}

func tcpByte(p *flows.Packet, off uint32) (uint8, bool) {
	if p.Kind != flows.KindTCP {
		return 0, false
	}
	switch {
	case off < 4:
		return portByte(p, off, true)
	case off < 8:
		return uint8(p.Seq >> (8 * (7 - off))), true
	case off < 12:
		return uint8(p.Ack >> (8 * (11 - off))), true
	case off == 13:
		return p.Flags, true
	default:
		return half(p.Window, off), !p.Has(flows.MarkTruncated)
	}
}

func portByte(p *flows.Packet, off uint32, ok bool) (uint8, bool) {
	if off < 2 {
		return half(p.SrcPort, off), ok
	}
	return half(p.DstPort, off), ok
}

func (c *context) icmpByte(off uint32, ok bool) (uint8, bool) {
	p := c.p
	if !ok || p.Kind == flows.KindFragment {
		return 0, false
	}
	switch off {
	case 0:
		return c.icmpType()
	case 1:
		return p.Code, true
	}
	switch p.Kind {
	case flows.KindEchoRequest, flows.KindEchoReply, flows.KindTimestampRequest, flows.KindTimestampReply,
		flows.KindMaskRequest, flows.KindMaskReply:
		return uint8(p.Seq >> (8 * (7 - off))), true
	}
	return 0, false
}

// half is the byte of a big-endian word that stands at an offset of its parity.
func half(n uint16, off uint32) uint8 {
	if off&1 == 0 {
		return uint8(n >> 8)
	}
	return uint8(n)
}

// fragmentation is a number of which, but for fragmentDF, no more counts than
// whether it is zero.
func (c *context) fragmentation(mask uint32) (uint32, bool) {
	if networkOf(c.p) != isIP {
		return 0, false
	}
	set := false
	switch mask {
	case fragmentDF:
		set = c.p.Has(flows.MarkDF)
	case fragmentAny:
		set = c.p.Has(flows.MarkFragmented)
	case fragmentLater:
		set = c.p.Kind == flows.KindFragment
	}
	if set {
		return mask, true
	}
	return 0, true
}
