package detect

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/synoptic-ids/synoptic/flows"
)

// held is how many attempts there is room for.
func held(h *history) (n int) {
	for _, c := range h.chunks {
		n += len(c)
	}
	return n
}

// TestHistoryOfManyChunks goes twice round a ring that is no multiple of its
// chunks.
func TestHistoryOfManyChunks(t *testing.T) {
	const bound = 2*historyChunk + 10
	h, s := history{max: bound}, &source{}
	for n := range 2 * bound {
		ev := counted(float64(n), outside, server, uint16(n))
		pr := new(hashKeys).probe(&ev, s)
		h.add(s, &pr.attempted)
	}
	n := 2 * bound
	for a := h.at(s.newest); a != nil; a = h.at(a.prev) {
		n--
		require.Equal(t, uint16(n), a.port)
	}
	require.Equal(t, bound, n)
}

// TestHistoryChains follows the attempts of several sources through a small
// ring, and compares with lists.
func TestHistoryChains(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := history{max: uint64(rapid.IntRange(1, 20).Draw(t, "max"))}
		sources := []*source{{}, {}, {}}
		var all []int // source of each attempt
		for n, who := range rapid.SliceOfN(rapid.IntRange(0, 2), 1, 80).Draw(t, "who") {
			ev := counted(float64(n), outside, server, uint16(n))
			pr := new(hashKeys).probe(&ev, sources[who])
			h.add(sources[who], &pr.attempted)
			all = append(all, who)
			require.LessOrEqual(t, held(&h), int(h.max)+historyChunk)
			for i, s := range sources {
				var want, got []uint16
				for k := len(all) - 1; k >= max(0, len(all)-int(h.max)); k-- {
					if all[k] == i {
						want = append(want, uint16(k))
					}
				}
				for a := h.at(s.newest); a != nil; a = h.at(a.prev) {
					got = append(got, a.port)
				}
				require.Equal(t, want, got)
			}
		}
	})
}

// TestHistoryKeepsAttemptsUpToDate: what becomes of an attempt is noted in its
// place, as long as it is not too far back.
func TestHistoryKeepsAttemptsUpToDate(t *testing.T) {
	h, s := history{max: 1000}, &source{}
	at := func(n int, port uint16) attempted {
		ev := counted(float64(n), outside, server, port)
		return new(hashKeys).probe(&ev, s).attempted
	}
	first := at(1, 80)
	require.Nil(t, h.same(s, &first), "of a source without any")
	require.Nil(t, h.at(0))
	require.Nil(t, h.at(1))
	require.False(t, h.renew(s, &first))
	require.Zero(t, h.last)
	h.add(s, &first)
	other := at(2, 81)
	h.add(s, &other)
	changed := first
	changed.outcome, changed.code, changed.counted = flows.Unreachable, 13, false
	require.True(t, h.renew(s, &changed))
	require.EqualValues(t, 2, h.last)
	require.EqualValues(t, 13, h.same(s, &first).code)
	require.False(t, h.same(s, &first).counted)
	for _, change := range []func(*attempted){
		func(a *attempted) { a.port = 82 }, func(a *attempted) { a.class = flows.ClassSCTP },
		func(a *attempted) { a.proto = 17 }, func(a *attempted) { a.responder = address(inside) },
		func(a *attempted) { a.start++ }, func(a *attempted) { a.technique = flows.TCPFIN },
	} {
		a := first
		change(&a)
		require.Nil(t, h.same(s, &a))
	}
	for n := range near - 2 {
		a := at(3+n, uint16(1000+n))
		h.add(s, &a)
	}
	require.NotNil(t, h.same(s, &first))
	last := at(100, 999)
	h.add(s, &last)
	require.Nil(t, h.same(s, &first), "no further back than near")
}

// TestBoundsHold floods an engine with small bounds, and scanners in between.
func TestBoundsHold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cfg := Config{
			Sources: rapid.IntRange(1, 8).Draw(t, "sources"), Groups: rapid.IntRange(1, 8).Draw(t, "groups"),
			History: rapid.IntRange(1, 30).Draw(t, "history"), Targets: rapid.IntRange(1, 20).Draw(t, "targets"),
		}
		open := map[string]bool{}
		cfg.Report = func(s Scan) {
			require.LessOrEqual(t, s.Targets, cfg.Targets)
			require.Equal(t, s.Phase != Open, open[s.ID], "phases in order")
			open[s.ID] = s.Phase != Close
		}
		e, err := New(cfg, profile(t, "default"))
		require.NoError(t, err)
		for n, who := range rapid.SliceOfN(rapid.IntRange(0, 40), 1, 300).Draw(t, "who") {
			if who >= 20 {
				who = 0
			}
			ev := counted(float64(n)/10, nth(outside, who), server, uint16(n))
			e.Observe(&ev)
			s := e.Stats()
			require.LessOrEqual(t, s.Sources, cfg.Sources)
			require.LessOrEqual(t, s.Groups, cfg.Groups)
			require.LessOrEqual(t, held(&e.past), cfg.History+historyChunk)
			require.LessOrEqual(t, len(e.open), int(s.Opened-s.Closed))
		}
		e.Close()
		s := e.Stats()
		require.Equal(t, s.Opened, s.Closed)
		for id, still := range open {
			require.False(t, still, id)
		}
	})
}

