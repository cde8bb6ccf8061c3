package filter

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

const (
	noNames   = "is no address, and names of hosts and networks are not looked up"
	hintNames = "write the address itself: no DNS is asked, so that a filter means the same everywhere"
)

// name reads the name or number that qualifiers are about.
func (p *parser) name(q qualifiers) (node, *Error) {
	if p.i >= len(p.tokens) {
		return nil, p.wrong(q.missing()+" is missing", "")
	}
	if !p.tokens[p.i].word || p.word(0)[0] != '\\' && reserved(p.word(0)) && q.kind != "proto" {
		return nil, p.wrong(q.missing()+" is missing before it", p.order(q))
	}
	switch q.kind {
	case "port", "portrange":
		return p.portName(q)
	case "proto":
		return p.protoName(q)
	case "net":
		return p.netName(q)
	}
	return p.hostName(q)
}

// order says where the word would stand that comes too late.
func (p *parser) order(q qualifiers) string {
	switch w := p.word(0); w {
	case "tcp", "udp", "sctp", "ip", "ip6", "arp", "ether":
		if q.proto == "" {
			return "write " + w + " first, then src or dst, then host, net or port"
		}
	case "src", "dst":
		return "write " + w + " before " + q.kind
	}
	return ""
}

func (q qualifiers) missing() string {
	switch q.kind {
	case "port":
		return "a port"
	case "portrange":
		return "a range of ports"
	case "proto":
		return "a protocol"
	case "net":
		return "a network"
	}
	return "an address"
}

func (p *parser) hostName(q qualifiers) (node, *Error) {
	w := strings.TrimPrefix(p.word(0), "\\")
	if mac, ok := parseMAC(w); ok {
		if q.proto != "ether" {
			return nil, p.wrong("is a link address", "write: ether "+q.dir.String()+"host "+w)
		}
		p.i++
		return hardware{q.dir, mac}, nil
	}
	if q.proto == "ether" {
		return nil, p.wrong("is no link address", "write it as 00:00:5e:00:53:01; IP addresses go behind host alone")
	}
	addr, err := netip.ParseAddr(w)
	switch {
	case err == nil && addr.Zone() == "":
		a := address{dir: q.dir, host: true, addr: addr.As16(), width: addr.BitLen(), mask: maskOf(128)}
		return p.over(a, q)
	case strings.Contains(w, "/") && looksLikeAddress(w):
		return nil, p.wrong("is a network, not an address", "write: "+q.dir.String()+"net "+w)
	case isNumber(w) && q.kind == "":
		return nil, p.wrong("is no address", "write: "+q.dir.String()+"port "+w)
	case looksLikeAddress(w) || isNumber(w):
		return nil, p.wrong("is no whole address", "networks go behind net: net 192.0.2.0/24")
	}
	if _, ok := services[w]; ok && q.kind == "" {
		return nil, p.wrong("is no address", "write: "+q.dir.String()+"port "+w)
	}
	return nil, p.wrong(noNames, hintNames)
}

// over settles which packets an address is looked for in.
func (p *parser) over(a address, q qualifiers) (node, *Error) {
	switch {
	case q.proto == "ip6" && a.width == 32:
		return nil, p.wrong("is an IPv4 address", "write: ip "+q.dir.String()+q.kindOf(a))
	case (q.proto == "ip" || q.proto == "arp") && a.width == 128:
		return nil, p.wrong("is an IPv6 address", "write: ip6 "+q.dir.String()+q.kindOf(a))
	}
	switch q.proto {
	case "ip":
		a.over = isIP
	case "ip6":
		a.over = isIP6
	case "arp":
		a.over = isARP
	}
	p.i++
	return a, nil
}

func (q qualifiers) kindOf(a address) string {
	a.dir, a.over = either, anyNetwork
	return a.String()
}

