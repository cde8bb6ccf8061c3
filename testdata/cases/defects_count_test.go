package cases_test

import (
	"encoding/json"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/detect"
	"github.com/synoptic-ids/synoptic/detect/sensor"
)

// Each test of this file and the next holds a defect against the line that a shipped
// detector has, or had, in the version that is named. The traffic is such that the
// detector would fail it.

// only are the rules of the default profile with these names.
func only(t *testing.T, names ...string) detect.Rules {
	t.Helper()
	rules, err := detect.Profile("default")
	require.NoError(t, err)
	kept := detect.Rules{Home: home}
	for _, name := range names {
		before := len(kept.Rules)
		for _, r := range rules.Rules {
			if r.Name == name {
				kept.Rules = append(kept.Rules, r)
			}
		}
		require.Greater(t, len(kept.Rules), before, "no rule %s", name)
	}
	return kept
}

// knocks are refused connections of an ordinary host to n targets.
func (tr *trace) knocks(from, gap time.Duration, n int, src netip.Addr, target func(i int) (netip.Addr, int)) {
	every(from, gap, n, func(i int, when time.Duration) {
		to, port := target(i)
		tr.dial(when, src, to, port).refused()
	})
}

// portsOf counts up the ports of a host.
func portsOf(host netip.Addr, first int) func(i int) (netip.Addr, int) {
	return func(i int) (netip.Addr, int) { return host, first + i }
}

// found are the scans of a run in words.
func found(t *testing.T, tr *trace, cfg sensor.Config) string {
	t.Helper()
	return lines(namedIn(tr.scans(t, cfg)))
}

// vertical is a scan of n refused ports by net(9), in words.
func vertical(n int) string {
	return named{net(9), "tcp-connect", detect.Vertical, 1, n, n, detect.Outcomes{Refused: n}}.String()
}

// TestDefect01: the outlier search "Potential Network Scanning behavior with outliers"
// (Splunk security_content, 2021) compares the name of a field with a number, counts
// rows for ports, and holds an hour against a mean that it is itself part of: it fires
// for every pair with ten ports a day, and says nothing of seven standard deviations.
func TestDefect01(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name         string
		hours, usual int // hours before, and ports in each
		ports, tries int // in the hour that is judged
		want         bool
	}{
		{"no history", 0, 0, 60, 1, false},
		{"the same as ever", 30, 15, 15, 1, false},
		{"more than ever but few", 30, 3, 12, 1, false},
		{"many rows of few ports", 30, 3, 3, 40, false},
		{"far more than ever", 30, 3, 30, 1, true},
		{"far more than ever in a busy pair", 30, 15, 60, 1, true},
	} {
		tr := newTrace(false)
		for h := range c.hours {
			tr.knocks(time.Duration(h)*hour+minute, 20*second, c.usual, tr.net(9), portsOf(tr.dmz(20), 1000))
		}
		for k := range c.tries {
			tr.knocks(time.Duration(c.hours)*hour+minute+time.Duration(k)*second, 50*second, c.ports, tr.net(9), portsOf(tr.dmz(20), 1000))
		}
		scans := tr.scans(t, sensor.Config{Rules: only(t, "unusual-ports")})
		require.Equal(t, c.want, len(scans) > 0, c.name)
	}
}

// TestDefect02: Elastic's rule "Potential Network Scan Detected" of 2025-12-19 to
// 2026-01-16 compared the numbers of sensitive ports, not how many there were: one
// connection to port 22 was "5 or more".
func TestDefect02(t *testing.T) {
	t.Parallel()
	sensitive := []int{21, 22, 23, 53, 88, 139, 389, 445, 3389, 5900, 5985, 5986, 9389}
	for _, port := range sensitive {
		tr := newTrace(false)
		every(second, second, 20, func(_ int, when time.Duration) { tr.dial(when, tr.net(9), tr.dmz(20), port).refused() })
		require.Empty(t, found(t, tr, sensor.Config{}), "port %d", port)
	}
	for n := 1; n <= len(sensitive); n++ {
		tr := newTrace(false)
		tr.knocks(second, second, n, tr.net(9), func(i int) (netip.Addr, int) { return tr.dmz(20), sensitive[i] })
		if rules := only(t, "ports-on-a-host"); n < 10 {
			require.Empty(t, found(t, tr, sensor.Config{Rules: rules}), "%d ports", n)
		} else {
			require.Equal(t, vertical(n), found(t, tr, sensor.Config{Rules: rules}))
		}
	}
}

