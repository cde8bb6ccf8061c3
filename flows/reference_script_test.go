package flows

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Packets and events as text. A packet is a line such as
//
//	20ms SA b:80 > a:1000 seq=7 ack=2 len=10
//
// with the time since refBase, what it is, from whom to whom and the rest of
// its fields. Hosts are a to z (192.0.2.1 and on), the same with 6 behind it
// (2001:db8::1 and on), or addresses. The words for TCP are flag letters
// (FSRPAUEW) or "none"; the others stand in refWords. What the property tests
// print on failure can be pasted into a scenario.

const refBase = int64(1_700_000_000e9)

var refWords = []struct {
	word   string
	kind   Kind
	proto  uint8
	proto6 uint8
}{
	{"proto", KindOther, 47, 47},
	{"udp", KindUDP, 17, 17},
	{"echo", KindEchoRequest, 1, 58},
	{"echo-reply", KindEchoReply, 1, 58},
	{"timestamp", KindTimestampRequest, 1, 58},
	{"timestamp-reply", KindTimestampReply, 1, 58},
	{"mask", KindMaskRequest, 1, 58},
	{"mask-reply", KindMaskReply, 1, 58},
	{"unreachable", KindUnreachable, 1, 58},
	{"exceeded", KindTimeExceeded, 1, 58},
	{"icmp", KindICMPOther, 1, 58},
	{"arp", KindARPRequest, 0, 0},
	{"arp-reply", KindARPReply, 0, 0},
	{"solicit", KindNeighborSolicit, 58, 58},
	{"advert", KindNeighborAdvert, 58, 58},
	{"init", KindSCTPInit, 132, 132},
	{"init-ack", KindSCTPInitAck, 132, 132},
	{"cookie", KindSCTPCookieEcho, 132, 132},
	{"cookie-ack", KindSCTPCookieAck, 132, 132},
	{"abort", KindSCTPAbort, 132, 132},
	{"sctp", KindSCTPOther, 132, 132},
	{"fragment", KindFragment, 17, 17},
}

const refFlagLetters = "FSRPAUEW"

var (
	refKindNames      = []string{"", "Opened", "Counted", "Raised", "Withdrawn", "Final", "Conversed", "Orphaned", "Joined", "Ordered"}
	refOutcomeNames   = []string{"silent", "unreachable", "refused", "answered", "productive", "expired", "unseen"}
	refTechniqueNames = []string{
		"", "tcp-syn", "tcp-fin", "tcp-null", "tcp-xmas", "tcp-maimon", "tcp-ack", "udp",
		"icmp-echo", "icmp-timestamp", "icmp-mask", "sctp-init", "sctp-cookie", "ip-protocol", "arp", "ndp",
	}
)

// refHost returns the address that a name of a script stands for.
func refHost(s string) ([16]byte, error) {
	if len(s) == 1 && s[0] >= 'a' && s[0] <= 'z' {
		return netip.AddrFrom4([4]byte{192, 0, 2, s[0] - 'a' + 1}).As16(), nil
	}
	if len(s) == 2 && s[1] == '6' && s[0] >= 'a' && s[0] <= 'z' {
		return netip.AddrFrom16([16]byte{0: 0x20, 1: 0x01, 2: 0x0d, 3: 0xb8, 15: s[0] - 'a' + 1}).As16(), nil
	}
	a, err := netip.ParseAddr(s)
	return a.As16(), err
}

func refHostName(a [16]byte) string {
	for c := 'a'; c <= 'z'; c++ {
		for _, name := range []string{string(c), string(c) + "6"} {
			if h, err := refHost(name); err == nil && h == a {
				return name
			}
		}
	}
	return Addr(a).String()
}

// refEndpoint reads "host", "host:port" or "[address]:port".
func refEndpoint(s string) (addr [16]byte, port uint16, err error) {
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return ap.Addr().As16(), ap.Port(), nil
	}
	host, p, ok := strings.Cut(s, ":")
	if !ok || strings.Contains(p, ":") {
		addr, err = refHost(s)
		return addr, 0, err
	}
	n, err := strconv.ParseUint(p, 10, 16)
	if err != nil {
		return addr, 0, err
	}
	addr, err = refHost(host)
	return addr, uint16(n), err
}

func refEndpointName(a [16]byte, port uint16) string {
	name := refHostName(a)
	switch {
	case port == 0:
		return name
	case strings.Contains(name, ":"):
		return fmt.Sprintf("[%s]:%d", name, port)
	}
	return fmt.Sprintf("%s:%d", name, port)
}

