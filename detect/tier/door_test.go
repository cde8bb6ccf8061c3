package tier

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func newDoor(capacity int) *door {
	return &door{now: newFilter(capacity), before: newFilter(capacity)}
}

// hash is the n-th of many.
func hash(n int) uint64 { return mix(uint64(n)+0x243f6a8885a308d3, 0x9e3779b97f4a7c15) }

// TestSecondHour: who comes back in a later hour is let in, however often it came
// in its first.
func TestSecondHour(t *testing.T) {
	d := newDoor(1 << 10)
	for range 100 {
		require.False(t, d.admits(hash(1)))
	}
	require.Equal(t, 1, d.now.keys)
	for hour := range int64(doorMemory) {
		d.turn(hour, hour+1)
		require.False(t, d.admits(hash(100+int(hour))))
		require.True(t, d.admits(hash(1)), "after %d hours", hour+1)
	}
	d.turn(doorMemory, doorMemory+1)
	require.False(t, d.admits(hash(1)), "a week is over")
	require.True(t, d.admits(hash(100+doorMemory-1)), "the last hour is not")
}

// TestLongPause: nobody is remembered from before a pause of more than a week.
func TestLongPause(t *testing.T) {
	for gap, want := range map[int64]bool{1: true, doorMemory: true, doorMemory + 1: false} {
		d := newDoor(1 << 10)
		d.admits(hash(1))
		d.turn(0, gap)
		require.Equal(t, want, d.admits(hash(1)), "%d hours", gap)
		if !want {
			d.turn(gap, gap+1)
			require.True(t, d.admits(hash(1)), "noted again")
		}
	}
}

// TestDoorUnderFlood: with more sources in two hours than a filter is made for,
// the hour before is what is remembered. With more in one, those that are too many
// are not noted, and the filter does not take strangers for acquaintances.
func TestDoorUnderFlood(t *testing.T) {
	const capacity = 1 << 12
	d := newDoor(capacity)
	d.admits(hash(-1))
	for n := range capacity - 1 {
		d.admits(hash(n))
	}
	d.turn(0, 1)
	require.True(t, d.admits(hash(-1)))
	wrong := 0
	for n := range 4 * capacity {
		if d.admits(hash(capacity + n)) {
			wrong++
		}
	}
	t.Logf("%d of %d strangers let in by a full filter: %.2f %%", wrong, 4*capacity, 100*float64(wrong)/(4*capacity))
	require.Less(t, wrong, 4*capacity/200)
	require.Equal(t, capacity, d.now.keys)
	require.InDelta(t, 3*capacity, d.full, capacity/10)
	d.turn(1, 2)
	require.False(t, d.admits(hash(-1)), "two hours are too long ago now")
	require.True(t, d.admits(hash(capacity)))
	require.False(t, d.admits(hash(5*capacity-1)), "it was not noted")
}
