package main

import (
	"encoding/binary"
	"net/netip"
	"time"

	"github.com/synoptic-ids/synoptic/testdata/wire"
)

// The group addresses the protocols themselves prescribe.
var (
	allHosts = netip.MustParseAddr("255.255.255.255")
	mdnsAddr = netip.MustParseAddr("224.0.0.251")
	ssdpAddr = netip.MustParseAddr("239.255.255.250")
)

// arp asks, as broadcast, who has the address of to; if answered it replies.
func (s *site) arp(t int64, from, to *host, answered bool) {
	s.arpPacket(t, from, to, false)
	if answered {
		s.arpPacket(t+to.answer(), to, from, true)
	}
}

func (s *site) arpPacket(t int64, from, to *host, reply bool) {
	s.put(t, false, from, wire.ARP(nil, reply, wire.End{Addr: from.addr, MAC: from.mac}, wire.End{Addr: to.addr, MAC: to.mac}))
}

// solicit asks for the neighbour to, at its solicited-node group; if answered
// it advertises itself.
func (s *site) solicit(t int64, from, to *host, answered bool) {
	group := &host{addr: wire.Solicited(to.addr)}
	s.icmp(t, from, group, ipHeader{ttl: 255}, wire.Neighbor(nil, false, to.addr, from.mac))
	if answered {
		s.icmp(t+to.answer(), to, from, ipHeader{ttl: 255}, wire.Neighbor(nil, true, to.addr, to.mac))
	}
}

// dhcp is the lease of one client: discover, offer, request, acknowledgement.
func (s *site) dhcp(t int64, client, server *host) {
	none, all := &host{addr: netip.IPv4Unspecified(), mac: client.mac, stack: client.stack, rnd: client.rnd}, &host{addr: allHosts}
	xid := client.rnd.Uint32()
	message := func(op byte, kind byte) []byte {
		b := zeros(300)
		b[0], b[1], b[2] = op, 1, 6
		binary.BigEndian.PutUint32(b[4:], xid)
		copy(b[28:], client.mac[:])
		copy(b[236:], []byte{0x63, 0x82, 0x53, 0x63, 53, 1, kind, 255})
		if op == 2 {
			copy(b[16:], client.addr.AsSlice())
		}
		return b
	}
	s.datagram(t, none, all, 68, 67, message(1, 1))
	t += 3 * server.answer()
	s.datagram(t, server, all, 67, 68, message(2, 2))
	t += client.answer()
	s.datagram(t, none, all, 68, 67, message(1, 3))
	t += 2 * server.answer()
	s.datagram(t, server, all, 67, 68, message(2, 5))
}

// ssdp is a search for devices, answered straight to the asking port by those given.
func (s *site) ssdp(t int64, from *host, devices []*host) {
	port := from.ephemeral()
	search := "M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 2\r\nST: ssdp:all\r\n\r\n"
	for i := range 3 {
		s.datagramTTL(t+int64(i)*int64(time.Second), from, &host{addr: ssdpAddr}, port, 1900, 2, []byte(search))
	}
	for _, d := range devices {
		answer := "HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=1800\r\nST: upnp:rootdevice\r\n\r\n"
		s.datagram(t+between(d.rnd, 40*time.Millisecond, 1900*time.Millisecond), d, from, 1900, port, []byte(answer))
	}
}

// mdns is a question to the group, answered to the group.
func (s *site) mdns(t int64, from *host, devices []*host) {
	group := &host{addr: mdnsAddr}
	s.datagramTTL(t, from, group, 5353, 5353, 255, dnsQuery(0, "_ipp._tcp.local", 12))
	for _, d := range devices {
		s.datagramTTL(t+between(d.rnd, 20*time.Millisecond, 120*time.Millisecond), d, group, 5353, 5353, 255,
			dnsAnswer(0, "_ipp._tcp.local", 12, 0, 1))
	}
}

// ntp is a question of a client and the answer of a server.
func (s *site) ntp(t int64, from, to *host) {
	port := from.ephemeral()
	ask, answer := zeros(48), zeros(48)
	ask[0], answer[0], answer[1] = 0x23, 0x24, 2
	s.datagram(t, from, to, port, 123, ask)
	s.datagram(t+to.answer(), to, from, 123, port, answer)
}
