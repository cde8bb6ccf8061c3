package main

import (
	"net/netip"
	"time"
)

// dayCapture is the scan day: ten minutes of a small site at work, with nine
// scanners, a backscatter storm and a spoofed flood in between.
func dayCapture() capture {
	return capture{"scan-day", format{ng: true}, func(s *site) {
		s.dayOrdinary()
		s.dayScans(s.alive())
		s.dayStorms()
	}}
}

// dayOrdinary is everything that is nobody's scan.
func (s *site) dayOrdinary() {
	const day = 590 * time.Second
	s.lanNoise(at(0), day)
	s.webTraffic(at(0), day, 110)
	s.dnsTraffic(at(0), day, 700)
	for i := range 3 {
		s.browse(at(5*time.Second), day-30*time.Second, 150+3*i, 10)
	}
	s.monitor(at(2*time.Second), 10)
	s.backup(at(65*time.Second), 17, 5)
	s.mail(at(10*time.Second), day-60*time.Second, 34)
	s.ftp(at(30*time.Second), 2, 10)
	s.tftp(at(120*time.Second), 4, 2)
	s.p2p(at(200*time.Second), 240*time.Second, 140, 60)
	s.deadServer(at(150*time.Second), 4*time.Minute, 130)
	s.traceroute(at(260*time.Second), s.withStack(s.lan(120), linux), s.net(40), 11, 6)
	s.tracert(at(310*time.Second), s.withStack(s.lan(121), windows), s.net(41), 8)
}

// dayScans are the scanners, each at its time; alive tells what answers.
func (s *site) dayScans(alive func(target) state) {
	s.slowVertical(at(4*time.Second), s.net(253), s.dmz(13), 29)
	s.synVertical(at(40*time.Second), s.net(250), s.dmz(10), 200)

	insider := s.lan(166)
	s.arpSweep(at(100*time.Second), insider, alive)
	s.connectVertical(at(107*time.Second), insider, s.lan(20), 100)

	s.synHorizontal(at(180*time.Second), s.net(251))
	s.udpVertical(at(205*time.Second), s.net(252), s.dmz(11), 60)
	s.pingSweep(at(300*time.Second), s.lan(167), alive)
	s.flagProbes(at(340*time.Second), s.net(249), s.dmz(12))
	s.ipv6Syn(at(400*time.Second), s.net6(0x666), 61)
	s.blockScan(at(450*time.Second), s.net(254))
}

// dayStorms are the floods, which name nobody.
func (s *site) dayStorms() {
	s.backscatter(at(60*time.Second), 3*time.Minute, 250)
	s.synFlood(at(500*time.Second), 6*time.Second, 190)
}

// flagProbes is one scanner that tries NULL, FIN and XMAS on 40 ports, one
// after the other.
func (s *site) flagProbes(start int64, from, to *host) {
	for i, kind := range []struct {
		technique string
		flags     uint8
	}{{"tcp-null", 0}, {"tcp-fin", fin}, {"tcp-xmas", fin | psh | urg}} {
		p := s.plan("day "+kind.technique, start+int64(i)*int64(6*time.Second), 20*time.Millisecond, from,
			along(s.withStack(to, linux), ports(70, 109)), states([]uint16{80}, []uint16{90}))
		p.shuffled().raw(kind.technique, p.nmap(kind.flags))
	}
}

// alive answers for the hosts that have been up so far.
func (s *site) alive() func(target) state {
	up := map[netip.Addr]bool{}
	for a, h := range s.hosts {
		up[a] = !h.dead
	}
	return func(g target) state {
		if up[g.addr] {
			return opened
		}
		return silent
	}
}
