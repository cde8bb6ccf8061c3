package site

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/synoptic-ids/synoptic/testdata/wire"
)

// state is what a target does with a probe.
type state int

const (
	closed state = iota
	opened
	silent
)

// aim is what a probe is for.
type aim struct {
	to   *host
	port uint16
}

// scan is a scanner at work. Its probe sends one probe at its time.
type scan struct {
	*Scanner
	s     *Site
	from  *host
	rnd   *rand.Rand
	tried map[aim]bool
	probe func(t int64, a aim)
}

// scanner makes a scanner, which is known from its first probe on.
func (s *Site) scanner(r *rand.Rand, name, technique string, from *host) *scan {
	sc := &scan{
		Scanner: &Scanner{Name: name, Src: from.addr, Technique: technique},
		s:       s, from: from, rnd: r, tried: map[aim]bool{},
	}
	s.scans = append(s.scans, sc.Scanner)
	return sc
}

// run sends a probe for each aim, gap apart on average, from t on.
func (sc *scan) run(t int64, gap time.Duration, aims []aim) {
	if len(aims) == 0 {
		return
	}
	sc.s.at(t, func(t int64) {
		if !sc.tried[aims[0]] {
			sc.tried[aims[0]] = true
			sc.Targets++
		}
		sc.probe(t, aims[0])
		sc.run(t+int64(gap)*9/10+upTo(sc.rnd, gap/5), gap, aims[1:])
	})
}

func (sc *scan) shuffled(aims []aim) []aim {
	sc.rnd.Shuffle(len(aims), func(i, j int) { aims[i], aims[j] = aims[j], aims[i] })
	return aims
}

func along(to *host, first, last int) (aims []aim) {
	for p := first; p <= last; p++ {
		aims = append(aims, aim{to, uint16(p)})
	}
	return aims
}

func across(f func(int) *host, first, last int, port uint16) (aims []aim) {
	for n := first; n <= last; n++ {
		aims = append(aims, aim{f(n), port})
	}
	return aims
}

// stateOf is what hosts of the DMZ do: a few serve, some are up, most do not
// exist.
func stateOf(a aim) state {
	n := a.to.addr.As16()[15]
	switch {
	case n%16 > 12 || n > 40:
		return silent
	case slices.Contains([]uint16{22, 80, 443}, a.port):
		return opened
	default:
		return closed
	}
}

// synTo is a bare SYN of a tool: no option but the segment size, window 1024.
func (s *Site) synTo(t int64, from, to *host, port, sport uint16, seq uint32) {
	tcp := wire.TCP{SrcPort: sport, DstPort: port, Seq: seq, Flags: syn, Window: 1024, Options: []byte{2, 4, 5, 0xb4}}
	b := tcp.Append(s.l4[:0])
	s.send(t, from, to, ipHeader{fixed: true, ident: uint16(seq >> 9)}, wire.ProtoTCP, b, len(b), wire.SumTCP)
}

// raw probes by SYNs as nmap's: one source port, one sequence number. What is
// open answers and is reset; what is silent is tried twice.
func (sc *scan) raw() *scan {
	sport, seq := uint16(40000+sc.rnd.IntN(20000)), sc.rnd.Uint32()
	sc.probe = func(t int64, a aim) {
		sc.s.synTo(t, sc.from, a.to, a.port, sport, seq)
		c := sc.s.dialFrom(t+a.to.answer(), sc.from, sport, a.to, a.port)
		c.next[client], c.stamps = seq+1, false
		switch stateOf(a) {
		case silent:
			sc.s.synTo(t+int64(1100*time.Millisecond), sc.from, a.to, a.port, sport+1, seq^0x10001)
		case opened:
			c.segment(server, syn|ack, "", 0)
			c.turn(client)
			c.segment(client, rst, "", 0)
		default:
			c.next[server] = 0
			c.segment(server, rst|ack, "", 0)
		}
	}
	return sc
}

// connect probes by the operating system's own connections, and resets what was
// opened.
func (sc *scan) connect(of func(aim) state) *scan {
	sc.probe = func(t int64, a aim) {
		c := sc.s.dial(t, sc.from, a.to, a.port)
		switch of(a) {
		case silent:
			c.silent(3)
		case opened:
			c.open().abort(client)
		default:
			c.refused()
		}
	}
	return sc
}

// udp probes by datagrams; a closed port says so, but not more than one a second.
func (sc *scan) udp() *scan {
	sport, allowed := uint16(40000+sc.rnd.IntN(20000)), int64(0)
	sc.probe = func(t int64, a aim) {
		for try := range 2 {
			at := t + int64(try)*int64(1200*time.Millisecond)
			ask := sc.s.datagram(at, sc.from, a.to, sport, a.port, "", 0)
			switch {
			case a.port == 53 || a.port == 123:
				sc.s.datagram(at+a.to.answer(), a.to, sc.from, a.port, sport, "\x24\x02\x04\xfa", 48)
				return
			case at > allowed && a.port%13 != 4:
				allowed = at + int64(time.Second)
				sc.s.unreachable(at+a.to.answer(), a.to, sc.from, ask)
				return
			}
		}
	}
	return sc
}

