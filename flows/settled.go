package flows

import "encoding/binary"

// settledSlots is the size of the cache: 64 Ki words, 512 KiB.
const settledSlots = 1 << 16

// Settled passes over TCP segments that cannot change any outcome. Once both
// sides of a conversation have sent payload, and each has been heard after the
// other's, a segment without SYN, FIN or RST tells the [Table] nothing more.
//
// Each slot holds 60 bits of a hash of the conversation and four bits; another conversation
// in the slot starts it anew, so that a lost slot costs time and nothing else.
// The zero value is ready. It belongs to one goroutine.
type Settled struct {
	slots [settledSlots]uint64
	// Passed counts the segments passed over.
	Passed uint64
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
	word := *slot
	if word&^settledAll != h&^settledAll {
		word = h &^ settledAll
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

// conversation hashes the two sockets of a packet alike in both directions,
// and tells which side sent it.
func conversation(p *Packet) (h uint64, side uint) {
	a := mix(binary.LittleEndian.Uint64(p.Src[8:])^mix0, binary.LittleEndian.Uint64(p.Src[:8])^uint64(p.SrcPort)^mix1)
	b := mix(binary.LittleEndian.Uint64(p.Dst[8:])^mix0, binary.LittleEndian.Uint64(p.Dst[:8])^uint64(p.DstPort)^mix1)
	if a > b {
		side = 1
	}
	return mix(a+b, a^b^mix2), side
}
