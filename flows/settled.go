package flows

import "encoding/binary"

// settledSlots is the size of the cache: 64 Ki words of 32 bits, so that it stays
// near the processor.
const settledSlots = 1 << 16

// Settled passes over TCP segments that cannot change any outcome. Once both
// sides of a conversation have sent payload, and each has been heard after the
// other's, a segment without SYN, FIN or RST tells the [Table] nothing more.
//
// The slot is chosen by 16 bits of a hash of the conversation, and holds 28 more
// and four bits of what was seen; another conversation in the slot starts it
// anew, so that a lost slot costs time and nothing else. The zero value is
// ready. It belongs to one goroutine.
type Settled struct {
	slots [settledSlots]uint32
	// Passed counts the segments passed over.
	Passed uint64
	// Undecoded counts those of them that were passed over by SkipFrame.
	Undecoded uint64
}

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
	h, side := conversation(p)
	slot := &s.slots[h%settledSlots]
	if p.Flags&(FlagSYN|FlagFIN|FlagRST) != 0 {
		*slot = 0
		return false
	}
	word, tag := *slot, tagOf(h)
	if word&^settledAll != tag {
		word = tag
	} else if word&settledAll == settledAll {
		s.Passed++
		return true
	}
	if p.Payload > 0 {
		word |= settledPayload << side
	}
	if word&(settledPayload<<(1-side)) != 0 {
		word |= settledHeard << side
	}
	*slot = word
	return false
}

// SkipFrame is Skip for an Ethernet frame that has not been decoded. It knows
// only the most ordinary segments (IPv4 without options and not in fragments, at most one
// VLAN tag) and leaves all others to the decoder and Skip.
func (s *Settled) SkipFrame(frame []byte) bool {
	if len(frame) < 14+4+20+14 || frame[0]&1 != 0 {
		return false
	}
	h := (*[52]byte)(frame)
	ip := (*[34]byte)(h[14:48])
	if h[12] == etherVLAN>>8 && h[13] == 0 {
		if h[16] != etherIPv4>>8 || h[17] != 0 {
			return false
		}
		ip = (*[34]byte)(h[18:52])
	} else if h[12] != etherIPv4>>8 || h[13] != 0 {
		return false
	}
	if ip[0] != 0x45 || ip[9] != protoTCP || ip[6]&0x3f|ip[7] != 0 || ip[33]&(FlagSYN|FlagFIN|FlagRST) != 0 {
		return false
	}
	if binary.BigEndian.Uint16(ip[2:]) < 40 {
		return false
	}
	a := uint64(binary.LittleEndian.Uint32(ip[12:]))<<16 | uint64(binary.BigEndian.Uint16(ip[20:]))
	b := uint64(binary.LittleEndian.Uint32(ip[16:]))<<16 | uint64(binary.BigEndian.Uint16(ip[22:]))
	hash := pair(mix(a^mix0, mix3), mix(b^mix0, mix3))
	if s.slots[hash%settledSlots] != tagOf(hash)|settledAll {
		return false
	}
	s.Passed++
	s.Undecoded++
	return true
}

// tagOf is what a slot keeps of a hash.
func tagOf(h uint64) uint32 { return uint32(h>>32) &^ settledAll }

// pair hashes two sockets, each hashed by itself, alike in either order. Without
// the first hashing, sum and difference would leave open which bits are whose.
func pair(a, b uint64) uint64 { return mix((a+b)^mix0, a^b^mix1) }

// conversation hashes the two sockets of a packet alike in both directions,
// and tells which side sent it.
func conversation(p *Packet) (h uint64, side uint) {
	a, b := socket(&p.Src, p.SrcPort), socket(&p.Dst, p.DstPort)
	if a > b {
		side = 1
	}
	return pair(a, b), side
}

// socket hashes an address and port.
func socket(addr *[16]byte, port uint16) uint64 {
	low, high := binary.LittleEndian.Uint64(addr[8:]), binary.LittleEndian.Uint64(addr[:8])
	if high == 0 {
		return mix((low>>32<<16|uint64(port))^mix0, mix3)
	}
	return mix(low^mix0, high^uint64(port)<<1^mix1)
}
