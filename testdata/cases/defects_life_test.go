package cases_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/detect"
	"github.com/synoptic-ids/synoptic/detect/sensor"
)

// TestDefect09: bro-simple-scan counts the histories S, SW, Sr and SWr only. A SYN scan of
// open ports (ShR), and one of hosts whose firewall answers by ICMP, are invisible.
func TestDefect09(t *testing.T) {
	t.Parallel()
	tr := newTrace(false)
	every(second, 100*ms, 40, func(i int, when time.Duration) {
		tr.probe(when, probe{from: tr.net(9), to: tr.dmz(1 + i), port: 22, flags: syn, answer: opened})
		tr.dial(when+10*ms, tr.net(10), tr.dmz(1+i), 445).put(client, syn, 0)
		tr.icmpError(when+20*ms, tr.dmz(254), adminDenied)
	})
	scans := tr.scans(t, sensor.Config{})
	require.Equal(t, lines([]named{
		{net(9), "tcp-syn", detect.Horizontal, 40, 1, 40, detect.Outcomes{Answered: 40}},
		{net(10), "tcp-connect", detect.Horizontal, 40, 1, 40, detect.Outcomes{Unreachable: 40}},
	}), lines(namedIn(scans)))
	for _, s := range scans {
		if s.Src == net(10) {
			require.Equal(t, detect.Prohibited, s.Verdict)
			continue
		}
		require.Equal(t, detect.Answered, s.Verdict)
		require.Len(t, s.Answered, 40)
	}
}

// TestDefect10: Zeek's misc/scan suppresses notices by the scanner alone for an hour: the
// second victim is never told (zeek/zeek#1167).
func TestDefect10(t *testing.T) {
	t.Parallel()
	tr := newTrace(false)
	tr.knocks(second, 200*ms, 40, tr.net(9), portsOf(tr.dmz(20), 1000))
	tr.knocks(3*minute, 200*ms, 12, tr.net(9), portsOf(tr.dmz(21), 1000))
	records, _ := tr.records(t, sensor.Config{})
	told := time.Time{}
	for _, r := range records {
		if strings.Contains(strings.Join(r.Added, " "), "hosts") {
			require.Equal(t, detect.Update, r.Phase)
			require.Equal(t, 2, r.Hosts)
			told = r.Time.Std()
		}
	}
	require.WithinDuration(t, tr.base.Add(3*minute), told, 15*second, "the second host is told of when it is scanned")
	last := records[len(records)-1]
	require.Equal(t, []int{2, 52}, []int{last.Hosts, last.Targets})
}

// TestDefect11: ntopng's Scan Detection counts incomplete flows when they expire: 33 tries
// of one dead server are a scan, and a scan is told of after its flows have ended. Its RST
// counter blames who refuses (ntop/ntopng#9219).
func TestDefect11(t *testing.T) {
	t.Parallel()
	tr := newTrace(false)
	every(second, second, 330, func(i int, when time.Duration) {
		tr.dial(when, tr.net(9), tr.dmz(20), 8443).silent(1)
		tr.dial(when, tr.far(i%50), tr.dmz(21), 25).refused()
		tr.dial(when, tr.far(i%50), tr.dmz(22), 25).refused()
	})
	require.Empty(t, found(t, tr, sensor.Config{}))

	tr = newTrace(false)
	every(second, 100*ms, 100, func(i int, when time.Duration) { tr.dial(when, tr.net(9), tr.dmz(20), 1000+i).silent(1) })
	records, _ := tr.records(t, sensor.Config{})
	require.Equal(t, detect.Open, records[0].Phase)
	require.LessOrEqual(t, records[0].DetectedAfter.Seconds, 2.0, "half a second behind the tenth")
}

