package filter

import (
	"errors"
	"slices"

	"golang.org/x/net/bpf"
)

// maxProgram is the most instructions that Linux takes for a socket.
const maxProgram = 4096

// tunnelPorts are the UDP ports behind which [flows.Decoder] looks for packets
// inside packets.
var tunnelPorts = [...]uint32{1701, 2152, 3544, 4789, 4790, 5072, 6081, 6635, 8472}

// Prefilter is a program for a socket of a link (a LINKTYPE number) that passes
// every frame whose packet [Filter.Match] accepts, and as few others as it can
// tell: frames of plain TCP, UDP, ICMP and ARP are tested, with no or one VLAN
// tag, be it in the frame or taken out by the network card. Fragments, tunnels,
// IP options and extension headers, and whatever else needs a decoder, pass. snap is
// how many bytes of a frame are passed on, and may not be 0.
//
// Where nothing can be left out, as on links other than Ethernet and raw IP, or
// where the expression is too long for a socket, the program is one instruction
// that passes everything. Programs for Ethernet use extensions of Linux.
func (f *Filter) Prefilter(link uint16, snap uint32) ([]bpf.Instruction, error) {
	if snap == 0 {
		return nil, errors.New("a snap length of 0 passes nothing")
	}
	for _, inFrame := range [...]bool{true, false} {
		b := builder{root: f.root, snap: snap}
		switch {
		case link == linkEthernet:
			b.ethernet(inFrame)
		case isRaw(link):
			b.raw()
		}
		if b.drops && len(b.code) <= maxProgram {
			return b.program(), nil
		}
	}
	return []bpf.Instruction{bpf.RetConstant{Val: snap}}, nil
}

// builder puts together the tests that find plain frames, and the filter as it
// reads for each kind of them.
type builder struct {
	assembler
	root       node
	snap       uint32
	pass, drop int
	drops      bool // a frame can get to drop
}

// near puts the ends of the program into reach.
func (b *builder) near() {
	const reach = 100
	if len(b.code) == 0 || b.skip(b.drop) > reach {
		b.pass = b.put(bpf.RetConstant{Val: b.snap})
		b.drop = b.put(bpf.RetConstant{Val: 0})
	}
}

// passes reports whether nothing more is tested at a place.
func (b *builder) passes(at int) bool {
	return b.code[at] == bpf.Instruction(bpf.RetConstant{Val: b.snap})
}

// choice is where to go on from a number.
type choice struct {
	val uint32
	at  int
}

// choose loads a number once and compares it with one after the other.
func (b *builder) choose(load []bpf.Instruction, choices []choice, other int) int {
	at := other
	for _, c := range slices.Backward(choices) {
		at = b.jump(bpf.JumpEqual, c.val, c.at, at)
	}
	for _, in := range slices.Backward(load) {
		at = b.put(in)
	}
	return at
}

// ethernet begins with the card's tag, goes on with the ethertype, and through
// one tag in the frame.
func (b *builder) ethernet(inFrame bool) {
	tagged := 0
	if inFrame {
		tagged = b.types(plain{base: 18, tagged: taggedHere, linkHdr: true}, nil)
	}
	away := b.types(plain{base: 14, tagged: taggedAway, linkHdr: true}, nil)
	var tags []choice
	if inFrame {
		tags = []choice{{typeVLAN, tagged}, {typeQinQ, tagged}, {typeOld, tagged}}
	}
	whole := b.types(plain{base: 14, linkHdr: true}, tags)
	b.choose([]bpf.Instruction{bpf.LoadExtension{Num: bpf.ExtVLANTagPresent}}, []choice{{0, whole}}, away)
}

// types tells the ethertypes apart that are in front of e.base.
func (b *builder) types(e plain, more []choice) int {
	ip, ip6, arp := b.ipv4(e), b.ipv6(e), b.filter(e.of(isARP, 0), 28)
	b.near()
	return b.choose(load(e.base-2, 2, 0xffffffff),
		append([]choice{{typeIPv4, ip}, {typeIPv6, ip6}, {typeARP, arp}}, more...), b.pass)
}

