package output_test

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/cmd/internal/output"
	"github.com/synoptic-ids/synoptic/detect"
)

func TestTextGolden(t *testing.T) {
	clean := output.Run{Inputs: []string{"-"}, Packets: 12345}
	first, last := at(t, "2026-03-10 09:12:00.000"), at(t, "2026-03-10 09:15:20.000")
	clean.First, clean.Last = &first, &last
	for _, tt := range []struct {
		name  string
		cfg   output.TextConfig
		scans []detect.Scan
		run   output.Run
	}{
		{"day.txt", output.TextConfig{}, day(t), account(t)},
		{"day-colour.txt", output.TextConfig{Color: true}, day(t), account(t)},
		{"day-quiet.txt", output.TextConfig{Quiet: true}, day(t), account(t)},
		{"day-verbose.txt", output.TextConfig{Verbose: true}, day(t), account(t)},
		{"none.txt", output.TextConfig{}, nil, clean},
		{"empty.txt", output.TextConfig{}, nil, output.Run{Inputs: []string{"empty.pcap"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			golden(t, tt.name, []byte(render(t, tt.cfg, tt.scans, tt.run)))
		})
	}
}

var ansi = regexp.MustCompile("\x1b\\[[0-9;]*m")

func TestTextColourChangesNothingElse(t *testing.T) {
	plain := render(t, output.TextConfig{}, day(t), account(t))
	coloured := render(t, output.TextConfig{Color: true}, day(t), account(t))
	require.NotEqual(t, plain, coloured)
	require.Equal(t, plain, ansi.ReplaceAllString(coloured, ""))
	require.NotContains(t, plain, "\x1b", "escape codes of file names must not reach the terminal")
}

func TestTextSaysNothingOfWhatWasNotRead(t *testing.T) {
	r := output.Run{Inputs: []string{"notes.txt"}, Refused: []output.Refusal{{Input: "notes.txt", What: "plain text"}}}
	require.Empty(t, render(t, output.TextConfig{}, nil, r))
}

func TestTextFitsTerminal(t *testing.T) {
	v := vertical(t)
	v.Src = netip.MustParseAddr("203.0.113.254")
	text := render(t, output.TextConfig{}, []detect.Scan{opened(v), v}, output.Run{Inputs: []string{"a.pcap"}})
	lines := strings.Split(text, "\n")
	require.LessOrEqual(t, utf8.RuneCountInString(lines[0]), 80, lines[0])
	require.LessOrEqual(t, utf8.RuneCountInString(lines[1]), 100, lines[1])
	for _, line := range lines[2:] {
		require.LessOrEqual(t, utf8.RuneCountInString(line), 80, line)
	}
}

func TestTextLines(t *testing.T) {
	port := uint16(22)
	for _, tt := range []struct {
		name   string
		change func(*detect.Scan)
		want   string
	}{
		{"one port of a network", func(s *detect.Scan) {
			s.Dst, s.Hosts, s.Port, s.Ports = nil, 254, &port, 1
			s.Shape, s.HostRanges, s.Answered, s.Verdict = detect.Horizontal, []string{"192.0.2.0/24: 254 of 256"}, nil, detect.Refused
		}, "254 hosts of 192.0.2.0/24, port 22; refused; medium"},
		{"several networks", func(s *detect.Scan) {
			s.Dst, s.Hosts, s.Port, s.Ports = nil, 3, &port, 1
			s.Shape, s.HostRanges, s.Answered = detect.Horizontal, []string{"192.0.2.0/24: 2 of 256", "198.51.100.0/24: 1 of 256"}, nil
			s.Verdict = detect.Unanswered
		}, "3 hosts in 2 networks, port 22; unanswered; medium"},
		{"more networks than are listed", func(s *detect.Scan) {
			s.Dst, s.Hosts, s.Port, s.Ports = nil, 90, &port, 1
			s.Shape, s.HostRanges, s.Answered = detect.Horizontal, []string{"192.0.2.0/24: 2 of 256", "198.51.100.0/24: 1 of 256", "…"}, nil
			s.Verdict = detect.Unanswered
		}, "90 hosts in over 2 networks, port 22; unanswered; medium"},
		{"block", func(s *detect.Scan) {
			s.Dst, s.Hosts, s.Ports, s.Shape = nil, 16, 12, detect.Block
			s.HostRanges, s.Answered, s.Verdict = []string{"192.0.2.0/24: 16 of 256"}, nil, detect.Ambiguous
		}, "16 hosts of 192.0.2.0/24, 12 ports; ambiguous; medium"},
		{"protocols", func(s *detect.Scan) {
			s.Shape, s.Technique, s.Ports, s.Targets, s.Answered = detect.Protocol, "ip-protocol", 0, 6, nil
			s.Verdict = detect.Unanswered
		}, "192.0.2.10: 6 protocols; unanswered; medium"},
		{"estimated", func(s *detect.Scan) { s.Estimated = true }, "192.0.2.10: at least 200 ports; 3 answered: 22,80,443; medium"},
		{"probed", func(s *detect.Scan) { s.Verdict = detect.Probed }, "192.0.2.10: 200 ports; probed; 3 answered: 22,80,443; medium"},
		{"engaged", func(s *detect.Scan) { engage(s, 3) }, "192.0.2.10: 200 ports; engaged: 192.0.2.10:22 for 1 min 5 s and 2 more; high"},
		{"called", func(s *detect.Scan) {
			engage(s, 1)
			s.Phase, s.Engaged[0] = detect.Reopen, detect.Engagement{Src: *s.Dst, Dst: s.Src, Port: 4444}
		}, "192.0.2.10: 200 ports; engaged: 192.0.2.10 called 203.0.113.66:4444; high"},
		{"abused", func(s *detect.Scan) {
			s.AbusedBy = []netip.Addr{netip.MustParseAddr("198.51.100.9")}
		}, "192.0.2.10: 200 ports; 3 answered: 22,80,443; abused by 198.51.100.9; medium"},
		{"one host without ports", func(s *detect.Scan) {
			s.Ports, s.Technique = 0, "icmp-echo"
			s.Answered = []detect.Endpoint{{Host: *s.Dst, Proto: "icmp"}}
		}, "192.0.2.10; 1 answered: 192.0.2.10; medium"},
		{"IPv6 endpoints", func(s *detect.Scan) {
			a, b := netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8::2")
			s.Dst, s.Hosts, s.HostRanges = nil, 2, []string{"2001:db8::/64: 2"}
			s.Answered = []detect.Endpoint{{Host: a, Port: 22, Proto: "tcp"}, {Host: a, Port: 80, Proto: "tcp"}, {Host: b, Port: 22, Proto: "tcp"}}
		}, "2 hosts of 2001:db8::/64, 200 ports; 3 answered: [2001:db8::1]:22,80 …; medium"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := vertical(t)
			tt.change(&s)
			text := render(t, output.TextConfig{Quiet: true}, []detect.Scan{s}, output.Run{})
			require.True(t, strings.HasSuffix(text, " "+tt.want+"\n"), text)
		})
	}
}

