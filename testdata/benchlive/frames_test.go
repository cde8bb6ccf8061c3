package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/flows"
)

// decoded is what the first so many frames of a flood hold.
func decoded(t *testing.T, next func(int) []byte, frames int) (all []flows.Packet, passed int) {
	t.Helper()
	d, settled := flows.NewDecoder(flows.DecoderConfig{}), flows.NewSettled(0)
	for i := range frames {
		frame := next(i)
		if settled.SkipFrame(frame, int64(i)) {
			passed++
			continue
		}
		had := len(all)
		all = d.Append(all, frame, flows.Meta{Time: int64(i), Len: uint32(len(frame)), Link: 1})
		require.Len(t, all, had+1, "frame %d", i)
		if settled.Skip(&all[had]) {
			passed++
			all = all[:had]
		}
	}
	require.Zero(t, d.Stats().Malformed)
	return all, passed
}

// TestConversations holds that data settles: the line looks at handshakes, and at
// the first segments of each direction.
func TestConversations(t *testing.T) {
	packets, passed := decoded(t, conversations(), 20*talkers)
	require.Greater(t, passed, 10*talkers)
	table := flows.NewTable(flows.TableConfig{})
	for i := range packets {
		table.Add(&packets[i], nil)
	}
	require.Equal(t, uint64(250*7), table.Stats().Attempts) // of each client to each server
	require.Equal(t, uint64(talkers), table.Stats().Connections)
	require.Zero(t, table.Stats().MidStream)
}

// TestForged holds that each SYN has a source of its own.
func TestForged(t *testing.T) {
	const n = 10_000
	packets, passed := decoded(t, forged(), n)
	require.Zero(t, passed)
	sources := map[[16]byte]bool{}
	table := flows.NewTable(flows.TableConfig{})
	for i := range packets {
		sources[packets[i].Src] = true
		table.Add(&packets[i], nil)
	}
	require.Len(t, sources, n)
	require.Equal(t, uint64(n), table.Stats().Attempts)
}
