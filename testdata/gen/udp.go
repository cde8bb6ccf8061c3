package main

import (
	"time"

	"github.com/synoptic-ids/synoptic/testdata/wire"
)

// datagram sends one UDP datagram and returns its frame.
func (s *site) datagram(t int64, from, to *host, sport, dport uint16, payload []byte) []byte {
	return s.datagramTTL(t, from, to, sport, dport, 0, payload)
}

// datagramTTL is datagram with a TTL of its own as seen at the tap; 0: the stack's.
func (s *site) datagramTTL(t int64, from, to *host, sport, dport uint16, ttl uint8, payload []byte) []byte {
	l4 := append(wire.UDP(nil, sport, dport, len(payload)), payload...)
	return s.send(t, from, to, ipHeader{ttl: ttl}, wire.ProtoUDP, l4, wire.SumUDP)
}

// The types and codes of ICMP errors that are made.
const (
	unreachable  = 3
	timeExceeded = 11
	portClosed   = 3
	prohibitedBy = 13
	unreachable6 = 1
	portClosed6  = 4
)

// icmp sends an ICMP message.
func (s *site) icmp(t int64, from, to *host, ip ipHeader, message []byte) []byte {
	proto := uint8(wire.ProtoICMP)
	if from.is6() {
		proto = wire.ProtoICMPv6
	}
	return s.send(t, from, to, ip, proto, message, wire.SumICMP)
}

// icmpError answers the frame f, which by received, with an error to its sender.
func (s *site) icmpError(t int64, by, to *host, f []byte, kind, code uint8) {
	quoted, most := append([]byte(nil), wire.Packet(f)...), 548
	if by.is6() {
		most = 1200
	} else if kind == timeExceeded {
		quoted[8] = 1 // it is over there
		wire.SumIPv4(quoted)
	}
	s.icmp(t, by, to, ipHeader{}, wire.ICMP(nil, kind, code, 0, quoted[:min(len(quoted), most)]))
}

// portUnreachable is the answer of a host to a datagram for a closed port.
func (s *site) portUnreachable(t int64, by, to *host, f []byte) {
	if by.is6() {
		s.icmpError(t, by, to, f, unreachable6, portClosed6)
		return
	}
	s.icmpError(t, by, to, f, unreachable, portClosed)
}

// echoTTL is the echo request of Windows' tracert.
func (s *site) echoTTL(t int64, from, to *host, ttl uint8, seq uint16) []byte {
	return s.icmp(t, from, to, ipHeader{ttl: ttl}, append(wire.Echo(nil, false, false, 1, seq), zeros(64)...))
}

// echo sends an ICMP echo request or reply with n bytes of payload.
func (s *site) echo(t int64, from, to *host, reply bool, id, seq uint16, n int) {
	message := wire.Echo(nil, from.is6(), reply, id, seq)
	for i := range n {
		message = append(message, byte(i))
	}
	s.icmp(t, from, to, ipHeader{df: !reply}, message)
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
