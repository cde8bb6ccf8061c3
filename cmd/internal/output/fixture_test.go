package output_test

import (
	"bytes"
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/capture"
	"github.com/synoptic-ids/synoptic/cmd/internal/output"
	"github.com/synoptic-ids/synoptic/detect"
	"github.com/synoptic-ids/synoptic/detect/gate"
	"github.com/synoptic-ids/synoptic/detect/sensor"
	"github.com/synoptic-ids/synoptic/flows"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares got with a golden file, or writes it with -update.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", "golden", name)
	if *update {
		require.NoError(t, os.WriteFile(path, got, 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got))
}

// at is a time of the day of the examples.
func at(t *testing.T, clock string) detect.Time {
	t.Helper()
	std, err := time.Parse("2006-01-02 15:04:05.000", clock)
	require.NoError(t, err)
	return detect.Time(std.UnixNano())
}

// vertical is 200 ports of one host, three of which answered.
func vertical(t *testing.T) detect.Scan {
	t.Helper()
	dst := netip.MustParseAddr("192.0.2.10")
	first, last := at(t, "2026-03-10 09:12:30.804"), at(t, "2026-03-10 09:12:35.100")
	return detect.Scan{
		Event: "scan", Phase: detect.Close, ID: "0123456789abcdef", Correlation: "fedcba9876543210",
		Time: at(t, "2026-03-10 09:12:35.900"), Src: netip.MustParseAddr("203.0.113.66"),
		Shape: detect.Vertical, Technique: "tcp-syn", Techniques: []string{"tcp-syn"}, Proto: "tcp",
		Rule: "ports-on-a-host", Rules: []detect.Fired{{Rule: "ports-on-a-host", Time: first + 4e8, Value: 10}},
		Dst: &dst, Hosts: 1, Ports: 200, PortRanges: "1-200", Targets: 200, Attempts: 200, Packets: 210, Rate: 46.555,
		First: first, Last: last, DetectedAfter: detect.Detected{Targets: 10, Seconds: 0.4},
		Outcomes: detect.Outcomes{Silent: 40, Refused: 157, Answered: 3},
		Answered: []detect.Endpoint{
			{Host: dst, Port: 22, Proto: "tcp"}, {Host: dst, Port: 80, Proto: "tcp"}, {Host: dst, Port: 443, Proto: "tcp"},
		},
		Verdict: detect.Answered, Severity: 3, Direction: detect.Inbound, Attack: []string{"T1595"},
		Confidence: 0.95, Reasons: []string{"the probes bear the mark of a tool", "three times the threshold"}, Risk: 57,
		Tool:     &detect.Tool{Name: "nmap", Version: "7.93 or later", Matched: 198, Of: 200},
		Evidence: detect.Evidence{Count: "dst_port", Value: 10, Threshold: 9, Window: "5m0s", Crafted: 200},
	}
}

// opened is the record at the opening of a scan that later is s.
func opened(s detect.Scan) detect.Scan {
	s.Phase, s.Time, s.Last = detect.Open, s.First+9e8, s.First+4e8
	s.Ports, s.Targets, s.Attempts, s.Packets = 10, 10, 10, 10
	s.PortRanges, s.Answered, s.Outcomes = "1-10", nil, detect.Outcomes{Silent: 10}
	s.Verdict, s.Severity = detect.Unanswered, 1
	return s
}

// sweep is an ARP sweep followed by a scan of what it found, over midnight,
// and with it everything a record can hold.
func sweep(t *testing.T) detect.Scan {
	t.Helper()
	s := vertical(t)
	host := netip.MustParseAddr("192.0.2.7")
	s.ID, s.Src, s.Dst = "00000000000000ff", netip.MustParseAddr("192.0.2.201"), nil
	s.Shape, s.Technique, s.Proto, s.Techniques = detect.Horizontal, "arp", "arp", []string{"arp", "tcp-connect"}
	s.Hosts, s.Ports, s.PortRanges, s.Targets = 254, 2, "22,80", 260
	s.HostRanges = []string{"192.0.2.0/24: 254 of 256"}
	s.Last, s.Time = at(t, "2026-03-11 00:00:05.000"), at(t, "2026-03-11 00:15:05.000")
	s.Outcomes = detect.Outcomes{Silent: 250, Answered: 4, Refused: 6}
	s.Answered = []detect.Endpoint{
		{Host: host, Proto: "arp"},
		{Host: host, Port: 22, Proto: "tcp"},
		{Host: host, Port: 80, Proto: "tcp"},
		{Host: netip.MustParseAddr("192.0.2.8"), Proto: "arp"},
	}
	s.AnsweredTotal, s.Severity, s.Direction, s.Attack = 300, 4, detect.Internal, []string{"T1018"}
	s.Sparse, s.Estimated, s.Cut, s.VLAN = true, true, 3, 10
	s.Evidence.Baseline = &detect.Baseline{Hours: 26, Mean: 2.1, SD: 0.5, Threshold: 9.1, Level: "pair"}
	s.AnswersAll = []netip.Addr{netip.MustParseAddr("192.0.2.9")}
	s.Parts = []detect.Part{
		{
			Technique: "arp", Proto: "arp", Shape: detect.Horizontal, Hosts: 254, Targets: 254, Attempts: 254,
			First: s.First, Last: s.First + 1e9, Outcomes: detect.Outcomes{Silent: 250, Answered: 4},
		},
		{
			Technique: "tcp-connect", Proto: "tcp", Shape: detect.Vertical, Hosts: 3, Ports: 2, Targets: 6, Attempts: 6,
			First: s.First + 2e9, Last: s.Last, Outcomes: detect.Outcomes{Refused: 6},
		},
	}
	return s
}

// updated is the record at the moment when the sweep went over to TCP.
func updated(s detect.Scan) detect.Scan {
	s.Phase, s.Time, s.Last, s.Added = detect.Update, s.First+3e9, s.First+2e9, []string{"targets", "technique"}
	return s
}

// decoys is a scan under three addresses, and what was open of one of them.
func decoys(t *testing.T) (all, one detect.Scan) {
	t.Helper()
	all, one = vertical(t), opened(vertical(t))
	all.ID, all.Src, all.Sources = "00000000000000dd", netip.Addr{}, 3
	for _, a := range []string{"203.0.113.66", "203.0.113.67", "203.0.113.68"} {
		all.Srcs = append(all.Srcs, netip.MustParseAddr(a))
	}
	all.Likely = &all.Srcs[0]
	all.Evidence.Division = &detect.Division{Sources: 3, Shared: 1, Expected: 2.5}
	one.Phase, one.ID, one.MergedInto = detect.Close, "00000000000000de", all.ID
	return all, one
}

// account is a run with everything that can go wrong.
func account(t *testing.T) output.Run {
	t.Helper()
	r := output.RunOf(&sensor.Summary{
		Capture: capture.Stats{Packets: 12345, Bytes: 987654, Dropped: 17, Skipped: 2, Untimed: 1, Damaged: 2, Foreign: 3},
		Decode: flows.DecodeStats{
			Truncated: 3, Malformed: 4, NoIP: []flows.NumberCount{{Number: 0x88cc, Frames: 5}}, NoIPOthers: 1,
			Links: []flows.NumberCount{{Number: 189, Frames: 6}, {Number: 999, Frames: 7}}, LinksOthers: 8,
			Encrypted: 23, BadFCS: 24, Unread: 25,
			Tunnels:    [flows.NumTunnels]uint64{flows.TunnelMPLS: 18, flows.TunnelVXLAN: 19},
			TunnelsCut: 20, TunnelsTooDeep: 21, TunnelsNoIP: 22,
			Joined: 26, Overlaid: 27, Incomplete: 28, Displaced: 29,
		},
		Table: flows.TableStats{Attempts: 9, Connections: 10, Backscatter: 11, MidStream: 12, Evicted: 14, EvictedLive: 13, ClockJumps: 1},
		Detect: detect.Stats{
			Opened: 2, Closed: 2, SourcesEvicted: 15, GroupsEvicted: 16,
			WalksEvicted: 30, SuspectsEvicted: 31, PairsEvicted: 32, FactsEvicted: 33, Cut: 34,
			Gate: gate.Stats{Asked: 35, Admitted: 36},
		},
		First: at(t, "2026-03-10 09:12:00.000"), Last: at(t, "2026-03-11 00:15:05.000"),
		Damage: []*capture.DamageError{
			{Name: "cut.pcap", Offset: 4096, Packets: 31, Reason: "12 of 60 bytes are there"},
			{Name: "dir/notes.txt", Err: &capture.FormatError{Name: "dir/notes.txt", What: "plain text"}},
		},
		Refused: []*capture.FormatError{{Name: "a\x1b[31m.txt", What: "plain text"}},
	})
	r.Inputs = []string{"cut.pcap", "dir", "a\x1b[31m.txt"}
	r.Profile, r.Version = "default", "devel"
	r.Home = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
	return r
}

// notices are one of each kind that is written in its own way.
func notices(t *testing.T) []detect.Notice {
	t.Helper()
	dst, port := netip.MustParseAddr("192.0.2.10"), uint16(443)
	flood := detect.Notice{
		Event: detect.Flood, Phase: detect.Open, ID: "00000000000f100d", Time: at(t, "2026-03-10 10:00:02.000"),
		Dst: &dst, Port: &port, Proto: "tcp", Sources: 130, Estimated: true, Packets: 1312, Rate: 656,
		First: at(t, "2026-03-10 10:00:00.000"), Last: at(t, "2026-03-10 10:00:02.000"),
		Evidence: &detect.NoticeEvidence{Value: 128, Threshold: 128, Window: "1m0s", Weighed: 1312, Against: 7},
	}
	over := flood
	over.Phase, over.Time, over.Last = detect.Close, at(t, "2026-03-10 10:15:00.000"), at(t, "2026-03-10 10:10:00.000")
	over.Port, over.Ports, over.Sources, over.Packets = nil, 60123, 1234567, 2345678
	service := uint16(1900)
	reflection := flood
	reflection.Event, reflection.ID, reflection.Proto, reflection.SrcPort = detect.Reflection, "00000000000f100e", "udp", &service
	scatter := flood
	scatter.Event, scatter.ID, scatter.Sources, scatter.Hosts = detect.Backscatter, "00000000000f100f", 0, 254
	router := scatter
	router.Event, router.ID, router.Dst, router.Gateway, router.Proto, router.Port = detect.GatewayARP, "00000000000f1010", nil, &dst, "arp", nil
	all := []detect.Notice{flood, reflection, scatter, router, over}
	for _, about := range []string{
		detect.HealthLearning, detect.HealthOneWay, detect.HealthDrops, detect.HealthClockJump,
		detect.HealthDuplicates, detect.HealthSaturation, detect.HealthFlood,
	} {
		n := detect.HealthNotice(about, over.Time, 7)
		if about == detect.HealthLearning {
			n.Learning = []detect.Learning{{What: "baselines", Until: over.Time + 24*3600e9}}
		}
		if about == detect.HealthFlood {
			n.Count, n.Slowest = 0, 12.5
		}
		n.Proto = "tcp"
		all = append(all, n)
	}
	// What is told while a run goes on lasts.
	for _, n := range []detect.Notice{
		{About: detect.HealthDrops, Count: 12},
		{About: detect.HealthDark, Phase: detect.Open},
		{About: detect.HealthDark, Phase: detect.Close},
		{About: detect.HealthHeartbeat, Counters: &detect.Counters{
			Packets: 1_234_567, Bytes: 2, Dropped: 3, Attempts: 4, Opened: 5, Closed: 6, Forgotten: 7, Sources: 8, Withheld: 9,
		}},
	} {
		lasts := detect.HealthNotice(n.About, over.Time, n.Count)
		lasts.Phase, lasts.Counters, lasts.Last = n.Phase, n.Counters, lasts.First+300e9
		lasts.Time = lasts.Last
		all = append(all, lasts)
	}
	return all
}

// play gives the records of the example day to an encoder.
func play(t *testing.T, e output.Encoder, scans []detect.Scan, r output.Run) {
	t.Helper()
	for i := range scans {
		require.NoError(t, e.Scan(&scans[i]))
		for _, n := range notices(t) {
			if i == 2 {
				require.NoError(t, e.Notice(&n))
			}
		}
	}
	require.NoError(t, e.Run(&r))
}

func day(t *testing.T) []detect.Scan {
	t.Helper()
	v, s := vertical(t), sweep(t)
	return []detect.Scan{opened(v), opened(s), updated(s), v, s}
}

func render(t *testing.T, cfg output.TextConfig, scans []detect.Scan, r output.Run) string {
	t.Helper()
	var b bytes.Buffer
	play(t, output.NewText(&b, cfg), scans, r)
	return b.String()
}
