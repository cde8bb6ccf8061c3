package filter

import (
	"encoding/binary"

	"golang.org/x/net/bpf"
)

// plain is a kind of frame whose packet is the one that the frame begins with,
// and of which a socket can therefore test what [Filter.Match] will test.
type plain struct {
	base    uint32  // where the IP or ARP header begins
	over    network // isIP without options, isIP6 without extensions, or isARP
	proto   uint8   // of IP: TCP, UDP, ICMP or ICMPv6
	tagged  tagging
	linkHdr bool // the frame begins with an Ethernet header
	// inside means any packet of the kind, wherever it is: what is around it
	// is not known.
	inside bool
}

// tagging says where a VLAN tag is.
type tagging uint8

const (
	untagged   tagging = iota
	taggedAway         // the network card took it out of the frame
	taggedHere         // one tag, in the frame
)

// transport is where the header behind IP begins.
func (e plain) transport() uint32 {
	if e.over == isIP6 {
		return e.base + 40
	}
	return e.base + 20
}

// check compares a number of the frame with a constant; nodes of it stand for
// nodes of the filter in a program for a socket.
type check struct {
	load []bpf.Instruction // puts the number into the accumulator
	cond bpf.JumpTest
	val  uint32
}

// known is a node that is decided; unknown is one that cannot be.
type (
	known   bool
	unknown struct{}
)

func (check) String() string   { return "check" }
func (known) String() string   { return "known" }
func (unknown) String() string { return "unknown" }

func load(off, size, mask uint32) []bpf.Instruction {
	all := []bpf.Instruction{bpf.LoadAbsolute{Off: off, Size: int(size)}}
	if mask != 0xffffffff {
		all = append(all, bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: mask})
	}
	return all
}

func equals(off, size, val uint32) node {
	return check{load(off, size, 0xffffffff), bpf.JumpEqual, val}
}

// between is: the two bytes at an offset are from lo to hi.
func between(off uint32, lo, hi uint16) node {
	if lo == hi {
		return equals(off, 2, uint32(lo))
	}
	l := load(off, 2, 0xffffffff)
	return group{terms: []node{
		check{l, bpf.JumpGreaterOrEqual, uint32(lo)}, check{l, bpf.JumpLessOrEqual, uint32(hi)},
	}}
}

// sides joins what must hold of source and destination.
func sides(dir direction, src, dst node) node {
	switch dir {
	case source:
		return src
	case destination:
		return dst
	case both:
		return group{terms: []node{src, dst}}
	}
	return group{or: true, terms: []node{src, dst}}
}

// lower turns a filter into checks of frames of one kind. The result passes all
// that n passes if upper is set, and nothing else than it if not.
func (e plain) lower(n node, upper bool) node {
	switch n := n.(type) {
	case negation:
		x := e.lower(n.x, !upper)
		if k, ok := x.(known); ok {
			return !k
		}
		return negation{x}
	case group:
		return e.lowerGroup(n, upper)
	case check, known:
		return n
	case unknown:
		return known(upper)
	}
	return e.settle(e.primitive(n), upper)
}

// settle lowers what primitive gave, which may be made of several nodes.
func (e plain) settle(n node, upper bool) node {
	switch n.(type) {
	case check, known, unknown, group, negation:
		return e.lower(n, upper)
	}
	return known(upper)
}

func (e plain) lowerGroup(g group, upper bool) node {
	var terms []node
	for _, t := range g.terms {
		x := e.lower(t, upper)
		if k, ok := x.(known); ok {
			if bool(k) == g.or {
				return k
			}
			continue
		}
		terms = append(terms, x)
	}
	switch len(terms) {
	case 0:
		return known(!g.or)
	case 1:
		return terms[0]
	}
	return group{g.or, terms}
}

// primitive says how a part of a filter is checked in frames of this kind.
func (e plain) primitive(n node) node {
	switch n := n.(type) {
	case network:
		return known(n == e.over)
	case protocol:
		if e.inside && carries(n.n) {
			return unknown{}
		}
		return known(e.over != isARP && n.n == e.proto && (n.version == 0 || n.version.network() == e.over))
	case port:
		if e.proto != ipTCP && e.proto != ipUDP || n.proto != 0 && n.proto != e.proto {
			return known(false)
		}
		at := e.transport()
		return sides(n.dir, between(at, n.lo, n.hi), between(at+2, n.lo, n.hi))
	case address:
		return e.address(n)
	case hardware:
		if !e.linkHdr {
			return unknown{}
		}
		return sides(n.dir, macAt(6, n.mac), macAt(0, n.mac))
	case etherType:
		if e.inside {
			return unknown{}
		}
		if !e.linkHdr {
			return known(false)
		}
		return known(uint16(n) == [...]uint16{0, typeIPv4, typeIPv6, typeARP}[e.over])
	case cast:
		return e.cast(n)
	case tag:
		return e.tag(n)
	case relation:
		return e.relation(n)
	}
	return unknown{}
}

func macAt(off uint32, mac [6]byte) node {
	return group{terms: []node{
		equals(off+2, 4, binary.BigEndian.Uint32(mac[2:])),
		equals(off, 2, uint32(binary.BigEndian.Uint16(mac[:]))),
	}}
}

