package sensor

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/flows"
)

func taken(bounds []flows.Bound) (bytes int64) {
	for _, b := range bounds {
		bytes += b.Bytes()
	}
	return bytes
}

// TestFitUsesTheBudget: neither more than it, nor so much less that it is for nothing.
func TestFitUsesTheBudget(t *testing.T) {
	var before []flows.Bound
	for _, total := range []int64{MinMemory, 10_000_000, 16 << 20, 64 << 20, 256 << 20, 1 << 30, 64 << 30} {
		var c Config
		bounds, err := c.Fit(total)
		require.NoError(t, err)
		require.Equal(t, bounds, c.Bounds())
		require.LessOrEqual(t, taken(bounds), total)
		require.GreaterOrEqual(t, taken(bounds), total*3/4, "of %d", total)
		names := map[string]bool{}
		for i, b := range bounds {
			require.False(t, names[b.Name], b.Name)
			names[b.Name] = true
			require.Positive(t, b.Count, b.Name)
			if before != nil {
				require.GreaterOrEqual(t, b.Count, before[i].Count, "%s of %d", b.Name, total)
			}
		}
		before = bounds
	}
}

func TestFitRefusesTooLittle(t *testing.T) {
	for _, total := range []int64{MinMemory - 1, 0, -1} {
		c := Config{Batch: 3}
		_, err := c.Fit(total)
		require.ErrorContains(t, err, "at least 4194304")
		require.Equal(t, Config{Batch: 3}.Table, c.Table)
	}
}
