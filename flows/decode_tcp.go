package flows

import "encoding/binary"

// tcpFlagsEnd is how many bytes of a TCP header are needed: ports, sequence
// numbers, data offset and flags. Files cut at 48 bytes still have the SYNs.
const tcpFlagsEnd = 14

func (d *Decoder) tcp(p *Packet, b []byte, wire int) bool {
	if len(b) < tcpFlagsEnd {
		return d.cut(p, tcpFlagsEnd, wire)
	}
	h := (*[tcpFlagsEnd]byte)(b)
	p.Kind = KindTCP
	p.SrcPort = binary.BigEndian.Uint16(h[0:2])
	p.DstPort = binary.BigEndian.Uint16(h[2:4])
	p.Seq = binary.BigEndian.Uint32(h[4:8])
	p.Ack = binary.BigEndian.Uint32(h[8:12])
	p.Flags = h[13]
	header := int(h[12]>>4) * 4
	p.Payload = clamp(wire - max(header, 20))
	if header == 20 {
		p.Marks |= MarkNoOptions
	}
	if len(b) >= 20 && len(b) >= header && header >= 20 {
		p.Window = binary.BigEndian.Uint16(b[14:16])
		if header > 20 {
			p.tcpOptions(b[20:header], false)
		}
		if p.DstPort == ftpControl && wire > header && p.Marks&MarkFragmented == 0 {
			p.readOrder(b[header:min(len(b), wire)])
		}
		return true
	}
	p.brokenTCP(b, header, wire)
	return true
}

// brokenTCP reads what there is of a header that is cut, or whose data offset
// is impossible.
func (p *Packet) brokenTCP(b []byte, header, wire int) {
	if len(b) >= 16 {
		p.Window = binary.BigEndian.Uint16(b[14:16])
	}
	switch {
	case header < 20:
		p.Marks |= MarkMalformed
	case header > wire && p.Marks&MarkFragmented == 0:
		p.Marks |= MarkMalformed
		header = 0 // what would be options may be anything
	}
	if len(b) < 20 || len(b) < header {
		p.Marks |= MarkTruncated
	}
	if header > 20 && len(b) > 20 {
		p.tcpOptions(b[20:], true)
	}
}

// Options that the walk knows.
const (
	optionEnd        = 0
	optionNop        = 1
	optionTimestamps = 8

	// alignedTimestamps is how nearly every data segment of a flow with
	// timestamps begins its options: two NOPs, kind 8, length 10.
	alignedTimestamps = 0x0101080a
)

// alignedHash is the hash of alignedTimestamps alone.
const alignedHash = (((fnvBasis^1)*fnvPrime&0xffffffff^1)*fnvPrime&0xffffffff^8)*fnvPrime&0xffffffff ^ 10

// tcpOptions walks the options o; cut says that the capture ends within them.
func (p *Packet) tcpOptions(o []byte, cut bool) {
	if len(o) == 12 && binary.BigEndian.Uint32(o) == alignedTimestamps && !cut {
		p.Options = alignedHash * fnvPrime & 0xffffffff
		p.EchoedTime = binary.BigEndian.Uint32(o[8:12])
		return
	}
	h := uint32(fnvBasis)
	for len(o) > 0 {
		kind := o[0]
		if kind <= optionNop {
			h = (h ^ uint32(kind)) * fnvPrime
			if kind == optionEnd {
				break
			}
			o = o[1:]
			continue
		}
		if len(o) < 2 || o[1] < 2 || int(o[1]) > len(o) {
			p.Options = p.lastOption(h, o, cut)
			return
		}
		n := o[1]
		h = (h ^ uint32(kind)) * fnvPrime
		h = (h ^ uint32(n)) * fnvPrime
		value := o[2:n]
		o = o[n:]
		if kind == optionTimestamps && n == 10 {
			p.EchoedTime = binary.BigEndian.Uint32(value[4:8])
			continue
		}
		for _, c := range value {
			h = (h ^ uint32(c)) * fnvPrime
		}
	}
	p.Options = h
}

// lastOption settles an option that is not all there, or whose length is
// impossible, and returns the hash h with what there is of it.
func (p *Packet) lastOption(h uint32, o []byte, cut bool) uint32 {
	if !cut || len(o) > 1 && o[1] < 2 {
		p.Marks |= MarkMalformed
		return h
	}
	if o[0] == optionTimestamps && len(o) > 1 && o[1] == 10 {
		o = o[:2]
	}
	return fnv1a(h, o)
}
