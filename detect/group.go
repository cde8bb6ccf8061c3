package detect

import (
	"encoding/binary"
	"math/bits"
	"slices"

	"github.com/synoptic-ids/synoptic/flows"
)

// groupKey is one count: a rule and the values of its By.
type groupKey struct {
	rule     uint16
	port     uint16
	class    flows.Class
	proto    uint8
	bin      int64 // of a tumbling window; 0 otherwise
	src, dst [16]byte
}

// element is one distinct value that a group has counted.
type element struct {
	value uint64
	line  int64
}

// spare is how many elements more than its threshold a sliding group keeps, so
// that it stays exact while a guard holds a rule back and attempts are
// withdrawn or count late.
const spare = 9

// group holds the distinct values counted under one key. Of a sliding window it
// keeps the most recent, in order of time; of a bin it keeps all, to a bound.
type group struct {
	key    groupKey
	recent []element
	all    map[uint64]struct{}
	window int64 // 0: a bin
}

// maxDistinct bounds the distinct values of a bin.
const maxDistinct = 1 << 16

// size is how many distinct values lie in the window that ends with the most
// recent one.
func (g *group) size() int {
	if g.all != nil {
		return len(g.all)
	}
	if g.window == 0 || len(g.recent) == 0 {
		return len(g.recent)
	}
	edge := g.recent[len(g.recent)-1].line - g.window
	n := 0
	for i := len(g.recent) - 1; i >= 0 && g.recent[i].line >= edge; i-- {
		n++
	}
	return n
}

// insert counts a value seen at a time; keep is how many a sliding window keeps.
func (g *group) insert(v uint64, line int64, keep int) {
	if g.window == 0 {
		g.insertBin(v, line)
		return
	}
	if i := slices.IndexFunc(g.recent, func(x element) bool { return x.value == v }); i >= 0 {
		if g.recent[i].line >= line {
			return
		}
		g.recent = slices.Delete(g.recent, i, i+1)
	}
	at := len(g.recent)
	for at > 0 && g.recent[at-1].line > line {
		at--
	}
	g.recent = slices.Insert(g.recent, at, element{v, line})
	if len(g.recent) > keep {
		g.recent = slices.Delete(g.recent, 0, 1)
	}
}

// few is how many values of a bin are kept in a list before they get an index.
const few = 32

func (g *group) insertBin(v uint64, line int64) {
	if g.all != nil {
		if len(g.all) < maxDistinct {
			g.all[v] = struct{}{}
		}
		return
	}
	if slices.ContainsFunc(g.recent, func(x element) bool { return x.value == v }) {
		return
	}
	g.recent = append(g.recent, element{v, line})
	if len(g.recent) > few {
		g.all = make(map[uint64]struct{}, 2*few)
		for _, x := range g.recent {
			g.all[x.value] = struct{}{}
		}
		g.recent = nil
	}
}

func (g *group) remove(v uint64) {
	delete(g.all, v)
	g.recent = slices.DeleteFunc(g.recent, func(x element) bool { return x.value == v })
}

// groupTable finds groups by key. At its bound it forgets the oldest.
type groupTable struct {
	index   map[groupKey]*group
	order   []groupKey // a ring of keys in the order of their making
	head    int
	max     int
	evicted uint64
}

func newGroupTable(bound int) groupTable {
	return groupTable{index: map[groupKey]*group{}, max: bound}
}

// count adds a probe to its group under a rule, and returns the group. Of a
// sliding window what belongs to the source's closed scans is forgotten.
func (t *groupTable) count(r *compiledRule, s *source, pr *probe) *group {
	k := keyOf(r, s, pr)
	g := t.index[k]
	if g == nil {
		g = &group{key: k}
		if r.sliding() {
			g.window = r.window
		}
		t.place(k)
		t.index[k] = g
	}
	for g.window > 0 && s.after > 0 && len(g.recent) > 0 && g.recent[0].line <= s.closed {
		g.recent = g.recent[1:]
	}
	g.insert(r.value(&pr.attempted), pr.line, r.Over+1+spare)
	return g
}

// find is the group that counted a probe, or nil.
func (t *groupTable) find(r *compiledRule, s *source, pr *probe) *group {
	return t.index[keyOf(r, s, pr)]
}

// place notes a new key, and forgets the oldest group if there are too many.
func (t *groupTable) place(k groupKey) {
	if len(t.order) < t.max {
		t.order = append(t.order, k)
		return
	}
	delete(t.index, t.order[t.head])
	t.order[t.head] = k
	t.head = (t.head + 1) % len(t.order)
	t.evicted++
}

func keyOf(r *compiledRule, s *source, pr *probe) groupKey {
	k := groupKey{rule: uint16(r.number), src: s.addr}
	if r.byDst {
		k.dst = pr.responder
	}
	if r.byPort {
		k.port = pr.port
	}
	if r.byProto {
		k.class, k.proto = pr.class, pr.proto
		if pr.class == flows.ClassProtocol {
			k.proto = 0
		}
	}
	if r.Window == Tumbling {
		k.bin = floorDiv(pr.time, r.window)
	}
	return k
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// value is what a rule counts of an attempt.
func (c *compiledRule) value(a *attempted) uint64 { return valueOf(c.Count, a) }

// valueOf is a field of an attempt as 64 bits: exact for ports and protocols, a
// hash for what holds addresses.
func valueOf(f Field, a *attempted) uint64 {
	switch f {
	case FieldDstPort:
		return uint64(a.port)
	case FieldIPProto:
		return uint64(a.proto)
	case FieldDst:
		return hashAddr(&a.responder, 0)
	default:
		return hashAddr(&a.responder, uint64(a.port)<<16|uint64(a.proto)<<8|uint64(a.class))
	}
}

func hashAddr(a *[16]byte, more uint64) uint64 {
	hi, lo := bits.Mul64(binary.LittleEndian.Uint64(a[8:])^0x9e3779b97f4a7c15, binary.LittleEndian.Uint64(a[:8])^0x243f6a8885a308d3)
	h := hi ^ lo ^ binary.LittleEndian.Uint64(a[8:])
	hi, lo = bits.Mul64(h^more^0x13198a2e03707345, 0xb7e151628aed2a6b)
	return hi ^ lo
}
