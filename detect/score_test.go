package detect

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestConfidence(t *testing.T) {
	plain := func() Scan {
		return Scan{Targets: 10, Proto: "tcp", Verdict: Refused, Evidence: Evidence{Value: 10, Threshold: 9, Window: "5m"}, Rules: make([]Fired, 1)}
	}
	for _, tt := range []struct {
		name    string
		change  func(*Scan)
		want    float64
		reasons int
	}{
		{"a rule fired", func(*Scan) {}, 0.6, 0},
		{"a tool", func(s *Scan) { s.Tool = &Tool{} }, 0.8, 1},
		{"crafted", func(s *Scan) { s.Evidence.Crafted = 5 }, 0.75, 1},
		{"large", func(s *Scan) { s.Targets = 100 }, 0.8, 2},
		{"two rules", func(s *Scan) { s.Rules = make([]Fired, 2) }, 0.65, 1},
		{"a walk alone", func(s *Scan) { s.Evidence.Window = "walk" }, 0.5, 1},
		{"silent UDP", func(s *Scan) { s.Proto = "udp" }, 0.5, 1},
		{"one way", func(s *Scan) { s.Verdict = Unknown }, 0.45, 1},
		{"cut", func(s *Scan) { s.Cut = 5 }, 0.5, 1},
		{"estimated", func(s *Scan) { s.Estimated = true }, 0.55, 1},
		{"everything speaks for it", func(s *Scan) {
			s.Tool, s.Targets, s.Evidence.Crafted, s.Rules = &Tool{}, 1000, 1000, make([]Fired, 3)
		}, 0.99, 5},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := plain()
			tt.change(&s)
			got, reasons := confidence(&s)
			require.InDelta(t, tt.want, got, 1e-9)
			require.Len(t, reasons, tt.reasons)
		})
	}
}

func TestRisk(t *testing.T) {
	require.Equal(t, 12, risk(&Scan{Severity: 1, Confidence: 0.6}))
	require.Equal(t, 79, risk(&Scan{Severity: 4, Confidence: 0.99}))
	require.Equal(t, 99, risk(&Scan{Severity: 5, Confidence: 0.99}))
	require.Zero(t, risk(&Scan{Severity: 5, Confidence: 0.99, Authorized: []Authorization{{Name: "x"}}}))
}

// TestToolIsNamed: a scan says what its probes bear the mark of, the next one of the
// source begins anew.
func TestToolIsNamed(t *testing.T) {
	w := newWire(t, profile(t, "default"))
	for i := range 20 {
		c := w.dial(outside, nth("10.0.0.0", i), 23)
		c.seq = binary.BigEndian.Uint32(c.to[12:]) // as Mirai has it
		syn := c.syn()
		syn.Window = 14600
		w.send(float64(i), syn)
	}
	for i := range 20 {
		w.knock(86400+float64(i), outside, nth("10.0.0.0", i), 23)
	}
	w.end()
	closed := w.phase(Close)
	require.Len(t, closed, 2)
	require.NotNil(t, closed[0].Tool)
	require.Equal(t, Tool{Name: "mirai", Matched: 20, Of: 20}, *closed[0].Tool)
	require.Nil(t, closed[1].Tool)
}
