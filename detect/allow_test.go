package detect

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/synoptic-ids/synoptic/detect/weekly"
	"github.com/synoptic-ids/synoptic/flows"
)

// allowing is the default profile with an allow-list, given as in a file but for
// the indentation of entries. The tests begin on Tuesday 2023-11-14 at 22:20 UTC.
func allowing(t require.TestingT, entries string) Rules {
	rules := profile(t, "default")
	list, err := ParseAllow([]byte("allow: ["+entries+"]"), "test")
	require.NoError(t, err)
	rules.Allow = list
	return rules
}

// scanPorts is a scan of so many ports of a host, one a second.
func (w *wire) scanPorts(from float64, src, dst string, first, n int) {
	for i := range n {
		w.knock(from+float64(i), src, dst, uint16(first+i))
	}
}

func authorized(name string) []Authorization { return []Authorization{{Name: name, Note: "why"}} }

// TestAllowedScan: what an entry allows is recorded like any other scan, and marked.
func TestAllowedScan(t *testing.T) {
	for name, entry := range map[string]string{
		"by source":          "{name: x, note: why, src: 203.0.113.7}",
		"by network":         "{name: x, note: why, src: 203.0.113.0/24}",
		"beside others":      "{name: y, note: no, src: 203.0.113.8}, {name: x, note: why, src: [192.0.2.1, 203.0.113.7]}",
		"by target":          "{name: x, note: why, src: 203.0.113.7, dst: [192.0.2.0/24, 198.51.100.0]}",
		"by port":            "{name: x, note: why, src: 203.0.113.7, port: [22, 100-129]}",
		"by protocol":        "{name: x, note: why, src: 203.0.113.7, proto: [udp, tcp]}",
		"by hours":           "{name: x, note: why, src: 203.0.113.7, when: [sat, 'tue 22:20-22:21']}",
		"by hours elsewhere": "{name: x, note: why, src: 203.0.113.7, when: 17:20-17:21, zone: America/New_York}",
		"by the next day":    "{name: x, note: why, src: 203.0.113.7, when: wed 11:20-11:21, zone: Pacific/Auckland}",
		"the first of two":   "{name: x, note: why, src: 203.0.113.7}, {name: y, note: no, src: 203.0.113.7}",
		"the closer of two":  "{name: y, note: no, src: 203.0.113.7, port: 99}, {name: x, note: why, src: 203.0.113.7}",
	} {
		t.Run(name, func(t *testing.T) {
			w := newWire(t, allowing(t, entry))
			w.scanPorts(0, outside, server, 100, 30)
			w.end()
			require.Equal(t, []string{"open 10", "update 20 targets", "close 30"}, w.story())
			for _, s := range w.scans {
				require.Equal(t, authorized("x"), s.Authorized)
				require.Nil(t, s.Outside)
				require.Zero(t, s.Risk)
			}
			s := w.phase(Close)[0]
			plain := newWire(t, profile(t, "default"))
			plain.scanPorts(0, outside, server, 100, 30)
			want := plain.closed(t)
			require.NotZero(t, want.Risk)
			want.Risk, want.Authorized = 0, s.Authorized
			require.Equal(t, want, s, "nothing else differs")
		})
	}
}

// TestAllowedIPv6: and what the mark says of the end.
func TestAllowedIPv6(t *testing.T) {
	w := newWire(t, allowing(t, "{name: x, note: why, src: 2001:db8::/64, dst: 2001:db8:1::/48, expires: 2023-11-14}"))
	for i := range 20 {
		w.knock(float64(i), "2001:db8::7", "2001:db8:1::2", uint16(100+i))
	}
	expires := instant(t, "2023-11-15T00:00:00Z")
	require.Equal(t, []Authorization{{Name: "x", Note: "why", Expires: &expires}}, w.closed(t).Authorized)
}

