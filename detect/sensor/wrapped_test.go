package sensor_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/capture"
	"github.com/synoptic-ids/synoptic/detect"
	"github.com/synoptic-ids/synoptic/detect/sensor"
	"github.com/synoptic-ids/synoptic/flows"
)

// A scan is the same scan whatever carries it. The tests of this file build one
// as plain IP packets, put it into every link type and tunnel (the headers are
// written here from their specifications, not by the code under test), cut the
// frames short, and run the whole line over them.

// pdu is a packet while headers are put in front of it.
type pdu struct {
	kind  uint16 // ethertype of data
	data  []byte
	outer int  // bytes in front of the innermost IP header
	level int  // carriers so far; each has end points of its own
	back  bool // it goes from the target to the scanner
	n     int  // number of the packet
	peer  int  // which of several end points is the farther one
}

// layer puts one header, or several, in front of a packet.
type layer func(pdu) pdu

// behind puts a header in front of p; kind is the ethertype of the result.
func (p pdu) behind(kind uint16, header ...[]byte) pdu {
	h := slices.Concat(header...)
	p.outer += len(h)
	p.data = append(h, p.data...)
	p.kind = kind
	return p
}

func be16(n int) []byte { return binary.BigEndian.AppendUint16(nil, uint16(n)) }
func be32(n int) []byte { return binary.BigEndian.AppendUint32(nil, uint32(n)) }
func le16(n int) []byte { return binary.LittleEndian.AppendUint16(nil, uint16(n)) }
func le32(n int) []byte { return binary.LittleEndian.AppendUint32(nil, uint32(n)) }

// checksum is that of IP and its relatives.
func checksum(parts ...[]byte) []byte {
	sum := 0
	for i, b := range slices.Concat(parts...) {
		sum += int(b) << (8 * (1 - i%2))
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return be16(0xffff - sum)
}

// ipHeader is a header for n bytes of payload, IPv4 or IPv6 by the addresses.
func ipHeader(src, dst netip.Addr, proto byte, id, n int) []byte {
	if src.Is6() {
		return slices.Concat(be32(6<<28), be16(n), []byte{proto, 58}, src.AsSlice(), dst.AsSlice())
	}
	h := slices.Concat(be16(0x4500), be16(20+n), be16(id), be16(0), []byte{58, proto, 0, 0}, src.AsSlice(), dst.AsSlice())
	copy(h[10:], checksum(h))
	return h
}

// tcpPacket is an IP packet with a TCP segment.
func tcpPacket(src, dst netip.AddrPort, flags byte, seq, ack int, options []byte, id int) []byte {
	const window = 1024
	tcp := slices.Concat(
		be16(int(src.Port())), be16(int(dst.Port())), be32(seq), be32(ack),
		[]byte{byte(20+len(options)) << 2, flags}, be16(window), be16(0), be16(0), options,
	)
	pseudo := slices.Concat(src.Addr().AsSlice(), dst.Addr().AsSlice(), []byte{0, 6}, be16(len(tcp)))
	copy(tcp[16:], checksum(pseudo, tcp))
	return append(ipHeader(src.Addr(), dst.Addr(), 6, id, len(tcp)), tcp...)
}

// targets is how many ports or hosts a scan of these tests tries.
const targets = 40

// scan is a SYN scan: as nmap -sS does it, with answers.
type scan struct {
	six        bool // IPv6
	horizontal bool // one port of many hosts, not many ports of a host
	number     int  // of several scanners at once
}

func (s scan) String() string {
	return map[bool]string{false: "IPv4", true: "IPv6"}[s.six] + map[bool]string{false: " ports", true: " hosts"}[s.horizontal]
}

func (s scan) source() netip.Addr {
	last := byte(66 + s.number)
	if s.six {
		return netip.AddrFrom16([16]byte{0x20, 0x01, 0x0d, 0xb8, 0, 0x66, 15: last})
	}
	return netip.AddrFrom4([4]byte{198, 51, 100, last})
}

func (s scan) target(i int) netip.AddrPort {
	host, port := 10, 20+i
	if s.horizontal {
		host, port = 10+i, 445
	}
	if s.six {
		return netip.AddrPortFrom(netip.MustParseAddr(fmt.Sprintf("2001:db8:1::%x", host)), uint16(port))
	}
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(host)}), uint16(port))
}

