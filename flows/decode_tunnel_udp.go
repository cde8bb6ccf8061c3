package flows

import "encoding/binary"

// UDP ports of tunnels.
const (
	portL2TP     = 1701
	portGTP      = 2152
	portTeredo   = 3544
	portVXLAN    = 4789
	portVXLANGPE = 4790
	portAYIYA    = 5072
	portGeneve   = 6081
	portMPLS     = 6635
	portVXLANOld = 8472 // Linux, before 4789 was assigned
)

// tunnelPort reports whether datagrams to a port may be a tunnel's.
func tunnelPort(port uint16) bool {
	switch port {
	case portL2TP, portGTP, portTeredo, portVXLAN, portVXLANGPE, portAYIYA, portGeneve, portMPLS, portVXLANOld:
		return true
	}
	return false
}

// answerPort reports whether datagrams from a port may be a tunnel's: where a
// server answers to whatever port it was asked from. In the other tunnels
// either end sends to the port.
func answerPort(port uint16) bool {
	return port == portTeredo || port == portL2TP || port == portAYIYA
}

// udpTunnel looks into a datagram from or to a tunnel's port. b is what was
// captured of its payload. The port alone makes no tunnel, and least of all the
// source port, which any sender chooses: it counts only for a server that the
// receiving socket has sent such a tunnel to.
//
//go:noinline
func (d *Decoder) udpTunnel(p *Packet, b []byte, wire int) {
	if h := readUDPTunnel(p.DstPort, b, wire); h.verdict != noTunnel {
		from := *p
		d.carry(p, h, b, wire)
		if answerPort(from.DstPort) && p.Marks&(MarkTunnel|MarkCarrier) != 0 {
			d.tunnel.asked(&from)
		}
		return
	}
	if answerPort(p.SrcPort) && d.tunnel.answers(p) {
		d.carry(p, readUDPTunnel(p.SrcPort, b, wire), b, wire)
	}
}

// clientSlots is how many clients of tunnel servers are remembered, until
// others take their place.
const clientSlots = 4096

// clients are hashes of the sockets of a client and its server.
type clients struct {
	keys  keys
	slots [clientSlots]uint64
}

func (c *clients) hash(client *[16]byte, port uint16, server *[16]byte, serverPort uint16) uint64 {
	return mix(c.keys.end(client, port)^c.keys[1], c.keys.end(server, serverPort)^c.keys[5])
}

// asked notes who sent a tunnel to a server.
func (t *tunnelState) asked(p *Packet) {
	if t.clients == nil {
		t.clients = &clients{keys: newKeys(t.seed)}
	}
	h := t.clients.hash(&p.Src, p.SrcPort, &p.Dst, p.DstPort)
	t.clients.slots[h%clientSlots] = h
}

// answers reports whether a datagram goes to who has sent a tunnel to its
// sender.
func (t *tunnelState) answers(p *Packet) bool {
	if t.clients == nil {
		return false
	}
	h := t.clients.hash(&p.Dst, p.DstPort, &p.Src, p.SrcPort)
	return t.clients.slots[h%clientSlots] == h
}

// readUDPTunnel reads the header of the tunnel that a port stands for.
func readUDPTunnel(port uint16, b []byte, wire int) header {
	if len(b) == 0 {
		return unseen(port, wire)
	}
	switch port {
	case portVXLAN, portVXLANGPE, portVXLANOld:
		return readVXLAN(b, wire)
	case portGeneve:
		return readGeneve(b, wire)
	case portGTP:
		return readGTP(b, wire)
	case portTeredo:
		return readTeredo(b, wire)
	case portAYIYA:
		return readAYIYA(b, wire)
	case portL2TP:
		return readL2TP(b, wire)
	case portMPLS:
		// Nothing shows that it is MPLS but what it carries, and a stack of few labels.
		h := readMPLS(b, wire)
		if h.verdict == isTunnel && h.next == etherNone || h.verdict == cutTunnel && len(b) >= 4*4 {
			return header{}
		}
		return h
	}
	return header{}
}

