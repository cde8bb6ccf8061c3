package filter

import "strconv"

// qualifiers say what a name or number is about.
type qualifiers struct {
	proto string // "", ip, ip6, arp, ether, tcp, udp, sctp …
	dir   direction
	kind  string // "", host, net, port, portrange, proto
}

// names reports whether word can be a name of this kind.
func (q qualifiers) names(word string) bool {
	switch q.kind {
	case "port", "portrange":
		_, _, err := portsOf(word, q.kind == "portrange")
		return err == ""
	case "proto":
		if q.proto == "ether" {
			_, ok := etherNames[word]
			return ok
		}
		_, ok := protocolNames[word]
		return ok
	}
	return false
}

// primitive reads a part that begins with a word of the language.
func (p *parser) primitive() (node, *Error) {
	carried := p.carried
	p.carried = nil
	switch {
	case p.take("less"):
		return p.length("<=")
	case p.take("greater"):
		return p.length(">=")
	case p.take("broadcast"):
		return linkBroadcast, nil
	case p.take("multicast"):
		return linkMulticast, nil
	case p.take("vlan"):
		return p.tagged(tag{}, 0xfff, "VLAN id")
	case p.take("mpls"):
		return p.tagged(tag{mpls: true}, 0xfffff, "MPLS label")
	}
	w := p.word(0)
	switch w {
	case "ip", "ip6", "arp", "ether", "link", "src", "dst", "host", "net", "port", "portrange", "proto":
		return p.qualified()
	}
	if _, ok := keywords[w]; ok {
		return p.qualified()
	}
	return nil, p.unknown(carried)
}

// unknown explains a word that begins no part.
func (p *parser) unknown(carried *qualifiers) *Error {
	w := p.word(0)
	if why, ok := refused[w]; ok {
		return p.wrong("is not supported", why)
	}
	if !p.tokens[p.i].word || reserved(w) {
		return p.wrong("cannot stand here", "")
	}
	if carried != nil && (carried.kind == "host" || carried.kind == "") {
		return p.wrong(noNames, hintNames)
	}
	if _, ok := constants[w]; ok {
		return p.wrong("is a number, and nothing is compared with it", "write for example: tcp[tcpflags] & tcp-syn != 0")
	}
	return p.wrong("is no word of filter expressions", p.meant())
}

// length reads the number of less and greater.
func (p *parser) length(op string) (node, *Error) {
	n, err := p.number(1<<32-1, "a length in bytes")
	return relation{op, wireLength{}, number(n)}, err
}

// tagged reads the number behind vlan and mpls, which may be left out.
func (p *parser) tagged(t tag, most uint32, what string) (node, *Error) {
	t.any = true
	if p.i < len(p.tokens) && isNumber(p.word(0)) {
		n, err := p.number(most, "a "+what)
		if err != nil {
			return nil, err
		}
		t.any, t.n = false, n
	}
	return t, nil
}

// number reads a number up to most.
func (p *parser) number(most uint32, what string) (uint32, *Error) {
	w := p.word(0)
	if !isNumber(w) {
		return 0, p.wrong(what+" is missing", "")
	}
	n, ok := parseNumber(w)
	if !ok || n > most {
		return 0, p.wrong("is no number up to "+strconv.FormatUint(uint64(most), 10), "")
	}
	p.i++
	return n, nil
}

// qualified reads qualifiers and the names or numbers behind them.
func (p *parser) qualified() (node, *Error) {
	var q qualifiers
	start := p.i
	switch w := p.word(0); w {
	case "src", "dst", "host", "net", "port", "portrange", "proto":
	default:
		q.proto = w
		p.i++
	}
	q.dir = p.direction()
	switch w := p.word(0); w {
	case "host", "net", "port", "portrange", "proto":
		q.kind = w
		p.i++
	case "broadcast", "multicast":
		return p.cast(q)
	default:
		if why, ok := refused[w]; ok && p.i > start && !p.ended() {
			return nil, p.wrong("is not supported", why)
		}
	}
	if p.i == start+1 && q.proto != "" {
		return p.alone(q.proto)
	}
	if err := q.check(p); err != nil {
		return nil, err
	}
	p.carried = &q
	return p.names(q)
}

