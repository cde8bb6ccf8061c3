package site

import (
	"math/rand/v2"
	"strings"
	"time"
)

// serverActivities are what servers serve, and whom they ask for it.
func serverActivities() []activity {
	return []activity{
		{"resolver", (*Site).resolver},
		{"mail", (*Site).mailer},
		{"mail-queue", (*Site).mailQueue},
		{"web-server", (*Site).webServer},
		{"ftp-passive", (*Site).ftpPassive},
		{"ftp-active", (*Site).ftpActive},
		{"ftp-active-blocked", (*Site).ftpBlocked},
	}
}

// dnsMessage is a question for name (bits 0x0100) or an answer (0x8180).
func dnsMessage(r *rand.Rand, id, bits uint16, name string) string {
	b := []byte{byte(id >> 8), byte(id), byte(bits >> 8), byte(bits), 0, 1, 0, byte(bits >> 15), 0, 0, 0, 0}
	for part := range strings.SplitSeq(name, ".") {
		b = append(append(b, byte(len(part))), part...)
	}
	return string(append(b, 0, 0, []byte{1, 28}[r.IntN(2)], 0, 1))
}

// lookup is a question for a site's name to the resolver, and what follows
// from it. The caches know most names.
func (s *Site) lookup(t int64, r *rand.Rand, from *host, n int) {
	to, id, port, name := s.server(53), uint16(r.Uint32()), from.ephemeral(), siteName(n)
	if !one(r, 3) {
		return // the client's own cache
	}
	s.datagram(t, from, to, port, 53, dnsMessage(r, id, 0x0100, name), 0)
	at := t + to.answer()
	if one(r, 3) {
		at = s.recurse(at, r, n)
	}
	if at-t > int64(5*time.Second) {
		return
	}
	answer := s.datagram(at, to, from, 53, port, dnsMessage(r, id, 0x8180, name), 90+r.IntN(200))
	if at-t > int64(2*time.Second) { // the client has given up
		s.unreachable(at+from.answer(), from, to, answer)
	}
}

// nameServers is how many name servers of others there are.
const nameServers = 700

// recurse asks name servers until one answers, and returns when.
func (s *Site) recurse(t int64, r *rand.Rand, site int) int64 {
	from, name := s.server(53), siteName(site)
	for range 3 {
		n := popular(r, nameServers)
		to, id, port := s.names(n), uint16(r.Uint32()), uint16(1024+r.IntN(64000))
		ask := s.datagram(t, from, to, port, 53, dnsMessage(r, id, 0x0000, name), 0)
		switch {
		case n%23 == 9: // dead
			t += int64(800 * time.Millisecond)
			continue
		case n%61 == 4: // serves no names any more
			t += to.answer()
			s.unreachable(t, to, from, ask)
			continue
		}
		t += to.answer()
		if one(r, 50) { // too long: asked again over TCP
			s.datagram(t, to, from, 53, port, dnsMessage(r, id, 0x8380, name), 0)
			c := s.dial(t+from.answer(), from, to, 53).open()
			c.ask("\x00\x28", 42, "\x06\x00", 1538).shut(client)
			return c.t
		}
		s.datagram(t, to, from, 53, port, dnsMessage(r, id, 0x8180, name), 120)
		return t + 90_000
	}
	return t
}

// resolver is what asks the resolver but the browsers: background programs, and
// the addresses of callers for logs.
func (s *Site) resolver(r *rand.Rand) {
	s.often(r, 2500, office, func(t int64) { s.lookup(t, r, s.desk(r.IntN(220)), pick(r)) })
	s.often(r, 1800, steady, func(t int64) { s.lookup(t, r, s.server(10+r.IntN(40)), r.IntN(sites)) })
}

// deliver hands one message to a mail server of others.
func (s *Site) deliver(t int64, r *rand.Rand, from *host, n int) {
	c := s.dial(t, from, s.mx(n), 25)
	switch {
	case deadMX(n):
		c.silent(4)
		if n%24 == 5 { // a second one, which lives
			s.deliver(c.t+int64(time.Second), r, from, (n+1)%mailServers)
		}
		return
	case n%31 == 7:
		c.refused()
		return
	}
	c.open().say(server, "220 mx.example.net ESMTP\r\n", 0)
	c.ask("EHLO mail.example.org\r\n", 0, "250-mx.example.net\r\n250 SIZE 35651584\r\n", 0)
	if one(r, 9) {
		c.ask("MAIL FROM:<a@example.org>\r\n", 0, "450 4.7.1 Greylisted\r\n", 0)
	} else {
		c.ask("MAIL FROM:<a@example.org>\r\n", 0, "250 2.1.0 Ok\r\n", 0)
		c.ask("DATA\r\n", 600+r.IntN(3000), "250 2.0.0 Ok: queued\r\n", 0)
	}
	c.ask("QUIT\r\n", 0, "221 2.0.0 Bye\r\n", 0).shut(server)
}

const mailServers = 240

func deadMX(n int) bool { return n%12 == 5 }

// mailer sends what is written at the desks as it comes, a newsletter in the
// morning, and takes what comes from others.
func (s *Site) mailer(r *rand.Rand) {
	from := s.server(25)
	s.often(r, 110, office, func(t int64) { s.deliver(t, r, from, popular(r, mailServers)) })
	s.once("09:45", func(t int64) {
		for n := range mailServers {
			s.deliver(t+int64(n)*int64(3*time.Second)+upTo(r, time.Second), r, from, n)
		}
	})
	s.often(r, 160, public, func(t int64) {
		c := s.dial(t, s.mx(r.IntN(mailServers)), s.dmz(25), 25).open().say(server, "220 mail.example.org ESMTP\r\n", 0)
		c.ask("EHLO mx.example.net\r\n", 0, "250 mail.example.org\r\n", 0)
		c.ask("MAIL FROM:<b@example.net>\r\n", 1500, "550 5.7.1 no\r\n", 0).shut(client)
	})
}

