package site

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// clientActivities are the people at their desks, and those behind NAT.
func clientActivities() []activity {
	return []activity{
		{"proxy", (*Site).proxyClients},
		{"browse", (*Site).browsers},
		{"ipv6-outage", func(s *Site, _ *rand.Rand) { s.outage = true }},
		{"uplink-outage", func(s *Site, _ *rand.Rand) { s.cutFrom, s.cutTo = timeOf("15:20"), timeOf("15:32") }},
		{"nat", (*Site).natClients},
		{"updates", (*Site).updates},
		{"dead-servers", (*Site).deadServers},
		{"regions", (*Site).regions},
	}
}

// The sites of others: some are dead, some refuse, most are in order.
const sites = 4000

func deadSite(n int) bool   { return n%41 == 17 }
func closedSite(n int) bool { return n%97 == 29 }
func noQUIC(n int) bool     { return n%3 == 0 }
func noIPv6(n int) bool     { return n%2 == 0 }
func brokenIPv6(n int) bool { return n%38 == 5 }

func webPort(n int) uint16 {
	switch n % 10 {
	case 5:
		return 80
	case 9:
		return 8443
	default:
		return 443
	}
}

func siteName(n int) string {
	return fmt.Sprintf("%s%d.example.%s", []string{"www", "cdn", "api", "img"}[n%4], n, []string{"com", "net", "org"}[n%3])
}

func pick(r *rand.Rand) int { return popular(r, sites) }

// visit is a connection that is used: a question or two, and an end of some kind.
func visit(c *conn, r *rand.Rand) {
	c.open().tls(400+r.IntN(900), 600+r.IntN(3000))
	if one(r, 4) {
		c.wait(time.Duration(between(r, 50*time.Millisecond, 9*time.Second)))
		c.ask(record, 300, record, r.IntN(2500)+1)
	}
	if one(r, 12) {
		c.abort(client)
		return
	}
	c.shut(r.IntN(2))
}

// proxyClients are the desks of the second floor: they ask the proxy, which
// asks sites by the thousand.
func (s *Site) proxyClients(r *rand.Rand) {
	proxy := s.server(8)
	s.often(r, 1400, office, func(t int64) {
		c := s.dial(t, s.desk(r.IntN(120)), proxy, 3128)
		n := pick(r)
		s.lookup(t+1_000_000, r, proxy, n)
		c.open()
		c.segment(client, ack|psh, "CONNECT ", 210)
		c.next[client] += 210
		c.turn(server)
		up := s.dial(c.t+20_000_000, proxy, s.web(n), webPort(n))
		switch {
		case deadSite(n):
			up.silent(4)
			c.t = up.t
			c.say(server, "HTTP/1.1 504 Gateway Timeout\r\n", 0).shut(server)
		case closedSite(n):
			up.refused()
			c.t = up.t
			c.say(server, "HTTP/1.1 502 Bad Gateway\r\n", 0).shut(server)
		default:
			visit(up, r)
			c.say(server, "HTTP/1.1 200 OK\r\n", 900).shut(client)
		}
	})
}

// browsers are the desks of the third floor, which reach the Internet
// themselves. The edge drops UDP port 443. In an outage the uplink of IPv6 is
// gone from 14:00 to 14:35: nothing comes back, and everybody goes on by IPv4.
func (s *Site) browsers(r *rand.Rand) {
	s.often(r, 320, office, func(t int64) {
		s.session(t, r, s.desk(120+r.IntN(100)), 2+r.IntN(9))
	})
}

// session is some minutes of browsing: pages, each with things from several sites.
func (s *Site) session(t int64, r *rand.Rand, from *host, pages int) {
	for range pages {
		for range 1 + r.IntN(3) {
			n := pick(r)
			at := t + upTo(r, 700*time.Millisecond)
			s.lookup(at, r, from, n)
			s.fetch(at+15_000_000, r, from, n)
		}
		t += between(r, 4*time.Second, 50*time.Second)
	}
}

// fetch gets something by the ways a browser has: QUIC first where it was told
// so, IPv6 before IPv4, and what is left.
func (s *Site) fetch(t int64, r *rand.Rand, from *host, n int) {
	to := s.web(n)
	quic := !noQUIC(n) && one(r, 2)
	if !noIPv6(n) && webPort(n) == 443 {
		a := from.addr.As4()
		own := s.desk6(int(a[2])<<8 | int(a[3]))
		if quic {
			s.quic(t, own, s.web6(n))
			t += int64(300 * time.Millisecond)
		}
		c := s.dial(t, own, s.web6(n), 443)
		if !brokenIPv6(n) && (!s.outage || !hours(t, "14:00", "14:35")) {
			visit(c, r)
			if one(r, 10) { // the race was close: IPv4 was connected as well
				late := s.dial(t+int64(250*time.Millisecond), from, to, 443).open()
				late.shut(client)
			}
			return
		}
		c.silent(2)
		t += int64(250 * time.Millisecond)
	}
	if quic {
		s.quic(t, from, to)
		t += int64(300 * time.Millisecond)
	}
	c := s.dial(t, from, to, webPort(n))
	switch {
	case deadSite(n):
		c.silent(5)
	case closedSite(n):
		c.refused()
	case one(r, 15): // a spare connection that is never used
		c.open().wait(time.Duration(between(r, 3*time.Second, 12*time.Second)))
		c.shut(client)
		visit(s.dial(t+2_000_000, from, to, webPort(n)), r)
	default:
		visit(c, r)
	}
}

