package detect

import (
	"github.com/synoptic-ids/synoptic/detect/marks"
	"github.com/synoptic-ids/synoptic/flows"
)

// acquaint holds a probe against those of other sources, and takes together those that send
// the same. What tools write is looked at when it is sent, for its sender is answered before
// its decoys are found silent; the rest once it counts.
func (e *Engine) acquaint(ev *flows.Event) {
	if !e.judges || (ev.Kind == flows.Opened) != byTool(ev) {
		return
	}
	p, ok := marks.FromAttempt(&ev.Attempt)
	if !ok {
		return
	}
	set := &e.crowds
	set.met = set.companions.Add(&p, ev.TimeLine, set.met[:0])
	if len(set.met) == 0 {
		return
	}
	c := set.decoys(&ev.Initiator)
	for i := range set.met {
		met := &set.met[i]
		other := set.decoys(&met.Src)
		switch {
		case c == nil && other == nil:
			c = &crowd{hosts: map[[16]byte]struct{}{}, touched: e.now}
			if !set.add(c, e.now) {
				return
			}
		case c == nil:
			c = other
		case other != nil && other != c:
			e.unite(c, other)
		}
		set.join(c, &met.Src)
		set.join(c, &ev.Initiator)
		for _, h := range met.Hosts {
			c.note(h, e.cfg.Targets)
		}
	}
	c.note(ev.Responder, e.cfg.Targets)
	c.touched = e.now
	e.gather(c)
}

// byTool reports whether a probe looks like one that a tool wrote rather than a network stack.
func byTool(ev *flows.Event) bool {
	switch ev.Technique {
	case flows.TCPSYN:
		return craftedSYN(ev)
	case flows.TCPFIN, flows.TCPNull, flows.TCPXmas, flows.TCPMaimon, flows.TCPACK:
		return true
	}
	const below = 60 // nmap draws its TTLs so
	return ev.Marks&flows.MarkDF == 0 && ev.TTL < below && ev.TTL > 0
}

// note keeps a host that shared probes went to.
func (c *crowd) note(host [16]byte, bound int) {
	if len(c.hosts) < bound {
		c.hosts[host] = struct{}{}
	}
}

// decoys is the crowd of decoys that a source belongs to, or nil.
func (s *crowdSet) decoys(addr *[16]byte) *crowd {
	for _, at := range s.of(addr) {
		if at.hosts != nil {
			return at.crowd
		}
	}
	return nil
}

// unite brings the members of one crowd of decoys into another, unless each has its scan.
func (e *Engine) unite(c, other *crowd) {
	if c.inc != nil && other.inc != nil {
		return
	}
	inc, members := c.inc, other.members
	if inc == nil {
		inc = other.inc
	}
	e.crowds.drop(other)
	for i := range members {
		if n := len(c.members); e.crowds.join(c, &members[i].addr) {
			c.members[n] = members[i]
		}
	}
	for h := range other.hosts {
		c.note(h, e.cfg.Targets)
	}
	if c.inc = inc; inc != nil {
		inc.crowd = c
	}
}
