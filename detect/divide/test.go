package divide

import (
	"bytes"
	"math"
	"slices"
)

const (
	leastSources = 10
	leastTries   = 2  // of a source, for one alone may be forged
	largestPart  = 3  // a member has one in so many of the targets at most
	sharedPart   = 5  // one member in so many shares a target with another at most
	surprising   = 14 // nats: one in a million
)

// test is the room that a test needs. What is in it means nothing between two.
type test struct {
	sources  names
	places   names    // blocks of 256 targets that lie side by side
	byTarget []uint64 // tries: block, value in it (8 bits), source (16 bits)
	bySource []uint64 // tries: source, block, value
	tried    []int    // by source: targets, 0 if it is no member
	members  int
	shares   []bool // by source: it shares a target with another
	blocks   []block
	found    [][16]byte
}

// block is what is known of 256 targets.
type block struct {
	low, high         uint64
	draws, runs       int
	product, runsRuns int // sums over members of runs times draws, and of runs squared
}

// run tests the tries since a time.
func (t *test) run(ring []Try, k *Key, edge int64, over int, vet func(*[16]byte) bool) (Finding, bool) {
	if !t.draw(ring, k, edge) {
		return Finding{}, false
	}
	f, ok := t.measure(t.trim(), over)
	if !ok {
		return f, false
	}
	if vet != nil && !t.vetted(vet) {
		if f, ok = t.measure(t.trim(), over); !ok {
			return f, false
		}
	}
	return t.complete(f, ring, edge), true
}

// draw takes the tries since a time, and reports whether enough sources have several.
func (t *test) draw(ring []Try, k *Key, edge int64) bool {
	t.sources.clear()
	t.places.clear()
	t.byTarget, t.tried = t.byTarget[:0], t.tried[:0]
	several := 0
	for i := range ring {
		if ring[i].Line < edge {
			continue
		}
		who := t.sources.number(&ring[i].Src)
		if who == len(t.tried) {
			t.tried = append(t.tried, 0)
		}
		if t.tried[who]++; t.tried[who] == leastTries {
			several++
		}
		place, value := placeOf(&ring[i], k)
		t.byTarget = append(t.byTarget, uint64(t.places.number(&place))<<24|value<<16|uint64(who))
	}
	if several < leastSources {
		return false
	}
	slices.Sort(t.byTarget)
	t.byTarget = slices.Compact(t.byTarget)
	clear(t.tried)
	t.bySource = t.bySource[:0]
	for _, x := range t.byTarget {
		t.tried[x&0xffff]++
		t.bySource = append(t.bySource, x&0xffff<<32|x>>16)
	}
	slices.Sort(t.bySource)
	return true
}

// placeOf is the block in which a try lies, and where in it.
func placeOf(try *Try, k *Key) (place [16]byte, value uint64) {
	if k.Host == ([16]byte{}) {
		place = try.Host
		place[15] = 0
		return place, uint64(try.Host[15])
	}
	return [16]byte{15: uint8(try.Port >> 8)}, uint64(try.Port & 255)
}

// trim takes out those who cannot be members until nobody is left of them, and returns how many
// targets the members have.
func (t *test) trim() (targets int) {
	for barred := true; barred; {
		targets = t.distinct()
		barred, t.members = false, 0
		for who, n := range t.tried {
			switch {
			case n == 0:
			case n < leastTries || largestPart*n > targets:
				t.tried[who] = 0
				barred = true
			default:
				t.members++
			}
		}
	}
	return targets
}

// distinct is how many targets the members tried.
func (t *test) distinct() (n int) {
	last := uint64(math.MaxUint64)
	for _, x := range t.byTarget {
		if t.tried[x&0xffff] > 0 && x>>16 != last {
			last = x >> 16
			n++
		}
	}
	return n
}

// vetted takes out the members that must not be, and reports whether there were none.
func (t *test) vetted(vet func(*[16]byte) bool) bool {
	all := true
	for who, n := range t.tried {
		if n > 0 && !vet(&t.sources.list[who]) {
			t.tried[who] = 0
			all = false
		}
	}
	return all
}

// measure tells whether the members have divided their targets.
func (t *test) measure(targets, over int) (Finding, bool) {
	if t.members < leastSources || targets <= over {
		return Finding{}, false
	}
	m, shared := float64(t.members), t.shared()
	if sharedPart*shared > t.members {
		return Finding{}, false
	}
	chance := 2 * t.meetings() / m // of each, to meet others
	share := -math.Expm1(-chance)
	if surprise(float64(shared)/m, share, chance)*m/2 < surprising {
		return Finding{}, false
	}
	return Finding{Targets: targets, Shared: shared, Expected: share * m}, true
}

// complete says who they are, and since when.
func (t *test) complete(f Finding, ring []Try, edge int64) Finding {
	t.found = t.found[:0]
	for who, n := range t.tried {
		if n > 0 {
			t.found = append(t.found, t.sources.list[who])
		}
	}
	slices.SortFunc(t.found, func(a, b [16]byte) int { return bytes.Compare(a[:], b[:]) })
	f.Sources, f.Since = t.found, math.MaxInt64
	for i := range ring {
		if at := ring[i].Line; at >= edge && t.tried[t.sources.number(&ring[i].Src)] > 0 {
			f.Since = min(f.Since, at)
		}
	}
	return f
}

// shared is how many members tried what another did.
func (t *test) shared() (n int) {
	t.shares = append(t.shares[:0], make([]bool, len(t.tried))...)
	before := uint64(math.MaxUint64) // the try of a member before
	for _, x := range t.byTarget {
		if t.tried[x&0xffff] == 0 {
			continue
		}
		if x>>16 == before>>16 {
			t.shares[x&0xffff], t.shares[before&0xffff] = true, true
		}
		before = x
	}
	for _, s := range t.shares {
		if s {
			n++
		}
	}
	return n
}

// meetings is how many pairs of members would meet by chance.
func (t *test) meetings() float64 {
	t.blocks = append(t.blocks[:0], make([]block, len(t.places.list))...)
	for i := 0; i < len(t.bySource); {
		x := t.bySource[i]
		b, runs, from := &t.blocks[x>>8&0xffff], 0, i
		for last := x - 2; i < len(t.bySource) && t.bySource[i]>>8 == x>>8; i++ {
			if t.bySource[i] != last+1 {
				runs++
			}
			last = t.bySource[i]
		}
		if draws := i - from; t.tried[x>>32] > 0 {
			if b.draws == 0 {
				b.low = x & 255
			}
			b.low, b.high = min(b.low, x&255), max(b.high, t.bySource[i-1]&255)
			b.draws += draws
			b.runs += runs
			b.product += runs * draws
			b.runsRuns += runs * runs
		}
	}
	// In whole numbers, for the blocks come in any order.
	const unit = 1 << 20
	pairs := 0
	for i := range t.blocks {
		b := &t.blocks[i]
		if b.runs < 2 {
			continue
		}
		// From the lowest to the highest is a little less than they were chosen from.
		reach := int(b.high - b.low + 1)
		reach = min(256, reach+2*reach/(b.runs-1))
		twice := 2*(b.runs*b.draws-b.product) - (b.runs*b.runs - b.runsRuns)
		pairs += twice * (unit / 2) / reach
	}
	return float64(pairs) / unit
}

// surprise is the divergence of a share that was seen from a larger one that was expected, in
// nats; chance is -log(1-expected).
func surprise(seen, expected, chance float64) float64 {
	if seen >= expected {
		return 0
	}
	s := (1 - seen) * (math.Log1p(-seen) + chance)
	if seen > 0 {
		s += seen * math.Log(seen/expected)
	}
	return s
}
