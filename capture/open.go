package capture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"os"
	"time"
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
	// Follow goes on when the last name has been read to its end, until Close.
	// Read then returns [*Idle] without a time when it begins to wait.
	//
	// A file is read on as it grows. When another file has its name, or it was
	// truncated, that is read from its start once the old one has been read to
	// its end; what a file gains between truncation and the next look is lost if
	// it is then longer than before. Of a directory the last file is read on as
	// it grows until others appear: those that have packets and do not begin with
	// the packet that a file read before began with, for that would be the same
	// file renamed or compressed. A file that grows when later ones have been
	// taken up is told as damaged.
	//
	// A record that is not complete is waited for. A file compressed with gzip or
	// zstd is read as far as its compressor has written out, which is often in
	// large blocks; lz4 is refused.
	// Standard input, pipes, and what is given to [NewReader] are read until they
	// end in any case, and are not followed.
	Follow bool
	// Interval is the time between two looks at what is followed. Default: 250 ms.
	Interval time.Duration

	// wait takes the place of waiting for Interval in tests. It must return when
	// closed is closed.
	wait func(closed <-chan struct{})
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
	if cfg.Follow {
		return f.source(), nil
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
	head, err = f.look(s)
	if err != nil {
		return err
	}
	if isERF(head) {
		s.format = &erf{reg: &f.reg, tally: &f.tally}
		return nil
	}
	if bytes.HasPrefix(head, []byte(snoopMagic)) {
		return f.detectSnoop(s)
	}
	bad := looksLike(head)
	if inner := packing(head); inner != "" && s.packing != "" {
		bad = &FormatError{What: fmt.Sprintf("%s data inside %s data", inner, s.packing), Hint: "decompress it once before"}
	} else if s.packing != "" {
		bad.What += " inside " + s.packing + " data"
	}
	return bad
}

// certain is how many bytes of a file that is still growing, and is not text,
// are waited for before it is said to be no capture.
const certain = 64

// look returns the next bytes, up to lookSize. Of a followed file they are
// those that are there, for a short file may well be complete.
func (f *files) look(s *stream) ([]byte, error) {
	if f.tail == nil || s.packing != "" {
		return s.peek(lookSize)
	}
	head, err := f.lookNow(s)
	if err != nil || len(head) >= certain || looksText(head) {
		return head, err
	}
	if _, err := s.peek(certain); err != nil {
		return nil, err
	}
	return f.lookNow(s)
}

// lookNow is look without waiting.
func (f *files) lookNow(s *stream) ([]byte, error) {
	f.tail.soft = true
	head, err := s.peek(lookSize)
	f.tail.soft = false
	if errors.Is(s.buf.err, io.EOF) {
		s.buf.err = nil // there may be more later
	}
	return head, err
}

func (f *files) detectSnoop(s *stream) error {
	head, err := s.peek(snoopHeader)
	if err != nil {
		return err
	}
	if len(head) < snoopHeader {
		return cutHeader(s.name, "snoop", len(head), snoopHeader)
	}
	s.format, err = newSnoop(head, &f.reg, &f.tally)
	s.buf.advance(snoopHeader)
	return err
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
