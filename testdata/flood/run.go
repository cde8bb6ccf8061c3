package main

import (
	"context"
	"errors"
	"io"
	"runtime/debug"

	"github.com/synoptic-ids/synoptic/capture"
	"github.com/synoptic-ids/synoptic/detect"
	"github.com/synoptic-ids/synoptic/detect/sensor"
)

// outcome is what came of a flood.
type outcome struct {
	m        model
	scanners []scanner
	found    []finding // by scanner, the largest of its scans; zero: none
	times    []int     // by scanner, how often it was named
	spoofed  int       // forged sources named
	hosts    int       // ordinary hosts named
	others   int       // others named
	summary  sensor.Summary
	making   usage // of the packets alone
	used     usage // of the run, the making of the packets included
}

// finding is what is kept of a record.
type finding struct {
	Targets, Hosts, Ports int
	Outcomes              detect.Outcomes
	Estimated             bool
}

// run makes a flood twice: once into nothing, for what the making costs, and once
// through the whole line.
func run(m model) (*outcome, error) {
	o := &outcome{m: m}
	var err error
	if o.making, err = measured(func() error { return drain(newSource(m, began)) }); err != nil {
		return nil, err
	}
	src := newSource(m, began)
	o.scanners = src.scanners
	o.found, o.times = make([]finding, m.scanners), make([]int, m.scanners)
	s, err := newSensor(m.memory, o.take)
	if err != nil {
		return nil, err
	}
	o.used, err = measured(func() (err error) {
		o.summary, err = s.Run(context.Background(), src)
		return err
	})
	return o, err
}

// newSensor is the line as the program has it with so many MiB.
func newSensor(memory int64, report func(detect.Scan)) (*sensor.Sensor, error) {
	rules, err := detect.Profile("default")
	if err != nil {
		return nil, err
	}
	rules.Home = ourNets()
	cfg := sensor.Config{Rules: rules, OnScan: report}
	if _, err := cfg.Fit(memory << 20); err != nil {
		return nil, err
	}
	debug.SetGCPercent(400)
	debug.SetMemoryLimit((memory + 24) << 20)
	return sensor.New(cfg)
}

// drain reads a source to its end.
func drain(src capture.Source) error {
	frames := make([]capture.Frame, 256)
	for {
		if _, err := src.Read(frames); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// take takes the last record of a scan.
func (o *outcome) take(s detect.Scan) {
	if s.Phase != detect.Close {
		return
	}
	w, i := ownerOf(s.Src)
	switch {
	case w == aScanner && i < len(o.found):
		o.times[i]++
		if s.Targets > o.found[i].Targets {
			// Of the record what is compared, so that the account takes no memory.
			o.found[i] = finding{s.Targets, s.Hosts, s.Ports, s.Outcomes, s.Estimated}
		}
	case w == aSpoofed:
		o.spoofed++
	case w == aHost:
		o.hosts++
	default:
		o.others++
	}
}
