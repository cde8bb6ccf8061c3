package flows

import (
	"net"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"pgregory.net/rapid"
)

// stack is a list of layers to be serialised.
type stack []gopacket.SerializableLayer

// drawFrame draws a well-formed Ethernet frame of any kind the decoder knows.
func drawFrame(t *rapid.T) []byte {
	var inner stack
	var et layers.EthernetType
	switch rapid.SampledFrom([]string{"ip4", "ip4", "ip4", "ip6", "ip6", "arp"}).Draw(t, "network") {
	case "ip4":
		et, inner = layers.EthernetTypeIPv4, drawIPv4(t, true)
	case "ip6":
		et, inner = layers.EthernetTypeIPv6, drawIPv6(t, true)
	default:
		et, inner = layers.EthernetTypeARP, stack{drawARP(t)}
	}
	s := stack{&layers.Ethernet{SrcMAC: drawBytes(t, 6), DstMAC: append([]byte{2}, drawBytes(t, 5)...), EthernetType: et}}
	for range rapid.IntRange(0, 2).Draw(t, "tags") {
		tags := []layers.EthernetType{layers.EthernetTypeDot1Q, layers.EthernetTypeQinQ}
		outer := rapid.SampledFrom(tags).Draw(t, "tpid")
		switch last := s[len(s)-1].(type) {
		case *layers.Ethernet:
			last.EthernetType = outer
		case *layers.Dot1Q:
			last.Type = outer
		}
		s = append(s, &layers.Dot1Q{
			VLANIdentifier: rapid.Uint16Range(0, 4095).Draw(t, "vlan"), Priority: rapid.Uint8Range(0, 7).Draw(t, "priority"), Type: et,
		})
	}
	return frame(t, append(s, inner...)...)
}

func drawBytes(t *rapid.T, n int) []byte {
	return rapid.SliceOfN(rapid.Byte(), n, n).Draw(t, "bytes")
}

func drawPayload(t *rapid.T) gopacket.Payload {
	return rapid.SliceOfN(rapid.Byte(), 0, 64).Draw(t, "payload")
}

// drawIPv4 draws an IPv4 packet; errors allows ICMP errors, which quote another.
func drawIPv4(t *rapid.T, errors bool) stack {
	ip := &layers.IPv4{
		Version: 4, TTL: rapid.Byte().Draw(t, "ttl"), Id: rapid.Uint16().Draw(t, "id"), TOS: rapid.Byte().Draw(t, "tos"),
		SrcIP: drawBytes(t, 4), DstIP: drawBytes(t, 4),
	}
	if rapid.Bool().Draw(t, "df") {
		ip.Flags = layers.IPv4DontFragment
	}
	for range rapid.IntRange(0, 4).Draw(t, "options") { // 0 to 32 bytes
		ip.Options = append(ip.Options, layers.IPv4Option{OptionType: 7, OptionLength: 8, OptionData: drawBytes(t, 6)})
	}
	proto, transport := drawTransport(t, false, errors)
	ip.Protocol = proto
	return append(stack{ip}, transport...)
}

// drawIPv6 is drawIPv4 for IPv6 with extension headers.
func drawIPv6(t *rapid.T, errors bool) stack {
	ip := &layers.IPv6{
		Version: 6, HopLimit: rapid.Byte().Draw(t, "hops"), FlowLabel: rapid.Uint32Range(0, 0xfffff).Draw(t, "label"),
		SrcIP: drawBytes(t, 16), DstIP: drawBytes(t, 16),
	}
	s := stack{ip}
	proto, transport := drawTransport(t, true, errors)
	var headers []gopacket.Payload
	chain := rapid.SampledFrom([][]layers.IPProtocol{
		nil,
		nil,
		{layers.IPProtocolIPv6HopByHop},
		{layers.IPProtocolIPv6Destination},
		{layers.IPProtocolIPv6Routing},
		{layers.IPProtocolAH},
		{layers.IPProtocolIPv6HopByHop, layers.IPProtocolIPv6Destination, layers.IPProtocolIPv6Routing, layers.IPProtocolIPv6Destination},
	}).Draw(t, "chain")
	ip.NextHeader = proto
	for i, kind := range chain {
		next := proto
		if i+1 < len(chain) {
			next = chain[i+1]
		}
		if i == 0 {
			ip.NextHeader = kind
		}
		headers = append(headers, drawExtension(t, kind, next))
	}
	for _, h := range headers {
		s = append(s, h)
	}
	return append(s, transport...)
}

