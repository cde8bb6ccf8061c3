package flows

import (
	"encoding/binary"
	"fmt"
)

// Tunnel is a way of carrying one packet inside another.
type Tunnel uint8

// The tunnels that a [Decoder] looks into.
const (
	TunnelMPLS     Tunnel = iota // over a link, IP or UDP; pseudowires of Ethernet included
	TunnelIP                     // IP directly in IP, either version in either
	TunnelGRE                    // NVGRE included
	TunnelPPTP                   // GRE version 1
	TunnelERSPAN                 // types I, II and III
	TunnelEtherIP                //
	TunnelVXLAN                  //
	TunnelVXLANGPE               //
	TunnelGeneve                 //
	TunnelGTP                    // GTP-U
	TunnelTeredo                 //
	TunnelAYIYA                  //
	TunnelL2TP                   // version 2
	TunnelNSH                    //

	// NumTunnels is how many there are.
	NumTunnels = int(TunnelNSH) + 1
)

// String is the tunnel's name in lower case.
func (t Tunnel) String() string {
	names := [NumTunnels]string{
		"mpls", "ip", "gre", "pptp", "erspan", "etherip", "vxlan", "vxlan-gpe",
		"geneve", "gtp", "teredo", "ayiya", "l2tp", "nsh",
	}
	if int(t) < len(names) {
		return names[t]
	}
	return fmt.Sprintf("Tunnel(%d)", uint8(t))
}

// maxDepth bounds the tunnels around a packet.
const maxDepth = 4

// Ethertypes of what tunnels carry, GRE's among them.
const (
	etherTEB       = 0x6558 // an Ethernet frame
	etherMPLS      = 0x8847
	etherMPLSGroup = 0x8848
	etherNSH       = 0x894f
	etherWiFi      = 0x8200 // 802.11, as Aruba's access points put it into GRE
)

// verdict is what the bytes at the place of a tunnel's header are.
type verdict uint8

const (
	noTunnel  verdict = iota // something else
	isTunnel                 // its header
	cutTunnel                // what was captured of it may well be its header
)

// header is a tunnel's header.
type header struct {
	off     int    // its length: where what it carries begins
	next    uint16 // ethertype of that; etherNone if it cannot be read
	kind    Tunnel
	verdict verdict
}

// cutHeader is a header of need bytes that is not all there: cut by the snap
// length, or none at all where there were never so many. wire counts the bytes
// on the wire from the header on.
func cutHeader(kind Tunnel, need, wire int) header {
	if wire < need {
		return header{}
	}
	return header{kind: kind, verdict: cutTunnel}
}

// matches reports whether the first 8 bytes of b, as far as they are there,
// are those of value wherever mask has bits.
func matches(b []byte, mask, value uint64) bool {
	var h [8]byte
	have := copy(h[:], b)
	mask &= ^uint64(0) << (8 * (8 - have))
	return binary.BigEndian.Uint64(h[:])&mask == value&mask
}

// tunnelState is what a decoder knows of the tunnels of the frame at hand, and
// has counted of those of all.
type tunnelState struct {
	mode    Tunnels
	seed    uint64
	carried uint8  // IP packets around the one that is being read
	found   bool   // outer is that of the frame at hand
	outer   Packet // the outermost carrier, where the mode asks for it
	clients *clients

	kinds                    [NumTunnels]uint64
	carriers, pairs          uint64
	tooDeep, cut, unreadable uint64
}

