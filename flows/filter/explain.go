package filter

import (
	"fmt"
	"strings"
)

// Part is one of the tests that an expression is made of.
type Part struct {
	Text    string // as an expression
	Meaning string // in words: what is true of a packet that fits
}

// Parts are the tests of a filter in the order in which they were written, each
// once.
func (f *Filter) Parts() []Part {
	var all []Part
	seen := map[string]bool{}
	each(f.root, false, func(n node, _ bool) {
		text := n.String()
		if !seen[text] {
			seen[text] = true
			all = append(all, Part{text, meaning(n)})
		}
	})
	return all
}

// each calls do for all parts; negated says that an odd number of nots stand
// before one.
func each(n node, negated bool, do func(n node, negated bool)) {
	switch n := n.(type) {
	case group:
		for _, t := range n.terms {
			each(t, negated, do)
		}
	case negation:
		each(n.x, !negated, do)
	default:
		do(n, negated)
	}
}

func meaning(n node) string {
	switch n := n.(type) {
	case network:
		return [...]string{"", "the packet is IPv4", "the packet is IPv6", "the packet is ARP for IPv4"}[n]
	case protocol:
		return n.meaning()
	case address:
		return n.meaning()
	case port:
		return n.meaning()
	case hardware:
		text := n.String()
		return sideText(n.dir, "link address of the frame", "is "+text[strings.LastIndex(text, " ")+1:])
	case etherType:
		return fmt.Sprintf("the frame's ethertype, behind VLAN tags and SNAP, is 0x%04x", uint16(n))
	case cast:
		return [...]string{
			"the frame goes to everyone on its link",
			"the frame goes to a group on its link, or to everyone",
			"the packet is IPv4 and goes to a group, that is, to 224.0.0.0 or above",
			"the packet is IPv6 and goes to a group, that is, to ff00::/8",
		}[n]
	case tag:
		return n.meaning()
	case relation:
		return n.meaning()
	}
	return ""
}

func (p protocol) meaning() string {
	packet := "the packet"
	switch p.version {
	case v4:
		packet = "the packet is IPv4 and"
	case v6:
		packet = "the packet is IPv6 and"
	}
	name := ""
	for _, w := range vocabulary {
		if k, ok := keywords[w]; ok && k.n == p.n {
			name = " (" + strings.ToUpper(w) + ")"
			break
		}
	}
	text := fmt.Sprintf("%s carries IP protocol %d%s, with extension headers and AH passed over", packet, p.n, name)
	if carries(p.n) {
		text = fmt.Sprintf("%s carries IP protocol %d%s, or the first packet in the frame does", packet, p.n, name)
	}
	return text
}

// sideText says what is true of source and destination.
func sideText(d direction, of, is string) string {
	switch d {
	case source:
		return "the source " + of + " " + is
	case destination:
		return "the destination " + of + " " + is
	case both:
		return "the source and the destination " + of + " " + is
	}
	return "the source or destination " + of + " " + is
}

func (a address) meaning() string {
	what := a
	what.dir, what.over = either, anyNetwork
	_, text, _ := strings.Cut(what.String(), " ")
	is := "is in " + text
	if a.host {
		is = "is " + text
	}
	var of string
	switch {
	case a.over == isARP:
		of = "address of an ARP packet"
	case a.over == isIP:
		of = "address of an IPv4 packet"
	case a.width == 128:
		of = "address of an IPv6 packet"
	default:
		of = "address of an IPv4 or ARP packet"
	}
	return sideText(a.dir, of, is)
}

func (p port) meaning() string {
	of := "TCP, UDP or SCTP port"
	if p.proto != 0 {
		of = strings.ToUpper(protocol{n: p.proto}.String()) + " port"
	}
	if p.lo == p.hi {
		return sideText(p.dir, of, fmt.Sprintf("is %d", p.lo))
	}
	return sideText(p.dir, of, fmt.Sprintf("is from %d to %d", p.lo, p.hi))
}

func (t tag) meaning() string {
	switch {
	case t.mpls && t.any:
		return "the frame has an MPLS label"
	case t.mpls:
		return fmt.Sprintf("one of the frame's MPLS labels is %d", t.n)
	case t.any:
		return "the frame has a VLAN tag"
	}
	return fmt.Sprintf("one of the frame's VLAN tags has id %d", t.n)
}

