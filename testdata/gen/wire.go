package main

import (
	"fmt"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// ipHeader is what varies in the IP header of a packet. Zero: the sender's
// own TTL, an identification by the sender's habit, may be fragmented.
type ipHeader struct {
	ttl   uint8
	ident uint16
	fixed bool // ident is meant, 0 included
	df    bool
	label uint32 // IPv6 flow label
}

// send puts a packet on the wire and returns the frame.
func (s *site) send(t int64, from, to *host, ip ipHeader, proto layers.IPProtocol, ls ...gopacket.SerializableLayer) []byte {
	if ip.ttl == 0 {
		ip.ttl = from.stack.ttl - from.hops
	}
	eth := &layers.Ethernet{
		SrcMAC: from.linkAddr(to), DstMAC: to.linkAddr(from), EthernetType: layers.EthernetTypeIPv4,
	}
	if to.addr.IsMulticast() || to.addr == allHosts {
		eth.DstMAC = groupMAC(to)
	}
	var net gopacket.NetworkLayer
	var all []gopacket.SerializableLayer
	counted := false
	if from.is6() {
		eth.EthernetType = layers.EthernetTypeIPv6
		h := &layers.IPv6{
			Version: 6, HopLimit: ip.ttl, NextHeader: proto, FlowLabel: ip.label,
			SrcIP: from.addr.AsSlice(), DstIP: to.addr.AsSlice(),
		}
		net, all = h, []gopacket.SerializableLayer{eth, h}
	} else {
		h := &layers.IPv4{
			Version: 4, IHL: 5, TTL: ip.ttl, Protocol: proto, Id: ip.ident,
			SrcIP: from.addr.AsSlice(), DstIP: to.addr.AsSlice(),
		}
		if ip.df {
			h.Flags = layers.IPv4DontFragment
		}
		counted = !ip.fixed && from.stack.counter
		if !ip.fixed && !from.stack.counter {
			h.Id = uint16(from.rnd.Uint32())
		}
		net, all = h, []gopacket.SerializableLayer{eth, h}
	}
	for _, l := range ls {
		if c, ok := l.(interface {
			SetNetworkLayerForChecksum(gopacket.NetworkLayer) error
		}); ok {
			must(c.SetNetworkLayerForChecksum(net))
		}
	}
	return s.put(t, counted, from, append(all, ls...)...)
}

// put serialises a whole frame and keeps it.
func (s *site) put(t int64, counted bool, from *host, ls ...gopacket.SerializableLayer) []byte {
	buf := gopacket.NewSerializeBuffer()
	must(gopacket.SerializeLayers(buf, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, ls...))
	f := frame{time: t, data: buf.Bytes()}
	for len(f.data) < 60 {
		f.data = append(f.data, 0)
	}
	if counted {
		f.counter = from
	}
	s.frames = append(s.frames, f)
	return f.data
}

// must stops on what only a mistake in this program can cause: all that is
// serialised is made here.
func must(err error) {
	if err != nil {
		panic(fmt.Sprintf("gen: %v", err))
	}
}

// linkAddr is the MAC address that stands for h on its way to or from peer.
func (h *host) linkAddr(peer *host) []byte {
	if h.hops > 0 && peer.local() {
		return routerMAC[:]
	}
	return h.mac[:]
}

func groupMAC(to *host) []byte {
	a := to.addr.As16()
	switch {
	case to.addr == allHosts:
		return broadcast[:]
	case to.is6():
		return []byte{0x33, 0x33, a[12], a[13], a[14], a[15]}
	default:
		return []byte{0x01, 0x00, 0x5e, a[13] & 0x7f, a[14], a[15]}
	}
}

// packet is the IP packet in a frame, as sent: without padding.
func packet(f []byte) []byte {
	if f[12] == 0x86 {
		return f[14 : 14+40+int(f[18])<<8+int(f[19])]
	}
	return f[14 : 14+int(f[16])<<8+int(f[17])]
}