// TestNotAllowed: the same scanner beyond its entry is reported as usual, and the record says why.
func TestNotAllowed(t *testing.T) {
	for _, c := range []struct{ name, entry, closest, why string }{
		{"another source", "{name: x, note: why, src: 203.0.113.8}", "", ""},
		{"a target", "{name: x, note: why, src: 203.0.113.7, dst: 198.51.100.1}", "x", "host 198.51.100.0"},
		{"a port", "{name: x, note: why, src: 203.0.113.7, port: [100-109, 111-200]}", "x", "port 110"},
		{"a protocol", "{name: x, note: why, src: 203.0.113.7, proto: udp}", "x", "tcp port 100"},
		{"a day", "{name: x, note: why, src: 203.0.113.7, when: wed}", "x", "Tue 22:20 UTC"},
		{"hours", "{name: x, note: why, src: 203.0.113.7, when: tue 22:21-23:00}", "x", "Tue 22:20 UTC"},
		{"hours elsewhere", "{name: x, note: why, src: 203.0.113.7, when: 22:20-22:21, zone: Europe/Berlin}", "x", "Tue 23:20 Europe/Berlin"},
		{"the end", "{name: x, note: why, src: 203.0.113.7, expires: 2023-11-13}", "x", "expired after 2023-11-13"},
		{"the end, whatever the hours", "{name: x, note: why, src: 203.0.113.7, when: sat, expires: 2023-11-13}", "x", "expired after 2023-11-13"},
		{
			"everything", "{name: x, note: why, src: 203.0.113.7, dst: 192.0.2.0/24, port: 22, when: sat}", "x",
			"Tue 22:20 UTC, host 198.51.100.0, port 100",
		},
		{
			"the closest", "{name: x, note: why, src: 203.0.113.7, dst: 192.0.2.0/24, when: sat}, {name: y, note: why, src: 203.0.113.7, port: 22}, {name: z, note: why, src: 203.0.113.7, port: 23}",
			"y", "port 100",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWire(t, allowing(t, c.entry))
			w.scanPorts(0, outside, server, 100, 30)
			s := w.closed(t)
			require.Empty(t, s.Authorized)
			require.NotZero(t, s.Risk)
			if c.closest == "" {
				require.Nil(t, s.Outside)
				return
			}
			require.Equal(t, c.closest, s.Outside.Name)
			require.Equal(t, c.why, s.Outside.Reason)
			require.Equal(t, "198.51.100.0", s.Outside.Host.String())
			require.Equal(t, "tcp", s.Outside.Proto)
		})
	}
}

// TestLeavesItsAuthorization: an attempt outside turns an open scan into one that is
// reported, at once; it stays so until it closes, and the next may be within again.
func TestLeavesItsAuthorization(t *testing.T) {
	for _, c := range []struct {
		name, entry string
		leave       func(w *wire)
		at          float64
		why         string
	}{
		{
			"by a port", "{name: x, note: why, src: 203.0.113.7, port: [1-444, 446-1023]}",
			func(w *wire) { w.refused(15, outside, server, 445) },
			15, "port 445",
		},
		{
			"by a host", "{name: x, note: why, src: 203.0.113.7, dst: 198.51.100.0}",
			func(w *wire) { w.refused(15, outside, nth(server, 1), 100) },
			15, "host 198.51.0.1",
		},
		{
			"by the clock", "{name: x, note: why, src: 203.0.113.7, when: ['22:00-22:21', '23:00-24:00']}",
			func(w *wire) { w.refused(60, outside, server, 445) },
			60, "Tue 22:21 UTC",
		},
		{
			"by a target known before", "{name: x, note: why, src: 203.0.113.7, when: ['22:00-22:21', '23:00-24:00']}",
			func(w *wire) { w.refused(60, outside, server, 100) },
			60, "Tue 22:21 UTC",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWire(t, allowing(t, c.entry))
			w.scanPorts(0, outside, server, 100, 12)
			c.leave(w)
			w.scanPorts(61, outside, server, 200, 3)
			w.scanPorts(41*60, outside, server, 100, 12)
			w.end()
			var turned []Scan
			for i, s := range w.scans {
				if i > 0 && slices.Contains(s.Added, "authorization") {
					turned = append(turned, s)
					require.Equal(t, authorized("x"), w.scans[i-1].Authorized)
				}
			}
			require.Len(t, turned, 1)
			require.Equal(t, Update, turned[0].Phase)
			require.Equal(t, Time(at(c.at)), turned[0].Time)
			require.Equal(t, Time(at(c.at)), turned[0].Outside.Time)
			closed := w.phase(Close)
			require.Len(t, closed, 2)
			require.Empty(t, closed[0].Authorized)
			require.Equal(t, c.why, closed[0].Outside.Reason)
			require.Equal(t, authorized("x"), closed[1].Authorized, "another scan, within again")
			require.Nil(t, closed[1].Outside)
		})
	}
}

