package cases_test

import (
	"cmp"
	"context"
	"io"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/capture"
	"github.com/synoptic-ids/synoptic/detect"
	"github.com/synoptic-ids/synoptic/detect/sensor"
)

// frame is one captured frame, and what the tests ask of it.
type frame struct {
	stamp    time.Duration // what the capture says of its time, from the beginning
	order    time.Duration // when it was captured: frames come in this order
	iface    uint32
	data     []byte
	src, dst netip.Addr
	proto    byte
	flags    byte // of TCP
}

// trace is a capture in the making.
type trace struct {
	six    bool // the addresses are those of IPv6
	base   time.Time
	frames []frame
	used   int // numbers that differ from packet to packet
}

func newTrace(six bool) *trace {
	return &trace{six: six, base: time.Date(2026, 3, 14, 9, 0, 0, 0, time.UTC)}
}

func (tr *trace) next() int {
	tr.used++
	return tr.used
}

// put adds an IP packet, sent at a time.
func (tr *trace) put(at time.Duration, src, dst netip.Addr, proto byte, packet []byte) {
	kind := 0x0800
	if src.Is6() {
		kind = 0x86dd
	}
	tr.frame(at, src, dst, proto, ethernet(mac(src), mac(dst), kind, packet))
}

func (tr *trace) frame(at time.Duration, src, dst netip.Addr, proto byte, data []byte) {
	tr.frames = append(tr.frames, frame{stamp: at, order: at, data: data, src: src, dst: dst, proto: proto})
}

// send adds a TCP segment.
func (tr *trace) send(at time.Duration, s segment) {
	if s.header.id == 0 {
		s.header.id = tr.next() * 40503 & 0xffff
	}
	tr.put(at, s.from.Addr(), s.to.Addr(), tcp, s.packet())
	tr.frames[len(tr.frames)-1].flags = s.flags
}

// udp adds a datagram.
func (tr *trace) udp(at time.Duration, from, to netip.AddrPort, payload string) {
	tr.put(at, from.Addr(), to.Addr(), udp, udpPacket(from, to, []byte(payload)))
}

// kinds of ICMP errors.
type icmpError struct{ kind4, code4, kind6, code6 byte }

var (
	portClosed   = icmpError{3, 3, 1, 4}
	noHost       = icmpError{3, 1, 1, 3}
	adminDenied  = icmpError{3, 13, 1, 1}
	noProtocol   = icmpError{3, 2, 4, 1}
	timeExceeded = icmpError{11, 0, 3, 0}
)

// icmpError answers the latest packet, to its sender.
func (tr *trace) icmpError(at time.Duration, by netip.Addr, e icmpError) {
	f := tr.frames[len(tr.frames)-1]
	tr.errorOf(at, by, f.src, f.data[14:], e)
}

// errorOf tells a host what became of a packet of its.
func (tr *trace) errorOf(at time.Duration, by, to netip.Addr, packet []byte, e icmpError) {
	kind, code, proto := e.kind4, e.code4, byte(icmp4)
	if by.Is6() {
		kind, code, proto = e.kind6, e.code6, icmp6
	}
	tr.put(at, by, to, proto, icmpPacket(by, to, kind, code, slices.Concat(be32(0), packet)))
}

// query adds an ICMP request or reply, of which the kinds of both IP versions are given.
func (tr *trace) query(at time.Duration, from, to netip.Addr, kind4, kind6 byte, id, seq int) {
	kind, proto := kind4, byte(icmp4)
	if from.Is6() {
		kind, proto = kind6, icmp6
	}
	tr.put(at, from, to, proto, icmpPacket(from, to, kind, 0, slices.Concat(be16(id), be16(seq), make([]byte, 16))))
}

// ping is an echo request, answered or not.
func (tr *trace) ping(at time.Duration, from, to netip.Addr, seq int, answered bool) {
	tr.query(at, from, to, 8, 128, 77, seq)
	if answered {
		tr.query(at+time.Millisecond, to, from, 0, 129, 77, seq)
	}
}

// conn is a TCP connection in which nothing is lost. t is the time of its next segment.
type conn struct {
	tr   *trace
	t    time.Duration
	ends [2]netip.AddrPort
	os   [2]stack
	seq  [2]int
}

// The ends of a connection.
const (
	client = 0
	server = 1
)

// dial prepares a connection from a port of its own.
func (tr *trace) dial(at time.Duration, from, to netip.Addr, port int) *conn {
	n := tr.next()
	mine := netip.AddrPortFrom(from, uint16(32768+n*7919%28000))
	return &conn{
		tr: tr, t: at, ends: [2]netip.AddrPort{mine, netip.AddrPortFrom(to, uint16(port))},
		os: [2]stack{linux, linux}, seq: [2]int{n * 2654435761 & 0xffffffff, n * 40503 * 7919 & 0xffffffff},
	}
}