func (p *parser) netName(q qualifiers) (node, *Error) {
	w := strings.TrimPrefix(p.word(0), "\\")
	base, bits, given := strings.Cut(w, "/")
	a := address{dir: q.dir}
	addr, err := netip.ParseAddr(base)
	var length int
	switch {
	case err == nil && addr.Zone() == "":
		a.addr, a.width, length = addr.As16(), addr.BitLen(), addr.BitLen()
	default:
		b, n, ok := partial(base)
		if !ok {
			if looksLikeAddress(w) || isNumber(w) {
				return nil, p.wrong("is no network", "write networks as 192.0.2.0/24, 192.0.2 or 2001:db8::/32")
			}
			return nil, p.wrong(noNames, hintNames)
		}
		a.addr, a.width, length = netip.AddrFrom4(b).As16(), 32, n
	}
	if given {
		n, err := strconv.ParseUint(bits, 10, 8)
		if err != nil || int(n) > a.width {
			return nil, p.wrong(fmt.Sprintf("a prefix is at most %d bits long", a.width), "")
		}
		length = int(n)
	}
	a.mask = maskOf(length + 128 - a.width)
	if p.word(1) == "mask" {
		return p.masked(a, q, given)
	}
	return p.whole(a, q)
}

// masked reads "mask M" behind a network.
func (p *parser) masked(a address, q qualifiers, given bool) (node, *Error) {
	at := p.i
	p.i++
	if given || a.width != 32 {
		return nil, p.wrong("does not go with a prefix length or IPv6", "write networks as 192.0.2.0/24 or 2001:db8::/32")
	}
	p.i++
	m, err := netip.ParseAddr(p.word(0))
	if err != nil || !m.Is4() {
		return nil, p.wrong("a mask as 255.255.255.0 is missing", "")
	}
	b := m.As4()
	a.mask = maskOf(96)
	copy(a.mask[12:], b[:])
	p.i = at
	whole, problem := p.whole(a, q)
	p.i += 2
	return whole, problem
}

// whole refuses a network with bits set that do not belong to it.
func (p *parser) whole(a address, q qualifiers) (node, *Error) {
	for i := range a.addr {
		if a.addr[i]&^a.mask[i] == 0 {
			continue
		}
		right := a
		for j := range right.addr {
			right.addr[j] &= right.mask[j]
		}
		return nil, p.wrong("has bits set behind the network's", fmt.Sprintf("write: %s, or: host …", q.kindOf(right)))
	}
	return p.over(a, q)
}

// partial reads an IPv4 network of which the last bytes were left out.
func partial(s string) (b [4]byte, bits int, ok bool) {
	parts := strings.Split(s, ".")
	if len(parts) > 4 {
		return b, 0, false
	}
	for i, part := range parts {
		n, err := strconv.ParseUint(part, 10, 8)
		if err != nil {
			return b, 0, false
		}
		b[i] = byte(n)
	}
	return b, 8 * len(parts), true
}

func maskOf(bits int) (m [16]byte) {
	for i := range bits {
		m[i/8] |= 0x80 >> (i % 8)
	}
	return m
}

func (p *parser) portName(q qualifiers) (node, *Error) {
	w := strings.TrimPrefix(p.word(0), "\\")
	n := port{dir: q.dir, proto: keywords[q.proto].n}
	var msg string
	if n.lo, n.hi, msg = portsOf(w, q.kind == "portrange"); msg != "" {
		hint := "write a number, or one of the names: ssh, http, https, domain …"
		switch {
		case q.kind == "portrange":
			hint = "write: portrange 1-1024"
		case strings.Contains(w, "-"):
			hint = "write: portrange " + w
		}
		return nil, p.wrong(msg, hint)
	}
	p.i++
	return n, nil
}

// portsOf reads a port or, if ranged, a range of ports. msg says what is wrong.
func portsOf(w string, ranged bool) (lo, hi uint16, msg string) {
	if !ranged {
		n, msg := portOf(w)
		return n, n, msg
	}
	for i := range w {
		if w[i] != '-' || i == 0 {
			continue
		}
		a, wrongA := portOf(w[:i])
		b, wrongB := portOf(w[i+1:])
		if wrongA == "" && wrongB == "" {
			return min(a, b), max(a, b), ""
		}
	}
	if n, msg := portOf(w); msg == "" {
		return n, n, ""
	}
	return 0, 0, "is no range of ports"
}

