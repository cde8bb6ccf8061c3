package app

import (
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/cmd/internal/config"
)

// TestRoomBesideTheBudget: what is held beside it moves the limit by which garbage is collected, unless the
// environment says that.
func TestRoomBesideTheBudget(t *testing.T) {
	before := debug.SetMemoryLimit(-1)
	a := &App{plan: config.Plan{Memory: 64 << 20}}
	undo := a.collect()
	require.Equal(t, int64(64<<20+garbage), debug.SetMemoryLimit(-1))
	for _, bytes := range []int{5 << 20, 5 << 20, 7 << 20} {
		a.makeRoom(bytes)
		require.Equal(t, int64(64<<20+garbage+bytes), debug.SetMemoryLimit(-1))
	}
	undo()
	require.Equal(t, before, debug.SetMemoryLimit(-1))

	t.Setenv("GOMEMLIMIT", "100MiB")
	a = &App{plan: config.Plan{Memory: 64 << 20}}
	undo = a.collect()
	a.makeRoom(5 << 20)
	require.Equal(t, before, debug.SetMemoryLimit(-1))
	undo()
}
