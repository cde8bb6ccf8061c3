package distinct

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// hash is a permutation of 32 bits, so that distinct items stay
func hash(i int) uint32 {
	h := uint32(i) * 0x9e3779b1
	h ^= h >> 15
	return h * 0x85ebca77
}

func TestWindowCountsDistinctItems(t *testing.T) {
	for _, n := range []int{0, 1, 10, 128, 500, 1000, 2000} {
		var w Window
		for range 3 {
			for i := range n {
				w.Add(hash(i), 5)
			}
		}
		require.InDelta(t, n, w.Count(5), 0.12*float64(n)+0.5, "%d items", n)
	}
}

func TestWindowIsFullBeyondItsBits(t *testing.T) {
	var w Window
	for i := range 100_000 {
		w.Add(hash(i), 0)
	}
	require.Equal(t, MaxWindow, w.Count(0))
}

func TestWindowForgetsByHalves(t *testing.T) {
	var w Window
	for i := range 100 {
		w.Add(hash(i), 7)
	}
	for i := range 100 {
		w.Add(hash(i+50), 8)
	}
	require.InDelta(t, 150, w.Count(8), 15, "both halves, what is in both once")
	require.InDelta(t, 100, w.Count(9), 10, "the younger half")
	require.Zero(t, w.Count(10))
	for i := range 100 {
		w.Add(hash(i), 11)
	}
	require.InDelta(t, 100, w.Count(11), 10)
	w.Add(hash(1000), 12)
	require.Zero(t, w.Count(14), "two halves later")
	w.Add(hash(1), 14)
	require.Zero(t, w.Count(21), "after a long silence")
	w.Add(hash(1), 3)
	require.Equal(t, 1, w.Count(21), "an earlier half means the younger of those held")
}

func TestTotalCountsDistinctItems(t *testing.T) {
	for _, n := range []int{0, 1, 10, 300, 2000, 5000, 100_000, 3_000_000} {
		var c Total
		for i := range n {
			c.Add(hash(i))
			c.Add(hash(i / 2))
		}
		require.InDelta(t, n, c.Count(), 0.1*float64(n)+0.5, "%d items", n)
	}
}
