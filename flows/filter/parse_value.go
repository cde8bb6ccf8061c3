package filter

import "fmt"

// strength is how tightly an arithmetic operator binds. As in tcpdump, & and |
// are equals.
func strength(op string) int {
	switch op {
	case "|", "&", "^":
		return 1
	case "<<", ">>":
		return 2
	case "+", "-":
		return 3
	case "*", "/", "%":
		return 4
	}
	return 0
}

// compares reports whether a token compares two values, and how it is written
// here.
func compares(op string) (string, bool) {
	switch op {
	case "=", "==":
		return "=", true
	case "!=", "<", "<=", ">", ">=":
		return op, true
	}
	return "", false
}

// atValue reports whether a comparison begins here.
func (p *parser) atValue() bool {
	w := p.word(0)
	switch w {
	case "len", "-":
		return true
	case "(":
		return calculates(p.after(p.tokens[p.i].close))
	}
	if p.word(1) == "[" {
		return true
	}
	if _, named := constants[w]; named || isNumber(w) {
		return calculates(p.word(1))
	}
	return false
}

// after is the text of the token behind token i, unless that is 0.
func (p *parser) after(i int) string {
	if i == 0 || i+1 >= len(p.tokens) {
		return ""
	}
	return p.tokens[i+1].text
}

func calculates(op string) bool {
	_, ok := compares(op)
	return ok || strength(op) > 0
}

// relation reads a comparison.
func (p *parser) relation() (node, *Error) {
	start := p.i
	l, err := p.sum(0)
	if err != nil {
		return nil, err
	}
	op, ok := compares(p.word(0))
	if !ok {
		return nil, p.wrong("a comparison is missing before it", "write for example: tcp[13] & 2 != 0")
	}
	p.i++
	r, err := p.sum(0)
	if err != nil {
		return nil, err
	}
	if _, ok := compares(p.word(0)); ok {
		return nil, p.wrong("compares a second time", "join two comparisons with and")
	}
	n := relation{op, l, r}.constantLast()
	end := p.i
	p.i = start
	if err := p.partlyHeld(n); err != nil {
		return nil, err
	}
	p.i = end
	return n, nil
}

// constantLast turns a comparison round that has a number on the left only.
func (r relation) constantLast() relation {
	_, left := r.l.(number)
	if _, right := r.r.(number); !left || right {
		return r
	}
	r.l, r.r = r.r, r.l
	switch r.op[0] {
	case '<':
		r.op = ">" + r.op[1:]
	case '>':
		r.op = "<" + r.op[1:]
	}
	return r
}

// partlyHeld refuses comparisons of what is not known exactly.
func (p *parser) partlyHeld(n relation) *Error {
	for _, side := range [2][2]value{{n.l, n.r}, {n.r, n.l}} {
		if f, ok := side[0].(fragmentation); ok {
			zero := side[1] == value(number(0)) && (n.op == "=" || n.op == "!=" || n.op == ">" && side[0] == n.l)
			if f.mask != fragmentDF && !zero {
				return p.wrong("of a fragment's offset it is only known whether it is zero", fmt.Sprintf("write: ip[6:2] & 0x%x != 0", f.mask))
			}
			continue
		}
		if f := vague(side[0]); f != nil {
			return p.wrong(fmt.Sprintf("packets do not hold %s (fragmentation) as a number", f), "write: ip[6:2] & 0x1fff = 0, or with 0x3fff or 0x4000")
		}
	}
	return nil
}

// vague is a field within v of which too little is known, or nil.
func vague(v value) value {
	switch v := v.(type) {
	case fragmentation:
		if v.mask != fragmentDF {
			return v
		}
	case field:
		if v.layer == layerIP && !v.held() {
			return v
		}
	case arithmetic:
		if f := vague(v.l); f != nil {
			return f
		}
		return vague(v.r)
	}
	return nil
}

// sum reads operands and the operators between them that bind more tightly
// than floor.
func (p *parser) sum(floor int) (value, *Error) {
	v, err := p.operand()
	for err == nil {
		op := p.word(0)
		s := strength(op)
		if s <= floor {
			return v, nil
		}
		at := p.i
		p.i++
		var r value
		if r, err = p.sum(s); err != nil {
			break
		}
		if r == value(number(0)) && (op == "/" || op == "%") {
			p.i = at
			return nil, p.wrong("divides by zero", "")
		}
		v = fold(op, v, r)
	}
	return nil, err
}

