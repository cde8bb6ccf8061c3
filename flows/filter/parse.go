package filter

// Parse reads an expression. An error is of type [*Error].
func Parse(expr string) (*Filter, error) {
	tokens, problem := lex(expr)
	if problem != nil {
		return nil, problem
	}
	p := &parser{expr: expr, tokens: tokens}
	if len(tokens) == 0 {
		return nil, p.wrong("the expression is empty", "write for example: tcp port 80 or 443")
	}
	n, problem := p.expression()
	if problem == nil && p.i < len(p.tokens) {
		problem = p.leftOver()
	}
	if problem != nil {
		return nil, problem
	}
	f := &Filter{root: n}
	f.prog = compile(n)
	return f, nil
}

// parser reads tokens from left to right.
type parser struct {
	expr   string
	tokens []token
	i      int
	depth  int
	// carried are the qualifiers of the last name or number: port 80 or 443.
	carried *qualifiers
}

// word is the text of the token n places on; empty behind the end.
func (p *parser) word(n int) string {
	if p.i+n < len(p.tokens) {
		return p.tokens[p.i+n].text
	}
	return ""
}

// take goes on if the next token is one of these.
func (p *parser) take(words ...string) bool {
	for _, w := range words {
		if p.i < len(p.tokens) && p.tokens[p.i].text == w {
			p.i++
			return true
		}
	}
	return false
}

// wrong is an error about the next token.
func (p *parser) wrong(msg, hint string) *Error {
	if p.i >= len(p.tokens) {
		return problem(p.expr, len(p.expr), "", msg, hint)
	}
	t := p.tokens[p.i]
	return problem(p.expr, t.at, t.text, msg, hint)
}

// wrongBefore is an error about the token that was just taken.
func (p *parser) wrongBefore(msg, hint string) *Error {
	t := p.tokens[p.i-1]
	return problem(p.expr, t.at, t.text, msg, hint)
}

// deeper bounds how far parts lie within each other.
func (p *parser) deeper() *Error {
	if p.depth++; p.depth > maxNesting {
		return p.wrong("the expression is nested too deeply", "take parentheses and negations out")
	}
	return nil
}

func (p *parser) leftOver() *Error {
	if p.word(0) == ")" {
		return p.wrong("closes a parenthesis that was not opened", "")
	}
	if p.word(0) == "]" {
		return p.wrong("closes a bracket that was not opened", "")
	}
	return p.wrong("and or or is missing before it", p.meant())
}

// expression reads terms joined by and and or, from left to right.
func (p *parser) expression() (node, *Error) {
	n, err := p.term()
	for err == nil {
		or := p.take("or", "||")
		if !or && !p.take("and", "&&") {
			return n, nil
		}
		var right node
		if right, err = p.term(); err == nil {
			n = join(or, n, right)
		}
	}
	return nil, err
}

// term reads what stands between and and or.
func (p *parser) term() (node, *Error) {
	switch {
	case p.i >= len(p.tokens):
		return nil, p.wrong("something is missing at the end", "")
	case p.atValue():
		p.carried = nil
		return p.relation()
	case p.take("not", "!"):
		if err := p.deeper(); err != nil {
			return nil, err
		}
		n, err := p.term()
		p.depth--
		return negation{n}, err
	case p.take("("):
		return p.parenthesis(p.expression)
	case p.atName():
		if p.carried == nil {
			return nil, p.bareName()
		}
		return p.name(*p.carried)
	}
	return p.primitive()
}

// parenthesis reads what stands behind "(", and the ")".
func (p *parser) parenthesis(inside func() (node, *Error)) (node, *Error) {
	opened := p.tokens[p.i-1]
	if opened.close == 0 {
		return nil, problem(p.expr, opened.at, opened.text, "is never closed", "")
	}
	if err := p.deeper(); err != nil {
		return nil, err
	}
	n, err := inside()
	p.depth--
	if err != nil {
		return nil, err
	}
	if !p.take(")") {
		return nil, p.leftOver()
	}
	return n, nil
}

// atName reports whether the next token is a name, number or address rather
// than a word of the language.
func (p *parser) atName() bool {
	if p.i >= len(p.tokens) || !p.tokens[p.i].word {
		return false
	}
	t := p.tokens[p.i].text
	if t[0] == '\\' || t[0] >= '0' && t[0] <= '9' || looksLikeAddress(t) {
		return true
	}
	if reserved(t) {
		return false
	}
	// Behind a name other names may follow; elsewhere it is a mistake.
	return p.carried != nil && p.carried.names(t)
}

// bareName explains a name without anything that says what it names.
func (p *parser) bareName() *Error {
	t := p.word(0)
	hint := "write port before a port, host before an address, net before a network"
	switch {
	case looksLikeMAC(t):
		hint = "write: ether host " + t
	case looksLikeAddress(t):
		hint = "write: host " + t
	case isNumber(t):
		hint = "write: port " + t
	}
	return p.wrong("nothing says what it is", hint)
}

// meant guesses what a word was meant to be.
func (p *parser) meant() string {
	w := p.word(0)
	if why, ok := refused[w]; ok {
		return why
	}
	if _, ok := services[w]; ok {
		return "write: port " + w
	}
	if looksLikeAddress(w) {
		return "write: host " + w
	}
	if best := resembling(w); best != "" && best != w {
		return "did you mean " + best + "?"
	}
	return ""
}