// unseen is the header of a datagram of whose payload nothing was captured: that
// of the tunnel that its port stands for, if it is long enough for one with a
// packet in it. Probes of the port are shorter.
func unseen(port uint16, wire int) header {
	const ipv4, ipv6, ethernet = 20, 40, 14
	switch port {
	case portVXLAN, portVXLANOld:
		return cutHeader(TunnelVXLAN, vnHeader+ethernet+ipv4, wire)
	case portVXLANGPE:
		return cutHeader(TunnelVXLANGPE, vnHeader+ipv4, wire)
	case portGeneve:
		return cutHeader(TunnelGeneve, vnHeader+ipv4, wire)
	case portGTP:
		return cutHeader(TunnelGTP, 8+ipv4, wire)
	case portTeredo:
		return cutHeader(TunnelTeredo, ipv6, wire)
	case portMPLS:
		return cutHeader(TunnelMPLS, 4+ipv4, wire)
	case portAYIYA:
		return cutHeader(TunnelAYIYA, 8+16+20+ipv4, wire)
	case portL2TP:
		return cutHeader(TunnelL2TP, 6+1+ipv4, wire)
	}
	return header{}
}

// vnHeader is the length of the headers of VXLAN and Geneve, without the
// options of the latter.
const vnHeader = 8

// readVXLAN reads VXLAN (RFC 7348), with Linux' and Cisco's group policy, and
// VXLAN-GPE. The bits that must be zero tell it from any other datagram.
func readVXLAN(b []byte, wire int) header {
	switch {
	case matches(b, 0xffffffff_000000ff, 0x08000000_00000000),
		matches(b, 0xffb70000_000000ff, 0x88000000_00000000):
		h := header{kind: TunnelVXLAN, verdict: isTunnel, off: vnHeader, next: etherTEB}
		return h.before(14, b, wire)
	case matches(b, 0xfcffff00_000000ff, 0x0c000000_00000000):
		const maintenance = 1
		h := header{kind: TunnelVXLANGPE, verdict: isTunnel, off: vnHeader}
		if len(b) >= vnHeader && b[0]&maintenance == 0 {
			h.next = protocolGPE(b[3])
		}
		return h.before(1, b, wire)
	}
	return header{}
}

// protocolGPE is the ethertype of a next protocol of VXLAN-GPE.
func protocolGPE(next byte) uint16 {
	switch next {
	case 1:
		return etherIPv4
	case 2:
		return etherIPv6
	case 3:
		return etherTEB
	case 4:
		return etherNSH
	case 5:
		return etherMPLS
	}
	return etherNone
}

// before is h where at least need bytes follow it on the wire, and all of it
// was captured.
func (h header) before(need int, b []byte, wire int) header {
	if wire < h.off+need {
		return header{}
	}
	return h.within(b, wire)
}

// readGeneve reads version 0 of RFC 8926.
func readGeneve(b []byte, wire int) header {
	if !matches(b, 0xc03f0000_000000ff, 0) {
		return header{}
	}
	if len(b) < vnHeader {
		return cutHeader(TunnelGeneve, vnHeader+14, wire)
	}
	h := header{
		kind: TunnelGeneve, verdict: isTunnel, next: binary.BigEndian.Uint16(b[2:]),
		off: vnHeader + int(b[0]&0x3f)*4,
	}
	if h.next <= maxLength {
		return header{}
	}
	return h.before(1, b, wire)
}

// readGTP reads a G-PDU of GTP-U (3GPP TS 29.281). What it carries is told by
// its first nibble: nothing else says so.
func readGTP(b []byte, wire int) header {
	const (
		extended = 0x04
		optional = 0x07 // extension, sequence number, N-PDU number
	)
	if !matches(b, 0xf8ff<<48, 0x30ff<<48) {
		return header{}
	}
	h := header{kind: TunnelGTP, verdict: isTunnel, off: 8}
	if len(b) < h.off {
		return cutHeader(TunnelGTP, h.off+20, wire)
	}
	if int(binary.BigEndian.Uint16(b[2:])) > wire-h.off {
		return header{}
	}
	if b[0]&optional != 0 {
		h.off += 4
		if h.off > len(b) {
			return cutHeader(TunnelGTP, h.off, wire)
		}
		if b[0]&extended != 0 {
			h = skipExtensions(h, b, wire)
		}
	}
	switch {
	case h.verdict != isTunnel:
		return h
	case h.off >= len(b):
		return cutHeader(TunnelGTP, h.off+1, wire)
	}
	h.next = ipOrEthernet(b[h.off:], wire-h.off) // 5G carries frames too
	return h
}