// refParse reads one line of a script.
func refParse(line string) (Packet, error) {
	var p Packet
	f := strings.Fields(line)
	if len(f) < 5 || f[3] != ">" {
		return p, fmt.Errorf("line %q: want time, word, source, >, destination", line)
	}
	d, err := time.ParseDuration(f[0])
	if err != nil {
		return p, fmt.Errorf("line %q: %w", line, err)
	}
	p.Time = refBase + int64(d)
	if p.Src, p.SrcPort, err = refEndpoint(f[2]); err != nil {
		return p, fmt.Errorf("line %q: %w", line, err)
	}
	if p.Dst, p.DstPort, err = refEndpoint(f[4]); err != nil {
		return p, fmt.Errorf("line %q: %w", line, err)
	}
	if !IsIPv4(&p.Src) {
		p.Marks |= MarkIPv6
	}
	if err := refWord(&p, f[1]); err != nil {
		return p, fmt.Errorf("line %q: %w", line, err)
	}
	for _, o := range f[5:] {
		if err := refOption(&p, o); err != nil {
			return p, fmt.Errorf("line %q: option %s: %w", line, o, err)
		}
	}
	return p, nil
}

func refWord(p *Packet, word string) error {
	for _, w := range refWords {
		if w.word == word {
			p.Kind, p.Proto = w.kind, w.proto
			if p.Has(MarkIPv6) {
				p.Proto = w.proto6
			}
			return nil
		}
	}
	p.Kind, p.Proto = KindTCP, 6
	if word == "none" {
		return nil
	}
	for _, c := range word {
		i := strings.IndexRune(refFlagLetters, c)
		if i < 0 {
			return fmt.Errorf("no such word: %s", word)
		}
		p.Flags |= 1 << i
	}
	return nil
}

func refOption(p *Packet, o string) error {
	name, value, _ := strings.Cut(o, "=")
	switch name {
	case "group":
		p.Marks |= MarkGroup
		return nil
	case "reply":
		p.Marks |= MarkReplyLike
		return nil
	case "carrier":
		p.Marks |= MarkCarrier
		return nil
	case "order":
		p.Marks |= MarkOrder
		a, port, err := refEndpoint(value)
		p.Question = OrderOf(a, port)
		return err
	case "quote":
		return refQuote(p, value)
	}
	n, err := strconv.ParseUint(value, 0, 32)
	if err != nil {
		return err
	}
	switch name {
	case "seq":
		p.Seq += uint32(n)
	case "id": // of an ICMP request or reply
		p.Seq += uint32(n) << 16
	case "ack":
		p.Ack = uint32(n)
	case "len":
		p.Payload = uint16(n)
	case "echoed":
		p.EchoedTime = uint32(n)
	case "if":
		p.Iface = uint32(n)
	case "vlan":
		p.VLAN = uint16(n)
	case "code":
		p.Code = uint8(n)
	case "proto":
		p.Proto = uint8(n)
	case "ttl":
		p.TTL = uint8(n)
	default:
		return fmt.Errorf("no such option")
	}
	return nil
}

// refQuote reads "17:a:1000>b:53": protocol, source and destination.
func refQuote(p *Packet, s string) error {
	proto, rest, _ := strings.Cut(s, ":")
	src, dst, _ := strings.Cut(rest, ">")
	n, err := strconv.ParseUint(proto, 10, 8)
	if err != nil {
		return err
	}
	p.QuotedProto = uint8(n)
	if p.QuotedSrc, p.QuotedSrcPort, err = refEndpoint(src); err != nil {
		return err
	}
	p.QuotedDst, p.QuotedDstPort, err = refEndpoint(dst)
	return err
}

// refLine is the reverse of refParse.
func refLine(p *Packet) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v %s %s > %s", time.Duration(p.Time-refBase), refWordOf(p),
		refEndpointName(p.Src, p.SrcPort), refEndpointName(p.Dst, p.DstPort))
	for _, o := range []struct {
		name  string
		value uint64
	}{
		{"seq", uint64(p.Seq)},
		{"ack", uint64(p.Ack)},
		{"len", uint64(p.Payload)},
		{"echoed", uint64(p.EchoedTime)},
		{"if", uint64(p.Iface)},
		{"vlan", uint64(p.VLAN)},
		{"code", uint64(p.Code)},
		{"ttl", uint64(p.TTL)},
	} {
		if o.value != 0 {
			fmt.Fprintf(&b, " %s=%d", o.name, o.value)
		}
	}
	if p.Kind == KindOther {
		fmt.Fprintf(&b, " proto=%d", p.Proto)
	}
	if p.QuotedProto != 0 {
		fmt.Fprintf(&b, " quote=%d:%s>%s", p.QuotedProto,
			refEndpointName(p.QuotedSrc, p.QuotedSrcPort), refEndpointName(p.QuotedDst, p.QuotedDstPort))
	}
	if p.Has(MarkGroup) {
		b.WriteString(" group")
	}
	if p.Has(MarkReplyLike) {
		b.WriteString(" reply")
	}
	if p.Has(MarkCarrier) {
		b.WriteString(" carrier")
	}
	return b.String()
}

