package detect

import (
	"bytes"
	"net/netip"
	"slices"

	"github.com/synoptic-ids/synoptic/detect/divide"
	"github.com/synoptic-ids/synoptic/detect/marks"
	"github.com/synoptic-ids/synoptic/flows"
)

// Bounds on sources that are taken together.
const (
	maxCrowds  = 64
	maxMembers = 4096    // of one crowd
	maxSrcs    = 1 << 10 // of one record
	// crowdIdle is for how long sources that had probes in common, and of which no scan
	// came, are remembered.
	crowdIdle = 15 * 60 * second
)

// crowd is a number of sources whose attempts make up one scan.
type crowd struct {
	members []member
	hosts   map[[16]byte]struct{} // of decoys, those to which shared probes went
	scope   divide.Key            // of those who divide them, what their targets have in common
	divides bool
	taken   int       // so many members' past is in the scan
	inc     *incident // nil until a rule fires for one of them
	touched int64     // line clock
}

// member is a source of a crowd.
type member struct {
	addr [16]byte
	acts int // answers upon which it did what only their addressee does
}

// fits reports whether an attempt of a member is the crowd's.
func (c *crowd) fits(a *attempted) bool {
	if c.divides {
		return uint8(a.class) == c.scope.Class && (a.responder == c.scope.Host || c.scope.Host == [16]byte{} && a.port == c.scope.Port)
	}
	_, ok := c.hosts[a.responder]
	return ok
}

// seat is a place among the members of a crowd.
type seat struct {
	*crowd
	n int
}

// crowdSet holds the crowds.
type crowdSet struct {
	keys       hashKeys
	all        []*crowd
	index      map[[16]byte][]seat
	bits       [1 << 8]uint64 // of the hashes of members: nearly all other sources are told apart by it
	companions marks.Companions
	met        []marks.Companion
}

func bitOf(hash uint64) (word uint64, bit uint64) { return hash >> 56, 1 << (hash >> 50 & 63) }

// of are the places of an address in crowds.
func (s *crowdSet) of(addr *[16]byte) []seat { return s.places(addr, s.keys.addr(addr, 0)) }

// places is of, by an address and its hash.
func (s *crowdSet) places(addr *[16]byte, hash uint64) []seat {
	if word, bit := bitOf(hash); s.bits[word]&bit == 0 {
		return nil
	}
	return s.index[*addr]
}

// join makes a source a member of a crowd, and reports whether it had not been one and there
// was room.
func (s *crowdSet) join(c *crowd, addr *[16]byte) bool {
	if len(c.members) >= maxMembers || slices.ContainsFunc(s.of(addr), func(o seat) bool { return o.crowd == c }) {
		return false
	}
	if s.index == nil {
		s.index = map[[16]byte][]seat{}
	}
	s.index[*addr] = append(s.index[*addr], seat{c, len(c.members)})
	c.members = append(c.members, member{addr: *addr})
	word, bit := bitOf(s.keys.addr(addr, 0))
	s.bits[word] |= bit
	return true
}

// add takes a new crowd, in the place of the one without a scan that was longest quiet, or
// reports that there is no room.
func (s *crowdSet) add(c *crowd, now int64) bool {
	for _, o := range slices.Backward(s.all) {
		if o.inc == nil && now-o.touched > crowdIdle {
			s.drop(o)
		}
	}
	if len(s.all) >= maxCrowds {
		var oldest *crowd
		for _, o := range s.all {
			if o.inc == nil && (oldest == nil || o.touched < oldest.touched) {
				oldest = o
			}
		}
		if oldest == nil {
			return false
		}
		s.drop(oldest)
	}
	s.all = append(s.all, c)
	return true
}

// drop forgets a crowd.
func (s *crowdSet) drop(c *crowd) {
	s.all = slices.DeleteFunc(s.all, func(o *crowd) bool { return o == c })
	for i := range c.members {
		addr := c.members[i].addr
		rest := slices.DeleteFunc(s.index[addr], func(o seat) bool { return o.crowd == c })
		if s.index[addr] = rest; len(rest) == 0 {
			delete(s.index, addr)
		}
	}
	clear(s.bits[:])
	for _, o := range s.all {
		for i := range o.members {
			word, bit := bitOf(s.keys.addr(&o.members[i].addr, 0))
			s.bits[word] |= bit
		}
	}
}

// ours reports whether most of the members are at home.
func (c *crowd) ours(home networks) bool {
	n := 0
	for i := range c.members {
		if home.has(&c.members[i].addr) {
			n++
		}
	}
	return 2*n > len(c.members)
}

// describe writes who is behind a scan: of decoys also who most likely is no decoy, the only one
// that acts on answers, once that can be told.
func (c *crowd) describe(sc *Scan) {
	sc.Sources = len(c.members)
	list := make([][16]byte, 0, min(len(c.members), maxSrcs))
	acting, acts := 0, 0
	for i := range c.members {
		m := &c.members[i]
		if len(list) < maxSrcs {
			list = append(list, m.addr)
		}
		if m.acts > 0 {
			acting++
			acts += m.acts
			addr := flows.Addr(m.addr)
			sc.Likely = &addr
		}
	}
	// The answers to the others may be under way still.
	if c.divides || acting != 1 || acts < 2 && sc.Phase != Close || sc.Phase == Open {
		sc.Likely = nil
	}
	slices.SortFunc(list, func(a, b [16]byte) int { return bytes.Compare(a[:], b[:]) })
	sc.Srcs = make([]netip.Addr, len(list))
	for i := range list {
		sc.Srcs[i] = flows.Addr(list[i])
	}
}
