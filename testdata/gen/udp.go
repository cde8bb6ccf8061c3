package main

import (
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// datagram sends one UDP datagram and returns its frame.
func (s *site) datagram(t int64, from, to *host, sport, dport uint16, payload []byte) []byte {
	return s.datagramTTL(t, from, to, sport, dport, 0, payload)
}

// datagramTTL is datagram with a TTL of its own as seen at the tap; 0: the stack's.
func (s *site) datagramTTL(t int64, from, to *host, sport, dport uint16, ttl uint8, payload []byte) []byte {
	udp := &layers.UDP{SrcPort: layers.UDPPort(sport), DstPort: layers.UDPPort(dport)}
	return s.send(t, from, to, ipHeader{ttl: ttl}, layers.IPProtocolUDP, udp, gopacket.Payload(payload))
}

// icmpError answers the frame f, which by received, with an error to its sender.
func (s *site) icmpError(t int64, by, to *host, f []byte, kind, code uint8) {
	quoted := append([]byte(nil), packet(f)...)
	if by.is6() {
		head := &layers.ICMPv6{TypeCode: layers.CreateICMPv6TypeCode(kind, code)}
		body := append(zeros(4), quoted[:min(len(quoted), 1200)]...)
		s.send(t, by, to, ipHeader{}, layers.IPProtocolICMPv6, head, gopacket.Payload(body))
		return
	}
	if kind == layers.ICMPv4TypeTimeExceeded {
		quoted[8] = 1 // it is over there
		sumIPv4(quoted[:20])
	}
	head := &layers.ICMPv4{TypeCode: layers.CreateICMPv4TypeCode(kind, code)}
	s.send(t, by, to, ipHeader{}, layers.IPProtocolICMPv4, head, gopacket.Payload(quoted[:min(len(quoted), 548)]))
}

// portUnreachable is the answer of a host to a datagram for a closed port.
func (s *site) portUnreachable(t int64, by, to *host, f []byte) {
	if by.is6() {
		s.icmpError(t, by, to, f, layers.ICMPv6TypeDestinationUnreachable, layers.ICMPv6CodePortUnreachable)
		return
	}
	s.icmpError(t, by, to, f, layers.ICMPv4TypeDestinationUnreachable, layers.ICMPv4CodePort)
}

// echoTTL is the echo request of Windows' tracert.
func (s *site) echoTTL(t int64, from, to *host, ttl uint8, seq uint16) []byte {
	head := &layers.ICMPv4{TypeCode: layers.CreateICMPv4TypeCode(layers.ICMPv4TypeEchoRequest, 0), Id: 1, Seq: seq}
	return s.send(t, from, to, ipHeader{ttl: ttl}, layers.IPProtocolICMPv4, head, gopacket.Payload(zeros(64)))
}

// echo sends an ICMP echo request or reply with n bytes of payload.
func (s *site) echo(t int64, from, to *host, reply bool, id, seq uint16, n int) {
	payload := zeros(n)
	for i := range payload {
		payload[i] = byte(i)
	}
	if from.is6() {
		kind := uint8(layers.ICMPv6TypeEchoRequest)
		if reply {
			kind = layers.ICMPv6TypeEchoReply
		}
		head := &layers.ICMPv6{TypeCode: layers.CreateICMPv6TypeCode(kind, 0)}
		body := &layers.ICMPv6Echo{Identifier: id, SeqNumber: seq}
		s.send(t, from, to, ipHeader{}, layers.IPProtocolICMPv6, head, body, gopacket.Payload(payload))
		return
	}
	kind := uint8(layers.ICMPv4TypeEchoRequest)
	if reply {
		kind = layers.ICMPv4TypeEchoReply
	}
	head := &layers.ICMPv4{TypeCode: layers.CreateICMPv4TypeCode(kind, 0), Id: id, Seq: seq}
	s.send(t, from, to, ipHeader{df: !reply}, layers.IPProtocolICMPv4, head, gopacket.Payload(payload))
}

// ping is count echo requests a second apart, answered or not.
func (s *site) ping(t int64, from, to *host, count int, answered bool) {
	id := uint16(from.rnd.Uint32())
	for i := range count {
		at := t + int64(i)*int64(time.Second)
		s.echo(at, from, to, false, id, uint16(i+1), 56)
		if answered {
			s.echo(at+to.answer(), to, from, true, id, uint16(i+1), 56)
		}
	}
}
