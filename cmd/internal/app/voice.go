package app

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/synoptic-ids/synoptic/cmd/internal/exit"
	"github.com/synoptic-ids/synoptic/cmd/internal/output"
	"github.com/synoptic-ids/synoptic/detect"
)

// Voice speaks to the person at the terminal, on standard error: lower case,
// no final period, each line with the name of the command.
type Voice struct{ w io.Writer }

// NewVoice makes a voice. What it says is lost if w does not take it.
func NewVoice(w io.Writer) *Voice { return &Voice{w} }

// Error says what went wrong, and what to do about it if err knows.
func (v *Voice) Error(err error) {
	var e *exit.Error
	if errors.As(err, &e) && e.Said {
		return
	}
	for line := range strings.SplitSeq(err.Error(), "\n") {
		v.line("error", line)
	}
	if e != nil {
		for _, hint := range e.Hints {
			v.Hint(hint)
		}
	}
}

// Hint says what to do.
func (v *Voice) Hint(text string) { v.line("hint", text) }

// Warning says what is wrong but does not stop the run.
func (v *Voice) Warning(text string) { v.line("warning", text) }

// Expired warns of the entries of an allow-list that cover nothing from a time on.
func (v *Voice) Expired(list []detect.Allowance, from detect.Time) {
	some := false
	for _, entry := range list {
		if entry.Expired(from) {
			some = true
			v.Warning(fmt.Sprintf("the allow-list's entry %s expired after %s, and covers nothing any more", entry.Name, entry.LastDay()))
		}
	}
	if some {
		v.Hint("set its key expires to another day if it was allowed again, or take the entry out")
	}
}

// Inexact hints at what rules cannot count exactly.
func (v *Voice) Inexact(hints []*detect.RuleError) {
	for _, h := range hints {
		v.Hint(h.Error())
	}
}

// Info tells what was asked for with --verbose.
func (v *Voice) Info(text string) { _, _ = fmt.Fprintf(v.w, "synoptic: %s\n", output.Clean(text)) }

// Plain writes lines as they are.
func (v *Voice) Plain(text string) {
	for line := range strings.Lines(text) {
		_, _ = fmt.Fprintln(v.w, output.Clean(strings.TrimSuffix(line, "\n")))
	}
}

func (v *Voice) line(kind, text string) {
	_, _ = fmt.Fprintf(v.w, "synoptic: %s: %s\n", kind, output.Clean(text))
}
