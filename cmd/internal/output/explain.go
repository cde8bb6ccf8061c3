package output

import (
	"bufio"
	"io"

	"github.com/synoptic-ids/synoptic/cmd/internal/explain"
	"github.com/synoptic-ids/synoptic/detect"
	"github.com/synoptic-ids/synoptic/flows"
)

// ExplainConfig says how an explanation is written. The zero value is plain text.
type ExplainConfig struct {
	JSON  bool // one record a line: with All the attempts, then the explanation
	All   bool // every attempt, and everything that is cut short else
	Color bool // with ANSI colours; text only
}

// Explain writes an explanation once the run is over.
type Explain struct {
	w   *bufio.Writer
	c   *explain.Collector
	cfg ExplainConfig
}

// NewExplain makes an encoder of what a collector finds.
func NewExplain(w io.Writer, c *explain.Collector, cfg ExplainConfig) *Explain {
	return &Explain{bufio.NewWriter(w), c, cfg}
}

// Scan implements [Encoder]: the collector takes it.
func (e *Explain) Scan(s *detect.Scan) error {
	e.c.Scan(s)
	return nil
}

// Notice implements [Encoder]: it names nobody.
func (*Explain) Notice(*detect.Notice) error { return nil }

// Attempt implements [Encoder]: the collector has it already.
func (*Explain) Attempt(*flows.Attempt) error { return nil }

// Run implements [Encoder].
func (e *Explain) Run(r *Run) error {
	x := e.c.Explanation()
	if e.cfg.JSON {
		return e.records(&x)
	}
	t := explainText{Text: NewText(e.w, TextConfig{Color: e.cfg.Color}), all: e.cfg.All}
	if r.First != nil {
		t.begun, t.day = true, dayOf(*r.First)
	}
	t.write(&x, e.c)
	t.span(r)
	if err := t.w.Flush(); err != nil {
		return err
	}
	return e.w.Flush()
}

func (e *Explain) records(x *explain.Explanation) error {
	if e.cfg.All {
		err := e.c.Attempts(func(a *flows.Attempt, judged string) error {
			r := AttemptOf(a)
			r.Judged = judged
			return writeLine(e.w, r)
		})
		if err != nil {
			return err
		}
	}
	if err := writeLine(e.w, x); err != nil {
		return err
	}
	return e.w.Flush()
}
