package sensor_test

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/detect/sensor"
	"github.com/synoptic-ids/synoptic/flows"
)

// evade turns a probe, an IP packet, into what is sent in its place. Rows of
// the same name in flows/evasion_test.go say where each comes from.
type evade func(ip []byte) [][]byte

// headerOf is the length of an IP header as tcpPacket makes it.
func headerOf(ip []byte) int {
	if ip[0]>>4 == 6 {
		return 40
	}
	return 20
}

// resized states the packet's length in its header.
func resized(ip []byte) []byte {
	if ip[0]>>4 == 6 {
		binary.BigEndian.PutUint16(ip[4:], uint16(len(ip)-40))
	} else {
		binary.BigEndian.PutUint16(ip[2:], uint16(len(ip)))
	}
	return ip
}

// tcpEdit changes the TCP header, and may make it longer or shorter.
func tcpEdit(edit func(tcp []byte) []byte) evade {
	return func(ip []byte) [][]byte {
		n := headerOf(ip)
		return [][]byte{resized(append(slices.Clone(ip[:n]), edit(slices.Clone(ip[n:]))...))}
	}
}

// tcpPut overwrites bytes of the TCP header.
func tcpPut(at int, b ...byte) evade {
	return tcpEdit(func(tcp []byte) []byte { copy(tcp[at:], b); return tcp })
}

// ipPut overwrites bytes of the IP header.
func ipPut(at int, b ...byte) evade {
	return func(ip []byte) [][]byte {
		ip = slices.Clone(ip)
		copy(ip[at:], b)
		return [][]byte{ip}
	}
}

// ipOptions puts options into an IPv4 header.
func ipOptions(options ...byte) evade {
	return func(ip []byte) [][]byte {
		b := slices.Concat(ip[:20], options, ip[20:])
		b[0] += byte(len(options) / 4)
		return [][]byte{resized(b)}
	}
}

// span is a fragment: n bytes of the payload from at on, or of other bytes.
type span struct {
	at, n int
	other []byte
}

// fragment is one of a packet; the last is the one that reaches its end.
func fragment(ip []byte, s span) []byte {
	h, b := slices.Clone(ip[:headerOf(ip)]), ip[headerOf(ip):]
	more := 1
	if s.at+s.n >= len(b) {
		s.n, more = len(b)-s.at, 0
	}
	part := b[s.at : s.at+s.n]
	if s.other != nil {
		part = s.other[:s.n]
	}
	if len(h) == 20 {
		binary.BigEndian.PutUint16(h[6:], uint16(more<<13|s.at/8))
		return resized(append(h, part...))
	}
	next := h[6]
	h[6] = 44
	id := be32(int(binary.BigEndian.Uint16(b[2:])))
	return resized(slices.Concat(h, []byte{next, 0}, be16(s.at|more), id, part))
}

// inFragments sends fragments of size bytes in an order.
func inFragments(size int, order func([]span) []span) evade {
	return func(ip []byte) [][]byte {
		var all []span
		for at := 0; at < len(ip)-headerOf(ip); at += size {
			all = append(all, span{at: at, n: size})
		}
		var out [][]byte
		for _, s := range order(all) {
			out = append(out, fragment(ip, s))
		}
		return out
	}
}

func inOrder(all []span) []span { return all }
func backwards(all []span) []span {
	slices.Reverse(all)
	return all
}

func lastFirst(all []span) []span {
	return append(all[len(all)-1:len(all):len(all)], all[:len(all)-1]...)
}
func doubled(all []span) []span { return slices.Insert(all, 1, all[1]) }

// overlapping sends fragments some of which carry the bytes of an innocent
// segment: an RST.
func overlapping(spans ...span) evade {
	return func(ip []byte) [][]byte {
		n := headerOf(ip)
		rst := slices.Clone(ip[n:])
		rst[13] = 4
		var out [][]byte
		for _, s := range spans {
			if s.other != nil {
				s.other = rst[s.at:]
			}
			out = append(out, fragment(ip, s))
		}
		return out
	}
}

// innocent says that a span is to carry other bytes.
var innocent = []byte{}

// extended puts extension headers into an IPv6 packet.
func extended(kind byte, headers ...[]byte) evade {
	return func(ip []byte) [][]byte {
		b := slices.Concat(ip[:40], slices.Concat(headers...), ip[40:])
		b[6] = kind
		return [][]byte{resized(b)}
	}
}

