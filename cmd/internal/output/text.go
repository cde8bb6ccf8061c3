package output

import (
	"bufio"
	"io"

	"github.com/synoptic-ids/synoptic/detect"
	"github.com/synoptic-ids/synoptic/flows"
)

// TextConfig says how text for people is written. The zero value is plain,
// with the closing table.
type TextConfig struct {
	Color bool // with ANSI colours
	Quiet bool // no closing table
	// Verbose also writes updates that only say that a scan or notice has grown, and
	// the rules.
	Verbose bool
}

// Text writes for people: a line as a scan opens, changes and closes, and a
// table at the end.
type Text struct {
	w      *bufio.Writer
	cfg    TextConfig
	begun  bool
	day    int64          // of the first record, in days since 1970
	source int            // width of the column of sources: the widest so far
	what   int            // width of the column of shape and technique, likewise
	open   map[string]int // by id of open scans: the highest rank of verdict said
	closed summary
}

// NewText makes an encoder for people.
func NewText(w io.Writer, cfg TextConfig) *Text {
	return &Text{w: bufio.NewWriter(w), cfg: cfg, source: minSource, what: minWhat, open: map[string]int{}}
}

// The least widths of columns that grow.
const (
	minSource = len("203.0.113.250")
	minWhat   = len("vertical tcp-syn")
)

// Scan implements [Encoder].
func (t *Text) Scan(s *detect.Scan) error {
	t.begin(s.First)
	if s.Phase != detect.Update || t.matters(s) || t.cfg.Verbose {
		t.line(s)
	}
	t.take(s)
	return t.w.Flush()
}

// take notes what later records and the closing table need of a scan.
func (t *Text) take(s *detect.Scan) {
	t.begin(s.First)
	switch s.Phase {
	case detect.Open, detect.Reopen:
		t.open[s.ID] = verdictRank(s.Verdict)
	case detect.Close:
		delete(t.open, s.ID)
		if s.MergedInto == "" {
			t.closed.add(s)
		}
	}
}

// Attempt implements [Encoder]: there are too many of them for people.
func (*Text) Attempt(*flows.Attempt) error { return nil }

// Run implements [Encoder].
func (t *Text) Run(r *Run) error {
	// Where nothing at all could be read, "no scans" would be the wrong thing
	// to say; standard error says why.
	nothing := r.Packets == 0 && len(r.Refused) > 0
	if !t.cfg.Quiet && !nothing {
		t.table(r)
		t.account(r)
	}
	return t.w.Flush()
}
