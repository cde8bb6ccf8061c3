package output

import (
	"bufio"
	"io"

	"github.com/synoptic-ids/synoptic/detect"
)

// Tally keeps what the closing table needs, to write it while a run goes on. Calls come
// one at a time.
type Tally struct{ text Text }

// NewTally makes a tally without scans.
func NewTally() *Tally { return &Tally{Text{open: map[string]int{}}} }

// Scan takes a record of a scan.
func (y *Tally) Scan(s *detect.Scan) { y.text.take(s) }

// Write writes the table of the scans that have closed, and the account of the run so far.
func (y *Tally) Write(w io.Writer, r *Run) error {
	y.text.w = bufio.NewWriter(w)
	y.text.table(r)
	y.text.account(r)
	if n := len(y.text.open); n > 0 {
		y.text.say("%s still open", count(n, "scan"))
	}
	return y.text.w.Flush()
}
