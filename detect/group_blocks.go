package detect

import "slices"

const (
	blockChunk = 1 << 12 // elements allocated at a time, at least
	blockLeast = 4       // elements of the smallest block
	groupTries = 4       // groups that are compared where one has to give up its block
)

// blocks holds the elements of groups that have more than two, in blocks of a few sizes. Each
// size has room of its own: a flood of groups of a few values takes none from those with more.
type blocks []blockClass

// blockClass holds the blocks of one size.
type blockClass struct {
	size   int // elements
	room   int // blocks, by the bound
	max    int // blocks: one at least
	chunks [][]element
	owners []uint64 // keys of the groups that have the blocks, by place
	spare  []uint32 // places
	hand   int      // the place that is looked at next where there is no other
}

// newBlocks makes blocks of sizes up to most, of so many elements in all, divided evenly.
func newBlocks(most, elements int) blocks {
	var b blocks
	for size := blockLeast; size < most; size = nextBlock(size) {
		b = append(b, blockClass{size: size})
	}
	b = append(b, blockClass{size: most})
	for i := range b {
		b[i].room = elements / len(b) / b[i].size
		b[i].max = max(b[i].room, 1)
	}
	return b
}

// nextBlock is the size behind another: 4, 20, 64, 256 and so on.
func nextBlock(size int) int {
	switch size {
	case blockLeast:
		return 20
	case 20:
		return 64
	}
	return 4 * size
}

// held is what a group holds.
func (b blocks) held(g *group) recent {
	if g.class == 0 {
		return g.two[:g.size]
	}
	c := &b[g.class-1]
	return c.at(g.place)[:g.size:c.size]
}

// free takes a group's block from it.
func (b blocks) free(g *group) {
	if g.class > 0 {
		c := &b[g.class-1]
		c.owners[g.place] = 0
		c.spare = append(c.spare, g.place)
		g.class = 0
	}
}

// perChunk is how many blocks are allocated at a time.
func (c *blockClass) perChunk() int { return max(blockChunk/c.size, 1) }

func (c *blockClass) at(place uint32) []element {
	n := c.perChunk()
	return c.chunks[int(place)/n][int(place)%n*c.size:]
}

// take gives a block that nobody has to a group, if there is one.
func (c *blockClass) take(key uint64) (place uint32, ok bool) {
	if n := len(c.spare); n > 0 {
		place, c.spare = c.spare[n-1], c.spare[:n-1]
		c.owners[place] = key
		return place, true
	}
	made := len(c.owners)
	if made >= c.max {
		return 0, false
	}
	if n := c.perChunk(); made == n*len(c.chunks) {
		c.chunks = append(c.chunks, make([]element, min(n, c.max-made)*c.size))
	}
	c.owners = append(c.owners, key)
	return uint32(made), true
}

// list is what a group holds, with room for a value more up to want.
func (t *groupTable) list(g *group, value uint64, want int, now int64) recent {
	l := t.blocks.held(g)
	if len(l) < cap(l) || cap(l) >= want || g.class == 0 && slices.ContainsFunc(l, func(x element) bool { return x.value == value }) {
		return l
	}
	c := &t.blocks[g.class]
	place, ok := c.take(g.key)
	if !ok {
		t.yield(c, now)
		place, _ = c.take(g.key)
	}
	copy(c.at(place), l)
	class := g.class + 1
	t.blocks.free(g)
	g.place, g.class = place, class
	return t.blocks.held(g)
}

// yield forgets, of some groups with blocks of a size, all of which are taken, one whose window is
// over, or the one that can be spared.
func (t *groupTable) yield(c *blockClass, now int64) { t.forget(c.owners, &c.hand, 0, now) }

// forget takes a group from the table: of the next few of those with the keys, behind the hand,
// but not the group of the key but. It reports whether there was one.
func (t *groupTable) forget(keys []uint64, hand *int, but uint64, now int64) bool {
	var worst *groupBucket
	begun := t.tick(now)
	at, tries := 0, groupTries
	for n := 0; n < len(keys) && tries > 0; n++ {
		*hand = (*hand + 1) % len(keys)
		key := keys[*hand]
		if key == 0 || key == but {
			continue
		}
		tries--
		b := &t.buckets[t.bucket(key)]
		i := b.find(key)
		if b.until[i] < begun {
			t.release(b, i)
			return true
		}
		if worst == nil || b.poorer(i, worst, at) {
			worst, at = b, i
		}
	}
	if worst == nil {
		return false
	}
	t.evicted++
	t.release(worst, at)
	return true
}