// engage gives a scan conversations.
func engage(s *detect.Scan, n int) {
	s.Verdict, s.Severity = detect.Engaged, 4
	for i := range n {
		s.Engaged = append(s.Engaged, detect.Engagement{
			Src: s.Src, Dst: *s.Dst, Port: uint16(22 + i), Time: s.Last, Seconds: 65.2, Sent: 2020, Received: 8040,
		})
	}
}

// A scan that closes again after it was reopened is in the table once, as it closed last.
func TestTextReopened(t *testing.T) {
	first, again := vertical(t), vertical(t)
	engage(&again, 1)
	reopen := again
	reopen.Phase, reopen.Added = detect.Reopen, []string{"engaged"}
	text := render(t, output.TextConfig{}, []detect.Scan{opened(first), first, reopen, again}, output.Run{})
	lines, table, _ := strings.Cut(text, "SOURCE")
	require.Equal(t, 1, strings.Count(lines, " reopen "))
	require.Equal(t, 2, strings.Count(lines, " close  203.0.113.66 "))
	require.Equal(t, 1, strings.Count(table, "→"))
	require.Contains(t, table, " engaged ")
	require.Contains(t, table, "; engaged 192.0.2.10:22 for 1 min 5 s;")
}

// Many sources are counted in the line, and listed below the table's; a scan that goes on in
// another is not in the table.
func TestTextOfManySources(t *testing.T) {
	all, one := decoys(t)
	text := render(t, output.TextConfig{}, []detect.Scan{opened(all), one, all}, output.Run{Inputs: []string{"a.pcap"}})
	lines, table, _ := strings.Cut(text, "SOURCE")
	require.Contains(t, lines, "open   3 sources ")
	require.Contains(t, lines, "unanswered; info; goes on as a scan by many\n")
	require.Contains(t, table, "\n3 sources vertical tcp-syn")
	require.Contains(t, table, "\n  ← 203.0.113.66, 203.0.113.67, 203.0.113.68; most likely 203.0.113.66\n")
	require.Equal(t, 1, strings.Count(table, "→"))
	for i := range 40 {
		all.Srcs = append(all.Srcs, netip.AddrFrom4([4]byte{198, 51, 100, byte(i)}))
	}
	_, table, _ = strings.Cut(render(t, output.TextConfig{}, []detect.Scan{all}, output.Run{}), "SOURCE")
	require.Contains(t, table, ", …; most likely 203.0.113.66\n")
	for line := range strings.Lines(table) {
		require.LessOrEqual(t, utf8.RuneCountInString(line), 80, line)
	}
}

