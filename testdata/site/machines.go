package site

import (
	"math/rand/v2"
	"time"
)

// machineActivities are machines that talk to machines, by the clock.
func machineActivities() []activity {
	return []activity{
		{"monitor", (*Site).monitor},
		{"port-checks", (*Site).portChecks},
		{"snmp", (*Site).snmp},
		{"printers", (*Site).printers},
		{"load-balancer", (*Site).loadBalancer},
		{"load-balancer-half-open", (*Site).halfOpenChecks},
		{"backup", (*Site).backup},
		{"inventory", (*Site).inventory},
		{"automation", (*Site).automation},
		{"one-way", (*Site).oneWay},
	}
}

// check is a connection that is closed again unused, as health checks do.
func (s *Site) check(t int64, from, to *host, port uint16) {
	s.dial(t, from, to, port).open().shut(client)
}

// monitor pings fifty hosts every three minutes and looks whether a port of each
// takes connections. Six are down.
func (s *Site) monitor(r *rand.Rand) {
	from := s.server(41)
	s.every(r, 3*time.Minute, time.Second, func(t int64) {
		for i := range 50 {
			to := s.server(150 + i)
			if i >= 35 {
				to = s.dmz(30 + i)
			}
			at := t + int64(i)*int64(2*time.Second) + upTo(r, 50*time.Millisecond)
			down := i%10 == 7 || i == 24
			s.ping(at, from, to, !down)
			switch {
			case down:
				s.dial(at+30_000_000, from, to, []uint16{80, 22, 5666, 443}[i%4]).silent(2)
			case i%2 == 0:
				s.check(at+30_000_000, from, to, []uint16{80, 22, 5666, 443}[i%4])
			default:
				s.dial(at+30_000_000, from, to, 5666).open().ask("\x00\x03", 1036, "\x00\x03", 1036).shut(client)
			}
		}
	})
}

// portChecks are a monitor that looks, every five minutes, whether the dozen
// ports of one server take connections, and says nothing on them. Others use
// some of these ports.
func (s *Site) portChecks(r *rand.Rand) {
	from, to := s.server(45), s.server(10)
	list := []uint16{22, 25, 80, 110, 143, 443, 993, 995, 3306, 5432, 8080, 8443}
	s.every(r, 5*time.Minute, time.Second, func(t int64) {
		for i, port := range list {
			s.check(t+int64(i)*int64(500*time.Millisecond), from, to, port)
		}
	})
	s.often(r, 200, office, func(t int64) {
		visit(s.dial(t, s.desk(r.IntN(220)), to, list[2+r.IntN(10)]), r)
	})
}

// snmpQuestion is the start of a version 2c message.
const snmpQuestion, snmpAnswer = "\x30\x2a\x02\x01\x01\x04\x06public\xa0\x1d", "\x30\x2a\x02\x01\x01\x04\x06public\xa2\x1d"

// snmp asks forty switches every five minutes; six never answer.
func (s *Site) snmp(r *rand.Rand) {
	from := s.server(46)
	s.every(r, 5*time.Minute, time.Second, func(t int64) {
		port := from.ephemeral()
		for i := range 40 {
			s.askSNMP(t+int64(i)*int64(200*time.Millisecond), from, s.ip4(10, 20, 6, 1+i), port, i%7 != 3)
		}
	})
}

func (s *Site) askSNMP(t int64, from, to *host, port uint16, answers bool) {
	if answers {
		s.datagram(t, from, to, port, 161, snmpQuestion, 44)
		s.datagram(t+to.answer(), to, from, 161, port, snmpAnswer, 60)
		return
	}
	for i := range 3 {
		s.datagram(t+int64(i)*int64(time.Second), from, to, port, 161, snmpQuestion, 44)
	}
}

// printers are asked by the print server every ten minutes, from seven on, how
// they are. Half of them are switched off at night; of those four all the time.
func (s *Site) printers(r *rand.Rand) {
	from := s.server(42)
	s.every(r, 10*time.Minute, time.Second, func(t int64) {
		if t < timeOf("07:00") {
			return
		}
		port := from.ephemeral()
		for i := range 24 {
			to, at := s.printer(i), t+int64(i)*int64(3*time.Second)
			on := i%2 == 0 || i%6 != 5 && hours(t, "07:00", "19:30")
			s.askSNMP(at, from, to, port, on)
			c := s.dial(at+int64(50*time.Millisecond), from, to, 9100)
			if !on {
				c.silent(2)
				continue
			}
			c.open().ask("\x1b%-12345X@PJL INFO STATUS\r\n", 0, "@PJL INFO STATUS\r\nCODE=10001\r\n", 0).shut(client)
		}
	})
}

