package output

import (
	"io"
	"net/netip"

	"github.com/synoptic-ids/synoptic/detect"
	"github.com/synoptic-ids/synoptic/flows"
)

// Attempt is an attempt as it is written: who tried to reach what, and what
// came of it.
type Attempt struct {
	Event     string      `json:"event"` // always "attempt"
	Time      detect.Time `json:"time"`  // of its first packet
	Src       netip.Addr  `json:"src"`
	SrcPort   *uint16     `json:"sport,omitempty"` // of the latest connection; absent where there are no ports
	Dst       netip.Addr  `json:"dst"`
	DstPort   *uint16     `json:"dport,omitempty"` // absent where there are no ports
	Proto     string      `json:"proto"`
	IPProto   *uint8      `json:"ip_proto,omitempty"` // only where proto is ip
	Technique string      `json:"technique"`
	Outcome   string      `json:"outcome"`
	Code      *uint8      `json:"code,omitempty"` // ICMP code, where the outcome is unreachable
	Handshake bool        `json:"handshake"`
	HalfOpen  bool        `json:"half_open"`
	Counted   bool        `json:"counted"`
	// Connections counts source ports or sequence numbers tried, Packets the
	// first packets with their copies.
	Connections uint32 `json:"connections"`
	Packets     uint32 `json:"packets"`
	Cut         bool   `json:"cut,omitempty"`
	Judged      string `json:"judged,omitempty"` // of an explanation: "counted", or why not
}

// AttemptOf is the record of an attempt.
func AttemptOf(a *flows.Attempt) Attempt {
	r := Attempt{
		Event:     "attempt",
		Time:      detect.Time(a.Start),
		Src:       flows.Addr(a.Initiator),
		Dst:       flows.Addr(a.Responder),
		Proto:     detect.ProtoName(a.Class),
		Technique: detect.TechniqueName(a),
		Outcome:   detect.OutcomeName(a.Outcome),
		Handshake: a.Handshake, HalfOpen: a.HalfOpen, Counted: a.Counted,
		Connections: a.Connections, Packets: a.Packets, Cut: a.Cut,
	}
	switch a.Class {
	case flows.ClassTCP, flows.ClassUDP, flows.ClassSCTP:
		sport, dport := a.SrcPort, a.Port
		r.SrcPort, r.DstPort = &sport, &dport
	case flows.ClassProtocol:
		proto := a.Proto
		r.IPProto = &proto
	}
	if a.Outcome == flows.Unreachable {
		code := a.Code
		r.Code = &code
	}
	return r
}

// Attempts writes attempts, one JSON object a line.
type Attempts struct{ w io.Writer }

// NewAttempts makes an encoder of attempts.
func NewAttempts(w io.Writer) *Attempts { return &Attempts{w} }

// Scan implements [Encoder]: scans are no records of this format.
func (*Attempts) Scan(*detect.Scan) error { return nil }

// Notice implements [Encoder]: notices are no records of this format.
func (*Attempts) Notice(*detect.Notice) error { return nil }

// Attempt implements [Encoder].
func (e *Attempts) Attempt(a *flows.Attempt) error { return writeLine(e.w, AttemptOf(a)) }

// Run implements [Encoder]: the run is no record of this format.
func (*Attempts) Run(*Run) error { return nil }