// drawExtension draws an extension header in front of next.
func drawExtension(t *rapid.T, kind, next layers.IPProtocol) gopacket.Payload {
	switch kind {
	case layers.IPProtocolAH:
		return append([]byte{byte(next), 4, 0, 0}, drawBytes(t, 20)...)
	case layers.IPProtocolIPv6Routing:
		return append([]byte{byte(next), 2, 0, 0, 0, 0, 0, 0}, drawBytes(t, 16)...)
	}
	words := rapid.IntRange(0, 3).Draw(t, "words")
	h := append([]byte{byte(next), byte(words), 0x1e, byte(8*words + 4)}, make([]byte, 8*words+4)...)
	return h // one option of an unknown kind fills it
}

func drawTransport(t *rapid.T, six, errors bool) (layers.IPProtocol, stack) {
	ports := func() (uint16, uint16) { return rapid.Uint16().Draw(t, "sport"), rapid.Uint16().Draw(t, "dport") }
	src, dst := ports()
	payload := drawPayload(t)
	switch rapid.SampledFrom([]string{"tcp", "tcp", "tcp", "udp", "udp", "icmp", "icmp", "sctp", "other"}).Draw(t, "transport") {
	case "tcp":
		flags := rapid.Byte().Draw(t, "flags")
		tcp := &layers.TCP{
			SrcPort: layers.TCPPort(src), DstPort: layers.TCPPort(dst), Seq: rapid.Uint32().Draw(t, "seq"), Ack: rapid.Uint32().Draw(t, "ack"),
			Window: rapid.Uint16().Draw(t, "window"), Options: drawOptions(t),
			FIN: flags&1 != 0, SYN: flags&2 != 0, RST: flags&4 != 0, PSH: flags&8 != 0,
			ACK: flags&16 != 0, URG: flags&32 != 0, ECE: flags&64 != 0, CWR: flags&128 != 0,
		}
		return layers.IPProtocolTCP, stack{tcp, payload}
	case "udp":
		return layers.IPProtocolUDP, stack{&layers.UDP{SrcPort: layers.UDPPort(src), DstPort: layers.UDPPort(dst)}, payload}
	case "sctp":
		return layers.IPProtocolSCTP, drawSCTP(t, src, dst)
	case "icmp":
		if six {
			return layers.IPProtocolICMPv6, drawICMPv6(t, errors)
		}
		return layers.IPProtocolICMPv4, drawICMPv4(t, errors)
	}
	// Not empty: gopacket takes the padding behind an empty IPv6 packet for a jumbogram.
	return layers.IPProtocol(rapid.SampledFrom([]byte{2, 89, 103, 112, 253}).Draw(t, "protocol")), stack{append(payload, 0)}
}

// drawOptions draws TCP options of at most 40 bytes.
func drawOptions(t *rapid.T) []layers.TCPOption {
	var all []layers.TCPOption
	room := 40
	for range rapid.IntRange(0, 6).Draw(t, "options") {
		o := rapid.SampledFrom([]layers.TCPOption{
			nop(), option(layers.TCPOptionKindMSS, drawBytes(t, 2)...), option(layers.TCPOptionKindSACKPermitted),
			option(layers.TCPOptionKindTimestamps, drawBytes(t, 8)...), option(layers.TCPOptionKindWindowScale, 7),
			option(layers.TCPOptionKindSACK, drawBytes(t, 8)...), option(254, drawBytes(t, 5)...),
		}).Draw(t, "option")
		n := 1
		if o.OptionType != layers.TCPOptionKindNop {
			n = int(o.OptionLength)
		}
		if n > room {
			break
		}
		all, room = append(all, o), room-n
	}
	return all
}

