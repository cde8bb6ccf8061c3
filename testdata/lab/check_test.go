package lab

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/detect"
	"github.com/synoptic-ids/synoptic/detect/scantest"
	"github.com/synoptic-ids/synoptic/detect/sensor"
)

// replay returns all records of the scans in a capture, by the default
// profile, with the lab's LAN as home.
func replay(t *testing.T, file string) []detect.Scan {
	t.Helper()
	r := scantest.Replay(t, file, labConfig())
	require.Empty(t, r.Summary.Damage)
	require.NotZero(t, r.Summary.Capture.Packets)
	return r.Records
}

// labConfig is how the lab's traffic is judged.
func labConfig() sensor.Config {
	return sensor.Config{Rules: detect.Rules{Home: []netip.Prefix{
		netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("2001:db8:10::/64"),
	}}}
}

// check holds a scenario's expectations against the records of its capture.
func check(t *testing.T, sn scenario, records []detect.Scan) {
	t.Helper()
	wrong := sn.differs(records)
	what, listed := known()[sn.name]
	switch {
	case !listed:
		require.Empty(t, wrong)
	case wrong == "":
		require.Failf(t, "it is right now", "take it out of the known failures: %s", what)
	default:
		t.Logf("known failure: %s\n%s", what, wrong)
	}
}

// differs says how the records differ from what is wanted: not at all, if empty.
func (sn scenario) differs(records []detect.Scan) string {
	closed := closedScans(records)
	opened := 0
	for i := range records {
		if records[i].Phase == detect.Open {
			opened++
		}
	}
	have := table(rowsOf(sn, closed))
	if opened != len(sn.scans) || len(closed) != len(sn.scans) {
		return fmt.Sprintf("want %d scans, have %d opened and %d closed:\n%s", len(sn.scans), opened, len(closed), have)
	}
	var wrong []string
	for _, w := range sn.scans {
		w.tool = sn.named()
		i := slices.IndexFunc(closed, func(sc detect.Scan) bool { return nameOf(sc.Src) == w.src })
		if i < 0 {
			wrong = append(wrong, fmt.Sprintf("no scan by %q:\n%s", w.src, have))
			continue
		}
		wrong = append(wrong, w.sorted().unlike(seen(&closed[i]).near(w).sorted())...)
		if took, over := closed[i].DetectedAfter.Targets, closed[i].Evidence.Threshold; took <= over {
			wrong = append(wrong, fmt.Sprintf("%s opened after %d targets by a rule over %d", w.src, took, over))
		}
	}
	return strings.Join(wrong, "\n")
}

// unlike lists in what a scan differs from what is wanted.
func (w wanted) unlike(have wanted) (wrong []string) {
	a, b := reflect.ValueOf(w), reflect.ValueOf(have)
	for i := range a.NumField() {
		want, got := fmt.Sprintf("%+v", a.Field(i)), fmt.Sprintf("%+v", b.Field(i))
		if want != got {
			wrong = append(wrong, fmt.Sprintf("%s %s: want %s, have %s", w.src, a.Type().Field(i).Name, want, got))
		}
	}
	return wrong
}

// sorted is w with its lists in order.
func (w wanted) sorted() wanted {
	w.answered, w.srcs, w.parts = slices.Clone(w.answered), slices.Clone(w.srcs), slices.Clone(w.parts)
	slices.Sort(w.answered)
	slices.Sort(w.srcs)
	slices.SortFunc(w.parts, func(a, b part) int { return strings.Compare(a.technique, b.technique) })
	return w
}

// near takes the outcomes for those wanted, where they are a matter of timing
// and nearly the same.
func (w wanted) near(want wanted) wanted {
	w.loose = want.loose
	moved := 0
	for _, d := range []int{
		w.outcomes.Silent - want.outcomes.Silent, w.outcomes.Unreachable - want.outcomes.Unreachable,
		w.outcomes.Refused - want.outcomes.Refused, w.outcomes.Answered - want.outcomes.Answered,
	} {
		moved += max(d, 0)
	}
	if moved <= want.loose {
		w.outcomes = want.outcomes
	}
	return w
}

