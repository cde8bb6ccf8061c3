package output

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/synoptic-ids/synoptic/cmd/internal/explain"
	"github.com/synoptic-ids/synoptic/detect"
	"github.com/synoptic-ids/synoptic/flows"
)

// explainText writes an explanation for people. Without all it fits 24 lines.
type explainText struct {
	*Text
	all bool
}

// How many lines a part takes where not all is asked for.
const (
	explainGroups = 8
	explainRules  = 6
	explainOthers = 4
)

func (t *explainText) write(x *explain.Explanation, c *explain.Collector) {
	t.say("%s", painter(t.cfg.Color).bold(x.Answer))
	if x.Partial {
		t.say("there was no room for all of it: counts of attempts and sources are too low")
	}
	if t.all && x.Attempts.Total > 0 {
		t.say("")
		// Its error is that of the writer, and comes again.
		_ = c.Attempts(t.attempt)
	}
	t.groups(x)
	t.rules(x)
	t.scans(x)
	t.visitors(x)
	t.sources(x)
	t.misses(x)
}

// attempt is one line of the long list.
func (t *explainText) attempt(a *flows.Attempt, judged string) error {
	_, err := fmt.Fprintf(t.w, "%s %-13s %s %s: %s\n", detect.Time(a.Start).Std().Format("2006-01-02 15:04:05.000"),
		detect.TechniqueName(a), targetOf(a), detect.OutcomeName(a.Outcome), judged)
	return err
}

func targetOf(a *flows.Attempt) string {
	host := flows.Addr(a.Responder)
	switch {
	case a.Class == flows.ClassProtocol:
		return fmt.Sprintf("%s protocol %d", host, a.Proto)
	case a.Class != flows.ClassTCP && a.Class != flows.ClassUDP && a.Class != flows.ClassSCTP:
		return host.String()
	case host.Is6():
		return fmt.Sprintf("[%s]:%d", host, a.Port)
	default:
		return fmt.Sprintf("%s:%d", host, a.Port)
	}
}

// columned writes rows below each other, all but the last column padded; right says
// which columns hold numbers. A row of one cell is written as it is.
func (t *explainText) columned(rows [][]string, right ...int) {
	var widths []int
	for _, row := range rows {
		for len(widths) < len(row) {
			widths = append(widths, 0)
		}
		for i, cell := range row {
			if len(row) > 1 {
				widths[i] = max(widths[i], utf8.RuneCountInString(cell))
			}
		}
	}
	for _, row := range rows {
		cells := make([]string, len(row))
		for i, cell := range row {
			cells[i] = pad(cell, widths[i])
			for _, n := range right {
				if n == i && len(row) > 1 {
					cells[i] = padLeft(cell, widths[i])
				}
			}
		}
		t.say("%s", strings.TrimRight(strings.Join(cells, " "), " "))
	}
}

// groups lists the attempts by their targets.
func (t *explainText) groups(x *explain.Explanation) {
	if len(x.Groups) == 0 {
		return
	}
	a := &x.Attempts
	t.say("\n%s: %s counted, %s excused, %s succeeded, %s else", count(a.Total, "attempt"),
		grouped(a.Counted), grouped(a.Excused), grouped(a.Succeeded), grouped(a.Other))
	rows := [][]string{{"TARGETS", "TRIED", "OUTCOME", "JUDGED"}}
	shown := len(x.Groups)
	if !t.all {
		shown = min(shown, explainGroups)
	}
	for i := range x.Groups[:shown] {
		g := &x.Groups[i]
		rows = append(rows, []string{groupTargets(g), number(g.Attempts), g.Outcome, g.Judged})
	}
	if more := len(x.Groups) - shown; more > 0 {
		rows = append(rows, []string{fmt.Sprintf("and %s; --all lists them, and each attempt", count(more, "more group"))})
	}
	t.columned(rows, 1)
}

// targetsWidth leaves room for the other columns of a terminal.
const targetsWidth = 24

// groupTargets says whom a group is about: "tcp-syn 192.0.2.7: ports 22-91".
func groupTargets(g *explain.Group) string {
	whom := count(g.Hosts, "host")
	switch {
	case g.Host != nil:
		whom = g.Host.String()
	case len(g.Networks) == 1:
		network, _, _ := strings.Cut(g.Networks[0], ": ")
		whom += " of " + network
	}
	switch {
	case g.Ports == 0:
		return g.Technique + " " + whom
	case g.Ports == 1:
		return fmt.Sprintf("%s %s: port %s", g.Technique, whom, g.PortList)
	case len(g.PortList) <= targetsWidth:
		return fmt.Sprintf("%s %s: ports %s", g.Technique, whom, g.PortList)
	default:
		return fmt.Sprintf("%s %s: %s", g.Technique, whom, count(g.Ports, "port"))
	}
}

