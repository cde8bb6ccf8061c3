package detect

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/flows"
)

// TestOpenScanGrowsWithoutAllocating: each attempt of an open scan goes to another target, half
// of them to another host, and is seen to be opened, to count and to be final.
func TestOpenScanGrowsWithoutAllocating(t *testing.T) {
	rules, err := Profile("default")
	require.NoError(t, err)
	var opened, targets int
	e, err := New(Config{Report: func(s Scan) {
		if s.Phase == Open {
			opened++
		}
		targets = s.Targets
	}}, rules)
	require.NoError(t, err)
	at, n := int64(1e18), uint32(0)
	var ev flows.Event
	step := func() {
		ev = flows.Event{Kind: flows.Opened, At: at}
		ev.Technique, ev.Class, ev.Proto, ev.Port = flows.TCPSYN, flows.ClassTCP, 6, uint16(n%2)
		ev.Initiator, ev.Responder = [16]byte{10: 0xff, 11: 0xff, 12: 100}, [16]byte{10: 0xff, 11: 0xff}
		binary.BigEndian.PutUint32(ev.Responder[12:], 192<<24|168<<16|n/2)
		ev.Start, ev.Line, ev.Time, ev.TimeLine = at, at, at, at
		ev.Packets, ev.Connections, ev.Seq, ev.Window = 1, 1, n*7919, 64240
		e.Observe(&ev)
		ev.Kind, ev.Counted = flows.Counted, true
		e.Observe(&ev)
		ev.Kind = flows.Final
		e.Observe(&ev)
		at += millisecond
		n++
	}
	for range 1000 {
		step()
	}
	require.Equal(t, 1, opened)
	require.Zero(t, testing.AllocsPerRun(20_000, step))
	e.Close()
	require.Equal(t, 1, opened)
	require.Equal(t, 21_001, targets)
}
