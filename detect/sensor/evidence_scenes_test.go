package sensor_test

import (
	"encoding/binary"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/capture"
	"github.com/synoptic-ids/synoptic/detect/sensor"
)

// scene is a capture of raw IPv4 that a test writes packet by packet.
type scene struct {
	frames []frame
	marks  []string // what each is to the test; empty: no part of a scan
	ids    uint16
}

const (
	fin = 1 << iota
	syn
	rst
	psh
	ack
)

// tcp adds a segment at some second.
func (s *scene) tcp(mark string, at float64, from, to string, sport, dport uint16, flags byte, seq, acked uint32, payload string) []byte {
	seg := make([]byte, 20, 20+len(payload))
	binary.BigEndian.PutUint16(seg, sport)
	binary.BigEndian.PutUint16(seg[2:], dport)
	binary.BigEndian.PutUint32(seg[4:], seq)
	binary.BigEndian.PutUint32(seg[8:], acked)
	seg[12], seg[13], seg[14] = 5<<4, flags, 0xfa
	return s.ip(mark, at, from, to, 6, append(seg, payload...))
}

// ip adds a packet, and returns it.
func (s *scene) ip(mark string, at float64, from, to string, proto byte, payload []byte) []byte {
	s.ids++
	b := make([]byte, 20, 20+len(payload))
	b[0], b[8], b[9] = 0x45, 64, proto
	binary.BigEndian.PutUint16(b[4:], s.ids)
	copy(b[12:], netip.MustParseAddr(from).AsSlice())
	copy(b[16:], netip.MustParseAddr(to).AsSlice())
	b = resized(append(b, payload...))
	s.frames = append(s.frames, frame{capture.Frame{Data: b, Time: 1_700_000_000e9 + int64(at*1e9), Len: uint32(len(b))}, rawIP})
	s.marks = append(s.marks, mark)
	return b
}

// talk is a connection on which each side says something so many times, a second apart.
func (s *scene) talk(mark string, at float64, from, to string, sport, dport uint16, turns int) {
	a, b := uint32(sport)*1000, uint32(dport)*1000
	s.tcp(mark, at, from, to, sport, dport, syn, a, 0, "")
	s.tcp(mark, at+0.01, to, from, dport, sport, syn|ack, b, a+1, "")
	s.tcp(mark, at+0.02, from, to, sport, dport, ack, a+1, b+1, "")
	a, b = a+1, b+1
	for i := range turns {
		at := at + float64(i) + 0.03
		s.tcp(mark, at, from, to, sport, dport, ack|psh, a, b, "question")
		a += 8
		s.tcp(mark, at+0.01, to, from, dport, sport, ack|psh, b, a, "answer")
		b += 6
		s.tcp(mark, at+0.02, from, to, sport, dport, ack, a, b, "")
	}
	at += float64(turns)
	s.tcp(mark, at, from, to, sport, dport, ack|fin, a, b, "")
	s.tcp(mark, at+0.01, to, from, dport, sport, ack|fin, b, a+1, "")
	s.tcp(mark, at+0.02, from, to, sport, dport, ack, a+1, b+1, "")
}

const (
	scanner  = "203.0.113.9"
	prey     = "198.51.100.7"
	stranger = "192.0.2.80"
	router   = "192.0.2.1"
)

// sweep is 20 ports of the prey, a second apart, of which 110 answers and 105 is prohibited.
func (s *scene) sweep(at float64) {
	for i := range uint16(20) {
		at, port := at+float64(i), 100+i
		probe := s.tcp("probe", at, scanner, prey, 40000+i, port, syn, uint32(port), 0, "")
		switch port {
		case 110:
			s.tcp("answer", at+0.01, prey, scanner, port, 40000+i, syn|ack, 9, uint32(port)+1, "")
			s.tcp("answer", at+0.02, scanner, prey, 40000+i, port, rst, uint32(port)+1, 0, "")
		case 105:
			s.ip("refusal", at+0.01, router, scanner, 1, append([]byte{3, 13, 0, 0, 0, 0, 0, 0}, probe[:28]...))
		default:
			s.tcp("refusal", at+0.01, prey, scanner, port, 40000+i, rst|ack, 0, uint32(port)+1, "")
		}
	}
}