func optionHeader(next byte, words int) []byte {
	return slices.Concat([]byte{next, byte(words), 1, byte(8*words + 4)}, make([]byte, 8*words+4))
}

// then applies a second evasion to what a first gives.
func (e evade) then(f evade) evade {
	return func(ip []byte) [][]byte {
		var out [][]byte
		for _, p := range e(ip) {
			out = append(out, f(p)...)
		}
		return out
	}
}

// evasionRow is an evasion and the IP versions that it works with.
type evasionRow struct {
	name   string
	evade  evade
	v4, v6 bool
}

func evasionRows() []evasionRow {
	both := func(name string, e evade) evasionRow { return evasionRow{name, e, true, true} }
	four := func(name string, e evade) evasionRow { return evasionRow{name, e, true, false} }
	six := func(name string, e evade) evasionRow { return evasionRow{name, e, false, true} }
	options := func(o ...byte) evade {
		return tcpEdit(func(tcp []byte) []byte {
			tcp[12] = byte(20+len(o)) << 2
			return append(tcp[:20], o...)
		})
	}
	return []evasionRow{
		both("data offset 0", tcpPut(12, 0)),
		both("data offset 4", tcpPut(12, 0x40)),
		both("data offset 15 in a segment of 20 bytes", tcpPut(12, 0xf0)),
		both("option of length 0", options(2, 4, 5, 0xb4, 3, 0, 7, 7)),
		both("option of length 1", options(1, 1, 3, 1)),
		both("option beyond the header", options(1, 1, 3, 5)),
		both("forty bytes of nothing", options(make([]byte, 40)...)),
		both("segment of 16 bytes", tcpEdit(func(tcp []byte) []byte { return tcp[:16] })),
		both("reserved bits", tcpPut(12, 0x6f)),
		both("wrong checksum", tcpPut(16, 0xde, 0xad)),
		both("urgent pointer without URG", tcpPut(18, 0xff, 0xff)),
		both("SYN with payload", tcpEdit(func(tcp []byte) []byte { return append(tcp, "GET / HTTP/1.0"...) })),
		both("SYN+FIN", tcpPut(13, 0x03)),
		both("SYN+FIN+PSH+URG", tcpPut(13, 0x2b)),
		both("SYN+ECE+CWR", tcpPut(13, 0xc2)),
		four("IP length beyond the frame", ipPut(2, 5, 0xdc)),
		four("wrong IP checksum", ipPut(10, 0xde, 0xad)),
		four("record route", ipOptions(7, 7, 4, 0, 0, 0, 0, 0)),
		four("loose source route", ipOptions(0x83, 7, 4, 198, 51, 100, 1, 0)),
		four("strict source route", ipOptions(0x89, 7, 4, 198, 51, 100, 1, 0)),
		four("IP option of length 0", ipOptions(7, 0, 0, 0)),
		four("IP option beyond the header", ipOptions(1, 1, 11, 255)),
		four("reserved IP flag", ipPut(6, 0x80)),
		four("TTL 1", ipPut(8, 1)),
		four("IP id 0", ipPut(4, 0, 0)),
		both("fragments of 8 bytes", inFragments(8, inOrder)),
		both("fragments of 16 bytes", inFragments(16, inOrder)),
		both("from the last to the first", inFragments(8, backwards)),
		both("the last first", inFragments(8, lastFirst)),
		both("one twice", inFragments(8, doubled)),
		four("fragments of 8 bytes with one IP id for all", ipPut(4, 0, 7).then(inFragments(8, inOrder))),
		four("the same from the last to the first", ipPut(4, 0, 7).then(inFragments(8, backwards))),
		both("fragments of 8 bytes with data offset 15", tcpPut(12, 0xf0).then(inFragments(8, inOrder))),
		both("flags overwritten", overlapping(span{0, 16, innocent}, span{8, 99, nil})),
		both("flags overwritten beforehand", overlapping(span{8, 99, nil}, span{0, 16, innocent})),
		both("header overwritten", overlapping(span{0, 16, innocent}, span{0, 16, nil}, span{16, 99, nil})),
		both("tiny and overlapping, favour new", overlapping(span{0, 8, nil}, span{8, 8, innocent}, span{8, 8, nil}, span{16, 99, nil})),
		both("tiny and overlapping, favour old", overlapping(span{0, 8, nil}, span{8, 8, nil}, span{8, 8, innocent}, span{16, 99, nil})),
		both("flags behind a whole datagram", overlapping(span{0, 8, nil}, span{8, 8, innocent}, span{16, 99, nil}, span{8, 8, nil})),
		six("atomic fragment", extended(44, []byte{6, 0, 0, 0, 0, 0, 0, 1})),
		six("thirty-one destination options", extended(60, slices.Repeat(optionHeader(60, 0), 30), optionHeader(6, 0))),
		six("hop-by-hop options out of place", extended(60, optionHeader(0, 0), optionHeader(6, 0))),
		six("header behind 488 bytes of options, in the second fragment", extended(60, optionHeader(6, 60)).then(inFragments(488, inOrder))),
		six("options within fragments of 8 bytes", extended(60, optionHeader(6, 1)).then(inFragments(8, inOrder))),
	}
}

