package output_test

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/cmd/internal/output"
	"github.com/synoptic-ids/synoptic/detect"
	"github.com/synoptic-ids/synoptic/detect/sensor"
)

// allowed is a scan under two entries of an allow-list, and strayed one that left
// them at its end.
func allowed(t *testing.T) detect.Scan {
	t.Helper()
	s := vertical(t)
	s.ID, s.Src, s.Risk, s.Severity = "00000000000000aa", netip.MustParseAddr("192.0.2.77"), 0, 4
	expires := at(t, "2026-12-31 23:00:00.000")
	s.Authorized = []detect.Authorization{{Name: "weekly-scan", Note: "J. Doe\x1b[2J, ticket 4711", Expires: &expires}, {Name: "monitoring"}}
	return s
}

func strayed(t *testing.T) detect.Scan {
	t.Helper()
	s := vertical(t)
	s.ID, s.Src = "00000000000000bb", netip.MustParseAddr("192.0.2.78")
	s.Outside = &detect.Outside{
		Name: "weekly-scan", Reason: "port 445", Time: s.Last, Host: *s.Dst, Port: 445, Proto: "tcp",
	}
	return s
}

// working is a day on which one scan was authorized all the time, and another until
// it left its authorization.
func working(t *testing.T) []detect.Scan {
	t.Helper()
	a, s := allowed(t), strayed(t)
	before, turned := opened(s), updated(s)
	before.Authorized, before.Outside = a.Authorized[:1], nil
	turned.Techniques, turned.Added = []string{"tcp-syn"}, []string{"authorization"}
	return []detect.Scan{opened(a), before, turned, a, s}
}

// encode gives scans and the account of a run to an encoder.
func encode(t *testing.T, e output.Encoder, scans []detect.Scan, r output.Run) {
	t.Helper()
	for i := range scans {
		require.NoError(t, e.Scan(&scans[i]))
	}
	require.NoError(t, e.Run(&r))
}

func TestAllowedGolden(t *testing.T) {
	for name, cfg := range map[string]output.TextConfig{"allowed.txt": {}, "allowed-colour.txt": {Color: true}} {
		var b bytes.Buffer
		encode(t, output.NewText(&b, cfg), working(t), output.Run{Inputs: []string{"-"}})
		golden(t, name, b.Bytes())
		require.NotContains(t, b.String(), "\x1b[2J")
	}
	var b bytes.Buffer
	r := output.RunOf(&sensor.Summary{})
	r.Inputs, r.Home, r.Allow = []string{"-"}, []netip.Prefix{}, []string{"weekly-scan", "monitoring"}
	encode(t, output.NewJSON(&b), working(t), r)
	golden(t, "allowed.jsonl", b.Bytes())
	schema := compile(t)
	for line := range bytes.Lines(b.Bytes()) {
		require.NoError(t, validate(t, schema, line), string(line))
	}
}

// TestTableHasAuthorizedLast: however grave they are.
func TestTableHasAuthorizedLast(t *testing.T) {
	var b bytes.Buffer
	encode(t, output.NewText(&b, output.TextConfig{}), []detect.Scan{allowed(t), strayed(t)}, output.Run{})
	_, table, _ := strings.Cut(b.String(), "SOURCE")
	require.Less(t, strings.Index(table, "192.0.2.78"), strings.Index(table, "192.0.2.77"))
}
