package detect

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Describe says in one line of words what r looks for, as in "more than 9
// distinct dst_port per (src, dst, proto) among unproductive attempts, within
// 5m sliding". What narrows the rule down follows after commas.
func (r Rule) Describe() string {
	var b strings.Builder
	fmt.Fprintf(&b, "more than %d distinct %s per (%s) among %s attempts, within %s",
		r.Over, r.Count, joined(r.By, ", "), joined(r.Of, ", "), r.span())
	for _, c := range r.And {
		fmt.Fprintf(&b, ", and more than %d distinct %s", c.Over, c.Count)
	}
	if len(r.Proto) > 0 {
		fmt.Fprintf(&b, ", over %s", joined(r.Proto, " or "))
	}
	if len(r.Port) > 0 {
		ports := make([]string, len(r.Port))
		for i, p := range r.Port {
			ports[i] = p.String()
		}
		fmt.Fprintf(&b, ", to ports %s", joined(ports, ", "))
	}
	switch r.From {
	case "home":
		b.WriteString(", from home")
	case "external":
		b.WriteString(", from outside home")
	}
	if r.Sigma > 0 {
		fmt.Fprintf(&b, ", and above the mean of earlier hours by %s standard deviations", strconv.FormatFloat(r.Sigma, 'g', -1, 64))
	}
	if r.Share > 0 {
		fmt.Fprintf(&b, ", where a share of at least %s fails", strconv.FormatFloat(r.Share, 'g', -1, 64))
	}
	return b.String()
}

func (r Rule) span() string {
	switch r.Window {
	case Run:
		return "the whole input"
	case Slow:
		return durationText(r.Within) + ", slowly"
	case Divided:
		return durationText(r.Within) + ", divided among many sources"
	case Walk:
		return "a walk that successes take back"
	}
	return durationText(r.Within) + " " + string(r.Window)
}

// String is the range as a rules file has it: "1-1023", or "22".
func (p PortRange) String() string {
	if p.From == p.To {
		return strconv.Itoa(int(p.From))
	}
	return fmt.Sprintf("%d-%d", p.From, p.To)
}

// durationText is d in the largest unit that divides it, as a rules file has
// it.
func durationText(d time.Duration) string {
	switch {
	case d <= 0 || d%time.Second != 0:
		return d.String() // no rules file says so, but a program can
	case d%ruleDay == 0:
		return fmt.Sprintf("%dd", d/ruleDay)
	case d%time.Hour == 0:
		return fmt.Sprintf("%dh", d/time.Hour)
	case d%time.Minute == 0:
		return fmt.Sprintf("%dm", d/time.Minute)
	}
	return fmt.Sprintf("%ds", d/time.Second)
}

func joined[S ~string](words []S, sep string) string {
	var b strings.Builder
	for i, w := range words {
		if i > 0 {
			b.WriteString(sep)
		}
		b.WriteString(string(w))
	}
	return b.String()
}