func drawSCTP(t *rapid.T, src, dst uint16) stack {
	header := &layers.SCTP{SrcPort: layers.SCTPPort(src), DstPort: layers.SCTPPort(dst), VerificationTag: rapid.Uint32().Draw(t, "tag")}
	kind := rapid.SampledFrom([]layers.SCTPChunkType{
		layers.SCTPChunkTypeInit, layers.SCTPChunkTypeInitAck, layers.SCTPChunkTypeCookieEcho, layers.SCTPChunkTypeCookieAck,
		layers.SCTPChunkTypeAbort, layers.SCTPChunkTypeShutdown,
	}).Draw(t, "chunk")
	chunk := layers.SCTPChunk{Type: kind, Length: 4}
	switch kind {
	case layers.SCTPChunkTypeInit, layers.SCTPChunkTypeInitAck:
		return stack{header, &layers.SCTPInit{SCTPChunk: chunk, InitiateTag: rapid.Uint32().Draw(t, "initiate"), OutboundStreams: 1, InboundStreams: 1}}
	case layers.SCTPChunkTypeCookieEcho:
		return stack{header, &layers.SCTPCookieEcho{SCTPChunk: chunk, Cookie: drawBytes(t, 16)}}
	case layers.SCTPChunkTypeShutdown:
		return stack{header, &layers.SCTPShutdown{SCTPChunk: chunk}}
	case layers.SCTPChunkTypeAbort:
		return stack{header, &layers.SCTPError{SCTPChunk: chunk}}
	}
	return stack{header, &layers.SCTPEmptyLayer{SCTPChunk: chunk}}
}

func drawICMPv4(t *rapid.T, errors bool) stack {
	kind := rapid.SampledFrom([]uint8{8, 0, 13, 14, 17, 18, 5, 10, 3, 3, 11}).Draw(t, "type")
	header := &layers.ICMPv4{TypeCode: layers.CreateICMPv4TypeCode(kind, rapid.Uint8Range(0, 15).Draw(t, "code"))}
	if kind == 3 || kind == 11 {
		if !errors {
			header.TypeCode = layers.CreateICMPv4TypeCode(8, 0)
			return stack{header}
		}
		return stack{header, gopacket.Payload(frame(t, drawIPv4(t, false)...))}
	}
	header.Id, header.Seq = rapid.Uint16().Draw(t, "id"), rapid.Uint16().Draw(t, "seq")
	return stack{header, drawPayload(t)}
}

func drawICMPv6(t *rapid.T, errors bool) stack {
	kind := rapid.SampledFrom([]uint8{128, 129, 135, 136, 1, 3}).Draw(t, "type")
	if !errors && kind < 128 {
		kind = 128
	}
	header := &layers.ICMPv6{TypeCode: layers.CreateICMPv6TypeCode(kind, rapid.Uint8Range(0, 6).Draw(t, "code"))}
	switch kind {
	case 135:
		return stack{header, &layers.ICMPv6NeighborSolicitation{TargetAddress: net.IP(drawBytes(t, 16))}}
	case 136:
		return stack{header, &layers.ICMPv6NeighborAdvertisement{TargetAddress: net.IP(drawBytes(t, 16))}}
	case 128, 129:
		return stack{header, &layers.ICMPv6Echo{Identifier: rapid.Uint16().Draw(t, "id"), SeqNumber: rapid.Uint16().Draw(t, "seq")}, drawPayload(t)}
	}
	return stack{header, gopacket.Payload(append(make([]byte, 4), frame(t, drawIPv6(t, false)...)...))}
}

func drawARP(t *rapid.T) *layers.ARP {
	return &layers.ARP{
		AddrType: layers.LinkTypeEthernet, Protocol: layers.EthernetTypeIPv4, HwAddressSize: 6, ProtAddressSize: 4,
		Operation:         rapid.Uint16Range(1, 2).Draw(t, "operation"),
		SourceHwAddress:   drawBytes(t, 6),
		SourceProtAddress: drawBytes(t, 4),
		DstHwAddress:      drawBytes(t, 6),
		DstProtAddress:    drawBytes(t, 4),
	}
}
