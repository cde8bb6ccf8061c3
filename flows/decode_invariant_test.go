package flows

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// decodeChecked decodes a frame and requires what holds for every input.
func decodeChecked(t require.TestingT, data []byte, m Meta) (Packet, bool) {
	var d Decoder
	before := bytes.Clone(data)
	ps := d.Append(nil, data, m)
	require.True(t, bytes.Equal(before, data), "the frame is only read")
	require.Less(t, len(ps), 2)
	s := d.Stats()
	require.True(t, s.Frames == 1 && accounted(s) == 1 && s.Packets == uint64(len(ps)), "%+v", s)

	// What the slot held before must not show, nor what stands before it change.
	dirty := slices.Repeat([]Packet{stained()}, 3)
	again := d.Append(dirty[:1], data, m)
	require.True(t, again[0] == stained() && dirty[2] == stained())
	require.True(t, slices.Equal(ps, again[1:]), "%+v\n%+v", ps, again[1:])
	if len(ps) == 0 {
		return Packet{}, false
	}
	require.Empty(t, contradictions(&ps[0], m), "%+v", ps[0])
	return ps[0], true
}

// stained is a packet with something in every field.
func stained() Packet {
	p := Packet{
		Time: -1, Seq: 1, Ack: 1, EchoedTime: 1, Options: 1, Question: 1, SrcPort: 1, DstPort: 1, QuotedSrcPort: 1,
		QuotedDstPort: 1, Window: 1, IPID: 1, Iface: 99, VLAN: 1, Payload: 1, Proto: 1, Flags: 1, TTL: 1,
		Kind: KindFragment, Code: 1, QuotedProto: 1, Marks: 0xffff, Depth: 1, SrcMAC: hostMAC,
	}
	p.Src, p.Dst, p.QuotedSrc, p.QuotedDst = host6.As16(), peer6.As16(), host6.As16(), peer6.As16()
	return p
}

// rule is something that must not be, and whether it is.
type rule struct {
	broken bool
	name   string
}

// contradictions names the fields of p that do not go together.
func contradictions(p *Packet, m Meta) []string {
	var names []string
	for _, rules := range [][]rule{generalRules(p, m), addressRules(p), tcpRules(p), payloadRules(p), quoteRules(p)} {
		for _, r := range rules {
			if r.broken {
				names = append(names, r.name)
			}
		}
	}
	return names
}

func generalRules(p *Packet, m Meta) []rule {
	protos := protosOf(p.Kind)
	return []rule{
		{p.Time != m.Time || p.Iface != m.Iface, "what the capture says is kept"},
		{p.Kind > KindFragment, "the kind is known"},
		{(p.Depth != 0) != p.Has(MarkTunnel), "what is in a tunnel is marked"},
		{p.Depth > maxDepth, "tunnels are looked into to a depth"},
		{p.Has(MarkCarrier) && p.Kind != KindUDP && p.Kind != KindOther, "UDP and IP carry tunnels"},
		{p.VLAN > 4095, "a VLAN id has 12 bits"},
		{p.Marks >= MarkCarrier<<1 || p.Has(MarkGateway), "the marks are known"},
		{protos != nil && !slices.Contains(protos, protoOf(p)), "the protocol goes with the kind"},
		{p.Has(MarkTruncated) && !slices.Contains([]uint8{6, 17, 132}, p.Proto), "only headers with ports are kept cut"},
		{p.Code != 0 && p.Proto != 1 && p.Proto != 58, "only ICMP has a code"},
	}
}

// protoOf is the protocol of p; ARP's 0 is told from hop-by-hop's as 256.
func protoOf(p *Packet) int {
	if (p.Kind == KindARPRequest || p.Kind == KindARPReply) && p.Proto == 0 {
		return 256
	}
	return int(p.Proto)
}

// protosOf are the protocols that packets of a kind can have; nil for any.
func protosOf(k Kind) []int {
	switch k {
	case KindTCP:
		return []int{6}
	case KindUDP:
		return []int{17}
	case KindEchoRequest, KindEchoReply, KindUnreachable, KindTimeExceeded, KindICMPOther:
		return []int{1, 58}
	case KindTimestampRequest, KindTimestampReply, KindMaskRequest, KindMaskReply:
		return []int{1}
	case KindNeighborSolicit, KindNeighborAdvert:
		return []int{58}
	case KindSCTPInit, KindSCTPInitAck, KindSCTPCookieEcho, KindSCTPCookieAck, KindSCTPAbort, KindSCTPOther:
		return []int{132}
	case KindARPRequest, KindARPReply:
		return []int{256}
	}
	return nil
}

func addressRules(p *Packet) []rule {
	arp := p.Kind == KindARPRequest || p.Kind == KindARPReply
	neighbour := p.Kind == KindNeighborSolicit || p.Kind == KindNeighborAdvert
	six := p.Has(MarkIPv6)
	group := p.Dst[0] == 0xff
	if !six {
		group = Addr(p.Dst).IsMulticast() || binary.BigEndian.Uint32(p.Dst[12:]) == 0xffffffff
	}
	return []rule{
		{arp && (p.Marks&^MarkTunnel != 0 || p.TTL != 0 || p.Payload != 0), "ARP has no IP header"},
		{six && (p.IPID != 0 || p.Has(MarkDF)), "IPv6 has no identification"},
		{!six && (!IsIPv4(&p.Src) || !IsIPv4(&p.Dst)), "IPv4 addresses are mapped"},
		{neighbour && (!six || p.Has(MarkGroup)), "neighbour discovery is IPv6, and to no group"},
		{group && !arp && !neighbour && !p.Has(MarkGroup), "groups are marked"},
	}
}

