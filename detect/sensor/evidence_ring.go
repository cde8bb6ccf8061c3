package sensor

import "encoding/binary"

// remembered is a packet in the ring.
type remembered struct {
	shot
	at   uint64    // of its data
	prev [2]uint64 // for either address: the packet before with one of the same bucket, plus one
}

// Bytes that a remembered packet takes beside its data, with its share of the index.
const (
	rememberedSize = 112
	headSize       = 8
	usualPacket    = 80 // bytes of data that go with it when both parts of the ring fill evenly
)

// ring holds the packets that came last, in a number of entries and of bytes, numbered in
// the order in which they came. Those of an address are chained from the last to the first, each
// address with the others of its bucket.
type ring struct {
	entries    []remembered
	data       []byte
	tail, head uint64 // the oldest entry, and the one after the newest
	end        uint64 // where the next data go
	heads      []uint64
	seed       uint64
}

// newRing makes a ring of so many bytes.
func newRing(memory int, seed uint64) ring {
	n := max(memory/(rememberedSize+headSize+usualPacket), 64)
	buckets := 64
	for buckets*2 <= n {
		buckets *= 2
	}
	return ring{
		entries: make([]remembered, n), heads: make([]uint64, buckets), seed: seed,
		data: make([]byte, max(memory-n*rememberedSize-buckets*headSize, MostSnapLen)),
	}
}

func (r *ring) of(n uint64) *remembered { return &r.entries[n%uint64(len(r.entries))] }

// bytes are the data of an entry.
func (r *ring) bytes(e *remembered) []byte {
	at := e.at % uint64(len(r.data))
	return r.data[at : at+uint64(e.to-e.from)] //nolint:gosec // to is not below from
}

// place is where data of some length can go without a break.
func (r *ring) place(size int) uint64 {
	room := uint64(len(r.data)) - r.end%uint64(len(r.data))
	if room < uint64(size) { //nolint:gosec // a length
		return r.end + room
	}
	return r.end
}

// full reports whether the oldest entry must go before one with so many bytes comes.
func (r *ring) full(size int) bool {
	if r.head == r.tail {
		return false
	}
	return r.head-r.tail >= uint64(len(r.entries)) ||
		r.place(size)+uint64(size)-r.of(r.tail).at > uint64(len(r.data)) //nolint:gosec // a length
}

// push adds a packet. There is room: see full.
func (r *ring) push(h *shot, data []byte) {
	e := r.of(r.head)
	e.shot, e.at = *h, r.place(len(data))
	r.end = e.at + uint64(len(data))
	copy(r.bytes(e), data)
	for i := range h.pair {
		b := r.bucket(&h.pair[i])
		e.prev[i] = r.heads[b]
		if r.heads[b] == r.head+1 { // of the other address: both have one bucket
			e.prev[i] = e.prev[0]
		}
		r.heads[b] = r.head + 1
	}
	r.head++
}

// visit visits the packets from or to an address from the newest to the oldest.
func (r *ring) visit(addr *[16]byte, do func(n uint64, e *remembered)) {
	b := r.bucket(addr)
	for next := r.heads[b]; next > r.tail; {
		e := r.of(next - 1)
		if e.pair[0] == *addr || e.pair[1] == *addr {
			do(next-1, e)
		}
		if r.bucket(&e.pair[0]) == b {
			next = e.prev[0]
		} else {
			next = e.prev[1]
		}
	}
}

func (r *ring) bucket(addr *[16]byte) uint64 {
	return hashOf(addr, r.seed) & uint64(len(r.heads)-1)
}

// hashOf hashes an address with a key.
func hashOf(addr *[16]byte, key uint64) uint64 {
	return mix(mix(key, binary.LittleEndian.Uint64(addr[:8])), binary.LittleEndian.Uint64(addr[8:]))
}

// mix is a step of SplitMix64.
func mix(h, v uint64) uint64 {
	h += v + 0x9e3779b97f4a7c15
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	return h ^ h>>31
}
