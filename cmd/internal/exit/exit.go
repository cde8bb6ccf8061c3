// Package exit holds the exit codes of the command, and errors that know
// theirs.
package exit

import "errors"

// Code is an exit code of the command.
type Code int

// The exit codes.
const (
	Done    Code = 0 // everything was read
	Failed  Code = 1 // something could not be read or written
	Usage   Code = 2 // the command line or a configuration is wrong
	Found   Code = 3 // scans of the severity asked for were found
	Differs Code = 4 // the scans are not those expected
)

// Error is an error with an exit code and advice.
type Error struct {
	Code  Code
	Err   error
	Hints []string // what to do about it, a line each
	// Said means that everything there is to say was printed already.
	Said bool
}

// Error implements error. The hints are not part of the message.
func (e *Error) Error() string {
	if e.Err == nil {
		return ""
	}
	return e.Err.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// With makes an error with a code and hints.
func With(code Code, err error, hints ...string) *Error {
	return &Error{Code: code, Err: err, Hints: hints}
}

// Silent makes an error that only sets the exit code.
func Silent(code Code) *Error { return &Error{Code: code, Said: true} }

// CodeOf is the exit code for an error: Done for nil, Failed for errors that
// are none of this package.
func CodeOf(err error) Code {
	var e *Error
	switch {
	case err == nil:
		return Done
	case errors.As(err, &e):
		return e.Code
	default:
		return Failed
	}
}
