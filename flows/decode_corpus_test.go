package flows

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/capture"
)

// A tuple is who talks to whom in a frame: the innermost addresses and what
// tells the conversation from others. It is zero where there is neither IP nor
// ARP.
type tuple struct {
	src, dst     netip.Addr
	proto        string // "tcp", "udp", "sctp", "icmp", "icmpv6", "arp", or a number
	sport, dport uint16
	flags        uint8 // of TCP
}

func (t tuple) String() string {
	if t == (tuple{}) {
		return "nothing"
	}
	return fmt.Sprintf("%s %v %d > %v %d flags %02x", t.proto, t.src, t.sport, t.dst, t.dport, t.flags)
}

// tupleOf is what the decoder says of a frame.
func tupleOf(p *Packet) tuple {
	t := tuple{src: Addr(p.Src), dst: Addr(p.Dst), sport: p.SrcPort, dport: p.DstPort, flags: p.Flags}
	t.proto = nameOfProtocol(strconv.Itoa(int(p.Proto)))
	if p.Kind == KindARPRequest || p.Kind == KindARPReply {
		t.proto = "arp"
	}
	return t
}

// nameOfProtocol names those that have ports, flags or types.
func nameOfProtocol(number string) string {
	switch number {
	case "1":
		return "icmp"
	case "6":
		return "tcp"
	case "17":
		return "udp"
	case "58":
		return "icmpv6"
	case "132":
		return "sctp"
	}
	return number
}

// dissection is what tshark says of a frame: its layers in their order, and for
// each field the values of all layers that have it.
type dissection struct {
	layers []string
	fields map[string][]string
}

var dissectedFields = []string{
	"frame.protocols", "frame.encap_type", "ip.src", "ip.dst", "ip.proto", "ip.flags.mf", "ip.frag_offset", "ipv6.src", "ipv6.dst", "ipv6.nxt",
	"ipv6.hopopts.nxt", "ipv6.dstopts.nxt", "ipv6.routing.nxt", "ipv6.fraghdr.nxt", "ah.next_header",
	"tcp.srcport", "tcp.dstport", "tcp.flags", "udp.srcport", "udp.dstport", "sctp.srcport", "sctp.dstport",
	"arp.opcode", "arp.src.proto_ipv4", "arp.dst.proto_ipv4", "icmpv6.nd.ns.target_address", "icmpv6.nd.na.target_address",
}

// wiresharks finds one of Wireshark's programs.
func wiresharks(t *testing.T, program string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		require.NotEqual(t, "1", os.Getenv("SYNOPTIC_REQUIRE_LAB"), "%s is not installed", program)
		t.Skipf("%s is not installed", program)
	}
	return path
}

// dissect runs tshark over a capture.
func dissect(t *testing.T, file string) []dissection {
	t.Helper()
	args := []string{"-r", file, "-n", "-T", "fields", "-E", "separator=/t", "-E", "occurrence=a", "-E", "aggregator=|"}
	for _, o := range []string{"ip.defragment", "ipv6.defragment", "tcp.desegment_tcp_streams", "sctp.reassembly"} {
		args = append(args, "-o", o+":FALSE")
	}
	for _, f := range dissectedFields {
		args = append(args, "-e", f)
	}
	out, err := exec.Command(wiresharks(t, "tshark"), args...).Output()
	if err != nil {
		t.Logf("tshark: %v", err) // it met damage; what it printed before counts
	}
	var all []dissection
	for line := range bytes.Lines(out) {
		d := dissection{fields: map[string][]string{}}
		for i, v := range strings.Split(strings.TrimRight(string(line), "\n"), "\t") {
			if v != "" {
				d.fields[dissectedFields[i]] = strings.Split(v, "|")
			}
		}
		if d.fields["frame.encap_type"] == nil {
			continue // a block of a pcapng file that is no packet
		}
		if l := d.fields["frame.protocols"]; l != nil {
			d.layers = strings.Split(l[0], ":")
		}
		all = append(all, d)
	}
	return all
}

// value is the nth value of a field.
func (d *dissection) value(field string, n int) (string, bool) {
	if v := d.fields[field]; n < len(v) {
		return v[n], true
	}
	return "", false
}

func (d *dissection) number(field string, n int) uint64 {
	v, _ := d.value(field, n)
	x, _ := strconv.ParseUint(v, 0, 64)
	return x
}

