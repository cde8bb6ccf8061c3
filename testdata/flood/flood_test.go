package main

import (
	"bytes"
	"math"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/capture"
	"github.com/synoptic-ids/synoptic/detect"
)

// small is less than a hundredth of the flood.
func small(span time.Duration, distinct bool) model {
	return model{spoofed: 40_000, hosts: 1_000, scanners: 40, least: 20, most: 2_000, span: span, distinct: distinct, seed: 1, memory: 64}
}

func TestFloodHidesNoScanner(t *testing.T) {
	for name, m := range map[string]model{
		"seconds, one target":   small(30*time.Second, false),
		"seconds, all distinct": small(30*time.Second, true),
		"an hour, one target":   small(time.Hour, false),
		"an hour, all distinct": small(time.Hour, true),
	} {
		t.Run(name, func(t *testing.T) {
			o, err := run(m)
			require.NoError(t, err)
			found, of := o.recall(0, math.MaxInt, false)
			require.Equal(t, of, found, "scanners that took a twelfth of the span")
			found, of = o.recall(0, math.MaxInt, true)
			require.GreaterOrEqual(t, 100*found, 95*of, "scanners that took all of it: %d of %d", found, of)
			require.Zero(t, o.spoofed, "forged sources named")
			require.Zero(t, o.hosts, "ordinary hosts named")
			require.Zero(t, o.others)
			x := o.exactness()
			require.Zero(t, x.silent, "records that are wrong and do not say so")
		})
	}
}

// TestTenthOfTheFlood is the flood that is measured, at a tenth of its sources and of the
// memory: all scanners of 40 targets and more are found, and with a quarter of that
// memory nearly all.
func TestTenthOfTheFlood(t *testing.T) {
	if testing.Short() {
		t.Skip("ten seconds each")
	}
	for name, c := range map[string]struct {
		span   time.Duration
		memory int64
		share  int // of a hundred, that are found
	}{
		"30 s":                {30 * time.Second, 26, 100},
		"an hour":             {time.Hour, 26, 100},
		"30 s, little memory": {30 * time.Second, 6, 97},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o, err := run(model{spoofed: 1_000_000, hosts: 20_000, scanners: 500, least: 20, most: 20_000, span: c.span, distinct: true, seed: 1, memory: c.memory})
			require.NoError(t, err)
			require.NoError(t, o.hold(bars{fast: c.share, slow: c.share}, 0))
			require.LessOrEqual(t, o.exactness().silent, o.exactness().records/100, "records that are wrong and do not say so")
			require.Positive(t, o.summary.Detect.Gate.Admitted)
		})
	}
}

// TestFloodIsWhatItSays holds the packets against the model: as many, in order, of the
// sources and targets that are counted on.
func TestFloodIsWhatItSays(t *testing.T) {
	m := small(time.Minute, true)
	src := newSource(m, began)
	type pair struct{ from, to [4]byte }
	type tried struct {
		pair
		port [2]byte
	}
	forged := map[[4]byte]bool{}
	scans := map[[4]byte]map[tried]bool{}
	to := map[tried]bool{}
	frames := make([]capture.Frame, 256)
	last := int64(0)
	for {
		n, err := src.Read(frames)
		if err != nil {
			break
		}
		for _, f := range frames[:n] {
			require.GreaterOrEqual(t, f.Time, last)
			last = f.Time
			from, dst := [4]byte(f.Data[26:30]), [4]byte(f.Data[30:34])
			if f.Data[47] != syn {
				continue
			}
			switch {
			case from[0] == 10:
				require.False(t, forged[from], "a forged source sends once")
				forged[from] = true
				k := tried{pair{to: dst}, [2]byte(f.Data[36:38])}
				require.False(t, to[k], "a target each")
				to[k] = true
			case from[0] == 100 && from[1] >= 96:
				if scans[from] == nil {
					scans[from] = map[tried]bool{}
				}
				scans[from][tried{pair{from, dst}, [2]byte(f.Data[36:38])}] = true
			}
		}
	}
	require.Len(t, forged, m.spoofed)
	require.Len(t, scans, m.scanners)
	least, most := math.MaxInt, 0
	for i, s := range src.scanners {
		a := scannerAddr(i)
		targets := scans[[4]byte{byte(a >> 24), byte(a >> 16), byte(a >> 8), byte(a)}]
		require.Len(t, targets, s.targets)
		least, most = min(least, s.targets), max(most, s.targets)
	}
	require.Equal(t, m.least, least)
	require.Equal(t, m.most, most)
	require.LessOrEqual(t, last-began, int64(m.span)*7/4, "hosts end their conversations soon after")
}

