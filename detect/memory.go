package detect

import (
	"math/bits"
	"unsafe"

	"github.com/synoptic-ids/synoptic/detect/divide"
	"github.com/synoptic-ids/synoptic/detect/gate"
	"github.com/synoptic-ids/synoptic/flows"
)

// inIndex is what a record takes in an index that has just grown, in bytes. A test holds this
// and what follows against what is measured.
const inIndex = 24

func sourceBytes() int { return int(unsafe.Sizeof(source{})) + inIndex }

// elementsEach is how many values there is room for, for each group: most have one, which
// needs none.
const elementsEach = 4

// groupBytes is with the lists by which blocks are found.
func groupBytes() int {
	return int(unsafe.Sizeof(groupBucket{}))/groupWays + elementsEach*int(unsafe.Sizeof(element{})) + int(unsafe.Sizeof(uint64(0)))
}

func walkBytes() int { return int(unsafe.Sizeof(walker{})) + inIndex }

// watchBytes is for a scan of which some sixty targets answered.
func watchBytes() int { return int(unsafe.Sizeof(watch{}) + 64*unsafe.Sizeof(target{})) }

// targetBytes is for a target that is a host of its own as well.
func targetBytes() int {
	return int(unsafe.Sizeof(flatEntry[target, targetState]{})+unsafe.Sizeof(flatEntry[[16]byte, struct{}]{})) + 2*inIndex
}

// Bounds says what each bound may take when it is reached. Zero values stand for the
// defaults.
func (c Config) Bounds() []flows.Bound {
	c = c.withDefaults()
	return []flows.Bound{
		{Name: "sources", Count: c.Sources, Each: sourceBytes()},
		{Name: "gate", Count: c.Gate, Each: 2 * gate.Bytes},
		{Name: "counts", Count: c.Groups, Each: groupBytes()},
		{Name: "history", Count: c.History, Each: int(unsafe.Sizeof(attempted{}))},
		{Name: "walks", Count: c.Walks, Each: walkBytes()},
		{Name: "targets of open scans", Count: c.OpenTargets, Each: targetBytes()},
		{Name: "watched scans", Count: c.Watches, Each: watchBytes()},
		{Name: "suspects", Count: c.Suspects, Each: 32},
		{Name: "door of suspects", Count: c.Door, Each: 4},
		{Name: "pairs", Count: c.Pairs, Each: 76 + 2*76/8 + 16},
		{Name: "divided targets", Count: c.Divided, Each: divide.Bytes},
		{Name: "facts", Count: c.Facts, Each: 4 * int(unsafe.Sizeof(fact{}))},
	}
}

// withDefaults is c with the defaults in place of zeros, and rounded as the tables do.
func (c Config) withDefaults() Config {
	for _, d := range []struct {
		bound *int
		value int
	}{
		{&c.Sources, 1 << 20},
		{&c.Gate, 1 << 18},
		{&c.Groups, 1 << 18},
		{&c.History, 1 << 18},
		{&c.Targets, 1 << 17},
		{&c.OpenTargets, 1 << 21},
		{&c.Walks, 1 << 14},
		{&c.Suspects, 1 << 16},
		{&c.Door, 1 << 19},
		{&c.Pairs, 1 << 15},
		{&c.Divided, 1 << 7},
		{&c.Facts, 1 << 15},
		{&c.Watches, 1 << 12},
	} {
		if *d.bound <= 0 {
			*d.bound = d.value
		}
	}
	for _, p := range []*int{&c.Suspects, &c.Door, &c.Pairs, &c.Facts} {
		*p = 1 << bits.Len(uint(max(*p, 256)-1))
	}
	c.Divided = 1 << bits.Len(uint(min(max(c.Divided, 4), 1<<16)-1))
	if c.Report == nil {
		c.Report = func(Scan) {}
	}
	if c.Notify == nil {
		c.Notify = func(Notice) {}
	}
	return c
}