// TestDefect03: Azure Sentinel's rule Port Sweep (1.2.0) runs over an hour of data and
// asks for what is 23 to 24 hours old: it can find nothing. Port Scan runs once a day. A
// scan is found at every time of the day, and while it lasts.
func TestDefect03(t *testing.T) {
	t.Parallel()
	for h := range 25 {
		tr := newTrace(false)
		tr.base = tr.base.Add(time.Duration(h) * 58 * minute)
		tr.knocks(second, second, 60, tr.net(9), func(i int) (netip.Addr, int) { return tr.dmz(20 + i), 22 })
		records, _ := tr.records(t, sensor.Config{})
		require.NotEmpty(t, records, "at %s", tr.base)
		open := records[0]
		require.Equal(t, detect.Open, open.Phase)
		require.LessOrEqual(t, open.DetectedAfter.Targets, 10)
		require.LessOrEqual(t, open.DetectedAfter.Seconds, 10.0)
		require.Less(t, open.Time.Std().Sub(tr.base), 12*second)
	}
}

// TestDefect04: Snort's portscan and Snort 3's port_scan count hosts and ports as "changed
// from the packet before" (README.sfportscan): A, B, A, B are four hosts, and repetitions
// that come sorted are too few.
func TestDefect04(t *testing.T) {
	t.Parallel()
	tr := newTrace(false)
	every(second, 500*ms, 400, func(i int, when time.Duration) {
		tr.dial(when, tr.net(9), tr.dmz(20+i%2), 80+i%2).refused()     // A, B, A, B
		tr.dial(when+100*ms, tr.net(10), tr.dmz(20), 80+i%3).silent(1) // ports a, b, c, a, b, c
	})
	every(second, 10*ms, 3000, func(i int, when time.Duration) { tr.dial(when, tr.far(i), tr.dmz(20), 443).talk() })
	require.Empty(t, found(t, tr, sensor.Config{}))

	tr = newTrace(false)
	every(second, second, 20, func(i int, when time.Duration) {
		for k := range 5 { // five in a row for each port
			tr.dial(when+time.Duration(k)*100*ms, tr.net(9), tr.dmz(20), 1000+i).refused()
		}
	})
	require.Equal(t, vertical(20), found(t, tr, sensor.Config{}))
}

// TestDefect05: Snort 3's trackers belong to a packet thread (THREAD_LOCAL), and Maltrail's
// old workers took packets in turn: a scanner whose flows are spread over N threads has N
// times the threshold. Here the tenth target opens the scan however the work is cut.
func TestDefect05(t *testing.T) {
	t.Parallel()
	tr := newTrace(false)
	everyday(tr)
	tr.knocks(20*second, 100*ms, 10, tr.net(9), portsOf(tr.dmz(240), 7000))
	want := ""
	for _, cfg := range []sensor.Config{
		{Inline: true}, {Inline: true, Batch: 1}, {Batch: 1}, {Batch: 3}, {Batch: 64}, {Batch: 4096}, {},
	} {
		records, _ := tr.records(t, cfg)
		got, err := json.Marshal(records)
		require.NoError(t, err)
		require.Len(t, records, 2)
		require.Equal(t, 10, records[0].DetectedAfter.Targets)
		if want == "" {
			want = string(got)
		}
		require.Equal(t, want, string(got), "batch %d", cfg.Batch)
	}
}