// ended reports whether what was read so far is followed by nothing more that
// belongs to it.
func (p *parser) ended() bool {
	switch p.word(0) {
	case "", "and", "&&", "or", "||", ")":
		return true
	}
	return false
}

func (p *parser) direction() direction {
	first := p.word(0)
	if first != "src" && first != "dst" {
		return either
	}
	p.i++
	// As in tcpdump these three words are one qualifier.
	if other := p.word(1); (other == "src" || other == "dst") && other != first {
		switch p.word(0) {
		case "or", "||":
			p.i += 2
			return either
		case "and", "&&":
			p.i += 2
			return both
		}
	}
	if first == "src" {
		return source
	}
	return destination
}

// alone is a word for a protocol that stands by itself.
func (p *parser) alone(word string) (node, *Error) {
	if !p.ended() {
		if p.atName() || looksLikeAddress(p.word(0)) {
			return nil, p.wrong("nothing says what it is", "write host, net, port or proto behind "+word)
		}
		if p.word(0) == "src" || p.word(0) == "dst" {
			return nil, p.wrong("cannot stand here", "")
		}
		return nil, p.leftOver()
	}
	switch word {
	case "ip":
		return isIP, nil
	case "ip6":
		return isIP6, nil
	case "arp":
		return isARP, nil
	case "ether", "link":
		return nil, p.wrong("behind "+word+" something is missing", "write for example: ether host 00:00:5e:00:53:01")
	}
	return keywords[word], nil
}

// cast reads broadcast and multicast behind a word for a protocol.
func (p *parser) cast(q qualifiers) (node, *Error) {
	w := p.word(0)
	if q.dir != either {
		return nil, p.wrong("has no direction", "write: "+w)
	}
	p.i++
	switch q.proto + " " + w {
	case "ether broadcast", "link broadcast":
		return linkBroadcast, nil
	case "ether multicast", "link multicast":
		return linkMulticast, nil
	case "ip multicast":
		return ipMulticast, nil
	case "ip6 multicast":
		return ip6Multicast, nil
	case "ip broadcast":
		return nil, p.wrongBefore("ip broadcast needs the network's mask, which captures do not tell",
			"write: broadcast, or: dst host 192.0.2.255")
	}
	return nil, p.wrongBefore("does not go with "+q.proto, "write: "+w)
}

// check refuses qualifiers that do not go together.
func (q qualifiers) check(p *parser) *Error {
	switch q.kind {
	case "port", "portrange":
		switch q.proto {
		case "", "tcp", "udp", "sctp":
			return nil
		}
		return p.wrongBefore("does not go with "+q.proto, "write: "+q.proto+" and port …")
	case "proto":
		if q.dir != either {
			return p.wrongBefore("has no direction", "")
		}
		switch q.proto {
		case "", "ip", "ip6", "ether":
			return nil
		}
		return p.wrongBefore("does not go with "+q.proto, "write: proto, ip proto or ip6 proto")
	case "net":
		if q.proto == "ether" || q.proto == "link" {
			return p.wrongBefore("does not go with "+q.proto, "link addresses are told one by one: ether host MAC")
		}
	}
	switch q.proto {
	case "", "ip", "ip6", "arp", "ether":
		return nil
	}
	return p.wrongBefore("addresses do not belong to "+q.proto, "write: "+q.proto+" and host …")
}

// names reads one name, or several in parentheses.
func (p *parser) names(q qualifiers) (node, *Error) {
	if p.take("(") {
		return p.parenthesis(func() (node, *Error) {
			n, err := p.names(q)
			for err == nil {
				or := p.take("or", "||")
				if !or && !p.take("and", "&&") {
					return n, nil
				}
				var right node
				if right, err = p.names(q); err == nil {
					n = join(or, n, right)
				}
			}
			return nil, err
		})
	}
	if p.take("not", "!") {
		if err := p.deeper(); err != nil {
			return nil, err
		}
		n, err := p.names(q)
		p.depth--
		return negation{n}, err
	}
	return p.name(q)
}