// on makes both ends run another system.
func (c *conn) on(s stack) *conn {
	c.os = [2]stack{s, s}
	return c
}

// put sends a segment.
func (c *conn) put(side int, flags byte, n int) *conn {
	os := c.os[side]
	s := segment{
		from: c.ends[side], to: c.ends[1-side], flags: flags, seq: c.seq[side], n: n,
		window: os.later, options: os.with(flags, c.t),
	}
	if flags&syn != 0 {
		s.window = os.first
	}
	if flags&ack != 0 {
		s.ack = c.seq[1-side]
	}
	c.tr.send(c.t, s)
	c.seq[side] += n
	if flags&(syn|fin) != 0 {
		c.seq[side]++
	}
	c.t += time.Millisecond
	return c
}

// wait lets time pass.
func (c *conn) wait(d time.Duration) *conn {
	c.t += d
	return c
}

// open makes the handshake.
func (c *conn) open() *conn { return c.put(client, syn, 0).put(server, syn|ack, 0).put(client, ack, 0) }

// say sends payload, which is acknowledged.
func (c *conn) say(side, n int) *conn { return c.put(side, psh|ack, n).put(1-side, ack, 0) }

// shut closes the connection, side first.
func (c *conn) shut(side int) *conn {
	return c.put(side, fin|ack, 0).put(1-side, fin|ack, 0).put(side, ack, 0)
}

// talk is a whole conversation: a question, an answer, the end.
func (c *conn) talk() *conn { return c.open().say(client, 200).say(server, 900).shut(client) }

// refused is a SYN and the RST for it.
func (c *conn) refused() *conn {
	c.seq[server] = 0
	return c.put(client, syn, 0).put(server, rst|ack, 0)
}

// silent is a SYN and its repetitions, tries in all.
func (c *conn) silent(tries int) *conn {
	gap := time.Second
	for i := range tries {
		if i > 0 {
			c.t += gap
			gap *= 2
		}
		c.put(client, syn, 0)
		c.seq[client]--
	}
	return c
}

// touch is a connection that is closed without a word.
func (c *conn) touch() *conn { return c.open().shut(client) }

// reset is a SYN whose answer is reset, as the cheapest of health checks do it.
func (c *conn) reset() *conn {
	return c.put(client, syn, 0).put(server, syn|ack, 0).put(client, rst|ack, 0)
}

// memory is a capture.Source of frames.
type memory struct {
	frames []frame
	base   int64
	stats  capture.Stats
}

func (m *memory) Read(fs []capture.Frame) (n int, err error) {
	for n < len(fs) && len(m.frames) > 0 {
		f := &m.frames[0]
		fs[n] = capture.Frame{Data: f.data, Time: m.base + int64(f.stamp), Len: uint32(len(f.data)), Iface: f.iface}
		m.frames = m.frames[1:]
		m.stats.Packets++
		n++
	}
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

func (*memory) Link(uint32) uint16              { return 1 }
func (m *memory) Stats() (capture.Stats, error) { return m.stats, nil }
func (*memory) Close() error                    { return nil }

// source is the trace as a capture, in order.
func (tr *trace) source() *memory {
	frames := slices.Clone(tr.frames)
	slices.SortStableFunc(frames, func(a, b frame) int { return cmp.Compare(a.order, b.order) })
	return &memory{frames: frames, base: tr.base.UnixNano()}
}

// records are all records of a run over the trace.
func (tr *trace) records(t testing.TB, cfg sensor.Config) ([]detect.Scan, sensor.Summary) {
	t.Helper()
	var all []detect.Scan
	cfg.OnScan = func(s detect.Scan) { all = append(all, s) }
	if cfg.Rules.Home == nil {
		cfg.Rules.Home = home
	}
	s, err := sensor.New(cfg)
	require.NoError(t, err)
	sum, err := s.Run(context.Background(), tr.source())
	require.NoError(t, err)
	require.EqualValues(t, len(tr.frames), sum.Capture.Packets)
	return all, sum
}

// scans are the closed scans of a run over the trace.
func (tr *trace) scans(t testing.TB, cfg sensor.Config) []detect.Scan {
	t.Helper()
	cfg.Inline = true
	all, _ := tr.records(t, cfg)
	return slices.DeleteFunc(all, func(s detect.Scan) bool { return s.Phase != detect.Close })
}
