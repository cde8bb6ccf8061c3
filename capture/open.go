package capture

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"os"
)

// Config holds what can be chosen about reading. The zero value is good.
type Config struct {
	// Stdin is read for the name "-". Default: os.Stdin. If it can be closed,
	// Close of the Source closes it.
	Stdin io.Reader
	// ZstdWindow is the largest window in bytes that zstd data may ask for,
	// which is about the memory it costs. Default: 8 MiB, what every level up
	// to 19 needs and every decoder is asked to provide.
	ZstdWindow uint64
}

// defaultZstdWindow is in bytes.
const defaultZstdWindow = 8 << 20

// Open opens one capture: a file, a directory (see [Join]), or "-" for
// standard input. The header of a regular file is read at once; if it is no
// capture, the error is a [*FormatError]. Open does not wait for input: what
// standard input and named pipes hold is found out by the first Read.
func Open(name string, cfg Config) (Source, error) {
	f, err := join([]string{name}, cfg)
	if err != nil {
		return nil, err
	}
	if first := f.inputs[0]; first.regular && !first.listed {
		if err := f.openNext(); err != nil {
			_ = f.Close()
			return nil, err
		}
	}
	return f, nil
}

// NewReader reads a capture, plain or compressed, from r; name stands for it
// in messages. It waits for the header, and returns [*FormatError] if r is no
// capture. If r can be closed, Close of the Source closes it, if need be while
// r is being read; an r that cannot be closed, or does not return from Read
// when it is, costs a goroutine until its Read returns.
func NewReader(r io.Reader, name string, cfg Config) (Source, error) {
	in := input{name: name, r: r}
	if file, ok := r.(*os.File); ok {
		if info, err := file.Stat(); err == nil && info.Mode().IsRegular() {
			in.regular, in.size = true, info.Size()
		}
	}
	f := newFiles([]input{in}, cfg)
	if err := f.openNext(); err != nil {
		return nil, err
	}
	return f, nil
}

// detect finds out the format of a stream that has just been opened.
func (f *files) detect(s *stream) error {
	head, err := s.peek(4)
	if err != nil {
		return err
	}
	if len(head) == 4 {
		switch magic := binary.LittleEndian.Uint32(head); {
		case isPcapMagic(magic), isPcapMagic(bits.ReverseBytes32(magic)):
			return f.detectPcap(s)
		case magic == blockSection:
			return f.detectPcapng(s)
		}
	}
	head, err = s.peek(lookSize)
	if err != nil {
		return err
	}
	if isERF(head) {
		s.format = &erf{reg: &f.reg, tally: &f.tally}
		return nil
	}
	what, hint := looksLike(head)
	if inner := packing(head); inner != "" && s.packing != "" {
		what, hint = fmt.Sprintf("%s data inside %s data", inner, s.packing), "decompress it once before"
	} else if s.packing != "" {
		what += " inside " + s.packing + " data"
	}
	return &FormatError{Name: s.name, What: what, Hint: hint}
}

func (f *files) detectPcap(s *stream) error {
	head, err := s.peek(pcapHeader)
	if err != nil {
		return err
	}
	if len(head) < pcapHeader {
		return cutHeader(s.name, "pcap", len(head), pcapHeader)
	}
	s.format, err = newPcap(head, &f.reg)
	s.buf.advance(pcapHeader)
	return err
}

func (f *files) detectPcapng(s *stream) error {
	head, err := s.peek(sectionHeader)
	if err != nil {
		return err
	}
	if len(head) < sectionHeader {
		return cutHeader(s.name, "pcapng", len(head), sectionHeader)
	}
	p := newPcapng(&f.reg, &f.tally)
	if bad := p.order(head); bad != nil {
		return &FormatError{What: "pcapng that begins with " + bad.reason, Hint: hintOther}
	}
	if err := p.version(head[12:]); err != nil {
		return &FormatError{What: err.Error(), Hint: "convert it with the program that wrote it"}
	}
	s.format = p
	return nil
}

func cutHeader(name, kind string, have, need int) *FormatError {
	return &FormatError{
		Name: name,
		What: fmt.Sprintf("a %s header that is cut off after %d of %d bytes", kind, have, need),
		Hint: "the capture may not have been written yet",
		Err:  io.ErrUnexpectedEOF,
	}
}

// peek returns the next n bytes of the stream, or fewer at its end.
func (s *stream) peek(n int) ([]byte, error) {
	err := s.buf.fill(n)
	head := s.buf.unread()
	switch {
	case err == nil || errors.Is(err, io.EOF):
		return head[:min(n, len(head))], nil
	case errors.Is(err, os.ErrClosed):
		return nil, os.ErrClosed
	case s.packing != "":
		return nil, packError(s.name, s.packing, err)
	}
	return nil, &DamageError{Name: s.name, Reason: err.Error(), Err: err}
}
