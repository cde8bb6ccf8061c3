package site

import (
	"math/rand/v2"
	"net/netip"
	"time"
)

// lanActivities are what a LAN says by itself, and when its power returns.
func lanActivities() []activity {
	return []activity{
		{"lan", (*Site).lan},
		{"router-arp", (*Site).routerARP},
		{"reboot-storm", (*Site).rebootStorm},
		{"dhcp-pings", (*Site).dhcpPings},
		{"traceroutes", (*Site).traceroutes},
	}
}

// The group addresses the protocols themselves prescribe.
var (
	mdnsAddr  = netip.MustParseAddr("224.0.0.251")
	llmnrAddr = netip.MustParseAddr("224.0.0.252")
	ssdpAddr  = netip.MustParseAddr("239.255.255.250")
	lanAll    = netip.MustParseAddr("10.20.255.255")
)

func group(a netip.Addr) *host { return &host{addr: a, stack: linux} }

// lan is the noise of every LAN.
func (s *Site) lan(r *rand.Rand) {
	devices := []*host{s.ip4(10, 20, 7, 1), s.ip4(10, 20, 7, 2), s.ip4(10, 20, 7, 3)}
	s.often(r, 500, office, func(t int64) {
		from := s.desk(r.IntN(220))
		s.arp(t, from, s.server(1), true)
		s.arp(t+upTo(r, time.Minute), s.server(1), from, true)
	})
	s.often(r, 250, office, func(t int64) {
		from := s.desk6(512 + r.IntN(256))
		s.solicit(t, from, s.desk6(0), true)
	})
	s.often(r, 120, office, func(t int64) { s.search(t, r, s.desk(r.IntN(220)), devices) })
	s.often(r, 150, office, func(t int64) {
		s.ntp(t, s.desk(r.IntN(220)), s.server(80+r.IntN(2)), true)
	})
	s.often(r, 60, steady, func(t int64) { // own servers ask a pool, one member of which is gone
		n := r.IntN(4)
		s.ntp(t, s.server(80+r.IntN(2)), s.web(3900+n), n != 2)
	})
	s.often(r, 100, office, func(t int64) { s.lease(t, s.desk(r.IntN(220)), true) })
}

// search is one host's looking for devices and names: SSDP, mDNS, LLMNR, NetBIOS.
func (s *Site) search(t int64, r *rand.Rand, from *host, devices []*host) {
	port := from.ephemeral()
	switch r.IntN(4) {
	case 0:
		for i := range 3 {
			s.datagramTTL(t+int64(i)*int64(time.Second), from, group(ssdpAddr), port, 1900, 2, "M-SEARCH * HTTP/1.1\r\n", 130)
		}
		for _, d := range devices {
			s.datagram(t+between(r, 40*time.Millisecond, 1900*time.Millisecond), d, from, 1900, port, "HTTP/1.1 200 OK\r\n", 300)
		}
	case 1:
		s.datagramTTL(t, from, group(mdnsAddr), 5353, 5353, 255, dnsMessage(r, 0, 0, "_ipp._tcp.local"), 0)
		for _, d := range devices {
			s.datagramTTL(t+between(r, 20*time.Millisecond, 120*time.Millisecond), d, group(mdnsAddr), 5353, 5353, 255,
				dnsMessage(r, 0, 0x8400, "_ipp._tcp.local"), 90)
		}
	case 2:
		for i := range 2 {
			s.datagramTTL(t+int64(i)*400_000_000, from, group(llmnrAddr), port, 5355, 1, dnsMessage(r, 7, 0, "wpad"), 0)
		}
		s.datagram(t+2_000_000, devices[0], from, 5355, port, dnsMessage(r, 7, 0x8000, "wpad"), 40)
	default:
		for i := range 3 {
			s.datagram(t+int64(i)*750_000_000, from, group(lanAll), 137, 137, "\x80\x01\x01\x10\x00\x01\x00\x00\x00\x00\x00\x00\x20EKFAEB", 50)
		}
	}
}

// ntp is a question of a client, answered or not.
func (s *Site) ntp(t int64, from, to *host, answers bool) {
	port := from.ephemeral()
	s.datagram(t, from, to, port, 123, "\x23\x00\x06\x20", 48)
	if answers {
		s.datagram(t+to.answer(), to, from, 123, port, "\x24\x02\x06\xe8", 48)
	}
}

// lease is a DHCP client's getting or renewing its address.
func (s *Site) lease(t int64, client *host, renew bool) {
	server := s.server(30)
	request := func(t int64, from, to *host, kind string) {
		op, sport, dport := "\x01\x01\x06\x00", uint16(68), uint16(67)
		if kind == "\x02" || kind == "\x05" {
			op, sport, dport = "\x02\x01\x06\x00", 67, 68
		}
		s.datagram(t, from, to, sport, dport, op+string(client.mac[2:]), 300)
	}
	if renew {
		request(t, client, server, "\x03")
		request(t+server.answer(), server, client, "\x05")
		return
	}
	none := &host{addr: netip.IPv4Unspecified(), mac: client.mac, stack: client.stack, rnd: client.rnd}
	all := group(allHosts)
	request(t, none, all, "\x01")
	t += 3 * server.answer()
	request(t, server, all, "\x02")
	t += client.answer()
	request(t, none, all, "\x03")
	t += 2 * server.answer()
	request(t, server, all, "\x05")
	for i := range 3 { // is the address free?
		s.arp(t+int64(i+1)*int64(time.Second), none, client, false)
	}
	s.arp(t+int64(4*time.Second), client, client, false) // it is mine
}

