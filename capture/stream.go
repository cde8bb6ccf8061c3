package capture

import (
	"errors"
	"fmt"
	"io"
)

// stream is one input being read.
type stream struct {
	name    string
	packing string // the compression that was undone, "" for none
	buf     buffer
	format  format
	packets uint64
	pending error // to be returned before anything else is read
	ended   bool
	from    io.Reader // what may wait for somebody to write; nil: nothing does
	unsaid  bool      // frames were handed out since Read last returned Idle
}

// read fills fs. Frames and errors never come together; io.EOF comes after
// everything else. What waits for somebody to write is Idle first.
func (s *stream) read(fs []Frame) (int, error) {
	for {
		if err := s.pending; err != nil {
			s.pending = nil
			return 0, err
		}
		if s.ended {
			return 0, io.EOF
		}
		at := s.buf.off
		n, used, need, bad := s.format.parse(s.buf.unread(), fs)
		s.buf.advance(used)
		s.packets += uint64(n)
		if bad != nil {
			s.ended = !bad.resumes
			s.pending = &DamageError{
				Name: s.name, Offset: at + int64(bad.at), Packets: s.packets,
				Reason: bad.reason, Resumes: bad.resumes, Err: bad.err,
			}
		}
		switch {
		case n > 0:
			s.unsaid = true
			return n, nil
		case bad != nil:
			continue
		case s.unsaid && s.from != nil && wouldWait(s.from):
			s.unsaid = false
			return 0, &Idle{}
		}
		if err := s.buf.fill(need); err != nil {
			s.ended = true
			s.pending = s.ending(err, need)
		}
	}
}

// ending turns the error that stopped the input into what Read says of it.
func (s *stream) ending(err error, need int) error {
	have, skip := len(s.buf.unread()), s.buf.skip
	if errors.Is(err, io.EOF) && have == 0 && skip == 0 {
		return io.EOF
	}
	d := &DamageError{Name: s.name, Offset: s.buf.off, Packets: s.packets, Err: err, Reason: err.Error()}
	switch {
	case s.packing != "" && errors.Is(err, io.ErrUnexpectedEOF):
		d.Reason = "the " + s.packing + " data breaks off"
		return d
	case !errors.Is(err, io.EOF):
		return d
	}
	d.Err = io.ErrUnexpectedEOF
	d.Reason = fmt.Sprintf("%d of the %d bytes that come next are there", have, need)
	if skip > 0 {
		d.Reason = fmt.Sprintf("the last %d bytes of a block are missing", skip)
	}
	return d
}
