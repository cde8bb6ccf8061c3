package gate

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func addr(n int) *[16]byte {
	a := [16]byte{10: 0xff, 11: 0xff}
	binary.BigEndian.PutUint32(a[12:], uint32(n))
	return &a
}

// target is the n-th of many, as a hash.
func target(n int) uint64 { return mix(uint64(n)+0x243f6a8885a308d3, 0x9e3779b97f4a7c15) }

// TestOneTargetTakesNoRoom: however many try one target, none is let in, no generation
// ends for it, and who tries several among them is let in at once.
func TestOneTargetTakesNoRoom(t *testing.T) {
	g := New(Config{Cells: 1 << 10})
	for i := range 200_000 {
		_, ok := g.Admits(addr(i), target(-1), int64(i))
		require.False(t, ok)
	}
	require.Zero(t, g.Stats().Generations)
	for i := 1; ; i++ {
		if _, ok := g.Admits(addr(-7), target(i), 200_000); ok {
			require.LessOrEqual(t, i, 3)
			break
		}
	}
}

// TestTargetsThatDiffer: sources of one target each, at forty times what the cells hold: few
// are let in, and all are who try several within the gap that is given.
func TestTargetsThatDiffer(t *testing.T) {
	const cells, flood, scanners = 1 << 12, 40 << 12, 20
	g := New(Config{Cells: cells})
	now := int64(0)
	send := func(n int) (let int) {
		for range n {
			now++
			if _, ok := g.Admits(addr(int(now)), target(int(now)), now); ok {
				let++
			}
		}
		return let
	}
	let := send(flood)
	require.Less(t, let, flood/spurious)
	require.Greater(t, g.Stats().Generations, uint64(20))
	gap := int(g.Stats().Gap)
	require.Positive(t, gap)
	for s := range scanners {
		found := false
		for i := range 3 * most {
			if _, ok := g.Admits(addr(-1-s), target(-100*s-i-1), now); ok {
				found = true
				break
			}
			send(gap * 9 / 10)
		}
		require.True(t, found, "scanner %d", s)
	}
}

// TestRepetitionIsNoEvidence: one target tried again and again lets nobody in.
func TestRepetitionIsNoEvidence(t *testing.T) {
	g := New(Config{Cells: 64})
	for i := range 10_000 {
		_, ok := g.Admits(addr(1), target(1), int64(i))
		require.False(t, ok)
	}
}

// TestBitsThatWereChosen: so many distinct bits let in, no fewer and no more.
func TestBitsThatWereChosen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.IntRange(1, most).Draw(t, "bits")
		g := New(Config{Cells: 64, Bits: want, Seed: rapid.Uint64().Draw(t, "seed")})
		require.True(t, g.Forced())
		seen := map[uint64]bool{}
		for i := 0; ; i++ {
			to := target(rapid.IntRange(0, 1000).Draw(t, "target"))
			seen[mix(to^g.keys[2], g.keys[3])>>58] = true
			credit, ok := g.Admits(addr(1), to, int64(i))
			require.Equal(t, len(seen) >= want, ok)
			if ok {
				require.Equal(t, estimate(want), credit)
				return
			}
		}
	})
}

// TestTimeEndsGenerations: what lies within half an hour is seen together, and what lies
// more than an hour apart is not.
func TestTimeEndsGenerations(t *testing.T) {
	for apart, want := range map[time.Duration]bool{29 * time.Minute: true, 61 * time.Minute: false, 5 * time.Hour: false} {
		for _, begin := range []time.Duration{0, 10 * time.Minute, 20 * time.Minute, 50 * time.Minute} {
			g := New(Config{Cells: 64, Bits: 2})
			g.Admits(addr(9), target(9), 1)
			g.Admits(addr(1), target(1), 1+int64(begin))
			_, ok := g.Admits(addr(1), target(2), 1+int64(begin+apart))
			require.Equal(t, want, ok, "%v apart, from %v on", apart, begin)
			require.Zero(t, g.Stats().Gap)
		}
	}
}

// TestCountsOfCells: what decides how many bits let in is what the cells hold.
func TestCountsOfCells(t *testing.T) {
	g := New(Config{Cells: 100})
	for i := range 2000 {
		g.Admits(addr(i), target(i%700), int64(i)*int64(time.Second))
	}
	for w := range 2 {
		var want [64 + 1]int
		for i := range g.cells[0] {
			n := 0
			for b := g.cells[0][i][w]; b != 0; b &= b - 1 {
				n++
			}
			want[n]++
		}
		require.Equal(t, want, g.counts[w])
	}
}

func TestSameSeedSameGate(t *testing.T) {
	run := func(seed uint64) (let []int) {
		g := New(Config{Cells: 256, Seed: seed})
		for i := range 20_000 {
			if _, ok := g.Admits(addr(i%5000), target(i), int64(i)); ok {
				let = append(let, i)
			}
		}
		return let
	}
	once, again := run(1), run(1)
	require.NotEmpty(t, once)
	require.Equal(t, once, again)
	require.NotEqual(t, once, run(2))
}

func TestGateAllocatesNothing(t *testing.T) {
	g, i := New(Config{Cells: 256}), 0
	g.Admits(addr(0), target(0), 0)
	require.Zero(t, testing.AllocsPerRun(10_000, func() {
		i++
		g.Admits(addr(i), target(i), int64(i))
	}))
}