// skipExtensions passes over GTP's extension headers: each states its length
// in words of 4 bytes, and ends with the type of the next.
func skipExtensions(h header, b []byte, wire int) header {
	const most = 16
	for range most {
		if b[h.off-1] == 0 {
			return h
		}
		if h.off >= len(b) {
			return cutHeader(h.kind, h.off+4, wire)
		}
		size := int(b[h.off]) * 4
		if size == 0 {
			return header{}
		}
		h.off += size
		if h.off > len(b) {
			return cutHeader(h.kind, h.off, wire)
		}
	}
	return header{}
}

// readTeredo reads the indicators in front of an IPv6 packet (RFC 4380),
// which must then fill the datagram, but for the trailers of RFC 6081.
func readTeredo(b []byte, wire int) header {
	const (
		authentication = 1
		origin         = 0
		ipv6           = 40
	)
	h := header{kind: TunnelTeredo, verdict: isTunnel, next: etherIPv6}
	for _, indicator := range [2]uint16{authentication, origin} {
		if len(b) < h.off+4 {
			return cutHeader(TunnelTeredo, h.off+ipv6, wire)
		}
		if binary.BigEndian.Uint16(b[h.off:]) != indicator {
			continue
		}
		if indicator == authentication {
			h.off += 13 + int(b[h.off+2]) + int(b[h.off+3])
		} else {
			h.off += 8
		}
	}
	rest := wire - h.off
	switch {
	case rest < ipv6:
		return header{}
	case len(b) < h.off+7:
		return cutHeader(TunnelTeredo, h.off+ipv6, wire)
	case b[h.off]>>4 != 6 || int(binary.BigEndian.Uint16(b[h.off+4:])) > rest-ipv6:
		return header{}
	case b[h.off+6] == 59: // a bubble: it opens a door and carries nothing
		h.next = etherNone
	}
	return h
}

// readAYIYA reads the header of draft-massar-v6ops-ayiya, of a packet that is
// to be forwarded.
func readAYIYA(b []byte, wire int) header {
	const forward = 1
	if len(b) < 8 {
		return cutHeader(TunnelAYIYA, 8+16+20, wire)
	}
	identity, signature := b[0]>>4, int(b[1]>>4)*4
	h := header{kind: TunnelAYIYA, verdict: isTunnel, off: 8 + 1<<min(identity, 15) + signature}
	switch {
	case identity > 5 || b[2]&15 != forward:
		return header{}
	case b[3] == protoIPv4:
		h.next = etherIPv4
	case b[3] == protoIPv6:
		h.next = etherIPv6
	default:
		return header{}
	}
	return h.before(20, b, wire)
}

// readL2TP reads a data message of version 2 (RFC 2661); control messages
// carry nothing.
func readL2TP(b []byte, wire int) header {
	const (
		length   = 0x4000
		sequence = 0x0800
		offset   = 0x0200
		fixed    = 0xb4ff // data, version 2, the reserved bits zero
	)
	if !matches(b, fixed<<48, 2<<48) {
		return header{}
	}
	if len(b) < 2 {
		return cutHeader(TunnelL2TP, 6+20, wire)
	}
	flags := binary.BigEndian.Uint16(b)
	h := header{kind: TunnelL2TP, verdict: isTunnel, next: etherPPP, off: 6}
	if flags&length != 0 {
		h.off += 2
		if len(b) >= 4 && int(binary.BigEndian.Uint16(b[2:])) > wire {
			return header{}
		}
	}
	if flags&sequence != 0 {
		h.off += 4
	}
	if flags&offset != 0 {
		h.off += 2
		if len(b) < h.off {
			return cutHeader(TunnelL2TP, h.off, wire)
		}
		h.off += int(binary.BigEndian.Uint16(b[h.off-2:]))
	}
	return h.before(2, b, wire)
}
