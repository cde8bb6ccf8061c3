package main

import (
	"fmt"
	"time"
)

// ftp is passive FTP: sessions with a control connection and a data
// connection to another port of the server for every transfer. In a download
// the client sends nothing on it.
func (s *site) ftp(start int64, sessions, transfers int) {
	rnd := s.rng("ftp")
	to := s.withStack(s.dmz(21), linux)
	for i := range sessions {
		t := start + int64(i)*int64(20*time.Second) + rnd.Int64N(int64(5*time.Second))
		c := s.dial(t, s.net(110+i%60), to, 21).open()
		c.turn(server)
		c.say(server, "220 files.example.org FTP\r\n", 0)
		c.ask("USER anonymous\r\n", 0, "331 Guest login ok\r\n", 0)
		c.ask("PASS guest@\r\n", 0, "230 Logged in\r\n", 0)
		for n := range transfers {
			port := 50000 + rnd.IntN(10000)
			c.ask("PASV\r\n", 0, fmt.Sprintf("227 Entering Passive Mode (198,51,100,21,%d,%d)\r\n", port>>8, port&255), 0)
			data := s.dial(c.t+2_000_000, c.ends[client], to, uint16(port)).open()
			c.t = data.t
			c.ask(fmt.Sprintf("RETR part%02d.dat\r\n", n), 0, "150 Opening data connection\r\n", 0)
			data.t = c.t + 1_000_000
			if n%5 == 4 {
				data.say(client, "upload", 4000).shut(client)
			} else {
				data.say(server, "contents", 2000+rnd.IntN(5000)).shut(server)
			}
			c.t = data.t + 1_000_000
			c.say(server, "226 Transfer complete\r\n", 0)
			c.wait(between2(rnd, 100*time.Millisecond, 900*time.Millisecond))
		}
		c.ask("QUIT\r\n", 0, "221 Bye\r\n", 0).shut(server)
	}
}

// monitor polls 30 hosts every minute with a ping and a TCP check. Two of them
// are down: no echo reply, no answer to the SYN or its repetition.
func (s *site) monitor(start int64, polls int) {
	rnd := s.rng("monitor")
	from := s.withStack(s.lan(5), linux)
	for poll := range polls {
		for i := range 30 {
			to := s.lan(60 + i)
			if i >= 18 {
				to = s.dmz(20 + i)
			}
			t := start + int64(poll)*int64(time.Minute) + int64(i)*int64(1500*time.Millisecond) + rnd.Int64N(int64(40*time.Millisecond))
			down := i == 7 || i == 22
			to.dead = down
			if down && to.local() {
				for n := range 3 { // the neighbour's entry has expired: nobody answers
					s.arp(t+int64(n)*int64(time.Second), from, to, false)
				}
				continue
			}
			s.ping(t, from, to, 1, !down)
			c := s.dial(t+30_000_000, from, to, []uint16{80, 22, 5666, 443}[i%4])
			if down {
				c.silent(2)
				continue
			}
			c.open().ask("GET /status HTTP/1.0\r\n\r\n", 0, "HTTP/1.0 200 OK\r\n\r\n", 120).shut(server)
		}
	}
}

// backup walks the hosts of the LAN on one port; all answer.
func (s *site) backup(start int64, hosts, kilobytes int) {
	rnd := s.rng("backup")
	from := s.withStack(s.lan(20), linux)
	t := start
	for i := range hosts {
		c := s.dial(t, from, s.lan(60+i), 9102).open()
		c.turn(server)
		c.ask("Hello Director backup calling\n", 0, "2000 OK Hello\n", 0)
		c.ask("level = incremental mtime_only=0\n", 0, "2000 OK level\n", 0)
		c.say(server, "data", kilobytes*1024)
		c.shut(client)
		t = c.t + between(rnd, 200*time.Millisecond, 2*time.Second)
	}
}

