package expect_test

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/synoptic-ids/synoptic/detect"
	"github.com/synoptic-ids/synoptic/detect/scantest/expect"
)

func scan(src string, ports int) detect.Scan {
	dst := netip.MustParseAddr("198.51.100.10")
	return detect.Scan{
		Event: "scan", Phase: detect.Close, Src: netip.MustParseAddr(src), Dst: &dst,
		Shape: detect.Vertical, Technique: "tcp-syn", Techniques: []string{"tcp-syn"}, Hosts: 1, Ports: ports,
		Rate: 12.5, First: 1_700_000_000_000_000_000, Outcomes: detect.Outcomes{Silent: ports - 1, Answered: 1},
		Answered: []detect.Endpoint{{Host: dst, Port: 22, Proto: "tcp"}}, Verdict: detect.Answered,
	}
}

func read(t *testing.T, text string) *expect.List {
	t.Helper()
	list, err := expect.Read(strings.NewReader(text), "want.jsonl")
	require.NoError(t, err)
	return list
}

func TestEqual(t *testing.T) {
	s := scan("203.0.113.1", 200)
	for _, tt := range []struct {
		name, want string
		equal      bool
	}{
		{"nothing given", `{}`, true},
		{"a field", `{"ports": 200}`, true},
		{"another value", `{"ports": 201}`, false},
		{"a number written otherwise", `{"ports": 2e2, "rate": 12.50}`, true},
		{"a string in place of a number", `{"ports": "200"}`, false},
		{"part of an object", `{"outcomes": {"answered": 1}}`, true},
		{"part of an object that differs", `{"outcomes": {"answered": 2}}`, false},
		{"part of the objects of a list", `{"answered": [{"port": 22}]}`, true},
		{"a list too short", `{"answered": []}`, false},
		{"a list too long", `{"answered": [{"port": 22}, {"port": 80}]}`, false},
		{"null for what is left out", `{"vlan": null, "added": null}`, true},
		{"zero for what is left out", `{"vlan": 0, "added": [], "sparse": false, "port_ranges": ""}`, true},
		{"a value for what is left out", `{"vlan": 10}`, false},
		{"true for what is left out", `{"sparse": true}`, false},
		{"null for what is there", `{"dst": null}`, false},
		{"the same instant", `{"first": "2023-11-14T22:13:20Z"}`, true},
		{"another instant", `{"first": "2023-11-14T22:13:21Z"}`, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := read(t, tt.want).Match([]detect.Scan{s})
			require.Equal(t, tt.equal, d.None(), d.String())
		})
	}
}

func TestReadTakesWhatARunPrints(t *testing.T) {
	list := read(t, strings.Join([]string{
		`{"event":"scan","phase":"open","ports":10}`,
		`# by hand`,
		``,
		`{"event":"scan","phase":"close","ports":200}`,
		`{"event":"run","inputs":["a.pcap"],"packets":7}`,
		`{"event":"attempt","sport":7}`,
		`{"event":"scan","ports":7}`,
	}, "\n"))
	require.Len(t, list.Want, 2)
	require.Equal(t, 4, list.Want[0].Line)
	require.Equal(t, 7, list.Want[1].Line)
}

func TestReadRefuses(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"{}\nports 200", "want.jsonl:2: not a JSON object"},
		{`[]`, "want.jsonl:1: not a JSON object"},
		{`null`, "want.jsonl:1: not a JSON object"},
		{`{} {}`, "want.jsonl:1: more than one JSON value on the line"},
		{`{"prots": 1}`, `want.jsonl:1: a scan record has no field "prots"`},
	} {
		_, err := expect.Read(strings.NewReader(tt.text), "want.jsonl")
		require.ErrorContains(t, err, tt.want)
	}
	_, err := expect.Fields(map[string]any{"prots": 1})
	require.ErrorContains(t, err, "prots")
}