// seen is what a record says, in the words of an expectation.
func seen(sc *detect.Scan) wanted {
	w := wanted{
		src: nameOf(sc.Src), shape: sc.Shape, technique: sc.Technique, hosts: sc.Hosts, ports: sc.Ports, targets: sc.Targets,
		outcomes: sc.Outcomes, verdict: sc.Verdict, direction: sc.Direction,
	}
	for _, a := range sc.Answered {
		w.answered = append(w.answered, on(a.Proto, a.Host.String(), int(a.Port))...)
	}
	for _, p := range sc.Parts {
		w.parts = append(w.parts, part{p.Technique, p.Shape, p.Hosts, p.Ports, p.Targets, p.Outcomes})
	}
	if sc.Tool != nil {
		w.tool = sc.Tool.Name
	}
	for _, a := range sc.AbusedBy {
		w.abusedBy += nameOf(a)
	}
	w.srcs, w.likely = group(sc)
	return w
}

// group reads who is behind a scan by many sources from its JSON form.
func group(sc *detect.Scan) (srcs []string, likely string) {
	var g struct {
		Srcs   []string
		Likely string
	}
	b, err := json.Marshal(sc)
	if err != nil || json.Unmarshal(b, &g) != nil {
		return nil, "not JSON"
	}
	return g.Srcs, g.Likely
}

// nameOf is an address as expectations write it: empty for none.
func nameOf(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}

func closedScans(records []detect.Scan) []detect.Scan {
	var closed []detect.Scan
	for i := range records {
		closed = detect.AddClosed(closed, records[i])
	}
	return closed
}

// row is one scan, or a scenario without any, in the table that is printed.
type row struct {
	name, tool string
	scan       *detect.Scan
}

func rowsOf(sn scenario, closed []detect.Scan) []row {
	if len(closed) == 0 {
		return []row{{name: sn.name, tool: sn.tool}}
	}
	var rows []row
	for i := range closed {
		rows = append(rows, row{sn.name, sn.tool, &closed[i]})
	}
	return rows
}

func table(rows []row) string {
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "run\ttool\tsource\tshape\ttechnique\thosts\tports\ttargets\tverdict\tanswered\ttool named\ttargets to open\tseconds")
	for _, r := range rows {
		sc := r.scan
		if sc == nil {
			_, _ = fmt.Fprintf(w, "%s\t%s\tno scan\t\t\t\t\t\t\t\t\t\t\n", r.name, r.tool)
			continue
		}
		named := "-"
		if sc.Tool != nil {
			named = sc.Tool.Name
		}
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%d\t%d\t%d\t%s\t%d\t%s\t%d\t%.3f\n",
			r.name, r.tool, nameOf(sc.Src), sc.Shape, strings.Join(sc.Techniques, "+"), sc.Hosts, sc.Ports, sc.Targets,
			sc.Verdict, len(sc.Answered), named, sc.DetectedAfter.Targets, sc.DetectedAfter.Seconds)
	}
	_ = w.Flush()
	return text.String()
}

// soon is the bar on how many targets it takes to open a scan: the median over
// all scans.
const soon = 12

// requireSoon prints how many targets it took to open the scans, and holds them
// against the bar.
func requireSoon(t *testing.T, rows []row) {
	t.Helper()
	var took []int
	for _, r := range rows {
		if r.scan != nil {
			took = append(took, r.scan.DetectedAfter.Targets)
		}
	}
	require.NotEmpty(t, took)
	slices.Sort(took)
	// of an even number the higher of the two in the middle
	median := took[len(took)/2]
	t.Logf("\n%s\ntargets to open a scan: median %d (bar %d), least %d, most %d, of %d scans",
		table(rows), median, soon, took[0], took[len(took)-1], len(took))
	require.LessOrEqual(t, median, soon, "median number of targets to open a scan, of %v", took)
}
