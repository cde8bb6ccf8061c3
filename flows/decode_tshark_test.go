package flows

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// tsharkFields are asked of tshark for every frame.
var tsharkFields = []string{
	"eth.type", "eth.src", "wlan.sa", "ieee8021ah.csrc", "vlan.id", "ieee8021ad.id", "arp.opcode", "arp.src.proto_ipv4", "arp.dst.proto_ipv4",
	"ip.src", "ip.dst", "ip.ttl", "ip.id", "ip.flags.df", "ipv6.src", "ipv6.dst", "ipv6.hlim",
	"tcp.srcport", "tcp.dstport", "tcp.seq_raw", "tcp.ack_raw", "tcp.flags", "tcp.window_size_value", "tcp.len", "tcp.options.timestamp.tsecr",
	"udp.srcport", "udp.dstport", "udp.length", "sctp.srcport", "sctp.dstport", "sctp.verification_tag", "sctp.init_initiate_tag", "sctp.initack_initiate_tag",
	"icmp.type", "icmp.code", "icmp.ident", "icmp.seq", "icmpv6.type", "icmpv6.code", "icmpv6.echo.identifier", "icmpv6.echo.sequence_number",
	"icmpv6.nd.ns.target_address", "icmpv6.nd.na.target_address",
}

// tsharkRow is what tshark says of one frame: all occurrences of each field.
type tsharkRow map[string][]string

