package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestProfile: a profile is written of all inputs, and not without one of them.
func TestProfile(t *testing.T) {
	capture, err := os.ReadFile(sample)
	require.NoError(t, err)
	b := bench{dir: t.TempDir(), rounds: 1}
	out := filepath.Join(t.TempDir(), "default.pgo")
	for _, name := range inputs {
		require.ErrorContains(t, b.profile(out), name)
		require.NoError(t, os.WriteFile(b.path(name), capture, 0o600))
	}
	require.NoError(t, b.profile(out))
	written, err := os.ReadFile(out)
	require.NoError(t, err)
	require.Equal(t, "\x1f\x8b", string(written[:2]), "the go tool reads what is compressed by gzip")
}
