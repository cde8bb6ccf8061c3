package detect

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/flows"
)

// TestSweepCannotHideInTheHash: hosts with one number in many networks are as many
// targets, whatever the number. One that meets a constant of a product made them one.
func TestSweepCannotHideInTheHash(t *testing.T) {
	rules, err := Profile("default")
	require.NoError(t, err)
	for _, number := range []uint64{0x9e3779b97f4a7c15, 0x243f6a8885a308d3, 0, 1<<64 - 1} {
		var closed []Scan
		e, err := New(Config{Report: func(s Scan) {
			if s.Phase == Close {
				closed = append(closed, s)
			}
		}}, rules)
		require.NoError(t, err)
		for i := range 40 {
			ev := flows.Event{Kind: flows.Counted, At: int64(1e18) + int64(i)*second}
			ev.Technique, ev.Class, ev.Proto, ev.Port = flows.TCPSYN, flows.ClassTCP, 6, 22
			ev.Initiator, ev.Responder = [16]byte{0x20, 1, 15: 9}, [16]byte{0x20, 1, 7: byte(i)}
			binary.LittleEndian.PutUint64(ev.Responder[8:], number)
			ev.Start, ev.Line, ev.Time, ev.TimeLine = ev.At, ev.At, ev.At, ev.At
			ev.Packets, ev.Connections, ev.Counted, ev.Options = 1, 1, true, 5
			e.Observe(&ev)
		}
		e.Close()
		require.Len(t, closed, 1, "%x", number)
		require.Equal(t, 40, closed[0].Targets)
		require.Equal(t, "hosts-on-a-port", closed[0].Rule)
	}
}

// TestHashAddrTellsHalvesApart: neither half, nor the word, can be made to wipe out
// another.
func TestHashAddrTellsHalvesApart(t *testing.T) {
	seen := map[uint64]bool{}
	const n = 2000
	for _, fixed := range []uint64{0, 1<<64 - 1, 0x9e3779b97f4a7c15, 0x243f6a8885a308d3, 0x13198a2e03707345} {
		clear(seen)
		for i := range uint64(n) {
			var low, high [16]byte
			binary.LittleEndian.PutUint64(low[:], fixed)
			binary.LittleEndian.PutUint64(low[8:], i+1)
			binary.LittleEndian.PutUint64(high[:], i+n+1)
			binary.LittleEndian.PutUint64(high[8:], fixed)
			seen[new(hashKeys).addr(&low, 0)], seen[new(hashKeys).addr(&high, 0)], seen[new(hashKeys).addr(&low, fixed)] = true, true, true
		}
		want := 3 * n
		if fixed == 0 {
			want = 2 * n // the word is the same
		}
		held := len(seen) // for Len would print them
		require.Equal(t, want, held)
	}
}

// TestSeedChoosesWhatFallsTogether: addresses that share their bits under one seed do not under
// another, in any half.
func TestSeedChoosesWhatFallsTogether(t *testing.T) {
	one, other := newHashKeys(0), newHashKeys(1)
	require.Equal(t, hashKeys{}, one)
	require.NotEqual(t, newHashKeys(1), newHashKeys(2))
	for half := range 2 {
		together, still := 0, 0
		for i := range uint64(1 << 16) {
			var a [16]byte
			binary.LittleEndian.PutUint64(a[8*half:], i)
			if one.addr(&a, 0)%64 == 7 {
				together++
				if other.addr(&a, 0)%64 == 7 {
					still++
				}
			}
		}
		require.Greater(t, together, 900)
		require.Less(t, still, together/16)
	}
}