func TestMatchIsOneToOne(t *testing.T) {
	a, b := scan("203.0.113.1", 100), scan("203.0.113.1", 200)
	for _, tt := range []struct {
		name, want, summary string
		scans               []detect.Scan
	}{
		{"none and none", ``, "", nil},
		{"any order", `{"ports":200}` + "\n" + `{"ports":100}`, "", []detect.Scan{a, b}},
		// The first expectation fits both scans and must leave the second
		// expectation the only one that fits it, in either order.
		{"a vague one first", `{"src":"203.0.113.1"}` + "\n" + `{"ports":100}`, "", []detect.Scan{a, b}},
		{"a vague one last", `{"ports":100}` + "\n" + `{"src":"203.0.113.1"}`, "", []detect.Scan{a, b}},
		{"twice the same", `{"ports":100}` + "\n" + `{"ports":100}`, "1 missing, 1 unexpected", []detect.Scan{a, b}},
		{"twice the same of one source", `{"src":"203.0.113.1","ports":100}` + "\n" + `{"src":"203.0.113.1","ports":100}`, "1 different", []detect.Scan{a, b}},
		{"one too few", `{"ports":100}`, "1 unexpected", []detect.Scan{a, b}},
		{"one too many", `{}` + "\n" + `{}` + "\n" + `{}`, "1 missing", []detect.Scan{a, b}},
		{"of another source", `{"src":"203.0.113.9","ports":100}`, "1 missing, 1 unexpected", []detect.Scan{a}},
		{"records that are not of closed scans", ``, "", []detect.Scan{{Phase: detect.Open}, {Phase: detect.Update}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := read(t, tt.want).Match(tt.scans)
			require.Equal(t, tt.summary, d.Summary())
			require.Equal(t, tt.summary == "", d.None())
			require.Equal(t, tt.summary == "", d.String() == "")
		})
	}
}

func TestDifferenceText(t *testing.T) {
	list := read(t, `{"src":"203.0.113.1","ports":100,"outcomes":{"answered":2},"vlan":7}`+"\n"+`{"src":"203.0.113.9"}`)
	d := list.Match([]detect.Scan{scan("203.0.113.1", 200), scan("203.0.113.2", 3)})
	require.Equal(t, `--- want.jsonl
+++ scans
@@ line 1: 203.0.113.1 vertical tcp-syn
-ports: 100
+ports: 200
-outcomes: {"answered":2}
+outcomes: {"answered":1}
-vlan: 7
+vlan: null
@@ line 2: missing
-{"src":"203.0.113.9"}
@@ unexpected
+{"dst":"198.51.100.10","first":"2023-11-14T22:13:20.000000000Z","hosts":1,"ports":3,"shape":"vertical","src":"203.0.113.2","targets":0,"technique":"tcp-syn","verdict":"answered"}
`, d.String())
}

func TestDifferenceIsCut(t *testing.T) {
	var scans []detect.Scan
	for range 60 {
		scans = append(scans, scan("203.0.113.1", 10))
	}
	d := read(t, "").Match(scans)
	require.Equal(t, 60, d.Unexpected())
	require.Contains(t, d.String(), "@@ 10 more unexpected\n")
}

// Whatever a run found, its own records expect it, in any order.
func TestRecordsExpectThemselves(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		scans := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) detect.Scan {
			src := []string{"203.0.113.1", "203.0.113.2", "2001:db8::1"}[rapid.IntRange(0, 2).Draw(t, "src")]
			s := scan(src, rapid.IntRange(1, 5).Draw(t, "ports"))
			s.VLAN = uint16(rapid.IntRange(0, 1).Draw(t, "vlan"))
			s.Rate = rapid.Float64Range(0, 1e6).Draw(t, "rate")
			return s
		}), 0, 12).Draw(t, "scans")
		var lines []string
		for _, s := range rapid.Permutation(scans).Draw(t, "order") {
			line, err := json.Marshal(s)
			require.NoError(t, err)
			lines = append(lines, string(line))
		}
		list, err := expect.Read(strings.NewReader(strings.Join(lines, "\n")), "run")
		require.NoError(t, err)
		d := list.Match(scans)
		require.True(t, d.None(), d.String())
	})
}

func FuzzRead(f *testing.F) {
	f.Add(`{"src":"203.0.113.1","outcomes":{"answered":2}}`)
	f.Add("# note\n{\"ports\":1e999}\n")
	f.Fuzz(func(t *testing.T, text string) {
		list, err := expect.Read(strings.NewReader(text), "fuzz")
		if err != nil {
			require.Nil(t, list)
			return
		}
		d := list.Match([]detect.Scan{scan("203.0.113.1", 200)})
		require.Equal(t, d.None(), d.String() == "")
	})
}

// A scan that was reopened is one: as it closed last.
func TestReopenedScanIsOne(t *testing.T) {
	first := scan("203.0.113.1", 200)
	first.ID = "0123456789abcdef"
	reopened, last := first, first
	reopened.Phase, reopened.Verdict = detect.Reopen, detect.Engaged
	last.Verdict = detect.Engaged
	records := []detect.Scan{first, reopened, last}
	var text strings.Builder
	for _, s := range records {
		line, err := json.Marshal(s)
		require.NoError(t, err)
		text.Write(append(line, '\n'))
	}
	list, err := expect.Read(strings.NewReader(text.String()), "records")
	require.NoError(t, err)
	for n, scans := range [][]detect.Scan{records, records[:1], append(records, scan("203.0.113.2", 200))} {
		d := list.Match(scans)
		require.Equal(t, n == 0, d.None())
	}
}
