package marks

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/flows"
)

const (
	scanner  = "203.0.113.66"
	scanner6 = "2001:db8:66::66"
)

// What is named of the lab's recordings: of nmap 7.93 (its SYN, flag, UDP, SCTP,
// protocol and ping scans), masscan 1.3.2 and hping3, every probe matches. The
// three that miss of nmap-version are its conversations with the open ports.
// "7.93 or later" takes a retry to tell.
func TestLabRecordingsAreNamed(t *testing.T) {
	t.Parallel()
	const retried = "7.93 or later"
	nmap := func(version string, matched, of int) map[string]Mark {
		return map[string]Mark{scanner: {Name: Nmap, Version: version, Matched: matched, Of: of}}
	}
	masscan := func(n int) map[string]Mark {
		return map[string]Mark{scanner: {Name: Masscan, Version: "1.3.2 or earlier", Matched: n, Of: n}}
	}
	decoys := nmap(retried, 105, 105)
	decoys["203.0.113.67"], decoys["203.0.113.68"] = decoys[scanner], decoys[scanner]
	for name, want := range map[string]map[string]Mark{
		"hping3-scan":     {scanner: {Name: Hping, Matched: 135, Of: 135}},
		"masscan-block":   masscan(192),
		"masscan-ports":   masscan(100),
		"masscan-sweep":   masscan(64),
		"nmap-ack":        nmap(retried, 105, 105),
		"nmap-busy":       nmap(retried, 105, 105),
		"nmap-dark":       nmap(retried, 120, 120),
		"nmap-decoys":     decoys,
		"nmap-fin":        nmap(retried, 110, 110),
		"nmap-horizontal": nmap(retried, 20, 20),
		"nmap-ipv6":       {scanner6: {Name: Nmap, Version: retried, Matched: 105, Of: 105}},
		"nmap-maimon":     nmap(retried, 105, 105),
		"nmap-null":       nmap(retried, 110, 110),
		"nmap-ping":       nmap("", 112, 112),
		"nmap-prohibited": nmap(retried, 115, 115),
		"nmap-protocols":  nmap("", 60, 60),
		"nmap-refused":    nmap("", 100, 100),
		"nmap-sctp":       nmap("", 40, 40),
		"nmap-slow":       nmap("", 30, 30),
		"nmap-syn":        nmap(retried, 105, 105),
		"nmap-udp":        nmap("", 105, 105),
		"nmap-udp-silent": nmap("", 45, 45),
		"nmap-version":    nmap("", 30, 33),
		"nmap-xmas":       nmap(retried, 110, 110),

		// connect scans, and sweeps in which nothing tells
		"nmap-connect": {}, "nmap-inside": {}, "nmap-arp": {}, "nmap-ndp": {}, "gateway-arp": {},
		// ordinary traffic
		"backup": {}, "browser": {}, "dns": {}, "ftp-passive": {}, "mail": {}, "monitor": {}, "retries": {}, "web": {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found := named(probes(t, recording(name)))
			logMarks(t, name, found)
			require.Equal(t, want, found)
		})
	}
}

// Nothing is named in captures of other people's ordinary traffic: of what the
// table calls attempts, nor of all SYNs, copies and all. Nor are there decoys.
func TestNothingIsNamedInOrdinaryTraffic(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("a hundred captures")
	}
	files := captured(t, corpusDir(), "benign")
	if len(files) == 0 {
		t.Skip("no captures: SYNOPTIC_CORPUS names a directory of some")
	}
	sources, all := map[[16]byte]bool{}, 0
	for _, file := range files {
		ps := probes(t, file)
		for i := range ps {
			sources[ps[i].Src] = true
		}
		all += len(ps)
		require.Empty(t, named(ps), filepath.Base(file))
		sharesNothing(t, file, ps)
		var syns []Probe
		for _, p := range packets(t, file) {
			if p.Kind == flows.KindTCP && p.Flags&(flows.FlagSYN|flows.FlagACK|flows.FlagRST) == flows.FlagSYN {
				syns = append(syns, fromPacket(&p))
			}
		}
		require.Empty(t, named(syns), "SYNs of %s", filepath.Base(file))
		all += len(syns)
	}
	t.Logf("%d probes of %d sources in %d captures", all, len(sources), len(files))
}

// labelled are the sources that labels of a capture call scanners.
func labelled(t *testing.T) map[string]map[string]bool {
	t.Helper()
	f, err := os.Open(filepath.Join(corpusDir(), "labels.jsonl"))
	require.NoError(t, err)
	defer func() { require.NoError(t, f.Close()) }()
	all := map[string]map[string]bool{}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var l struct {
			File  string
			Scans []struct {
				Src  string
				Srcs []string
			}
		}
		require.NoError(t, json.Unmarshal(lines.Bytes(), &l))
		sources := map[string]bool{}
		for _, s := range l.Scans {
			sources[s.Src] = true
			for _, src := range s.Srcs {
				sources[src] = true
			}
		}
		all[l.File] = sources
	}
	require.NoError(t, lines.Err())
	return all
}

// In captures of other people's scans, only scanners are named. What is named of
// them is printed.
func TestOnlyScannersAreNamedInScans(t *testing.T) {
	t.Parallel()
	files := captured(t, corpusDir(), "scans")
	if len(files) == 0 {
		t.Skip("no captures: SYNOPTIC_CORPUS names a directory of some")
	}
	labels := labelled(t)
	for _, file := range files {
		ps := probes(t, file)
		sharesNothing(t, file, ps)
		found := named(ps)
		logMarks(t, file, found)
		for src, m := range found {
			require.True(t, labels["scans/"+filepath.Base(file)][src], "%s in %s: %v", src, file, m)
		}
	}
}
