package divide

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func source(n int) [16]byte {
	return [16]byte{10: 0xff, 11: 0xff, 12: 203, 13: byte(n >> 16), 14: byte(n >> 8), 15: byte(n)}
}

func host(n int) [16]byte {
	return [16]byte{10: 0xff, 11: 0xff, 12: 10, 13: 1, 14: byte(n >> 8), 15: byte(n)}
}

func config() Config { return Config{Over: 49, Window: 600e9} }

// choice is which targets each of a number of sources tries.
type choice func(r *rand.Rand, sources, each int) [][]int

// dealt gives each its share of a range, one target in turn.
func dealt(_ *rand.Rand, sources, each int) [][]int {
	all := make([][]int, sources)
	for i := range sources * each {
		all[i%sources] = append(all[i%sources], i)
	}
	return all
}

// cut gives each a piece of a range.
func cut(_ *rand.Rand, sources, each int) [][]int {
	all := make([][]int, sources)
	for i := range sources * each {
		all[i/each] = append(all[i/each], i)
	}
	return all
}

// shuffled deals a range in any order.
func shuffled(r *rand.Rand, sources, each int) [][]int {
	all := make([][]int, sources)
	for i, n := range r.Perm(sources * each) {
		all[i%sources] = append(all[i%sources], n)
	}
	return all
}

// ofItself lets each choose from a range by itself.
func ofItself(most int) choice {
	return func(r *rand.Rand, sources, each int) [][]int {
		all := make([][]int, sources)
		for i := range all {
			for len(all[i]) < each {
				if n := r.IntN(most); !slices.Contains(all[i], n) {
					all[i] = append(all[i], n)
				}
			}
		}
		return all
	}
}

// from lets each begin somewhere in a range, and go on in order.
func from(most int) choice {
	return func(r *rand.Rand, sources, each int) [][]int {
		all := make([][]int, sources)
		for i := range all {
			at := r.IntN(most)
			for n := range each {
				all[i] = append(all[i], (at+n)%most)
			}
		}
		return all
	}
}

// same lets all try the same.
func same(_ *rand.Rand, sources, each int) [][]int {
	all := make([][]int, sources)
	for i := range all {
		for n := range each {
			all[i] = append(all[i], n)
		}
	}
	return all
}

// play has sources try what they chose, each one target after the other, and returns what was found.
func play(table *Table, r *rand.Rand, hosts bool, chosen [][]int, vet func(*[16]byte) bool) (found []Finding) {
	type pick struct{ who, what int }
	var picks []pick
	for who, list := range chosen {
		for _, what := range list {
			picks = append(picks, pick{who, what})
		}
	}
	r.Shuffle(len(picks), func(a, b int) { picks[a], picks[b] = picks[b], picks[a] })
	for i, p := range picks {
		k, t := Key{Host: host(1), Class: 1}, Try{Src: source(p.who), Host: host(1), Port: uint16(p.what + 1), Line: int64(i) * 1e8}
		if hosts {
			k, t = Key{Port: 23, Class: 1}, Try{Src: source(p.who), Host: host(p.what), Port: 23, Line: int64(i) * 1e8}
		}
		if f, ok := table.Add(k, t, vet); ok {
			f.Sources = slices.Clone(f.Sources)
			found = append(found, f)
		}
	}
	return found
}

// TestDivisionIsFound, of ports and of hosts, however it was made.
func TestDivisionIsFound(t *testing.T) {
	for _, c := range []struct {
		name          string
		choose        choice
		sources, each int
	}{
		{"four each, in turn", dealt, 60, 4},
		{"four each, in any order", shuffled, 60, 4},
		{"four each, by pieces", cut, 60, 4},
		{"two each", dealt, 200, 2},
		{"two each, in any order", shuffled, 200, 2},
		{"ten each", shuffled, 20, 10},
		{"twenty each, by pieces", cut, 20, 20},
	} {
		for _, hosts := range []bool{false, true} {
			for seed := range uint64(20) {
				r := rand.New(rand.NewPCG(seed, 1))
				found := play(New(config()), r, hosts, c.choose(r, c.sources, c.each), nil)
				require.NotEmpty(t, found, "%s, hosts %v, seed %d", c.name, hosts, seed)
				f := found[0]
				require.Greater(t, f.Targets, 49)
				require.GreaterOrEqual(t, len(f.Sources), 10)
				require.Zero(t, f.Shared)
				require.Greater(t, f.Expected, 5.0)
				require.True(t, slices.IsSortedFunc(f.Sources, func(a, b [16]byte) int { return slices.Compare(a[:], b[:]) }))
			}
		}
	}
}

// TestStrangersAreNoCrowd: who choose by themselves, whether at random, in order from anywhere, or all
// the same, and however many they are.
func TestStrangersAreNoCrowd(t *testing.T) {
	for _, c := range []struct {
		name          string
		choose        choice
		sources, each int
	}{
		{"any of a /24", ofItself(256), 200, 2},
		{"any of a /24, more of them", ofItself(256), 1000, 2},
		{"any of a /22", ofItself(1024), 200, 2},
		{"any of a /20", ofItself(4096), 250, 2},
		{"any of a /16", ofItself(60000), 250, 2},
		{"four of 256", ofItself(256), 60, 4},
		{"eight of 256", ofItself(256), 30, 8},
		{"any of a hundred", ofItself(100), 20, 5},
		{"in order", from(256), 20, 8},
		{"in order, few", from(256), 12, 8},
		{"in order, far", from(1024), 20, 20},
		{"all the same", same, 100, 4},
		{"nine in agreement", dealt, 9, 20},
		{"one each", dealt, 400, 1},
	} {
		for _, hosts := range []bool{false, true} {
			for seed := range uint64(40) {
				r := rand.New(rand.NewPCG(seed, 2))
				require.Empty(t, play(New(config()), r, hosts, c.choose(r, c.sources, c.each), nil), "%s, hosts %v, seed %d", c.name, hosts, seed)
			}
		}
	}
}

