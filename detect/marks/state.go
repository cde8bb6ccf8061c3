package marks

// Coder writes a state, or reads one. Len is for how many things follow, of so many bytes each
// at least; Fail says that what was read cannot be.
type Coder interface {
	Reading() bool
	U8(*uint8)
	U16(*uint16)
	U32(*uint32)
	U64(*uint64)
	Int(*int64)
	Bool(*bool)
	Addr(*[16]byte)
	Len(n, each int) int
	Fail(reason string)
}

// Code writes the votes, or takes them from what was written.
func (v *Votes) Code(c Coder) {
	c.U64(&v.ttls)
	for _, n := range []*uint32{&v.tcp, &v.other, &v.seq, &v.dst, &v.value} {
		c.U32(n)
	}
	for _, n := range []*uint16{&v.port, &v.to, &v.otherPort, &v.kinds, (*uint16)(&v.noted), &v.valuePort} {
		c.U16(n)
	}
	for i := range v.misses {
		c.U16(&v.misses[i])
	}
}

// Code writes what is remembered, or takes it from what was written.
func (s *Companions) Code(c Coder) {
	begun := s.slots != nil
	if c.Bool(&begun); !begun {
		return
	}
	if c.Reading() {
		s.slots, s.pairs = make([]copies, companionSlots), make([]pair, companionPairs)
	}
	codeHeld(c, s.slots, func(p *copies) bool { return p.n > 0 }, (*copies).code)
	codeHeld(c, s.pairs, func(p *pair) bool { return p.n > 0 }, (*pair).code)
}

// codeHeld codes the places of a table that are taken.
func codeHeld[T any](c Coder, table []T, held func(*T) bool, code func(*T, Coder)) {
	n := 0
	for i := range table {
		if held(&table[i]) {
			n++
		}
	}
	const least = 20 // bytes of either kind
	if n = c.Len(n, least); c.Reading() {
		for range n {
			var place uint16
			if c.U16(&place); int(place) >= len(table) {
				c.Fail("it has copies of a probe where there can be none")
				return
			}
			code(&table[place], c)
		}
		return
	}
	for i := range table {
		if held(&table[i]) {
			place := uint16(i)
			c.U16(&place)
			code(&table[i], c)
		}
	}
}

func (p *copies) code(c Coder) {
	c.U64(&p.key)
	c.Int(&p.at)
	c.U8(&p.n)
	p.n = min(p.n, copiesKept)
	for i := range p.from[:p.n] {
		c.Addr(&p.from[i].src)
		c.U8(&p.from[i].ttl)
	}
}

func (p *pair) code(c Coder) {
	c.Addr(&p.a)
	c.Addr(&p.b)
	c.Int(&p.at)
	c.U8(&p.n)
	p.n = min(p.n, LeastShared)
	for i := range p.hosts[:p.n] {
		c.Addr(&p.hosts[i])
	}
	step := uint8(p.step)
	c.U8(&step)
	p.step = int8(step)
	c.Bool(&p.varies)
}
