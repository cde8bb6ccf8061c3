package output

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/synoptic-ids/synoptic/detect"
)

// maxRows is how many scans the closing table lists. Those of least severity
// are left out.
const maxRows = 200

// summary keeps the scans for the closing table, no more than it needs.
type summary struct {
	scans []detect.Scan
	n     uint64 // all closed scans
}

func (s *summary) add(scan *detect.Scan) {
	before := len(s.scans)
	s.scans = detect.AddClosed(s.scans, *scan)
	s.n += uint64(len(s.scans) - before)
	if len(s.scans) >= 4*maxRows {
		s.cut()
	}
}

// cut sorts the scans, the gravest first and those authorized last, and drops those beyond the table.
func (s *summary) cut() {
	slices.SortFunc(s.scans, func(a, b detect.Scan) int {
		return cmp.Or(
			cmp.Compare(min(len(a.Authorized), 1), min(len(b.Authorized), 1)),
			cmp.Compare(b.Severity, a.Severity), cmp.Compare(b.Targets, a.Targets),
			cmp.Compare(a.First, b.First), a.Src.Compare(b.Src), cmp.Compare(a.ID, b.ID),
		)
	})
	if len(s.scans) > maxRows {
		clear(s.scans[maxRows:])
		s.scans = s.scans[:maxRows]
	}
}

// columns of the closing table.
const (
	columnSource = iota
	columnScan
	columnHosts
	columnPorts
	columnVerdict
	columnFirst
	columnLast
	columns
)

// row is a line of the closing table: one part of a scan.
type row struct {
	cells    [columns]string
	severity int      // 0: no colour
	targets  string   // a line below, if there is something to say
	sources  string   // likewise, of a scan by many
	more     []string // likewise, of the allow-list, and where packets are
	dim      bool
}

// table writes the closing table: a line for each part of a scan, and one for
// its targets.
func (t *Text) table(r *Run) {
	t.closed.cut()
	if len(t.closed.scans) == 0 {
		t.none(r)
		return
	}
	rows := []row{{cells: [columns]string{"SOURCE", "SCAN", "HOSTS", "PORTS", "VERDICT", "FIRST", "LAST"}}}
	for i := range t.closed.scans {
		rows = t.rows(rows, &t.closed.scans[i])
	}
	var widths [columns]int
	for i := range rows {
		for c, cell := range rows[i].cells {
			widths[c] = max(widths[c], utf8.RuneCountInString(cell))
		}
	}
	_, _ = fmt.Fprintln(t.w)
	for i := range rows {
		t.row(&rows[i], &widths)
	}
	if more := t.closed.n - uint64(len(t.closed.scans)); more > 0 {
		t.say("and %s more, of less severity or fewer targets", grouped(more))
	}
}

// maxParts is how many parts of a scan the table lists.
const maxParts = 6

// rows appends the lines of one scan: its largest part with what holds for the
// whole, then the others.
func (t *Text) rows(rows []row, s *detect.Scan) []row {
	first, dim := largest(s), len(s.Authorized) > 0
	rows = append(rows, row{
		cells: [columns]string{
			who(s), what(first.Shape, first.Technique), number(first.Hosts), number(first.Ports),
			string(s.Verdict), t.clock(s.First), t.clock(s.Last),
		},
		severity: s.Severity, dim: dim,
	})
	for _, p := range s.Parts[:min(len(s.Parts), maxParts)] {
		if p.Technique == first.Technique && p.Shape == first.Shape {
			continue
		}
		rows = append(rows, row{dim: dim, cells: [columns]string{
			columnScan: what(p.Shape, p.Technique), columnHosts: number(p.Hosts), columnPorts: number(p.Ports),
			columnFirst: t.clock(p.First), columnLast: t.clock(p.Last),
		}})
	}
	last := &rows[len(rows)-1]
	last.targets, last.sources, last.more = targets(s), sources(s), t.allowed(s)
	if s.EvidenceFile != "" {
		last.more = append(last.more, "packets: "+Clean(s.EvidenceFile))
	}
	return rows
}

// number writes a count; - where there is nothing to count, as the ports of an
// ARP sweep.
func number(n int) string {
	if n == 0 {
		return "-"
	}
	return grouped(uint64(n))
}

