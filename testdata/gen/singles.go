package main

import (
	"net/netip"
	"slices"
	"time"
)

// states answers for targets: the given ports are open, some others silent,
// the rest closed.
func states(open, quiet []uint16) func(target) state {
	return func(g target) state {
		if slices.Contains(open, g.port) {
			return opened
		}
		if slices.Contains(quiet, g.port) {
			return silent
		}
		return closed
	}
}

// few answers for the hosts of a sweep: one in everyOpen is open, one in
// everyClosed refuses, the rest is silent.
func few(everyOpen, everyClosed int) func(target) state {
	return func(g target) state {
		n := int(g.addr.As16()[15])
		switch {
		case n%everyOpen == 3:
			return opened
		case everyClosed > 0 && n%everyClosed == 5:
			return closed
		default:
			return silent
		}
	}
}

// hosts are those numbered first to last by f, but for one address.
func hosts(f func(int) *host, first, last int, but netip.Addr) []*host {
	var hs []*host
	for n := first; n <= last; n++ {
		if h := f(n); h.addr != but {
			hs = append(hs, h)
		}
	}
	return hs
}

// scanCaptures are the captures of one scan each and nothing else.
func scanCaptures() []capture {
	big := format{big: true}
	flag := func(technique string, flags uint8) func(*site) {
		return func(s *site) {
			st := states([]uint16{22, 80}, []uint16{111})
			s.plan(technique, at(0), 12*time.Millisecond, s.net(250), along(s.withStack(s.dmz(12), linux), ports(20, 119)), st).
				shuffled().raw(technique, s.plan("craft", 0, 1, nil, nil, nil).nmap(flags))
		}
	}
	return []capture{
		{"syn-vertical", format{}, func(s *site) { s.synVertical(at(0), s.net(250), s.dmz(10), 200) }},
		{"connect-vertical", format{}, func(s *site) { s.connectVertical(at(0), s.lan(166), s.lan(20), 100) }},
		{"syn-horizontal", format{nanos: true}, func(s *site) { s.synHorizontal(at(0), s.net(251)) }},
		{"udp-vertical", format{ng: true}, func(s *site) { s.udpVertical(at(0), s.net(252), s.dmz(11), 80) }},
		{"fin", format{}, flag("tcp-fin", fin)},
		{"null", big, flag("tcp-null", 0)},
		{"xmas", format{nanos: true}, flag("tcp-xmas", fin|psh|urg)},
		{"ack", format{}, flag("tcp-ack", ack)},
		{"maimon", format{link: linkSLL2}, flag("tcp-maimon", fin|ack)},
		{"arp-sweep", format{}, func(s *site) { s.arpSweep(at(0), s.lan(166), few(11, 0)) }},
		{"ping-sweep", format{vlan: 110}, func(s *site) { s.pingSweep(at(0), s.lan(167), few(40, 0)) }},
		{"ipv6-syn", format{ng: true}, func(s *site) { s.ipv6Syn(at(0), s.net6(0x666), 80) }},
		{"ndp-sweep", format{}, func(s *site) { s.ndpSweep(at(0), s.lan6(166)) }},
		{"slow-vertical", format{}, func(s *site) { s.slowVertical(at(0), s.net(253), s.dmz(13), 40) }},
		{"prohibited", format{}, func(s *site) { s.synProhibited(at(0), s.net(250), s.dmz(14), 60) }},
		{"block", format{packer: "zst"}, func(s *site) { s.blockScan(at(0), s.net(254)) }},
	}
}

// synVertical is nmap -sS: RST from most, three open, a few silent.
func (s *site) synVertical(start int64, from, to *host, n int) {
	p := s.plan("syn-vertical", start, 15*time.Millisecond, from, along(s.withStack(to, linux), ports(20, 19+n)), states([]uint16{22, 80, 139}, []uint16{135, 137}))
	p.shuffled().raw("tcp-syn", p.nmap(syn))
}

// synProhibited meets a firewall that says so, but for two ports.
func (s *site) synProhibited(start int64, from, to *host, n int) {
	p := s.plan("syn-prohibited", start, 30*time.Millisecond, from, along(s.withStack(to, linux), ports(20, 19+n)), func(g target) state {
		if g.port == 25 || g.port == 53 {
			return closed
		}
		return prohibited
	})
	p.shuffled().raw("tcp-syn", p.nmap(syn))
}

// connectVertical is nmap -sT from a Linux host of the LAN.
func (s *site) connectVertical(start int64, from, to *host, n int) {
	s.withStack(from, linux)
	s.arp(start-3_000_000, from, to, true)
	s.plan("connect-vertical", start, 8*time.Millisecond, from, along(s.withStack(to, linux), ports(20, 19+n)), states([]uint16{22, 111}, nil)).
		shuffled().connect()
}

// synHorizontal looks for SSH in the whole DMZ: silence from most.
func (s *site) synHorizontal(start int64, from *host) {
	p := s.plan("syn-horizontal", start, 25*time.Millisecond, from, across(hosts(s.dmz, 1, 254, netip.Addr{}), 22), few(80, 19))
	p.shuffled().raw("tcp-syn", p.nmap(syn))
}

