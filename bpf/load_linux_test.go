package bpf

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/testdata/netns"
)

// loaded loads the program for a test, which is skipped where that is not allowed.
func loaded(t testing.TB, tune func(*tuning)) *xdpObjects {
	t.Helper()
	set, err := tuningFor(0)
	require.NoError(t, err)
	if tune != nil {
		tune(&set)
	}
	objects, err := load(set)
	if err != nil && !netns.Required() {
		t.Skip("loading an XDP program needs root on Linux: ", err)
	}
	require.NoError(t, err)
	t.Cleanup(func() { _ = objects.Close() })
	return objects
}

func TestLoad(t *testing.T) {
	objects := loaded(t, nil)
	info, err := objects.Synoptic.Info()
	require.NoError(t, err)
	if n, ok := info.VerifiedInstructions(); ok {
		t.Logf("the verifier looked at %d instructions", n)
	}
}
