package flows

import "encoding/binary"

// wifiHint is what a capture says of an 802.11 frame beside it.
type wifiHint uint8

const (
	wifiFCS    wifiHint = 1 << iota // the frame check sequence is part of the frame
	wifiPadded                      // the header is padded to a multiple of four bytes
	wifiBad                         // the frame check sequence is wrong
)

// Bits of the second byte of the frame control field.
const (
	wifiToDS      = 0x01
	wifiFromDS    = 0x02
	wifiProtected = 0x40
	wifiOrder     = 0x80
)

// wifi reads an 802.11 frame. Only data frames carry packets; what is encrypted, or
// was received with errors, is counted.
func (d *Decoder) wifi(p *Packet, b []byte, wire int, hint wifiHint) bool {
	if hint&wifiFCS != 0 {
		b, wire = shorten(b, wire, max(wire-4, 0))
	}
	if hint&wifiBad != 0 {
		d.badFCS++
		return false
	}
	if len(b) < 2 {
		return d.cut(p, 2, wire)
	}
	const data, empty, qos = 0x08, 0x40, 0x80
	kind, flags := b[0], b[1]
	if kind&0x0f != data || kind&empty != 0 {
		return d.noIP(etherNone)
	}
	header := 24
	if flags&(wifiToDS|wifiFromDS) == wifiToDS|wifiFromDS {
		header += 6
	}
	if kind&qos != 0 {
		header += 2
		if flags&wifiOrder != 0 {
			header += 4 // high throughput control
		}
	}
	if hint&wifiPadded != 0 {
		header = (header + 3) &^ 3
	}
	if len(b) < header {
		return d.cut(p, header, wire)
	}
	if b[22]&0xf != 0 { // a later fragment of a frame
		return d.noIP(etherNone)
	}
	d.wifiAddresses(p, b, flags)
	h, body := b[:header], b[header:]
	if kind&qos == 0 {
		return d.wifiBody(p, body, wire-header, flags)
	}
	return d.wifiQoS(p, h, body, wire-header)
}

// wifiAddresses takes source and destination out of a header of at least 24
// bytes, 30 with both flags: where they stand depends on who relays.
func (d *Decoder) wifiAddresses(p *Packet, h []byte, flags byte) {
	dst, src := h[4:], h[10:]
	switch flags & (wifiToDS | wifiFromDS) {
	case wifiToDS:
		dst = h[16:]
	case wifiFromDS:
		src = h[16:]
	case wifiToDS | wifiFromDS:
		dst, src = h[16:], h[24:]
	}
	p.SrcMAC = [6]byte(src)
	if dst[0]&1 != 0 {
		p.Marks |= MarkGroup
	}
}

// wifiQoS reads the body of a frame whose header h has a QoS control field.
func (d *Decoder) wifiQoS(p *Packet, h, body []byte, wire int) bool {
	const several, mesh = 0x80, 0x01
	at, both := 24, h[1]&(wifiToDS|wifiFromDS) == wifiToDS|wifiFromDS
	if both {
		at = 30
	}
	switch {
	case h[at]&several != 0:
		return d.aggregate(p, body, wire, h[1])
	case both && h[at+1]&mesh != 0 && h[1]&wifiProtected == 0 && !snapAt(body, 0):
		// Mesh control: flags, hops, a sequence number, up to two more addresses.
		if len(body) < 1 {
			return d.cut(p, 1, wire)
		}
		size := 6 + 6*int(min(body[0]&3, 2))
		if len(body) < size {
			return d.cut(p, size, wire)
		}
		body, wire = body[size:], wire-size
	}
	return d.wifiBody(p, body, wire, h[1])
}

// wifiBody reads the body of a frame that is a single one. Receivers that
// decrypt leave the flag in place, and some the initialisation vector.
func (d *Decoder) wifiBody(p *Packet, b []byte, wire int, flags byte) bool {
	switch {
	case flags&wifiProtected == 0 || snapAt(b, 0):
		return d.llc(p, b, wire)
	case snapAt(b, 8):
		return d.llc(p, b[8:], wire-8)
	}
	return d.sealed()
}

// sealed counts an encrypted frame, unless it is one inside a packet: then it
// is that packet's to count.
func (d *Decoder) sealed() bool {
	if d.tunnel.carried == 0 {
		d.encrypted++
	}
	return false
}

// snapAt reports whether a SNAP header without organisation is at b[at:]. In
// encrypted bytes that is one in 2^48.
func snapAt(b []byte, at int) bool {
	return len(b) >= at+8 && binary.BigEndian.Uint64(b[at:])>>16 == 0xaaaa03000000
}

// aggregate reads the first of the frames that an A-MSDU holds, and counts the
// others.
func (d *Decoder) aggregate(p *Packet, b []byte, wire int, flags byte) bool {
	const header = 14
	if flags&wifiProtected != 0 && !snapAt(b, header) {
		return d.sealed()
	}
	if len(b) < header {
		return d.cut(p, header, wire)
	}
	p.SrcMAC = [6]byte(b[6:12])
	p.Marks &^= MarkGroup
	if b[0]&1 != 0 {
		p.Marks |= MarkGroup
	}
	size := int(binary.BigEndian.Uint16(b[12:]))
	for at := (header + size + 3) &^ 3; at+header <= len(b); {
		d.unread++
		at = (at + header + int(binary.BigEndian.Uint16(b[at+12:])) + 3) &^ 3
	}
	b, wire = shorten(b[header:], wire-header, size)
	return d.llc(p, b, wire)
}
