package flows

import (
	"encoding/binary"
	"math/bits"
)

// mix folds the 128-bit product of two words. A word that is 0 wipes out the other,
// so callers add to both what nobody who chooses them knows: see keys.
func mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}

// keys are what is added to the words that are hashed. Addresses and ports are chosen
// by those who send: with words known to them they could have as many keys of a
// table as they like fall together, and hide one target behind another.
type keys [6]uint64

// newKeys draws keys by a seed (SplitMix64, Steele, Lea and Flood 2014). None is even.
func newKeys(seed uint64) (k keys) {
	for i := range k {
		seed += 0x9e3779b97f4a7c15
		z := (seed ^ seed>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		k[i] = z ^ z>>31 | 1
	}
	return k
}

// key hashes all 36 bytes of a key.
func (s *keys) key(k *Key) uint64 {
	a := mix(binary.LittleEndian.Uint64(k.Initiator[8:])^s[0], binary.LittleEndian.Uint64(k.Responder[8:])^s[1])
	c := uint64(k.Port)<<16 | uint64(k.Proto)<<8 | uint64(k.Class)
	if i, r := binary.LittleEndian.Uint64(k.Initiator[:8]), binary.LittleEndian.Uint64(k.Responder[:8]); i|r != 0 { // not IPv4
		a ^= mix(i^s[2], r^s[3])
	}
	return mix(a^c^s[4], s[5])
}

// early hashes what an answer answers: an attempt's key, and the source port or
// identifier of the question. It is never 0.
func (s *keys) early(k *Key, port uint16) uint64 {
	return mix(s.key(k)^uint64(port)<<24^s[2], s[1]) | 1
}

// socket hashes an address and port and, where there is one, a peer's address.
func (s *keys) socket(addr *[16]byte, port uint16, peer *[16]byte) uint64 {
	h := mix(binary.LittleEndian.Uint64(addr[8:])^s[1], binary.LittleEndian.Uint64(addr[:8])^s[0]) ^ uint64(port)<<32
	if peer == nil {
		return mix(h^s[3], s[4])
	}
	h ^= mix(binary.LittleEndian.Uint64(peer[8:])^s[2], binary.LittleEndian.Uint64(peer[:8])^s[3])
	return mix(h^s[5], s[4])
}

// end is an address and port for [keys.pair]: of IPv4, where 48 bits are all there is, as
// they are, else hashed.
func (s *keys) end(addr *[16]byte, port uint16) uint64 {
	low, high := binary.LittleEndian.Uint64(addr[8:]), binary.LittleEndian.Uint64(addr[:8])
	if high == 0 {
		return end4(uint32(low>>32), port)
	}
	return mix(low^s[0], high^s[1]) ^ mix(uint64(port)^s[2], s[3])
}

func end4(addr uint32, port uint16) uint64 { return uint64(addr)<<16 | uint64(port) }

// pair hashes two ends of a conversation, alike in either order.
func (s *keys) pair(a, b uint64) uint64 { return mix(min(a, b)^s[1], max(a, b)^s[5]) }