// tuple is the innermost one. What an ICMP error quotes and what a flow sample
// shows are no tunnels, and of ARP only requests and replies matter. Fields that
// tshark does not read are taken from got.
func (d *dissection) tuple(got tuple) tuple {
	var t tuple
	seen, fragment := map[string]int{}, false
	for _, layer := range d.layers {
		n := seen[layer]
		seen[layer]++
		switch layer {
		case "ip", "ipv6":
			src, ok := d.value(layer+".src", n)
			dst, ok2 := d.value(layer+".dst", n)
			if !ok || !ok2 {
				return t
			}
			t = tuple{src: netip.MustParseAddr(src), dst: netip.MustParseAddr(dst)}
			t.next(d, map[string]string{"ip": "ip.proto", "ipv6": "ipv6.nxt"}[layer], n)
			fragment = layer == "ip" && (d.number("ip.flags.mf", n) > 0 || d.number("ip.frag_offset", n) > 0)
		case "ipv6.hopopts", "ipv6.dstopts", "ipv6.routing", "ipv6.fraghdr":
			t.next(d, layer+".nxt", n)
			fragment = fragment || layer == "ipv6.fraghdr"
		case "ah":
			t.next(d, "ah.next_header", n)
		case "tcp", "udp", "sctp":
			if t.ports(d, layer, n, got); fragment && got.sport == 0 && got.dport == 0 {
				return t.without() // they are given with a later fragment, that completes them
			}
			if layer != "udp" {
				return t
			}
		case "icmp", "icmpv6":
			t.neighbours(d)
			return t
		case "arp":
			src, ok := d.value("arp.src.proto_ipv4", n)
			dst, ok2 := d.value("arp.dst.proto_ipv4", n)
			if op := d.number("arp.opcode", n); !ok || !ok2 || op != 1 && op != 2 {
				return t
			}
			return tuple{src: netip.MustParseAddr(src), dst: netip.MustParseAddr(dst), proto: "arp"}
		case "sflow":
			return t
		}
	}
	if fragment && t.sport == 0 && t.dport == 0 {
		t.sport, t.dport, t.flags = got.sport, got.dport, got.flags // an earlier one had them
	}
	return t
}

// without is a tuple that knows no ports.
func (t tuple) without() tuple {
	t.sport, t.dport, t.flags = 0, 0, 0
	return t
}

// next notes a header's statement of what follows it.
func (t *tuple) next(d *dissection, field string, n int) {
	if v, ok := d.value(field, n); ok {
		t.proto = nameOfProtocol(v)
	}
}

// ports reads those of a transport header, and TCP's flags.
func (t *tuple) ports(d *dissection, layer string, n int, got tuple) {
	if _, ok := d.value(layer+".srcport", n); !ok {
		t.sport, t.dport, t.flags = got.sport, got.dport, got.flags
		return
	}
	t.sport, t.dport = uint16(d.number(layer+".srcport", n)), uint16(d.number(layer+".dstport", n))
	if layer != "tcp" {
		return
	}
	if t.flags = got.flags; len(d.fields["tcp.flags"]) > n {
		t.flags = uint8(d.number("tcp.flags", n))
	}
}

// neighbours replaces an address by the one that a neighbour discovery is about.
func (t *tuple) neighbours(d *dissection) {
	if v, ok := d.value("icmpv6.nd.ns.target_address", 0); ok {
		t.dst = netip.MustParseAddr(v)
	}
	if v, ok := d.value("icmpv6.nd.na.target_address", 0); ok {
		t.src = netip.MustParseAddr(v)
	}
}

// readFrames reads the first frames of a capture, all of them if most is 0.
func readFrames(t *testing.T, file string, most int) []corpusFrame {
	t.Helper()
	src, err := capture.Open(file, capture.Config{})
	if err != nil {
		t.Logf("not read: %v", err)
		return nil
	}
	defer func() { require.NoError(t, src.Close()) }()
	var all []corpusFrame
	var frames [256]capture.Frame
	for most == 0 || len(all) < most {
		n, err := src.Read(frames[:])
		for _, f := range frames[:n] {
			all = append(all, corpusFrame{bytes.Clone(f.Data), Meta{Time: f.Time, Iface: f.Iface, Len: f.Len, Link: src.Link(f.Iface)}})
		}
		var damage *capture.DamageError
		if err != nil && !errors.As(err, &damage) {
			if !errors.Is(err, io.EOF) {
				t.Logf("read up to here: %v", err)
			}
			break
		}
	}
	return all
}

// corpusFrame is a frame of a capture.
type corpusFrame struct {
	data []byte
	meta Meta
}

// decodeTuples is what the decoder says of the frames of one capture.
func decodeTuples(frames []corpusFrame) []tuple {
	var d Decoder
	all := make([]tuple, len(frames))
	for i, f := range frames {
		if ps := d.Append(nil, f.data, f.meta); len(ps) > 0 {
			all[i] = tupleOf(&ps[0])
		}
	}
	return all
}

