package scantest

import (
	"os"
	"testing"

	"github.com/synoptic-ids/synoptic/detect"
	"github.com/synoptic-ids/synoptic/detect/scantest/expect"
)

// Want is what a scan must be. Zero fields are not compared.
type Want struct {
	Src       string       // address of the scanner, where there is one
	Sources   int          // how many there are, where there are many
	Shape     detect.Shape // of its largest part
	Technique string       // of its largest part: "tcp-syn", "udp" …
	Hosts     int          // distinct hosts
	Ports     int          // distinct ports
	Targets   int          // distinct (host, protocol, port)
}

// fields are those of a scan record that w gives.
func (w Want) fields() map[string]any {
	fields := map[string]any{}
	for name, value := range map[string]string{"src": w.Src, "shape": string(w.Shape), "technique": w.Technique} {
		if value != "" {
			fields[name] = value
		}
	}
	for name, value := range map[string]int{"sources": w.Sources, "hosts": w.Hosts, "ports": w.Ports, "targets": w.Targets} {
		if value != 0 {
			fields[name] = value
		}
	}
	return fields
}

// RequireScans ends the test unless the closed scans in got are those wanted:
// one for each, in any order, and no other.
func RequireScans(t testing.TB, got []detect.Scan, want ...Want) {
	t.Helper()
	list := expect.List{Name: "wanted"}
	for _, w := range want {
		e, err := expect.Fields(w.fields())
		if err != nil {
			t.Fatalf("wanted scan: %v", err)
			return
		}
		list.Want = append(list.Want, e)
	}
	require(t, &list, got)
}

// RequireNoScans ends the test if there is a scan.
func RequireNoScans(t testing.TB, got []detect.Scan) {
	t.Helper()
	require(t, &expect.List{Name: "wanted"}, got)
}

// RequireExpected ends the test unless the closed scans of a result are those
// of a file: JSON records, one a line, as synoptic --json prints them. Of each
// only the fields it gives are compared.
func RequireExpected(t testing.TB, result Result, file string) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatalf("expected scans: %v", err)
		return
	}
	defer func() { _ = f.Close() }()
	list, err := expect.Read(f, file)
	if err != nil {
		t.Fatalf("expected scans: %v", err)
		return
	}
	require(t, list, result.Scans)
}

func require(t testing.TB, list *expect.List, got []detect.Scan) {
	t.Helper()
	if d := list.Match(got); !d.None() {
		t.Fatalf("scans differ: %s\n%s", d.Summary(), d.String())
	}
}