// carry reads what the IP packet p carries behind a tunnel's header h. b are
// the bytes from that header on. p becomes the packet inside; where that
// cannot be read it stays the carrier, marked as such; and where the bytes make no
// sense as that tunnel it is left as it was: a probe of a tunnel's port is one
// like any other.
//
//go:noinline
func (d *Decoder) carry(p *Packet, h header, b []byte, wire int) {
	t := &d.tunnel
	switch {
	case h.verdict == noTunnel:
		return
	case h.verdict == cutTunnel:
		t.carrier(p, h.kind, &t.cut)
		return
	case h.next == etherNone:
		t.carrier(p, h.kind, &t.unreadable)
		return
	}
	b, wire = b[h.off:], wire-h.off
	if p.Marks&MarkFragmented == 0 && !contained(h.next, b, wire) {
		return
	}
	if p.Depth == maxDepth {
		t.carrier(p, h.kind, &t.tooDeep)
		return
	}
	carrier, truncated, malformed, encrypted := *p, d.truncated, d.malformed, d.encrypted
	*p = Packet{
		Time: p.Time, Iface: p.Iface, VLAN: p.VLAN, SrcMAC: p.SrcMAC,
		Depth: p.Depth + 1, Marks: MarkTunnel,
	}
	t.carried++
	ok := d.inside(p, h.next, b, wire)
	t.carried--
	if ok {
		t.kinds[h.kind]++
		if t.carried == 0 && t.mode != TunnelsInner {
			t.outer, t.found = carrier, true
		}
		return
	}
	*p = carrier
	// The frame is not lost: the carrier stands for it.
	broken := d.malformed > malformed
	cut := d.truncated > truncated
	d.truncated, d.malformed, d.encrypted = truncated, malformed, encrypted
	switch {
	case cut, broken && carrier.Marks&MarkFragmented != 0:
		t.carrier(p, h.kind, &t.cut)
	case !broken:
		t.carrier(p, h.kind, &t.unreadable)
	}
}

// carrier marks p as carrying a packet that is not to be had, and counts why.
func (t *tunnelState) carrier(p *Packet, kind Tunnel, why *uint64) {
	t.kinds[kind]++
	*why++
	p.Marks |= MarkCarrier
}

// contained reports whether a packet of IP, which a tunnel carries without a
// link header that may have padded it, begins as one and is no longer than
// what carries it.
func contained(ethertype uint16, b []byte, wire int) bool {
	switch {
	case ethertype == etherIPv4 && len(b) > 0:
		return wire >= 20 && b[0]>>4 == 4 && (len(b) < 4 || int(binary.BigEndian.Uint16(b[2:])) <= wire)
	case ethertype == etherIPv6 && len(b) > 0:
		return wire >= 40 && b[0]>>4 == 6 && (len(b) < 6 || int(binary.BigEndian.Uint16(b[4:]))+40 <= wire)
	}
	return wire > 0
}

// inside reads what a tunnel carries.
func (d *Decoder) inside(p *Packet, ethertype uint16, b []byte, wire int) bool {
	switch ethertype {
	case etherTEB:
		return d.bridged(p, etherTEB, b, wire)
	case etherPPP:
		return d.hdlc(p, b, wire)
	case etherWiFi:
		return d.wifi(p, b, wire, 0)
	}
	return d.network(p, ethertype, b, wire)
}

// shim reads what a tunnel's header h carries that stands where IP would: p is
// no packet yet. The ethertype is the header's own, for the count of what
// cannot be read.
//
//go:noinline
func (d *Decoder) shim(p *Packet, h header, ethertype uint16, b []byte, wire int) bool {
	switch h.verdict {
	case isTunnel:
	case cutTunnel:
		d.truncated++
		return false
	default:
		return d.noIP(ethertype)
	}
	d.tunnel.kinds[h.kind]++
	if p.Depth == maxDepth {
		d.tunnel.tooDeep++
		return d.noIP(ethertype)
	}
	if h.next == etherNone {
		return d.noIP(ethertype)
	}
	p.Depth++
	p.Marks |= MarkTunnel
	return d.inside(p, h.next, b[h.off:], wire-h.off)
}

// surfaced puts the outermost carrier in the place of dst[n], the packet of a
// frame, or in front of it, as the mode says. It counts what is then there.
//
//go:noinline
func (d *Decoder) surfaced(dst []Packet, n int) []Packet {
	t := &d.tunnel
	if t.found {
		t.found = false
		t.outer.Marks |= MarkCarrier
		if t.mode == TunnelsBoth {
			dst = append(dst, dst[n])
			d.packets++
			t.pairs++
		}
		dst[n] = t.outer
	}
	for i := range dst[n:] {
		marks := dst[n+i].Marks
		d.marked.add(marks)
		if marks&MarkCarrier != 0 {
			t.carriers++
		}
	}
	return dst
}