// mail is a server that delivers to many others: most take the message, a few
// are dead, some refuse.
func (s *site) mail(start int64, d time.Duration, messages int) {
	rnd := s.rng("mail")
	from := s.withStack(s.lan(25), linux)
	for i := range messages {
		mx := 20 + i%70
		c := s.dial(start+rnd.Int64N(int64(d)), from, s.net(mx), 25)
		switch {
		case mx%16 == 3:
			c.silent(4)
			continue
		case mx%35 == 11:
			c.refused()
			continue
		}
		c.open().turn(server)
		c.say(server, "220 mx.example.net ESMTP\r\n", 0)
		c.ask("EHLO mail.example.org\r\n", 0, "250-mx.example.net\r\n250 SIZE 35651584\r\n", 0)
		if i%9 == 0 {
			c.ask("MAIL FROM:<a@example.org>\r\n", 0, "450 4.7.1 Greylisted, try again later\r\n", 0)
		} else {
			c.ask("MAIL FROM:<a@example.org>\r\n", 0, "250 2.1.0 Ok\r\n", 0)
			c.ask("RCPT TO:<b@example.net>\r\n", 0, "250 2.1.5 Ok\r\n", 0)
			c.ask("DATA\r\n", 0, "354 End data with <CR><LF>.<CR><LF>\r\n", 0)
			c.ask("Subject: hello\r\n", 900+rnd.IntN(4000), "250 2.0.0 Ok: queued\r\n", 0)
		}
		c.ask("QUIT\r\n", 0, "221 2.0.0 Bye\r\n", 0).shut(server)
	}
}

// deadServer is a client that tries one dead server again and again.
func (s *site) deadServer(start int64, d time.Duration, n int) {
	from, to := s.lan(n), s.dmz(200)
	to.dead = true
	for t := start; t < start+int64(d); t += between(from.rnd, 7*time.Second, 9*time.Second) {
		s.dial(t, from, to, 8443).silent(3)
	}
}

// tftp is phones that fetch their files: the server answers every request
// from a new port.
func (s *site) tftp(start int64, phones, files int) {
	rnd := s.rng("tftp")
	to := s.withStack(s.lan(30), linux)
	for i := range phones {
		from := s.withStack(s.lan(200+i), embedded)
		t := start + int64(i)*int64(3*time.Second)
		for n := range files {
			port, answer := from.ephemeral(), to.ephemeral()
			s.datagram(t, from, to, port, 69, []byte(fmt.Sprintf("\x00\x01phone%d-%d.cnf\x00octet\x00", i, n)))
			blocks := 1 + rnd.IntN(4)
			for b := range blocks {
				t += to.answer()
				data := zeros(516)
				data[1], data[3] = 3, byte(b+1)
				if b == blocks-1 {
					data = data[:4+rnd.IntN(500)]
				}
				s.datagram(t, to, from, answer, port, data)
				t += from.answer()
				s.datagram(t, from, to, port, answer, []byte{0, 4, 0, byte(b + 1)})
			}
			t += between(rnd, 200*time.Millisecond, time.Second)
		}
	}
}

// lanNoise is what every LAN says by itself.
func (s *site) lanNoise(start int64, d time.Duration) {
	rnd := s.rng("noise")
	router, devices := s.lan(1), []*host{s.lan(230), s.lan(231)}
	at := func() int64 { return start + rnd.Int64N(int64(d)) }
	for i := range 20 {
		n := 100 + i*4
		s.dhcp(at(), s.lan(n), s.lan(2))
		s.ssdp(at(), s.lan(n), devices)
		s.mdns(at(), s.lan(n), devices)
		s.arp(at(), s.lan(n), router, true)
		s.arp(at(), s.lan(n), s.lan(53), true)
		s.arp(at(), router, s.lan(n), true)
		s.ntp(at(), s.lan(n), s.net(10+i%4))
		s.solicit(at(), s.lan6(n), s.lan6(1), true)
	}
}
