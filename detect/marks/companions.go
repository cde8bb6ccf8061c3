package marks

import "bytes"

// How probes of different sources are held against each other.
const (
	// LeastShared is how many probes two sources must have in common to be taken
	// for one that sends under both addresses.
	LeastShared = 4
	// together is how far apart, in nanoseconds, the copies of a probe are sent at
	// most.
	together = int64(1_000_000_000)
	// acquainted is for how long a pair is remembered, in nanoseconds.
	acquainted = 900 * together

	companionSlots = 1 << 12
	companionPairs = 1 << 11
	copiesKept     = 4
)

// Companion is a source that sends the same probes as another.
type Companion struct {
	Src [16]byte
	// Hosts are those to which the first probes that both sent went; the one just
	// looked at may be missing.
	Hosts [LeastShared][16]byte
}

// Companions finds sources under which one sender writes: nmap -D sends each
// probe under every decoy and under its own address. It remembers the latest
// probes and which pairs of sources had some in common, in tables of a fixed size of
// about 500 KiB in which the later takes the place of the earlier. The zero value is
// ready; its memory is taken with the first probe. It belongs to one goroutine.
type Companions struct {
	slots []copies
	pairs []pair
}

// copies is a probe and the sources that it was seen from.
type copies struct {
	key  uint64
	at   int64
	from [copiesKept]sender
	n    uint8
}

// sender is the source of one copy.
type sender struct {
	src [16]byte
	ttl uint8
}

// pair is two sources that had probes in common.
type pair struct {
	a, b   [16]byte // the lower first
	at     int64
	hosts  [LeastShared][16]byte
	n      uint8
	step   int8 // TTL of b less that of a
	varies bool // the step has changed
}

// Add takes a probe sent at a time in nanoseconds, and appends to dst the sources
// seen with the same probe that by now have at least [LeastShared] probes in common
// with its source. A probe that is seen again counts once.
func (c *Companions) Add(p *Probe, at int64, dst []Companion) []Companion {
	if p.Truncated || !p.unmistakable() {
		return dst
	}
	if c.slots == nil {
		c.slots, c.pairs = make([]copies, companionSlots), make([]pair, companionPairs)
	}
	key := p.DecoyKey()
	s := &c.slots[key%companionSlots]
	if s.key != key || at-s.at > together || s.at-at > together {
		s.key, s.at, s.n = key, at, 1
		s.from[0] = sender{p.Src, p.TTL}
		return dst
	}
	for i := range s.from[:s.n] {
		if s.from[i].src == p.Src {
			return dst
		}
	}
	for i := range s.from[:s.n] {
		if m := c.meet(&s.from[i], p, at); m.shared() {
			dst = append(dst, Companion{Src: s.from[i].src, Hosts: m.hosts})
		}
	}
	if int(s.n) < copiesKept {
		s.from[s.n] = sender{p.Src, p.TTL}
		s.n++
	}
	return dst
}

// meet notes that a probe was seen from a second source.
func (c *Companions) meet(first *sender, p *Probe, at int64) *pair {
	a, b, step := first.src, p.Src, int8(p.TTL-first.ttl)
	if bytes.Compare(b[:], a[:]) < 0 {
		a, b, step = b, a, -step
	}
	m := &c.pairs[mixed(&a, mixed(&b, 0))%companionPairs]
	if m.a != a || m.b != b || at-m.at > acquainted {
		if m.n >= LeastShared && at-m.at < together {
			return &pair{} // one that counts is not lost to another
		}
		*m = pair{a: a, b: b, step: step}
	}
	m.varies = m.varies || m.step != step
	m.at = at
	if m.n < LeastShared {
		m.hosts[m.n] = p.Dst
		m.n++
	}
	return m
}

// shared reports whether a pair has enough in common. The same packet captured on
// both sides of a router that translates addresses does too: then the TTLs differ
// always by the same, while nmap draws one for each copy. Without translation, as with
// IPv6 and where the sender sets the TTL, copies have the same.
func (m *pair) shared() bool {
	return m.n >= LeastShared && (m.varies || m.step == 0)
}
