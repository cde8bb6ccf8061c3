package detect

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/synoptic-ids/synoptic/flows"
)

// TestNetworks: they hold what their prefixes do, IPv4 and IPv6 kept apart.
func TestNetworks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var prefixes []netip.Prefix
		near := func() (a [16]byte) { // few bits differ, so that many lie within
			a = address("fd00::1")
			if rapid.Bool().Draw(t, "four") {
				a = address("10.0.0.1")
			}
			for range rapid.IntRange(0, 3).Draw(t, "bits") {
				bit := rapid.IntRange(0, 127).Draw(t, "bit")
				a[bit/8] ^= 1 << (bit % 8)
			}
			return a
		}
		for range rapid.IntRange(0, 4).Draw(t, "prefixes") {
			a := flows.Addr(near())
			prefixes = append(prefixes, netip.PrefixFrom(a, rapid.IntRange(0, a.BitLen()).Draw(t, "length")))
		}
		a, want := near(), false
		for _, p := range prefixes {
			want = want || p.Contains(flows.Addr(a))
		}
		require.Equal(t, want, newNetworks(prefixes).has(&a), "%v in %v", flows.Addr(a), prefixes)
	})
}