// isOpen says which targets answer; the others refuse.
func (scan) isOpen(i int) bool { return i%16 == 2 }

// packets are those of the scan in their order: probe and answer, and the RST by
// which the scanner ends what was answered.
func (s scan) packets() []pdu {
	const syn, rst, ack = 2, 4, 16
	var all []pdu
	add := func(back bool, data []byte) {
		kind := uint16(0x0800)
		if s.six {
			kind = 0x86dd
		}
		all = append(all, pdu{kind: kind, data: data, back: back, n: len(all)})
	}
	me := netip.AddrPortFrom(s.source(), uint16(54321+s.number)) // else they were decoys of one another
	mss := []byte{2, 4, 5, 0xb4}
	for i := range targets {
		to, seq := s.target(i), 0x1000_0000+i
		add(false, tcpPacket(me, to, syn, seq, 0, mss, 3*i))
		if !s.isOpen(i) {
			add(true, tcpPacket(to, me, rst|ack, 0, seq+1, nil, 3*i+1))
			continue
		}
		add(true, tcpPacket(to, me, syn|ack, 0x2000_0000+i, seq+1, mss, 3*i+1))
		add(false, tcpPacket(me, to, rst, seq+1, 0, nil, 3*i+2))
	}
	return all
}

// wrapping is a way to carry packets.
type wrapping struct {
	name   string
	link   uint16  // LINKTYPE number of the capture
	word   int     // further bits of the pcap header's word that holds the number
	layers []layer // the innermost first
	tail   int     // bytes behind the packet: check sequence, padding
	only   byte    // 4 or 6 where nothing else can be carried
}

func (w wrapping) carries(six bool) bool { return w.only == 0 || (w.only == 6) == six }

// wrap returns a frame and how many of its bytes are in front of the innermost
// IP header.
func (w wrapping) wrap(p pdu) (frame []byte, outer int) {
	p.data = slices.Clone(p.data)
	for _, l := range w.layers {
		p = l(p)
	}
	for range w.tail {
		p.data = append(p.data, 0xaa)
	}
	return p.data, p.outer
}

// network is the word of a pcap header that tells the link type.
func (w wrapping) network() int { return w.word | int(w.link) }

// recording is a capture file, 5 ms a packet.
type recording struct {
	bytes.Buffer
	frames int
}

func record(network int) *recording {
	var r recording
	r.words(0xa1b23c4d, 4<<16|2, 0, 0, 1<<18, network)
	return &r
}

func (r *recording) words(of ...int) {
	for _, w := range of {
		r.Write(le32(w))
	}
}

// add records frames, cut at a snap length.
func (r *recording) add(frames [][]byte, snap int) {
	for _, f := range frames {
		const perSecond = 200
		n := min(len(f), snap)
		r.words(1_700_000_000+r.frames/perSecond, r.frames%perSecond*int(5*time.Millisecond), n, len(f))
		r.Write(f[:n])
		r.frames++
	}
}

// pcapOf is a capture file of some frames.
func pcapOf(network int, frames [][]byte, snap int) []byte {
	r := record(network)
	r.add(frames, snap)
	return r.Bytes()
}

// scansIn are the closed scans of a run over a capture.
func scansIn(t require.TestingT, file []byte, cfg sensor.Config) ([]detect.Scan, sensor.Summary) {
	var scans []detect.Scan
	cfg.Inline = true
	cfg.OnScan = func(s detect.Scan) {
		if s.Phase == detect.Close {
			scans = append(scans, s)
		}
	}
	s, err := sensor.New(cfg)
	require.NoError(t, err)
	src, err := capture.NewReader(bytes.NewReader(file), "-", capture.Config{})
	require.NoError(t, err)
	sum, err := s.Run(context.Background(), src)
	require.NoError(t, err)
	require.Empty(t, sum.Refused)
	require.Empty(t, sum.Damage)
	return scans, sum
}

// require demands that scans is exactly this one scan.
func (s scan) require(t require.TestingT, scans []detect.Scan, msg ...any) {
	require.Len(t, scans, 1, msg...)
	s.requireIs(t, scans[0], msg...)
}

