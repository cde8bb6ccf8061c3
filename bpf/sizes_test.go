package bpf

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSizes has the tables take no more than they may, and make use of most of it.
func TestSizes(t *testing.T) {
	for _, memory := range []int64{0, 1, leastMemory, leastMemory + 1, 20 << 20, 32 << 20, 100_000_000, 1 << 30, 1 << 34, 1 << 40} {
		s := sizesFor(memory)
		taken := int64(s.cells)*cellBytes + int64(s.ring) + int64(s.sets)*setBytes + 2*4*budgetCells
		allowed := min(max(memory, leastMemory), 1<<34)
		require.LessOrEqual(t, taken, allowed)
		require.GreaterOrEqual(t, taken, min(allowed, 1<<30)*3/4)
		require.Positive(t, s.ring)
		require.Zero(t, s.cells&(s.cells-1))
		require.Zero(t, s.ring&(s.ring-1))
		require.GreaterOrEqual(t, 4*s.sets, uint32(9000))
	}
}