// raw tells IP versions apart by the first byte.
func (b *builder) raw() {
	var e plain
	ip, ip6 := b.ipv4(e), b.ipv6(e)
	b.near()
	b.choose(load(0, 1, 0xf0), []choice{{0x40, ip}, {0x60, ip6}}, b.pass)
}

func (e plain) of(n network, proto uint8) plain {
	e.over, e.proto = n, proto
	return e
}

// filter is the expression for plain frames of a kind, of which size bytes from
// e.base on must be there: cut frames pass, and are decoded with care.
func (b *builder) filter(e plain, size uint32) int {
	b.near()
	at := b.node(e.lower(b.root, true), b.pass, b.drop)
	if b.passes(at) {
		return at
	}
	b.drops = true
	return b.check(check{
		[]bpf.Instruction{bpf.LoadExtension{Num: bpf.ExtLen}}, bpf.JumpGreaterOrEqual, e.base + size,
	}, at, b.pass)
}

// long passes packets on to at whose length, or payload's length, is stated as
// need or more. What is shorter has no whole transport header.
func (b *builder) long(length []bpf.Instruction, need uint32, at int) int {
	if b.passes(at) {
		return at
	}
	return b.check(check{length, bpf.JumpGreaterOrEqual, need}, at, b.pass)
}

// ipv4 finds plain IPv4: no options, no fragment, a payload that holds the
// transport header.
func (b *builder) ipv4(e plain) int {
	length := load(e.base+2, 2, 0xffffffff)
	tcp := b.long(length, 40, b.filter(e.of(isIP, ipTCP), 40))
	udp := b.long(length, 28, b.noTunnel(e.base+20, b.filter(e.of(isIP, ipUDP), 28)))
	icmp := b.long(length, 28, b.filter(e.of(isIP, ipICMP), 28))
	b.near()
	at := b.choose(load(e.base+9, 1, 0xffffffff), []choice{{ipTCP, tcp}, {ipUDP, udp}, {ipICMP, icmp}}, b.pass)
	at = b.check(check{load(e.base+6, 2, 0xffffffff), bpf.JumpBitsSet, 0x3fff}, b.pass, at)
	return b.check(check{load(e.base, 1, 0xffffffff), bpf.JumpEqual, 0x45}, at, b.pass)
}

// ipv6 finds plain IPv6. Neighbour discovery passes: its addresses are those
// asked for.
func (b *builder) ipv6(e plain) int {
	length := load(e.base+4, 2, 0xffffffff)
	tcp := b.long(length, 20, b.filter(e.of(isIP6, ipTCP), 60))
	udp := b.long(length, 8, b.noTunnel(e.base+40, b.filter(e.of(isIP6, ipUDP), 48)))
	icmp := b.filter(e.of(isIP6, ipICMPv6), 48)
	if !b.passes(icmp) {
		icmp = b.choose(load(e.base+40, 1, 0xffffffff), []choice{{135, b.pass}, {136, b.pass}}, icmp)
		icmp = b.long(length, 8, icmp)
	}
	b.near()
	at := b.choose(load(e.base+6, 1, 0xffffffff), []choice{{ipTCP, tcp}, {ipUDP, udp}, {ipICMPv6, icmp}}, b.pass)
	return b.check(check{load(e.base, 1, 0xf0), bpf.JumpEqual, 0x60}, at, b.pass)
}

// noTunnel passes datagrams of the ports that tunnels use.
func (b *builder) noTunnel(ports uint32, at int) int {
	if b.passes(at) {
		return at
	}
	choices := make([]choice, len(tunnelPorts))
	for i, p := range tunnelPorts {
		choices[i] = choice{p, b.pass}
	}
	at = b.choose(load(ports+2, 2, 0xffffffff), choices, at)
	return b.choose(load(ports, 2, 0xffffffff), choices, at)
}
