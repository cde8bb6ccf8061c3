package flows

import (
	"encoding/binary"
	"hash/fnv"
	"net"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestDecodeAgreesWithGopacket compares every field of Packet with what
// gopacket's layers say of the same frame.
func TestDecodeAgreesWithGopacket(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		data := drawFrame(t)
		got, ok := decodeChecked(t, data, Meta{Len: uint32(len(data)), Link: linkEthernet})
		require.True(t, ok)
		require.Equal(t, byGopacket(data), got, "%x", data)
	})
}

// byGopacket fills a Packet from the layers of a frame.
func byGopacket(data []byte) Packet {
	var w Packet
	g := gopacket.NewPacket(data, layers.LayerTypeEthernet, gopacket.Default)
	for _, l := range g.Layers() {
		if w.Kind == KindTCP || w.Kind == KindUDP {
			break // what gopacket makes of the payload by its port
		}
		switch l := l.(type) {
		case *layers.Ethernet:
			w.SrcMAC = [6]byte(l.SrcMAC)
		case *layers.Dot1Q:
			if w.VLAN == 0 {
				w.VLAN = l.VLANIdentifier
			}
		case *layers.ARP:
			w.Src, w.Dst, w.Kind = as16(l.SourceProtAddress), as16(l.DstProtAddress), KindARPRequest
			if l.Operation == layers.ARPReply {
				w.Kind = KindARPReply
			}
		case *layers.IPv4:
			w.networkIPv4(l)
		case *layers.IPv6:
			w.networkIPv6(l)
		case *layers.IPv6HopByHop:
			w.Proto, w.Payload = uint8(l.NextHeader), uint16(len(l.LayerPayload()))
		case *layers.IPv6Destination:
			w.Proto, w.Payload = uint8(l.NextHeader), uint16(len(l.LayerPayload()))
		case *layers.IPv6Routing:
			w.Proto, w.Payload = uint8(l.NextHeader), uint16(len(l.LayerPayload()))
		case *layers.IPSecAH:
			w.Proto, w.Payload = uint8(l.NextHeader), uint16(len(l.LayerPayload()))
		default:
			w.transportLayer(l)
		}
	}
	return w
}

// as16 is a net.IP as Packet holds it.
func as16(ip net.IP) [16]byte { return [16]byte(ip.To16()) }

func (p *Packet) networkIPv4(l *layers.IPv4) {
	p.Src, p.Dst, p.TTL, p.Proto, p.IPID = as16(l.SrcIP), as16(l.DstIP), l.TTL, uint8(l.Protocol), l.Id
	p.Payload = uint16(len(l.Payload))
	if l.Flags&layers.IPv4DontFragment != 0 {
		p.Marks |= MarkDF
	}
	if l.DstIP.IsMulticast() || l.DstIP.Equal(net.IPv4bcast) {
		p.Marks |= MarkGroup
	}
}

func (p *Packet) networkIPv6(l *layers.IPv6) {
	p.Src, p.Dst, p.TTL, p.Proto = as16(l.SrcIP), as16(l.DstIP), l.HopLimit, uint8(l.NextHeader)
	p.Payload = uint16(len(l.Payload))
	p.Marks |= MarkIPv6
	if l.DstIP[0] == 0xff {
		p.Marks |= MarkGroup
	}
}

func (p *Packet) transportLayer(l gopacket.Layer) {
	switch l := l.(type) {
	case *layers.TCP:
		p.Kind, p.SrcPort, p.DstPort = KindTCP, uint16(l.SrcPort), uint16(l.DstPort)
		p.Seq, p.Ack, p.Window, p.Flags = l.Seq, l.Ack, l.Window, l.Contents[13]
		p.Payload = uint16(len(l.Payload))
		p.hashOptions(l.Options)
	case *layers.UDP:
		p.Kind, p.SrcPort, p.DstPort = KindUDP, uint16(l.SrcPort), uint16(l.DstPort)
		p.Payload = uint16(len(l.Payload))
		if n := len(l.Payload); n > 0 {
			p.Question = question(l.Payload)
			p.readPayload(l.Payload, n) // checked by tables of its own
		}
	case *layers.SCTP:
		p.Kind, p.SrcPort, p.DstPort = KindSCTPOther, uint16(l.SrcPort), uint16(l.DstPort)
		p.Seq, p.Payload = l.VerificationTag, uint16(len(l.Payload))
	case *layers.SCTPInit:
		p.Kind, p.Seq = KindSCTPInit, l.InitiateTag
		if l.Type == layers.SCTPChunkTypeInitAck {
			p.Kind = KindSCTPInitAck
		}
	case *layers.SCTPCookieEcho:
		p.Kind = KindSCTPCookieEcho
	case *layers.SCTPEmptyLayer:
		if l.Type == layers.SCTPChunkTypeCookieAck {
			p.Kind = KindSCTPCookieAck
		}
	case *layers.SCTPError:
		p.Kind = KindSCTPAbort
	case *layers.ICMPv4:
		p.messageICMPv4(l)
	case *layers.ICMPv6:
		p.Kind, p.Code, p.Payload = KindICMPOther, l.TypeCode.Code(), uint16(len(l.Payload)-4)
		p.messageICMPv6(l)
	case *layers.ICMPv6Echo:
		p.Seq = uint32(l.Identifier)<<16 | uint32(l.SeqNumber)
	case *layers.ICMPv6NeighborSolicitation:
		p.Dst, p.Marks = as16(l.TargetAddress), p.Marks&^MarkGroup
	case *layers.ICMPv6NeighborAdvertisement:
		p.Src, p.Marks = as16(l.TargetAddress), p.Marks&^MarkGroup
	}
}

