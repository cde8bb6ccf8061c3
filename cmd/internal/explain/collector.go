package explain

import (
	"net/netip"

	"github.com/synoptic-ids/synoptic/detect"
	"github.com/synoptic-ids/synoptic/flows"
)

// Bounds on what is collected. Beyond the first the explanation is partial, and
// says so.
const (
	maxAttempts = 1 << 18 // of the address, at some 250 bytes
	maxSources  = 1 << 18 // who began attempts, at some 50 bytes
	maxVisitors = 1 << 16 // who tried to reach the address
	maxNamed    = 1 << 16 // sources of scans
)

// Collector collects, while a run goes on, what an explanation is made of. It
// belongs to the goroutine of the engine, which must also be that of the table:
// the sensor runs inline. It implements [detect.Trace].
type Collector struct {
	addr    [16]byte
	asked   bool
	begun   attempts
	now     *attempt    // the attempt of the address that is being decided about
	at      detect.Time // of what is being decided
	own     standings   // of the address, by rule
	misses  misses      // of everybody, by rule
	sent    Packets
	got     uint64
	packets uint64 // of everybody
	visits  map[[16]byte]*Visitor
	sources map[[16]byte]uint64
	named   map[netip.Addr]bool
	scans   []detect.Scan // of the address, as they closed
	partial bool
}

// New makes a collector for an address, or for nobody in particular if it is
// not valid, under rules in force.
func New(addr netip.Addr, rules detect.Rules) *Collector {
	names := make([]string, 0, len(rules.Rules))
	for _, r := range rules.Rules {
		names = append(names, r.Name)
	}
	c := &Collector{
		begun: attempts{index: map[attemptKey]int{}}, own: standings{}, misses: newMisses(names),
		visits: map[[16]byte]*Visitor{}, sources: map[[16]byte]uint64{}, named: map[netip.Addr]bool{},
	}
	if addr.IsValid() {
		c.addr, c.asked = addr.Unmap().As16(), true
	}
	return c
}

// Packet takes a packet that reached the table, and what it was to it.
func (c *Collector) Packet(p *flows.Packet, fate flows.Fate) {
	c.packets++
	if !c.asked {
		return
	}
	if p.Dst == c.addr {
		c.got++
	}
	if p.Src != c.addr {
		return
	}
	c.sent.Total++
	switch fate {
	case flows.FateAttempt:
		c.sent.Began++
	case flows.FateBackscatter:
		c.sent.Backscatter++
	case flows.FateMidStream:
		c.sent.MidStream++
	default:
		c.sent.Continued++
	}
}

// Attempt implements [detect.Trace].
func (c *Collector) Attempt(ev *flows.Event) {
	c.now, c.at = nil, detect.Time(ev.At+ev.Start-ev.Line)
	begins := ev.Kind == flows.Opened && ev.Connections == 1
	if _, known := c.sources[ev.Initiator]; begins && (known || len(c.sources) < maxSources) {
		c.sources[ev.Initiator]++
	}
	if !c.asked {
		return
	}
	if ev.Responder == c.addr {
		c.visited(ev, begins)
	}
	if ev.Initiator == c.addr {
		c.now = c.begun.take(ev)
		c.partial = c.partial || c.now == nil
	}
}

// visited notes who tries to reach the address.
func (c *Collector) visited(ev *flows.Event, begins bool) {
	v := c.visits[ev.Initiator]
	if v == nil {
		if len(c.visits) >= maxVisitors {
			c.partial = true
			return
		}
		v = &Visitor{Src: flows.Addr(ev.Initiator)}
		c.visits[ev.Initiator] = v
	}
	if begins {
		v.Attempts++
	}
	switch ev.Kind {
	case flows.Counted:
		v.Counted++
	case flows.Withdrawn:
		v.Counted--
	}
}

// Excused implements [detect.Trace].
func (c *Collector) Excused(why detect.Excuse) {
	if c.now != nil {
		c.now.excuse = why
	}
}

// Stands implements [detect.Trace].
func (c *Collector) Stands(st detect.Standing) {
	if c.now != nil {
		c.now.ruled = true
		c.own.take(&st, c.at)
	}
	c.misses.take(&st, c.at)
}

// Scan takes a record of a scan.
func (c *Collector) Scan(s *detect.Scan) {
	ours := false
	for _, src := range sourcesOf(s) {
		ours = ours || c.asked && src == flows.Addr(c.addr)
		if len(c.named) < maxNamed {
			c.named[src] = true
		} else {
			c.partial = true
		}
	}
	if ours && s.Phase == detect.Close {
		c.closed(s)
	}
}

// closed keeps the last record of a scan of the address.
func (c *Collector) closed(s *detect.Scan) {
	for i := range c.scans {
		if c.scans[i].ID == s.ID {
			c.scans[i] = *s
			return
		}
	}
	c.scans = append(c.scans, *s)
}

// sourcesOf are the sources that a scan names: its one, or of one by many those that the
// record has.
func sourcesOf(s *detect.Scan) []netip.Addr {
	if s.Src.IsValid() {
		return []netip.Addr{s.Src}
	}
	return s.Srcs
}