// fold is an operation, done at once where it can be.
func fold(op string, l, r value) value {
	a, okA := l.(number)
	b, okB := r.(number)
	if okA && okB {
		n, _ := calculate(op, uint32(a), uint32(b))
		return number(n)
	}
	if op == "&" {
		for _, side := range [2][2]value{{l, r}, {r, l}} {
			f, ok := side[0].(field)
			m, okM := side[1].(number)
			if !ok || !okM || f.layer != layerIP || f.off != 6 {
				continue
			}
			mask := uint32(m)
			if f.size == 1 {
				mask <<= 8
			}
			if f.size <= 2 && (mask == fragmentDF && f.size == 2 || mask == fragmentAny || mask == fragmentLater) {
				return fragmentation{mask}
			}
			if f.size == 1 && mask == fragmentDF {
				return arithmetic{">>", fragmentation{fragmentDF}, number(8)}
			}
		}
	}
	return arithmetic{op, l, r}
}

// operand reads a number, a field, len, or what is in parentheses.
func (p *parser) operand() (value, *Error) {
	w := p.word(0)
	switch {
	case p.i >= len(p.tokens):
		return nil, p.wrong("a number is missing at the end", "")
	case p.take("len"):
		return wireLength{}, nil
	case p.take("-"):
		if err := p.deeper(); err != nil {
			return nil, err
		}
		v, err := p.operand()
		p.depth--
		if err != nil {
			return nil, err
		}
		return fold("-", number(0), v), nil
	case p.take("("):
		var v value
		_, err := p.parenthesis(func() (_ node, err *Error) {
			v, err = p.sum(0)
			return nil, err
		})
		return v, err
	case p.word(1) == "[":
		return p.field()
	case isNumber(w):
		n, ok := parseNumber(w)
		if !ok {
			return nil, p.wrong("is no number of 32 bits", "")
		}
		p.i++
		return number(n), nil
	}
	n, ok := constants[w]
	if !ok {
		return nil, p.wrong("is no number", p.numberHint(w))
	}
	p.i++
	return number(n), nil
}

func (p *parser) numberHint(w string) string {
	if layerOf(w) != noLayer {
		return fmt.Sprintf("a field of it is written %s[offset] or %s[offset:size]", w, w)
	}
	return "numbers are decimal, 0x… or names such as tcp-syn; put spaces around - and +"
}

// field reads protocol[offset] or protocol[offset:size].
func (p *parser) field() (value, *Error) {
	start := p.i
	f := field{layer: layerOf(p.word(0)), size: 1}
	if f.layer == noLayer {
		return nil, p.wrong("packets do not hold fields of it", "fields of ip, ip6, arp, tcp, udp, sctp, icmp, icmp6 and ether can be compared")
	}
	p.i += 2
	if err := p.deeper(); err != nil {
		return nil, err
	}
	off, err := p.sum(0)
	p.depth--
	if err != nil {
		return nil, err
	}
	n, ok := off.(number)
	if !ok || n > 0xffff {
		p.i = start + 2
		return nil, p.wrong("the offset of a field is a plain number", "")
	}
	f.off = uint32(n)
	if p.take(":") {
		size, ok := parseNumber(p.word(0))
		if !ok || size != 1 && size != 2 && size != 4 {
			return nil, p.wrong("the size of a field is 1, 2 or 4 bytes", "")
		}
		f.size = size
		p.i++
	}
	if p.word(0) != "]" {
		return nil, p.wrong("a closing bracket is missing before it", "")
	}
	end := p.i + 1
	if !f.held() && (f.layer != layerIP || f.off != 6 || f.size > 2) {
		p.i = start
		what := ""
		if name := fieldNames[f.layer][f.off]; name != "" {
			what = " (" + name + ")"
		}
		return nil, p.wrong(fmt.Sprintf("packets do not hold %s%s", f, what), "they hold "+heldText[f.layer])
	}
	p.i = end
	return f, nil
}