func (p *Packet) hashOptions(options []layers.TCPOption) {
	if len(options) == 0 {
		p.Marks |= MarkNoOptions
		return
	}
	h := fnv.New32a()
	for _, o := range options {
		h.Write([]byte{byte(o.OptionType)})
		if o.OptionType <= layers.TCPOptionKindNop {
			continue
		}
		h.Write([]byte{o.OptionLength})
		if o.OptionType == layers.TCPOptionKindTimestamps {
			p.EchoedTime = binary.BigEndian.Uint32(o.OptionData[4:])
			continue
		}
		h.Write(o.OptionData)
	}
	p.Options = h.Sum32()
}

func (p *Packet) messageICMPv4(l *layers.ICMPv4) {
	kinds := map[uint8]Kind{
		0: KindEchoReply, 8: KindEchoRequest, 13: KindTimestampRequest, 14: KindTimestampReply,
		17: KindMaskRequest, 18: KindMaskReply,
	}
	p.Kind, p.Code, p.Payload = KindICMPOther, l.TypeCode.Code(), uint16(len(l.Payload))
	if k, ok := kinds[l.TypeCode.Type()]; ok {
		p.Kind, p.Seq = k, uint32(l.Id)<<16|uint32(l.Seq)
		return
	}
	switch {
	case l.TypeCode.Type() == 3 && p.Code != 4:
		p.quoted(KindUnreachable, l.Payload, layers.LayerTypeIPv4)
	case l.TypeCode.Type() == 11:
		p.quoted(KindTimeExceeded, l.Payload, layers.LayerTypeIPv4)
	}
}

func (p *Packet) messageICMPv6(l *layers.ICMPv6) {
	switch l.TypeCode.Type() {
	case 1:
		p.quoted(KindUnreachable, l.Payload[4:], layers.LayerTypeIPv6)
	case 3:
		p.quoted(KindTimeExceeded, l.Payload[4:], layers.LayerTypeIPv6)
	case 128:
		p.Kind = KindEchoRequest
	case 129:
		p.Kind = KindEchoReply
	case 135:
		p.Kind = KindNeighborSolicit
	case 136:
		p.Kind = KindNeighborAdvert
	}
}

// quoted reads the packet that an error quotes. Quoted replies and neighbour
// discovery say nothing.
func (p *Packet) quoted(kind Kind, data []byte, start gopacket.LayerType) {
	w := Packet{}
	for _, l := range gopacket.NewPacket(data, start, gopacket.Default).Layers() {
		if w.Kind == KindTCP || w.Kind == KindUDP {
			break
		}
		switch l := l.(type) {
		case *layers.IPv4:
			w.networkIPv4(l)
		case *layers.IPv6:
			w.networkIPv6(l)
		case *layers.IPv6HopByHop:
			w.Proto = uint8(l.NextHeader)
		case *layers.IPv6Destination:
			w.Proto = uint8(l.NextHeader)
		case *layers.IPv6Routing:
			w.Proto = uint8(l.NextHeader)
		case *layers.IPSecAH:
			w.Proto = uint8(l.NextHeader)
		default:
			w.transportLayer(l)
		}
	}
	sport, dport := w.SrcPort, w.DstPort
	switch w.Kind {
	case KindEchoRequest, KindTimestampRequest, KindMaskRequest:
		sport = uint16(w.Seq >> 16)
		dport = map[Kind]uint16{KindEchoRequest: 8, KindTimestampRequest: 13, KindMaskRequest: 17}[w.Kind]
		if w.Proto == protoICMPv6 {
			dport = 128
		}
	case KindEchoReply, KindTimestampReply, KindMaskReply, KindICMPOther, KindNeighborSolicit, KindNeighborAdvert:
		return
	}
	p.Kind = kind
	p.QuotedSrc, p.QuotedDst, p.QuotedProto, p.QuotedSrcPort, p.QuotedDstPort = w.Src, w.Dst, w.Proto, sport, dport
}