// requireIs demands that a record is of this scan.
func (s scan) requireIs(t require.TestingT, got detect.Scan, msg ...any) {
	require.Equal(t, s.source(), got.Src, msg...)
	require.Equal(t, "tcp-syn", got.Technique, msg...)
	require.Empty(t, got.Parts, msg...)
	require.Equal(t, targets, got.Targets, msg...)
	shape, hosts, ports := detect.Vertical, 1, targets
	if s.horizontal {
		shape, hosts, ports = detect.Horizontal, targets, 1
	}
	require.Equal(t, shape, got.Shape, msg...)
	require.Equal(t, hosts, got.Hosts, msg...)
	require.Equal(t, ports, got.Ports, msg...)
	var open []detect.Endpoint
	for i := range targets {
		if s.isOpen(i) {
			open = append(open, detect.Endpoint{Host: s.target(i).Addr(), Port: s.target(i).Port(), Proto: "tcp"})
		}
	}
	require.ElementsMatch(t, open, got.Answered, msg...)
	require.Equal(t, detect.Outcomes{Refused: targets - len(open), Answered: len(open)}, got.Outcomes, msg...)
}

// snaps are the snap lengths that people use, and one that cuts nothing.
var snaps = []int{48, 54, 60, 64, 68, 96, 1 << 18}

// holds says whether n captured bytes reach up to the TCP flags, the last of
// what makes a SYN known, when outer bytes are in front of the IP header.
func (s scan) holds(n, outer int) bool {
	const upToFlags = 14
	if s.six {
		return n >= outer+40+upToFlags
	}
	return n >= outer+20+upToFlags
}

// cutFrames counts the frames whose cut left something unread, if all of them are
// cut alike: a tunnel in a datagram whose header is cut is counted as either.
func cutFrames(d *flows.DecodeStats) uint64 { return d.Truncated + max(d.CutHeaders, d.TunnelsCut) }

// frames are those of a scan, wrapped, and how many bytes are in front of IP.
func (w wrapping) frames(s scan) (frames [][]byte, deepest int) {
	for _, p := range s.packets() {
		f, outer := w.wrap(p)
		frames, deepest = append(frames, f), max(deepest, outer)
	}
	return frames, deepest
}

// foundInAll runs the line over scans of ports and of hosts, IPv4 and IPv6, cut
// at each snap length, a scanner for each. Two captures hold them: those that
// must be found, and those that are cut too short to be.
func (w wrapping) foundInAll(t *testing.T) {
	t.Helper()
	whole, short := record(w.network()), record(w.network())
	wanted := map[netip.Addr]scan{}
	where := map[netip.Addr]string{}
	number := 0
	for _, s := range []scan{{}, {six: true}, {horizontal: true}, {six: true, horizontal: true}} {
		if !w.carries(s.six) {
			continue
		}
		for _, snap := range snaps {
			s.number = number
			number++
			frames, deepest := w.frames(s)
			where[s.source()] = fmt.Sprintf("%v, snap length %d, %d bytes in front of IP: %x", s, snap, deepest, frames[0])
			if s.holds(snap, deepest) {
				whole.add(frames, snap)
				wanted[s.source()] = s
				continue
			}
			short.add(frames, snap)
			stats := w.decoded(frames, snap)
			require.Equal(t, uint64(len(frames)), cutFrames(&stats), "%s: %+v", where[s.source()], stats)
		}
	}
	scans, sum := scansIn(t, whole.Bytes(), sensor.Config{})
	require.Equal(t, uint64(whole.frames), sum.Decode.Frames)
	for _, got := range scans {
		s, ok := wanted[got.Src]
		require.True(t, ok, "%v is no scanner", got.Src)
		s.requireIs(t, got, where[got.Src])
		delete(wanted, got.Src)
	}
	for src := range wanted {
		require.Fail(t, "not found", where[src])
	}
	scans, _ = scansIn(t, short.Bytes(), sensor.Config{})
	require.Empty(t, scans, "of what is cut too short")
}

// decoded is what the decoder counts of frames that are cut at a snap length.
func (w wrapping) decoded(frames [][]byte, snap int) flows.DecodeStats {
	var d flows.Decoder
	var packets []flows.Packet
	for _, f := range frames {
		packets = d.Append(packets[:0], f[:min(len(f), snap)], flows.Meta{Len: uint32(len(f)), Link: w.link})
	}
	return d.Stats()
}