func portOf(w string) (uint16, string) {
	if isNumber(w) {
		n, ok := parseNumber(w)
		if !ok || n > 0xffff {
			return 0, "is no port: they end at 65535"
		}
		return uint16(n), ""
	}
	if n, ok := services[w]; ok {
		return n, ""
	}
	return 0, "is no port that has a name here"
}

func (p *parser) protoName(q qualifiers) (node, *Error) {
	w := strings.TrimPrefix(p.word(0), "\\")
	if q.proto == "ether" {
		return p.etherName(w)
	}
	n, known := protocolNames[w]
	if k, ok := keywords[w]; ok {
		n, known = k.n, true
	}
	if isNumber(w) {
		v, ok := parseNumber(w)
		if !ok || v > 255 {
			return nil, p.wrong("is no IP protocol: they end at 255", "")
		}
		n, known = uint8(v), true
	}
	if !known {
		return nil, p.wrong("is no IP protocol that has a name here", "write its number")
	}
	p.i++
	switch q.proto {
	case "ip":
		return protocol{v4, n}, nil
	case "ip6":
		return protocol{v6, n}, nil
	}
	return protocol{n: n}, nil
}

func (p *parser) etherName(w string) (node, *Error) {
	n, known := etherNames[w]
	if isNumber(w) {
		v, ok := parseNumber(w)
		if !ok || v > 0xffff {
			return nil, p.wrong("is no ethertype: they end at 0xffff", "")
		}
		if v <= 1500 {
			return nil, p.wrong("is a length, no ethertype", "addresses of LLC cannot be tested")
		}
		n, known = uint16(v), true
	}
	if !known {
		return nil, p.wrong("is no ethertype that has a name here", "write its number: ether proto 0x0800")
	}
	p.i++
	return etherType(n), nil
}

func isNumber(w string) bool {
	return w != "" && w[0] >= '0' && w[0] <= '9' && !looksLikeAddress(w) && !strings.ContainsAny(w, "-/")
}

// parseNumber reads a number as C writes them: decimal, 0x… or 0….
func parseNumber(w string) (uint32, bool) {
	base := 10
	switch {
	case strings.HasPrefix(w, "0x"), strings.HasPrefix(w, "0X"):
		base, w = 16, w[2:]
	case len(w) > 1 && w[0] == '0':
		base, w = 8, w[1:]
	}
	n, err := strconv.ParseUint(w, base, 32)
	return uint32(n), err == nil
}

// looksLikeAddress reports whether a word is meant to be an address or network,
// whole or not.
func looksLikeAddress(w string) bool {
	if strings.Contains(w, ":") {
		return true
	}
	return w != "" && strings.Contains(w, ".") && strings.Trim(w, digits+"./") == ""
}

func looksLikeMAC(w string) bool {
	_, ok := parseMAC(w)
	return ok
}

// parseMAC reads 00:00:5e:00:53:01, with colons, dots or hyphens, and
// 0000.5e00.5301.
func parseMAC(w string) (mac [6]byte, ok bool) {
	for _, sep := range []string{":", "-", "."} {
		parts := strings.Split(w, sep)
		size := 6 / max(len(parts), 1)
		if len(parts) != 6 && len(parts) != 3 || len(parts) == 3 && sep != "." {
			continue
		}
		for i, part := range parts {
			n, err := strconv.ParseUint(part, 16, 8*size)
			if err != nil || len(part) > 2*size || size == 2 && len(part) != 4 {
				return mac, false
			}
			for j := range size {
				mac[i*size+j] = byte(n >> (8 * (size - 1 - j)))
			}
		}
		return mac, true
	}
	return mac, false
}