// routerARP is the router's asking for addresses that the Internet's noise is
// for: hosts of ours that do not exist.
func (s *Site) routerARP(r *rand.Rand) {
	router := s.server(1)
	s.often(r, 500, steady, func(t int64) {
		s.arp(t, router, s.ip4(10, 20, 8+r.IntN(8), 1+r.IntN(254)), false)
	})
	s.often(r, 1200, steady, func(t int64) { s.arp(t, router, s.server(10+r.IntN(40)), true) })
}

// rebootStorm is the morning on which the second floor gets its power back: a
// hundred hosts in forty seconds. The file server comes up with them, later.
func (s *Site) rebootStorm(r *rand.Rand) {
	s.once("08:15", func(t int64) {
		for i := range 100 {
			s.boot(t+upTo(r, 40*time.Second), r, s.desk(i), t+int64(70*time.Second))
		}
		fileServer := s.server(21)
		for i := range 100 { // it knows its clients of before, and asks for them
			s.arp(t+int64(70*time.Second)+upTo(r, 30*time.Second), fileServer, s.desk(i), true)
		}
	})
}

// boot is what a host does when it comes up; the file server is ready at up.
func (s *Site) boot(t int64, r *rand.Rand, h *host, up int64) {
	s.lease(t, h, false)
	t += int64(5 * time.Second)
	for _, n := range []int{1, 53, 80, 81} {
		s.arp(t+upTo(r, time.Second), h, s.server(n), true)
	}
	for range 6 {
		s.lookup(t+upTo(r, 3*time.Second), r, h, r.IntN(200))
	}
	for n := range 2 { // domain controllers by LDAP over UDP, then the nearer one
		port := h.ephemeral()
		s.datagram(t, h, s.server(80+n), port, 389, "\x30\x84\x00\x00\x00\x9a\x02\x01\x01", 160)
		s.datagram(t+s.server(80+n).answer(), s.server(80+n), h, 389, port, "\x30\x84\x00\x00\x00\xba\x02\x01\x01", 190)
	}
	for _, port := range []uint16{88, 88, 389, 445, 135, 49667} {
		s.dial(t+between(r, time.Second, 6*time.Second), h, s.server(80), port).open().
			ask("\x00\x00\x05\xb1", 800, "\x00\x00\x05\xd0", 900).shut(client)
	}
	s.ntp(t+upTo(r, 4*time.Second), h, s.server(80), true)
	s.ntp(t+upTo(r, 4*time.Second), h, s.web(3902), false) // compiled in, gone for years
	for try := t + int64(4*time.Second); ; try += int64(9 * time.Second) {
		c := s.dial(try, h, s.server(21), 445)
		if try >= up {
			c.open().ask("\x00\x00\x00\xd4\xfeSMB", 216, "\x00\x00\x01\x3c\xfeSMB", 320).shut(client)
			break
		}
		if try >= up-int64(12*time.Second) {
			c.refused()
		} else {
			c.silent(3)
		}
	}
	s.dial(t+upTo(r, 8*time.Second), h, s.server(90), 445).silent(3) // the share that is gone
	for k := range 4 {
		s.askSNMP(t+upTo(r, 10*time.Second), h, s.printer(k), h.ephemeral(), k != 3)
	}
	devices := []*host{s.ip4(10, 20, 7, 1), s.ip4(10, 20, 7, 2), s.ip4(10, 20, 7, 3)}
	for range 4 {
		s.search(t+upTo(r, 10*time.Second), r, h, devices)
	}
	s.session(t+int64(20*time.Second), r, h, 2)
}

// dhcpPings are a DHCP server's looking, by ping, whether an address is free
// before it gives it away: a class of thirty new devices in ten minutes.
func (s *Site) dhcpPings(r *rand.Rand) {
	s.once("08:50", func(t int64) {
		for i := range 30 {
			at, h := t+int64(i)*int64(20*time.Second)+upTo(r, 5*time.Second), s.ip4(10, 20, 3, 130+i)
			s.lease(at, h, false)
			s.arp(at+200_000, s.server(30), h, false)
			s.ping(at+400_000, s.server(30), h, false)
			s.session(at+int64(15*time.Second), r, h, 3)
		}
	})
}

// traceroutes look for the way to hosts of others, three probes a hop.
func (s *Site) traceroutes(r *rand.Rand) {
	s.often(r, 3, office, func(t int64) {
		from, to := s.desk(120+r.IntN(100)), s.web(pick(r))
		sport, port := from.ephemeral(), uint16(33434)
		for hop := 1; hop <= 12; hop++ {
			by := s.ip4(198, 18, 200+hop, 1)
			for range 3 {
				ask := s.datagramTTL(t, from, to, sport, port, uint8(hop), "", 32)
				port++
				switch hop {
				case 12:
					t += to.answer()
					s.unreachable(t, to, from, ask)
				case 7:
					t += int64(5 * time.Second)
				default:
					t += by.answer()
					s.icmpError(t, by, from, ask, 11, 0, 60)
				}
			}
		}
	})
}
