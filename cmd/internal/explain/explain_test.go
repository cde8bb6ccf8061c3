package explain

import (
	"encoding/json"
	"net/netip"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/capture"
	"github.com/synoptic-ids/synoptic/detect"
	"github.com/synoptic-ids/synoptic/detect/sensor"
	"github.com/synoptic-ids/synoptic/flows"
)

const captures = "../../../testdata/captures"

// files are all captures of the project.
func files(t *testing.T) []string {
	all, err := filepath.Glob(filepath.Join(captures, "*.pcap*"))
	require.NoError(t, err)
	require.NotEmpty(t, all)
	return all
}

func rules(t *testing.T) detect.Rules {
	r, err := detect.Profile("default")
	require.NoError(t, err)
	return r
}

// play runs a capture through a sensor and returns the records of its scans.
func play(t *testing.T, file string, cfg sensor.Config) []detect.Scan {
	t.Helper()
	src, err := capture.Open(file, capture.Config{})
	require.NoError(t, err)
	defer func() { _ = src.Close() }()
	var scans []detect.Scan
	told := cfg.OnScan
	cfg.Inline = true
	cfg.OnScan = func(s detect.Scan) {
		scans = append(scans, s)
		if told != nil {
			told(s)
		}
	}
	s, err := sensor.New(cfg)
	require.NoError(t, err)
	_, err = s.Run(t.Context(), src)
	require.NoError(t, err)
	return scans
}

// crew is a collector for each of many addresses.
type crew map[netip.Addr]*Collector

func (all crew) Attempt(ev *flows.Event) {
	for _, c := range all {
		c.Attempt(ev)
	}
}

func (all crew) Excused(why detect.Excuse) {
	for _, c := range all {
		c.Excused(why)
	}
}

func (all crew) Stands(s detect.Standing) {
	for _, c := range all {
		c.Stands(s)
	}
}

// addresses are those that attempts of a capture come from and go to, the first so many.
func addresses(t *testing.T, file string, most int) []netip.Addr {
	var all []netip.Addr
	known := map[netip.Addr]bool{}
	play(t, file, sensor.Config{OnAttempt: func(a flows.Attempt) {
		for _, addr := range []netip.Addr{flows.Addr(a.Initiator), flows.Addr(a.Responder)} {
			if !known[addr] && len(all) < most {
				known[addr] = true
				all = append(all, addr)
			}
		}
	}})
	return all
}

// TestConclusionsAgree: on every capture, each source of a scan is explained as named, and
// nobody else is; and that it is being explained changes no record.
func TestConclusionsAgree(t *testing.T) {
	for _, file := range files(t) {
		plain := play(t, file, sensor.Config{})
		all := crew{}
		for _, addr := range addresses(t, file, 60) {
			all[addr] = New(addr, rules(t))
		}
		named := map[netip.Addr]bool{}
		for i := range plain {
			for _, src := range sourcesOf(&plain[i]) {
				named[src] = true
				all[src] = New(src, rules(t))
			}
		}
		nobody := New(netip.Addr{}, rules(t))
		all[netip.Addr{}] = nobody
		cfg := sensor.Config{
			OnScan: func(s detect.Scan) {
				for _, c := range all {
					c.Scan(&s)
				}
			},
			OnPacket: func(p *flows.Packet, fate flows.Fate) {
				for _, c := range all {
					c.Packet(p, fate)
				}
			},
		}
		cfg.Engine.Trace = all
		require.Equal(t, asJSON(t, plain), asJSON(t, play(t, file, cfg)), file)
		for addr, c := range all {
			x := c.Explanation()
			require.Equal(t, named[addr], x.Verdict == Named, "%s: %s: %s", file, addr, x.Answer)
			require.NotEmpty(t, x.Answer)
			require.False(t, x.Partial)
			consistent(t, &x)
		}
		x := nobody.Explanation()
		require.Equal(t, Overall, x.Verdict)
		require.Equal(t, len(named), x.Named)
		for _, miss := range x.Misses {
			require.False(t, named[miss.Src], "%s: %s is no near miss", file, miss.Src)
		}
	}
}

// consistent checks that the numbers of an explanation agree with each other.
func consistent(t *testing.T, x *Explanation) {
	t.Helper()
	a := x.Attempts
	require.Equal(t, a.Total, a.Counted+a.Excused+a.Succeeded+a.Other)
	grouped := 0
	for _, g := range x.Groups {
		grouped += g.Attempts
	}
	require.EqualValues(t, a.Total, grouped)
	require.Equal(t, x.Sent.Total, x.Sent.Began+x.Sent.Backscatter+x.Sent.MidStream+x.Sent.Continued)
	for _, s := range x.Rules {
		if !s.Fired && s.Held == nil {
			require.Less(t, s.Value, s.FiresAt, "%s: %s neither fired nor is held", x.Answer, s.Rule)
		}
		if s.Held != nil {
			require.GreaterOrEqual(t, s.Value, s.FiresAt, s.Rule)
			require.NotEmpty(t, s.Why())
		}
	}
}

