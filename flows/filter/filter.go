package filter

import (
	"encoding/binary"

	"github.com/synoptic-ids/synoptic/flows"
)

// Filter is an expression that was understood. It does not change; any number
// of goroutines may use it.
type Filter struct {
	root node
	prog program
}

// String is the expression in full: qualifiers repeated, names as numbers,
// parentheses where and and or meet. [Parse] makes the same filter of it.
func (f *Filter) String() string { return f.root.String() }

// Match reports whether a packet fits. frame and meta are what it was decoded
// from; they say what the packet does not hold (see the package comment).
// Without a frame, tests of such things fail, but those for the source link
// address and VLAN of the packet. It allocates nothing.
func (f *Filter) Match(p *flows.Packet, frame []byte, meta flows.Meta) bool {
	c := context{p: p, frame: frame, meta: meta}
	at := len(f.prog) - 1
	for at >= firstStep {
		s := &f.prog[at]
		if s.holds(&c) {
			at = int(s.yes)
		} else {
			at = int(s.no)
		}
	}
	return at == accept
}

// context is what a packet is tested with.
type context struct {
	p     *flows.Packet
	frame []byte
	meta  flows.Meta
}

// program is a filter as a list of steps, the first of them at the end. The
// two in front are no steps but ends.
type program []step

const (
	reject    = 0
	accept    = 1
	firstStep = 2
)

// step is a test, and where to go on.
type step struct {
	kind    kind
	yes, no int32
	// What the kinds use of these is their own affair.
	dir    direction
	proto  uint8
	over   network
	lo, hi uint16
	test   tester
	addr   target
}

// kind tells the steps apart that are common enough to be tested in place.
type kind uint8

const (
	stepTester  kind = iota // test
	stepNetwork             // over
	stepProto               // proto, over: isIP or isIP6 for one version
	stepPort                // dir, proto, lo, hi
	stepAddress             // addr
	stepFlags               // proto: mask, lo: value; hi: 1 for equal, 0 for not equal
)

// tester is a test that has no kind of its own.
type tester interface{ holds(c context) bool }

func compile(n node) program {
	prog := make(program, firstStep)
	prog.add(n, accept, reject)
	return prog
}

// add puts the steps of n in front of those there are, and returns where they
// begin.
func (g *program) add(n node, yes, no int32) int32 {
	switch n := n.(type) {
	case group:
		for i := len(n.terms) - 1; i > 0; i-- {
			if at := g.add(n.terms[i], yes, no); n.or {
				no = at
			} else {
				yes = at
			}
		}
		return g.add(n.terms[0], yes, no)
	case negation:
		return g.add(n.x, no, yes)
	}
	s := stepOf(n)
	s.yes, s.no = yes, no
	*g = append(*g, s)
	return int32(len(*g) - 1)
}

func stepOf(n node) step {
	switch n := n.(type) {
	case network:
		return step{kind: stepNetwork, over: n}
	case protocol:
		if carries(n.n) {
			return step{test: n}
		}
		return step{kind: stepProto, proto: n.n, over: n.version.network()}
	case port:
		return step{kind: stepPort, dir: n.dir, proto: n.proto, lo: n.lo, hi: n.hi}
	case address:
		return addressStep(n)
	case relation:
		if s, ok := flagsStep(n); ok {
			return s
		}
	}
	return step{test: n.(tester)}
}

// flagsStep is the step for a test of nothing but TCP flags.
func flagsStep(r relation) (step, bool) {
	mask := number(0xff)
	f, ok := r.l.(field)
	if a, isAnd := r.l.(arithmetic); isAnd && a.op == "&" {
		var okL, okR bool
		f, okL = a.l.(field)
		mask, okR = a.r.(number)
		ok = okL && okR
	}
	v, isNumber := r.r.(number)
	if !ok || !isNumber || f != (field{layerTCP, 13, 1}) || mask > 0xff || v > 0xff || r.op != "=" && r.op != "!=" {
		return step{}, false
	}
	s := step{kind: stepFlags, proto: uint8(mask), lo: uint16(v)}
	if r.op == "=" {
		s.hi = 1
	}
	return s, true
}

func (v version) network() network {
	switch v {
	case v4:
		return isIP
	case v6:
		return isIP6
	}
	return anyNetwork
}

func (s *step) holds(c *context) bool {
	p := c.p
	switch s.kind {
	case stepNetwork:
		return s.over == networkOf(p)
	case stepProto:
		of := networkOf(p)
		return p.Proto == s.proto && of != isARP && (s.over == anyNetwork || s.over == of)
	case stepPort:
		return s.port(p)
	case stepAddress:
		return s.address(p)
	case stepFlags:
		return p.Kind == flows.KindTCP && (uint16(p.Flags&s.proto) == s.lo) == (s.hi == 1)
	}
	return s.test.holds(*c)
}

func networkOf(p *flows.Packet) network {
	switch {
	case p.Has(flows.MarkIPv6):
		return isIP6
	case p.Kind == flows.KindARPRequest, p.Kind == flows.KindARPReply:
		return isARP
	}
	return isIP
}

// port tests the ports. Packets without a transport header have none.
func (s *step) port(p *flows.Packet) bool {
	if s.proto != 0 && p.Proto != s.proto || !withPorts(p) {
		return false
	}
	src, dst := p.SrcPort-s.lo <= s.hi-s.lo, p.DstPort-s.lo <= s.hi-s.lo
	switch s.dir {
	case source:
		return src
	case destination:
		return dst
	case both:
		return src && dst
	}
	return src || dst
}

func withPorts(p *flows.Packet) bool {
	switch p.Kind {
	case flows.KindTCP, flows.KindUDP:
		return true
	case flows.KindSCTPInit, flows.KindSCTPInitAck, flows.KindSCTPCookieEcho, flows.KindSCTPCookieAck,
		flows.KindSCTPAbort, flows.KindSCTPOther:
		return true
	}
	return false
}

// address tests the addresses. over is never anyNetwork for IPv6.
func (s *step) address(p *flows.Packet) bool {
	of := networkOf(p)
	if s.over != of && (s.over != anyNetwork || of == isIP6) {
		return false
	}
	t := &s.addr
	switch s.dir {
	case source:
		return t.has(&p.Src)
	case destination:
		return t.has(&p.Dst)
	case both:
		return t.has(&p.Src) && t.has(&p.Dst)
	}
	return t.has(&p.Src) || t.has(&p.Dst)
}

func addressStep(a address) step {
	s := step{kind: stepAddress, dir: a.dir, over: a.over}
	if a.width == 128 {
		s.over = isIP6
	}
	s.addr = target{addr: halves(&a.addr), mask: halves(&a.mask)}
	return s
}

// target is an address as it is compared: in halves.
type target struct {
	addr, mask [2]uint64
}

func halves(x *[16]byte) [2]uint64 {
	return [2]uint64{binary.LittleEndian.Uint64(x[:8]), binary.LittleEndian.Uint64(x[8:])}
}

func (t *target) has(x *[16]byte) bool {
	h := halves(x)
	return h[0]&t.mask[0] == t.addr[0] && h[1]&t.mask[1] == t.addr[1]
}