// TestDefect12: Maltrail at 50,000 pairs of hosts takes no new ones for the rest of its 30 s:
// a burst of spoofed sources at the beginning of a window blinds it. psad knows no bound at
// all. Here a bound that the burst exceeds five times over hides no scanner. What one tried
// before there was room for it is told apart.
func TestDefect12(t *testing.T) {
	t.Parallel()
	tr := newTrace(false)
	every(0, 200*time.Microsecond, 40000, func(i int, when time.Duration) {
		s := segment{from: at(tr.far(i*31%131071), 1024+i%60000), to: at(tr.dmz(20), 80), flags: syn, seq: i * 7919, window: 64240, options: linux.options}
		tr.send(when, s)
	})
	tr.knocks(2*second, 50*ms, 60, tr.net(9), portsOf(tr.dmz(30), 1000))
	tr.knocks(9*second, 50*ms, 60, tr.net(10), portsOf(tr.dmz(30), 1000))
	cfg := sensor.Config{Inline: true}
	cfg.Engine.Sources, cfg.Engine.Groups, cfg.Engine.History = 8000, 16000, 32000
	records, sum := tr.records(t, cfg)
	require.LessOrEqual(t, sum.Detect.Sources, 8000)
	require.NotZero(t, sum.Detect.SourcesEvicted)
	sources := map[string]int{}
	for _, r := range records {
		sources[r.Src.String()] = max(sources[r.Src.String()], r.Targets+r.Evidence.Before)
	}
	j := judgeOf(t)
	j.equal(map[string]int{net(9).String(): 60, net(10).String(): 60}, sources)
	j.done()
}

// TestDefect13: Maltrail's window and that of others begins anew at fixed times: a scan with
// 1.9 times the threshold that lies across the boundary never fires. Whenever it begins,
// it does here.
func TestDefect13(t *testing.T) {
	t.Parallel()
	for phase := range 20 {
		tr := newTrace(false)
		tr.base = tr.base.Add(time.Duration(phase) * 15 * second)
		tr.knocks(second, 16*second, 18, tr.net(9), portsOf(tr.dmz(20), 1000))
		require.Equal(t, vertical(18), found(t, tr, sensor.Config{Rules: only(t, "ports-on-a-host")}), "%d s after a full five minutes", phase*15)
	}
}

// TestDefect14: scanlogd takes the time from the process, forgets a source after 3 s without
// a new port, and holds 256 sources in a ring: a pause, a replay or 257 spoofed sources hide
// the scanner.
func TestDefect14(t *testing.T) {
	t.Parallel()
	tr := newTrace(false)
	every(second, 20*second, 15, func(i int, when time.Duration) {
		tr.dial(when, tr.net(9), tr.dmz(20), 1000+i).refused()
		every(when+second, 10*ms, 400, func(k int, when time.Duration) {
			tr.dial(when, tr.far(i*400+k), tr.dmz(21), 80).put(client, syn, 0)
		})
	})
	require.Equal(t, vertical(15), found(t, tr, sensor.Config{Rules: only(t, "ports-on-a-host")}))
}

// TestDefect15: Splunk ESCU's "Internal Horizontal Port Scan" adds up the hosts of each port:
// one that is tried on five ports is five. Hosts are counted once, whatever is tried on
// them.
func TestDefect15(t *testing.T) {
	t.Parallel()
	tr := newTrace(false)
	tr.knocks(second, 50*ms, 100, tr.lan(9), func(i int) (netip.Addr, int) { return tr.dmz(20 + i/5), []int{22, 80, 443, 445, 3389}[i%5] })
	require.Equal(t, named{lan(9), "tcp-connect", detect.Horizontal, 20, 5, 100, detect.Outcomes{Refused: 100}}.String(), found(t, tr, sensor.Config{}))

	tr = newTrace(false)
	tr.knocks(second, 50*ms, 400, tr.lan(9), func(i int) (netip.Addr, int) { return tr.dmz(20 + i%8), []int{22, 80, 443, 445, 3389}[i/8%5] })
	rules := only(t, "hosts-on-a-port", "ports-on-a-host", "crafted-hosts-on-a-port", "crafted-ports-on-a-host")
	require.Empty(t, found(t, tr, sensor.Config{Rules: rules}), "eight hosts are eight on five ports too")
}
