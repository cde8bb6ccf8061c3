package flows

import "encoding/binary"

// settledWays is how many conversations share a bucket. With a slot for each hash,
// 20,000 conversations would drive each other out of a quarter of them.
const settledWays = 4

// settledBuckets buckets make up 64 Ki words of 32 bits, and datagramBuckets, for the
// conversations of a [span], 16 Ki, so that the cache stays near the processor.
const (
	settledBuckets  = 1 << 16 / settledWays
	datagramBuckets = 1 << 14 / settledWays
)

// Settled passes over packets that cannot change any outcome.
//
// Once both sides of a TCP conversation have sent payload, and one has been heard after the
// other's, a segment of it without SYN, FIN or RST tells the [Table] nothing more; of the
// side whose SYN was seen to be answered, once both have sent payload. A frame is passed
// over undecoded once that is so of both sides.
//
// Of UDP that is so of a datagram between two sockets of which both have sent one in
// the same four seconds of packet time: the table knows that the conversation is answered,
// and is no more exact where it asks how fresh one is. The datagrams of more than
// four sockets in turn to one port of a host, which the table would take for new
// connections again and again, are passed over as well.
//
// Nothing is passed over that is more than a tenth of a second apart from the latest
// packet that was not, so that the table knows what time it is.
//
// The bucket is chosen by 14 bits of a hash of the conversation, of UDP by 12. A slot in
// it holds of TCP 28 more and four bits of what was seen; of UDP 22 more, eight of the
// time, and which sides have sent. A further conversation takes the place of the one
// longest there, so that a lost slot costs time and nothing else. [NewSettled] makes one.
// It belongs to one goroutine.
type Settled struct {
	keys      keys
	segments  [settledBuckets][settledWays]uint32
	datagrams [datagramBuckets][settledWays]uint32
	latest    int64 // time of the latest packet not passed over
	// Passed counts the packets passed over.
	Passed uint64
	// Undecoded counts those of them that were passed over by SkipFrame.
	Undecoded uint64
}

// NewSettled makes an empty cache, of 320 KiB. The seed keys its hash function: who
// knows it can have probes of the ends of a conversation passed over.
func NewSettled(seed uint64) *Settled { return &Settled{keys: newKeys(seed)} }

// settledLag is how far the table's clock may be behind for want of packets.
const settledLag = 100 * millisecond

// Bits of a slot of TCP, for either direction.
const (
	settledPayload  = 1 << 0 // it sent payload
	settledHeard    = 1 << 2 // it was heard after the other's payload
	settledPayloads = 3      // both sent payload
	settledAll      = 0xf
)

// Bits of a slot of UDP.
const (
	settledSent = 1 << 0 // for either direction: it sent a datagram in that span
	settledBoth = 3
	settledSpan = 0xff << 2
)

// Skip reports whether the table can do without a packet.
func (s *Settled) Skip(p *Packet) bool {
	if (p.Kind == KindTCP && s.skipSegment(p) || p.Kind == KindUDP && s.skipDatagram(p)) && s.timely(p.Time) {
		s.Passed++
		return true
	}
	s.latest = p.Time
	return false
}

// timely reports whether the table can do without the time of a packet.
func (s *Settled) timely(time int64) bool {
	return uint64(time-s.latest+settledLag) <= uint64(2*settledLag)
}

func (s *Settled) skipSegment(p *Packet) bool {
	if p.SrcPort == ftpControl || p.DstPort == ftpControl {
		return false // what a client orders there matters at any time
	}
	h, side := s.conversation(p)
	b, tag := &s.segments[h%settledBuckets], tagOf(h)&^settledAll
	slot := find(b, tag, settledAll)
	switch p.Flags & (FlagSYN | FlagACK | FlagFIN | FlagRST) {
	case 0, FlagACK:
		if slot == nil {
			slot = room(b)
			*slot = tag
		}
		return heard(slot, p, side)
	case FlagFIN, FlagFIN | FlagACK: // matters, and those that follow say no more than before
	case FlagSYN | FlagACK:
		if slot == nil {
			slot = room(b)
		}
		// Who is answered has nothing more to say once its payload is answered too.
		*slot = tag | settledHeard<<(1-side)
	default:
		if slot != nil {
			*slot = 0
		}
	}
	return false
}

// heard reports whether a segment of a side says nothing more, and keeps what it says.
func heard(slot *uint32, p *Packet, side uint) bool {
	if all := uint32(settledPayloads | settledHeard<<side); *slot&all == all {
		return true
	}
	if p.Payload > 0 {
		*slot |= settledPayload << side
	}
	if *slot&(settledPayload<<(1-side)) != 0 {
		*slot |= settledHeard << side
	}
	return false
}

func (s *Settled) skipDatagram(p *Packet) bool {
	if p.Marks&(MarkGroup|MarkCarrier) != 0 || keptPort(p.SrcPort) || keptPort(p.DstPort) {
		return false
	}
	h, side := s.conversation(p)
	b, now := &s.datagrams[h%datagramBuckets], slotIn(h, p.Time)
	slot := find(b, now&^settledSpan, settledSpan|settledBoth)
	switch {
	case slot == nil:
		slot = room(b)
		*slot = now
	case *slot&^settledBoth != now:
		*slot = now
	case *slot&settledBoth == settledBoth:
		return true
	}
	*slot |= settledSent << side
	return false
}

