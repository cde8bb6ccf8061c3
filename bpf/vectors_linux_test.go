package bpf

import (
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/ringbuf"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/synoptic-ids/synoptic/capture"
	"github.com/synoptic-ids/synoptic/flows"
)

// unread lists the frames of the decoder's tests that the program reads otherwise, with
// the class in which it counts them. Of tunnels it reads the outside, and of PPPoE, MPLS,
// 802.2 and the like nothing: see TestVectors.
var unread = map[string]Class{
	"four tags":                           ClassTags,
	"snap":                                ClassOther,
	"snap v6":                             ClassOther,
	"snap in a vlan":                      ClassOther,
	"a tag inside snap":                   ClassOther,
	"snap of bridges":                     ClassOther,
	"ip's own service access point":       ClassOther,
	"802.2 in a long frame":               ClassOther,
	"pppoe":                               ClassOther,
	"pppoe v6":                            ClassOther,
	"pppoe in a vlan":                     ClassOther,
	"e-tag":                               ClassOther,
	"e-tag before a vlan":                 ClassOther,
	"vn-tag":                              ClassOther,
	"cisco metadata":                      ClassOther,
	"cisco metadata in a vlan":            ClassOther,
	"cisco metadata with two options":     ClassOther,
	"macsec in clear":                     ClassOther,
	"macsec in clear, with an identifier": ClassOther,
	"fabricpath":                          ClassOther,
	"mac in mac":                          ClassOther,
	"mac in mac in a vlan":                ClassOther,
	"trill":                               ClassOther,
	"trill with options":                  ClassOther,
	"eight of them":                       ClassExtensions,
	"mpls v4":                             ClassOther,
	"mpls v6":                             ClassOther,
	"mpls, three labels, to a group v4":   ClassOther,
	"mpls, three labels, to a group v6":   ClassOther,
	"mpls with entropy v4":                ClassOther,
	"mpls with entropy v6":                ClassOther,
	"nsh v4":                              ClassOther,
	"nsh v6":                              ClassOther,
	"pseudowire v4":                       ClassOther,
	"pseudowire v6":                       ClassOther,
	"pseudowire with control word v4":     ClassOther,
	"pseudowire with control word v6":     ClassOther,
	"nsh with ethernet v4":                ClassOther,
	"nsh with ethernet v6":                ClassOther,
	"extension header quoted":             ClassError,
	"first fragment quoted":               ClassError,
	"later fragment quoted":               ClassError,
	"quote cut in an extension header":    ClassError,
	"too many extension headers quoted":   ClassError,
}

// vector is a frame that both parsers are to read.
type vector struct {
	name  string
	frame []byte
}

// keptFrames are those that the decoder's tests make.
func keptFrames(t testing.TB) []vector {
	t.Helper()
	kept, err := os.ReadFile("../flows/testdata/frames.txt")
	require.NoError(t, err)
	var vs []vector
	for line := range strings.Lines(string(kept)) {
		name, digits, _ := strings.Cut(strings.TrimSpace(line), "\t")
		frame, err := hex.DecodeString(digits)
		require.NoError(t, err)
		if len(frame) >= 14 { // the kernel runs the program on no shorter ones
			vs = append(vs, vector{name, frame})
		}
	}
	require.Greater(t, len(vs), 300)
	return vs
}

// framesOf are the first of each of the captures, captured whole.
func framesOf(t testing.TB, pattern string) []vector {
	t.Helper()
	files, err := filepath.Glob(pattern)
	require.NoError(t, err)
	require.NotEmpty(t, files)
	var vs []vector
	for _, file := range files {
		source, err := capture.Open(file, capture.Config{})
		require.NoError(t, err)
		frames := make([]capture.Frame, 150)
		for range 2 {
			var n int
			n, err = source.Read(frames)
			for _, f := range frames[:n] {
				if source.Link(f.Iface) == linkEthernet && int(f.Len) == len(f.Data) && f.Len >= 14 {
					vs = append(vs, vector{filepath.Base(file), append([]byte(nil), f.Data...)})
				}
			}
		}
		if !errors.Is(err, io.EOF) {
			require.NoError(t, err, file)
		}
		require.NoError(t, source.Close())
	}
	return vs
}