// mailQueue is a relay that tries again every half hour what could not be
// delivered: a dozen dead servers, gathered one by one, and a few that live.
func (s *Site) mailQueue(r *rand.Rand) {
	from := s.server(26)
	s.often(r, 40, office, func(t int64) { s.deliver(t, r, from, mailServers-1-12*r.IntN(8)) })
	s.every(r, 30*time.Minute, time.Second, func(t int64) {
		waiting := min(12, 2+int((t-morning)/int64(45*time.Minute)))
		for k := range waiting {
			s.dial(t, from, s.mx(5+12*k), 25).silent(4)
			t += int64(5 * time.Second)
		}
		for range 3 {
			s.deliver(t, r, from, 12*r.IntN(20)+r.IntN(4))
		}
	})
}

// webServer is the public web server. It is restarted once, and for a while
// refuses everybody.
func (s *Site) webServer(r *rand.Rand) {
	s.often(r, 1500, public, func(t int64) {
		n := popular(r, 60000)
		from, to := s.visitor(n), s.dmz(10+n%2)
		if one(r, 6) {
			from, to = s.visitor6(n), s.dmz6(10+n%2)
		}
		c := s.dial(t, from, to, 443)
		if hours(t, "10:30", "10:31") {
			c.refused()
			return
		}
		switch r.IntN(25) {
		case 0: // gone before the handshake was done
			c.begin()
			c.segment(client, rst, "", 0)
		case 1: // a browser's spare connection
			c.open().wait(time.Duration(between(r, 3*time.Second, 9*time.Second)))
			c.shut(client)
		case 2: // the first SYN is lost on its way
			c.segment(client, syn, "", 0)
			c.wait(time.Second)
			visit(c, r)
		case 3:
			s.dial(t, from, to, 80).open().ask("GET / HTTP/1.1\r\n", 200, "HTTP/1.1 301 Moved\r\n", 380).shut(server)
			visit(c.wait(300*time.Millisecond), r)
		case 4: // QUIC, which the edge drops here as well
			s.quic(t, from, to)
			visit(c.wait(300*time.Millisecond), r)
		default:
			visit(c, r)
		}
	})
}

// ftpSession greets and logs in.
func (s *Site) ftpSession(t int64, from, to *host) *conn {
	c := s.dial(t, from, to, 21).open().say(server, "220 files.example.org FTP\r\n", 0)
	c.ask("USER anonymous\r\n", 0, "331 Guest login ok\r\n", 0)
	return c.ask("PASS guest@\r\n", 0, "230 Logged in\r\n", 0)
}

// transfer is one file over a data connection that from opens.
func (s *Site) transfer(c, data *conn, side int) {
	data.t = c.t + 2_000_000
	data.open()
	c.t = data.t
	c.ask("RETR part.dat\r\n", 0, "150 Opening data connection\r\n", 0)
	data.t = c.t + 1_000_000
	data.say(side, "contents", 2000).shut(side)
	c.t = data.t + 1_000_000
	c.say(server, "226 Transfer complete\r\n", 0)
}

// ftpPassive opens a port of the server for every file, on which the client of
// a download says nothing.
func (s *Site) ftpPassive(r *rand.Rand) {
	to := s.dmz(20)
	s.often(r, 8, office, func(t int64) {
		from := s.desk(120 + r.IntN(100))
		if one(r, 2) {
			from = s.visitor(r.IntN(300))
		}
		c := s.ftpSession(t, from, to)
		for range 4 + r.IntN(30) {
			c.ask("PASV\r\n", 0, "227 Entering Passive Mode\r\n", 0)
			s.transfer(c, s.dial(c.t, from, to, uint16(50000+r.IntN(10000))), min(1, r.IntN(6)))
			c.wait(time.Duration(between(r, 100*time.Millisecond, 2*time.Second)))
		}
		c.ask("QUIT\r\n", 0, "221 Bye\r\n", 0).shut(server)
	})
}

// ftpActive is the other way: the server opens connections from port 20. In an
// upload it says nothing on them.
func (s *Site) ftpActive(r *rand.Rand) {
	s.often(r, 5, office, func(t int64) {
		from, to := s.desk(120+r.IntN(100)), s.dmz(21)
		c := s.ftpSession(t, from, to)
		for range 4 + r.IntN(12) {
			port := from.ephemeral()
			c.ask("PORT 10,20,3,30\r\n", 0, "200 PORT command successful\r\n", 0)
			s.transfer(c, s.dialFrom(c.t, to, 20, from, port), r.IntN(2))
			c.wait(time.Duration(between(r, 100*time.Millisecond, 2*time.Second)))
		}
		c.ask("QUIT\r\n", 0, "221 Bye\r\n", 0).shut(server)
	})
}

// ftpBlocked is the same where the client's firewall lets no connection in: the
// program tries file after file.
func (s *Site) ftpBlocked(r *rand.Rand) {
	s.often(r, 1.5, office, func(t int64) {
		from, to := s.desk(120+r.IntN(100)), s.dmz(22)
		c := s.ftpSession(t, from, to)
		for range 12 {
			port := from.ephemeral()
			c.ask("PORT 10,20,3,31\r\n", 0, "200 PORT command successful\r\n", 0)
			s.dialFrom(c.t+2_000_000, to, 20, from, port).silent(3)
			c.ask("RETR part.dat\r\n", 0, "150 Opening data connection\r\n", 0)
			c.wait(12*time.Second).say(server, "425 Can't open data connection\r\n", 0)
		}
		c.ask("QUIT\r\n", 0, "221 Bye\r\n", 0).shut(server)
	})
}
