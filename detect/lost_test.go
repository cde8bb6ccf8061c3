package detect

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/flows"
)

// TestLostAttemptsAccuseNobody: attempts that the table had to drop before anything was
// known of them open no scan, however many; but they belong to an open one that they fit.
func TestLostAttemptsAccuseNobody(t *testing.T) {
	rules, err := Profile("default")
	require.NoError(t, err)
	var scans []Scan
	e, err := New(Config{Report: func(s Scan) { scans = append(scans, s) }}, rules)
	require.NoError(t, err)
	at := int64(1e18)
	lose := func(n int, from byte, port uint16) {
		for i := range n {
			at += second / 10
			ev := flows.Event{Kind: flows.Final, At: at}
			ev.Technique, ev.Class, ev.Proto, ev.Port = flows.TCPSYN, flows.ClassTCP, 6, port
			ev.Initiator = [16]byte{10: 0xff, 11: 0xff, 12: 100, 15: from}
			ev.Responder = [16]byte{10: 0xff, 11: 0xff, 12: 192, 13: 168, 14: 77, 15: byte(i)}
			ev.Start, ev.Line, ev.Time, ev.TimeLine = at, at, at, at
			ev.Packets, ev.Connections, ev.Cut = 1, 1, true
			e.Observe(&ev)
		}
	}
	lose(100, 9, 443)
	require.Empty(t, scans)
	require.Zero(t, e.Stats().Sources, "no record is made for them")

	fail(e, 1, 20)
	at = e.now
	lose(100, 0, 443)
	lose(50, 0, 22)
	e.Close()
	last := scans[len(scans)-1]
	require.Equal(t, Close, last.Phase)
	require.Equal(t, 120, last.Targets, "and none of another port")
	require.Equal(t, 100, last.Cut)
	require.Equal(t, Outcomes{Silent: 120}, last.Outcomes)
}
