package outlier

// Coder writes a state, or reads one. Len is for how many things follow, of so many bytes each
// at least; Fail says that what was read cannot be.
type Coder interface {
	Reading() bool
	U16(*uint16)
	U32(*uint32)
	U64(*uint64)
	F64(*float64)
	Int(*int64)
	Bool(*bool)
	Len(n, each int) int
	Fail(reason string)
}

// Code writes what the table remembers, or takes it from what was written by a table of the same
// Config. That must be new. Stats begin anew, but for what is held.
func (t *Table) Code(c Coder) {
	hour := int64(t.hour)
	c.Int(&hour)
	t.hour = int32(hour)
	c.Bool(&t.begun)
	c.U32(&t.owner)
	t.site.code(c)
	t.pairs.code(c)
	t.sources.code(c)
	t.destinations.code(c)
	t.values.code(c)
	n := c.Len(len(t.active), 1)
	if c.Reading() {
		t.active = t.active[:0]
		n = min(n, cap(t.active))
		t.active = t.active[:n]
	}
	for i := range t.active {
		c.U32(&t.active[i])
		if uint64(t.active[i]) >= uint64(len(t.pairs.buckets)*ways) {
			t.active[i] = 0
			c.Fail("it has a pair where there can be none")
		}
	}
}

// recordLeast is how many bytes a record takes at least where it is written.
const recordLeast = 48

func (t *records) code(c Coder) {
	if n := c.Len(t.held, recordLeast); c.Reading() {
		for range n {
			t.restore(c)
		}
		return
	}
	for i := range t.buckets {
		b := &t.buckets[i]
		for j := range b.tags {
			if b.tags[j] != 0 {
				place := uint32(i*ways + j)
				c.U32(&place)
				c.U16(&b.busy[j])
				b.records[j].code(c)
			}
		}
	}
}

// restore takes a record. Where it is in its bucket decides between equals.
func (t *records) restore(c Coder) {
	var place uint32
	var busy uint16
	var r record
	c.U32(&place)
	c.U16(&busy)
	r.code(c)
	n, tag := t.place(r.key)
	i := int(place % ways)
	b := &t.buckets[n]
	if uint64(place/ways) != uint64(n) || b.tags[i] != 0 || b.find(r.key, tag) >= 0 {
		c.Fail("it has hours of a pair where there can be none")
		return
	}
	b.tags[i], b.busy[i], b.records[i] = tag, busy, r
	b.weigh(i)
	t.held++
}

func (r *record) code(c Coder) {
	c.U64(&r.key)
	c.U64(&r.source)
	c.U64(&r.destination)
	c.F64(&r.mean)
	c.F64(&r.spread)
	c.U32(&r.n)
	hour := int64(r.hour)
	c.Int(&hour)
	r.hour = int32(hour)
	c.U32(&r.value)
	c.U32(&r.set)
	c.U16(&r.active)
	c.Bool(&r.found)
	c.Bool(&r.capped)
}

// code leaves out what is not of the current hour.
func (v *values) code(c Coder) {
	n := c.Len(v.used, 9)
	if !c.Reading() {
		for i := range v.slots {
			if s := &v.slots[i]; s.epoch == v.epoch {
				c.U64(&s.value)
				c.U32(&s.owner)
			}
		}
		return
	}
	for range n {
		var value uint64
		var owner uint32
		c.U64(&value)
		c.U32(&owner)
		s, found := v.place(owner, value)
		if found || v.full() {
			c.Fail("it has more values of an hour than there is room for")
			return
		}
		v.keep(s, owner, value)
	}
}
