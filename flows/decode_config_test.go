package flows

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTunnelsHaveNames(t *testing.T) {
	for want, name := range map[Tunnels]string{TunnelsInner: "inner", TunnelsOuter: "outer", TunnelsBoth: "both"} {
		got, err := ParseTunnels(name)
		require.NoError(t, err)
		require.Equal(t, want, got)
		require.Equal(t, name, want.String())
	}
	for _, name := range []string{"", "Inner", "none", "Tunnels(3)"} {
		_, err := ParseTunnels(name)
		require.ErrorContains(t, err, "inner, outer or both")
	}
	require.Equal(t, "Tunnels(3)", Tunnels(3).String())

	seen := map[string]bool{}
	for i := range NumTunnels {
		seen[Tunnel(i).String()] = true
	}
	require.Len(t, seen, NumTunnels)
	require.NotContains(t, seen, "")
	require.Equal(t, "Tunnel(200)", Tunnel(200).String())
}