// play sorts the packets by time, runs them, and returns what was kept with what was to be.
func (s *scene) play(t *testing.T, cfg sensor.Config) (*shelf, []frame) {
	t.Helper()
	all, want := []frame{}, []frame{}
	for len(s.frames) > 0 {
		first := 0
		for i, f := range s.frames {
			if f.Time < s.frames[first].Time {
				first = i
			}
		}
		all = append(all, s.frames[first])
		if s.marks[first] != "" {
			want = append(want, s.frames[first])
		}
		s.frames = append(s.frames[:first], s.frames[first+1:]...)
		s.marks = append(s.marks[:first], s.marks[first+1:]...)
	}
	got, _ := kept(t, read(t, asPcapng(t, all)), cfg)
	return got, want
}

// TestEvidenceIsOfTheScan: of a source that does other things besides, what it did to its
// targets is kept, and what came of that; before the scan opened, and on connections on which all
// was said that could change an outcome.
func TestEvidenceIsOfTheScan(t *testing.T) {
	var s scene
	for i := range uint16(30) { // what it does besides, before and meanwhile
		s.talk("", float64(i)+0.5, scanner, stranger, 50000+i, 443, 3)
		s.talk("", float64(i)+0.6, "192.0.2.90", prey, 50000+i, 80, 3)
	}
	s.sweep(0)
	s.talk("payload", 25, scanner, prey, 45000, 110, 20)
	s.talk("payload", 60, prey, scanner, 46000, 4444, 5) // a shell that calls back
	got, want := s.play(t, sensor.Config{})
	require.Len(t, got.cases, 1)
	require.Equal(t, want, got.cases[0].frames)
	require.Equal(t, sensor.Kept{Probes: 20 + 1, Refusals: 19, Answers: 2 + 1 + 1 + 20 + 3 + 3 + 5 + 3, Payload: 2 * 25}, got.cases[0].kept)
	require.Equal(t, prey, got.cases[0].records[0].Dst.String())
}

// TestEvidenceOfADistantPast: nine probes in as many minutes, in what else passes, are there when the scan
// opens; and are not, where the ring is too small for that.
func TestEvidenceOfADistantPast(t *testing.T) {
	write := func() *scene {
		var s scene
		for i := range uint16(30) {
			s.tcp("probe", float64(i)*28, scanner, prey, 40000+i, 100+i, syn, uint32(i), 0, "")
			s.tcp("refusal", float64(i)*28+0.1, prey, scanner, 100+i, 40000+i, rst|ack, 0, uint32(i)+1, "")
			for j := range uint16(20) {
				s.talk("", float64(i)*28+float64(j), "192.0.2.90", stranger, 10000+i*20+j, 443, 1)
			}
		}
		return &s
	}
	got, want := write().play(t, sensor.Config{})
	require.Len(t, got.cases, 1)
	require.Equal(t, want, got.cases[0].frames)
	got, want = write().play(t, sensor.Config{Evidence: sensor.Evidence{Memory: 20_000}})
	require.Less(t, len(got.cases[0].frames), len(want))
	require.Equal(t, want[len(want)-len(got.cases[0].frames):], got.cases[0].frames, "the latest are there")
}

// TestEvidenceOfAReturn: when a closed scan is reopened, what was kept is not kept again.
func TestEvidenceOfAReturn(t *testing.T) {
	var s scene
	s.sweep(0)
	s.talk("", 90_000, scanner, prey, 45000, 110, 1)
	s.talk("", 90_010, scanner, prey, 45001, 110, 20)
	got, _ := s.play(t, sensor.Config{})
	require.Len(t, got.cases, 2)
	require.Equal(t, got.cases[0].records[0].ID, got.cases[1].records[0].ID)
	require.Equal(t, sensor.Kept{Probes: 20, Refusals: 19, Answers: 2}, got.cases[0].kept)
	require.Equal(t, uint64(2), got.cases[1].kept.Probes)
	require.Equal(t, uint64(42), got.cases[1].kept.Payload)
}

// TestEvidenceOfManySources: each of the sources of decoys is one of the scan's.
func TestEvidenceOfManySources(t *testing.T) {
	var s scene
	for port := range uint16(20) {
		for i, src := range []string{scanner, "203.0.113.20", "203.0.113.21"} {
			at := float64(port) + float64(i)/1000
			s.ids = 7000 + port*31 // alike to the last number
			s.tcp("probe", at, src, prey, 40655, 100+port, syn, 417117016, 0, "")
			s.tcp("refusal", at+0.1, prey, src, 100+port, 40655, rst|ack, 0, 417117017, "")
		}
	}
	s.talk("", 5, "203.0.113.21", stranger, 50000, 443, 5)
	got, want := s.play(t, sensor.Config{})
	last := got.cases[len(got.cases)-1]
	require.Equal(t, 3, last.records[0].Sources)
	require.Equal(t, want, last.frames)
}