// udpVertical is nmap -sU at the pace the limit on ICMP errors forces on it.
func (s *site) udpVertical(start int64, from, to *host, n int) {
	list := append([]uint16{53, 123, 161, 500}, ports(1000, 995+n)...)
	s.plan("udp-vertical", start, 900*time.Millisecond, from, along(s.withStack(to, linux), list), states([]uint16{53, 123}, []uint16{500, 1010, 1020})).
		shuffled().udp()
}

// arpSweep asks for every address of the LAN.
func (s *site) arpSweep(start int64, from *host, st func(target) state) {
	s.plan("arp-sweep", start, 9*time.Millisecond, from, across(hosts(s.lan, 1, 254, from.addr), 0), st).arp()
}

// pingSweep sends echo requests to the DMZ, most of which is dark.
func (s *site) pingSweep(start int64, from *host, st func(target) state) {
	p := s.plan("ping-sweep", start, 20*time.Millisecond, from, across(hosts(s.dmz, 1, 254, netip.Addr{}), 0), st)
	p.shuffled().ping()
}

// ipv6Syn is nmap -6 -sS against the web server.
func (s *site) ipv6Syn(start int64, from *host, n int) {
	p := s.plan("ipv6-syn", start, 14*time.Millisecond, from, along(s.webServer6(), ports(20, 19+n)), states([]uint16{22, 80}, []uint16{25}))
	p.shuffled().raw("tcp-syn", p.nmap(syn))
}

// ndpSweep solicits the first 255 addresses of the LAN's prefix.
func (s *site) ndpSweep(start int64, from *host) {
	s.plan("ndp-sweep", start, 10*time.Millisecond, from, across(hosts(s.lan6, 1, 255, from.addr), 0), few(19, 0)).ndp()
}

// slowVertical tries a port every 20 seconds.
func (s *site) slowVertical(start int64, from, to *host, n int) {
	p := s.plan("slow-vertical", start, 20*time.Second, from, along(s.withStack(to, linux), ports(8000, 7999+n)), states([]uint16{8008}, nil))
	p.shuffled().raw("tcp-syn", p.nmap(syn))
}

// blockScan is masscan over 16 hosts and 12 ports.
func (s *site) blockScan(start int64, from *host) {
	var ts []target
	for _, h := range hosts(s.dmz, 32, 47, netip.Addr{}) {
		ts = append(ts, along(h, []uint16{21, 22, 23, 25, 80, 110, 143, 443, 445, 3306, 3389, 8080})...)
	}
	p := s.plan("block", start, 10*time.Millisecond, from, ts, func(g target) state {
		switch n := g.addr.As16()[15]; {
		case n%4 != 0:
			return silent
		case g.port == 80 || g.port == 443:
			return opened
		default:
			return closed
		}
	})
	p.tries = 1
	p.shuffled().raw("tcp-syn", p.masscan())
}

// ordinaryCaptures hold no scan at all, only what tempts to see one.
func ordinaryCaptures() []capture {
	return []capture{
		{"web-server", format{ng: true}, func(s *site) { s.webTraffic(at(0), 60*time.Second, 100) }},
		{"dns-resolver", format{snap: 128, packer: "gz"}, func(s *site) { s.dnsTraffic(at(0), 120*time.Second, 1100) }},
		{"ftp-passive", format{}, func(s *site) { s.ftp(at(0), 3, 14) }},
		{"monitor", format{packer: "lz4"}, func(s *site) { s.monitor(at(0), 4) }},
		{"backup", format{}, func(s *site) { s.backup(at(0), 24, 12) }},
		{"mail", format{}, func(s *site) { s.mail(at(0), 150*time.Second, 50) }},
		{"traceroute", format{snap: 128}, func(s *site) {
			s.traceroute(at(0), s.withStack(s.lan(120), linux), s.net(40), 11, 6)
			s.traceroute(at(40*time.Second), s.withStack(s.lan6(120), linux), s.net6(40), 9, 0)
			s.tracert(at(20*time.Second), s.withStack(s.lan(121), windows), s.net(41), 10)
		}},
		{"backscatter", format{nanos: true}, func(s *site) { s.backscatter(at(0), 60*time.Second, 400) }},
		{"syn-flood", format{}, func(s *site) {
			s.synFlood(at(0), 8*time.Second, 350)
			s.webTraffic(at(0), 20*time.Second, 15)
		}},
		{"dead-server-retries", format{}, func(s *site) { s.deadServer(at(0), 6*time.Minute, 130) }},
		{"tftp", format{link: linkRaw}, func(s *site) { s.tftp(at(0), 6, 4) }},
		{"p2p", format{}, func(s *site) { s.p2p(at(0), 90*time.Second, 140, 160) }},
		{"browser", format{}, func(s *site) { s.browse(at(0), 5*time.Minute, 150, 36) }},
		{"lan", format{}, func(s *site) { s.lanNoise(at(0), 5*time.Minute) }},
	}
}