func (r relation) meaning() string {
	if f, ok := r.l.(fragmentation); ok && f.mask != fragmentDF {
		no := r.op == "="
		switch {
		case f.mask == fragmentAny && no:
			return "the packet is IPv4 and no fragment"
		case f.mask == fragmentAny:
			return "the packet is a fragment of an IPv4 packet"
		case no:
			return "the packet is IPv4 and has its transport header, which fragments but the first have not"
		}
		return "the packet is an IPv4 fragment without a transport header"
	}
	flags := aboutFlags(r.l) || aboutFlags(r.r)
	relations := map[string]string{
		"=": "is", "!=": "is not", "<": "is below", "<=": "is at most", ">": "is above", ">=": "is at least",
	}
	return spoken(r.l, flags) + " " + relations[r.op] + " " + spoken(r.r, flags)
}

// aboutFlags reports whether a value is made of TCP flags.
func aboutFlags(v value) bool {
	switch v := v.(type) {
	case field:
		return v == field{layerTCP, 13, 1}
	case arithmetic:
		return (v.op == "&" || v.op == "|" || v.op == "^") && (aboutFlags(v.l) || aboutFlags(v.r))
	}
	return false
}

// spoken is a value in words; flags says that numbers are TCP flags.
func spoken(v value, flags bool) string {
	switch v := v.(type) {
	case arithmetic:
		l, r := spoken(v.l, flags), spoken(v.r, flags)
		if _, nested := v.l.(arithmetic); nested {
			l = "(" + l + ")"
		}
		if _, nested := v.r.(arithmetic); nested {
			r = "(" + r + ")"
		}
		return l + " " + v.op + " " + r
	case wireLength:
		return "the length of the frame in bytes"
	case fragmentation:
		return "IPv4's do-not-fragment bit"
	case field:
		return v.title()
	case number:
		if flags && v > 0 && v < 256 {
			return flagNames(uint8(v))
		}
	}
	return v.String()
}

func flagNames(n uint8) string {
	var names []string
	for i, name := range [...]string{"FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"} {
		if n>>i&1 != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, "+")
}

// title is what a field is called.
func (f field) title() string {
	known := map[string]string{
		"tcp[13]": "TCP's flags", "tcp[0:2]": "TCP's source port", "tcp[2:2]": "TCP's destination port",
		"tcp[4:4]": "TCP's sequence number", "tcp[8:4]": "TCP's acknowledgement number", "tcp[14:2]": "TCP's window",
		"udp[0:2]": "UDP's source port", "udp[2:2]": "UDP's destination port",
		"icmp[0]": "the type of ICMP", "icmp[1]": "the code of ICMP", "icmp6[0]": "the type of ICMPv6", "icmp6[1]": "the code of ICMPv6",
		"ip[8]": "IPv4's time to live", "ip[9]": "IPv4's protocol", "ip[4:2]": "IPv4's identification",
		"ip[12:4]": "IPv4's source address", "ip[16:4]": "IPv4's destination address",
		"ip6[6]": "IPv6's last next header", "ip6[7]": "IPv6's hop limit", "arp[6:2]": "ARP's operation",
	}
	if t, ok := known[f.String()]; ok {
		return t
	}
	layer := strings.ToUpper(f.layer.String())
	if f.layer == layerEther || f.layer == layerLink {
		layer = "the frame"
	}
	if f.size == 1 {
		return fmt.Sprintf("byte %d of %s", f.off, layer)
	}
	return fmt.Sprintf("bytes %d to %d of %s", f.off, f.off+f.size-1, layer)
}

// OfFrame reports whether a part of the filter is about the frame, and so
// about what is around the innermost packet.
func (f *Filter) OfFrame() bool {
	found := false
	each(f.root, false, func(n node, _ bool) {
		switch n := n.(type) {
		case hardware, etherType, tag:
			found = true
		case cast:
			found = found || n == linkBroadcast || n == linkMulticast
		case relation:
			found = found || ofFrame(n.l) || ofFrame(n.r)
		}
	})
	return found
}

func ofFrame(v value) bool {
	switch v := v.(type) {
	case wireLength:
		return true
	case field:
		return v.layer == layerEther || v.layer == layerLink
	case arithmetic:
		return ofFrame(v.l) || ofFrame(v.r)
	}
	return false
}

// HidesICMP reports whether no ICMP packet can fit, so that targets which are
// reported to be unreachable look as if nothing answered.
func (f *Filter) HidesICMP() bool {
	for _, e := range [...]plain{
		{over: isIP, proto: ipICMP, linkHdr: true, inside: true}, {over: isIP6, proto: ipICMPv6, linkHdr: true, inside: true},
	} {
		if e.lower(f.root, true) != node(known(false)) {
			return false
		}
	}
	return true
}