func TestSameFloodSameAccount(t *testing.T) {
	m := small(30*time.Second, true)
	m.spoofed = 20_000
	a, err := run(m)
	require.NoError(t, err)
	b, err := run(m)
	require.NoError(t, err)
	require.Equal(t, a.found, b.found)
	require.Equal(t, a.summary.Table, b.summary.Table)
}

// TestCrowdsAreOthers: there is none in the model, so a crowd that is named is wrong.
func TestCrowdsAreOthers(t *testing.T) {
	o := outcome{found: make([]finding, 1), times: make([]int, 1)}
	o.take(detect.Scan{Phase: detect.Close, Sources: 20})
	o.take(detect.Scan{Phase: detect.Close, Src: netip.MustParseAddr("100.96.0.0")})
	o.take(detect.Scan{Phase: detect.Close, Src: netip.MustParseAddr("100.96.0.1")})
	o.take(detect.Scan{Phase: detect.Close, Src: netip.MustParseAddr("100.64.0.0")})
	o.take(detect.Scan{Phase: detect.Close, Src: netip.MustParseAddr("10.0.0.0")})
	require.Equal(t, [4]int{1, 1, 1, 2}, [4]int{o.times[0], o.spoofed, o.hosts, o.others})
}

func TestGrowthAndSoak(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, growth(&out, 64, 19))
	require.Contains(t, out.String(), "up to   0.5 M tuples")
	out.Reset()
	require.NoError(t, soak(&out, small(time.Minute, false), time.Second, time.Second/2))
	require.Contains(t, out.String(), "0 of them wrong")
}

func TestModelsThatCannotBe(t *testing.T) {
	for _, m := range []model{
		{spoofed: 1<<24 + 1, least: 1, most: 1, span: time.Second, memory: 1},
		{hosts: -1, least: 1, most: 1, span: time.Second, memory: 1},
		{least: 0, most: 1, span: time.Second, memory: 1},
		{least: 1, most: 60_001, span: time.Second, memory: 1},
		{least: 1, most: 1, memory: 1},
		{least: 1, most: 1, span: time.Second},
	} {
		require.Error(t, m.check())
	}
	m := small(time.Hour, false)
	require.NoError(t, m.check())
}

// TestBars: each is held against what it is about, and one that was not asked for holds.
func TestBars(t *testing.T) {
	minute := int64(time.Minute)
	o := outcome{
		scanners: []scanner{{targets: 50, gap: minute / 10}, {targets: 60, gap: minute / 12}, {targets: 50, gap: minute}, {targets: 39, gap: 1}},
		times:    []int{1, 0, 2, 0},
	}
	require.NoError(t, o.hold(bars{}, 1<<40))
	require.NoError(t, o.hold(bars{fast: 50, slow: 100, resident: 2}, 2<<20))
	require.EqualError(t, o.hold(bars{fast: 51, slow: 100, resident: 2}, 2<<20+1),
		"found 1 of 2 fast scanners of 40 targets or more, not 51 %\nthe resident memory came to 3 MiB, more than 2")
	o.times[2] = 0
	require.EqualError(t, o.hold(bars{slow: 1}, 0), "found 0 of 1 slow scanners of 40 targets or more, not 1 %")
	for _, wrong := range []*int{&o.spoofed, &o.hosts, &o.others} {
		*wrong = 1
		require.EqualError(t, o.hold(bars{}, 0), "named 1 that did not scan")
		*wrong = 0
	}
}
