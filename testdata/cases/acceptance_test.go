package cases_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/detect"
	"github.com/synoptic-ids/synoptic/detect/marks"
	"github.com/synoptic-ids/synoptic/detect/sensor"
	"github.com/synoptic-ids/synoptic/flows"
)

// macos is a stack with a window of 65,535.
var macos = stack{65535, 2058, true, []byte{2, 4, 5, 0xb4, 1, 3, 3, 5, 4, 2, 1, 1}}

// bare is a stack that sends nothing but what it must.
func bare(window int) stack { return stack{first: window, later: window} }

// likeSimpleScan is traffic made after the five captures with which ncsa/bro-simple-scan is
// tested, and its verdicts on them (testing/Baseline, 3e7802f).
func likeSimpleScan() []hard {
	hosts := []int{208, 239, 49, 55, 244, 211, 197, 252, 86}
	ports := []int{80, 80, 8080, 80, 88, 80, 88, 80, 80, 8080}
	return []hard{
		{name: "nine hosts on port 445 and time running backwards", traffic: func(tr *trace) {
			every(0, 10*minute, len(hosts), func(i int, when time.Duration) {
				c := tr.dial(when, tr.net(9), tr.dmz(hosts[len(hosts)-1-i]), 445).on(windows)
				c.put(client, syn, 0).wait(3 * second)
				c.seq[client]--
				c.put(client, syn, 0)
			})
		}, fault: func(tr *trace) {
			for i := range tr.frames {
				if f := &tr.frames[i]; f.src == tr.net(9) {
					f.order = -f.stamp
				}
			}
		}, want: []named{{net(9), "tcp-connect", detect.Horizontal, 9, 1, 9, detect.Outcomes{Silent: 9}}}},
		{name: "ten hosts on three ports most of them prohibited", traffic: func(tr *trace) {
			every(second, 20*minute, len(ports), func(i int, when time.Duration) {
				c := tr.dial(when, tr.net(9), tr.dmz(10+i), ports[i]).on(bare(1460))
				c.put(client, syn, 0)
				if i%3 != 0 {
					tr.icmpError(when+ms, tr.dmz(10+i), icmpError{3, 10, 1, 1})
				}
			})
		}, want: []named{{net(9), "tcp-syn", detect.Horizontal, 10, 3, 10, detect.Outcomes{Silent: 4, Unreachable: 6}}}},
		{name: "ten ports within half a millisecond", traffic: func(tr *trace) {
			every(95*second, 50*time.Microsecond, 10, func(i int, when time.Duration) {
				tr.dial(when, tr.lan(154), tr.lan(22), []int{21, 113, 23, 135, 111, 143, 445, 554, 22, 995}[i]).on(macos).put(client, syn, 0)
			})
		}, want: []named{{lan(154), "tcp-connect", detect.Vertical, 1, 10, 10, detect.Outcomes{Silent: 10}}}},
		{name: "ten hosts with a window of zero one of them the source itself", traffic: func(tr *trace) {
			every(second, 10*time.Microsecond, 10, func(i int, when time.Duration) {
				tr.send(when, segment{from: at(tr.lan(1), 32000+i), to: at(tr.lan(i), 23), flags: syn})
			})
		}, want: []named{{lan(1), "tcp-syn", detect.Horizontal, 10, 1, 10, detect.Outcomes{Silent: 10}}}},
		{name: "backscatter of a web server half of it reset", traffic: func(tr *trace) {
			every(second, 700*ms, 400, func(i int, when time.Duration) {
				s := segment{from: at(tr.net(98), 80), to: at(tr.dmz(1+i*89%254), 1024+i*211%7000), flags: syn | ack, seq: i * 7919, ack: i * 104729, window: 5840, options: []byte{2, 4, 5, 0xb4}}
				tr.send(when, s)
				if i%2 == 0 {
					tr.send(when+2*ms, segment{from: s.to, to: s.from, flags: rst, seq: s.ack})
				}
			})
		}},
	}
}

func TestLikeSimpleScan(t *testing.T) { runAll(t, likeSimpleScan()) }

// TestMasscan: of 1,001 SYNs of masscan to the ports 0 to 1000 of a host each one bears
// masscan's equation, and each port is counted.
func TestMasscan(t *testing.T) {
	t.Parallel()
	tr := newTrace(false)
	dst := dmz(30).As4()
	every(second, 10*ms, 1001, func(i int, when time.Duration) {
		port, seq := i*577%1001, i*2654435761&0xffffffff
		id := (int(dst[2])<<8 | int(dst[3])) ^ port ^ seq&0xffff
		s := segment{from: at(net(9), 50123), to: at(dmz(30), port), flags: syn, seq: seq, window: 1024, header: header{ttl: 255, id: id & 0xffff}}
		tr.send(when, s)
		tr.send(when+ms, segment{from: s.to, to: s.from, flags: rst | ack, ack: seq + 1})
	})
	var votes marks.Votes
	scans := tr.scans(t, sensor.Config{OnAttempt: func(a flows.Attempt) {
		p, ok := marks.FromAttempt(&a)
		require.True(t, ok)
		votes.Add(&p)
	}})
	require.Equal(t, named{net(9), "tcp-syn", detect.Vertical, 1, 1001, 1001, detect.Outcomes{Refused: 1001}}.String(), lines(namedIn(scans)))
	require.Equal(t, 1001, scans[0].Evidence.Crafted)
	mark, ok := votes.Best()
	require.True(t, ok)
	require.Equal(t, marks.Masscan, mark.Name)
	require.Equal(t, []int{1001, 1001}, []int{mark.Matched, mark.Of})
}