// framesOf are those of a scan whose probes are sent in another way.
func (s scan) framesOf(e evade) [][]byte {
	var frames [][]byte
	for _, p := range s.packets() {
		const syn = 2
		if p.back || p.data[headerOf(p.data)+13] != syn {
			frames = append(frames, p.data)
			continue
		}
		frames = append(frames, e(p.data)...)
	}
	return frames
}

const linkRaw = 101

// TestScanWithEachEvasion: a SYN scan every probe of which is sent so that it
// is overlooked is found all the same, with its source and all its targets.
func TestScanWithEachEvasion(t *testing.T) {
	for _, row := range evasionRows() {
		t.Run(row.name, func(t *testing.T) {
			for _, s := range []scan{{}, {six: true}, {horizontal: true}} {
				if s.six && !row.v6 || !s.six && !row.v4 {
					continue
				}
				scans, _ := scansIn(t, pcapOf(linkRaw, s.framesOf(row.evade), 1<<18), sensor.Config{})
				s.require(t, scans, s.String())
			}
		})
	}
}

// TestScanBehindTwoPorts: where overlapping fragments name two ports each, both
// are tried.
func TestScanBehindTwoPorts(t *testing.T) {
	s := scan{}
	decoy := func(ip []byte) [][]byte {
		other := slices.Clone(ip[20:28])
		copy(other[2:], be16(80))
		return [][]byte{
			fragment(ip, span{0, 8, other}), fragment(ip, span{0, 8, nil}), fragment(ip, span{8, 99, nil}),
		}
	}
	scans, sum := scansIn(t, pcapOf(linkRaw, s.framesOf(decoy), 1<<18), sensor.Config{})
	require.Len(t, scans, 1)
	require.Equal(t, s.source(), scans[0].Src)
	require.Equal(t, targets+1, scans[0].Targets, "port 80 is named by each")
	require.EqualValues(t, targets, sum.Decode.Doubled)
	require.EqualValues(t, targets, sum.Decode.Overlaid)
}

// TestScanUnderAFloodOfFragments: first fragments that nothing follows cost no
// more than the table has, and the scan among them is found.
func TestScanUnderAFloodOfFragments(t *testing.T) {
	s := scan{}
	var frames [][]byte
	n := 0
	for _, f := range s.framesOf(inFragments(8, inOrder)) {
		frames = append(frames, f)
		for range 20 {
			n++
			from := netip.AddrPortFrom(netip.AddrFrom4([4]byte{203, 0, 113, byte(n)}), 4000)
			frames = append(frames, fragment(tcpPacket(from, s.target(n%targets), 2, n, 0, nil, n), span{0, 8, nil}))
		}
	}
	cfg := sensor.Config{Decoder: flows.DecoderConfig{MaxFragments: 256}}
	scans, sum := scansIn(t, pcapOf(linkRaw, frames, 1<<18), cfg)
	s.require(t, scans)
	require.EqualValues(t, targets, sum.Decode.Joined)
	require.Greater(t, sum.Decode.Displaced, uint64(n-2*256))
	require.EqualValues(t, n, sum.Decode.Incomplete+sum.Decode.Displaced)
}
