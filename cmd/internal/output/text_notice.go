package output

import (
	"fmt"

	"github.com/synoptic-ids/synoptic/detect"
)

// Notice implements [Encoder]. That something has grown is for those who want to know
// more.
func (t *Text) Notice(n *detect.Notice) error {
	if n.Phase == detect.Update && !t.cfg.Verbose {
		return nil
	}
	t.begin(n.First)
	p := painter(t.cfg.Color)
	_, _ = fmt.Fprintf(t.w, "%s %s %s\n", p.dim(t.clock(n.Time)), p.phase(n.Phase), flood(n))
	return t.w.Flush()
}

// begin notes the day of the first record.
func (t *Text) begin(at detect.Time) {
	if !t.begun {
		t.begun, t.day = true, dayOf(at)
	}
}

// flood says whom a flood hits, and with how much.
func flood(n *detect.Notice) string {
	return fmt.Sprintf("%s of %s%s: %s from %s addresses%s", n.Event, n.Dst, ports(n),
		count(n.Packets, n.Proto+" packet"), estimate(n, n.Sources), lasting(n))
}

// ports says which ports a notice is about.
func ports(n *detect.Notice) string {
	switch {
	case n.Port != nil:
		return fmt.Sprintf(" port %d", *n.Port)
	case n.Ports > 1:
		return fmt.Sprintf(", %s ports", estimate(n, n.Ports))
	default:
		return ""
	}
}

// estimate is a number, with its doubt.
func estimate(n *detect.Notice, value int) string {
	if n.Estimated {
		return "about " + grouped(uint64(value))
	}
	return grouped(uint64(value))
}

// lasting is the time from the first packet to the latest.
func lasting(n *detect.Notice) string {
	if n.Last <= n.First {
		return ""
	}
	return " in " + duration(int64(n.Last-n.First))
}
