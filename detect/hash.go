package detect

import "encoding/binary"

// hashKeys are what is added to addresses before they are hashed. Those who send choose
// addresses: with keys known to them they could have as many as they like fall together in a
// table, and slow it down or have what is in one place of it forgotten. The zero value is the keys
// of seed 0.
type hashKeys struct{ low, high uint64 }

func newHashKeys(seed uint64) hashKeys {
	low := mixed(seed, 0)
	return hashKeys{low, mixed(low, 0)}
}

// mixed hashes two words (SplitMix64): every bit depends on all of both.
func mixed(a, b uint64) uint64 {
	z := a + b*0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// addr hashes an address and a word. Addresses that differ in one half alone, as in
// a sweep of a network or of one host number over networks, never fall together, whoever
// chooses them.
func (k *hashKeys) addr(a *[16]byte, more uint64) uint64 {
	return mixed(mixed(binary.LittleEndian.Uint64(a[8:])^k.low, more), binary.LittleEndian.Uint64(a[:8])^k.high)
}
