package main

import "github.com/synoptic-ids/synoptic/testdata/wire"

// ipHeader is what varies in the IP header of a packet. Zero: the sender's
// own TTL, an identification by the sender's habit, may be fragmented.
type ipHeader struct {
	ttl   uint8
	ident uint16
	fixed bool // ident is meant, 0 included
	df    bool
	label uint32 // IPv6 flow label
}

// send puts a packet on the wire and returns the frame. l4 is all of its transport,
// whose checksum stands at sum.
func (s *site) send(t int64, from, to *host, ip ipHeader, proto uint8, l4 []byte, sum int) []byte {
	if ip.ttl == 0 {
		ip.ttl = from.stack.TTL - from.hops
	}
	counted := !from.is6() && !ip.fixed && from.stack.Counter
	if !from.is6() && !ip.fixed && !from.stack.Counter {
		ip.ident = uint16(from.rnd.Uint32())
	}
	h := wire.Header{TTL: ip.ttl, ID: ip.ident, DF: ip.df, Label: ip.label}
	b := wire.IP(nil, from.end(to), to.end(from), h, proto, l4, len(l4), sum)
	return s.put(t, counted, from, append(b, l4...))
}

// segment sends a segment of TCP.
func (s *site) segment(t int64, from, to *host, ip ipHeader, tcp wire.TCP, payload []byte) []byte {
	return s.send(t, from, to, ip, wire.ProtoTCP, append(tcp.Append(nil), payload...), wire.SumTCP)
}

// put keeps a frame.
func (s *site) put(t int64, counted bool, from *host, data []byte) []byte {
	for len(data) < 60 {
		data = append(data, 0)
	}
	f := frame{time: t, data: data}
	if counted {
		f.counter = from
	}
	s.frames = append(s.frames, f)
	return data
}

// end is h as one end of a packet to or from peer.
func (h *host) end(peer *host) wire.End {
	mac, group := wire.GroupMAC(h.addr)
	switch {
	case group:
	case h.hops > 0 && peer.local():
		mac = routerMAC
	default:
		mac = h.mac
	}
	return wire.End{Addr: h.addr, MAC: mac}
}