// reading is what the program makes of a frame.
type reading struct {
	xdpPacket
	packets []flows.Packet // as they come out of the ring
	told    bool
}

// reader runs the program on frames one by one, telling every one.
type reader struct {
	t       testing.TB
	objects *xdpObjects
	ring    *ringbuf.Reader
}

func newReader(t testing.TB) *reader {
	runtime.LockOSThread() // what was read is kept by processor
	t.Cleanup(runtime.UnlockOSThread)
	var before, first unix.CPUSet
	require.NoError(t, unix.SchedGetaffinity(0, &before))
	first.Set(0)
	require.NoError(t, unix.SchedSetaffinity(0, &first))
	t.Cleanup(func() { _ = unix.SchedSetaffinity(0, &before) })
	r := &reader{t: t, objects: loaded(t, func(set *tuning) { set.every = true })}
	var err error
	r.ring, err = ringbuf.NewReader(r.objects.Events)
	require.NoError(t, err)
	t.Cleanup(func() { _ = r.ring.Close() })
	return r
}

func (r *reader) read(frame []byte) (got reading) {
	r.t.Helper()
	ret, err := r.objects.Synoptic.Run(&ebpf.RunOptions{Data: frame})
	require.NoError(r.t, err)
	require.EqualValues(r.t, 2, ret, "XDP_PASS")
	var each []xdpCounters
	require.NoError(r.t, r.objects.Counts.Lookup(uint32(0), &each))
	got.xdpPacket = each[0].Packet
	if r.ring.AvailableBytes() == 0 {
		return got
	}
	got.told = true
	r.ring.SetDeadline(time.Now().Add(time.Second))
	record, err := r.ring.Read()
	require.NoError(r.t, err)
	got.packets = new(Counter).decode(nil, record.RawSample)
	for i := range got.packets {
		require.Positive(r.t, got.packets[i].Time)
		got.packets[i].Time = 0
	}
	return got
}

// tuple is what both parsers say of a frame: for the program that and the class is all
// there is to know.
type tuple struct {
	class    Class
	from, to [16]byte
	ports    [2]uint16
	proto    uint8
	flags    uint8 // of TCP
}

// tuple is what the program says.
func (r *reading) tuple() tuple {
	g := tuple{class: Class(r.Class), from: addressOf(&r.From), to: addressOf(&r.To), proto: r.Proto}
	switch g.class {
	case ClassSYN, ClassSYNACK, ClassRST, ClassFIN, ClassProbe, ClassSegment:
		g.flags = r.Flags
	}
	switch g.class {
	case ClassFragment:
	case ClassICMP:
		g.proto = 0 // or of what it quotes
	default:
		g.ports = [2]uint16{r.FromPort, r.ToPort}
	}
	return g
}

// expected is what the decoder says, in the program's words.
func expected(p *flows.Packet) tuple {
	e := tuple{from: p.Src, to: p.Dst, proto: p.Proto, ports: [2]uint16{p.SrcPort, p.DstPort}}
	switch p.Kind {
	case flows.KindTCP:
		e.class, e.flags = classOf(p.Flags), p.Flags
	case flows.KindUDP:
		e.class = ClassDatagram
	case flows.KindEchoRequest, flows.KindTimestampRequest, flows.KindMaskRequest:
		e.class, e.ports[0] = ClassRequest, uint16(p.Seq>>16)
	case flows.KindEchoReply, flows.KindTimestampReply, flows.KindMaskReply:
		e.class, e.ports[0] = ClassReply, uint16(p.Seq>>16)
	case flows.KindUnreachable, flows.KindTimeExceeded:
		e = tuple{class: ClassError, from: p.QuotedSrc, to: p.QuotedDst, proto: p.QuotedProto}
		e.ports = [2]uint16{p.QuotedSrcPort, p.QuotedDstPort}
		if p.QuotedProto == 1 || p.QuotedProto == 58 {
			e.ports[1] = 0 // the type, which the program has among the techniques
		}
	case flows.KindICMPOther:
		e.class, e.proto = ClassICMP, 0
	case flows.KindARPRequest, flows.KindARPReply:
		e.class = ClassARP
	case flows.KindNeighborSolicit, flows.KindNeighborAdvert:
		e.class = ClassNeighbor
	case flows.KindSCTPInit, flows.KindSCTPInitAck, flows.KindSCTPCookieEcho, flows.KindSCTPCookieAck, flows.KindSCTPAbort, flows.KindSCTPOther:
		e.class = ClassSCTP
	case flows.KindFragment:
		e.class = ClassFragment
	default:
		e.class = ClassProtocol
	}
	return e
}

