package detect

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
)

// involved is what the engine says of a pair of addresses.
func (w *wire) involved(source, host string) []string {
	return w.engine.Involved(nil, netip.MustParseAddr(source).As16(), netip.MustParseAddr(host).As16())
}

// TestInvolved: of a scan that is open, or was reopened, and of no other, its targets are.
func TestInvolved(t *testing.T) {
	w := newWire(t, profile(t, "default"))
	require.Empty(t, w.involved(outside, quarry), "before there is anything")
	w.scan(0)
	id := w.phase(Open)[0].ID
	w.talk(20, outside, nth(quarry, 9), 443, 5, 10, 10)
	require.Equal(t, []string{id}, w.involved(outside, quarry))
	require.Empty(t, w.involved(quarry, outside), "it is no scan of the target's")
	require.Empty(t, w.involved(outside, nth(quarry, 9)), "what it talks to besides")
	require.Empty(t, w.involved(nth(outside, 9), quarry), "who else talks to the target")
	dst := make([]string, 0, 4)
	require.Zero(t, testing.AllocsPerRun(10, func() {
		dst = w.engine.Involved(dst[:0], netip.MustParseAddr(outside).As16(), netip.MustParseAddr(quarry).As16())
	}))

	w.idle(4000)
	require.Len(t, w.phase(Close), 1)
	require.Empty(t, w.involved(outside, quarry), "it is closed")
	awaits := func(source, host string) bool {
		return w.engine.Awaits(netip.MustParseAddr(source).As16(), netip.MustParseAddr(host).As16())
	}
	require.True(t, awaits(outside, quarry))
	require.False(t, awaits(outside, nth(quarry, 9)))
	require.False(t, awaits(quarry, outside))
	w.talk(day, outside, quarry, 110, 60, 2_000, 3_000)
	require.Len(t, w.phase(Reopen), 1)
	require.Equal(t, []string{id}, w.involved(outside, quarry))
	require.Empty(t, w.involved(outside, nth(quarry, 9)))
	w.idle(day + 4000)
	require.Empty(t, w.involved(outside, quarry))
}

// TestInvolvedInACrowd: each of the sources is, and none of its scan that the crowd absorbed.
func TestInvolvedInACrowd(t *testing.T) {
	w := newWire(t, profile(t, "default"))
	d := newDecoys("203.0.113.0", 5, 2)
	for port := range uint16(30) {
		d.send(w, float64(port), quarry, 100+port)
	}
	var crowd []Scan
	for _, s := range w.phase(Open) {
		if s.Sources == 5 {
			crowd = append(crowd, s)
		}
	}
	require.Len(t, crowd, 1)
	require.Len(t, crowd[0].Srcs, 5)
	for _, src := range crowd[0].Srcs {
		require.Equal(t, []string{crowd[0].ID}, w.involved(src.String(), quarry), src)
		require.Empty(t, w.involved(src.String(), nth(quarry, 9)), src)
	}
}