func asJSON(t *testing.T, v any) string {
	b, err := json.Marshal(v)
	require.NoError(t, err)
	return string(b)
}

// TestSweepIsTheTruth: an engine with the same rules beside the one in force finds the same on
// every capture, and each threshold of some gives what a run by rules with that threshold does.
func TestSweepIsTheTruth(t *testing.T) {
	small := map[string]bool{"browser.pcap": true, "slow-vertical.pcap": true}
	for _, file := range files(t) {
		s, same := &Sweep{}, &variant{}
		var err error
		if small[filepath.Base(file)] {
			s, err = NewSweep(detect.Config{}, rules(t))
			require.NoError(t, err)
		}
		same.engine, err = detect.New(detect.Config{Report: func(sc detect.Scan) { same.found.take(&sc) }}, rules(t))
		require.NoError(t, err)
		s.variants = append(s.variants, same)
		scans := play(t, file, sensor.Config{OnEvents: s.Events, OnScan: func(sc detect.Scan) { s.Scan(&sc) }})
		swept := s.Finish()
		want := found{}
		for i := range scans {
			want.take(&scans[i])
		}
		require.Equal(t, want, s.present, file)
		require.Equal(t, want, same.found, file)
		for i, row := range swept.Rules {
			require.True(t, row.Thresholds[2].Present)
			require.Equal(t, want.scans, row.Thresholds[2].Scans)
			require.Len(t, want.sources, row.Thresholds[2].Sources)
			if small[filepath.Base(file)] && i < len(rules(t).Rules) {
				runs(t, file, i, row)
			}
		}
	}
}

// runs holds the thresholds of one rule against runs of their own.
func runs(t *testing.T, file string, rule int, row SweptRow) {
	t.Helper()
	for _, th := range row.Thresholds {
		if !th.Possible {
			continue
		}
		changed := rules(t)
		require.Equal(t, row.Rule, changed.Rules[rule].Name)
		changed.Rules[rule].Over = th.FiresAt - 1
		got := found{}
		for _, s := range play(t, file, sensor.Config{Rules: changed}) {
			got.take(&s)
		}
		require.Equal(t, got.scans, th.Scans, "%s: %s at %d", file, row.Rule, th.FiresAt)
		require.Len(t, got.sources, th.Sources)
	}
}

// TestScaled: thresholds are whole numbers, at which a rule can fire.
func TestScaled(t *testing.T) {
	for _, tt := range []struct {
		firesAt int
		factor  float64
		want    int
	}{{10, 0.5, 5}, {10, 0.7, 7}, {5, 0.5, 3}, {5, 1.5, 8}, {2, 0.5, 2}, {60000, 10, 65536}, {10, 1, 10}} {
		require.Equal(t, tt.want, scaled(tt.firesAt, tt.factor))
	}
}

// TestSweepSkipsTheImpossible: a slow rule counts to 30 in an hour, and is not swept beyond.
func TestSweepSkipsTheImpossible(t *testing.T) {
	parsed, err := detect.ParseRules([]byte("rules:\n  - {name: slow, count: target, by: src, over: 29, within: 1h, window: slow}\n"), "test")
	require.NoError(t, err)
	s, err := NewSweep(detect.Config{}, parsed)
	require.NoError(t, err)
	row := s.Finish().Rules[0]
	require.Equal(t, "slow", row.Rule)
	for _, th := range row.Thresholds {
		require.Equal(t, th.FiresAt <= 31, th.Possible, "%d", th.FiresAt)
	}
}

// TestNearestMissesAreBounded: of many sources the nearest stay, whatever their order.
func TestNearestMissesAreBounded(t *testing.T) {
	rule := &detect.Rule{Name: "it", Over: 1 << 15, Window: detect.Sliding}
	for _, falling := range []bool{false, true} {
		m := newMisses([]string{"it"})
		const sources = 5000
		for i := range sources {
			value := i
			if falling {
				value = sources - 1 - i
			}
			m.take(&detect.Standing{Rule: rule, Src: [16]byte{14: byte(value >> 8), 15: byte(value)}, Value: value}, 0)
			require.LessOrEqual(t, len(m.rules["it"]), 2*nearestKept)
		}
		nearest := m.nearest(func(src [16]byte) bool { return src[15] == byte((sources-1)&0xff) })
		require.Len(t, nearest, nearestShown)
		for i, s := range nearest {
			require.Equal(t, sources-2-i, s.Value)
		}
	}
}
