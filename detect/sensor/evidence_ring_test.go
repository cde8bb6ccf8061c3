package sensor

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestRing holds the ring against a list of all packets, of which it has the latest.
func TestRing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := newRing(20_000, rapid.Uint64().Draw(t, "seed"))
		r.heads = r.heads[:rapid.SampledFrom([]int{1, 2, 64}).Draw(t, "buckets")] // few: they are shared
		r.data = r.data[:rapid.IntRange(200, len(r.data)).Draw(t, "bytes")]
		type pushed struct {
			pair [2][16]byte
			data []byte
		}
		var all []pushed
		for range rapid.IntRange(0, 400).Draw(t, "packets") {
			p := pushed{data: bytes.Repeat([]byte{byte(len(all))}, rapid.IntRange(0, 200).Draw(t, "size"))}
			for side := range p.pair {
				p.pair[side][15] = rapid.ByteRange(0, 5).Draw(t, "address")
			}
			for r.full(len(p.data)) {
				r.tail++
			}
			r.push(&shot{pair: p.pair, to: int32(len(p.data))}, p.data)
			all = append(all, p)
		}
		require.Equal(t, uint64(len(all)), r.head)
		require.LessOrEqual(t, r.tail, r.head)
		if len(all) > 0 {
			require.Less(t, r.tail, r.head, "it has the last in any case")
		}
		for n := r.tail; n < r.head; n++ {
			require.Equal(t, all[n].pair, r.of(n).pair)
			require.Equal(t, all[n].data, r.bytes(r.of(n)))
		}
		for a := range byte(6) {
			addr := [16]byte{15: a}
			var want, got []uint64
			for n := r.tail; n < r.head; n++ {
				if all[n].pair[0] == addr || all[n].pair[1] == addr {
					want = append([]uint64{n}, want...)
				}
			}
			r.visit(&addr, func(n uint64, _ *remembered) { got = append(got, n) })
			require.Equal(t, want, got)
		}
	})
}
