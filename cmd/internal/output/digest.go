package output

import (
	"fmt"
	"strings"

	"github.com/synoptic-ids/synoptic/detect"
)

// Digest says of an hour what scans closed in it and were not written to an output, for they
// are less severe than was asked for there.
type Digest struct {
	Event       string            `json:"event"` // always "digest"
	Time        detect.Time       `json:"time"`  // when the record became due, by the packets' clock
	First       detect.Time       `json:"first"` // the hour begins
	Last        detect.Time       `json:"last"`  // and ends
	MinSeverity int               `json:"min_severity"`
	Scans       uint64            `json:"scans"`
	Sources     int               `json:"sources"`             // distinct addresses
	Estimated   bool              `json:"estimated,omitempty"` // there may be more sources than that
	Targets     uint64            `json:"targets"`             // of each scan, distinct
	Attempts    uint64            `json:"attempts"`
	Techniques  []DigestTechnique `json:"techniques"`
	Ports       []DigestPort      `json:"ports"` // the ten most scanned, of scans of one port
	// PortsOthers counts the scans of one port that is not listed, and Mixed those of
	// several ports or of none.
	PortsOthers uint64 `json:"ports_others,omitempty"`
	Mixed       uint64 `json:"mixed,omitempty"`
}

// DigestTechnique is how many scans were done in one way.
type DigestTechnique struct {
	Technique string `json:"technique"`
	Scans     uint64 `json:"scans"`
}

// DigestPort is how many scans wanted one port.
type DigestPort struct {
	Port  uint16 `json:"port"`
	Proto string `json:"proto"`
	Scans uint64 `json:"scans"`
}

// Digest implements [Encoder].
func (j *JSON) Digest(d *Digest) error { return writeLine(j.w, d) }

// Digest implements [Encoder]: scans are no records of this format.
func (*Attempts) Digest(*Digest) error { return nil }

// Digest implements [Encoder]: an explanation withholds nothing.
func (*Explain) Digest(*Digest) error { return nil }

// Digest implements [Encoder]: other thresholds withhold nothing.
func (*Sweep) Digest(*Digest) error { return nil }

// Digest implements [Encoder].
func (t *Text) Digest(d *Digest) error {
	t.begin(d.First)
	p := painter(t.cfg.Color)
	_, _ = fmt.Fprintf(t.w, "%s %s %s\n", p.dim(t.clock(d.Time)), p.dim(d.Event), digested(d))
	return t.w.Flush()
}

// digested says what was withheld.
func digested(d *Digest) string {
	sources := count(uint64(d.Sources), "source")
	if d.Estimated {
		sources = "more than " + sources
	}
	parts := []string{fmt.Sprintf("%s of less severity by %s since %s", count(d.Scans, "scan"), sources, d.First.Std().Format("15:04"))}
	var ways, ports []string
	for _, w := range d.Techniques {
		ways = append(ways, fmt.Sprintf("%s %s", w.Technique, grouped(w.Scans)))
	}
	for _, w := range d.Ports {
		ports = append(ports, fmt.Sprintf("%d/%s %s", w.Port, w.Proto, grouped(w.Scans)))
	}
	parts = append(parts, strings.Join(ways, ", "))
	if len(ports) > 0 {
		parts = append(parts, "most wanted "+strings.Join(ports, ", "))
	}
	return strings.Join(parts, "; ")
}
