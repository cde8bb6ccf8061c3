package scantest_test

import (
	"fmt"
	"testing"

	"github.com/synoptic-ids/synoptic/detect"
	"github.com/synoptic-ids/synoptic/detect/scantest"
	"github.com/synoptic-ids/synoptic/detect/sensor"
)

// printer stands for the *testing.T of a test: what would end the test is
// printed.
type printer struct{ testing.TB }

func (printer) Helper() {}

func (printer) Fatalf(format string, args ...any) { fmt.Printf(format, args...) }

func ExampleReplay() {
	var t printer // in a test: t *testing.T
	got := scantest.Replay(t, "../../testdata/captures/syn-vertical.pcap", sensor.Config{})
	for _, s := range got.Scans {
		fmt.Println(s.Src, s.Shape, s.Ports, "ports of", s.Dst)
	}
	// Output: 203.0.113.250 vertical 200 ports of 198.51.100.10
}

func ExampleRequireScans() {
	var t printer // in a test: t *testing.T
	got := scantest.Replay(t, "../../testdata/captures/syn-vertical.pcap", sensor.Config{})
	scantest.RequireScans(t, got.Scans, scantest.Want{
		Src: "203.0.113.250", Shape: detect.Vertical, Technique: "tcp-syn", Ports: 100,
	})
	// Output:
	// scans differ: 1 different
	// --- wanted
	// +++ scans
	// @@ 203.0.113.250 vertical tcp-syn
	// -ports: 100
	// +ports: 200
}

func ExampleRequireNoScans() {
	var t printer // in a test: t *testing.T
	got := scantest.Replay(t, "../../testdata/captures/mail.pcap", sensor.Config{})
	scantest.RequireNoScans(t, got.Scans)
	fmt.Println("no scan")
	// Output: no scan
}

func ExampleRequireExpected() {
	var t printer // in a test: t *testing.T
	got := scantest.Replay(t, "../../testdata/captures/syn-vertical.pcap", sensor.Config{})
	scantest.RequireExpected(t, got, "testdata/syn-vertical.jsonl")
	fmt.Println("as expected")
	// Output: as expected
}