// corpusFiles are the captures of one set of the labelled ones, which are in the
// directory that SYNOPTIC_CORPUS names, or beside the project.
func corpusFiles(t *testing.T, set string) []string {
	t.Helper()
	dir := os.Getenv("SYNOPTIC_CORPUS")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared", "corpus")
	}
	files := capturesBelow(t, filepath.Join(dir, set))
	if len(files) == 0 {
		t.Skip("no captures: SYNOPTIC_CORPUS names a directory of some")
	}
	return files
}

// nameInCorpus is a file's directory and name.
func nameInCorpus(file string) string {
	return filepath.Base(filepath.Dir(file)) + "/" + filepath.Base(file)
}

// TestDecodeAgreesWithTsharkOnOddCaptures compares the tuples of all frames of
// strange captures with tshark's. What differs is listed with the reason, and
// nothing else may differ. Files that cannot be merged are read one by one.
func TestDecodeAgreesWithTsharkOnOddCaptures(t *testing.T) {
	t.Parallel()
	var together []string
	for _, file := range corpusFiles(t, "odd") {
		name := nameInCorpus(file)
		if !readAlone(name) {
			together = append(together, file)
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			agrees(t, name, decodeTuples(readFrames(t, file, 0)), dissect(t, file))
		})
	}
	merged := filepath.Join(t.TempDir(), "merged.pcapng")
	out, err := exec.Command(wiresharks(t, "mergecap"), append([]string{"-a", "-w", merged}, together...)...).CombinedOutput()
	require.NoError(t, err, "%s", out)
	got := make([][]tuple, len(together))
	for i, file := range together {
		got[i] = decodeTuples(readFrames(t, file, 0))
	}
	agreeInTurn(t, together, got, dissect(t, merged))
}

// TestDecodeAgreesWithTsharkOnCaptures compares the first frames of all other
// captures, put into one file for tshark.
func TestDecodeAgreesWithTsharkOnCaptures(t *testing.T) {
	t.Parallel()
	const most = 200
	files := slices.Concat(corpusFiles(t, "benign"), corpusFiles(t, "scans"), capturesBelow(t, filepath.Join("..", "testdata")))
	var all []seed
	got := make([][]tuple, len(files))
	for i, file := range files {
		frames := readFrames(t, file, most)
		got[i] = decodeTuples(frames)
		for _, f := range frames {
			all = append(all, seed{link: f.meta.Link, data: f.data})
		}
	}
	file := filepath.Join(t.TempDir(), "frames.pcapng")
	require.NoError(t, os.WriteFile(file, pcapngOf(all), 0o600))
	agreeInTurn(t, files, got, dissect(t, file))
}

// agreeInTurn compares files that tshark was given as one.
func agreeInTurn(t *testing.T, files []string, got [][]tuple, frames []dissection) {
	t.Helper()
	require.Len(t, frames, len(slices.Concat(got...)))
	for i, file := range files {
		agrees(t, nameInCorpus(file), got[i], frames[:len(got[i])])
		frames = frames[len(got[i]):]
	}
}

// agrees compares the frames of a capture.
func agrees(t *testing.T, name string, got []tuple, frames []dissection) {
	t.Helper()
	if _, listed := unreadByTshark[name]; !listed {
		require.GreaterOrEqual(t, len(got), len(frames), "frames")
		got = got[:len(frames)]
	} else {
		require.NotEqual(t, len(got), len(frames), "listed as read otherwise, and is not")
	}
	expected := map[int]string{}
	for _, d := range differences[name] {
		for _, n := range d.numbers(t) {
			expected[n] = d.reason
		}
	}
	for i := range min(len(got), len(frames)) {
		n, want := i+1, frames[i].tuple(got[i])
		reason, listed := expected[n]
		switch {
		case got[i] == want && listed:
			t.Errorf("%s: frame %d is listed as different (%s), and is not: %v", name, n, reason, want)
		case got[i] != want && !listed:
			t.Errorf("%s: frame %d: %v, tshark has %v (%s)", name, n, got[i], want, strings.Join(frames[i].layers, ":"))
		}
		delete(expected, n)
	}
	require.Empty(t, expected, "listed frames that there are not")
}

// difference is a set of frames of which the decoder says something else than
// tshark.
type difference struct {
	frames string // "1-4,7"
	reason string
}

// numbers lists the frames.
func (d difference) numbers(t *testing.T) []int {
	t.Helper()
	var all []int
	for part := range strings.SplitSeq(d.frames, ",") {
		first, last, span := strings.Cut(part, "-")
		if !span {
			last = first
		}
		a, err := strconv.Atoi(first)
		require.NoError(t, err)
		b, err := strconv.Atoi(last)
		require.NoError(t, err)
		for n := a; n <= b; n++ {
			all = append(all, n)
		}
	}
	slices.Sort(all)
	return all
}