// flood is n SYNs of spoofed sources, the first repeat of which send twice.
func flood(tr *trace, from, gap time.Duration, n, repeat int) {
	every(from, gap, n+repeat, func(i int, when time.Duration) {
		source := tr.far(i % n * 31 % 131071)
		tr.send(when, segment{
			from: at(source, 1024+i*7919%60000), to: at(tr.dmz(25), 25565), flags: syn, seq: i * 104729, window: 64240,
			header: header{ttl: 40 + i%80},
		})
		if i%3 == 0 {
			tr.send(when+ms, segment{from: at(tr.dmz(25), 25565), to: at(source, 1024+i*7919%60000), flags: syn | ack, seq: i, ack: i*104729 + 1, window: 64240})
		}
	})
}

// TestSpoofedFlood: of 37,623 spoofed sources with 37,841 SYNs none is named; who scans
// meanwhile is, with every target.
func TestSpoofedFlood(t *testing.T) {
	t.Parallel()
	const sources, repeated = 37623, 218
	for _, scanners := range []bool{false, true} {
		tr := newTrace(false)
		flood(tr, second, 300*time.Microsecond, sources, repeated)
		want := ""
		if scanners {
			tr.knocks(3*second, 40*ms, 60, net(9), portsOf(dmz(30), 1000))
			want = vertical(60)
		}
		records, sum := tr.records(t, sensor.Config{})
		closed := slices.DeleteFunc(records, func(s detect.Scan) bool { return s.Phase != detect.Close })
		require.Equal(t, want, lines(namedIn(closed)))
		require.GreaterOrEqual(t, sum.Detect.Sources, sources)
		require.Zero(t, sum.Detect.SourcesEvicted)
	}
}

// TestScannersUnderAFlood: an hour in which fifty thousand sources send one packet each,
// to targets of their own, and fifty scanners try 20 to 1,000. There is room for a sixth
// of the sources; the scanners are all named, and nobody else.
func TestScannersUnderAFlood(t *testing.T) {
	t.Parallel()
	tr := newTrace(false)
	every(0, 72*ms, 50000, func(i int, when time.Duration) {
		tr.send(when, segment{from: at(far(i), ephemeral(i)), to: at(dmz(i%250), 1+i*7919%65535), flags: syn, seq: i * 104729, window: 64240, options: linux.options})
	})
	want := map[string]bool{}
	for k := range 50 {
		n := 20 + k*20
		want[net(k).String()] = true
		every(minute, 58*minute/time.Duration(n), n, func(i int, when time.Duration) {
			tr.send(when, segment{from: at(net(k), 40000+i), to: at(dmz(1+i%200), 22+i/200), flags: syn, seq: i * 7919, window: 64240, options: linux.options})
		})
	}
	cfg := sensor.Config{Inline: true}
	cfg.Engine.Sources, cfg.Engine.Groups, cfg.Engine.History = 1<<13, 1<<15, 1<<15
	cfg.Table.MaxEntries = 1 << 13
	got := map[string]bool{}
	for _, s := range tr.scans(t, cfg) {
		got[s.Src.String()] = true
	}
	require.Equal(t, want, got)
}

// TestSlowScanUnderAFlood: one probe in ten minutes for a day, while spoofed sources come
// and go: all 144 targets are found, as one scan.
func TestSlowScanUnderAFlood(t *testing.T) {
	t.Parallel()
	for _, horizontal := range []bool{false, true} {
		tr := newTrace(false)
		every(0, 4*second, 21600, func(i int, when time.Duration) {
			tr.send(when, segment{from: at(far(i), ephemeral(i)), to: at(dmz(i%250), 1+i*7919%65535), flags: syn, seq: i * 104729, window: 64240, options: linux.options})
		})
		want := named{net(9), "tcp-connect", detect.Vertical, 1, 144, 144, detect.Outcomes{Silent: 144}}
		if horizontal {
			want.Shape, want.Hosts, want.Ports = detect.Horizontal, 144, 1
		}
		every(0, 10*minute, 144, func(i int, when time.Duration) {
			to, port := dmz(251), 1000+i
			if horizontal {
				to, port = dmz(1+i), 22
			}
			tr.dial(when, net(9), to, port).put(client, syn, 0)
		})
		cfg := sensor.Config{}
		cfg.Engine.Sources, cfg.Engine.Groups = 1<<11, 1<<13
		require.Equal(t, want.String(), found(t, tr, cfg))
	}
}
