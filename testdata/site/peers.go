package site

import (
	"math/rand/v2"
	"time"
)

// peerActivities are talk between equals, and what the Internet sends unasked.
func peerActivities() []activity {
	return []activity{
		{"phones", (*Site).phones},
		{"calls", (*Site).calls},
		{"meetings", (*Site).meetings},
		{"file-sharing", (*Site).fileSharing},
		{"background", (*Site).background},
		{"backscatter", (*Site).backscatter},
		{"flood", (*Site).flood},
	}
}

// phones register with the exchange and are asked by it whether they are there.
// Five of forty lie in drawers.
func (s *Site) phones(r *rand.Rand) {
	exchange := s.server(70)
	s.every(r, 2*time.Minute, time.Second, func(t int64) {
		for i := range 40 {
			p, at := s.phone(i), t+int64(i)*int64(time.Second)
			s.datagram(at, exchange, p, 5060, 5060, "OPTIONS sip:"+p.addr.String(), 420)
			if i%8 == 3 {
				s.datagram(at+500_000_000, exchange, p, 5060, 5060, "OPTIONS sip:"+p.addr.String(), 420)
				continue
			}
			s.datagram(at+p.answer(), p, exchange, 5060, 5060, "SIP/2.0 200 OK\r\n", 380)
		}
	})
	s.often(r, 40, steady, func(t int64) {
		p := s.phone(8*r.IntN(5) + r.IntN(3))
		s.datagram(t, p, exchange, 5060, 5060, "REGISTER sip:pbx\r\n", 520)
		s.datagram(t+exchange.answer(), exchange, p, 5060, 5060, "SIP/2.0 401 Unauthorized\r\n", 460)
		t += 2 * exchange.answer()
		s.datagram(t, p, exchange, 5060, 5060, "REGISTER sip:pbx\r\n", 640)
		s.datagram(t+exchange.answer(), exchange, p, 5060, 5060, "SIP/2.0 200 OK\r\n", 480)
	})
}

// calls are between phones, by RTP from port to port, or to an outside line,
// which sends nothing back while it rings.
func (s *Site) calls(r *rand.Rand) {
	s.often(r, 25, office, func(t int64) {
		a, b := s.phone(8*r.IntN(5)+r.IntN(3)), s.phone(8*r.IntN(5)+4+r.IntN(3))
		outside := one(r, 3)
		if outside {
			b = s.web(3950 + r.IntN(6))
		}
		pa, pb := uint16(16384+2*r.IntN(8000)), uint16(16384+2*r.IntN(8000))
		for i := range 20 {
			at := t + int64(i)*int64(time.Second)
			s.datagram(at, a, b, pa, pb, "\x80\x00", 172)
			if !outside || i > 6 {
				s.datagram(at+9_000_000, b, a, pb, pa, "\x80\x00", 172)
			}
			if i%5 == 0 {
				s.datagram(at+3_000_000, a, b, pa+1, pb+1, "\x80\xc8\x00\x06", 60) // reports that nobody answers
			}
		}
	})
}

const stunRequest, stunAnswer = "\x00\x01\x00\x08\x21\x12\xa4\x42", "\x01\x01\x00\x0c\x21\x12\xa4\x42"

// meetings are calls between browsers: the way to each of the others is looked
// for by STUN on all the addresses they might have, of which one answers.
func (s *Site) meetings(r *rand.Rand) {
	s.often(r, 15, office, func(t int64) {
		from := s.desk(120 + r.IntN(100))
		port := from.ephemeral()
		for n := range 3 {
			relay := s.web(3960 + n)
			s.datagram(t, from, relay, port, 3478, stunRequest, 28)
			if n != 1 {
				s.datagram(t+relay.answer(), relay, from, 3478, port, stunAnswer, 40)
			}
		}
		for range 2 + r.IntN(8) {
			public, k := s.visitor(r.IntN(60000)), uint16(40000+r.IntN(20000))
			candidates := []*host{
				s.ip4(192, 168, 1, 2+r.IntN(200)), s.ip4(10, 8, 0, 2+r.IntN(200)), s.ip4(172, 17, 0, 1), public,
			}
			for i, to := range candidates {
				for try := range 3 {
					s.datagram(t+int64(i)*50_000_000+int64(try)*500_000_000, from, to, port, k, stunRequest, 100)
				}
			}
			s.datagram(t+150_000_000+public.answer(), public, from, k, port, stunAnswer, 80)
			for i := range 6 {
				at := t + int64(2*time.Second) + int64(i)*int64(3*time.Second)
				s.datagram(at, from, public, port, k, "\x80\x60", 900)
				s.datagram(at+public.answer(), public, from, k, port, "\x80\x60", 900)
			}
		}
	})
}

