package flows

import (
	"math/bits"
	"unsafe"
)

// Bound is what one bound of a configuration may take.
type Bound struct {
	Name  string
	Count int
	Each  int // bytes, with its part in indexes and lists
}

// Bytes is what all of them may take.
func (b Bound) Bytes() int64 { return int64(b.Count) * int64(b.Each) }

// Bounds says what each bound may take when it is reached. Zero values stand for the
// defaults.
func (c TableConfig) Bounds() []Bound {
	c = c.withDefaults()
	slot := (indexSlots(c.MaxEntries)*8 + counters(c.MaxEntries)*4) / c.MaxEntries
	timers := int(unsafe.Sizeof(timer{})) * timersEach
	note := unsafe.Sizeof(noteOf{}) + unsafe.Sizeof(socketOf{})/4 + unsafe.Sizeof(carried{})/4
	return []Bound{
		{"flow table", c.MaxEntries, int(unsafe.Sizeof(entry{})) + slot + timers},
		{"notes", c.MaxNotes, int(note)},
		{"early answers", earlyBuckets * ways, int(unsafe.Sizeof(earlyTable{}) / (earlyBuckets * ways))},
	}
}

// withDefaults is c with the defaults in place of zeros, and sizes rounded.
func (c TableConfig) withDefaults() TableConfig {
	if c.MaxEntries <= 0 {
		c.MaxEntries = 1 << 20
	}
	if c.MaxNotes <= 0 {
		c.MaxNotes = 1 << 16
	}
	c.MaxNotes = 1 << bits.Len(uint(max(min(c.MaxNotes, 1<<28), 64)-1))
	return c
}

// indexSlots is how many slots the index of so many entries comes to have.
func indexSlots(entries int) int {
	n := leastSlots
	for uint64(entries-1)*3 >= uint64(n-1)*2 {
		n *= 2
	}
	return n
}

// Bounds says what fragments may take.
func (c DecoderConfig) Bounds() []Bound {
	n := c.MaxFragments
	if n <= 0 {
		n = defaultFragments
	}
	return []Bound{{"fragments", min(n, mostFragments), int(unsafe.Sizeof(fragmentSet{}) / fragmentWays)}}
}
