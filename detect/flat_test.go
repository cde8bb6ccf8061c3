package detect

import (
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestFlatAgainstMap: keys whose hashes collide, past several chunks, come back in the order in
// which they came, with what was last written.
func TestFlatAgainstMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var f flat[uint32, uint64]
		want, order := map[uint32]uint64{}, []uint32{}
		hash := func(k uint32) uint64 { return uint64(k%97) << 40 }
		keys := rapid.Uint32Range(0, uint32(rapid.SampledFrom([]int{3, 40, 2000}).Draw(t, "keys")))
		for i, k := range rapid.SliceOfN(keys, 0, 1500).Draw(t, "script") {
			if _, ok := want[k]; !ok {
				order = append(order, k)
				require.Nil(t, f.find(&k, hash(k)))
			}
			want[k] = uint64(i)
			*f.get(&k, hash(k)) = uint64(i)
		}
		require.Equal(t, len(order), f.size())
		got := []uint32(nil)
		for k, v := range f.all() {
			got = append(got, *k)
			require.Equal(t, want[*k], *v)
			require.Same(t, v, f.find(k, hash(*k)))
		}
		require.Equal(t, order, append([]uint32{}, got...))
	})
}

func TestPortSetAgainstMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s portSet
		want := map[uint16]struct{}{}
		for _, p := range rapid.SliceOf(rapid.Uint16()).Draw(t, "ports") {
			s.put(p)
			want[p] = struct{}{}
		}
		require.Equal(t, len(want), s.size)
		require.Equal(t, slices.Sorted(maps.Keys(want)), slices.Collect(s.all()))
		for p := range uint16(1 << 12) {
			_, ok := want[p*16]
			require.Equal(t, ok, s.has(p*16))
		}
	})
}