// loadBalancer spreads visitors over eight backends and asks each for a page
// every half minute. One of them is down for an hour.
func (s *Site) loadBalancer(r *rand.Rand) {
	from := s.server(50)
	down := func(t int64, i int) bool { return i == 5 && hours(t, "09:10", "10:10") }
	s.every(r, 30*time.Second, time.Second, func(t int64) {
		for i := range 8 {
			c := s.dial(t+int64(i)*1_000_000, from, s.server(51+i), 8080)
			if down(t, i) {
				c.refused()
				continue
			}
			c.open().ask("GET /health HTTP/1.0\r\n\r\n", 0, "HTTP/1.0 200 OK\r\n\r\n", 0).shut(server)
		}
	})
	s.often(r, 300, public, func(t int64) {
		if i := r.IntN(8); !down(t, i) {
			visit(s.dial(t, from, s.server(51+i), 8080), r)
		}
	})
}

// halfOpenChecks are those of a load balancer that resets what was answered, as
// several makes do: SYN, SYN-ACK, RST. Visitors come by the same ports.
func (s *Site) halfOpenChecks(r *rand.Rand) {
	from := s.server(60)
	s.every(r, time.Minute, time.Second, func(t int64) {
		for i := range 8 {
			c := s.dial(t+int64(i)*1_000_000, from, s.server(61+i), 8443).begin()
			c.segment(client, rst, "", 0)
		}
	})
	s.often(r, 300, public, func(t int64) { visit(s.dial(t, from, s.server(61+r.IntN(8)), 8443), r) })
}

// backup walks eighty machines at night, four at a time; one in seven is off.
func (s *Site) backup(r *rand.Rand) {
	from := s.server(40)
	s.once("02:00", func(t int64) {
		for i := range 80 {
			c := s.dial(t+int64(i/4)*int64(40*time.Second)+upTo(r, 5*time.Second), from, s.server(100+i), 9102)
			if i%7 == 4 {
				c.silent(5)
				continue
			}
			c.open().say(server, "1000 OK Hello\n", 0).ask("Hello Director backup\n", 0, "2000 OK Hello\n", 0)
			c.say(server, "data", 9000).shut(client)
		}
	})
}

// inventory asks forty desks every two hours, from eight on; those it has
// talked to by day are mostly off at night.
func (s *Site) inventory(r *rand.Rand) {
	from := s.server(44)
	s.every(r, 2*time.Hour, time.Minute, func(t int64) {
		for i := range 40 {
			if t < timeOf("08:00") {
				return
			}
			c := s.dial(t+int64(i)*int64(4*time.Second), from, s.desk(i*5), 5985)
			if !hours(t, "07:30", "19:00") && i%5 != 0 {
				c.silent(3)
				continue
			}
			c.open().ask("POST /wsman HTTP/1.1\r\n", 900, "HTTP/1.1 200\r\n", 1200).shut(client)
		}
	})
}

// automation logs in to fifty servers by SSH, three times a day; four are gone.
func (s *Site) automation(r *rand.Rand) {
	from := s.server(47)
	for _, clock := range []string{"08:25", "13:00", "23:30"} {
		s.once(clock, func(t int64) {
			for i := range 50 {
				c := s.dial(t+int64(i/5)*int64(6*time.Second)+upTo(r, time.Second), from, s.server(150+i), 22)
				if i%12 == 7 {
					c.silent(4)
					continue
				}
				c.open().ask("SSH-2.0-OpenSSH_9.6\r\n", 0, "SSH-2.0-OpenSSH_9.2\r\n", 0)
				c.ask("\x00\x00\x05", 1500, "\x00\x00\x04", 1100).shut(client)
			}
		})
	}
}

// oneWay is what nobody answers by design: logs, flow records, measurements,
// and a relay that hands each on to three others.
func (s *Site) oneWay(r *rand.Rand) {
	s.often(r, 900, steady, func(t int64) {
		from := s.ip4(10, 20, 6, 1+r.IntN(40))
		s.datagram(t, from, s.server(48), 514, 514, "<134>Mar 10 sw: link up", 120)
		for k := range 3 {
			s.datagram(t+200_000, s.server(48), s.server(49-48+k), 41514, 5140, "<134>Mar 10 sw: link up", 130)
		}
	})
	s.often(r, 120, steady, func(t int64) {
		s.datagram(t, s.server(1), s.server(48), 52000, 2055, "\x00\x09\x00\x10", 1100)
	})
}
