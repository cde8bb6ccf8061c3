package tier

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
	Len(n, each int) int
	Fail(reason string)
}

// Code writes what the table remembers, or takes it from what was written by a table of the same
// Config. That must be new. Stats begin anew, but for how many suspects there are.
func (t *Table) Code(c Coder) {
	c.Int(&t.hour)
	c.Bool(&t.begun)
	n := c.Len(t.stats.Suspects, suspectLeast)
	if c.Reading() {
		for range n {
			t.restore(c)
		}
	} else {
		for i := range t.slots {
			if t.slots[i].tag != 0 {
				place := uint32(i)
				c.U32(&place)
				t.slots[i].code(c)
			}
		}
	}
	t.door.code(c)
}

// suspectLeast is how many bytes a suspect takes at least where it is written.
const suspectLeast = 28

func (t *Table) restore(c Coder) {
	var place uint32
	var s suspect
	c.U32(&place)
	s.code(c)
	if uint64(place) >= uint64(len(t.slots)) || s.tag == 0 || t.slots[place].tag != 0 {
		c.Fail("it has a suspect where there can be none")
		return
	}
	t.slots[place] = s
	t.stats.Suspects++
}

func (s *suspect) code(c Coder) {
	c.U64(&s.seen[0])
	c.U64(&s.seen[1])
	c.U64(&s.low)
	c.U32(&s.tag)
	c.U16(&s.hour)
	c.U16(&s.high)
}

func (d *door) code(c Coder) {
	c.Int(&d.since)
	d.now.code(c)
	d.before.code(c)
}

// code leaves out a filter that nobody is in, as most are that were never needed.
func (f *filter) code(c Coder) {
	keys := int64(f.keys)
	if c.Int(&keys); keys <= 0 {
		return
	}
	if n := c.Len(len(f.words), 8); n != len(f.words) {
		c.Fail("the door of suspects is of another size")
		return
	}
	f.keys = int(min(keys, int64(len(f.words))*64))
	for i := range f.words {
		c.U64(&f.words[i])
	}
}
