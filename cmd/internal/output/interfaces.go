package output

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/synoptic-ids/synoptic/capture"
)

// Method is a way to capture packets.
type Method struct {
	Name  string
	Works string   // what to say if it works
	Why   error    // it does not; nil: it does
	Hints []string // what would change that
}

// unknownLink is the link type of interfaces whose own is not known.
const unknownLink = 0xffff

// Interfaces writes a table of interfaces as they are now, with what passed since
// before, and the methods below it.
func Interfaces(w io.Writer, before, now []capture.Interface, passed time.Duration, methods []Method) error {
	earlier := make(map[int]capture.Interface, len(before))
	for _, in := range before {
		earlier[in.Index] = in
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(t, "INTERFACE\tSTATE\tLINK\tPACKETS/S\tBIT/S\tLOST\tADDRESSES")
	for i := range now {
		in := &now[i]
		packets, bits, lost := "-", "-", "-"
		if in.Counted {
			lost = grouped(in.Lost)
		}
		if then, ok := earlier[in.Index]; ok && in.Counted {
			packets = grouped(perSecond(in.Packets-then.Packets, passed))
			bits = grouped(perSecond(8*(in.Bytes-then.Bytes), passed))
		}
		_, _ = fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", Clean(in.Name), state(in), linkOf(in), packets, bits, lost, addresses(in))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n"+list(methods))
	return err
}

func perSecond(n uint64, passed time.Duration) uint64 {
	return uint64(float64(n)/passed.Seconds() + 0.5)
}

func state(in *capture.Interface) string {
	switch {
	case !in.Up:
		return "down"
	case !in.Running:
		return "no carrier"
	}
	return "up"
}

func linkOf(in *capture.Interface) string {
	if in.Link == unknownLink {
		return "-"
	}
	return capture.LinkName(in.Link)
}

func addresses(in *capture.Interface) string {
	all := make([]string, len(in.Addresses))
	for i, a := range in.Addresses {
		all[i] = a.String()
	}
	return strings.Join(all, " ")
}

// list says of each method whether it works.
func list(methods []Method) string {
	var text strings.Builder
	for _, m := range methods {
		if m.Why == nil {
			fmt.Fprintf(&text, "%-8s works: %s\n", m.Name, m.Works)
			continue
		}
		fmt.Fprintf(&text, "%-8s does not work: %s\n", m.Name, m.Why)
		for _, hint := range m.Hints {
			fmt.Fprintf(&text, "%-8s %s\n", "", hint)
		}
	}
	return text.String()
}
