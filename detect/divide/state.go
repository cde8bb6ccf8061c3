package divide

// Coder writes a state, or reads one. Len is for how many things follow, of so many bytes each
// at least; Fail says that what was read cannot be.
type Coder interface {
	Reading() bool
	U8(*uint8)
	U16(*uint16)
	Int(*int64)
	Addr(*[16]byte)
	Len(n, each int) int
	Fail(reason string)
}

// Code writes what the table remembers, or takes it from what was written by a table of the same
// Config. That must be new.
func (t *Table) Code(c Coder) {
	held := 0
	for i := range t.slots {
		if t.slots[i].n > 0 {
			held++
		}
	}
	n := c.Len(held, slotLeast)
	if !c.Reading() {
		for i := range t.slots {
			if t.slots[i].n > 0 {
				place := uint16(i) //nolint:gosec // see Config.Keys
				c.U16(&place)
				t.slots[i].code(c)
			}
		}
		return
	}
	for range n {
		var place uint16
		if c.U16(&place); int(place) >= len(t.slots) {
			c.Fail("it has tries where there can be none")
			return
		}
		t.slots[place].code(c)
	}
}

// slotLeast and tryLeast are how many bytes each takes at least where it is written.
const (
	slotLeast = 25
	tryLeast  = 34
)

func (s *slot) code(c Coder) {
	c.Addr(&s.key.Host)
	c.U16(&s.key.Port)
	c.U8(&s.key.Class)
	since := int64(s.since)
	c.Int(&since)
	c.Int(&s.touched)
	next := int64(s.next)
	c.Int(&next)
	n := c.Len(s.n, tryLeast)
	if c.Reading() {
		if n > tries || n == 0 || since < 0 || since > tries || next < 0 || next >= tries {
			c.Fail("it has more tries than are remembered")
			return
		}
		s.ring, s.n, s.next, s.since = make([]Try, tries), n, int(next), int(since)
	}
	for i := range s.ring[:n] {
		s.ring[i].code(c)
	}
}

func (t *Try) code(c Coder) {
	c.Addr(&t.Src)
	c.Addr(&t.Host)
	c.Int(&t.Line)
	c.U16(&t.Port)
}
