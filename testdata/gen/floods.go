package main

import (
	"net/netip"
	"time"

	"github.com/synoptic-ids/synoptic/testdata/wire"
)

// backscatter is what a victim of spoofing answers to addresses of ours that
// never sent it anything: SYN-ACKs with repetitions, RSTs and ICMP errors.
func (s *site) backscatter(start int64, d time.Duration, n int) {
	rnd := s.rng("backscatter")
	victim := s.withStack(s.net(80), linux)
	for i := range n {
		t, to := start+rnd.Int64N(int64(d)), s.dmz(1+rnd.IntN(254))
		port := uint16(1024 + rnd.IntN(64000))
		tcp := wire.TCP{SrcPort: 443, DstPort: port, Seq: rnd.Uint32(), Ack: rnd.Uint32(), Flags: syn | ack, Window: 64240}
		switch i % 5 {
		case 0: // nothing listens there any more
			tcp.Seq, tcp.Flags, tcp.Window = 0, rst|ack, 0
			s.segment(t, victim, to, ipHeader{df: true, fixed: true}, tcp, nil)
		case 1:
			s.quoteSpoofed(t, victim, to, port)
		default:
			tcp.Options = victim.synOptions(t, 0, &stack{Modern: true})
			for i := range 1 + rnd.IntN(2) {
				s.segment(t+int64(i)*int64(time.Second), victim, to, ipHeader{df: true, fixed: true}, tcp, nil)
			}
		}
	}
}

// quoteSpoofed is a port unreachable for a datagram that to never sent.
func (s *site) quoteSpoofed(t int64, victim, to *host, port uint16) {
	kept := len(s.frames)
	f := s.datagram(t, to, victim, port, 27015, zeros(20))
	s.frames = s.frames[:kept]
	s.portUnreachable(t, victim, to, f)
}

// synFlood is SYNs with random sources at one port of the web server, which
// answers each, twice; a few of the hosts so impersonated exist and reset.
// Between them, real visitors come and go.
func (s *site) synFlood(start int64, d time.Duration, n int) {
	rnd := s.rng("flood")
	for i := range n {
		t := start + rnd.Int64N(int64(d))
		from, to := s.net(1+rnd.IntN(239)), s.webServer()
		if i%3 == 0 {
			a := netip.MustParseAddr("2001:db8:f::").As16()
			for b := 6; b < 16; b++ {
				a[b] = byte(rnd.Uint32())
			}
			from, to = s.host(netip.AddrFrom16(a)), s.webServer6()
		}
		s.spoofed(t, from, to, rnd.Uint32(), i%20 == 0)
	}
}

func (s *site) spoofed(t int64, from, to *host, seq uint32, exists bool) {
	sport := uint16(1024 + seq%60000)
	attack := wire.TCP{SrcPort: sport, DstPort: 443, Seq: seq, Flags: syn, Window: 512}
	s.segment(t, from, to, ipHeader{ttl: 244, fixed: true, ident: uint16(seq >> 7)}, attack, nil)
	answer := wire.TCP{SrcPort: 443, DstPort: sport, Seq: to.rnd.Uint32(), Ack: seq + 1, Flags: syn | ack, Window: 64240}
	answer.Options = to.synOptions(t, 0, &stack{})
	times := 2
	if exists {
		times = 1
	}
	for i := range times {
		s.segment(t+to.answer()+int64(i)*int64(time.Second), to, from, ipHeader{df: true, fixed: true}, answer, nil)
	}
	if exists {
		reset := wire.TCP{SrcPort: sport, DstPort: 443, Seq: seq + 1, Flags: rst}
		s.segment(t+2*to.delay+from.answer(), from, to, ipHeader{df: true, fixed: true}, reset, nil)
	}
}
