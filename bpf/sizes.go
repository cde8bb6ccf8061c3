package bpf

import "math/bits"

// Bytes that one thing takes in the kernel, about.
const (
	cellBytes   = 16
	setBytes    = 896     // of four sources
	budgetCells = 1 << 18 // as in xdp.h
)

const (
	leastMemory = 16 << 20
	mostRing    = 1 << 30 // nine million records
)

// sizes are how many of each the tables have room for.
type sizes struct {
	cells uint32 // of the Bloom filter, a power of two
	ring  uint32 // bytes for records, a power of two
	sets  uint32 // of four sources each
}

// sizesFor divides memory: half for the Bloom filter, a quarter for the ring, and what is
// left after the budgets for the sources.
func sizesFor(memory int64) sizes {
	memory = min(max(memory, leastMemory), 1<<34)
	s := sizes{
		cells: floorPower(memory / 2 / cellBytes),
		ring:  floorPower(min(memory/4, mostRing)),
	}
	rest := memory - int64(s.cells)*cellBytes - int64(s.ring) - 2*4*budgetCells
	s.sets = uint32(min(rest/setBytes, 1<<18))
	return s
}

// floorPower is the greatest power of two that is no more than n.
func floorPower(n int64) uint32 {
	return 1 << (bits.Len64(uint64(n)) - 1)
}
