package gate

import (
	"encoding/binary"
	"math"
	"math/bits"
	"time"
)

// Config says how a [Gate] is built. The zero value is the default.
type Config struct {
	// Cells is how many cells each of the two rows has, at 16 bytes each; 0 means 65,536.
	Cells int
	// Bits is how many bits let a source in, 1 to 10; 0 means as few as keep most of those
	// out that try one target.
	Bits int
	// Seed keys the hashes. One that strangers know lets them choose sources that
	// share a cell with one that is to stay unseen, or to be let in.
	Seed uint64
}

// Stats counts what a [Gate] has done.
type Stats struct {
	Asked       uint64 // times that a source without a record failed
	Admitted    uint64 // sources let in
	Generations uint64 // that have ended
	Bits        int    // that let in now
	// Gap is about how far apart the targets of a source may lie at most for it to be let
	// in: the least life of the elder generation, by the latest that ended, over Bits. It is
	// 0 as long as none has ended before its time.
	Gap time.Duration
}

const (
	rows = 2
	// most and fewest are bounds on the bits that let in.
	fewest, most = 2, 10
	// spurious: one in so many sources of one target may be let in: their records are the first to go.
	spurious = 8
	// load is how many bits a cell end a generation.
	load = 3
	// life is how long a generation lives at most, in nanoseconds.
	life = int64(time.Hour)
	// Bytes is what a cell takes, in each row.
	Bytes = 16
	// defaultCells is Config.Cells where it is 0.
	defaultCells = 1 << 16
	// revise is after how many bits it is looked at again how many let in.
	revise = 1 << 8
)

// cell holds the words of both generations.
type cell [2]uint64

// Gate remembers, of sources without a record, what they tried, as shared bits. It
// belongs to one goroutine. It takes its memory when it is asked first.
type Gate struct {
	cfg    Config
	keys   [4]uint64
	cells  [rows][]cell
	elder  int            // which word is asked
	begun  int64          // when the younger generation began
	set    int            // bits set in row 0 since then
	counts [2][64 + 1]int // cells of row 0 by bits, of either generation
	stats  Stats
	next   int // bits set at which to look again at how many let in
}

// New makes a gate. Negative numbers stand for 0.
func New(cfg Config) *Gate {
	if cfg.Cells <= 0 {
		cfg.Cells = defaultCells
	}
	cfg.Bits = min(max(cfg.Bits, 0), most)
	g := &Gate{cfg: cfg}
	seed := cfg.Seed
	for i := range g.keys { // SplitMix64
		seed += 0x9e3779b97f4a7c15
		z := (seed ^ seed>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		g.keys[i] = z ^ z>>31 | 1
	}
	g.stats.Bits = g.needed()
	return g
}

// begin takes the memory.
func (g *Gate) begin(now int64) {
	for r := range g.cells {
		g.cells[r] = make([]cell, g.cfg.Cells)
	}
	g.counts[0][0], g.counts[1][0] = g.cfg.Cells, g.cfg.Cells
	g.begun = now
}

// Admits notes that a source failed at a target, given as a hash, at a time in
// nanoseconds that never runs back; and reports whether the source is to be let in. credit is
// about how many targets it has tried, this one included.
func (g *Gate) Admits(source *[16]byte, target uint64, now int64) (credit int, ok bool) {
	if g.cells[0] == nil {
		g.begin(now)
	}
	g.turn(now)
	g.stats.Asked++
	h := g.hash(source)
	bit := uint64(1) << (mix(target^g.keys[2], g.keys[3]) >> 58)
	least := 64
	for r := range g.cells {
		place, _ := bits.Mul64(h, uint64(len(g.cells[r])))
		c := &g.cells[r][place]
		if r == 0 {
			g.note(c, bit)
		}
		c[0] |= bit
		c[1] |= bit
		least = min(least, bits.OnesCount64(c[g.elder]))
		h = mix(h^g.keys[1], g.keys[0])
	}
	if least < g.stats.Bits {
		return 0, false
	}
	g.stats.Admitted++
	return estimate(least), true
}

// note counts the bits that are set in a cell of row 0.
func (g *Gate) note(c *cell, bit uint64) {
	for w := range c {
		if c[w]&bit == 0 {
			n := bits.OnesCount64(c[w])
			g.counts[w][n]--
			g.counts[w][n+1]++
			if w != g.elder {
				g.set++
			}
		}
	}
	if g.set >= g.next {
		g.stats.Bits, g.next = g.needed(), g.set+revise
	}
}

// needed is how many bits are to let in: as few as one source in spurious has, of those that
// try one target. Each cell of such a source has that bit, and others'.
func (g *Gate) needed() int {
	if g.cfg.Bits > 0 {
		return g.cfg.Bits
	}
	counts := &g.counts[g.elder]
	above := 0 // cells with n bits or more
	for n := len(counts) - 1; n >= fewest-1; n-- {
		above += counts[n]
		if above*above > g.cfg.Cells/spurious*g.cfg.Cells {
			return min(n+2, most)
		}
	}
	return fewest
}

// turn ends the elder generation when the younger is half a life old.
func (g *Gate) turn(now int64) {
	old := now-g.begun >= life/2
	if !old && g.set < load*g.cfg.Cells/2 {
		return
	}
	g.stats.Generations++
	g.stats.Gap = 0
	if !old {
		g.stats.Gap = time.Duration((now - g.begun) / int64(g.stats.Bits))
	}
	for r := range g.cells {
		for i := range g.cells[r] {
			g.cells[r][i][g.elder] = 0
		}
	}
	g.counts[g.elder] = [64 + 1]int{g.cfg.Cells}
	g.elder = 1 - g.elder
	if now-g.begun >= life { // nothing has come for so long that the other is over, too
		for r := range g.cells {
			clear(g.cells[r])
		}
		g.counts[g.elder] = [64 + 1]int{g.cfg.Cells}
	}
	g.begun, g.set, g.next = now, 0, 0
	g.stats.Bits = g.needed()
}

// Stats tells what the gate has done so far.
func (g *Gate) Stats() Stats { return g.stats }

// Forced reports whether a number of bits was chosen, so that the gate is to be asked
// whether there is room or not.
func (g *Gate) Forced() bool { return g.cfg.Bits > 0 }

// estimate is how many targets have set so many of 64 bits (linear counting).
func estimate(set int) int {
	if set >= 64 {
		set = 63
	}
	return int(math.Round(-64 * math.Log(1-float64(set)/64)))
}

func (g *Gate) hash(a *[16]byte) uint64 {
	h := mix(binary.LittleEndian.Uint64(a[8:])^g.keys[0], binary.LittleEndian.Uint64(a[:8])^g.keys[1])
	return mix(h^g.keys[2], g.keys[3])
}

// mix folds the 128-bit product of two words.
func mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}