func (t *Text) row(r *row, widths *[columns]int) {
	p, line := painter(t.cfg.Color && !r.dim), func(s string) string { return s }
	if r.dim {
		line = painter(t.cfg.Color).dim
	}
	var cells [columns]string
	for c, cell := range r.cells {
		switch c {
		case columnHosts, columnPorts:
			cells[c] = padLeft(cell, widths[c])
		case columnLast:
			cells[c] = cell
		default:
			cells[c] = pad(cell, widths[c])
		}
	}
	if r.severity > 0 {
		cells[columnVerdict] = p.severity(r.severity, cells[columnVerdict])
	}
	cells[columnSource] = p.bold(cells[columnSource])
	_, _ = fmt.Fprintln(t.w, line(strings.Join(cells[:], " ")))
	if r.targets != "" {
		_, _ = fmt.Fprintln(t.w, line("  → "+r.targets))
	}
	if r.sources != "" {
		_, _ = fmt.Fprintln(t.w, line("  ← "+r.sources))
	}
	for _, text := range r.more {
		_, _ = fmt.Fprintln(t.w, line("    "+text))
	}
}

// allowed are the lines on what the allow-list says of a scan: an entry each, or
// the attempt outside.
func (t *Text) allowed(s *detect.Scan) (lines []string) {
	for _, a := range s.Authorized {
		line := "authorized by " + a.Name
		if a.Expires != nil {
			line += " until " + a.Expires.Std().Format("2006-01-02 15:04 UTC")
		}
		if a.Note != "" {
			line += ": " + a.Note
		}
		lines = append(lines, Clean(line))
	}
	if o := s.Outside; o != nil {
		to := endpoint(nil, &detect.Endpoint{Host: o.Host, Port: o.Port}, false)
		lines = append(lines, Clean(fmt.Sprintf("outside %s: %s (%s, %s %s)", o.Name, o.Reason, t.clock(o.Time), o.Proto, to)))
	}
	return lines
}

// sources lists the first of many sources, and the one that most likely is no decoy.
func sources(s *detect.Scan) string {
	likely := ""
	if s.Likely != nil {
		likely = "; most likely " + s.Likely.String()
	}
	var b strings.Builder
	for i, src := range s.Srcs {
		item := src.String()
		if i > 0 {
			item = ", " + item
			if b.Len()+len(item)+len(likely) > lineWidth-len(", …") {
				b.WriteString(", …")
				break
			}
		}
		b.WriteString(item)
	}
	return b.String() + likely
}

// targets is the second line of a scan: hosts, ports, what answered.
func targets(s *detect.Scan) string {
	var b strings.Builder
	if s.Dst != nil {
		b.WriteString(s.Dst.String())
	} else {
		b.WriteString(networks(s.HostRanges))
	}
	if s.PortRanges != "" {
		noun := "ports"
		if s.Ports == 1 {
			noun = "port"
		}
		fmt.Fprintf(&b, "; %s %s", noun, cutList(s.PortRanges, longList))
	}
	if s.Tool != nil {
		fmt.Fprintf(&b, "; %s, %d of %d probes", s.Tool.Name, s.Tool.Matched, s.Tool.Of)
	}
	if len(s.AnswersAll) > 0 {
		b.WriteString("; " + everything(s))
	}
	if len(s.AbusedBy) > 0 {
		b.WriteString("; abused by " + s.AbusedBy[0].String())
	}
	if len(s.Engaged) > 0 {
		b.WriteString("; engaged " + engaged(s))
	}
	if len(s.Answered) > 0 {
		b.WriteString("; answered ")
		b.WriteString(endpoints(s, max(shortList, lineWidth-utf8.RuneCountInString(b.String()))))
	}
	return b.String()
}

// lineWidth is how wide a line below a scan should be: that of a terminal
// without the arrow before it and the mark of what is left out behind it.
const lineWidth = 80 - len("  > ") - len(" .")

// networks lists where the hosts of a sweep are, the first few.
func networks(ranges []string) string {
	const few = 2
	list := strings.Join(ranges[:min(len(ranges), few)], ", ")
	if len(ranges) > few {
		list += ", …"
	}
	return list
}

// cutList cuts a comma list behind one of its items.
func cutList(list string, room int) string {
	if len(list) <= room {
		return list
	}
	if i := strings.LastIndexByte(list[:room], ','); i > 0 {
		return list[:i] + ",…"
	}
	return list
}

// none says that there were no scans, or that those there are go on, and in how much.
func (t *Text) none(r *Run) {
	span := ""
	if r.First != nil && r.Last != nil && *r.Last > *r.First {
		span = ", " + duration(int64(*r.Last-*r.First))
	}
	what := "no scans"
	if r.Opened > r.Closed {
		what = "no scan closed"
	}
	_, _ = fmt.Fprintf(t.w, "%s in %s%s\n", what, count(r.Packets, "packet"), span)
}
