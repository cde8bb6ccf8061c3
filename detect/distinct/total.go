package distinct

import (
	"math"
	"math/bits"
)

const (
	registerBits = 10
	registers    = 1 << registerBits
)

// Total counts distinct items from the beginning, in a kilobyte. The zero value
// is empty. It belongs to one goroutine.
type Total struct {
	ranks [registers]uint8
}

// Add counts an item.
func (t *Total) Add(item uint32) {
	h := spread(item)
	r := &t.ranks[h>>(64-registerBits)]
	*r = max(*r, uint8(bits.LeadingZeros64(h<<registerBits|1<<(registerBits-1))+1))
}

// Count estimates how many distinct items were added.
func (t *Total) Count() int {
	const unit = 53
	zeros := 0
	var sum uint64 // of 2^-rank, in units of 2^-unit: at most 2^(unit+registerBits)
	for _, r := range t.ranks {
		if r == 0 {
			zeros++
		}
		sum += 1 << (unit - min(r, unit))
	}
	const alpha = 0.7213 / (1 + 1.079/registers)
	estimate := float64(alpha*registers*registers) / (float64(sum) / (1 << unit))
	if zeros > 0 && estimate <= 2.5*registers {
		return linear(registers, zeros)
	}
	return int(math.Round(estimate))
}
