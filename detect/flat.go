package detect

import (
	"iter"
	"math/bits"
	"slices"
)

// flatChunk is how many entries are allocated at a time, but for the first of a table:
// growing never copies more.
const flatChunk = 1 << 8

// flat is a table of values by key, without pointers, in the order in which they came.
// None is taken out. The zero value is empty.
type flat[K comparable, V any] struct {
	index  index
	chunks [][]flatEntry[K, V]
}

type flatEntry[K comparable, V any] struct {
	value V // first: what takes no room would take a word behind the key
	key   K
}

func (f *flat[K, V]) size() int { return f.index.held }

// find is the value of a key, of which this is the hash, or nil.
func (f *flat[K, V]) find(k *K, hash uint64) *V {
	if f.index.held == 0 {
		return nil
	}
	for n, at := f.index.first(hash); n != none; n, at = f.index.next(hash, at) {
		if e := &f.chunks[n/flatChunk][n%flatChunk]; e.key == *k {
			return &e.value
		}
	}
	return nil
}

// add makes a value for a key that has none. It stays where it is until the next one is made.
func (f *flat[K, V]) add(k *K, hash uint64) *V {
	if f.index.slots == nil {
		f.index = newIndex(1 << 4)
	}
	n := f.index.held
	f.index.add(hash, uint32(n))
	if n%flatChunk == 0 {
		f.chunks = append(f.chunks, make([]flatEntry[K, V], 0, min(max(n, 1<<3), flatChunk)))
	}
	last := &f.chunks[n/flatChunk]
	if len(*last) == cap(*last) {
		grown := make([]flatEntry[K, V], len(*last), 2*len(*last))
		copy(grown, *last)
		*last = grown
	}
	*last = append(*last, flatEntry[K, V]{key: *k})
	return &(*last)[n%flatChunk].value
}

// get is the value of a key, made if there is none.
func (f *flat[K, V]) get(k *K, hash uint64) *V {
	if v := f.find(k, hash); v != nil {
		return v
	}
	return f.add(k, hash)
}

// all visits what is there, in the order in which it came.
func (f *flat[K, V]) all() iter.Seq2[*K, *V] {
	return func(yield func(*K, *V) bool) {
		for _, c := range f.chunks {
			for i := range c {
				if !yield(&c[i].key, &c[i].value) {
					return
				}
			}
		}
	}
}

// hostSet is a set of addresses, by their hash with the word 0.
type hostSet struct {
	flat[[16]byte, struct{}]
}

func (s *hostSet) has(host *[16]byte, hash uint64) bool { return s.find(host, hash) != nil }

// put adds an address, and reports whether it was not there.
func (s *hostSet) put(host *[16]byte, hash uint64) bool {
	if s.has(host, hash) {
		return false
	}
	s.add(host, hash)
	return true
}

// addrs visits the addresses.
func (s *hostSet) addrs() iter.Seq[[16]byte] {
	return func(yield func([16]byte) bool) {
		for h := range s.all() {
			if !yield(*h) {
				return
			}
		}
	}
}

// portsEach is how many ports share a page of a set.
const portsEach = 1 << 10

// portPage is a bit for each of its ports.
type portPage struct {
	number uint16
	bits   [portsEach / 64]uint64
}

// portSet is a set of ports in pages made as they are needed, in order.
type portSet struct {
	pages []*portPage
	size  int
}

// page is where the page of a port is, or belongs.
func (s *portSet) page(port uint16) (at int, ok bool) {
	return slices.BinarySearchFunc(s.pages, port/portsEach, func(p *portPage, n uint16) int { return int(p.number) - int(n) })
}

func (s *portSet) has(port uint16) bool {
	at, ok := s.page(port)
	return ok && s.pages[at].bits[port%portsEach/64]>>(port%64)&1 != 0
}

func (s *portSet) put(port uint16) {
	at, ok := s.page(port)
	if !ok {
		s.pages = slices.Insert(s.pages, at, &portPage{number: port / portsEach})
	}
	word, bit := &s.pages[at].bits[port%portsEach/64], uint64(1)<<(port%64)
	if *word&bit == 0 {
		*word |= bit
		s.size++
	}
}

// all visits the ports in order.
func (s *portSet) all() iter.Seq[uint16] {
	return func(yield func(uint16) bool) {
		for _, p := range s.pages {
			for i, word := range p.bits {
				for ; word != 0; word &= word - 1 {
					if !yield(p.number*portsEach + uint16(64*i+bits.TrailingZeros64(word))) {
						return
					}
				}
			}
		}
	}
}