// tshark runs the program over a capture.
func tshark(t *testing.T, file string) []tsharkRow {
	t.Helper()
	path, err := exec.LookPath("tshark")
	if err != nil {
		require.NotEqual(t, "1", os.Getenv("SYNOPTIC_REQUIRE_LAB"), "tshark is not installed")
		t.Skip("tshark is not installed")
	}
	args := []string{"-r", file, "-n", "-T", "fields", "-E", "separator=/t", "-E", "occurrence=a", "-E", "aggregator=|"}
	for _, o := range []string{"ip.defragment", "ipv6.defragment", "tcp.desegment_tcp_streams", "tcp.relative_sequence_numbers", "sctp.reassembly", "ip.decode_tos_as_diffserv"} {
		args = append(args, "-o", o+":FALSE")
	}
	for _, f := range tsharkFields {
		args = append(args, "-e", f)
	}
	out, err := exec.Command(path, args...).Output()
	require.NoError(t, err)
	var rows []tsharkRow
	for line := range bytes.Lines(out) {
		row := tsharkRow{}
		for i, v := range strings.Split(strings.TrimRight(string(line), "\n"), "\t") {
			if v != "" {
				row[tsharkFields[i]] = strings.Split(v, "|")
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// differences compares a packet with a row, field by field.
func (row tsharkRow) differences(p *Packet) []string {
	var d []string
	number := func(field string, got uint64) {
		v, ok := row[field]
		if !ok {
			d = append(d, fmt.Sprintf("%s: %d, of which tshark knows nothing", field, got))
			return
		}
		if want, err := strconv.ParseUint(v[0], 0, 64); err != nil || want != got {
			d = append(d, fmt.Sprintf("%s: %d, tshark has %v", field, got, v))
		}
	}
	address := func(field string, got [16]byte) {
		if v := row[field]; len(v) == 0 || netip.MustParseAddr(v[0]) != Addr(got) {
			d = append(d, fmt.Sprintf("%s: %v, tshark has %v", field, Addr(got), v))
		}
	}
	if v := row["eth.src"]; len(v) > 0 && strings.ReplaceAll(v[0], ":", "") != hex.EncodeToString(p.SrcMAC[:]) {
		d = append(d, fmt.Sprintf("eth.src: %x, tshark has %v", p.SrcMAC, v))
	}
	if tag := row.outerTag(); len(row[tag]) > 0 && row[tag][0] != "0" {
		number(tag, uint64(p.VLAN))
	}
	switch {
	case p.Kind == KindARPRequest || p.Kind == KindARPReply:
		number("arp.opcode", uint64(p.Kind-KindARPRequest+1))
		address("arp.src.proto_ipv4", p.Src)
		address("arp.dst.proto_ipv4", p.Dst)
		return d
	case p.Has(MarkIPv6):
		if p.Kind != KindNeighborAdvert {
			address("ipv6.src", p.Src)
		}
		if p.Kind != KindNeighborSolicit {
			address("ipv6.dst", p.Dst)
		}
		number("ipv6.hlim", uint64(p.TTL))
	default:
		address("ip.src", p.Src)
		address("ip.dst", p.Dst)
		number("ip.ttl", uint64(p.TTL))
		number("ip.id", uint64(p.IPID))
		number("ip.flags.df", uint64(p.Marks&MarkDF/MarkDF))
	}
	row.compareTransport(p, number, address)
	return d
}

// outerTag is the field that holds the id of a frame's outermost VLAN tag.
func (row tsharkRow) outerTag() string {
	if v := row["eth.type"]; len(v) > 0 && v[0] == "0x88a8" {
		return "ieee8021ad.id"
	}
	return "vlan.id"
}

// noLength are the marks of packets whose length tshark takes from elsewhere.
const noLength = MarkMalformed | MarkTruncated | MarkFragmented | MarkTruncatedIP

func (row tsharkRow) compareTransport(p *Packet, number func(string, uint64), address func(string, [16]byte)) {
	switch p.Kind {
	case KindTCP:
		number("tcp.srcport", uint64(p.SrcPort))
		number("tcp.dstport", uint64(p.DstPort))
		number("tcp.seq_raw", uint64(p.Seq))
		number("tcp.ack_raw", uint64(p.Ack))
		if p.Marks&(MarkMalformed|MarkTruncated) != 0 {
			return
		}
		number("tcp.window_size_value", uint64(p.Window))
		if p.Marks&noLength == 0 {
			number("tcp.len", uint64(p.Payload))
		}
		if v, ok := row["tcp.flags"]; ok { // with the reserved bits
			flags, _ := strconv.ParseUint(v[0], 0, 16)
			row["tcp.flags"] = []string{strconv.Itoa(int(flags & 0xff))}
		}
		number("tcp.flags", uint64(p.Flags))
		if v := row["tcp.options.timestamp.tsecr"]; len(v) > 0 || p.EchoedTime != 0 {
			if len(v) > 1 { // the last one counts, as with Linux
				row["tcp.options.timestamp.tsecr"] = v[len(v)-1:]
			}
			number("tcp.options.timestamp.tsecr", uint64(p.EchoedTime))
		}
	case KindUDP:
		number("udp.srcport", uint64(p.SrcPort))
		number("udp.dstport", uint64(p.DstPort))
		if p.Marks&noLength == 0 {
			number("udp.length", uint64(p.Payload)+8)
		}
	case KindSCTPInit:
		number("sctp.init_initiate_tag", uint64(p.Seq))
	case KindSCTPInitAck:
		number("sctp.initack_initiate_tag", uint64(p.Seq))
	case KindNeighborSolicit:
		address("icmpv6.nd.ns.target_address", p.Dst)
	case KindNeighborAdvert:
		address("icmpv6.nd.na.target_address", p.Src)
	case KindSCTPAbort, KindSCTPCookieAck, KindSCTPCookieEcho, KindSCTPOther:
		number("sctp.verification_tag", uint64(p.Seq))
	case KindUnreachable, KindTimeExceeded:
		row.compareQuoted(p, number)
	case KindEchoRequest, KindEchoReply:
		if p.Has(MarkIPv6) {
			number("icmpv6.echo.identifier", uint64(p.Seq>>16))
			number("icmpv6.echo.sequence_number", uint64(p.Seq&0xffff))
			return
		}
		number("icmp.ident", uint64(p.Seq>>16))
		number("icmp.seq", uint64(p.Seq&0xffff))
	}
	if p.Proto == protoSCTP && p.Kind != KindFragment {
		number("sctp.srcport", uint64(p.SrcPort))
		number("sctp.dstport", uint64(p.DstPort))
	}
	if p.Proto == protoICMP && p.Kind != KindOther && p.Kind != KindFragment {
		number("icmp.code", uint64(p.Code))
	}
	if p.Proto == protoICMPv6 && p.Kind != KindOther && p.Kind != KindFragment {
		if value := row["icmpv6.type"]; len(value) == 0 || value[0] != "4" { // ours is another: see KindUnreachable
			number("icmpv6.code", uint64(p.Code))
		}
	}
}

func (row tsharkRow) compareQuoted(p *Packet, number func(string, uint64)) {
	for proto, name := range map[uint8]string{protoTCP: "tcp", protoUDP: "udp", protoSCTP: "sctp"} {
		if p.QuotedProto == proto {
			number(name+".srcport", uint64(p.QuotedSrcPort))
			number(name+".dstport", uint64(p.QuotedDstPort))
		}
	}
}

// pcapngOf is a capture with one interface per link type.
func pcapngOf(frames []seed) []byte {
	block := func(b []byte, kind uint32, body []byte) []byte {
		n := uint32(12 + (len(body)+3)&^3)
		b = binary.LittleEndian.AppendUint32(b, kind)
		b = binary.LittleEndian.AppendUint32(b, n)
		b = append(append(b, body...), make([]byte, -len(body)&3)...)
		return binary.LittleEndian.AppendUint32(b, n)
	}
	out := block(nil, 0x0a0d0d0a, unhex("4d3c2b1a 0100 0000 ffffffffffffffff"))
	ifaces := map[uint16]uint32{}
	for i, f := range frames {
		id, ok := ifaces[f.link]
		if !ok {
			id = uint32(len(ifaces))
			ifaces[f.link] = id
			out = block(out, 1, append(binary.LittleEndian.AppendUint16(nil, f.link), make([]byte, 6)...))
		}
		var body []byte
		for _, v := range []uint32{id, 0, uint32(i), uint32(len(f.data)), uint32(len(f.data))} {
			body = binary.LittleEndian.AppendUint32(body, v)
		}
		out = block(out, 6, append(body, f.data...))
	}
	return out
}

// beyondTshark are the crafted frames that tshark 4.0 reads otherwise.
func beyondTshark(name string) bool {
	switch name {
	case "null linux v6", // it knows the families of the BSDs
		"total length 0, over 64 KiB", // it does not clamp
		"payload length 0",            // it does not believe in offloaded IPv6
		"eight of them",               // it stops at shim6
		"length 0",                    // it shows the field as it is
		"sctp quoted",                 // it wants the whole SCTP header
		"init without tag", "fragmented init":
		return true
	}
	return false
}

func TestDecodeAgreesWithTshark(t *testing.T) {
	var frames []seed
	for _, cases := range [][]decodeCase{linkCases(), ipCases(), ip6Cases(), udpCases(), icmpCases(), icmp6Cases(), sctpCases()} {
		for _, c := range cases {
			if !beyondTshark(c.name) {
				frames = append(frames, seed{c.name, c.link, c.data})
			}
		}
	}
	for i := range 300 {
		frames = append(frames, seed{"drawn", linkEthernet, rapid.Custom(drawFrame).Example(i)})
	}
	file := filepath.Join(t.TempDir(), "frames.pcapng")
	require.NoError(t, os.WriteFile(file, pcapngOf(frames), 0o600))
	rows := tshark(t, file)
	require.Len(t, rows, len(frames))
	for i, f := range frames {
		p := mustDecode(t, f.link, f.data)
		require.Empty(t, rows[i].differences(&p), "%s, link type %d: %x", f.name, f.link, f.data)
	}
}
