package capture

import (
	"errors"
	"fmt"
	"io"
)

// DamageError says that an input is damaged or ends in the middle of a record.
// All packets before the damage were handed out. It is an account, not the end
// of the [Source]: the next Read continues, with the rest of the input if
// Resumes is true, else with the next input or io.EOF.
type DamageError struct {
	Name    string // the input: a file name, or "-" for standard input
	Offset  int64  // where the bad record starts, in bytes of the uncompressed input
	Packets uint64 // packets of this input that were read before it
	Reason  string // what is wrong there
	Resumes bool   // reading goes on behind the bad record
	Err     error  // the cause, if there is one; io.ErrUnexpectedEOF if truncated
}

// Error implements error.
func (e *DamageError) Error() string {
	if format, ok := errors.AsType[*FormatError](e.Err); ok {
		return format.Error()
	}
	verb := "damaged"
	if errors.Is(e.Err, io.ErrUnexpectedEOF) {
		verb = "truncated"
	}
	noun := "packets"
	if e.Packets == 1 {
		noun = "packet"
	}
	return fmt.Sprintf("%s: %s at offset %d after %d %s: %s", e.Name, verb, e.Offset, e.Packets, noun, e.Reason)
}

// Unwrap returns the cause, which may be nil.
func (e *DamageError) Unwrap() error { return e.Err }

// FormatError says that an input is no capture this package can read.
type FormatError struct {
	Name string // the input: a file name, or "-" for standard input
	What string // what it looks like instead: "plain text", "an empty file"
	Hint string // what to do about it; may be empty
	Err  error  // the cause, if there is one
	// Foreign: it holds no packets in any format, as text, images and programs
	// do, so that it may stand in a directory of captures without being told.
	Foreign bool
}

// Error implements error. The hint is not part of the message.
func (e *FormatError) Error() string {
	return fmt.Sprintf("%s: not a readable capture: %s", e.Name, e.What)
}

// Unwrap returns the cause, which may be nil.
func (e *FormatError) Unwrap() error { return e.Err }

// fault is what a format reader finds wrong; the stream adds name, offset and
// packet count to make a DamageError of it.
type fault struct {
	at      int // offset of the bad record in the bytes being parsed
	reason  string
	err     error
	resumes bool
}
