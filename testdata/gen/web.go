package main

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// visitor is a host of the Internet; one in five comes over IPv6.
func (s *site) visitor(rnd *rand.Rand) (visitor, web *host) {
	if rnd.IntN(5) == 0 {
		return s.net6(0x1000 + rnd.IntN(400)), s.webServer6()
	}
	return s.net(100 + rnd.IntN(80)), s.webServer()
}

func (s *site) webServer() *host  { return s.withStack(s.lan(10), linux) }
func (s *site) webServer6() *host { return s.withStack(s.lan6(10), linux) }

func (s *site) withStack(h *host, k stack) *host {
	if h.stack.Order != k.Order || h.stack.TTL != k.TTL {
		h.stack = k
		h.port = k.LowPort + uint16(h.rnd.IntN(1000))
	}
	return h
}

// webTraffic is n conversations of visitors with the web server over d.
func (s *site) webTraffic(start int64, d time.Duration, n int) {
	rnd := s.rng("web")
	for range n {
		from, to := s.visitor(rnd)
		s.webVisit(start+rnd.Int64N(int64(d)), rnd, from, to)
	}
}

func (s *site) webVisit(t int64, rnd *rand.Rand, from, to *host) {
	if rnd.IntN(6) == 0 {
		get := fmt.Sprintf("GET /p/%d HTTP/1.1\r\nHost: www.example.org\r\n\r\n", rnd.IntN(1000))
		s.dial(t, from, to, 80).open().ask(get, 0, "HTTP/1.1 301 Moved Permanently\r\n", 380).shut(server)
		return
	}
	c := s.dial(t, from, to, 443)
	switch rnd.IntN(25) {
	case 0: // gone before the handshake was done
		c.begin()
		c.segment(client, rst, nil)
	case 1: // a browser's spare connection, closed unused
		c.open().wait(between2(rnd, 3*time.Second, 9*time.Second))
		c.shut(client)
	case 2:
		c.open().tls(400, 9000).abort(client)
	case 3: // idle, then cut off by the server
		c.open().tls(400, 1500).wait(15 * time.Second)
		c.abort(server)
	case 4: // the first SYN is lost on its way out of here
		c.segment(client, syn, nil)
		c.wait(time.Second)
		c.open().tls(420, 2200).shut(client)
	default:
		c.open().tls(300+rnd.IntN(500), 200+rnd.IntN(2500))
		if rnd.IntN(3) == 0 {
			c.wait(between2(rnd, 100*time.Millisecond, 4*time.Second))
			c.ask(record, 350, record, 200+rnd.IntN(4000))
		}
		c.shut(rnd.IntN(2))
	}
}

func between2(r *rand.Rand, low, high time.Duration) time.Duration {
	return time.Duration(between(r, low, high))
}

// browse is a LAN client at its work: names, then the best of two address
// families, and QUIC first where it was tried before. The edge drops UDP
// port 443, so that every QUIC attempt falls back to TCP.
func (s *site) browse(start int64, d time.Duration, clientNumber, pages int) {
	rnd := s.rng(fmt.Sprintf("browse %d", clientNumber))
	dns := s.resolver(rnd)
	for range pages {
		n := 20 + rnd.IntN(60)
		t := dns.lookup(start+rnd.Int64N(int64(d)), s.lan(clientNumber), name(n)) + 2_000_000
		switch rnd.IntN(3) {
		case 0:
			s.happyEyeballs(t, rnd, clientNumber, n)
		case 1:
			s.quicFallback(t, rnd, clientNumber, n)
		default:
			s.download(s.dial(t, s.lan(clientNumber), s.net(n), 443), rnd)
		}
	}
}

func (s *site) download(c *conn, rnd *rand.Rand) {
	c.open().tls(600, 3000+rnd.IntN(9000))
	if rnd.IntN(2) == 0 {
		c.wait(between2(rnd, time.Second, 6*time.Second))
		c.ask(record, 500, record, rnd.IntN(6000))
	}
	c.shut(client)
}

// happyEyeballs tries IPv6 first and IPv4 250 ms later; either may be late or
// dead, and the loser is reset or closed unused.
func (s *site) happyEyeballs(t int64, rnd *rand.Rand, clientNumber, n int) {
	c6 := s.dial(t, s.lan6(clientNumber), s.net6(n), 443)
	c4 := s.dial(t+int64(250*time.Millisecond), s.lan(clientNumber), s.net(n), 443)
	switch n % 4 {
	case 0: // no way out over IPv6: given up with the first answer over IPv4
		c6.segment(client, syn, nil)
		s.download(c4, rnd)
	case 1: // both in time: IPv6 wins, the other is closed unused
		c6.t += int64(240 * time.Millisecond)
		s.download(c6, rnd)
		c4.open()
		c4.shut(client)
	default:
		s.download(c6, rnd)
	}
}

// quicFallback sends initial packets that nobody answers, and goes on by TCP.
func (s *site) quicFallback(t int64, rnd *rand.Rand, clientNumber, n int) {
	from, to := s.lan(clientNumber), s.net(n)
	port := from.ephemeral()
	initial := zeros(1252)
	copy(initial, "\xc3\x00\x00\x00\x01\x08abcdefgh\x00\x00\x44\xd0")
	for _, ms := range []int64{0, 300, 900} {
		s.datagram(t+ms*1_000_000, from, to, port, 443, initial)
	}
	s.download(s.dial(t+int64(320*time.Millisecond), from, to, 443), rnd)
}
