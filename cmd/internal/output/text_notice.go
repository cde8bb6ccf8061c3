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
	_, _ = fmt.Fprintf(t.w, "%s %s %s\n", p.dim(t.clock(n.Time)), p.phase(n.Phase), noticed(n))
	return t.w.Flush()
}

// begin notes the day of the first record.
func (t *Text) begin(at detect.Time) {
	if !t.begun {
		t.begun, t.day = true, dayOf(at)
	}
}

// noticed says whom a notice is about, and what hits it.
func noticed(n *detect.Notice) string {
	switch n.Event {
	case detect.Backscatter:
		return fmt.Sprintf("backscatter of %s%s: %s to %s addresses that never asked%s", n.Dst, ports(n),
			count(n.Packets, n.Proto+" answer"), estimate(n, n.Hosts), lasting(n))
	case detect.Reflection:
		from := ""
		if n.SrcPort != nil {
			from = fmt.Sprintf(" port %d of", *n.SrcPort)
		}
		return fmt.Sprintf("reflection on %s%s: %s that it never asked for, from%s %s addresses%s", n.Dst, ports(n),
			count(n.Packets, n.Proto+" answer"), from, estimate(n, n.Sources), lasting(n))
	default:
		return fmt.Sprintf("%s of %s%s: %s from %s addresses%s", n.Event, n.Dst, ports(n),
			count(n.Packets, n.Proto+" packet"), estimate(n, n.Sources), lasting(n))
	}
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
