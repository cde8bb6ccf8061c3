package capture

import "io"

const (
	// readSize is how much is read at a time, in bytes. Larger reads gain
	// nothing measurable and fall out of the second-level cache.
	readSize = 256 << 10
	// emptyReads is how many reads in a row may bring nothing.
	emptyReads = 100
)

// buffer is a window on a stream. Frames point into it, so it moves its
// contents in fill only, which runs at the start of a Read.
type buffer struct {
	r          io.Reader
	data       []byte
	start, end int   // data[start:end] is unread
	skip       int   // bytes still to come that nobody wants
	off        int64 // offset of data[start] in the stream
	err        error // sticky error of r
}

func (b *buffer) unread() []byte { return b.data[b.start:b.end] }

// advance drops n bytes, which may be more than are there.
func (b *buffer) advance(n int) {
	have := min(n, b.end-b.start)
	b.start += have
	b.off += int64(have)
	b.skip += n - have
}

// fill reads until need bytes are unread and nothing is left to skip. The
// caller has checked need against the bound of its record.
func (b *buffer) fill(need int) error {
	empty := 0
	for b.skip > 0 || b.end-b.start < need {
		if b.err != nil {
			return b.err
		}
		b.room(need)
		// A buffer grown for one long record goes on reading in small steps.
		limit := min(len(b.data), max(readSize, need))
		n, err := b.r.Read(b.data[b.end:limit])
		b.end += n
		b.err = err
		if b.skip > 0 {
			skip := b.skip
			b.skip = 0
			b.advance(skip)
		}
		if empty++; n > 0 {
			empty = 0
		} else if empty == emptyReads && b.err == nil {
			b.err = io.ErrNoProgress
		}
	}
	return nil
}

// room makes place behind end. It at most doubles the buffer, and only once
// the buffer is full: a length that a file claims costs no memory until that
// much data has come.
func (b *buffer) room(need int) {
	if b.start > 0 {
		b.end = copy(b.data, b.data[b.start:b.end])
		b.start = 0
	}
	if b.end < len(b.data) {
		return
	}
	grown := make([]byte, max(readSize, min(2*len(b.data), need)))
	copy(grown, b.data)
	b.data = grown
}
