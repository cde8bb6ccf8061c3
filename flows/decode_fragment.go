package flows

import "encoding/binary"

// fragment is what IP says of one.
type fragment struct {
	id   uint32
	at   int32 // offset in bytes
	last bool
	next uint8 // IP protocol number of what is fragmented
	six  bool
}

// fragment4 reads the payload b of a fragment, wire bytes long on the wire.
// flags are those of the header, and the offset.
//
//go:noinline
func (d *Decoder) fragment4(p *Packet, b []byte, wire int, flags uint16) bool {
	f := fragment{id: uint32(p.IPID), at: int32(flags&0x1fff) * fragmentBlock, last: flags&0x2000 == 0, next: p.Proto}
	return d.fragment(p, b, wire, &f)
}

// fragment6 is fragment4 for IPv6, where the fragment header is at b[x.frag:].
//
//go:noinline
func (d *Decoder) fragment6(p *Packet, b []byte, wire int, x *extensions) bool {
	h := b[x.frag:]
	at := binary.BigEndian.Uint16(h[2:])
	f := fragment{id: binary.BigEndian.Uint32(h[4:]), at: int32(at &^ 7), last: at&1 == 0, next: h[0], six: true}
	return d.fragment(p, h[8:], wire-x.frag-8, &f)
}

func (d *Decoder) fragment(p *Packet, b []byte, wire int, f *fragment) bool {
	p.Marks |= MarkFragmented
	p.Proto = f.next
	if f.at == 0 {
		return d.firstFragment(p, b, wire, f)
	}
	if int(f.at)+wire > 0xffff { // "ping of death"
		p.Marks |= MarkMalformed
		return d.laterFragment(p, wire)
	}
	if g := d.datagram(p, f); g != nil && d.join(p, g, b, wire, f) {
		return true
	}
	return d.laterFragment(p, wire)
}

// firstFragment reads the transport header in a first fragment. Where that does
// not hold enough of it, the packet is given with the fragment that does.
func (d *Decoder) firstFragment(p *Packet, b []byte, wire int, f *fragment) bool {
	x := extensions{next: f.next}
	if f.six || f.next == protoAH {
		x = walkExtensions(f.next, b)
	}
	p.Proto = x.next
	header, rest := b[x.off:], wire-x.off
	cut := len(b) < wire
	switch {
	case x.stop == stopTooMany:
		d.malformed++
		return false
	case x.stop == stopFragment:
		return d.laterFragment(p, rest)
	case x.stop == stopShort && cut:
		return d.cut(p, x.need, rest)
	case x.stop == stopShort, !cut && !alone(x.next, f.six, header):
		if d.join(p, d.datagram(p, f), b, wire, f) {
			return true
		}
		p.Proto = x.next
		return d.laterFragment(p, rest)
	}
	bare := *p
	if !d.transport(p, header, rest) {
		return false
	}
	if p.Depth == bare.Depth && overwritable(x.next, f.six, header) {
		g := d.datagram(&bare, f)
		if g.seen&1 != 0 { // no receiver mixes two first fragments that both hold ports and flags
			g.restart()
		}
		g.tell(readingOf(x.next, header))
		d.also(&bare, g, b, wire, f)
	}
	return true
}

// overwritable reports whether fragments that follow a first one may overwrite
// what it says (RFC 1858, RFC 3128). The ports, which is all that counts of
// UDP, only another first fragment can overwrite: it is enough to look at
// those that are so short that their datagram is kept anyway.
func overwritable(proto uint8, six bool, b []byte) bool {
	_, least := headerNeeds(proto, six, b)
	if least == 0 || len(b) < least {
		return false
	}
	return proto == protoTCP || proto == protoSCTP || len(b) < fragmentWindow
}

// alone reports whether a first fragment is read without the rest. Of TCP and
// SCTP that is so with the flags, or the chunk's type: to know of a probe in a
// capture that lacks the rest, as filters leave it, is worth more than options.
func alone(proto uint8, six bool, b []byte) bool {
	need, least := headerNeeds(proto, six, b)
	if proto == protoTCP || proto == protoSCTP {
		need = least
	}
	return len(b) >= need
}

