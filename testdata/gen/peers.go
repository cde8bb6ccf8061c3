package main

import (
	"fmt"
	"time"
)

// p2p is one client of a file-sharing network: one UDP socket to many peers on
// as many ports, a third of which answer, and TCP to some of them, half dead.
func (s *site) p2p(start int64, d time.Duration, n, peers int) {
	rnd := s.rng(fmt.Sprintf("p2p %d", n))
	from := s.lan(n)
	const own, query = 51413, "d1:ad2:id20:aaaaaaaaaaaaaaaaaaaae1:q4:ping1:t2:xy1:y1:qe"
	for i := range peers {
		peer := s.net(2 + (i*37)%217)
		port := uint16(10000 + rnd.IntN(50000))
		t := start + rnd.Int64N(int64(d))
		s.datagram(t, from, peer, own, port, []byte(query))
		switch {
		case i%3 == 0:
			s.datagram(t+peer.answer(), peer, from, port, own, []byte("d1:rd2:id20:bbbbbbbbbbbbbbbbbbbbe1:t2:xy1:y1:re"))
		case i%3 == 1 && i%2 == 0:
			s.datagram(t+int64(4*time.Second), from, peer, own, port, []byte(query))
		}
		if i%4 != 0 {
			continue
		}
		c := s.dial(t+int64(2*time.Second), from, peer, port)
		switch i % 16 {
		case 4:
			c.silent(3)
		case 8:
			c.refused()
		default:
			c.open().ask("\x13BitTorrent protocol", 68, "\x13BitTorrent protocol", 68).shut(client)
		}
	}
}

// traceroute sends UDP to rising ports with rising TTL, three a hop and one
// at a time; silentHop never answers (0: all do).
func (s *site) traceroute(t int64, from, to *host, hops, silentHop int) {
	sport := from.ephemeral()
	port := uint16(33434)
	for hop := 1; hop <= hops; hop++ {
		by := s.hop(from, hop)
		for range 3 {
			f := s.datagramTTL(t, from, to, sport, port, uint8(hop), zeros(32))
			port++
			switch {
			case hop == hops:
				t += to.answer()
				s.portUnreachable(t, to, from, f)
			case hop == silentHop:
				t += int64(5 * time.Second)
				continue
			case from.is6():
				t += by.answer()
				s.icmpError(t, by, from, f, 3, 0)
			default:
				t += by.answer()
				s.icmpError(t, by, from, f, 11, 0)
			}
			t += 300_000
		}
	}
}

// hop is the router so many hops away from a host of the LAN; the first is
// the edge router.
func (s *site) hop(from *host, n int) *host {
	switch {
	case n == 1 && from.is6():
		return s.withStack(s.lan6(1), linux)
	case n == 1:
		return s.withStack(s.lan(1), linux)
	}
	h := s.net(220 + n)
	if from.is6() {
		h = s.net6(0x200 + n)
	}
	h.hops, h.stack = uint8(n-1), linux
	h.delay = int64(n) * int64(1500*time.Microsecond)
	return h
}

// tracert is Windows' way: echo requests with rising TTL.
func (s *site) tracert(t int64, from, to *host, hops int) {
	for hop := 1; hop <= hops; hop++ {
		for i := range 3 {
			f := s.echoTTL(t, from, to, uint8(hop), uint16(hop*3+i))
			by := s.hop(from, hop)
			if hop == hops {
				t += to.answer()
				s.echo(t, to, from, true, 1, uint16(hop*3+i), 64)
			} else {
				t += by.answer()
				s.icmpError(t, by, from, f, 11, 0)
			}
		}
		t += int64(time.Second)
	}
}
