package expect

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Difference is what scans and expectations do not agree on.
type Difference struct {
	Name       string        // of the list
	Changed    []Change      // expectations with a scan that is nearly theirs
	Missing    []Expectation // expectations without any scan
	unexpected []map[string]any
}

// Change is an expectation and the scan that comes nearest to it.
type Change struct {
	Want Expectation
	got  map[string]any
}

// None reports whether scans and expectations agree.
func (d *Difference) None() bool {
	return len(d.Changed)+len(d.Missing)+len(d.unexpected) == 0
}

// Unexpected is how many scans nobody expected.
func (d *Difference) Unexpected() int { return len(d.unexpected) }

// Summary says in a line how much differs.
func (d *Difference) Summary() string {
	var parts []string
	for _, p := range []struct {
		n    int
		what string
	}{{len(d.Missing), "missing"}, {len(d.unexpected), "unexpected"}, {len(d.Changed), "different"}} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.what))
		}
	}
	return strings.Join(parts, ", ")
}

// maxShown is how many differences of a kind are written out.
const maxShown = 50

// String is the difference in lines: what was expected after -, what there is
// after +. It is empty where there is none.
func (d *Difference) String() string {
	if d.None() {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "--- %s\n+++ scans\n", d.Name)
	for i, c := range d.Changed {
		if cut(&b, i, len(d.Changed), "different") {
			break
		}
		c.write(&b)
	}
	for i, w := range d.Missing {
		if cut(&b, i, len(d.Missing), "missing") {
			break
		}
		fmt.Fprintf(&b, "@@ %smissing\n-%s\n", w.place(), text(w.fields))
	}
	for i, g := range d.unexpected {
		if cut(&b, i, len(d.unexpected), "unexpected") {
			break
		}
		fmt.Fprintf(&b, "@@ unexpected\n+%s\n", text(brief(g)))
	}
	return b.String()
}

func cut(b *strings.Builder, i, n int, what string) bool {
	if i < maxShown {
		return false
	}
	fmt.Fprintf(b, "@@ %d more %s\n", n-i, what)
	return true
}

func (e *Expectation) place() string {
	if e.Line == 0 {
		return ""
	}
	return fmt.Sprintf("line %d: ", e.Line)
}

func (c *Change) write(b *strings.Builder) {
	fmt.Fprintf(b, "@@ %s%s\n", c.Want.place(), headline(c.got))
	for _, name := range fieldNames() {
		want, given := c.Want.fields[name]
		if !given || equal(want, c.got[name]) {
			continue
		}
		fmt.Fprintf(b, "-%s: %s\n+%s: %s\n", name, text(want), name, text(narrow(c.got[name], want)))
	}
}

// narrow leaves out of an object what was not compared.
func narrow(got, want any) any {
	g, ok := got.(map[string]any)
	w, also := want.(map[string]any)
	if !ok || !also {
		return got
	}
	part := map[string]any{}
	for name := range w {
		part[name] = narrow(g[name], w[name])
	}
	return part
}

func headline(got map[string]any) string {
	src := got["src"]
	if src == nil {
		src = fmt.Sprintf("%v sources", got["sources"])
	}
	return fmt.Sprintf("%v %v %v", src, got["shape"], got["technique"])
}

// brief is what tells a scan from others at a glance.
func brief(got map[string]any) map[string]any {
	short := map[string]any{}
	for _, name := range []string{"src", "sources", "dst", "shape", "technique", "hosts", "ports", "targets", "port", "verdict", "first"} {
		if v, ok := got[name]; ok && v != nil {
			short[name] = v
		}
	}
	return short
}

// text is a value as JSON, members in the order of their names.
func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}
