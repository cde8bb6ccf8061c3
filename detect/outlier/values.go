package outlier

// values holds the distinct values of all pairs in the current hour: open
// addressing with linear probing. What is left of earlier hours counts as free,
// so that an hour ends by changing a number.
type values struct {
	slots []slot
	epoch uint32 // of the current hour, counted from 1
	used  int
	seed  uint64
}

// slot is 16 bytes.
type slot struct {
	value uint64
	owner uint32
	epoch uint32
}

func newValues(n int, seed uint64) values {
	return values{slots: resident[slot](roundUp(n, 8)), epoch: 1, seed: seed}
}

// empty begins an hour.
func (v *values) empty() {
	v.epoch++
	v.used = 0
	if v.epoch == 0 { // after 490,000 years, but the input says what time it is
		clear(v.slots)
		v.epoch = 1
	}
}

// full reports whether there is no more room: probing stays short.
func (v *values) full() bool { return v.used >= len(v.slots)/4*3 }

// place finds a value of an owner, or the slot where it would go.
func (v *values) place(owner uint32, value uint64) (s *slot, found bool) {
	mask := uint64(len(v.slots) - 1)
	for i := spread(value^v.seed, uint64(owner)) & mask; ; i = (i + 1) & mask {
		s = &v.slots[i]
		if s.epoch != v.epoch {
			return s, false
		}
		if s.value == value && s.owner == owner {
			return s, true
		}
	}
}

// keep puts a value in the slot that place found for it.
func (v *values) keep(s *slot, owner uint32, value uint64) {
	*s = slot{value: value, owner: owner, epoch: v.epoch}
	v.used++
}
