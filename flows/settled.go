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
	a := half(mappedLow|uint64(binary.LittleEndian.Uint32(ip[12:]))<<32, 0, binary.BigEndian.Uint16(ip[20:]))
	b := half(mappedLow|uint64(binary.LittleEndian.Uint32(ip[16:]))<<32, 0, binary.BigEndian.Uint16(ip[22:]))
	hash := mix(a+b, a^b^mix2)
	word := s.slots[hash%settledSlots]
	if word&^settledAll != hash&^settledAll || word&settledAll != settledAll {
		return false
	}
	s.Passed++
	s.Undecoded++
	return true
}

// mappedLow is the beginning of the low half of an IPv4 address in IPv6 form.
const mappedLow = 0xffff0000

// half hashes one socket.
func half(low, high uint64, port uint16) uint64 {
	return mix(low^mix0, high^uint64(port)^mix1)
}

// conversation hashes the two sockets of a packet alike in both directions,
// and tells which side sent it.
func conversation(p *Packet) (h uint64, side uint) {
	a := half(binary.LittleEndian.Uint64(p.Src[8:]), binary.LittleEndian.Uint64(p.Src[:8]), p.SrcPort)
	b := half(binary.LittleEndian.Uint64(p.Dst[8:]), binary.LittleEndian.Uint64(p.Dst[:8]), p.DstPort)
	if a > b {
		side = 1
	}
	return mix(a+b, a^b^mix2), side
}
