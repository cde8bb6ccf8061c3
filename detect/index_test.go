package detect

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestIndexAgainstMap adds and removes records of few distinct hashes, so that most
// are displaced by others.
func TestIndexAgainstMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, hashes, held := newIndex(1<<2), []uint64{}, map[uint32]bool{}
		for range rapid.IntRange(1, 300).Draw(t, "steps") {
			if n := uint32(rapid.IntRange(0, len(hashes)).Draw(t, "number")); held[n] {
				x.remove(hashes[n], n)
				delete(held, n)
			} else {
				low := rapid.Uint64Range(0, 5).Draw(t, "low")
				hashes = append(hashes, rapid.SampledFrom([]uint64{0, 1, 2, 11, 1<<32 - 1}).Draw(t, "high")<<32|low)
				n = uint32(len(hashes) - 1)
				x.add(hashes[n], n)
				held[n] = true
			}
			require.Equal(t, len(held), x.held)
		}
		for n := range hashes {
			require.Equal(t, held[uint32(n)], indexed(&x, hashes[n], uint32(n)), "record %d", n)
		}
	})
}

func indexed(x *index, hash uint64, number uint32) bool {
	for n, at := x.first(hash); n != none; n, at = x.next(hash, at) {
		if n == number {
			return true
		}
	}
	return false
}
