package flows

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"
)

// victims are n keys of IPv6 that differ in one word alone: the low half of the
// initiator's address, which a scanner counts up. The responder's low half is chosen.
func victims(n int, chosen uint64) []Key {
	all := make([]Key, n)
	for i := range all {
		k := &all[i]
		k.Initiator[0], k.Responder[0] = 0x20, 0x20
		binary.LittleEndian.PutUint64(k.Initiator[8:], uint64(i))
		binary.LittleEndian.PutUint64(k.Responder[8:], chosen)
		k.Port, k.Proto, k.Class = 443, protoTCP, ClassTCP
	}
	return all
}

// fullest is how many of the keys share the fullest of as many buckets.
func fullest(all []Key, hash func(*Key) uint64) int {
	load := make([]int, len(all))
	most := 0
	for i := range all {
		at := hash(&all[i]) % uint64(len(load))
		load[at]++
		most = max(most, load[at])
	}
	return most
}

// crowded is more keys than chance puts into one of 4,096 buckets, whatever the seed.
const crowded = 16

// TestHashCannotBeChosenAgainst makes the attack on a hash that multiplies words after
// adding constants to them that anybody can read: the word that meets its constant wipes out
// the other.
func TestHashCannotBeChosenAgainst(t *testing.T) {
	const n, readable = 4096, 0x9e3779b97f4a7c15
	attack := victims(n, readable)
	weak := func(k *Key) uint64 {
		return mix(binary.LittleEndian.Uint64(k.Initiator[8:])^0x13198a2e03707345, binary.LittleEndian.Uint64(k.Responder[8:])^readable)
	}
	require.Equal(t, n, fullest(attack, weak), "the attack")
	for seed := range uint64(20) {
		s := newKeys(seed)
		require.Less(t, fullest(attack, s.key), crowded, "seed %d", seed)
		require.Less(t, fullest(victims(n, 0), s.key), crowded, "seed %d", seed)
		require.Less(t, fullest(victims(n, 1<<64-1), s.key), crowded, "seed %d", seed)
	}
}

// TestSeedThatIsKnown: who knows the seed can make the attack, and it is worth nothing
// against another.
func TestSeedThatIsKnown(t *testing.T) {
	const n = 4096
	known := newKeys(7)
	attack := victims(n, known[1])
	require.Equal(t, n, fullest(attack, known.key))
	for seed := range uint64(7) {
		other := newKeys(seed)
		require.Less(t, fullest(attack, other.key), crowded)
	}
}

// TestHashTellsEverywhereApart: every byte of a key, socket, peer and end counts.
func TestHashTellsEverywhereApart(t *testing.T) {
	s := newKeys(1)
	seen := map[uint64]int{}
	base := victims(1, 5)[0]
	b := [36]byte{}
	copy(b[:], base.Initiator[:])
	copy(b[16:], base.Responder[:])
	for at := range b {
		for _, bit := range []byte{1, 0x80} {
			k := base
			switch {
			case at < 16:
				k.Initiator[at] ^= bit
			case at < 32:
				k.Responder[at-16] ^= bit
			case at == 32:
				k.Port ^= uint16(bit)
			case at == 33:
				k.Port ^= uint16(bit) << 8
			case at == 34:
				k.Proto ^= bit
			default:
				k.Class ^= Class(bit)
			}
			for _, h := range []uint64{s.key(&k), s.early(&k, 9), s.socket(&k.Initiator, k.Port, &k.Responder)} {
				seen[h]++
			}
		}
	}
	// A socket and its peer have neither protocol nor class.
	require.Len(t, seen, 3*2*36-2*2+1)
	require.Len(t, map[uint64]bool{s.end(&base.Initiator, 1): true, s.end(&base.Initiator, 2): true, s.end(&base.Responder, 1): true}, 3)
}

func TestSameSeedSameKeys(t *testing.T) {
	first, again := newKeys(3), newKeys(3)
	require.Equal(t, first, again)
	seen := map[uint64]bool{}
	for seed := range uint64(100) {
		for _, k := range newKeys(seed) {
			require.EqualValues(t, 1, k&1)
			seen[k] = true
		}
	}
	require.Len(t, seen, 600)
}
