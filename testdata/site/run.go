package site

import (
	"context"
	"net/netip"

	"github.com/synoptic-ids/synoptic/detect"
	"github.com/synoptic-ids/synoptic/detect/sensor"
	"github.com/synoptic-ids/synoptic/flows"
)

// Result is what a sensor made of a day.
type Result struct {
	Scans       []detect.Scan // closed scans, in the order in which they closed
	Summary     sensor.Summary
	Scanners    []Scanner
	SourceHours int // hours in which a source attempted anything, over all sources
}

// Run puts a day through the whole line. The home networks of rules are those
// of the site.
func Run(cfg Config, rules detect.Rules) (Result, error) {
	var r Result
	type hour struct {
		src [16]byte
		n   int64
	}
	active := map[hour]struct{}{}
	rules.Home = Home()
	s, err := sensor.New(sensor.Config{
		Rules: rules,
		OnScan: func(sc detect.Scan) {
			r.Scans = detect.AddClosed(r.Scans, sc)
		},
		OnAttempt: func(a flows.Attempt) { active[hour{a.Initiator, a.Start / 3600e9}] = struct{}{} },
	})
	if err != nil {
		return r, err
	}
	day := New(cfg)
	r.Summary, err = s.Run(context.Background(), day)
	r.Scanners, r.SourceHours = day.Scanners(), len(active)
	return r, err
}

// Wrong are the scans whose source is no scanner.
func (r *Result) Wrong() (wrong []detect.Scan) {
	scanners := map[netip.Addr]bool{}
	for _, sc := range r.Scanners {
		scanners[sc.Src] = true
	}
	for _, s := range r.Scans {
		if !scanners[s.Src] {
			wrong = append(wrong, s)
		}
	}
	return wrong
}

// Missed are the scanners of whom there is no scan by their technique.
func (r *Result) Missed() (missed []Scanner) {
	for _, sc := range r.Scanners {
		if r.Named(sc) == 0 {
			missed = append(missed, sc)
		}
	}
	return missed
}

// Named is how many scans there are of a scanner by its technique.
func (r *Result) Named(sc Scanner) (n int) {
	for _, s := range r.Scans {
		if s.Src == sc.Src && s.Technique == sc.Technique {
			n++
		}
	}
	return n
}