// rules lists how far each rule got with the address.
func (t *explainText) rules(x *explain.Explanation) {
	if len(x.Rules) == 0 {
		return
	}
	t.say("")
	rows := [][]string{{"RULE", "COUNTED", "FIRES AT", "AT", "UNDER"}}
	shown := len(x.Rules)
	if !t.all {
		shown = min(shown, explainRules)
	}
	for i := range x.Rules[:shown] {
		s := &x.Rules[i]
		rows = append(rows, []string{s.Rule, number(s.Value), number(s.FiresAt), t.clock(s.Time), under(s)})
		rows = append(rows, heldBack(s)...)
	}
	if more := len(x.Rules) - shown; more > 0 {
		rows = append(rows, []string{fmt.Sprintf("and %s further from it", count(more, "rule"))})
	}
	t.columned(rows, 1, 2)
}

// heldBack is the line below a rule that a guard held back.
func heldBack(s *explain.Stand) [][]string {
	if s.Held == nil || s.Fired {
		return nil
	}
	return [][]string{{"  held back: " + s.Why()}}
}

// under is the key of a count: "198.51.100.10 tcp", "port 22 tcp", "all"; and whether
// the rule fired.
func under(s *explain.Stand) string {
	var parts []string
	if s.DstNet != nil {
		parts = append(parts, s.DstNet.String())
	}
	if s.Dst != nil {
		parts = append(parts, s.Dst.String())
	}
	if s.Port != nil {
		parts = append(parts, "port "+strconv.Itoa(int(*s.Port)))
	}
	if s.Proto != "" {
		parts = append(parts, s.Proto)
	}
	if len(parts) == 0 {
		parts = append(parts, "the source")
	}
	if s.Fired {
		parts = append(parts, "(fired)")
	}
	return strings.Join(parts, " ")
}

// scans lists those of the address.
func (t *explainText) scans(x *explain.Explanation) {
	if len(x.Scans) == 0 {
		return
	}
	t.say("")
	shown := len(x.Scans)
	if !t.all {
		shown = min(shown, explainOthers)
	}
	for i := range x.Scans[:shown] {
		t.line(&x.Scans[i])
	}
	if more := len(x.Scans) - shown; more > 0 {
		t.say("and %s", count(more, "more scan"))
	}
}

// visitors lists who tried to reach the address in vain, and what it sent itself where
// it began nothing.
func (t *explainText) visitors(x *explain.Explanation) {
	if s := &x.Sent; x.Verdict == explain.Passive && s.Total > 0 {
		t.say("\n%s from it: %s answer what nobody had asked, %s in the middle of a conversation, %s go on with others",
			count(s.Total, "packet"), grouped(s.Backscatter), grouped(s.MidStream), grouped(s.Continued))
	}
	rows := [][]string{{"TRIED BY", "ATTEMPTS", "FAILED", ""}}
	for _, v := range x.TriedBy {
		if v.Counted == 0 || !t.all && len(rows) > explainOthers {
			break
		}
		what := ""
		if v.Named {
			what = "named"
		}
		rows = append(rows, []string{v.Src.String(), grouped(v.Attempts), grouped(v.Counted), what})
	}
	if len(rows) > 1 {
		t.say("")
		t.columned(rows, 1, 2)
	}
}

// sources lists who stands next to an address that does not appear.
func (t *explainText) sources(x *explain.Explanation) {
	if len(x.Nearest) == 0 {
		return
	}
	t.say("")
	rows := [][]string{{"NEAREST SOURCES", "ATTEMPTS"}}
	for _, s := range x.Nearest {
		rows = append(rows, []string{s.Src.String(), grouped(s.Attempts)})
	}
	t.columned(rows, 1)
}

// misses lists how near each rule came to naming somebody.
func (t *explainText) misses(x *explain.Explanation) {
	if len(x.Misses) == 0 {
		return
	}
	whom := "a source"
	if x.Address != nil {
		whom = "another"
	}
	t.say("\nHow near each rule came to naming %s that is not named:", whom)
	rows := [][]string{{"RULE", "SOURCE", "COUNTED", "FIRES AT", "UNDER"}}
	last := ""
	for i := range x.Misses {
		s := &x.Misses[i]
		name := s.Rule
		if name == last {
			if !t.all {
				continue
			}
			name = ""
		}
		last = s.Rule
		rows = append(rows, []string{name, s.Src.String(), number(s.Value), number(s.FiresAt), under(s)})
		rows = append(rows, heldBack(s)...)
	}
	t.columned(rows, 2, 3)
	if !t.all {
		t.say("--all lists five sources for each rule")
	}
}

// span says what was read.
func (t *explainText) span(r *Run) {
	t.say("\nread %s of %s%s", count(r.Packets, "packet"), inputs(r.Inputs), span(r.First, r.Last))
}
