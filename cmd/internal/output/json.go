package output

import (
	"encoding/json"
	"io"

	"github.com/synoptic-ids/synoptic/detect"
	"github.com/synoptic-ids/synoptic/flows"
)

// JSON writes the canonical records, one object a line: scans, notices, and the run at
// the end.
type JSON struct{ w io.Writer }

// NewJSON makes an encoder of canonical records.
func NewJSON(w io.Writer) *JSON { return &JSON{w} }

// Scan implements [Encoder].
func (j *JSON) Scan(s *detect.Scan) error { return writeLine(j.w, s) }

// Notice implements [Encoder].
func (j *JSON) Notice(n *detect.Notice) error { return writeLine(j.w, n) }

// Attempt implements [Encoder]: attempts are no records of this format.
func (j *JSON) Attempt(*flows.Attempt) error { return nil }

// Run implements [Encoder].
func (j *JSON) Run(r *Run) error { return writeLine(j.w, r) }

func writeLine(w io.Writer, record any) error {
	line, err := json.Marshal(record)
	if err != nil {
		return err
	}
	_, err = w.Write(append(line, '\n'))
	return err
}
