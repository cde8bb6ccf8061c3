package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/synoptic-ids/synoptic/capture"
	"github.com/synoptic-ids/synoptic/detect"
)

// growth prints what a packet costs between one power of two of forged SYNs and the
// next, up to 2^most: each is a source, a target and a tuple more. Once every bound
// is reached it must not rise.
func growth(w io.Writer, memory int64, most int) error {
	m := model{memory: memory, spoofed: 1 << most, span: time.Hour, distinct: true, seed: 1}
	steps, err := costs(m)
	if err != nil {
		return err
	}
	for _, s := range steps {
		if _, err := fmt.Fprintf(w, "up to %5.1f M tuples: %4.0f ns of CPU a packet, resident %d MiB\n",
			float64(s.packets)/(1<<20), s.nanos, s.resident>>20); err != nil {
			return err
		}
	}
	return nil
}

// step is a stretch of a growing flood.
type step struct {
	packets  uint64  // from the beginning
	nanos    float64 // of CPU for each of the stretch's
	resident int64
}

// costs measures a flood by stretches, each as long as all before.
func costs(m model) ([]step, error) {
	src := &marked{source: newSource(m, began), next: 1 << 19}
	s, err := newSensor(m.memory, func(detect.Scan) {})
	if err != nil {
		return nil, err
	}
	src.cpu = ownCPU()
	if _, err := s.Run(context.Background(), src); err != nil {
		return nil, err
	}
	return src.steps, nil
}

// marked notes the CPU time when certain packets are asked for.
type marked struct {
	*source
	next  uint64
	cpu   time.Duration
	steps []step
}

// Read is [capture.Source].
func (m *marked) Read(fs []capture.Frame) (int, error) {
	n, err := m.source.Read(fs)
	if m.packets >= m.next {
		cpu := ownCPU()
		before := uint64(0)
		if k := len(m.steps); k > 0 {
			before = m.steps[k-1].packets
		}
		resident, _ := memory()
		m.steps = append(m.steps, step{m.packets, float64(cpu-m.cpu) / float64(m.packets-before), resident})
		m.cpu, m.next = cpu, 2*m.next
	}
	return n, err
}
