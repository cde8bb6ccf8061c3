// Package scantest is for tests that say what a capture must show: which scans
// it holds, or that it holds none.
//
//	func TestNightlyScan(t *testing.T) {
//		got := scantest.Replay(t, "testdata/night.pcap", sensor.Config{})
//		scantest.RequireScans(t, got.Scans, scantest.Want{
//			Src: "203.0.113.66", Shape: detect.Vertical, Ports: 200,
//		})
//	}
//
// What a capture shows does not depend on the machine or the time of day, so
// such a test cannot be flaky. A whole expectation can be kept in a file: what
// synoptic -r FILE --json prints, or some fields of it by hand. See
// [RequireExpected].
package scantest

import (
	"context"
	"strings"
	"testing"

	"github.com/synoptic-ids/synoptic/capture"
	"github.com/synoptic-ids/synoptic/detect"
	"github.com/synoptic-ids/synoptic/detect/sensor"
)

// Result is what a replay found.
type Result struct {
	// Scans are the closed scans, in the order in which they first closed, as they
	// closed last, without those merged into another.
	Scans   []detect.Scan
	Records []detect.Scan // all records: open, update, close, reopen
	Summary sensor.Summary
}

// Replay reads a capture (or a directory of them) through a sensor and returns
// what it found. The test ends at once if the capture cannot be read; damage
// inside it is in [Result.Summary]. The callbacks of cfg are called as well.
func Replay(t testing.TB, file string, cfg sensor.Config) Result {
	t.Helper()
	var r Result
	report := cfg.OnScan
	cfg.OnScan = func(s detect.Scan) {
		r.Records = append(r.Records, s)
		r.Scans = detect.AddClosed(r.Scans, s)
		if report != nil {
			report(s)
		}
	}
	s, err := sensor.New(cfg)
	if err != nil {
		t.Fatalf("replaying %s: %v", file, err)
		return r
	}
	source, err := capture.Join([]string{file}, capture.Config{})
	if err != nil {
		t.Fatalf("replaying %s: %v", file, err)
		return r
	}
	defer func() { _ = source.Close() }()
	if r.Summary, err = s.Run(context.Background(), source); err != nil {
		t.Fatalf("replaying %s: %v", file, err)
	}
	for _, refused := range r.Summary.Refused {
		t.Fatalf("replaying %s: %v", file, strings.TrimPrefix(refused.Error(), file+": "))
	}
	return r
}
