package capture

import (
	"io"
	"os"
	"sync/atomic"
)

// raw reads an input as it is stored, counts the bytes, and lets Close wake a
// read that blocks.
type raw struct {
	r      io.Reader
	direct bool // reads of r never block for long
	count  *atomic.Int64
	closed <-chan struct{}
	result chan readResult
}

type readResult struct {
	n   int
	err error
}

func newRaw(r io.Reader, direct bool, count *atomic.Int64, closed <-chan struct{}) *raw {
	return &raw{r: r, direct: direct, count: count, closed: closed, result: make(chan readResult, 1)}
}

// Read implements io.Reader. When the source is closed it returns
// os.ErrClosed, though a read of r may still be under way: neither closing a
// terminal nor an inherited pipe wakes one. What that read brings is lost.
func (r *raw) Read(p []byte) (int, error) {
	select {
	case <-r.closed:
		return 0, os.ErrClosed
	default:
	}
	var got readResult
	if r.direct {
		got.n, got.err = r.r.Read(p)
	} else {
		go r.readInto(p)
		select {
		case <-r.closed:
			return 0, os.ErrClosed
		case got = <-r.result:
		}
	}
	r.count.Add(int64(got.n))
	return got.n, got.err
}

func (r *raw) readInto(p []byte) {
	n, err := r.r.Read(p)
	r.result <- readResult{n, err}
}
