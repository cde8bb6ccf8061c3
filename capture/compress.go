package capture

import (
	"bufio"
	"bytes"
	"errors"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// packing names the compression that data starting with head is in, "" for
// none. Names of files are not looked at.
func packing(head []byte) string {
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		return "gzip"
	case bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}),
		// A skippable frame: parallel zstd programs start with one.
		len(head) >= 4 && head[0]&0xf0 == 0x50 && bytes.Equal(head[1:4], []byte{0x2a, 0x4d, 0x18}):
		return "zstd"
	case bytes.HasPrefix(head, []byte{0x04, 0x22, 0x4d, 0x18}),
		bytes.HasPrefix(head, []byte{0x02, 0x21, 0x4c, 0x18}):
		return "lz4"
	}
	return ""
}

// unpack undoes the compression that br starts with. All three readers go on
// over members or frames that follow each other, and but for lz4 they return
// what they have before they read on.
func unpack(br *bufio.Reader, kind string, window uint64) (io.Reader, error) {
	switch kind {
	case "gzip":
		return newMembers(br)
	case "zstd":
		// With a concurrency of 1 it decodes in the calling goroutine, so that
		// nothing has to be released when the source is closed.
		return zstd.NewReader(br, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxWindow(window))
	case "lz4":
		r := lz4.NewReader(br)
		return r, r.Apply(lz4.ConcurrencyOption(1))
	}
	return br, nil
}

// members reads the members of a gzip file. The reader of the package does that
// too, but looks for the next member before it returns the end of the one before.
type members struct {
	src *bufio.Reader
	z   *gzip.Reader
}

func newMembers(br *bufio.Reader) (io.Reader, error) {
	z, err := gzip.NewReader(br)
	if err != nil {
		return nil, err
	}
	z.Multistream(false)
	return &members{br, z}, nil
}

// Read implements io.Reader.
func (m *members) Read(p []byte) (int, error) {
	for {
		n, err := m.z.Read(p)
		if !errors.Is(err, io.EOF) {
			return n, err
		}
		if n > 0 {
			return n, nil
		}
		if _, err := m.src.Peek(1); err != nil {
			return 0, err
		}
		if err := m.z.Reset(m.src); err != nil {
			return 0, err
		}
		m.z.Multistream(false)
	}
}

// packError explains why compressed data could not even be started.
func packError(name, kind string, err error) *FormatError {
	e := &FormatError{Name: name, What: kind + " data that cannot be decompressed: " + err.Error(), Err: err}
	switch {
	case errors.Is(err, zstd.ErrWindowSizeExceeded), errors.Is(err, zstd.ErrDecoderSizeExceeded):
		e.What = "zstd data that needs more memory to decompress than is allowed"
		e.Hint = "pipe it through zstd -dc --long=31"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		e.What = kind + " data that is cut off at its start"
	}
	return e
}
