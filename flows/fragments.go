package flows

import (
	"encoding/binary"
	"math/bits"
)

const (
	// fragmentWindow is how much of a datagram is kept: the longest TCP
	// header, or an ICMPv6 error with the ports that it quotes.
	fragmentWindow = 64
	fragmentBlock  = 8 // offsets of fragments are multiples of it
	fragmentWays   = 8 // datagrams that share a place in the table

	// fragmentLife is how long, in packet time, fragments wait for each other:
	// as long as with Linux. RFC 8200 section 4.5 says 60 s, other systems 15.
	fragmentLife = 30 * second

	defaultFragments = 4096
	mostFragments    = 1 << 20
)

// fragmentKey tells datagrams apart. Interface and VLAN are not in it: the
// fragments of one may take two ways.
type fragmentKey struct {
	src, dst [16]byte
	id       uint32
	// proto is 0 for IPv6, where only the first fragment's counts: RFC 8200
	// section 4.5.
	proto uint8
	depth uint8 // of tunnels
}

func (k *fragmentKey) hash(by *keys) uint64 {
	s, d := k.src[:], k.dst[:]
	low := mix(binary.LittleEndian.Uint64(s[8:])^by[0], binary.LittleEndian.Uint64(d[8:])^by[1])
	high := mix(binary.LittleEndian.Uint64(s)^by[2], binary.LittleEndian.Uint64(d)^by[3])
	rest := uint64(k.id)<<16 | uint64(k.proto)<<8 | uint64(k.depth)
	return mix(low^rest^by[4], high^by[5])
}

// datagram is the beginning of one that comes in fragments. Where fragments
// overlap and disagree, what came first and what came last are both kept.
type datagram struct {
	key   fragmentKey
	began int64 // packet time of its first fragment
	// window holds the bytes from base on of what is fragmented, once as they
	// came first and once as they came last.
	window [2][fragmentWindow]byte
	total  int32 // length from base on, below 0 while no fragment was the last
	end    int32 // how far fragments have reached, from base on
	base   int32 // length of the extension headers that were taken off
	came   int32 // bytes in all fragments of this datagram, duplicates included
	// given are the readings of which packets were given: the first and the
	// latest of this datagram, and the first of the one before with the same key.
	given [3]reading
	next  uint8 // IP protocol number of what is at base
	// Bit sets, a block of the window each: seen in a fragment of this
	// datagram; left over from one that is whole and had the same key; not the
	// same first and last.
	seen, stale, differ uint8
	headed              bool // its first fragment was seen: next is known
	ended               bool // its last fragment was seen
	told                bool // a packet was given of it, and not only of one before with the same key
	ever                bool // a packet was given
}

// fragments keeps the beginnings of datagrams that come in fragments: in a
// table of fixed size, without pointers, made when it is first needed.
type fragments struct {
	keys keys
	sets []fragmentSet

	joined, overlaid, incomplete, evicted uint64
}

type fragmentSet struct {
	tags [fragmentWays]uint32 // part of the hash; 0 is a free place
	all  [fragmentWays]datagram
}

// newFragments makes a table for n datagrams, or a few more.
func newFragments(n int, seed uint64) *fragments {
	if n <= 0 {
		n = defaultFragments
	}
	n = (min(n, mostFragments) + fragmentWays - 1) / fragmentWays
	return &fragments{keys: newKeys(seed), sets: make([]fragmentSet, n)}
}

// set is where a key belongs, and the tag that it has there.
func (s *fragments) set(k *fragmentKey) (*fragmentSet, uint32) {
	h := k.hash(&s.keys)
	at, _ := bits.Mul64(h, uint64(len(s.sets)))
	return &s.sets[at], uint32(h) | 1
}

// find finds the datagram of a key, or nil where it does not exist or is too
// old to be the same one.
func (s *fragments) find(k *fragmentKey, now int64) *datagram {
	set, tag := s.set(k)
	for i := range set.tags {
		if g := &set.all[i]; set.tags[i] == tag && g.key == *k {
			if g.expired(now) {
				return nil
			}
			return g
		}
	}
	return nil
}

// get is find, but makes the datagram where find has none.
func (s *fragments) get(k *fragmentKey, now int64) *datagram {
	set, tag := s.set(k)
	for i := range set.tags {
		if g := &set.all[i]; set.tags[i] == tag && g.key == *k {
			if g.expired(now) {
				s.leave(g)
				g.begin(k, now)
			}
			return g
		}
	}
	i := s.place(set, now)
	set.tags[i] = tag
	set.all[i].begin(k, now)
	return &set.all[i]
}

// place finds a place in a set: a free one, an expired one, that of the oldest
// datagram of which a packet was given, or that of the oldest.
func (s *fragments) place(set *fragmentSet, now int64) int {
	best := 0
	for i := range set.tags {
		if set.tags[i] == 0 {
			return i
		}
		g, old := &set.all[i], &set.all[best]
		if g.expired(now) {
			s.leave(g)
			return i
		}
		if g.ever && !old.ever || g.ever == old.ever && g.began < old.began {
			best = i
		}
	}
	if !set.all[best].ever {
		s.evicted++
	}
	return best
}

