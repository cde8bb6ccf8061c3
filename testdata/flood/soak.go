package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/synoptic-ids/synoptic/capture"
	"github.com/synoptic-ids/synoptic/detect"
)

// soak takes one flood after the other through one line for a time, and prints every
// so often how fast it goes and how much memory it holds.
func soak(w io.Writer, m model, lasts, every time.Duration) error {
	e := &endless{source: newSource(m, began), w: w, every: every}
	s, err := newSensor(m.memory, e.note)
	if err != nil {
		return err
	}
	e.end = time.Now().Add(lasts)
	e.begin()
	_, err = s.Run(context.Background(), e)
	return err
}

// endless is one flood behind the other, until a time by the clock on the wall.
type endless struct {
	*source
	w       io.Writer
	end     time.Time
	every   time.Duration
	floods  int
	earlier uint64        // packets of floods before
	scans   atomic.Uint64 // that closed, of scanners
	wrong   atomic.Uint64 // of others

	since   time.Time // the last line
	packets uint64
	cpu, gc time.Duration
}

// note counts a scan.
func (e *endless) note(s detect.Scan) {
	if s.Phase != detect.Close {
		return
	}
	if w, _ := ownerOf(s.Src); w == aScanner {
		e.scans.Add(1)
	} else {
		e.wrong.Add(1)
	}
}

// begin begins a line.
func (e *endless) begin() {
	e.since, e.packets, e.cpu, e.gc = time.Now(), e.earlier+e.source.packets, ownCPU(), gcCPU()
}

// tell writes a line.
func (e *endless) tell() error {
	took, n := time.Since(e.since), e.earlier+e.source.packets-e.packets
	cpu := ownCPU() - e.cpu
	resident, peak := memory()
	_, err := fmt.Fprintf(e.w, "flood %d: %.2f M packets a second, %.0f ns of CPU each, %.1f %% collecting garbage; resident %d MiB, at most %d; %d scans closed, %d of them wrong\n",
		e.floods+1, float64(n)/1e6/took.Seconds(), float64(cpu)/float64(max(n, 1)), 100*(gcCPU()-e.gc).Seconds()/max(cpu.Seconds(), 1e-9),
		resident>>20, peak>>20, e.scans.Load()+e.wrong.Load(), e.wrong.Load())
	e.begin()
	return err
}

// Read is [capture.Source].
func (e *endless) Read(fs []capture.Frame) (int, error) {
	if now := time.Now(); now.Sub(e.since) >= e.every {
		if err := e.tell(); err != nil {
			return 0, err
		}
		if !now.Before(e.end) {
			return 0, io.EOF
		}
	}
	n, err := e.source.Read(fs)
	if errors.Is(err, io.EOF) {
		e.earlier += e.source.packets
		e.floods++
		m := e.m
		m.seed++
		e.source = newSource(m, e.base+int64(e.m.span)+int64(time.Minute))
		return e.source.Read(fs)
	}
	return n, err
}
