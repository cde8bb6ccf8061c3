package detect

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/detect/walk"
)

func withWalks(t *testing.T) Rules {
	rules, err := Profile("default")
	require.NoError(t, err)
	return rules
}

// hourly runs one attempt an hour through the default profile.
func hourly(t *testing.T, n int, attempt func(w *wire, i int, at float64)) *wire {
	w := newWire(t, withWalks(t))
	for i := range n {
		attempt(w, i, float64(i)*3600)
	}
	w.end()
	return w
}

// TestWalkFindsSlowScans: nine failures in a row are enough, however far apart.
func TestWalkFindsSlowScans(t *testing.T) {
	sweep := func(w *wire, i int, at float64) { w.knock(at, outside, nth("10.0.0.0", i), 445) }
	require.Empty(t, hourly(t, 8, sweep).scans)
	w := hourly(t, 9, sweep)
	opened := w.phase(Open)
	require.Len(t, opened, 1)
	require.Equal(t, "walk-over-hosts", opened[0].Rule)
	require.Equal(t, Evidence{Count: "dst", Value: 9, Threshold: 8, Window: "walk"}, opened[0].Evidence)
	require.Equal(t, 9, opened[0].Targets)
	require.Equal(t, 9, opened[0].DetectedAfter.Targets)

	w = hourly(t, 20, func(w *wire, i int, at float64) { w.refused(at, outside, server, uint16(20+i)) })
	opened = w.phase(Open)
	require.Len(t, opened, 1)
	require.Equal(t, "walk-over-ports", opened[0].Rule)
	closed := w.phase(Close)
	require.Len(t, closed, 1, "the idle time follows the pace")
	require.Equal(t, 20, closed[0].Targets)
}

func TestWalkSparesTheOrdinary(t *testing.T) {
	for name, attempt := range map[string]func(w *wire, i int, at float64){
		"every second host answers": func(w *wire, i int, at float64) {
			w.busy(at, inside, nth("198.51.0.0", 2*i), 443)
			w.knock(at+60, inside, nth("198.51.0.0", 2*i+1), 443)
		},
		"four dead hosts, asked again and again": func(w *wire, i int, at float64) {
			w.knock(at, inside, nth("198.51.0.0", i%4), 443)
		},
		"each peer has its own port": func(w *wire, i int, at float64) {
			w.knock(at, inside, nth("198.51.0.0", i), uint16(20000+37*i))
		},
		"UDP that nobody is to answer": func(w *wire, i int, at float64) {
			w.send(at, w.datagram(inside, nth("198.51.0.0", i), 514))
		},
		"connections that were not used": func(w *wire, i int, at float64) {
			c := w.dial(inside, nth("198.51.0.0", i), 443)
			w.send(at, c.syn(), c.synack(), c.ack())
		},
		"slow servers": func(w *wire, i int, at float64) {
			c := w.dial(inside, nth("198.51.0.0", i), 443)
			w.send(at, c.syn())
			w.send(at+3, c.synack(), c.ack(), c.ask(), c.reply())
		},
		"hosts that were productive before": func(w *wire, i int, at float64) {
			if i < 20 {
				w.busy(at, inside, nth("198.51.0.0", i), 443)
			} else {
				w.knock(at, inside, nth("198.51.0.0", i%20), 443)
			}
		},
	} {
		t.Run(name, func(t *testing.T) { require.Empty(t, hourly(t, 60, attempt).scans) })
	}
}

// TestWalkGoesByTheOrderOfAttempts: failures are known later than successes, but do
// not come later.
func TestWalkGoesByTheOrderOfAttempts(t *testing.T) {
	w := newWire(t, withWalks(t))
	for i := range 60 { // a mail server's queue
		if at := float64(i) / 100; i%4 == 0 {
			w.knock(at, inside, nth("198.51.0.0", i), 25)
		} else {
			w.busy(at, inside, nth("198.51.0.0", i), 25)
		}
	}
	w.end()
	require.Empty(t, w.scans)
}

// TestWalkBeginsAnew: what belongs to a closed scan does not count for the next.
func TestWalkBeginsAnew(t *testing.T) {
	w := newWire(t, withWalks(t))
	for i := range 9 {
		w.knock(float64(i)*3600, outside, nth("10.0.0.0", i), 445)
	}
	for i := range 8 {
		w.knock(40*86400+float64(i)*3600, outside, nth("10.1.0.0", i), 445)
	}
	require.Len(t, w.phase(Open), 1)
	require.Len(t, w.phase(Close), 1)
	w.knock(41*86400, outside, nth("10.1.0.0", 8), 445)
	w.end()
	require.Len(t, w.phase(Open), 2)
	require.Equal(t, 9, w.phase(Close)[1].Targets)
}

// TestWalkLosesNoPatience: failures at a port each put off the next look at how they lie,
// but not beyond a new beginning, nor where one of them turns out a success.
func TestWalkLosesNoPatience(t *testing.T) {
	far := func() *walker {
		w := &walker{}
		for i := range 12 {
			w.up(contact{value: uint64(i), port: uint16(i), failed: true, line: int64(i)})
		}
		require.False(t, w.spread())
		require.Positive(t, w.patience)
		return w
	}
	w := far()
	w.down(contact{value: 3, port: 3, line: 20})
	require.Zero(t, w.patience)
	w = far()
	for i := range 20 {
		w.down(contact{value: uint64(100 + i), port: 443, line: int64(20 + i)})
	}
	for i := range 9 {
		w.up(contact{value: uint64(200 + i), port: 445, failed: true, line: int64(50 + i)})
	}
	require.True(t, w.spread())
}

// TestWalkersAreBounded: of more sources than there is room for, those furthest up
// are kept.
func TestWalkersAreBounded(t *testing.T) {
	const walks = 1 << 10
	tab := newWalkerTable(walks)
	const kept = 1
	w := tab.make(kept)
	w.walk = walk.Resume(5)
	for i := range 3 * walks {
		w := tab.make(mixed(uint64(i), 2))
		w.walk = walk.Resume(1)
	}
	require.Equal(t, walks, tab.index.held)
	require.Equal(t, walks, tab.size)
	require.NotNil(t, tab.find(kept))
	require.EqualValues(t, 2*walks+1, tab.evicted)
}

// TestWalkExcusesTheBusy: what is excused when it counts is excused when it is final,
// though the source has tried hundreds of targets meanwhile.
func TestWalkExcusesTheBusy(t *testing.T) {
	w := newWire(t, withWalks(t))
	for i := range 12 {
		w.busy(float64(i*60), inside, nth("198.51.0.0", i), 5985)
	}
	for i := range 12 { // they are off the next day, while the source is at work
		at := 86400 + float64(i)/10
		w.knock(at, inside, nth("198.51.0.0", i), 5985)
		for j := range 10 {
			w.busy(at, inside, nth("198.51.0.0", 100+10*i+j), 443)
		}
	}
	for i := range 3 { // what failed and had no use before is what its walk is made by
		w.knock(86402+float64(i), inside, nth("198.52.0.0", i), 443)
	}
	w.idle(86500)
	for n := range w.engine.walkers.size {
		require.LessOrEqual(t, w.engine.walkers.at(n).walk.Value(), 3)
	}
	w.end()
	require.Empty(t, w.scans)
}
