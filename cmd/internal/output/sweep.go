package output

import (
	"bufio"
	"fmt"
	"io"
	"net/netip"
	"strings"

	"github.com/synoptic-ids/synoptic/cmd/internal/explain"
	"github.com/synoptic-ids/synoptic/detect"
	"github.com/synoptic-ids/synoptic/flows"
)

// Sweep writes what other thresholds would find, once the run is over.
type Sweep struct {
	w    *bufio.Writer
	s    *explain.Sweep
	json bool
}

// NewSweep makes an encoder of what a sweep finds: text for people, or one record.
func NewSweep(w io.Writer, s *explain.Sweep, json bool) *Sweep {
	return &Sweep{bufio.NewWriter(w), s, json}
}

// Scan implements [Encoder]: the sweep takes it.
func (e *Sweep) Scan(s *detect.Scan) error {
	e.s.Scan(s)
	return nil
}

// Notice implements [Encoder]: it names nobody.
func (*Sweep) Notice(*detect.Notice) error { return nil }

// Attempt implements [Encoder]: the sweep has its events already.
func (*Sweep) Attempt(*flows.Attempt) error { return nil }

// Run implements [Encoder].
func (e *Sweep) Run(r *Run) error {
	swept := e.s.Finish()
	if e.json {
		if err := writeLine(e.w, &swept); err != nil {
			return err
		}
		return e.w.Flush()
	}
	t := &sweepText{w: e.w}
	t.write(&swept)
	t.say("\nread %s of %s%s", count(r.Packets, "packet"), inputs(r.Inputs), span(r.First, r.Last))
	return e.w.Flush()
}

// sweepText writes a sweep as a table: a line for each rule, and below it who would
// come or go.
type sweepText struct{ w *bufio.Writer }

func (t *sweepText) say(format string, args ...any) {
	_, _ = fmt.Fprintf(t.w, format+"\n", args...)
}

// sweepRule and sweepCell are the widths of the columns: 80 together.
const (
	sweepRule = 24
	sweepCell = 8
)

func (t *sweepText) write(s *explain.Swept) {
	t.say("%s of %s as the rules are; with one threshold changed there would be:\n", count(s.Scans, "scan"), count(s.Sources, "source"))
	var line strings.Builder
	line.WriteString(pad("RULE, FIRES AT: SCANS", sweepRule))
	for _, f := range explain.Factors() {
		head := fmt.Sprintf("x%g", f)
		if f == 1 {
			head = "now"
		}
		line.WriteString(pad(head, sweepCell))
	}
	t.say("%s", strings.TrimRight(line.String(), " "))
	for i := range s.Rules {
		t.row(&s.Rules[i])
	}
}

func (t *sweepText) row(r *explain.SweptRow) {
	var line strings.Builder
	line.WriteString(pad(r.Rule, sweepRule-1) + " ")
	for i := range r.Thresholds {
		line.WriteString(pad(threshold(&r.Thresholds[i]), sweepCell-1) + " ")
	}
	t.say("%s", strings.TrimRight(line.String(), " "))
	for i := range r.Thresholds {
		t.changed(r, i)
	}
}

func threshold(th *explain.SweptThreshold) string {
	switch {
	case !th.Possible:
		return "-"
	case th.FiresAt == 0:
		return fmt.Sprint(th.Scans)
	default:
		return fmt.Sprintf("%d: %d", th.FiresAt, th.Scans)
	}
}

// changed says who would come and go at a threshold, unless the one before says the same.
func (t *sweepText) changed(r *explain.SweptRow, i int) {
	th := &r.Thresholds[i]
	if i > 0 && r.Thresholds[i-1].FiresAt == th.FiresAt && th.FiresAt > 0 {
		return
	}
	at := fmt.Sprintf("at %d", th.FiresAt)
	if th.FiresAt == 0 {
		at = fmt.Sprintf("x%g", th.Factor)
	}
	if len(th.Gained) > 0 {
		t.say("  %s also %s", at, listed(th.Gained))
	}
	if len(th.Lost) > 0 {
		t.say("  %s no longer %s", at, listed(th.Lost))
	}
}

// listed names the first few addresses.
func listed(all []netip.Addr) string {
	const few = 3
	names := make([]string, 0, few)
	for _, a := range all[:min(len(all), few)] {
		names = append(names, a.String())
	}
	text := strings.Join(names, ", ")
	if more := len(all) - few; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
