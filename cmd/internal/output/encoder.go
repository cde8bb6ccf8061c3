// Package output turns what a run finds into bytes: one encoder for each
// format, each a function of the records alone, so that the same records give
// the same bytes.
package output

import (
	"github.com/synoptic-ids/synoptic/detect"
	"github.com/synoptic-ids/synoptic/flows"
)

// Encoder writes records in one format. Calls come one at a time. What an
// encoder has no room for it passes over. Errors are those of the writer
// below.
type Encoder interface {
	// Scan takes a record of a scan: open, update or close.
	Scan(*detect.Scan) error
	// Notice takes a record of what is no scan.
	Notice(*detect.Notice) error
	// Digest takes an account of scans that were withheld.
	Digest(*Digest) error
	// Attempt takes an attempt whose outcome is final.
	Attempt(*flows.Attempt) error
	// Run takes the account of the whole run, after everything else.
	Run(*Run) error
}