// TestBothEndsOfExpiry: the last day ends with it, in the zone of the entry.
func TestBothEndsOfExpiry(t *testing.T) {
	const expires = 100 * 60 // 2023-11-15 00:00 UTC
	entry := "{name: x, note: why, src: 203.0.113.7, expires: 2023-11-14}"
	before, after := newWire(t, allowing(t, entry)), newWire(t, allowing(t, entry))
	before.scanPorts(expires-10, outside, server, 100, 10)
	require.Equal(t, authorized("x")[0].Name, before.closed(t).Authorized[0].Name)
	after.scanPorts(expires-9, outside, server, 100, 10)
	s := after.closed(t)
	require.Equal(t, "expired after 2023-11-14", s.Outside.Reason)
	require.EqualValues(t, 109, s.Outside.Port)
	require.Equal(t, Time(at(expires)), s.Outside.Time)
}

// TestAllowedTogether: what one entry does not cover another may, and the record
// names both, in the order of the file.
func TestAllowedTogether(t *testing.T) {
	w := newWire(t, allowing(t, "{name: high, note: why, src: 203.0.113.7, port: 110-200}, {name: none, note: why, src: 203.0.113.7, port: 7}, {name: low, note: why, src: 203.0.113.0/24, port: 1-109}"))
	w.scanPorts(0, outside, server, 100, 30)
	w.end()
	require.Equal(t, authorized("low"), w.phase(Open)[0].Authorized)
	require.Equal(t, slices.Concat(authorized("high"), authorized("low")), w.phase(Close)[0].Authorized)
}

// TestAllowedWithoutPorts: ports say nothing of pings, which need their protocol named.
func TestAllowedWithoutPorts(t *testing.T) {
	for _, c := range []struct{ name, keys, why string }{
		{"by ports alone", "port: 22", "icmp"},
		{"by ports and protocols", "port: 22, proto: [tcp, icmp]", ""},
		{"by protocol", "proto: icmp", ""},
		{"by another protocol", "proto: tcp", "icmp"},
		{"by neither", "dst: 0.0.0.0/0", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWire(t, allowing(t, "{name: x, note: why, src: 203.0.113.7, "+c.keys+"}"))
			for i := range 20 {
				w.send(float64(i), w.echo(outside, nth(server, i)))
			}
			s := w.closed(t)
			if c.why == "" {
				require.Equal(t, authorized("x"), s.Authorized)
				return
			}
			require.Equal(t, c.why, s.Outside.Reason)
			require.Equal(t, "icmp", s.Outside.Proto)
		})
	}
}

// TestAllowedBeyondBound: a scan so large that its targets are no longer held is
// still watched.
func TestAllowedBeyondBound(t *testing.T) {
	w := newWire(t, profile(t, "default"))
	e, err := New(Config{Targets: 20, Report: func(s Scan) { w.scans = append(w.scans, s) }},
		allowing(t, "{name: x, note: why, src: 203.0.113.7, port: 1-1023}"))
	require.NoError(t, err)
	w.engine = e
	w.scanPorts(0, outside, server, 100, 30)
	w.refused(40, outside, server, 1024)
	w.end()
	require.Equal(t, []string{"open 10", "update 20 targets", "update 20 authorization", "close 20"}, w.story())
	require.Equal(t, "port 1024", w.phase(Close)[0].Outside.Reason)
}

// TestAllowedSlowly: of a walk, too, all that is remembered must be covered.
func TestAllowedSlowly(t *testing.T) {
	for want, entry := range map[string]string{
		"":              "{name: x, note: why, src: 203.0.113.7, when: 22:00-12:00}",
		"Wed 00:20 UTC": "{name: x, note: why, src: 203.0.113.7, when: 22:00-00:10}",
	} {
		rules := allowing(t, entry)
		full, err := Profile("default")
		require.NoError(t, err)
		rules.Rules = full.Rules
		w := newWire(t, rules)
		for i := range 12 {
			w.knock(float64(i)*1200, outside, nth(server, i), 22)
		}
		s := w.closed(t)
		require.Equal(t, "walk-over-hosts", s.Rule)
		if want == "" {
			require.Equal(t, authorized("x"), s.Authorized)
			continue
		}
		require.Equal(t, want, s.Outside.Reason)
	}
}

func TestNewRefusesAllowances(t *testing.T) {
	src := []netip.Prefix{netip.MustParsePrefix("192.0.2.1/32")}
	for want, a := range map[string]Allowance{
		`allow "x": it names no source`:                                      {Name: "x"},
		`allow "x": unknown protocol "tpc"`:                                  {Name: "x", Src: src, Proto: []string{"tpc"}},
		`allow "x": zone "Nowhere": unknown time zone Nowhere`:               {Name: "x", Src: src, Zone: "Nowhere"},
		`allow "x": zone "Local": no zone of a known name`:                   {Name: "x", Src: src, Zone: "Local"},
		`allow "x": hours sun 00:00-00:00: there is no such time of the day`: {Name: "x", Src: src, When: make([]weekly.Hours, 1)},
	} {
		rules := profile(t, "default")
		rules.Allow = []Allowance{a}
		_, err := New(Config{}, rules)
		require.EqualError(t, err, want)
	}
}