// TestCrowdAmongStrangers is found beside a scanner of everything and some who are not of it.
func TestCrowdAmongStrangers(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 3))
	all := shuffled(r, 60, 4)
	all = append(all, r.Perm(120)) // covers half of what the crowd does
	found := play(New(config()), r, false, all, nil)
	require.NotEmpty(t, found)
	require.NotContains(t, found[0].Sources, source(60))
}

// TestVetted: who may not be a member is none, and without them there may be no crowd.
func TestVetted(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 4))
	half := func(src *[16]byte) bool { return src[15]%2 == 0 }
	found := play(New(config()), r, false, shuffled(r, 120, 4), half)
	require.NotEmpty(t, found)
	for _, src := range found[0].Sources {
		require.True(t, half(&src))
	}
	require.Empty(t, play(New(config()), r, false, shuffled(r, 60, 4), func(*[16]byte) bool { return false }))
}

// TestWindow: what lies apart in time is not added up.
func TestWindow(t *testing.T) {
	table, r := New(Config{Over: 49, Window: 3e9}), rand.New(rand.NewPCG(1, 5))
	require.Empty(t, play(table, r, false, shuffled(r, 60, 4), nil)) // 24 s
	table = New(Config{Over: 49, Window: 15e9})
	require.NotEmpty(t, play(table, r, false, shuffled(r, 60, 4), nil))
}

// TestNoiseUnderOtherKeysHidesNothing: thousands of keys with a few tries each come and go.
func TestNoiseUnderOtherKeysHidesNothing(t *testing.T) {
	table, r := New(config()), rand.New(rand.NewPCG(1, 6))
	found := 0
	for i, list := range shuffled(r, 60, 4) {
		for n, what := range list {
			now := int64(i*4+n) * 1e8
			for range 50 {
				k := Key{Port: uint16(r.IntN(60000)), Class: 1}
				_, ok := table.Add(k, Try{Src: source(r.IntN(1 << 20)), Host: host(r.IntN(256)), Port: k.Port, Line: now}, nil)
				require.False(t, ok)
			}
			_, ok := table.Add(Key{Host: host(1), Class: 1}, Try{Src: source(i), Host: host(1), Port: uint16(what), Line: now}, nil)
			if ok {
				found++
			}
		}
	}
	require.Positive(t, found)
}

// TestOrderAndRepetition: the test sees the same in what order tries came, and how often.
func TestOrderAndRepetition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 7))
		var ring []Try
		for who, list := range shuffled(r, rapid.IntRange(5, 60).Draw(t, "sources"), rapid.IntRange(1, 8).Draw(t, "each")) {
			for _, what := range list {
				ring = append(ring, Try{Src: source(who), Host: host(1), Port: uint16(what), Line: 1})
			}
		}
		k := Key{Host: host(1), Class: 1}
		var one, two test
		f, ok := one.run(ring, &k, 0, 49, nil)
		for range r.IntN(50) {
			ring = append(ring, ring[r.IntN(len(ring))])
		}
		r.Shuffle(len(ring), func(a, b int) { ring[a], ring[b] = ring[b], ring[a] })
		g, same := two.run(ring, &k, 0, 49, nil)
		require.Equal(t, ok, same)
		require.Equal(t, f, g)
	})
}

// TestMeetings holds the expected number of meetings against what random placing gives.
func TestMeetings(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 8))
	for _, c := range []struct {
		choose        choice
		sources, each int
	}{{ofItself(256), 12, 4}, {ofItself(256), 30, 2}, {from(256), 12, 5}} {
		met, expected := 0.0, 0.0
		const rounds = 200
		for range rounds {
			var ring []Try
			chosen := c.choose(r, c.sources, c.each)
			for who, list := range chosen {
				for _, what := range list {
					ring = append(ring, Try{Src: source(who), Host: host(1), Port: uint16(what)})
				}
			}
			var x test
			require.True(t, x.draw(ring, &Key{Host: host(1)}, 0))
			x.trim()
			expected += x.meetings()
			for i := range chosen {
				for j := range i {
					if slices.ContainsFunc(chosen[i], func(n int) bool { return slices.Contains(chosen[j], n) }) {
						met++
					}
				}
			}
		}
		require.InDelta(t, 1, met/expected, 0.15, "%v of %v", met/rounds, expected/rounds)
	}
}

func TestSurprise(t *testing.T) {
	chance := 1.5
	expected := -math.Expm1(-chance)
	require.InDelta(t, chance, surprise(0, expected, chance), 1e-12)
	require.Zero(t, surprise(expected, expected, chance))
	require.Zero(t, surprise(0.9, expected, chance))
	require.InDelta(t, 0.2*math.Log(0.2/expected)+0.8*math.Log(0.8/(1-expected)), surprise(0.2, expected, chance), 1e-12)
}

func TestTableAllocatesNothing(t *testing.T) {
	table, n := New(config()), 0
	add := func() {
		n++
		k := Key{Host: host(n % 3), Class: 1}
		table.Add(k, Try{Src: source(n % 70), Host: k.Host, Port: uint16(n % 256), Line: int64(n) * 1e6}, nil)
	}
	for range 4000 {
		add()
	}
	require.Zero(t, testing.AllocsPerRun(4000, add))
}

func BenchmarkAdd(b *testing.B) {
	table := New(config())
	for n := range b.N {
		k := Key{Host: host(n % 3), Class: 1}
		table.Add(k, Try{Src: source(n % 70), Host: k.Host, Port: uint16(n % 256), Line: int64(n) * 1e6}, nil)
	}
}
