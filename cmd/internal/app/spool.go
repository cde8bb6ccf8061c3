package app

import (
	"bytes"
	"io"
	"slices"
)

const (
	// sinkBuffer is how many bytes are written at a time.
	sinkBuffer = 64 << 10
	// maxBacklog bounds what an output keeps, in bytes, until it can be written to again: some two
	// thousand records.
	maxBacklog = 4 << 20
)

// spool holds what is to be written, in order. What could not be written stays.
type spool struct {
	w     io.Writer
	data  []byte
	begun []byte // what was written of a line of which the rest stands in data
}

// Write implements io.Writer. It writes nothing yet.
func (s *spool) Write(p []byte) (int, error) {
	s.data = append(s.data, p...)
	return len(p), nil
}

// Flush writes all that is held, as far as it goes.
func (s *spool) Flush() error {
	if len(s.data) == 0 {
		return nil
	}
	n, err := s.w.Write(s.data)
	written := s.data[:min(n, len(s.data))]
	if end := bytes.LastIndexByte(written, '\n'); end >= 0 {
		s.begun = s.begun[:0]
		written = written[end+1:]
	}
	s.begun = append(s.begun, written...)
	s.data = s.data[:copy(s.data, s.data[min(n, len(s.data)):])]
	if len(s.data) == 0 && cap(s.data) > 2*sinkBuffer {
		s.data = nil // what was kept for long is not needed any more
	}
	return err
}

// restart is for what goes on elsewhere: there a line is written whole of which a part was.
func (s *spool) restart() { s.data, s.begun = s.owed(), nil }

// owed is what is held, from the beginning of a line on.
func (s *spool) owed() []byte { return slices.Concat(s.begun, s.data) }
