package flows

import "encoding/binary"

// settledWays is how many conversations share a bucket. With a slot for each hash,
// 20,000 conversations would drive each other out of a quarter of them.
const settledWays = 4

// settledBuckets buckets make up 64 Ki words of 32 bits, so that the cache stays
// near the processor.
const settledBuckets = 1 << 16 / settledWays

// Settled passes over TCP segments that cannot change any outcome. Once both
// sides of a conversation have sent payload, and each has been heard after the
// other's, a segment without SYN, FIN or RST tells the [Table] nothing more.
//
// The bucket is chosen by 14 bits of a hash of the conversation, and a slot in it
// holds 28 more and four bits of what was seen. A further conversation takes the
// place of the one longest there, so that a lost slot costs time and nothing
// else. [NewSettled] makes one. It belongs to one goroutine.
type Settled struct {
	keys    keys
	buckets [settledBuckets][settledWays]uint32
	// Passed counts the segments passed over.
	Passed uint64
	// Undecoded counts those of them that were passed over by SkipFrame.
	Undecoded uint64
}

// NewSettled makes an empty cache, of 256 KiB. The seed keys its hash function: who
// knows it can have probes of the ends of a conversation passed over.
func NewSettled(seed uint64) *Settled { return &Settled{keys: newKeys(seed)} }

// Bits of a slot, for either direction.
const (
	settledPayload = 1 << 0 // it sent payload
	settledHeard   = 1 << 2 // it was heard after the other's payload
	settledAll     = 0xf
)

// Skip reports whether the table can do without a packet.
func (s *Settled) Skip(p *Packet) bool {
	if p.Kind != KindTCP {
		return false
	}
	if p.SrcPort == ftpControl || p.DstPort == ftpControl {
		return false // what a client orders there matters at any time
	}
	h, side := s.conversation(p)
	slot := s.find(h)
	if p.Flags&(FlagSYN|FlagFIN|FlagRST) != 0 {
		if slot != nil {
			*slot = 0
		}
		return false
	}
	if slot == nil {
		slot = s.room(h)
		*slot = tagOf(h)
	} else if *slot&settledAll == settledAll {
		s.Passed++
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

// find is the slot of a conversation, or nil.
func (s *Settled) find(h uint64) *uint32 {
	b, tag := &s.buckets[h%settledBuckets], tagOf(h)
	for i := range b {
		if b[i]&^settledAll == tag {
			return &b[i]
		}
	}
	return nil
}

// room is a slot for one more conversation.
func (s *Settled) room(h uint64) *uint32 {
	b := &s.buckets[h%settledBuckets]
	for i := range b {
		if b[i] == 0 {
			return &b[i]
		}
	}
	copy(b[1:], b[:settledWays-1])
	return &b[0]
}

// SkipFrame is Skip for an Ethernet frame that has not been decoded. It knows
// only the most ordinary segments (IPv4 without options and not in fragments, IPv6
// without extension headers, at most one VLAN tag) and leaves all others to the
// decoder and Skip.
func (s *Settled) SkipFrame(frame []byte) bool {
	if len(frame) < 14+4+20+14 || frame[0]&1 != 0 {
		return false
	}
	h := (*[52]byte)(frame)
	switch binary.BigEndian.Uint16(h[12:]) {
	case etherIPv4:
		return s.skipIPv4((*[34]byte)(h[14:]))
	case etherIPv6:
		return s.skipIPv6(frame[14:])
	case etherVLAN:
		switch binary.BigEndian.Uint16(h[16:]) {
		case etherIPv4:
			return s.skipIPv4((*[34]byte)(h[18:]))
		case etherIPv6:
			return s.skipIPv6(frame[18:])
		}
	}
	return false
}

func (s *Settled) skipIPv4(ip *[34]byte) bool {
	// Version and length of the header, and of the fragment field all but "do
	// not fragment".
	const first, ordinary = 0xff3f_0000_0000_00ff, 0x45
	word := binary.LittleEndian.Uint64(ip[:])
	if word&first != ordinary || ip[9] != protoTCP || ip[33]&(FlagSYN|FlagFIN|FlagRST) != 0 {
		return false
	}
	if binary.BigEndian.Uint16(ip[2:]) < 40 {
		return false
	}
	a := s.keys.end4(binary.LittleEndian.Uint32(ip[12:]), binary.BigEndian.Uint16(ip[20:]))
	b := s.keys.end4(binary.LittleEndian.Uint32(ip[16:]), binary.BigEndian.Uint16(ip[22:]))
	return s.settled(s.keys.pair(a, b))
}

func (s *Settled) skipIPv6(b []byte) bool {
	if len(b) < 54 {
		return false
	}
	ip := (*[54]byte)(b)
	if ip[0]>>4 != 6 || ip[6] != protoTCP || ip[24] == 0xff || ip[53]&(FlagSYN|FlagFIN|FlagRST) != 0 {
		return false
	}
	if binary.BigEndian.Uint16(ip[4:]) < 20 {
		return false
	}
	from, to := (*[16]byte)(ip[8:]), (*[16]byte)(ip[24:])
	return s.settled(s.keys.pair(s.keys.end(from, binary.BigEndian.Uint16(ip[40:])), s.keys.end(to, binary.BigEndian.Uint16(ip[42:]))))
}

// settled passes over a segment of a conversation that is settled.
func (s *Settled) settled(h uint64) bool {
	b, want := &s.buckets[h%settledBuckets], tagOf(h)|settledAll
	if b[0] != want && b[1] != want && b[2] != want && b[3] != want {
		return false
	}
	s.Passed++
	s.Undecoded++
	return true
}

// tagOf is what a slot keeps of a hash.
func tagOf(h uint64) uint32 { return uint32(h>>32) &^ settledAll }

// conversation hashes the two sockets of a packet alike in both directions,
// and tells which side sent it.
func (s *Settled) conversation(p *Packet) (h uint64, side uint) {
	a, b := s.keys.end(&p.Src, p.SrcPort), s.keys.end(&p.Dst, p.DstPort)
	if a > b {
		side = 1
	}
	return s.keys.pair(a, b), side
}
