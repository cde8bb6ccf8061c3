package tier

import (
	"encoding/binary"
	"math/bits"
)

// keys make the hashes of one table unknown to whoever chooses the addresses.
type keys [6]uint64

// newKeys draws them from a seed (SplitMix64).
func newKeys(seed uint64) (k keys) {
	for i := range k {
		seed += 0x9e3779b97f4a7c15
		z := seed
		z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		k[i] = z ^ z>>31 | 1
	}
	return k
}

// mix folds the 128-bit product of two words. If one could be made 0 from
// outside, the other would not matter: so both are keyed.
func mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}

func (k *keys) source(a *[16]byte) uint64 {
	h := mix(binary.LittleEndian.Uint64(a[:8])^k[0], binary.LittleEndian.Uint64(a[8:])^k[1])
	return mix(h^k[2], k[3])
}

// again is a second hash of a source, made from the first.
func (k *keys) again(source uint64) uint64 { return mix(source^k[4], k[5]) }

// bit is the place of a target in a counter.
func (k *keys) bit(target uint64) uint64 { return mix(target^k[2], k[1]) >> (64 - 7) }
