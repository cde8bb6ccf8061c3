package sensor

import (
	"fmt"
	"sort"

	"github.com/synoptic-ids/synoptic/flows"
)

// MinMemory is the least budget that [Config.Fit] divides, in bytes.
const MinMemory = 4 << 20

// thousandths of a budget that each part gets. What a source, a count, an attempt and a
// target take differs, so these are bytes and not numbers. The rest is for batches,
// caches of a fixed size and what scans take beside their targets.
const (
	forTable    = 250
	forSources  = 100
	forGate     = 130
	forCounts   = 130
	forHistory  = 90
	forTargets  = 70
	forWalks    = 110
	forWatches  = 20
	forPairs    = 16
	forSuspects = 14
	forNotes    = 12
	forDivided  = 12
	forFacts    = 12
	forDoor     = 8
	forScraps   = 6 // of fragments
)

// forEvidence is the part of a budget, one in so many, that goes to the packets that are
// remembered where those of scans are kept, before all else is divided.
const forEvidence = 32

// Fit sets the bounds of a configuration so that what is remembered takes no more than so
// many bytes together, and returns what each part may take. The code of a program,
// its stacks and what is garbage come on top. An error says that it is too little.
func (c *Config) Fit(total int64) ([]flows.Bound, error) {
	if total < MinMemory {
		return nil, fmt.Errorf("%d bytes of memory are too little, it takes at least %d", total, MinMemory)
	}
	table, engine := &c.Table, &c.Engine
	total -= c.bound("early answers").Bytes() // which are as many at any size
	if c.Evidence.Keeper != nil {
		c.Evidence.Memory = int(total / forEvidence)
		total -= int64(c.Evidence.Memory)
	}
	for _, p := range []struct {
		count       *int
		name        string
		thousandths int64
	}{
		{&table.MaxEntries, "flow table", forTable},
		{&table.MaxNotes, "notes", forNotes},
		{&c.Decoder.MaxFragments, "fragments", forScraps},
		{&engine.Sources, "sources", forSources},
		{&engine.Gate, "gate", forGate},
		{&engine.Groups, "counts", forCounts},
		{&engine.History, "history", forHistory},
		{&engine.OpenTargets, "targets of open scans", forTargets},
		{&engine.Walks, "walks", forWalks},
		{&engine.Watches, "watched scans", forWatches},
		{&engine.Pairs, "pairs", forPairs},
		{&engine.Suspects, "suspects", forSuspects},
		{&engine.Door, "door of suspects", forDoor},
		{&engine.Divided, "divided targets", forDivided},
		{&engine.Facts, "facts", forFacts},
	} {
		c.fit(p.count, p.name, total/1000*p.thousandths)
	}
	return c.Bounds(), nil
}

// Bounds says what each bound may take when it is reached.
func (c *Config) Bounds() []flows.Bound {
	all := append(c.Table.Bounds(), c.Decoder.Bounds()...)
	all = append(all, c.Engine.Bounds()...)
	if c.Evidence.Keeper != nil {
		all = append(all, flows.Bound{Name: "remembered packets", Count: c.Evidence.withDefaults().Memory, Each: 1})
	}
	return all
}

// mostOf is more than any bound is set to.
const mostOf = 1 << 28

// fit sets a bound to the most that takes no more than so many bytes. Some are rounded
// up, and an index grows by leaps: so it is looked for.
func (c *Config) fit(count *int, name string, bytes int64) {
	n := sort.Search(mostOf, func(n int) bool {
		*count = n + 1
		b := c.bound(name)
		return b.Bytes() > bytes || b.Count < *count
	})
	*count = max(n, 1)
}

func (c *Config) bound(name string) flows.Bound {
	for _, b := range c.Bounds() {
		if b.Name == name {
			return b
		}
	}
	return flows.Bound{}
}
