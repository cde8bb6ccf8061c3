package filter

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// node is a part of an expression that a packet fits or does not. Its String
// is an expression with the same meaning.
type node interface{ String() string }

// group is true if all its terms are; with or, if any is. It has two or more.
type group struct {
	or    bool
	terms []node
}

type negation struct{ x node }

// join makes a group of two nodes, or widens that of the left one: operators
// are taken from left to right.
func join(or bool, left, right node) node {
	if g, ok := left.(group); ok && g.or == or {
		return group{or, append(g.terms, right)}
	}
	return group{or, []node{left, right}}
}

// version is an IP version, 0 for both.
type version uint8

const (
	v4 version = 4
	v6 version = 6
)

// direction says which of two addresses or ports is meant.
type direction uint8

const (
	either direction = iota
	source
	destination
	both
)

// network is: the packet is IPv4, IPv6 or ARP.
type network uint8

const (
	anyNetwork network = iota
	isIP
	isIP6
	isARP
)

// protocol is: the IP protocol has a number.
type protocol struct {
	version version
	n       uint8
}

// address is: an address lies in a network, or is one.
type address struct {
	dir   direction
	over  network // anyNetwork: IP and ARP
	addr  [16]byte
	mask  [16]byte // the first 96 bits of both are set for IPv4
	width int      // 32 or 128
	host  bool
}

// port is: a port lies between two, both included.
type port struct {
	dir    direction
	proto  uint8 // 0: TCP, UDP and SCTP
	lo, hi uint16
}

// hardware is: a link address is this one.
type hardware struct {
	dir direction
	mac [6]byte
}

// etherType is: the frame's ethertype, behind its tags, is this one.
type etherType uint16

// cast is: the frame or packet goes to a group.
type cast uint8

const (
	linkBroadcast cast = iota
	linkMulticast
	ipMulticast
	ip6Multicast
)

// tag is: the frame has a VLAN tag, or an MPLS label.
type tag struct {
	mpls bool
	any  bool
	n    uint32
}

// relation compares two values. It is false where the packet does not have one
// of them.
type relation struct {
	op   string // = != < <= > >=
	l, r value
}

func (g group) String() string {
	word := " and "
	if g.or {
		word = " or "
	}
	parts := make([]string, len(g.terms))
	for i, t := range g.terms {
		parts[i] = t.String()
		if _, ok := t.(group); ok {
			parts[i] = "(" + parts[i] + ")"
		}
	}
	return strings.Join(parts, word)
}

func (n negation) String() string {
	if _, ok := n.x.(group); ok {
		return "not (" + n.x.String() + ")"
	}
	return "not " + n.x.String()
}

func (v version) String() string {
	switch v {
	case v4:
		return "ip "
	case v6:
		return "ip6 "
	}
	return ""
}

func (d direction) String() string {
	return [...]string{"", "src ", "dst ", "src and dst "}[d]
}

func (n network) String() string {
	return [...]string{"", "ip", "ip6", "arp"}[n]
}

func (p protocol) String() string {
	for _, w := range vocabulary {
		if q, ok := keywords[w]; ok && q == p {
			return w
		}
	}
	return fmt.Sprintf("%sproto %d", p.version, p.n)
}

func (a address) String() string {
	over := a.over.String()
	if over != "" {
		over += " "
	}
	addr := netip.AddrFrom16(a.addr)
	if a.width == 32 {
		addr = addr.Unmap()
	}
	if a.host {
		return over + a.dir.String() + "host " + addr.String()
	}
	if n, ok := prefixLength(a.mask); ok {
		return fmt.Sprintf("%s%snet %s/%d", over, a.dir, addr, n-(128-a.width))
	}
	return fmt.Sprintf("%s%snet %s mask %s", over, a.dir, addr, netip.AddrFrom4([4]byte(a.mask[12:])))
}

// prefixLength is how many bits a mask begins with, if the rest is zero.
func prefixLength(mask [16]byte) (n int, ok bool) {
	for n < 128 && mask[n/8]&(0x80>>(n%8)) != 0 {
		n++
	}
	for i := n; i < 128; i++ {
		if mask[i/8]&(0x80>>(i%8)) != 0 {
			return 0, false
		}
	}
	return n, true
}

func (p port) String() string {
	proto := ""
	if p.proto != 0 {
		proto = protocol{n: p.proto}.String() + " "
	}
	if p.lo == p.hi {
		return fmt.Sprintf("%s%sport %d", proto, p.dir, p.lo)
	}
	return fmt.Sprintf("%s%sportrange %d-%d", proto, p.dir, p.lo, p.hi)
}

func (h hardware) String() string {
	m := h.mac
	return fmt.Sprintf("ether %shost %02x:%02x:%02x:%02x:%02x:%02x", h.dir, m[0], m[1], m[2], m[3], m[4], m[5])
}

func (e etherType) String() string { return fmt.Sprintf("ether proto 0x%04x", uint16(e)) }

func (c cast) String() string {
	return [...]string{"ether broadcast", "ether multicast", "ip multicast", "ip6 multicast"}[c]
}

func (t tag) String() string {
	word := "vlan"
	if t.mpls {
		word = "mpls"
	}
	if t.any {
		return word
	}
	return word + " " + strconv.FormatUint(uint64(t.n), 10)
}

func (r relation) String() string {
	return r.l.String() + " " + r.op + " " + r.r.String()
}