// leave counts a datagram that has waited too long.
func (s *fragments) leave(g *datagram) {
	if !g.ever {
		s.incomplete++
	}
}

// waiting counts the datagrams of which no packet was given yet.
func (s *fragments) waiting() uint64 {
	n := uint64(0)
	for i := range s.sets {
		set := &s.sets[i]
		for j := range set.tags {
			if set.tags[j] != 0 && !set.all[j].ever {
				n++
			}
		}
	}
	return n
}

func (g *datagram) expired(now int64) bool {
	return now-g.began > fragmentLife || g.began-now > fragmentLife
}

func (g *datagram) begin(k *fragmentKey, now int64) {
	*g = datagram{key: *k, began: now, total: -1}
}

// add takes over the payload b of a fragment, wire bytes long on the wire, at
// an offset that is a multiple of a block; last says that no more follow. It
// reports whether that changed anything, and whether it contradicted a
// fragment before.
func (g *datagram) add(at int32, b []byte, wire int32, last bool) (changed, overlaid bool) {
	at -= g.base
	end := at + wire
	g.came += wire
	g.ended = g.ended || last
	if end < 0 {
		return false, false // within headers that were taken off
	}
	g.end = max(g.end, end)
	switch {
	case last && g.total != end:
		g.total, changed = end, true
	case end > g.total: // it belonged to another with the same key, or one of them lies
		changed = g.total >= 0
		g.total = -1
	}
	for ; at < fragmentWindow && len(b) > 0; at += fragmentBlock {
		n := min(fragmentBlock, len(b))
		if at >= 0 && (n == fragmentBlock || last && int(wire) == len(b)) {
			c, o := g.put(at/fragmentBlock, b[:n])
			changed, overlaid = changed || c, overlaid || o
		}
		b, wire = b[n:], wire-int32(n)
	}
	return changed, overlaid
}

// put takes over one block, or the beginning of the datagram's last one.
func (g *datagram) put(k int32, b []byte) (changed, overlaid bool) {
	bit, at := uint8(1)<<k, k*fragmentBlock
	first, last := g.window[0][at:at+fragmentBlock], g.window[1][at:at+fragmentBlock]
	if g.seen&bit == 0 {
		clear(first)
		clear(last)
		copy(first, b)
		copy(last, b)
		g.seen |= bit
		g.stale &^= bit
		g.differ &^= bit
		return true, false
	}
	if string(last[:len(b)]) == string(b) {
		return false, false
	}
	copy(last, b)
	g.differ &^= bit
	if string(first) != string(last) {
		g.differ |= bit
	}
	return true, true
}

// settle notices that the datagram is whole: known for sure of a short one; of
// a long one of which a packet was given it is taken for granted once as many
// bytes came as it has. Its receiver forgets it then, and fragments with the
// same key belong to another: identifiers of 16 bits come round within seconds.
// The bytes stay beneath those of the other, for a fragment that never reached
// the receiver may have made it whole here only.
func (g *datagram) settle() {
	switch {
	case !g.ended || !g.headed:
		return
	case g.total >= 0 && g.total <= fragmentWindow && g.contiguous(g.seen) >= g.total:
	case g.told && g.total >= 0 && g.came-g.base >= g.total:
	default:
		return
	}
	g.restart()
}

// restart makes what there is the leftovers of a datagram before.
func (g *datagram) restart() {
	g.stale, g.seen, g.came = g.stale|g.seen, 0, 0
	g.ended, g.told, g.headed = false, false, g.base > 0
	if g.given[0].mark != 0 {
		g.given = [3]reading{2: g.given[0]}
	}
}

// contiguous is how many bytes there are from the start of the window on.
func (g *datagram) contiguous(blocks uint8) int32 {
	n := int32(bits.TrailingZeros8(^blocks)) * fragmentBlock
	if g.total >= 0 {
		n = min(n, g.total)
	}
	return n
}

// behead takes n bytes of extension headers, in whole blocks, off the window.
func (g *datagram) behead(n int32, next uint8) {
	g.base += n
	g.next = next
	g.end = max(g.end-n, 0)
	if g.total >= 0 {
		g.total = max(g.total-n, 0)
	}
	blocks := n / fragmentBlock
	g.seen, g.stale, g.differ = g.seen>>blocks, g.stale>>blocks, g.differ>>blocks
	for i := range g.window {
		w := g.window[i][:]
		clear(w[copy(w, w[min(n, fragmentWindow):]):])
	}
}

// passExtensions takes extension headers off the window, until a transport
// header is at its start. A long one may end beyond the window.
func (g *datagram) passExtensions() {
	for range maxExtensions {
		b := g.window[0][:g.contiguous(g.seen|g.stale)]
		x := walkExtensions(g.next, b)
		n, next := x.off, x.next
		if rest := b[x.off:]; x.stop == stopShort && next != protoFragment && len(rest) >= 2 {
			n, next = n+x.need, rest[0]
		}
		if n == 0 || n%fragmentBlock != 0 || x.stop == stopFragment || x.stop == stopTooMany {
			return
		}
		g.behead(int32(n), next)
	}
}