// quic is initial packets that nobody answers.
func (s *Site) quic(t int64, from, to *host) {
	port := from.ephemeral()
	for _, ms := range []int64{0, 300, 900} {
		s.datagram(t+ms*1_000_000, from, to, port, 443, "\xc3\x00\x00\x00\x01\x08abcdefgh\x00\x00\x44\xd0", 1252)
	}
}

// natClients are two hundred telephones and laptops behind one address.
func (s *Site) natClients(r *rand.Rand) {
	nat := s.server(9)
	nat.stack = linux
	s.often(r, 260, public, func(t int64) {
		for range 1 + r.IntN(6) {
			n := popular(r, sites)
			t += upTo(r, 2*time.Second)
			s.lookup(t, r, nat, n)
			switch {
			case one(r, 6): // a messenger's line
				c := s.dial(t, nat, s.web(n%40), 5223).open().tls(200, 300)
				c.wait(30*time.Second).ask(record, 60, record, 60).shut(server)
			default:
				s.fetchNAT(t+9_000_000, r, nat, n)
			}
		}
	})
	s.often(r, 60, public, func(t int64) { s.ntp(t, nat, s.web(7+r.IntN(4)), true) })
	s.often(r, 30, public, func(t int64) { s.ntp(t, nat, s.web(11), false) })
}

func (s *Site) fetchNAT(t int64, r *rand.Rand, nat *host, n int) {
	if !noQUIC(n) && one(r, 2) {
		s.quic(t, nat, s.web(n))
		t += int64(300 * time.Millisecond)
	}
	c := s.dial(t, nat, s.web(n), webPort(n))
	switch {
	case deadSite(n):
		c.silent(4)
	case closedSite(n):
		c.refused()
	case one(r, 33): // out of reach of the wireless network before the handshake ended
		c.begin()
	default:
		visit(c, r)
	}
}

// updates are desks that ask the update server, and on the morning after a
// release each other: some are off, some refuse.
func (s *Site) updates(r *rand.Rand) {
	s.often(r, 60, office, func(t int64) {
		visit(s.dial(t, s.desk(r.IntN(220)), s.server(43), 8530), r)
	})
	s.once("09:05", func(t int64) {
		for i := range 60 {
			start := t + upTo(r, 40*time.Minute)
			for k := range 6 {
				to := (i*7 + k*31) % 120
				c := s.dial(start+int64(k)*int64(8*time.Second), s.desk(i), s.desk(to), 7680)
				switch {
				case to%5 == 3:
					s.arp(c.t-1_000_000, s.desk(i), s.desk(to), false) // off: nobody has the address
				case to%11 == 4:
					c.refused()
				default:
					c.open().ask("\x0eSwarm protocol", 75, "\x0eSwarm protocol", 75)
					c.ask(record, 40, record, 1400).shut(client)
				}
			}
		}
	})
}

// deadServers are machines long gone that clients go on to ask: a share by all,
// and six collectors by twenty hosts each minute or so.
func (s *Site) deadServers(r *rand.Rand) {
	s.often(r, 250, office, func(t int64) { s.dial(t, s.desk(r.IntN(220)), s.server(90), 445).silent(3) })
	for i := range 12 {
		s.every(r, 3*time.Minute, time.Minute, func(t int64) {
			for k := range 6 {
				s.dial(t+int64(k)*int64(4*time.Second), s.server(120+i), s.server(90+k), 8089).silent(2)
			}
		})
	}
	// One that worked until noon, and then everybody's.
	s.often(r, 500, office, func(t int64) {
		c := s.dial(t, s.desk(r.IntN(220)), s.server(20), 445)
		switch {
		case hours(t, "12:10", "12:40"):
			c.silent(3)
		case hours(t, "12:40", "12:42"):
			c.refused()
		default:
			c.open().ask("\x00\x00\x00\xd4\xfeSMB", 216, "\x00\x00\x01\x3c\xfeSMB", 320).ask("\x00", 130, "\x00", 700).shut(client)
		}
	})
}

// regions are programs that look for the nearest of a service's places by ping;
// some of those never answer.
func (s *Site) regions(r *rand.Rand) {
	s.often(r, 12, public, func(t int64) {
		from := s.desk(120 + r.IntN(100))
		for k := range 16 {
			for try := range 3 {
				s.ping(t+int64(k)*3_000_000+int64(try)*int64(time.Second), from, s.web(3000+k), k%5 != 2)
			}
		}
	})
}
