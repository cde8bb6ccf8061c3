package lab

import (
	"fmt"
	"net/netip"
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
	r := scantest.Replay(t, file, sensor.Config{Rules: detect.Rules{Home: []netip.Prefix{
		netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("2001:db8:10::/64"),
	}}})
	require.Empty(t, r.Summary.Damage)
	require.NotZero(t, r.Summary.Capture.Packets)
	return r.Records
}

// check holds a scenario's expectations against the records of its capture.
func check(t *testing.T, sn scenario, records []detect.Scan) {
	t.Helper()
	closed := closedScans(records)
	opened := 0
	for i := range records {
		if records[i].Phase == detect.Open {
			opened++
		}
	}
	if opened != len(sn.scans) || len(closed) != len(sn.scans) {
		require.Failf(t, "wrong scans", "want %d, have %d opened and %d closed:\n%s",
			len(sn.scans), opened, len(closed), table(rowsOf(sn, closed)))
	}
	for _, w := range sn.scans {
		i := slices.IndexFunc(closed, func(sc detect.Scan) bool { return sc.Src.String() == w.src })
		require.GreaterOrEqualf(t, i, 0, "no scan by %s:\n%s", w.src, table(rowsOf(sn, closed)))
		require.Equal(t, w.filled(), seen(&closed[i]))
	}
}

func (w wanted) filled() wanted {
	if w.techniques == nil {
		w.techniques = []string{w.technique}
	}
	slices.Sort(w.techniques)
	return w
}

// seen is what a record says, in the words of an expectation.
func seen(sc *detect.Scan) wanted {
	w := wanted{
		src: sc.Src.String(), shape: sc.Shape, technique: sc.Technique, techniques: slices.Clone(sc.Techniques),
		hosts: sc.Hosts, ports: sc.Ports, targets: sc.Targets, verdict: sc.Verdict, direction: sc.Direction,
	}
	for _, a := range sc.Answered {
		w.answered = append(w.answered, on(a.Proto, a.Host.String(), int(a.Port))...)
	}
	return w.filled()
}

func closedScans(records []detect.Scan) []detect.Scan {
	var closed []detect.Scan
	for i := range records {
		if records[i].Phase == detect.Close {
			closed = append(closed, records[i])
		}
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
	_, _ = fmt.Fprintln(w, "run\ttool\tsource\tshape\ttechnique\thosts\tports\ttargets\tverdict\tanswered\tto open\tseconds")
	for _, r := range rows {
		sc := r.scan
		if sc == nil {
			_, _ = fmt.Fprintf(w, "%s\t%s\tno scan\n", r.name, r.tool)
			continue
		}
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%d\t%d\t%d\t%s\t%d\t%d\t%.3f\n",
			r.name, r.tool, sc.Src, sc.Shape, strings.Join(sc.Techniques, "+"), sc.Hosts, sc.Ports, sc.Targets,
			sc.Verdict, len(sc.Answered), sc.DetectedAfter.Targets, sc.DetectedAfter.Seconds)
	}
	_ = w.Flush()
	return text.String()
}

// requireSoon checks the bar on how many targets it takes to open a scan.
func requireSoon(t *testing.T, rows []row) {
	t.Helper()
	var took []int
	for _, r := range rows {
		if r.scan != nil && (r.scan.Shape == detect.Vertical || r.scan.Shape == detect.Horizontal) {
			took = append(took, r.scan.DetectedAfter.Targets)
		}
	}
	require.NotEmpty(t, took)
	slices.Sort(took)
	require.LessOrEqual(t, took[len(took)/2], 12, "median number of targets to open a scan, of %v", took)
}
