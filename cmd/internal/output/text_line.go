package output

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/synoptic-ids/synoptic/detect"
)

// matters reports whether an update says something that a person wants to know
// while the scan goes on: not that it has only grown, nor that its verdict has
// fallen back to one that was said before.
func (t *Text) matters(s *detect.Scan) bool {
	rank := verdictRank(s.Verdict)
	raised := rank > t.open[s.ID]
	t.open[s.ID] = max(rank, t.open[s.ID])
	for _, what := range s.Added {
		if what != "targets" && (what != "verdict" || raised) {
			return true
		}
	}
	return false
}

// verdictRank orders verdicts by what the scanner got.
func verdictRank(v detect.Verdict) int {
	order := []detect.Verdict{detect.Unknown, detect.Unanswered, detect.Prohibited, detect.Ambiguous, detect.Refused, detect.Answered, detect.Probed, detect.Engaged}
	return slices.Index(order, v)
}

// line writes one record as one line: time, phase, source, what it does, to
// whom, and what came of it.
func (t *Text) line(s *detect.Scan) {
	src, kind := who(s), what(s.Shape, s.Technique)
	t.source, t.what = max(t.source, len(src)), max(t.what, len(kind))
	authorized := len(s.Authorized) > 0
	p := painter(t.cfg.Color && !authorized)
	rest := describe(s)
	switch s.Phase {
	case detect.Close, detect.Reopen:
		rest += "; " + result(s) + "; " + p.severity(s.Severity, SeverityName(s.Severity))
		if s.MergedInto != "" {
			rest += "; goes on as a scan by many"
		}
		rest += authority(s)
	case detect.Update:
		rest += took(s) + news(s)
	default:
		rest += took(s) + authority(s)
	}
	if t.cfg.Verbose {
		rest += "; rule " + s.Rule
	}
	line := fmt.Sprintf("%s %s %s %s %s", p.dim(t.clock(s.Time)), p.phase(s.Phase),
		p.bold(pad(src, t.source)), pad(kind, t.what), rest)
	if authorized {
		line = painter(t.cfg.Color).dim(line)
	}
	_, _ = fmt.Fprintln(t.w, line)
}

// who is the source of a scan, or how many it has.
func who(s *detect.Scan) string {
	if s.Src.IsValid() {
		return s.Src.String()
	}
	return count(uint64(s.Sources), "source")
}

func what(shape detect.Shape, technique string) string { return string(shape) + " " + technique }

// largest is the part of a scan that its shape and technique are those of.
func largest(s *detect.Scan) detect.Part {
	for _, p := range s.Parts {
		if p.Technique == s.Technique && p.Shape == s.Shape {
			return p
		}
	}
	return detect.Part{Technique: s.Technique, Shape: s.Shape, Hosts: s.Hosts, Ports: s.Ports, Targets: s.Targets}
}

// describe says whom a scan is after: "192.0.2.10: 200 ports",
// "254 hosts of 198.51.100.0/24, port 22".
func describe(s *detect.Scan) string {
	part, about := largest(s), ""
	if s.Estimated {
		about = "at least "
	}
	whom := about + hosts(s, part.Hosts)
	if s.Dst != nil {
		whom = s.Dst.String()
	}
	var text string
	switch {
	case s.Shape == detect.Protocol:
		text = whom + ": " + about + count(part.Targets, "protocol")
	case part.Ports == 0:
		text = whom
	case s.Dst != nil:
		text = whom + ": " + about + count(part.Ports, "port")
	case s.Port != nil:
		text = fmt.Sprintf("%s, port %d", whom, *s.Port)
	default:
		text = whom + ", " + count(part.Ports, "port")
	}
	for _, other := range s.Parts {
		if other.Technique != part.Technique || other.Shape != part.Shape {
			text += " + " + other.Technique
		}
	}
	return text
}

// hosts counts hosts and says where those of the scan are.
func hosts(s *detect.Scan, number int) string {
	n := count(number, "host")
	switch {
	case len(s.HostRanges) == 0, len(s.HostRanges) > 1 && number != s.Hosts:
		return n
	case len(s.HostRanges) == 1:
		network, _, _ := strings.Cut(s.HostRanges[0], ": ")
		return n + " of " + network
	default:
		last := len(s.HostRanges) - 1
		if s.HostRanges[last] == "…" {
			return fmt.Sprintf("%s in over %d networks", n, last)
		}
		return fmt.Sprintf("%s in %d networks", n, len(s.HostRanges))
	}
}

// took is the time from the first attempt to the latest.
func took(s *detect.Scan) string {
	if s.Last <= s.First {
		return " at once"
	}
	return " in " + duration(int64(s.Last-s.First))
}