func classOf(flags uint8) Class {
	switch {
	case flags&(flows.FlagSYN|flows.FlagACK|flows.FlagRST) == flows.FlagSYN:
		return ClassSYN
	case flags&(flows.FlagSYN|flows.FlagACK|flows.FlagRST) == flows.FlagSYN|flows.FlagACK:
		return ClassSYNACK
	case flags&flows.FlagRST != 0:
		return ClassRST
	}
	switch flags &^ (flows.FlagECE | flows.FlagCWR) {
	case 0, flows.FlagFIN, flows.FlagFIN | flows.FlagPSH | flows.FlagURG:
		return ClassProbe
	}
	if flags&flows.FlagFIN != 0 {
		return ClassFIN
	}
	return ClassSegment
}

// whole is what the decoder gives of a frame, and of tunnels the outside; false if it gives
// nothing.
func whole(frame []byte) (flows.Packet, bool) {
	d := flows.NewDecoder(flows.DecoderConfig{Tunnels: flows.TunnelsOuter})
	ps := d.Append(nil, frame, flows.Meta{Len: uint32(len(frame)), Link: linkEthernet})
	if len(ps) == 0 {
		return flows.Packet{}, false
	}
	return ps[0], true
}

// inner is what the decoder gives of a frame but for tunnels, of which it is nothing.
func inner(frame []byte) []flows.Packet {
	var d flows.Decoder
	ps := d.Append(nil, frame[:min(len(frame), most)], flows.Meta{Len: uint32(len(frame)), Link: linkEthernet})
	return slices.DeleteFunc(ps, func(p flows.Packet) bool { return p.Marks&(flows.MarkCarrier|flows.MarkTunnel) != 0 })
}

// most is how much of a frame is in a record: LONG in xdp.h.
const most = 192

// TestVectors has both parsers read the same frames: they must agree who talks to whom in
// what class of packet, but for the frames listed; and what the ring gives must be what
// the decoder gives of the whole frame.
func TestVectors(t *testing.T) {
	r := newReader(t)
	met := map[string]bool{}
	vs := keptFrames(t)
	vs = append(vs, framesOf(t, "../testdata/captures/*.pcap*")...)
	vs = append(vs, framesOf(t, "../testdata/lab/recordings/*.pcap")...)
	t.Logf("%d frames", len(vs))
	for _, v := range vs {
		got := r.read(v.frame)
		if class, listed := unread[v.name]; listed && class == Class(got.Class) {
			met[v.name] = true
			continue
		}
		p, ok := whole(v.frame)
		if !ok {
			if Class(got.Class).Parsed() {
				t.Errorf("%q: %v\t%x", v.name, Class(got.Class), v.frame[:min(len(v.frame), 80)])
			}
			continue
		}
		if e, g := expected(&p), got.tuple(); e != g {
			t.Errorf("%q: %v, but the decoder %v: %+v, %+v", v.name, g.class, e.class, g, e)
			continue
		}
		require.True(t, got.told, v.name)
		require.Equal(t, inner(v.frame), got.packets, v.name)
	}
	for name := range unread {
		require.True(t, met[name], "%s is read", name)
	}
}
