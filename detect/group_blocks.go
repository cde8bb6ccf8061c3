package detect

import "math/bits"

const (
	blockChunk   = 1 << 12 // elements allocated at a time
	blockLeast   = 4       // elements of the smallest block
	blockLargest = 1 << 17
)

// blocks holds the elements of groups that have more than one: in blocks of 4, 8, 16
// and so on.
type blocks struct {
	chunks [][]element
	next   int          // first element of the latest chunk that is in no block
	spare  [18][]uint32 // by the logarithm of their size
	made   int          // elements in all blocks
	max    int
	short  bool // there was none
}

// list is what a group holds, with room for a value more up to want, or as much as
// there is.
func (s *blocks) list(g *group, value uint64, want int) recent {
	if g.room == 0 {
		if g.size == 0 || g.one[0].value == value {
			return g.one[:g.size]
		}
	}
	if n := max(g.room, 1); g.size >= n && int(n) < want {
		s.widen(g)
	}
	return s.held(g)
}

// held is what a group holds.
func (s *blocks) held(g *group) recent {
	if g.room == 0 {
		return g.one[:g.size]
	}
	return s.at(g.place)[:g.size:g.room]
}

func (s *blocks) at(place uint32) []element {
	return s.chunks[place/blockChunk][place%blockChunk:]
}

// widen gives a group a block of twice the size, if there is one.
func (s *blocks) widen(g *group) {
	room := max(2*g.room, blockLeast)
	place, ok := s.take(room)
	if !ok {
		return
	}
	copy(s.at(place), s.held(g))
	s.free(g)
	g.place, g.room = place, room
}

// take finds a block of a size.
func (s *blocks) take(room uint32) (place uint32, ok bool) {
	spare := &s.spare[bits.Len32(room)-1]
	if n := len(*spare); n > 0 {
		place = (*spare)[n-1]
		*spare = (*spare)[:n-1]
		return place, true
	}
	if s.made+int(room) > s.max {
		s.short = true
		return 0, false
	}
	s.made += int(room)
	if len(s.chunks) == 0 || s.next+int(room) > len(s.chunks[len(s.chunks)-1]) {
		s.chunks = append(s.chunks, make([]element, max(blockChunk, room)))
		s.next = 0
	}
	place = uint32((len(s.chunks)-1)*blockChunk + s.next)
	s.next += int(room)
	return place, true
}

// free takes a group's block from it.
func (s *blocks) free(g *group) {
	if g.room > 0 {
		n := bits.Len32(g.room) - 1
		s.spare[n] = append(s.spare[n], g.place)
		g.room = 0
	}
}