// fileSharing is one client of a file-sharing network, all day: one UDP socket
// to peers on as many ports, a third of whom answer, and TCP to some, most of
// them gone. A few use the port their program came with.
func (s *Site) fileSharing(r *rand.Rand) {
	from := s.ip4(10, 20, 3, 77)
	from.stack = linux
	const own, query = 51413, "d1:ad2:id20:aaaaaaaaaaaaaaaaaaaae1:q4:ping1:t2:xy1:y1:qe"
	s.often(r, 900, steady, func(t int64) {
		peer, port := s.ip4(198, 18, 64+r.IntN(60), 1+r.IntN(250)), uint16(10000+r.IntN(50000))
		if one(r, 16) {
			port = 6881
		}
		kind := r.IntN(12)
		s.datagram(t, from, peer, own, port, query, 0)
		if kind < 4 {
			s.datagram(t+peer.answer(), peer, from, port, own, "d1:rd2:id20:bbbbbbbbbbbbbbbbbbbbe1:t2:xy1:y1:re", 0)
		} else if one(r, 2) {
			s.datagram(t+int64(4*time.Second), from, peer, own, port, query, 0)
		}
		if !one(r, 3) {
			return
		}
		c := s.dial(t+int64(2*time.Second), from, peer, port)
		switch {
		case kind < 5:
			c.open().ask("\x13BitTorrent protocol", 68, "\x13BitTorrent protocol", 68)
			c.ask("\x00\x00\x00\x0d\x06", 17, "\x00\x00\x40\x09\x07", 1300).shut(client)
		case kind < 7:
			c.refused()
		default:
			c.silent(3)
		}
	})
	s.often(r, 120, steady, func(t int64) { // others come to it
		peer := s.ip4(198, 18, 64+r.IntN(60), 1+r.IntN(250))
		s.datagram(t, peer, from, uint16(10000+r.IntN(50000)), own, query, 0)
	})
}

// background is the noise of the Internet: hosts that try one to three targets
// of ours and are not seen again.
func (s *Site) background(r *rand.Rand) {
	n := 0
	s.often(r, 90, steady, func(t int64) {
		n++
		from := s.ip4(198, 18, 128+n/250%60, 1+n%250)
		port := []uint16{22, 23, 80, 443, 445, 1433, 3389, 5900, 6379, 8080}[r.IntN(10)]
		for range 1 + r.IntN(3) {
			t += upTo(r, 3*time.Second)
			s.synTo(t, from, s.dmz(1+r.IntN(250)), port, uint16(40000+r.IntN(20000)), r.Uint32())
		}
	})
}

// backscatter is the answers of a flood's victim to addresses of ours.
func (s *Site) backscatter(r *rand.Rand) {
	victim := s.ip4(198, 18, 250, 9)
	s.often(r, 1500, steady, func(t int64) {
		if !hours(t, "08:30", "09:00") && !hours(t, "20:00", "20:30") {
			return
		}
		c := s.dialFrom(t, s.dmz(1+r.IntN(250)), uint16(1024+r.IntN(60000)), victim, 443)
		if one(r, 3) {
			c.segment(server, rst|ack, "", 0)
			return
		}
		c.segment(server, syn|ack, "", 0)
		c.wait(time.Second).segment(server, syn|ack, "", 0)
	})
}

// flood is ten seconds of SYNs from sources that do not exist.
func (s *Site) flood(r *rand.Rand) {
	s.once("09:25", func(t int64) {
		for range 1500 {
			c := s.dialFrom(t+upTo(r, 10*time.Second), s.ip4(198, 19, r.IntN(256), r.IntN(256)), uint16(1024+r.IntN(60000)), s.dmz(10), 443)
			c.segment(client, syn, "", 0)
			c.turn(server)
			c.next[client]++
			c.segment(server, syn|ack, "", 0)
			c.wait(time.Second).segment(server, syn|ack, "", 0)
		}
	})
}