// TestEvictionsAreCounted, and spare sources with an open scan.
func TestEvictionsAreCounted(t *testing.T) {
	var scans []Scan
	e, err := New(Config{Sources: 4, Report: func(s Scan) { scans = append(scans, s) }}, profile(t, "default"))
	require.NoError(t, err)
	for i := range 10 {
		ev := counted(float64(i), outside, server, uint16(i))
		e.Observe(&ev)
	}
	require.Len(t, scans, 1)
	for i := range 400 {
		ev := counted(10+float64(i)/4, nth("192.0.0.0", i/4), server, uint16(80+i%4))
		e.Observe(&ev)
	}
	ev := counted(120, outside, server, 500)
	e.Observe(&ev)
	e.Close()
	require.Len(t, scans, 2, "one scan, opened and closed")
	require.Equal(t, 11, scans[1].Targets)
	require.Equal(t, 4, e.Stats().Sources)
	require.EqualValues(t, 97, e.Stats().SourcesEvicted, "all that tried several targets got a record")
	require.EqualValues(t, 97, e.Stats().Gate.Admitted)
}

// TestBoundsNameNobodyElse: where every attempt fails, a smaller memory may
// miss a source and never names another.
func TestBoundsNameNobodyElse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		small := Config{Sources: rapid.IntRange(1, 6).Draw(t, "sources"), History: rapid.IntRange(1, 40).Draw(t, "history")}
		script := rapid.SliceOfN(rapid.IntRange(0, 11), 1, 200).Draw(t, "script")
		named := func(cfg Config) map[string]bool {
			sources := map[string]bool{}
			cfg.Report = func(s Scan) { sources[s.Src.String()] = true }
			e, err := New(cfg, profile(t, "default"))
			require.NoError(t, err)
			for n, who := range script {
				who = max(0, who-4) // some try more than others
				ev := counted(float64(n), nth(outside, who), nth(server, who), uint16(100+n/2))
				e.Observe(&ev)
			}
			e.Close()
			return sources
		}
		require.Subset(t, named(Config{}), named(small))
	})
}

// TestBackfill: a scan begins with the attempts before its rule fired, on other
// hosts and by other techniques too, back to the gap that would have ended it.
func TestBackfill(t *testing.T) {
	w := newWire(t, profile(t, "default"))
	w.knock(-2000, outside, server, 9) // longer ago than a scan may be silent
	w.knock(-1000, outside, nth(server, 1), 7)
	w.send(-500, w.datagram(outside, nth(server, 2), 53))
	w.knock(-100, inside, server, 7) // another source
	for i := range 10 {
		w.knock(float64(i), outside, server, uint16(100+i))
	}
	w.idle(10)
	require.Len(t, w.scans, 1)
	s := w.scans[0]
	require.Equal(t, 12, s.Targets)
	require.Equal(t, 3, s.Hosts)
	require.Equal(t, Time(at(-1000)), s.First)
	require.Equal(t, Detected{Targets: 12, Seconds: 1009.5}, s.DetectedAfter)
	require.Equal(t, "7,53,100-109", s.PortRanges)
}

// TestEstimated: at the bound on targets the counts stand still and say so.
func TestEstimated(t *testing.T) {
	w := newWire(t, profile(t, "default"))
	w.engine.cfg.Targets = 15
	for i := range 40 {
		w.refused(float64(i), outside, server, uint16(100+i))
	}
	s := w.closed(t)
	require.True(t, s.Estimated)
	require.Equal(t, 15, s.Targets)
	require.Equal(t, Time(at(39)), s.Last)
}

// TestScansThatTheHistoryCutsShortSaySo: a scan that may go further back than what is remembered
// has counts that are lower bounds.
func TestScansThatTheHistoryCutsShortSaySo(t *testing.T) {
	for bound, short := range map[int]bool{40: true, 4096: false} {
		var opened []Scan
		e, err := New(Config{History: bound, Report: func(s Scan) {
			if s.Phase == Open {
				opened = append(opened, s)
			}
		}}, onlyRule(t, "{name: ports, count: dst_port, by: [src, dst, proto], over: 9, within: 5m}"))
		require.NoError(t, err)
		times := []float64{0, 400, 800}
		for i := range 10 {
			times = append(times, 1200+float64(i))
		}
		for i, at := range times {
			ev := counted(at, outside, server, uint16(100+i))
			e.Observe(&ev)
			for k := range 20 {
				if at < 1200 {
					other := counted(at+1, nth("192.0.2.0", 20*i+k), server, 80)
					e.Observe(&other)
				}
			}
		}
		require.Len(t, opened, 1)
		require.Equal(t, 10, opened[0].Evidence.Value)
		require.Equal(t, short, opened[0].Estimated)
		require.Equal(t, short, opened[0].Targets < 13)
		require.Equal(t, short, slices.Contains(opened[0].Reasons, "counts are lower bounds"))
	}
}