func tcpRules(p *Packet) []rule {
	tcp := p.Kind == KindTCP
	return []rule{
		{!tcp && p.Flags != 0, "only TCP has flags"},
		{!tcp && (p.Ack != 0 || p.Window != 0), "only TCP has acknowledgements and windows"},
		{!tcp && (p.Options != 0 || p.EchoedTime != 0 || p.Has(MarkNoOptions)), "only TCP has options"},
		{p.Has(MarkNoOptions) && p.Options != 0, "without options there is no hash of them"},
	}
}

func payloadRules(p *Packet) []rule {
	sctp := p.Kind >= KindSCTPInit && p.Kind <= KindSCTPOther
	ports := p.Kind == KindTCP || p.Kind == KindUDP || sctp
	datagram := p.Kind == KindUDP && p.Payload > 0
	return []rule{
		{!ports && (p.SrcPort != 0 || p.DstPort != 0), "ports belong to TCP, UDP and SCTP"},
		{!datagram && p.Question != 0, "only UDP payload has a question"},
		{!datagram && p.Marks&(MarkReplyLike|MarkSTUN) != 0, "only UDP payload has content"},
		{p.Kind == KindFragment && !p.Has(MarkFragmented), "fragments are marked"},
		{p.Seq != 0 && (p.Kind == KindFragment || p.Kind == KindOther || p.Kind == KindUDP), "a sequence number needs a header that has one"},
	}
}

func quoteRules(p *Packet) []rule {
	quote := p.Kind == KindUnreachable || p.Kind == KindTimeExceeded
	none := [16]byte{}
	return []rule{
		{!quote && (p.QuotedSrc != none || p.QuotedDst != none), "only errors quote addresses"},
		{!quote && (p.QuotedSrcPort != 0 || p.QuotedDstPort != 0 || p.QuotedProto != 0), "only errors quote ports"},
		{quote && IsIPv4(&p.QuotedSrc) != IsIPv4(&p.QuotedDst) && !p.Has(MarkIPv6), "errors quote one family"},
	}
}

// requireSame requires that what a cut frame yielded is true of the whole one.
func requireSame(t require.TestingT, whole, part Packet) {
	if sameTunnels := whole.Depth == part.Depth && whole.Marks&MarkCarrier == part.Marks&MarkCarrier; !sameTunnels {
		return // see TestTunnelsCutAtEveryLength
	}
	if whole.Kind == KindFragment && part.Has(MarkFragmented) {
		return // a first fragment waits for the rest of its header, but not one that the capture cut
	}
	if part.Kind == KindICMPOther && (whole.Kind == KindUnreachable || whole.Kind == KindTimeExceeded) {
		whole.Kind = part.Kind // the quote is cut
		whole.QuotedSrc, whole.QuotedDst = [16]byte{}, [16]byte{}
		whole.QuotedSrcPort, whole.QuotedDstPort, whole.QuotedProto = 0, 0, 0
	}
	if part.Has(MarkTruncated) {
		require.True(t, part.EchoedTime == 0 || part.EchoedTime == whole.EchoedTime, "%+v", part)
		require.True(t, part.Window == 0 || part.Window == whole.Window, "%+v", part)
		whole.EchoedTime, whole.Window, whole.Options = part.EchoedTime, part.Window, part.Options
		if part.Kind == KindSCTPInit || part.Kind == KindSCTPInitAck {
			require.Zero(t, part.Seq)
			whole.Seq = 0
		}
		if part.Kind == KindUDP {
			whole.Payload = part.Payload // the length field is cut
		}
	}
	// Content that is not there marks nothing; DHCP's cookie is looked at only
	// where it is there. The hash is over what there is.
	content := MarkReplyLike | MarkSTUN | MarkMalformed | MarkTruncated | MarkTruncatedIP
	whole.Marks, part.Marks = whole.Marks&^content, part.Marks&^content
	whole.Question, part.Question = 0, 0
	if whole != part {
		require.Equal(t, whole, part)
	}
}

func TestDecodeOfEveryPrefix(t *testing.T) {
	packets := 0
	for _, s := range seedFrames(t) {
		m := Meta{Time: 5, Iface: 3, Len: uint32(len(s.data)), Link: s.link}
		whole, ok := decodeChecked(t, s.data, m)
		for n := range min(len(s.data), 200) {
			part, some := decodeChecked(t, s.data[:n:n], m)
			if !some {
				continue
			}
			require.True(t, ok, "%s: a packet in %d bytes, but none in the whole", s.name, n)
			requireSame(t, whole, part)
			packets++
		}
	}
	require.Greater(t, packets, 1000)
}

// A frame that says it is shorter than its headers claim must not be believed
// more than one that was cut.
func TestDecodeOfEveryShorterFrame(t *testing.T) {
	for _, s := range seedFrames(t) {
		whole, ok := decodeOne(s.link, s.data)
		for n := range min(len(s.data), 200) {
			part, some := decodeChecked(t, s.data[:n:n], Meta{Len: uint32(n), Link: s.link})
			if some && ok && part.Kind == whole.Kind {
				require.Equal(t, whole.SrcPort, part.SrcPort, s.name)
				require.Equal(t, whole.DstPort, part.DstPort, s.name)
				require.Equal(t, whole.Flags, part.Flags, s.name)
			}
		}
	}
}
