package replays

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"io"
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

// frame is a captured packet with its data kept.
type frame struct {
	capture.Frame
	link uint16
}

// reader is what tests and rapid's draws have in common.
type reader interface {
	require.TestingT
	Helper()
}

// read is all of a capture.
func read(t reader, file string) []frame {
	t.Helper()
	src, err := capture.Open(file, capture.Config{})
	require.NoError(t, err)
	var all []frame
	fs := make([]capture.Frame, 256)
	for {
		n, err := src.Read(fs)
		for _, f := range fs[:n] {
			f.Data = bytes.Clone(f.Data)
			all = append(all, frame{f, src.Link(f.Iface)})
		}
		if err == io.EOF {
			require.NoError(t, src.Close())
			return all
		}
		require.NoError(t, err)
	}
}

// memory is frames as a source; each link type is an interface.
type memory struct {
	frames []frame
	links  []uint16
	sent   capture.Stats
}

// play numbers the interfaces of frames by their link types.
func play(frames []frame) *memory {
	m := &memory{frames: slices.Clone(frames)}
	for i := range m.frames {
		f := &m.frames[i]
		n := slices.Index(m.links, f.link)
		if n < 0 {
			n = len(m.links)
			m.links = append(m.links, f.link)
		}
		f.Iface = uint32(n)
	}
	return m
}

func (m *memory) Read(fs []capture.Frame) (n int, err error) {
	for n < len(fs) && len(m.frames) > 0 {
		fs[n] = m.frames[0].Frame
		m.frames = m.frames[1:]
		n++
	}
	m.sent.Packets += uint64(n)
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

func (m *memory) Link(iface uint32) uint16 {
	if int(iface) >= len(m.links) {
		return 0xffff
	}
	return m.links[iface]
}

func (m *memory) Stats() (capture.Stats, error) { return m.sent, nil }
func (m *memory) Close() error                  { return nil }

// scans are the closed scans that the line finds with the default profile.
func scans(t reader, src capture.Source) (found []detect.Scan) {
	t.Helper()
	s, err := sensor.New(sensor.Config{OnScan: func(s detect.Scan) {
		found = detect.AddClosed(found, s)
	}})
	require.NoError(t, err)
	_, err = s.Run(context.Background(), src)
	require.NoError(t, err)
	return found
}

// result is what a scan came to, without times and counts of packets.
type result struct {
	Src, Shape, Technique, Verdict string
	HostRanges, Techniques         []string
	PortRanges                     string
	Hosts, Ports, Targets          int
	Outcomes                       detect.Outcomes
}

// results are those of scans, in an order of their own.
func results(found []detect.Scan) []result {
	rs := make([]result, 0, len(found))
	for _, s := range found {
		rs = append(rs, result{
			Src: s.Src.String(), Shape: string(s.Shape), Technique: s.Technique, Verdict: string(s.Verdict),
			HostRanges: s.HostRanges, Techniques: s.Techniques, PortRanges: s.PortRanges,
			Hosts: s.Hosts, Ports: s.Ports, Targets: s.Targets, Outcomes: s.Outcomes,
		})
	}
	sortResults(rs)
	return rs
}

func sortResults(rs []result) {
	slices.SortStableFunc(rs, func(a, b result) int {
		return cmp.Or(cmp.Compare(a.Src, b.Src), cmp.Compare(a.Targets, b.Targets), cmp.Compare(a.PortRanges, b.PortRanges))
	})
}

// recorded is one of the captures of testdata.
type recorded struct {
	name     string
	frames   []frame
	scanners []string
	want     []result // what the line finds in it, see judged
}

const captures = "../captures"

// library are all captures of testdata but the scan day, which is most of them
// at once.
func library(t *testing.T) []recorded {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(captures, "labels.jsonl"))
	require.NoError(t, err)
	var all []recorded
	for line := range strings.Lines(string(text)) {
		var l struct {
			File  string
			Scans []struct{ Src string }
		}
		require.NoError(t, json.Unmarshal([]byte(line), &l))
		if strings.HasPrefix(l.File, "scan-day") {
			continue
		}
		c := recorded{name: l.File, frames: read(t, filepath.Join(captures, l.File))}
		for _, s := range l.Scans {
			c.scanners = append(c.scanners, s.Src)
		}
		all = append(all, c)
	}
	require.NotEmpty(t, all)
	return all
}

// judged is what the line finds in captures as they were taken.
func judged(t *testing.T, all []recorded) []recorded {
	t.Helper()
	for i := range all {
		c := &all[i]
		c.want = results(scans(t, play(c.frames)))
		require.Len(t, c.want, len(c.scanners), c.name)
	}
	return all
}
