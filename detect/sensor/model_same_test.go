package sensor_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/capture"
	"github.com/synoptic-ids/synoptic/detect"
	"github.com/synoptic-ids/synoptic/detect/sensor"
)

// Why the model of the program in the kernel finds something else than the line does of all
// packets.
const (
	noACKs      = "segments with ACK alone are not told, so that no ACK scan is seen"
	noReply     = "no reply was seen before: it may be that none can be"
	laterTalk   = "only the first connection to a target is told, and what was said was said on later ones"
	allFlags    = "who spoke first is told by segments that are not"
	begunBefore = "the conversations that show the gateway began before the capture, and nothing of them is told"
	listened    = "who closes after the other's greeting may have asked elsewhere, and is not held to have abandoned it"
)

// exception is what the model finds of a capture in place of what the line does. A scan is
// "source technique shape", with its verdict.
type exception struct {
	why     string
	verdict string   // that it may have in place of any
	without []string // what it does not find
	beyond  []string // what it finds, and the line does not
}

// exceptions are those of the captures that are there, and of the labelled ones.
func exceptions() map[string]exception {
	return map[string]exception{
		"captures/ack.pcap":                              {why: noACKs, without: []string{"203.0.113.250 tcp-ack vertical"}},
		"recordings/nmap-ack.pcap":                       {why: noACKs, without: []string{"203.0.113.66 tcp-ack vertical"}},
		"recordings/nmap-window.pcap":                    {why: noACKs, without: []string{"203.0.113.66 tcp-ack vertical"}},
		"recordings/nmap-ack-sweep.pcap":                 {why: noACKs, without: []string{"203.0.113.66 tcp-ack horizontal"}},
		"recordings/nmap-dark.pcap":                      {why: noReply, verdict: "unknown"},
		"recordings/nmap-web.pcap":                       {why: laterTalk, verdict: "answered"},
		"scans/evilfingers__nmap_ack.pcap":               {why: noACKs, without: []string{"192.168.1.10 tcp-ack vertical"}},
		"scans/pythonids__ack_ubuntu.pcapng":             {why: noACKs, without: []string{"192.168.115.129 tcp-ack vertical"}},
		"odd/maltrail__ack_sweep_no_fp.pcap":             {why: noACKs, without: []string{"203.0.113.9 tcp-ack vertical"}},
		"scans/evilfingers__xscan_vulnscan.pcap":         {why: laterTalk, verdict: "probed"},
		"scans/kddsparkml__nmap_lossy.pcap":              {why: noReply, verdict: "unknown"},
		"scans/ppa1__portscan.pcap":                      {why: noReply, verdict: "unknown"},
		"scans/pythonids__xmas_windows_silent.pcapng":    {why: noReply, verdict: "unknown"},
		"scans/scannerrec__masscan.pcap":                 {why: noReply, verdict: "unknown"},
		"scans/scanng__23-tcp.pcap":                      {why: noReply, verdict: "unknown"},
		"scans/scanng__scan-1433.pcap":                   {why: noReply, verdict: "unknown"},
		"scans/sgr__hs-tcp_synPingSweep.pcap":            {why: noReply, verdict: "unknown"},
		"scans/sgr__hs-udpPingSweep.pcap":                {why: noReply, verdict: "unknown"},
		"scans/sgr__portScan_1_to_10000.pcapng":          {why: noReply, verdict: "unknown"},
		"scans/simplescan__445_scan.pcap":                {why: noReply, verdict: "unknown"},
		"scans/simplescan__multiport_scan.pcap":          {why: noReply, verdict: "unknown"},
		"scans/stopddos__inbound-syn-background.pcapng":  {why: noReply, verdict: "unknown"},
		"odd/simplescan__scan_with_zero_windows.pcap":    {why: noReply, verdict: "unknown"},
		"odd/esnet__tcp_two_way_all_flags.pcap":          {why: allFlags, beyond: []string{"10.0.0.80 tcp-syn vertical"}},
		"benign/sgr__dga-and-gateway-arp.pcapng":         {why: begunBefore, beyond: []string{"192.168.1.1 arp horizontal"}},
		"benign/ppa1__gnutella.pcap":                     {why: laterTalk, verdict: "refused"},
		"benign/alienvault__spambot-840-smtp-hosts.pcap": {why: listened, without: []string{"192.168.1.222 tcp-connect horizontal"}},
	}
}