// datagram finds the datagram of a fragment. It is nil where the fragment can
// be no part of its header, as ordinary ones but the first are, and none before
// it was kept.
func (d *Decoder) datagram(p *Packet, f *fragment) *datagram {
	k := fragmentKey{src: p.Src, dst: p.Dst, id: f.id, depth: p.Depth}
	if !f.six {
		k.proto = f.next
		switch f.next {
		case protoTCP, protoUDP, protoICMP, protoSCTP, protoAH:
		default:
			return nil
		}
	}
	if f.at < fragmentWindow {
		if d.fragments == nil {
			d.fragments = newFragments(d.maxFragments, d.seed)
		}
		return d.fragments.get(&k, p.Time)
	}
	if d.fragments == nil {
		return nil
	}
	return d.fragments.find(&k, p.Time)
}

// join adds a fragment to its datagram. It reports whether that can be read
// now, as p, and leaves p as it was if not.
func (d *Decoder) join(p *Packet, g *datagram, b []byte, wire int, f *fragment) bool {
	var ways [2][fragmentWindow]byte
	from := *p
	whole, found := d.merge(g, ways[:], b, wire, f)
	if found == 0 || !d.reassembled(p, ways[0][:whole.have], whole) {
		*p = from
		return false
	}
	if found == 2 {
		d.other(&from, ways[1][:whole.have], whole)
	}
	return true
}

// also is join for a fragment of which a packet is given already: p, from
// before its header was read, becomes a second one if the fragment can be read
// in another way.
func (d *Decoder) also(p *Packet, g *datagram, b []byte, wire int, f *fragment) {
	var ways [1][fragmentWindow]byte
	whole, found := d.merge(g, ways[:], b, wire, f)
	if found > 0 {
		d.other(p, ways[0][:whole.have], whole)
	}
}

// other makes a reading the second packet of a frame. p is that packet from
// before its header was read. A second one through a tunnel is too much.
func (d *Decoder) other(p *Packet, b []byte, r reassembly) {
	found := d.tunnel.found
	d.second = *p
	d.twice = d.reassembled(&d.second, b, r) && d.second.Depth == p.Depth
	d.tunnel.found = found
}

// again appends the second packet of a frame.
//
//go:noinline
func (d *Decoder) again(dst []Packet) []Packet {
	d.twice = false
	if d.second.Depth > 0 && d.tunnel.mode == TunnelsOuter {
		return dst
	}
	d.packets++
	d.doubled++
	d.marked.add(d.second.Marks)
	return append(dst, d.second)
}

// reassembly is what is known of a datagram of which fragments were joined.
type reassembly struct {
	have int   // bytes of it, from the transport header on
	wire int   // its length, or the least that it has
	next uint8 // IP protocol number
	all  bool  // the length is known
}

// merge adds a fragment and returns in ways how the datagram can be read.
func (d *Decoder) merge(g *datagram, ways [][fragmentWindow]byte, b []byte, wire int, f *fragment) (reassembly, int) {
	if f.at == 0 && !g.headed {
		g.next, g.headed = f.next, true
	}
	changed, overlaid := g.add(f.at, b, int32(clamp(wire)), f.last)
	if overlaid {
		d.fragments.overlaid++
	}
	if !changed {
		g.settle()
		return reassembly{}, 0
	}
	if f.six || g.key.proto == protoAH {
		g.passExtensions()
	}
	n, found := g.choose(ways)
	r := reassembly{have: int(n), wire: int(g.total), next: g.next, all: g.total >= 0}
	if !r.all {
		r.wire = int(g.end) + 1 // there is more to come
	}
	g.settle()
	return r, found
}

// reassembled reads a header that was put together.
func (d *Decoder) reassembled(p *Packet, b []byte, r reassembly) bool {
	p.Proto = r.next
	if r.all { // so that impossible lengths are told from what is to come
		p.Marks &^= MarkFragmented
	}
	ok := d.transport(p, b, r.wire)
	p.Marks |= MarkFragmented
	if ok {
		d.fragments.joined++
	}
	return ok
}