func TestTextUpdates(t *testing.T) {
	base := opened(vertical(t))
	step := func(v detect.Verdict, added ...string) detect.Scan {
		s := base
		s.Phase, s.Verdict, s.Added = detect.Update, v, added
		return s
	}
	scans := []detect.Scan{
		base,
		step(detect.Unanswered, "targets"),
		step(detect.Refused, "verdict"),
		step(detect.Ambiguous, "verdict"),
		step(detect.Refused, "verdict"),
		step(detect.Refused, "targets", "shape"),
	}
	phases := func(cfg output.TextConfig) int {
		return strings.Count(render(t, cfg, scans, output.Run{}), " update ")
	}
	require.Equal(t, 2, phases(output.TextConfig{Quiet: true}), "growth alone, and a verdict that falls back, are not worth a line")
	require.Equal(t, 5, phases(output.TextConfig{Quiet: true, Verbose: true}))
}

func TestTextTableKeepsTheGravest(t *testing.T) {
	const scans = 2000
	all := make([]detect.Scan, 0, scans)
	for i := range scans {
		s := vertical(t)
		s.Src = netip.AddrFrom4([4]byte{198, 51, byte(i >> 8), byte(i)})
		s.Severity, s.Answered, s.Verdict = 1, nil, detect.Unanswered
		if i == 17 {
			s.Severity = 5
		}
		all = append(all, s)
	}
	text := render(t, output.TextConfig{}, all, output.Run{})
	_, table, found := strings.Cut(text, "SOURCE")
	require.True(t, found)
	lines := strings.Split(table, "\n")
	require.True(t, strings.HasPrefix(lines[1], "198.51.0.17"), lines[1])
	require.Contains(t, table, "and 1,800 more, of less severity or fewer targets\n")
	require.Equal(t, 200, strings.Count(table, "→"))
}

type brokenWriter struct{}

var errBroken = errors.New("broken")

func (brokenWriter) Write([]byte) (int, error) { return 0, errBroken }

func TestEncodersReportErrors(t *testing.T) {
	s, r := vertical(t), output.Run{}
	for _, e := range []output.Encoder{output.NewText(brokenWriter{}, output.TextConfig{}), output.NewJSON(brokenWriter{})} {
		t.Run(fmt.Sprintf("%T", e), func(t *testing.T) {
			require.ErrorIs(t, e.Scan(&s), errBroken)
			require.ErrorIs(t, e.Run(&r), errBroken)
		})
	}
}
