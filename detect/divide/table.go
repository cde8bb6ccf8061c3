package divide

import (
	"slices"
	"unsafe"
)

const (
	ways  = 4
	tries = 512 // that are remembered under a key
)

// Bytes is what is taken under a key, when it is needed.
const Bytes = tries * int(unsafe.Sizeof(Try{}))

// Config says what is looked for.
type Config struct {
	// Over is the number of targets that must be exceeded.
	Over int
	// Window is for how long a try counts, in nanoseconds.
	Window int64
	// Keys bounds under how many keys tries are remembered, a power of two from 4 to 65,536; 0
	// means 128.
	Keys int
	// Seed keys the hashes.
	Seed uint64
}

// Key is what the targets of a crowd have in common: a host, or a port.
type Key struct {
	// Host is the host whose ports are tried, or zero: then hosts are, on the port.
	Host  [16]byte
	Port  uint16
	Class uint8 // of targets: those of different classes are different
}

// Try is an attempt that failed.
type Try struct {
	Src, Host [16]byte
	Line      int64 // when, in nanoseconds
	Port      uint16
}

// Finding is a crowd.
type Finding struct {
	// Sources are its members, in order. They are valid until the next call.
	Sources [][16]byte
	// Targets is how many they tried, and Since when the first of them was.
	Targets int
	Since   int64
	// Shared is how many of them tried what another did, and Expected how many would, had each
	// chosen by itself.
	Shared   int
	Expected float64
}

// Table remembers failed tries by key, the latest 512 under each, and forgets the keys with the
// fewest. It belongs to one goroutine.
type Table struct {
	cfg   Config
	keys  keys
	slots []slot
	test  test
}

// New makes a table.
func New(cfg Config) *Table {
	if cfg.Keys == 0 {
		cfg.Keys = 128
	}
	t := &Table{cfg: cfg, keys: newKeys(cfg.Seed), slots: make([]slot, cfg.Keys)}
	t.test.sources.keys, t.test.places.keys = t.keys, t.keys
	return t
}

// slot is what is remembered under a key.
type slot struct {
	key     Key
	ring    []Try
	next, n int
	since   int // tries since the last test
	touched int64
}

// Add notes a try of a source that has tried another target under the same key, and tells whether
// there is a crowd now. vet, if it is not nil, is asked of each member before, and reports whether
// it may be one; it must not use the table.
func (t *Table) Add(k Key, try Try, vet func(src *[16]byte) bool) (Finding, bool) {
	s := t.slot(&k, try.Line)
	if s.ring == nil {
		s.ring = make([]Try, tries)
	}
	s.ring[s.next] = try
	s.next = (s.next + 1) % tries
	s.n = min(s.n+1, tries)
	s.touched = max(s.touched, try.Line)
	if s.since++; s.n <= t.cfg.Over || s.since < s.enough() {
		return Finding{}, false
	}
	s.since = 0
	f, ok := t.test.run(s.ring[:s.n], &k, s.touched-t.cfg.Window, t.cfg.Over, vet)
	if ok {
		s.n, s.next = 0, 0
	}
	return f, ok
}

// enough is how many tries there must be since the last test: the more, the more there is to look
// at.
func (s *slot) enough() int {
	if s.n == tries {
		return tries / 2
	}
	return max(8, s.n/4)
}

// slot finds a key, or gives it the place of the one with the fewest tries in the window.
func (t *Table) slot(k *Key, now int64) *slot {
	set := t.slots[t.keys.hash(&k.Host, uint64(k.Port)<<8|uint64(k.Class))%uint64(len(t.slots)/ways)*ways:][:ways]
	if i := slices.IndexFunc(set, func(s slot) bool { return s.key == *k && s.n > 0 }); i >= 0 {
		return &set[i]
	}
	worst := &set[0]
	for i := range set {
		if set[i].worth(now-t.cfg.Window) < worst.worth(now-t.cfg.Window) {
			worst = &set[i]
		}
	}
	*worst = slot{key: *k, ring: worst.ring, touched: now}
	return worst
}

// worth is how many tries are lost with a slot.
func (s *slot) worth(edge int64) int {
	if s.touched < edge {
		return 0
	}
	return s.n
}
