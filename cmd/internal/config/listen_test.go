package config

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/cmd/internal/exit"
)

func TestListen(t *testing.T) {
	for value, want := range map[string]string{
		"": "", "9311": "127.0.0.1:9311", ":9311": "127.0.0.1:9311", "0": "127.0.0.1:0", "0.0.0.0:9311": "0.0.0.0:9311",
		"[::1]:9311": "[::1]:9311", "localhost:9311": "localhost:9311", "[::]:9311": "[::]:9311",
	} {
		have, err := listen(Settings{Listen: value})
		require.NoError(t, err, value)
		require.Equal(t, want, have)
	}
	for _, value := range []string{"http", "65536", "-1", "192.0.2.1", "192.0.2.1:", "::1", "1:2:3", ":http", "/run/sock"} {
		_, err := listen(Settings{Listen: value})
		require.Equal(t, exit.Usage, exit.CodeOf(err), value)
	}
	_, err := listen(Settings{Profiling: true})
	require.Equal(t, exit.Usage, exit.CodeOf(err))
}