func refWordOf(p *Packet) string {
	if p.Kind != KindTCP {
		for _, w := range refWords {
			if w.kind == p.Kind {
				return w.word
			}
		}
	}
	if p.Flags == 0 {
		return "none"
	}
	var word string
	for i, c := range refFlagLetters {
		if p.Flags&(1<<i) != 0 {
			word += string(c)
		}
	}
	return word
}

// refEventLine shows an event: when, what, whose, the technique, the outcome,
// and those of the other fields that are not as they mostly are.
func refEventLine(e *Event) string {
	var b strings.Builder
	if e.Kind == Ordered {
		return fmt.Sprintf("%v Ordered %s > %s %#x", time.Duration(e.At-refBase), refHostName(e.Initiator), refEndpointName(e.Responder, e.Port), e.Question)
	}
	fmt.Fprintf(&b, "%v %s %s > %s %s %s", time.Duration(e.At-refBase), refKindNames[e.Kind],
		refEndpointName(e.Initiator, e.SrcPort), refEndpointName(e.Responder, e.Port),
		refTechniqueNames[e.Technique], refOutcomeNames[e.Outcome])
	if e.Kind == Opened && e.At != e.Start {
		fmt.Fprintf(&b, " start=%v", time.Duration(e.Start-refBase))
	}
	if e.Line != e.Start {
		fmt.Fprintf(&b, " line=%v", time.Duration(e.Line-refBase))
	}
	if e.Time != e.Start {
		fmt.Fprintf(&b, " latest=%v", time.Duration(e.Time-refBase))
	}
	if e.Packets != 1 || e.Connections != 1 {
		fmt.Fprintf(&b, " %d/%d", e.Packets, e.Connections)
	}
	if e.Code != 0 && e.Outcome == Unreachable {
		fmt.Fprintf(&b, " code=%d", e.Code)
	}
	for _, f := range []struct {
		name string
		set  bool
	}{{"handshake", e.Handshake}, {"half-open", e.HalfOpen}, {"counted", e.Counted}, {"cut", e.Cut}} {
		if f.set {
			b.WriteString(" " + f.name)
		}
	}
	if e.Kind == Conversed {
		fmt.Fprintf(&b, " %d+%d in %v", e.Sent, e.Received, time.Duration(e.Lasted)*time.Millisecond)
	}
	return b.String()
}

// refScript reads a script: one packet a line, lines that are empty or begin
// with # left out.
func refScript(t *testing.T, text string) []Packet {
	t.Helper()
	var packets []Packet
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		p, err := refParse(line)
		require.NoError(t, err)
		packets = append(packets, p)
	}
	return packets
}

func TestScriptLinesReadBack(t *testing.T) {
	t.Parallel()
	for _, line := range []string{
		"0s S a:1000 > b:80 seq=5 if=1 vlan=2",
		"-1h0m0s FPU a6:1000 > b6:80",
		"20ms none a:1 > 198.51.100.1:65535 echoed=4",
		"1.5s udp a:5353 > 224.0.0.251:5353 group reply",
		"2s unreachable z > a code=3 quote=17:a:1000>b:53",
		"2s exceeded z6 > a6 quote=6:a6:1000>[2001:db8:1::1]:53",
		"3s proto a > b proto=50",
		"3s proto a > b proto=47 carrier",
		"3s echo a > b seq=65537",
		"4s arp a > b",
	} {
		p, err := refParse(line)
		require.NoError(t, err)
		require.Equal(t, line, refLine(&p))
	}
	for _, line := range []string{"", "0s S a:1000 b:80", "x S a:1 > b:2", "0s Q a:1 > b:2", "0s S a:1 > b:2 what=1", "0s S ?:1 > b:2"} {
		_, err := refParse(line)
		require.Error(t, err, "%q", line)
	}
}