func (e plain) address(a address) node {
	if a.over != anyNetwork && a.over != e.over || (e.over == isIP6) != (a.width == 128) {
		return known(false)
	}
	switch e.over {
	case isIP:
		return sides(a.dir, a.at(e.base+12), a.at(e.base+16))
	case isIP6:
		return sides(a.dir, a.at(e.base+8), a.at(e.base+24))
	default:
		return sides(a.dir, a.at(e.base+14), a.at(e.base+24))
	}
}

// at is: the address at an offset fits.
func (a address) at(off uint32) node {
	var all []node
	for i := 16 - a.width/8; i < 16; i += 4 {
		mask, val := binary.BigEndian.Uint32(a.mask[i:]), binary.BigEndian.Uint32(a.addr[i:])
		if mask != 0 {
			all = append(all, check{load(off, 4, mask), bpf.JumpEqual, val})
		}
		off += 4
	}
	switch len(all) {
	case 0:
		return known(true)
	case 1:
		return all[0]
	}
	return group{terms: all}
}

func (e plain) cast(c cast) node {
	switch {
	case c == ipMulticast && e.over == isIP:
		return check{load(e.base+16, 1, 0xffffffff), bpf.JumpGreaterOrEqual, 224}
	case c == ip6Multicast && e.over == isIP6:
		return equals(e.base+24, 1, 0xff)
	case c == ipMulticast, c == ip6Multicast, !e.linkHdr:
		return known(false)
	case c == linkMulticast:
		return check{load(0, 1, 0xffffffff), bpf.JumpBitsSet, 1}
	}
	return macAt(0, [6]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
}

func (e plain) tag(t tag) node {
	if e.inside {
		return unknown{}
	}
	if t.mpls || e.tagged == untagged {
		return known(false)
	}
	if t.any {
		return known(true)
	}
	if e.tagged == taggedHere {
		return check{load(14, 2, 0xfff), bpf.JumpEqual, t.n}
	}
	return check{[]bpf.Instruction{
		bpf.LoadExtension{Num: bpf.ExtVLANTag}, bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: 0xfff},
	}, bpf.JumpEqual, t.n}
}

// conditions are the comparisons with a constant on the right.
var conditions = map[string]bpf.JumpTest{
	"=": bpf.JumpEqual, "!=": bpf.JumpNotEqual, "<": bpf.JumpLessThan, "<=": bpf.JumpLessOrEqual,
	">": bpf.JumpGreaterThan, ">=": bpf.JumpGreaterOrEqual,
}

// relation checks the most common comparisons: a number, perhaps masked, with a
// constant.
func (e plain) relation(r relation) node {
	val, ok := r.r.(number)
	if !ok {
		return unknown{}
	}
	v, mask := r.l, number(0xffffffff)
	if a, ok := v.(arithmetic); ok && a.op == "&" {
		if m, ok := a.r.(number); ok {
			v, mask = a.l, m
		}
	}
	switch v := v.(type) {
	case number:
		return known(compare(r.op, uint32(v&mask), uint32(val)))
	case wireLength:
		if e.tagged == taggedAway {
			return unknown{} // it is longer by the tag, or is not
		}
		l := []bpf.Instruction{bpf.LoadExtension{Num: bpf.ExtLen}}
		if mask != 0xffffffff {
			l = append(l, bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: uint32(mask)})
		}
		return check{l, conditions[r.op], uint32(val)}
	case field:
		at, has := e.field(v)
		switch {
		case !has:
			return known(false)
		case at == nowhere:
			return unknown{}
		}
		return check{load(at, v.size, uint32(mask)), conditions[r.op], uint32(val)}
	}
	return unknown{}
}

// nowhere is the offset of fields that have to be left to Match.
const nowhere = 1 << 20

// field is where a field is in the frame. has is false if there is none.
func (e plain) field(f field) (at uint32, has bool) {
	end := f.off + f.size
	switch f.layer {
	case layerEther, layerLink:
		safe := end <= 12 || end <= 14 && e.tagged != taggedAway
		if !e.linkHdr || !safe {
			return nowhere, true
		}
		return f.off, true
	case layerIP:
		return e.base + f.off, e.over == isIP
	case layerIP6:
		return e.base + f.off, e.over == isIP6
	case layerARP:
		return e.base + f.off, e.over == isARP
	case layerTCP, layerUDP:
		if e.over == isARP || f.layer == layerTCP && e.proto != ipTCP || f.layer == layerUDP && e.proto != ipUDP {
			return 0, false
		}
		if end > 14 {
			return nowhere, true // the window: a header may be cut before it
		}
		return e.transport() + f.off, true
	case layerICMP, layerICMP6:
		if f.layer == layerICMP && e.proto != ipICMP || f.layer == layerICMP6 && e.proto != ipICMPv6 || e.over == isARP {
			return 0, false
		}
		if end > 2 {
			return nowhere, true // only requests and replies have them
		}
		return e.transport() + f.off, true
	}
	return 0, false
}
