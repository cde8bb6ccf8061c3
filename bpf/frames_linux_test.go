package bpf

import (
	"encoding/binary"
	"net/netip"
	"slices"
)

// Addresses of the frames made here.
var (
	prober  = netip.MustParseAddr("192.0.2.10")
	probed  = netip.MustParseAddr("198.51.100.20")
	prober6 = netip.MustParseAddr("2001:db8::10")
	probed6 = netip.MustParseAddr("2001:db8:1::20")
)

// tcpHeader is a TCP header without options, and payload.
func tcpHeader(from, to uint16, flags byte, payload []byte) []byte {
	h := make([]byte, 20)
	binary.BigEndian.PutUint16(h, from)
	binary.BigEndian.PutUint16(h[2:], to)
	binary.BigEndian.PutUint32(h[4:], 7)
	h[12], h[13] = 5<<4, flags
	return append(h, payload...)
}

// udpHeader is a datagram.
func udpHeader(from, to uint16, payload []byte) []byte {
	h := make([]byte, 8)
	binary.BigEndian.PutUint16(h, from)
	binary.BigEndian.PutUint16(h[2:], to)
	binary.BigEndian.PutUint16(h[4:], uint16(8+len(payload)))
	return append(h, payload...)
}

// internet is an Ethernet frame with an IP packet.
func internet(from, to netip.Addr, proto byte, payload []byte) []byte {
	link := make([]byte, 12, 14)
	link[0], link[6] = 2, 2
	if to.IsMulticast() {
		link[0] = 3
	}
	if from.Is6() {
		h := make([]byte, 8)
		h[0], h[6], h[7] = 6<<4, proto, 64
		binary.BigEndian.PutUint16(h[4:], uint16(len(payload)))
		return slices.Concat(link, []byte{0x86, 0xdd}, h, from.AsSlice(), to.AsSlice(), payload)
	}
	h := make([]byte, 12)
	h[0], h[8], h[9] = 0x45, 64, proto
	binary.BigEndian.PutUint16(h[2:], uint16(20+len(payload)))
	return slices.Concat(link, []byte{8, 0}, h, from.AsSlice(), to.AsSlice(), payload)
}

func segment(flags byte, payload []byte) []byte {
	return internet(prober, probed, 6, tcpHeader(40000, 80, flags, payload))
}

func segment6(flags byte, payload []byte) []byte {
	return internet(prober6, probed6, 6, tcpHeader(40000, 80, flags, payload))
}

func datagramFrame() []byte {
	return internet(prober, probed, 17, udpHeader(40000, 53, make([]byte, 30)))
}