// TestDefect06: Slips says "more than 5 ports", fires at the tenth, speaks again at the
// hundredth, and never of other ports in the same hour (issues 1766, 1781).
func TestDefect06(t *testing.T) {
	t.Parallel()
	for _, n := range []int{8, 9, 10, 11} {
		tr := newTrace(false)
		tr.knocks(second, second, n, tr.net(9), portsOf(tr.dmz(20), 1000))
		got := found(t, tr, sensor.Config{Rules: only(t, "ports-on-a-host")})
		require.Equal(t, n >= 10, got != "", "%d ports: fires above 9", n)
	}
	tr := newTrace(false)
	tr.knocks(second, 500*ms, 80, tr.net(9), portsOf(tr.dmz(20), 1000))
	tr.knocks(8*minute, 500*ms, 80, tr.net(9), portsOf(tr.dmz(20), 5000))
	tr.knocks(40*minute, 500*ms, 30, tr.net(9), portsOf(tr.dmz(20), 9000))
	records, _ := tr.records(t, sensor.Config{})
	var targets []int
	var closed []string
	for _, r := range records {
		targets = append(targets, r.Targets)
		if r.Phase == detect.Close {
			closed = append(closed, r.PortRanges)
		}
	}
	require.Equal(t, []int{10, 20, 40, 80, 160, 160, 10, 20, 30}, targets)
	require.Equal(t, []string{"1000-1079,5000-5079", "9000-9029"}, closed)
}

// TestDefect07: Suricata's detection_filter with unique_on falls back to counting packets
// when the memory for its bitmap is refused; and its manual's horizontal example counts
// source ports. With next to no memory a client that repeats itself is still no scanner.
func TestDefect07(t *testing.T) {
	t.Parallel()
	tr := newTrace(false)
	every(second, 20*ms, 3000, func(i int, when time.Duration) {
		tr.dial(when, tr.far(i%40), tr.dmz(20+i%3), 80).refused()
		tr.dial(when+5*ms, tr.net(9), tr.dmz(30), 8443).refused() // three thousand source ports
	})
	for _, bound := range []int{2, 8, 64} {
		cfg := sensor.Config{}
		cfg.Engine.Sources, cfg.Engine.Groups, cfg.Engine.History, cfg.Engine.Targets = bound, bound, bound, bound
		require.Empty(t, found(t, tr, cfg), "room for %d", bound)
	}
	require.Empty(t, found(t, tr, sensor.Config{}))
}

// TestDefect08: NEMEA's vport_scan_detector takes a port out of its list when it is seen
// again: one repetition of the SYN, or a mirror port that copies every frame, hides the
// scan.
func TestDefect08(t *testing.T) {
	t.Parallel()
	for name, repeat := range map[string]func(tr *trace){
		"once":             func(*trace) {},
		"copied":           twice(0, nil),
		"copied later":     twice(40*ms, nil),
		"copied elsewhere": twice(0, func(f *frame) { tag(f, 7) }),
	} {
		tr := newTrace(false)
		tr.knocks(second, 100*ms, 60, tr.net(9), portsOf(tr.dmz(20), 1000))
		repeat(tr)
		scans := tr.scans(t, sensor.Config{})
		require.Equal(t, vertical(60), lines(namedIn(scans)), name)
		require.EqualValues(t, 60, scans[0].Attempts, name)
	}
	tr := newTrace(false)
	every(second, 100*ms, 60, func(i int, when time.Duration) { tr.dial(when, tr.net(9), tr.dmz(20), 1000+i).silent(3) })
	scans := tr.scans(t, sensor.Config{})
	require.Len(t, scans, 1)
	require.Equal(t, 60, scans[0].Targets)
	require.EqualValues(t, 60, scans[0].Attempts)
	require.EqualValues(t, 180, scans[0].Packets)
}
