package config

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/cmd/internal/exit"
)

func TestHeartbeat(t *testing.T) {
	for value, want := range map[string]time.Duration{"": 5 * time.Minute, "0": 0, "0s": 0, "1s": time.Second, "24h": 24 * time.Hour} {
		have, err := heartbeat(value, true)
		require.NoError(t, err, value)
		require.Equal(t, want, have, value)
	}
	for _, value := range []string{"5", "1ms", "-1s", "daily"} {
		_, err := heartbeat(value, true)
		require.Equal(t, exit.Usage, exit.CodeOf(err), value)
	}
	none, err := heartbeat("", false)
	require.NoError(t, err)
	require.Zero(t, none)
	_, err = heartbeat("5m", false)
	require.Equal(t, exit.Usage, exit.CodeOf(err), "a file is read as fast as can be")
}