// keptPort reports whether all datagrams from and to a port matter: of tunnels for what
// they carry, of DHCP for what clients wish and servers grant.
func keptPort(port uint16) bool { return port == portLeases || tunnelPort(port) }

// find is the slot of a conversation, or nil. seen are the bits of a slot that are no
// tag's.
func find(b *[settledWays]uint32, tag, seen uint32) *uint32 {
	for i := range b {
		if b[i]&^seen == tag {
			return &b[i]
		}
	}
	return nil
}

// room is a slot for one more conversation.
func room(b *[settledWays]uint32) *uint32 {
	for i := range b {
		if b[i] == 0 {
			return &b[i]
		}
	}
	copy(b[1:], b[:settledWays-1])
	return &b[0]
}

// SkipFrame is Skip for an Ethernet frame, captured at a time, that has not been
// decoded. It knows only the most ordinary packets (IPv4 without options and not in
// fragments, IPv6 without extension headers, at most one VLAN tag) and
// leaves all others to the decoder and Skip.
func (s *Settled) SkipFrame(frame []byte, time int64) bool {
	if len(frame) < 14+4+20+14 || frame[0]&1 != 0 {
		return false
	}
	h := (*[52]byte)(frame)
	switch binary.BigEndian.Uint16(h[12:]) {
	case etherIPv4:
		return s.skipIPv4((*[34]byte)(h[14:]), time)
	case etherIPv6:
		return s.skipIPv6(frame[14:], time)
	case etherVLAN:
		switch binary.BigEndian.Uint16(h[16:]) {
		case etherIPv4:
			return s.skipIPv4((*[34]byte)(h[18:]), time)
		case etherIPv6:
			return s.skipIPv6(frame[18:], time)
		}
	}
	return false
}

func (s *Settled) skipIPv4(ip *[34]byte, time int64) bool {
	// Version and length of the header, and of the fragment field all but "do
	// not fragment".
	const first, ordinary = 0xff3f_0000_0000_00ff, 0x45
	if word := binary.LittleEndian.Uint64(ip[:]); word&first != ordinary {
		return false
	}
	size, proto := binary.BigEndian.Uint16(ip[2:]), ip[9]
	if proto != protoUDP && (proto != protoTCP || ip[33]&(FlagSYN|FlagFIN|FlagRST) != 0 || size < 40) || size < 28 {
		return false
	}
	a := end4(binary.LittleEndian.Uint32(ip[12:]), binary.BigEndian.Uint16(ip[20:]))
	b := end4(binary.LittleEndian.Uint32(ip[16:]), binary.BigEndian.Uint16(ip[22:]))
	return s.settled(s.keys.pair(a, b), proto, time)
}

func (s *Settled) skipIPv6(b []byte, time int64) bool {
	if len(b) < 54 {
		return false
	}
	ip := (*[54]byte)(b)
	size, proto := binary.BigEndian.Uint16(ip[4:]), ip[6]
	if ip[0]>>4 != 6 || ip[24] == 0xff {
		return false
	}
	if proto != protoUDP && (proto != protoTCP || ip[53]&(FlagSYN|FlagFIN|FlagRST) != 0 || size < 20) || size < 8 {
		return false
	}
	from, to := (*[16]byte)(ip[8:]), (*[16]byte)(ip[24:])
	h := s.keys.pair(s.keys.end(from, binary.BigEndian.Uint16(ip[40:])), s.keys.end(to, binary.BigEndian.Uint16(ip[42:])))
	return s.settled(h, proto, time)
}

// settled passes over a packet of a conversation that is settled.
func (s *Settled) settled(h uint64, proto byte, time int64) bool {
	b, want := &s.segments[h%settledBuckets], tagOf(h)|settledAll
	if proto == protoUDP {
		b, want = &s.datagrams[h%datagramBuckets], slotIn(h, time)|settledBoth
	}
	if b[0] != want && b[1] != want && b[2] != want && b[3] != want || !s.timely(time) {
		return false
	}
	s.Passed++
	s.Undecoded++
	return true
}

// tagOf is what a slot keeps of a hash, but for the bits that it keeps other things in.
func tagOf(h uint64) uint32 { return uint32(h >> 32) }

// slotIn is the slot of UDP in the span of a time, before any datagram was seen.
func slotIn(h uint64, time int64) uint32 {
	return tagOf(h)&^(settledSpan|settledBoth) | uint32(uint64(time)/uint64(span))<<2&settledSpan
}

// conversation hashes the two sockets of a packet alike in both directions,
// and tells which side sent it.
func (s *Settled) conversation(p *Packet) (h uint64, side uint) {
	a, b := s.keys.end(&p.Src, p.SrcPort), s.keys.end(&p.Dst, p.DstPort)
	if a > b {
		side = 1
	}
	return s.keys.pair(a, b), side
}
