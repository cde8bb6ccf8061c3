package app

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/synoptic-ids/synoptic/cmd/internal/output"
	"github.com/synoptic-ids/synoptic/detect"
)

const (
	// hour is what a digest is about.
	hour detect.Time = 3600 * 1_000_000_000
	// mostSources are told apart in an hour; beyond that their number is a lower bound.
	mostSources = 1 << 14
	// mostPorts are counted one by one, and listedPorts of them told.
	mostPorts   = 1 << 12
	listedPorts = 10
)

type wanted struct {
	port  uint16
	proto string
}

// digest counts what is withheld within an hour by the packets' clock.
type digest struct {
	output.Digest
	latest     detect.Time // when the last of them closed
	sources    map[netip.Addr]struct{}
	techniques map[string]uint64
	ports      map[wanted]uint64
}

// add counts a scan that closed. What comes late counts where it comes.
func (d *digest) add(s *detect.Scan) {
	if d.Scans == 0 {
		*d = digest{sources: map[netip.Addr]struct{}{}, techniques: map[string]uint64{}, ports: map[wanted]uint64{}}
		d.First = s.Time - s.Time%hour
		d.Last = d.First + hour
	}
	d.Scans++
	d.latest = s.Time
	d.Targets += uint64(s.Targets)
	d.Attempts += s.Attempts
	d.techniques[s.Technique]++
	sources := s.Srcs
	if s.Src.IsValid() {
		sources = []netip.Addr{s.Src}
	}
	d.Estimated = d.Estimated || s.Sources > len(sources)
	for _, src := range sources {
		if _, known := d.sources[src]; !known && len(d.sources) == mostSources {
			d.Estimated = true
			continue
		}
		d.sources[src] = struct{}{}
	}
	d.want(s)
}

// want counts the port that a scan is about.
func (d *digest) want(s *detect.Scan) {
	if s.Port == nil {
		d.Mixed++
		return
	}
	w := wanted{*s.Port, s.Proto}
	if _, known := d.ports[w]; !known && len(d.ports) == mostPorts {
		d.PortsOthers++
		return
	}
	d.ports[w]++
}

// due is whether the hour is over at a time, and something was withheld in it.
func (d *digest) due(now detect.Time) bool { return d.Scans > 0 && now >= d.Last }

// take ends the hour, and returns what is to be told of it.
func (d *digest) take(now detect.Time, least int) *output.Digest {
	r := d.Digest
	r.Event, r.Time, r.MinSeverity, r.Sources = "digest", now, least, len(d.sources)
	r.Techniques, r.Ports = []output.DigestTechnique{}, []output.DigestPort{}
	for name, n := range d.techniques {
		r.Techniques = append(r.Techniques, output.DigestTechnique{Technique: name, Scans: n})
	}
	slices.SortFunc(r.Techniques, func(a, b output.DigestTechnique) int {
		return cmp.Or(cmp.Compare(b.Scans, a.Scans), cmp.Compare(a.Technique, b.Technique))
	})
	for w, n := range d.ports {
		r.Ports = append(r.Ports, output.DigestPort{Port: w.port, Proto: w.proto, Scans: n})
	}
	slices.SortFunc(r.Ports, func(a, b output.DigestPort) int {
		return cmp.Or(cmp.Compare(b.Scans, a.Scans), cmp.Compare(a.Port, b.Port), cmp.Compare(a.Proto, b.Proto))
	})
	for len(r.Ports) > listedPorts {
		r.PortsOthers += r.Ports[len(r.Ports)-1].Scans
		r.Ports = r.Ports[:len(r.Ports)-1]
	}
	*d = digest{}
	return &r
}
