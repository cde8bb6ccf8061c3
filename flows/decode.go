package flows

// Meta is what the capture says of a frame.
type Meta struct {
	Time  int64  // nanoseconds since 1970
	Iface uint32 // as in capture.Frame
	Len   uint32 // bytes on the wire; where it is below the captured length, that counts
	Link  uint16 // LINKTYPE number of the frame
}

// Decoder reads the headers of frames into [Packet] values. The zero value is
// ready for use. A Decoder belongs to one goroutine, its Stats method included.
//
// Checksums are not verified: a host that captures what it sends sees them
// before its network card fills them in. So a probe with a wrong one, which its
// target drops, counts as any other.
type Decoder struct {
	frames, packets      uint64
	truncated, malformed uint64
	marked               markCounts
	ethertypes, links    tally
	encrypted, badFCS    uint64
	unread               uint64
	nesting              uint8 // frames, and tags other than VLAN's, around what is being read

	tunnel tunnelState

	fragments    *fragments // nil until one is seen that has to be kept
	maxFragments int
	seed         uint64
	second       Packet // what overlapping fragments may say as well
	twice        bool   // second is that of the frame at hand
	doubled      uint64
}

// Append decodes one frame and appends what it holds to dst: one packet, or
// none where the frame carries neither IP nor ARP, or is cut or broken before
// the fields that say who talks to whom. Of a frame with tunnels it is the
// packet that [DecoderConfig] asks for, or both; of a fragment it is two where
// fragments overlap and can be read in two ways. What was left out is counted, see
// [Decoder.Stats]. It keeps no reference to data and allocates only where dst
// has to grow.
func (d *Decoder) Append(dst []Packet, data []byte, m Meta) []Packet {
	n := len(dst)
	if n == cap(dst) {
		dst = append(dst, Packet{})
	} else {
		dst = dst[:n+1]
		dst[n] = Packet{} // the slot may hold a packet of an earlier batch
	}
	p := &dst[n]
	p.Time, p.Iface = m.Time, m.Iface
	d.frames++
	var ok bool
	if wire := max(len(data), int(m.Len)); m.Link == linkEthernet {
		ok = d.ethernet(p, data, wire)
	} else {
		ok = d.link(p, data, wire, m.Link)
	}
	if !ok {
		return dst[:n]
	}
	d.packets++
	if p.Marks&countedMarks != 0 {
		if p.Marks&(MarkTunnel|MarkCarrier) != 0 {
			dst = d.surfaced(dst, n)
		} else {
			d.marked.add(p.Marks)
		}
		if d.twice {
			dst = d.again(dst)
		}
	}
	return dst
}

// cut settles a packet that has fewer than need bytes of a header. wire is how
// many there were on the wire. It reports whether p is to be kept: only as a
// fragment, when the rest of the header is in the next one.
//
//go:noinline
func (d *Decoder) cut(p *Packet, need, wire int) bool {
	switch {
	case wire >= need:
		d.truncated++
		return false
	case p.Marks&MarkFragmented != 0:
		p.Code = 0
		return d.laterFragment(p, wire)
	}
	d.malformed++
	return false
}

// clamp turns a length into what [Packet.Payload] holds.
func clamp(n int) uint16 {
	return uint16(min(max(n, 0), 0xffff))
}

const (
	fnvBasis = 2166136261
	fnvPrime = 16777619
)

// fnv1a goes on with the 32-bit FNV-1a hash h over b.
func fnv1a(h uint32, b []byte) uint32 {
	for _, c := range b {
		h = (h ^ uint32(c)) * fnvPrime
	}
	return h
}
