package detect

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const day = 24 * 3600.0

func TestReopen(t *testing.T) {
	for _, c := range []struct {
		name string
		then func(w *wire)
		want bool
	}{
		{"a login three days later", func(w *wire) { w.talk(3*day, outside, quarry, 110, 60, 2_000, 3_000) }, true},
		{"eight days later", func(w *wire) { w.talk(8*day, outside, quarry, 110, 60, 2_000, 3_000) }, false},
		{"a banner three days later", func(w *wire) { w.talk(3*day, outside, quarry, 110, 1, 20, 30) }, false},
		{"a login at a port that refused", func(w *wire) { w.talk(3*day, outside, quarry, 111, 60, 2_000, 3_000) }, false},
		{"a login at another host", func(w *wire) { w.talk(3*day, outside, nth(quarry, 99), 110, 60, 2_000, 3_000) }, false},
		{"another's login", func(w *wire) { w.talk(3*day, nth(outside, 99), quarry, 110, 60, 2_000, 3_000) }, false},
		{"a shell that calls back three days later", func(w *wire) { w.talk(3*day, quarry, outside, 4444, 1, 20, 30) }, true},
		{"eight days later, the same", func(w *wire) { w.talk(8*day, quarry, outside, 4444, 1, 20, 30) }, false},
		{"a call by another host of ours", func(w *wire) { w.talk(3*day, nth(quarry, 99), outside, 4444, 1, 20, 30) }, false},
		{"ident", func(w *wire) { w.talk(3*day, quarry, outside, 113, 1, 20, 30) }, false},
	} {
		w := scanned(t)
		w.idle(2000)
		require.Len(t, w.phase(Close), 1)
		c.then(w)
		w.end()
		first := w.phase(Close)[0]
		if !c.want {
			require.Empty(t, w.phase(Reopen), c.name)
			require.Len(t, w.phase(Close), 1, c.name)
			continue
		}
		require.Len(t, w.phase(Reopen), 1, c.name)
		again := w.phase(Reopen)[0]
		require.Equal(t, Engaged, again.Verdict, c.name)
		require.Equal(t, 4, again.Severity, c.name)
		require.Greater(t, again.Risk, first.Risk, c.name)
		require.Len(t, again.Engaged, 1, c.name)
		again.Phase, again.Time, again.Added = first.Phase, first.Time, first.Added
		again.Verdict, again.Severity, again.Risk, again.Engaged, again.Attack = first.Verdict, first.Severity, first.Risk, first.Engaged, first.Attack
		require.Equal(t, first, again, "%s: all else is as it was", c.name)
		require.Len(t, w.phase(Close), 2, c.name)
		require.Equal(t, Engaged, w.phase(Close)[1].Verdict, c.name)
	}
}

// TestReopenedClosesWhenIdle: a quarter of an hour after the latest conversation, and
// is watched for seven days from then.
func TestReopenedClosesWhenIdle(t *testing.T) {
	w := scanned(t)
	login := func(when float64) { w.talk(when, outside, quarry, 110, 60, 2_000, 3_000) }
	login(6 * day)
	login(6*day + 600)
	w.idle(6*day + 610 + 899)
	require.Len(t, w.phase(Close), 1)
	w.idle(6*day + 660 + 901)
	require.Len(t, w.phase(Close), 2)
	require.Equal(t, Time(at(6*day+660+900)), w.phase(Close)[1].Time)
	login(12 * day)
	w.end()
	require.Len(t, w.phase(Reopen), 2)
	require.Len(t, w.phase(Close), 3)
	got := w.phase(Close)[2]
	require.Len(t, got.Engaged, 1)
	require.EqualValues(t, 6_000, got.Engaged[0].Sent)
	require.Equal(t, Time(at(6*day)), got.Engaged[0].Time)
	require.EqualValues(t, 2, w.engine.Stats().Reopened)
	require.EqualValues(t, 1, w.engine.Stats().Opened)
}

// TestSessionThatOutlivesTheScan: its end is no new conversation.
func TestSessionThatOutlivesTheScan(t *testing.T) {
	w := scanned(t)
	w.talk(40, outside, quarry, 110, 7200, 50_000, 60_000)
	w.end()
	require.Empty(t, w.phase(Reopen))
	require.Len(t, w.phase(Close), 1)
	require.Equal(t, Engaged, w.phase(Close)[0].Verdict)
}

// TestReopenedScanIsNoOther: what the source probes meanwhile is a scan of its own, and
// each of its scans that found something is watched.
func TestReopenedScanIsNoOther(t *testing.T) {
	w := scanned(t)
	other := nth(quarry, 77)
	w.talk(day, outside, quarry, 110, 60, 2_000, 3_000)
	for i := range 20 {
		w.refused(day+100+float64(i), outside, other, uint16(500+i))
	}
	w.talk(2*day, outside, quarry, 110, 60, 2_000, 3_000)
	w.end()
	closed := w.phase(Close)
	require.Len(t, closed, 4)
	ids := map[string]int{}
	for _, s := range closed {
		ids[fmt.Sprint(s.ID, " ", s.Targets)]++
	}
	require.Len(t, ids, 2)
	require.Len(t, w.phase(Reopen), 2)
	for _, s := range w.phase(Reopen) {
		require.Equal(t, netip.MustParseAddr(quarry), *s.Dst)
	}
}

func TestWatchIsBounded(t *testing.T) {
	for _, c := range []struct {
		name    string
		watches int
		life    time.Duration
		want    int // reopened
	}{{"room for all", 0, 0, 5}, {"room for two", 2, 0, 2}, {"one day", 0, 24 * time.Hour, 0}, {"not at all", 0, -1, 0}} {
		w := &wire{port: 40000, seq: 7}
		w.table = newWire(t, profile(t, "default")).table
		var err error
		w.engine, err = New(Config{Watch: c.life, Watches: c.watches, Report: func(s Scan) { w.scans = append(w.scans, s) }}, profile(t, "default"))
		require.NoError(t, err)
		for i := range 5 {
			for p := range 20 {
				d := w.dial(nth(outside, i), quarry, uint16(100+p))
				w.send(float64(100*i+p), d.syn(), d.synack(), d.abort())
			}
		}
		w.idle(2000)
		require.Len(t, w.phase(Close), 5)
		for i := range 5 {
			w.talk(2*day+float64(100*i), nth(outside, i), quarry, 105, 60, 2_000, 3_000)
		}
		w.end()
		require.Len(t, w.phase(Reopen), c.want, c.name)
		if c.watches > 0 {
			require.EqualValues(t, 3, w.engine.Stats().WatchesEvicted, c.name)
		}
	}
}

// TestHostFilter: it has all that it was given, and hardly another.
func TestHostFilter(t *testing.T) {
	for _, n := range []int{1, 3, 250, 4_000} {
		f := newHostFilter(n)
		for i := range n {
			a := address(nth("10.1.0.0", i))
			f.add(new(hashKeys).addr(&a, 0))
		}
		wrong := 0
		for i := range n {
			a := address(nth("10.1.0.0", i))
			require.True(t, f.has(new(hashKeys).addr(&a, 0)))
			b := address(nth("10.2.0.0", i))
			if f.has(new(hashKeys).addr(&b, 0)) {
				wrong++
			}
		}
		require.LessOrEqual(t, 50*wrong, n)
	}
	a := address(quarry)
	require.False(t, newHostFilter(0).has(new(hashKeys).addr(&a, 0)))
	require.LessOrEqual(t, 8*len(newHostFilter(1<<20)), 8<<10)
}
