package detect

import (
	"math"
	"slices"

	"github.com/synoptic-ids/synoptic/flows"
)

// element is one distinct value that a rule has counted, and the line time at which
// it did so last.
type element struct {
	value uint64
	line  int64
}

// spare is how many elements more than its threshold a sliding window keeps, so
// that it stays exact while a guard holds a rule back and attempts are
// withdrawn or count late.
const spare = 9

// recent are the most recent distinct values under one key, in order of time.
type recent []element

// within is how many of them lie in the window that ends with the latest.
func (l recent) within(window int64) int {
	if len(l) == 0 {
		return 0
	}
	edge := l[len(l)-1].line - window
	n := 0
	for i := len(l) - 1; i >= 0 && l[i].line >= edge; i-- {
		n++
	}
	return n
}

// insert takes a value seen at a time; keep is how many are kept.
func (l recent) insert(v uint64, line int64, keep int) recent {
	for i := range l {
		if l[i].value != v {
			continue
		}
		if l[i].line >= line {
			return l
		}
		l = slices.Delete(l, i, i+1)
		break
	}
	if len(l) >= keep {
		if l[0].line > line {
			return l
		}
		l = slices.Delete(l, 0, 1)
	}
	at := len(l)
	for at > 0 && l[at-1].line > line {
		at--
	}
	return slices.Insert(l, at, element{v, line})
}

func (l recent) remove(v uint64) recent {
	return slices.DeleteFunc(l, func(x element) bool { return x.value == v })
}

const (
	// maxDistinct bounds the distinct values of a bin.
	maxDistinct = 1 << 16
	// few is how many values of a bin are kept in a list before they get a set.
	few = 32
)

// group is what is counted under one key: a cache line. Most groups have one value or two,
// which are in place; more have a block, and those of a bin beyond few a set.
type group struct {
	key   uint64
	two   [2]element
	place uint32 // of its block or set
	size  uint32 // elements
	class uint8  // of its block, from 1; 0: none
	set   bool
	_     [8]byte
}

// count adds a probe to its group under a rule, and returns how many distinct values
// that has, and which bin it is of. Of a sliding window what belongs to the source's
// closed scans is forgotten.
func (t *groupTable) count(r *compiledRule, s *source, pr *probe, now int64) (n int, bin int64) {
	bin = r.bin(pr)
	until := pr.line + r.window + late
	if r.Window == Run {
		until = math.MaxInt64
	}
	key := r.key(s, pr, bin)
	b, i := t.get(key, until, now)
	g, x := &b.groups[i], element{r.valueOf(pr), pr.line}
	if r.sliding() {
		n = t.insert(g, x, r, s, now)
	} else {
		n = t.insertBin(g, x, now)
	}
	b.sizes[i] = uint8(min(g.size, 255))
	return n, bin
}

// keeps is how many values a sliding window of the rule keeps.
func (c *compiledRule) keeps() int { return c.Over + 1 + spare }

// insert adds a value to a sliding window, and returns how many it has.
func (t *groupTable) insert(g *group, x element, r *compiledRule, s *source, now int64) int {
	keep := r.keeps()
	l := t.list(g, x.value, keep, now)
	if s.after > 0 {
		l = slices.DeleteFunc(l, func(o element) bool { return o.line <= s.closed })
	}
	l = l.insert(x.value, x.line, min(keep, cap(l)))
	g.size = uint32(len(l))
	return l.within(r.window)
}

// insertBin adds a value to a bin, and returns how many it has.
func (t *groupTable) insertBin(g *group, x element, now int64) int {
	if !g.set {
		l := t.list(g, x.value, few, now)
		if slices.ContainsFunc(l, func(o element) bool { return o.value == x.value }) {
			return len(l)
		}
		if len(l) < min(few, cap(l)) {
			g.size++
			return len(append(l, x))
		}
		t.widen(g, now)
	}
	if t.sets.lacks(g.place, x.value) {
		t.forget(t.sets.owners, &t.sets.hand, g.key, now)
	}
	g.size = uint32(t.sets.add(g.place, x.value))
	return int(g.size)
}

// widen makes a set of a bin's list.
func (t *groupTable) widen(g *group, now int64) {
	for room := true; room && t.sets.held+few > t.sets.max; {
		room = t.forget(t.sets.owners, &t.sets.hand, g.key, now)
	}
	place := t.sets.take(g.key)
	for _, x := range t.blocks.held(g) {
		t.sets.add(place, x.value)
	}
	t.blocks.free(g)
	g.set, g.place = true, place
}

// of is the group that counted a probe, or nil.
func (t *groupTable) of(r *compiledRule, s *source, pr *probe) *group {
	return t.find(r.key(s, pr, r.bin(pr)))
}

// remove takes a value out of a group.
func (t *groupTable) remove(g *group, value uint64) {
	if g.set {
		g.size = uint32(t.sets.remove(g.place, value))
		return
	}
	g.size = uint32(len(t.blocks.held(g).remove(value)))
}

// key is whose count an attempt is under a rule, hashed: that two of 64 bits are
// alike is not to be expected of any number that could be held.
func (c *compiledRule) key(s *source, pr *probe, bin int64) uint64 {
	var port, class uint64
	dst := c.place(pr)
	if c.byPort {
		port = uint64(pr.port)
	}
	if c.byProto {
		class = uint64(pr.class)<<8 | uint64(pr.proto)
		if pr.class == flows.ClassProtocol {
			class = uint64(pr.class) << 8
		}
	}
	return mixed(s.hash^mixed(dst, uint64(bin)), uint64(c.number)<<40|port<<16|class) | 1
}

// place is what a rule asks of where an attempt's host is, hashed; 0 for nothing.
func (c *compiledRule) place(pr *probe) uint64 {
	switch {
	case c.byDst:
		return pr.host
	case c.byNet:
		return uint64(networkOf(&pr.responder)) + 1
	default:
		return 0
	}
}

// bin is which bin of a tumbling window an attempt lies in; 0 otherwise.
func (c *compiledRule) bin(pr *probe) int64 {
	if c.Window != Tumbling {
		return 0
	}
	return floorDiv(pr.time, c.window)
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// value is what a rule counts of an attempt.
func (c *compiledRule) value(a *attempted) uint64 { return c.keys.value(c.Count, a) }

// valueOf is value of a probe.
func (c *compiledRule) valueOf(pr *probe) uint64 {
	if c.Count == FieldDst {
		return pr.host
	}
	return c.value(&pr.attempted)
}

// value is a field of an attempt as 64 bits: exact for ports and protocols, a
// hash for what holds addresses.
func (k *hashKeys) value(f Field, a *attempted) uint64 {
	switch f {
	case FieldDstPort:
		return uint64(a.port)
	case FieldIPProto:
		return uint64(a.proto)
	case FieldDst:
		return k.addr(&a.responder, 0)
	default:
		return k.addr(&a.responder, uint64(a.port)<<16|uint64(a.proto)<<8|uint64(a.class))
	}
}