// scansOf are the closed scans of a capture, by the model or, where budget is 0, by the whole line.
func scansOf(t *testing.T, file string, budget int) ([]detect.Scan, sensor.Summary) {
	t.Helper()
	var scans []detect.Scan
	s, err := sensor.New(sensor.Config{OnScan: func(s detect.Scan) { scans = detect.AddClosed(scans, s) }})
	require.NoError(t, err)
	src, err := capture.Join([]string{file}, capture.Config{})
	if err != nil {
		return nil, sensor.Summary{} // it is no capture
	}
	defer src.Close()
	var sum sensor.Summary
	if budget > 0 {
		sum, err = s.RunCounter(context.Background(), newModel(src, budget))
	} else {
		sum, err = s.Run(context.Background(), src)
	}
	require.NoError(t, err)
	return scans, sum
}

// kernelBudget is that of the program.
const kernelBudget = 4096

// same holds the scans of one line against those of the other, but for an exception.
func same(t *testing.T, name string, all, told []detect.Scan) {
	t.Helper()
	e := exceptions()[name]
	var want, have []string
	verdicts := map[string][]string{}
	for _, s := range all {
		w := who(&s)
		verdicts[w] = append(verdicts[w], string(s.Verdict))
		if !slices.Contains(e.without, w) {
			want = append(want, w)
		}
	}
	for _, s := range told {
		w := who(&s)
		have = append(have, w)
		if v := string(s.Verdict); !slices.Contains(e.beyond, w) && v != e.verdict {
			require.Contains(t, verdicts[w], v, "%s: verdict of %s", name, w)
		}
	}
	for _, w := range e.without {
		require.Contains(t, verdicts, w, "%s: no exception is needed: %s", name, e.why)
	}
	excused := func(s detect.Scan) bool { return string(s.Verdict) == e.verdict }
	require.Equal(t, e.verdict != "", slices.ContainsFunc(told, excused), "%s: %s", name, e.why)
	want = append(want, e.beyond...)
	slices.Sort(want)
	slices.Sort(have)
	require.Equal(t, want, have, "%s: %s", name, e.why)
}

func who(s *detect.Scan) string { return fmt.Sprintf("%s %s %s", s.Src, s.Technique, s.Shape) }

// TestModelFindsTheSame holds what is found of the packets that the program in the kernel
// would tell against what is found of all: source, technique, shape and verdict. It reads the
// project's own captures and, where they are at hand, the labelled ones.
func TestModelFindsTheSame(t *testing.T) {
	corpus := os.Getenv("SYNOPTIC_CORPUS")
	if corpus == "" {
		corpus = "../../../shared/corpus"
	}
	for _, dir := range []string{"../../testdata/captures", "../../testdata/lab/recordings", corpus + "/scans", corpus + "/benign", corpus + "/odd"} {
		files, err := filepath.Glob(dir + "/*")
		require.NoError(t, err)
		for _, file := range files {
			name := filepath.Base(dir) + "/" + filepath.Base(file)
			if !strings.Contains(name, ".pcap") && !strings.HasSuffix(name, ".erf") {
				continue
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				all, _ := scansOf(t, file, 0)
				told, _ := scansOf(t, file, kernelBudget)
				same(t, name, all, told)
			})
		}
	}
}

// TestModelTellsLittle: of ordinary traffic little is told.
func TestModelTellsLittle(t *testing.T) {
	_, sum := scansOf(t, "../../testdata/captures/scan-day.pcapng", kernelBudget)
	t.Logf("%d of %d packets are told", sum.Table.Packets, sum.Capture.Packets)
	require.Less(t, sum.Table.Packets, sum.Capture.Packets/2)
}

// TestModelOverBudget: a scan goes on by what is counted, and says that it is estimated; nobody
// else is named.
func TestModelOverBudget(t *testing.T) {
	const file = "../../testdata/captures/syn-vertical.pcap"
	all, _ := scansOf(t, file, 0)
	told, _ := scansOf(t, file, 20)
	require.Len(t, told, 1)
	require.Equal(t, all[0].Src, told[0].Src)
	require.True(t, told[0].Estimated)
	require.Greater(t, told[0].Targets, all[0].Targets/2)
	require.LessOrEqual(t, told[0].Targets, all[0].Targets)
}
