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
// over members or frames that follow each other.
func unpack(br *bufio.Reader, kind string, window uint64) (io.Reader, error) {
	switch kind {
	case "gzip":
		return gzip.NewReader(br)
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
