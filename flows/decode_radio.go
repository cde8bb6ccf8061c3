package flows

import "encoding/binary"

// radiotap reads the header that most Wi-Fi captures have before the frame.
func (d *Decoder) radiotap(p *Packet, b []byte, wire int) bool {
	if len(b) < 8 {
		return d.cut(p, 8, wire)
	}
	if b[0] != 0 { // a version that does not exist yet
		return d.noIP(etherNone)
	}
	size := int(binary.LittleEndian.Uint16(b[2:]))
	if len(b) < size {
		return d.cut(p, size, wire)
	}
	hint, ok := radiotapHint(b[:size])
	if !ok {
		d.malformed++
		return false
	}
	return d.wifi(p, b[size:], wire-size, hint)
}

// radiotapHint takes the flags out of a whole radiotap header. They are the
// first field but for the timestamp, which is aligned to 8 bytes; any number of
// words before them say which fields there are.
func radiotapHint(h []byte) (hint wifiHint, ok bool) {
	const (
		timestamp, flags, another   = 1 << 0, 1 << 1, 1 << 31
		fcs, padded, bad, extension = 0x10, 0x20, 0x40, 4
	)
	at := 4
	for {
		if len(h) < at+extension {
			return 0, false
		}
		at += extension
		if binary.LittleEndian.Uint32(h[at-extension:])&another == 0 {
			break
		}
	}
	present := binary.LittleEndian.Uint32(h[4:])
	if present&flags == 0 {
		return 0, true
	}
	if present&timestamp != 0 {
		at = (at+7)&^7 + 8
	}
	if len(h) <= at {
		return 0, false
	}
	if h[at]&fcs != 0 {
		hint |= wifiFCS
	}
	if h[at]&padded != 0 {
		hint |= wifiPadded
	}
	if h[at]&bad != 0 {
		hint |= wifiBad
	}
	return hint, true
}

// prism reads the header of Prism and AVS captures. Link type 119 has either,
// and the first in the byte order of the capturing host.
func (d *Decoder) prism(p *Packet, b []byte, wire int, link uint16) bool {
	if len(b) < 8 {
		return d.cut(p, 8, wire)
	}
	code, size := binary.BigEndian.Uint32(b), int64(binary.BigEndian.Uint32(b[4:]))
	avs := code&0xfffff000 == 0x80211000
	if !avs && link == linkPrism && code > 0xffff {
		size = int64(binary.LittleEndian.Uint32(b[4:]))
	}
	if !avs && link == linkAVS || size < 8 || size > int64(wire) {
		d.malformed++
		return false
	}
	if int64(len(b)) < size {
		return d.cut(p, int(size), wire)
	}
	return d.wifi(p, b[size:], wire-int(size), 0)
}

// ppi reads the header of "per-packet information", which names the link type
// of what follows.
func (d *Decoder) ppi(p *Packet, b []byte, wire int) bool {
	if len(b) < 8 {
		return d.cut(p, 8, wire)
	}
	size, link := int(binary.LittleEndian.Uint16(b[2:])), binary.LittleEndian.Uint32(b[4:])
	if size < 8 {
		d.malformed++
		return false
	}
	if len(b) < size {
		return d.cut(p, size, wire)
	}
	fields := b[8:size]
	b, wire = b[size:], wire-size
	if link == linkWiFi {
		return d.wifi(p, b, wire, ppiHint(fields))
	}
	return d.inner(p, b, wire, link, linkPPI)
}

// ppiHint looks for the flags of 802.11 among the fields of a PPI header.
func ppiHint(b []byte) wifiHint {
	const common, fcs, bad = 2, 1, 4
	for len(b) >= 4 {
		kind, size := binary.LittleEndian.Uint16(b), int(binary.LittleEndian.Uint16(b[2:]))
		b = b[4:]
		if size > len(b) {
			break
		}
		if kind == common && size >= 10 {
			var hint wifiHint
			flags := b[8]
			if flags&fcs != 0 {
				hint |= wifiFCS
			}
			if flags&bad != 0 {
				hint |= wifiBad
			}
			return hint
		}
		b = b[size:]
	}
	return 0
}

// inner reads a frame whose link type is stated by a header of the link type
// outer.
func (d *Decoder) inner(p *Packet, b []byte, wire int, link uint32, outer uint16) bool {
	if link > 0xffff || !d.deeper() {
		d.links.add(outer)
		return false
	}
	var ok bool
	if link == linkEthernet {
		ok = d.ethernet(p, b, wire)
	} else {
		ok = d.link(p, b, wire, uint16(link))
	}
	d.nesting--
	return ok
}
