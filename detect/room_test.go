package detect

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/flows"
)

// TestOpenScansAreBounded: of more scans than may be open the small ones close that have been quiet,
// and say that they are not complete. What their sources go on with opens none for a while.
func TestOpenScansAreBounded(t *testing.T) {
	const bound, scanners = 20, 200
	opened, closed := map[string]int{}, map[string][]Scan{}
	e, err := New(Config{OpenTargets: bound * leastTargets, Report: func(s Scan) {
		switch s.Phase {
		case Open:
			opened[s.Src.String()]++
		case Close:
			closed[s.Src.String()] = append(closed[s.Src.String()], s)
		}
	}}, profile(t, "default"))
	require.NoError(t, err)
	at := int64(1e18)
	scan := func(from uint32, first, targets int) {
		for i := range targets {
			at += second / 1000
			tries(e, at, scannerFrom+from, ours+uint32(first+i), 22, flows.Refused)
			require.LessOrEqual(t, len(e.open), bound)
		}
	}
	scan(0, 0, largeScan)
	for n := range uint32(scanners) {
		scan(1+n, 0, 12)
	}
	require.Len(t, e.open, bound)
	require.Len(t, opened, 1+scanners)
	require.Len(t, closed, 1+scanners-bound)
	require.NotContains(t, closed, "100.0.0.0", "the large one")
	require.EqualValues(t, 1+scanners-bound, e.Stats().Cut)
	for _, s := range closed {
		require.Len(t, s, 1)
		require.True(t, s[0].Estimated)
		require.Equal(t, 12, s[0].Targets)
	}
	require.Contains(t, closed, "100.0.0.1")
	scan(1, 100, 200)
	require.Equal(t, 1, opened["100.0.0.1"])
	at += idleMin
	scan(1, 300, 200)
	require.Equal(t, 2, opened["100.0.0.1"])
	e.Close()
	require.Len(t, closed, 1+scanners)
	require.Equal(t, e.room.all, e.room.left)
}
