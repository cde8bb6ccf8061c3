package flows

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A pause after a flood makes everything due at once: what takes events over gets them
// bit by bit, and the same ones.
func TestRelay(t *testing.T) {
	const sent = 20_000
	run := func(relay func([]Event, int64) []Event) (all []Event, most int) {
		table := NewTable(TableConfig{Relay: relay})
		var events []Event
		for i := range sent + 1 {
			at := int64(i) * millisecond / 100
			if i == sent {
				at += 60 * second
			}
			p := flood(i, at)
			events = table.Add(&p, events[:0])
			all, most = append(all, events...), max(most, len(events))
		}
		return all, most
	}
	want, most := run(nil)
	require.Greater(t, most, 2*sent) // counted and final

	var got []Event
	var clock int64
	rest, most := run(func(events []Event, now int64) []Event {
		require.Len(t, events, relayed)
		require.GreaterOrEqual(t, now, clock)
		require.LessOrEqual(t, events[len(events)-1].At, now)
		got, clock = append(got, events...), now
		return events[:0]
	})
	require.LessOrEqual(t, most, relayed)
	require.Len(t, got, 2*sent/relayed*relayed)
	// What the last packet brought comes after what it made due.
	require.Equal(t, want[:sent], rest[:sent])
	require.Equal(t, want[sent:], append(got, rest[sent:]...))
}