// scanners are those who scan. Insiders go on with their work meanwhile.
func scanners() []activity {
	insider := func(s *Site, r *rand.Rand, last int, name, technique string) *scan {
		from := s.ip4(10, 20, 3, last)
		from.stack = linux
		s.often(r, 6, office, func(t int64) { s.session(t, r, from, 1+r.IntN(4)) })
		return s.scanner(r, name, technique, from)
	}
	all := []activity{
		{"scan-vertical", func(s *Site, r *rand.Rand) {
			sc := s.scanner(r, "scan-vertical", "tcp-syn", s.evil(10)).raw()
			s.once("08:10", func(t int64) { sc.run(t, 20*time.Millisecond, sc.shuffled(along(s.dmz(10), 1, 300))) })
		}},
		{"scan-horizontal", func(s *Site, r *rand.Rand) {
			sc := s.scanner(r, "scan-horizontal", "tcp-syn", s.evil(11)).raw()
			s.once("08:40", func(t int64) { sc.run(t, 5*time.Millisecond, sc.shuffled(across(s.dmz, 1, 254, 445))) })
		}},
		{"scan-udp", func(s *Site, r *rand.Rand) {
			sc := s.scanner(r, "scan-udp", "udp", s.evil(14)).udp()
			s.once("09:05", func(t int64) { sc.run(t, time.Second, sc.shuffled(along(s.dmz(11), 50, 160))) })
		}},
		{"scan-ipv6", func(s *Site, r *rand.Rand) {
			sc := s.scanner(r, "scan-ipv6", "tcp-syn", s.ip6(0x0bad, 0, 1)).raw()
			s.once("09:20", func(t int64) { sc.run(t, 20*time.Millisecond, sc.shuffled(along(s.dmz6(10), 20, 119))) })
		}},
		{"scan-ping", func(s *Site, r *rand.Rand) {
			sc := insider(s, r, 180, "scan-ping", "icmp-echo")
			sc.probe = func(t int64, a aim) { s.ping(t, sc.from, a.to, stateOf(a) != silent) }
			s.once("09:30", func(t int64) { sc.run(t, 20*time.Millisecond, across(s.dmz, 1, 254, 0)) })
		}},
		{"scan-arp", func(s *Site, r *rand.Rand) {
			sc := insider(s, r, 181, "scan-arp", "arp")
			sc.probe = func(t int64, a aim) { s.arp(t, sc.from, a.to, a.to.addr.As4()[3]%4 == 1) }
			s.once("09:35", func(t int64) {
				sc.run(t, 10*time.Millisecond, across(func(n int) *host { return s.ip4(10, 20, 9, n) }, 1, 200, 0))
			})
		}},
		{"scan-connect", func(s *Site, r *rand.Rand) {
			sc := insider(s, r, 182, "scan-connect", "tcp-connect").connect(stateOf)
			s.once("09:40", func(t int64) { sc.run(t, 50*time.Millisecond, sc.shuffled(along(s.server(23), 20, 99))) })
		}},
		{"worm", func(s *Site, r *rand.Rand) {
			sc := insider(s, r, 183, "worm", "tcp-connect").connect(func(a aim) state { return []state{silent, opened, closed}[a.to.addr.As4()[3]%3] })
			s.once("08:55", func(t int64) { sc.run(t, 700*time.Millisecond, sc.shuffled(across(s.desk, 0, 119, 445))) })
		}},
		{"worm-outbound", func(s *Site, r *rand.Rand) {
			sc := insider(s, r, 184, "worm-outbound", "tcp-connect").connect(func(aim) state { return silent })
			s.once("09:10", func(t int64) {
				sc.run(t, 4*time.Second, across(func(int) *host { return s.visitor(r.IntN(65536)) }, 1, 200, 445))
			})
		}},
	}
	return append(all, slowScanners()...)
}

// slowScanners are those of whom a window of minutes sees one probe at most, or
// a few.
func slowScanners() []activity {
	slow := func(s *Site, r *rand.Rand, name, technique string, from *host) *scan {
		sc := s.scanner(r, name, technique, from)
		sc.Slow = true
		return sc
	}
	return []activity{
		{"slow-horizontal", func(s *Site, r *rand.Rand) {
			sc := slow(s, r, "slow-horizontal", "tcp-syn", s.evil(12)).raw()
			sc.run(s.start+upTo(r, time.Minute), 10*time.Minute, sc.shuffled(across(s.dmz, 1, 254, 22)))
		}},
		{"slow-vertical", func(s *Site, r *rand.Rand) {
			sc := slow(s, r, "slow-vertical", "tcp-syn", s.evil(15)).raw()
			sc.run(s.start+upTo(r, time.Minute), 10*time.Minute, sc.shuffled(along(s.dmz(12), 1000, 1199)))
		}},
		{"slow-34s", func(s *Site, r *rand.Rand) {
			sc := slow(s, r, "slow-34s", "tcp-syn", s.evil(13)).raw()
			sc.run(s.start+upTo(r, time.Minute), 34*time.Second, sc.shuffled(along(s.dmz(16), 1, 3000)))
		}},
		{"slow-insider", func(s *Site, r *rand.Rand) {
			from := s.ip4(10, 20, 3, 185)
			from.stack = linux
			s.often(r, 2, office, func(t int64) { s.session(t, r, from, 1+r.IntN(4)) })
			sc := slow(s, r, "slow-insider", "tcp-connect", from).connect(stateOf)
			sc.run(s.start+upTo(r, time.Minute), 10*time.Minute, sc.shuffled(across(s.dmz, 1, 254, 3389)))
		}},
	}
}
