package capture

import (
	"cmp"
	"errors"
	"hash/fnv"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// beginning is how a capture starts. Two captures that start alike are copies,
// one renamed or compressed perhaps.
type beginning struct {
	time int64  // of the first packet
	sum  uint64 // of its bytes and length
}

// found is a file of a directory.
type found struct {
	input
	begins beginning // zero sum: it has no packets yet
}

// noPackets is how a file without packets begins: it comes last.
func noPackets() beginning { return beginning{time: math.MaxInt64} }

// list returns the files of a directory in order of time, and how many it
// passed over because they hold no packets in any format.
func list(dir string, cfg Config) (all []found, foreign uint64, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, 0, err
	}
	var p probe
	for _, entry := range entries {
		in := input{name: filepath.Join(dir, entry.Name()), regular: true, listed: true}
		// Links are followed. One that leads nowhere stays in the list, so that
		// opening it says so.
		if info, err := os.Stat(in.name); err == nil {
			if !info.Mode().IsRegular() {
				continue
			}
			in.size = info.Size()
		}
		begins, err := p.first(in, cfg)
		if format, ok := errors.AsType[*FormatError](err); ok && format.Foreign {
			foreign++
			continue
		}
		all = append(all, found{in, begins})
	}
	inOrder(all)
	return all, foreign, nil
}

// inOrder sorts by time, then by name.
func inOrder(all []found) {
	slices.SortFunc(all, func(a, b found) int {
		return cmp.Or(cmp.Compare(a.begins.time, b.begins.time), compareNames(a.name, b.name))
	})
}

// compareNames orders names as people count: a number in a name goes by its
// value, so that name2 comes before name10, as tcpdump -C writes them.
func compareNames(a, b string) int {
	x, y := a, b
	for x != "" && y != "" {
		m, n := digits(x), digits(y)
		if m == 0 || n == 0 {
			if x[0] != y[0] {
				return cmp.Compare(x[0], y[0])
			}
			x, y = x[1:], y[1:]
			continue
		}
		u, v := strings.TrimLeft(x[:m], "0"), strings.TrimLeft(y[:n], "0")
		if c := cmp.Or(cmp.Compare(len(u), len(v)), cmp.Compare(u, v)); c != 0 {
			return c
		}
		x, y = x[m:], y[n:]
	}
	return cmp.Or(cmp.Compare(len(x), len(y)), cmp.Compare(a, b))
}

// digits is how many digits s starts with.
func digits(s string) int {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return i
		}
	}
	return len(s)
}

// probe finds out how files begin. It keeps its buffer from one to the next.
type probe struct{ scratch []byte }

// first tells how a file begins, or noPackets and why none can be read.
func (p *probe) first(in input, cfg Config) (beginning, error) {
	in.followed = false
	f := newFiles([]input{in}, cfg)
	f.scratch = p.scratch
	defer func() {
		_ = f.Close()
		p.scratch = f.scratch
	}()
	fs := make([]Frame, 1)
	for {
		n, err := f.Read(fs)
		if n > 0 {
			begins := beginning{time: fs[0].Time, sum: sumOf(&fs[0])}
			f.finish()
			return begins, nil
		}
		var bad *DamageError
		if errors.As(err, &bad) && bad.Resumes {
			continue
		}
		if errors.Is(err, io.EOF) {
			err = nil
		}
		return noPackets(), err
	}
}

// sumOf is a hash of a frame, never 0.
func sumOf(f *Frame) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte{byte(f.Len), byte(f.Len >> 8), byte(f.Len >> 16), byte(f.Len >> 24)})
	_, _ = h.Write(f.Data)
	return max(h.Sum64(), 1)
}