func TestExpired(t *testing.T) {
	a := Allowance{Expires: Time(at(0)), Zone: "Europe/Berlin"}
	require.False(t, a.Expired(Time(at(0))-1))
	require.True(t, a.Expired(Time(at(0))))
	require.Equal(t, "2023-11-14", a.LastDay())
	require.False(t, Allowance{}.Expired(Time(at(0))))
	require.Empty(t, Allowance{}.LastDay())
}

// TestAllowListChangesNothingElse: with any list the records are those without one,
// but for the mark, the risk, and an update when a scan leaves its authorization.
func TestAllowListChangesNothingElse(t *testing.T) {
	sources := []string{outside, "203.0.113.8", inside}
	rapid.Check(t, func(t *rapid.T) {
		var list []Allowance
		for i := range rapid.IntRange(0, 3).Draw(t, "entries") {
			a := drawAllowance(t, i)
			a.Src = []netip.Prefix{netip.PrefixFrom(netip.MustParseAddr(rapid.SampledFrom(sources).Draw(t, "src")), 32)}
			if rapid.Bool().Draw(t, "narrow") {
				a.Port = []PortRange{{100, uint16(rapid.IntRange(100, 150).Draw(t, "to"))}}
			} else {
				a.Port, a.Proto = nil, nil
			}
			if rapid.Bool().Draw(t, "everywhere") {
				a.Dst = nil
			}
			if rapid.Bool().Draw(t, "for ever") {
				a.Expires, a.When = 0, nil
			}
			list = append(list, a)
		}
		rules := profile(t, "default")
		without := newWire(t, rules)
		rules.Allow = list
		with := newWire(t, rules)
		now := 0.0
		for range rapid.IntRange(1, 60).Draw(t, "probes") {
			now += rapid.SampledFrom([]float64{0, 0.1, 1, 60, 1000, 40000}).Draw(t, "gap")
			src := rapid.SampledFrom(sources).Draw(t, "from")
			port := uint16(rapid.IntRange(100, 140).Draw(t, "port"))
			n := rapid.IntRange(1, 15).Draw(t, "ports")
			kind := rapid.IntRange(0, 3).Draw(t, "kind")
			for _, w := range []*wire{without, with} {
				for i := range n {
					dst := server
					if kind == 0 {
						dst = nth(server, i)
					}
					act(w, kind, now, src, dst, port+uint16(i))
				}
			}
		}
		without.end()
		with.end()
		requireSameButMarks(t, without.scans, with.scans)
	})
}

func act(w *wire, kind int, now float64, src, dst string, port uint16) {
	switch kind {
	case 0, 1:
		w.refused(now, src, dst, port)
	case 2:
		w.busy(now, src, dst, port)
	default:
		w.send(now, w.datagram(src, dst, port))
	}
}

func requireSameButMarks(t require.TestingT, without, with []Scan) {
	var got []Scan
	for _, s := range with {
		require.False(t, s.Outside != nil && s.Authorized != nil)
		if s.Phase == Update && len(s.Added) == 1 && s.Added[0] == "authorization" {
			require.NotNil(t, s.Outside)
			continue
		}
		if s.Authorized != nil {
			require.Zero(t, s.Risk)
			s.Risk = risk(&Scan{Severity: s.Severity, Confidence: s.Confidence})
		}
		s.Authorized, s.Outside = nil, nil
		s.Added = slices.DeleteFunc(slices.Clone(s.Added), func(a string) bool { return a == "authorization" })
		if len(s.Added) == 0 {
			s.Added = nil
		}
		got = append(got, s)
	}
	require.Equal(t, without, got)
}

// BenchmarkJudge is what an allow-list costs an attempt of a source that it names.
func BenchmarkJudge(b *testing.B) {
	rules := allowing(b, "{name: x, note: why, src: 203.0.113.7, dst: 198.51.0.0/16, port: 1-1023, when: ['mon-fri 22:00-06:00', sat, sun], zone: Europe/Berlin}")
	list, err := compileAllow(rules.Allow)
	require.NoError(b, err)
	src := address(outside)
	au := list.of(&src)
	a := attempted{responder: address(server), port: 100, class: flows.ClassTCP, start: at(0)}
	for b.Loop() {
		a.start += int64(time.Millisecond)
		au.judge(&src, &a)
	}
}
