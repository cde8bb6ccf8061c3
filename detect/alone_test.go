package detect

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestOnlyAttemptWaits: of sources with one attempt each nothing is counted, and
// nothing is missing when a second comes.
func TestOnlyAttemptWaits(t *testing.T) {
	w := newWire(t, onlyRule(t, "{name: a, count: dst_port, by: [src, dst], over: 2, within: 5m}"))
	for i := range 100 {
		w.knock(float64(i)/100, nth("192.0.0.0", i), server, 80)
	}
	w.idle(20)
	require.Zero(t, w.engine.Stats().Groups)
	for i := range 3 {
		w.knock(21+float64(i), outside, server, uint16(80+i))
		w.idle(22 + float64(i))
		require.Equal(t, min(i, 1), w.engine.Stats().Groups)
	}
	s := w.closed(t)
	require.Equal(t, 3, s.Targets)
	require.Equal(t, 3, s.Evidence.Value)
}

// TestWaitingAttemptThatSucceeds: what became a conversation while it waited does not
// count.
func TestWaitingAttemptThatSucceeds(t *testing.T) {
	w := newWire(t, onlyRule(t, "{name: a, count: dst_port, by: [src, dst], over: 2, within: 5m}"))
	slow := w.dial(outside, server, 22)
	w.send(0, slow.syn())
	w.send(2, slow.synack(), slow.ack(), slow.ask(), slow.reply())
	w.knock(5, outside, server, 80)
	w.knock(6, outside, server, 81)
	w.end()
	require.Empty(t, w.scans)
}
