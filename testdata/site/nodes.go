package site

import (
	"math/rand/v2"
	"time"
)

// nodeActivities are programs that know a long list of hosts all over the Internet,
// not all of which are still there.
func nodeActivities() []activity {
	return []activity{
		{"ledger", (*Site).ledger},
		{"onion-router", (*Site).onionRouter},
		{"game-servers", (*Site).gameServers},
		{"time-pool", (*Site).timePool},
		{"roaming", (*Site).roaming},
		{"discovery", (*Site).discovery},
	}
}

// anywhere is a host of a list that has been gathered all over the Internet: each in
// a network of its own.
func (s *Site) anywhere(n int) *host { return s.ip4(240+n%15, n*37%251, n*91%253, 1+n%250) }

// ledger is a node of a peer-to-peer ledger, started at twenty past eight. All nodes
// listen on one port. It begins with a dozen that were alive when it was told of them by
// name, and goes on, more and more seldom, with those that nodes tell each other of, most
// of which are gone.
func (s *Site) ledger(r *rand.Rand) {
	from := s.ip4(10, 20, 3, 78)
	from.stack = linux
	try := func(t int64, alive bool) {
		c := s.dial(t, from, s.anywhere(r.IntN(5000)), 8333)
		switch {
		case alive:
			c.open().ask("\xf9\xbe\xb4\xd9version\x00", 126, "\xf9\xbe\xb4\xd9version\x00", 126)
			c.wait(20*time.Second).ask("\xf9\xbe\xb4\xd9ping\x00", 32, "\xf9\xbe\xb4\xd9pong\x00", 32).shut(server)
		case one(r, 8):
			c.refused()
		default:
			c.silent(3)
		}
	}
	s.once("08:20", func(t int64) {
		for i := range 60 {
			try(t+int64(i)*int64(1500*time.Millisecond), i < 12 && i%6 != 3 || one(r, 4))
		}
	})
	s.often(r, 60, steady, func(t int64) {
		if t > timeOf("08:22") {
			try(t, one(r, 4))
		}
	})
}

// onionRouter builds its ways over hosts of a list that is kept well: one in eight is
// gone or full.
func (s *Site) onionRouter(r *rand.Rand) {
	from := s.ip4(10, 20, 3, 79)
	s.often(r, 300, steady, func(t int64) {
		n := r.IntN(3000)
		c := s.dial(t, from, s.anywhere(5000+n), []uint16{443, 9001, 9001, 9030}[n%4])
		if n%8 == 3 {
			c.silent(3)
			return
		}
		visit(c, r)
	})
}

// gameServers are players who open a list of servers: each is asked, by one socket,
// how full it is and how far away. Four in ten do not answer, and most use the game's
// own port.
func (s *Site) gameServers(r *rand.Rand) {
	s.often(r, 4, office, func(t int64) {
		from := s.desk(120 + r.IntN(100))
		port := from.ephemeral()
		for i := range 200 {
			n := r.IntN(2000)
			to, at := s.anywhere(9000+n), t+int64(i)*int64(15*time.Millisecond)
			own := uint16(27015)
			if n%3 == 0 {
				own += uint16(n % 20)
			}
			s.datagram(at, from, to, port, own, "\xff\xff\xff\xffTSource Engine Query\x00", 25)
			if n%5 > 1 {
				s.datagram(at+to.answer(), to, from, own, port, "\xff\xff\xff\xffI\x11name", 120)
			}
		}
	})
}

// timePool is a server that compares its clock with a dozen others, two of which are
// gone, and others by their names in a pool that change.
func (s *Site) timePool(r *rand.Rand) {
	from := s.server(35)
	s.every(r, time.Minute, time.Second, func(t int64) {
		for i := range 12 {
			s.ntp(t+int64(i)*int64(300*time.Millisecond), from, s.anywhere(12000+i), i%6 != 1)
		}
		n := r.IntN(300)
		s.ntp(t, from, s.anywhere(12100+n), n%5 != 0)
	})
}

// roaming are laptops that come from another company's network and look for what they
// had there: domain controllers, shares, printers, the update server. None of it is
// here. What they want of the Internet they get.
func (s *Site) roaming(r *rand.Rand) {
	s.often(r, 3, office, func(t int64) {
		from := s.desk(120 + r.IntN(100))
		there := func(n int) *host { return s.ip4(10, 99, 1, n) }
		for _, a := range []struct {
			host int
			port uint16
		}{
			{1, 389},
			{2, 389},
			{3, 389},
			{1, 88},
			{2, 88},
			{1, 445},
			{2, 445},
			{20, 445},
			{21, 445},
			{22, 445},
			{30, 8530},
			{40, 9100},
			{41, 9100},
			{42, 9100},
			{50, 443},
			{51, 8080},
		} {
			s.dial(t+upTo(r, 3*time.Minute), from, there(a.host), a.port).silent(3)
		}
		for n := range 3 {
			s.askSNMP(t+upTo(r, time.Minute), from, there(40+n), from.ephemeral(), false)
			s.datagram(t+upTo(r, time.Minute), from, there(1+n), from.ephemeral(), 53, dnsMessage(r, 1, 0x0100, "_ldap._tcp.corp.example"), 0)
			s.ping(t+upTo(r, time.Minute), from, there(1+n), false)
		}
		s.session(t+upTo(r, 10*time.Second), r, from, 4)
	})
}

// discovery are programs that ask a group who is there, and then talk to each that
// answered, from whatever port: loudspeakers, printers, cameras. A few sleep by then.
func (s *Site) discovery(r *rand.Rand) {
	device := func(n int) *host { return s.ip4(10, 20, 7, 10+n) }
	s.often(r, 30, office, func(t int64) {
		from := s.desk(r.IntN(220))
		port := from.ephemeral()
		s.datagram(t, from, group(ssdpAddr), port, 3702, "<?xml version=\"1.0\"?><soap:Envelope", 700)
		for n := range 24 {
			at := t + between(r, 10*time.Millisecond, 900*time.Millisecond)
			s.datagram(at, device(n), from, device(n).ephemeral(), port, "<?xml version=\"1.0\"?><soap:Envelope", 900)
			c := s.dial(at+int64(2*time.Second), from, device(n), []uint16{1400, 5357, 80}[n%3])
			switch {
			case n%7 == 2:
				c.silent(2)
			case n%9 == 4:
				c.refused()
			default:
				c.open().ask("GET /xml/device_description.xml HTTP/1.1\r\n", 200, "HTTP/1.1 200 OK\r\n", 1200).shut(server)
			}
		}
	})
}