// news says what an update is about, as far as the line does not show it.
func news(s *detect.Scan) string {
	var b strings.Builder
	for _, what := range s.Added {
		switch what {
		case "technique":
			b.WriteString("; now also " + s.Techniques[len(s.Techniques)-1])
		case "hosts":
			b.WriteString("; more hosts")
		case "shape":
			b.WriteString("; now " + string(s.Shape))
		case "verdict", "engaged":
			b.WriteString("; " + result(s))
		case "authorization":
			b.WriteString(authority(s))
		}
	}
	return b.String()
}

// authority is what the allow-list says of the scan, if anything.
func authority(s *detect.Scan) string {
	switch {
	case len(s.Authorized) > 0:
		names := make([]string, len(s.Authorized))
		for i, a := range s.Authorized {
			names[i] = Clean(a.Name)
		}
		return "; authorized: " + strings.Join(names, ", ")
	case s.Outside != nil:
		return "; outside its authorization: " + Clean(s.Outside.Reason)
	}
	return ""
}

// result is the verdict, with what answered.
func result(s *detect.Scan) string {
	if len(s.AbusedBy) > 0 {
		return reached(s) + "; abused by " + s.AbusedBy[0].String()
	}
	return reached(s)
}

func reached(s *detect.Scan) string {
	switch s.Verdict {
	case detect.Engaged:
		return "engaged: " + engaged(s)
	case detect.Probed:
		return "probed; " + answers(s)
	default:
		return answers(s)
	}
}

// engaged says with whom the scanner came to talk, or who called it.
func engaged(s *detect.Scan) string {
	if len(s.Engaged) == 0 {
		return ""
	}
	g := &s.Engaged[0]
	text := netip.AddrPortFrom(g.Dst, g.Port).String()
	if g.Dst == s.Src || slices.Contains(s.Srcs, g.Dst) {
		text = g.Src.String() + " called " + text
	}
	if g.Seconds >= 1 {
		text += " for " + duration(int64(g.Seconds*1e9))
	}
	if more := len(s.Engaged) - 1; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// answers is what answered, or the verdict where nothing did.
func answers(s *detect.Scan) string {
	if len(s.AnswersAll) > 0 && len(s.Answered) == 0 {
		return everything(s)
	}
	if len(s.Answered) == 0 {
		return string(s.Verdict)
	}
	n := max(s.AnsweredTotal, len(s.Answered))
	return fmt.Sprintf("%d answered: %s", n, endpoints(s, shortList))
}

// everything names the hosts that answer whatever is tried.
func everything(s *detect.Scan) string {
	if len(s.AnswersAll) == 1 {
		return s.AnswersAll[0].String() + " answers at every port"
	}
	return fmt.Sprintf("%d hosts answer at every port", len(s.AnswersAll))
}

// How many bytes a list may take: in a line, and in the closing table.
const (
	shortList = 28
	longList  = 44
)

// endpoints lists what answered in about room bytes: "22,80" where the scan
// has one host, else "192.0.2.1:22,80 192.0.2.7:22".
func endpoints(s *detect.Scan, room int) string {
	var b strings.Builder
	for i := range s.Answered {
		var before *detect.Endpoint
		if i > 0 {
			before = &s.Answered[i-1]
		}
		item := endpoint(before, &s.Answered[i], s.Dst != nil)
		if i > 0 && b.Len()+len(item) > room {
			return b.String() + " …"
		}
		b.WriteString(item)
	}
	if s.AnsweredTotal > len(s.Answered) {
		b.WriteString(" …")
	}
	return b.String()
}

// endpoint is what e adds to a list behind an item before it, which is nil at
// the start.
func endpoint(before, e *detect.Endpoint, oneHost bool) string {
	port := strconv.Itoa(int(e.Port))
	sameHost := before != nil && before.Host == e.Host
	switch {
	case sameHost && before.Port == 0 && e.Port == 0:
		return "" // by another protocol
	case sameHost && before.Port == 0:
		return ":" + port
	case sameHost:
		return "," + port
	}
	item := e.Host.String()
	switch {
	case e.Port == 0:
	case oneHost:
		item = port
	case e.Host.Is6():
		item = "[" + item + "]:" + port
	default:
		item += ":" + port
	}
	if before != nil {
		item = " " + item
	}
	return item
}

// clock is the time of day, with the date where it is not that of the first
// record.
func (t *Text) clock(at detect.Time) string {
	if dayOf(at) != t.day {
		return at.Std().Format("2006-01-02 15:04:05")
	}
	return at.Std().Format("15:04:05")
}

const dayLength = 24 * 3600 * 1e9

func dayOf(t detect.Time) int64 {
	day := int64(t) / dayLength
	if t < 0 && int64(t)%dayLength != 0 {
		day--
	}
	return day
}
