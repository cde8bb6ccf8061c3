package detect

import (
	"github.com/synoptic-ids/synoptic/flows"
)

const (
	// savedAttempts bounds how much of the history is saved: what it takes to write a state
	// keeps the line waiting.
	savedAttempts = 1 << 16
	// attemptedLeast and sourceLeast are how many bytes each takes at least.
	attemptedLeast = 36
	sourceLeast    = 90
)

// past codes the latest attempts. At the first position nothing is put: what came before those
// that are saved is still told from nothing.
func (c *coder) past(h *history) {
	forgot, lost := h.forgot, h.lost
	if !c.reading {
		c.from = h.last - min(h.last, h.max-1, savedAttempts) + 1
		switch {
		case c.from > 1 && c.from <= h.last:
			forgot, lost = true, h.at(c.from).line
		case h.loaded:
			c.from = 2
		}
	}
	c.Bool(&forgot)
	c.line(&lost)
	n := c.Len(int(h.last-c.from+1), attemptedLeast) //nolint:gosec // no more than savedAttempts
	if !c.reading {
		for pos := c.from; pos <= h.last; pos++ {
			c.attempted(h.at(pos), pos)
		}
		return
	}
	if h.forgot, h.lost = forgot, lost; n == 0 {
		return
	}
	h.loaded = true
	if uint64(n) >= h.max {
		c.Fail("it has more attempts than are remembered")
		return
	}
	var nobody source
	h.add(&nobody, &attempted{})
	for range n {
		var a attempted
		c.attempted(&a, h.last+1)
		nobody.newest = a.prev
		h.add(&nobody, &a)
	}
}

// attempted codes an attempt that is at a position of the history.
func (c *coder) attempted(a *attempted, pos uint64) {
	c.position(&a.prev, 0)
	if c.reading && a.prev > 0 && a.prev >= pos {
		c.Fail("it has an attempt before itself")
		a.prev = 0
	}
	c.Addr(&a.responder)
	c.line(&a.line)
	c.Int(&a.start)
	c.U32(&a.packets)
	c.U32(&a.connections)
	c.U16(&a.port)
	c.U16(&a.vlan)
	c.U8(&a.proto)
	c.U8(&a.code)
	c.kind(&a.class, &a.technique)
	below(c, &a.outcome, flows.Unseen+1)
	for _, b := range []*bool{&a.counted, &a.flagged, &a.excused, &a.crafted, &a.handshake, &a.halfOpen, &a.cut} {
		c.Bool(b)
	}
}

// kind codes what kind of attempt it is.
func (c *coder) kind(class *flows.Class, technique *flows.Technique) {
	below(c, class, flows.ClassNDP+1)
	below(c, technique, flows.NDP+1)
}

// sources codes those that made an attempt that is saved, or that have a scan, alone or with others.
func (c *coder) sources(e *Engine) {
	t, now := &e.sources, e.now
	saved := func(s *source) bool {
		return s.newest >= c.from && s.newest > 0 || s.incident != nil || e.crowds.places(&s.addr, s.hash) != nil
	}
	n, forgot, lost := 0, t.forgot, t.lost
	if !c.reading {
		for i := range t.size {
			if s := t.at(i); saved(s) {
				n++
			} else if s.succeeds {
				forgot, lost = true, now
			}
		}
	}
	c.Bool(&forgot)
	c.line(&lost)
	n = c.Len(n, sourceLeast)
	if !c.reading {
		for i := range t.size {
			if s := t.at(i); saved(s) {
				c.source(s)
			}
		}
		return
	}
	t.forgot, t.lost = forgot, lost
	for range n {
		var s source
		if c.source(&s); t.full() || t.find(&s.addr) != nil {
			c.Fail("it has a source where there can be none")
			return
		}
		at := t.make(&s.addr, now)
		s.hash = at.hash
		*at = s
	}
}

func (c *coder) source(s *source) {
	c.Addr(&s.addr)
	c.position(&s.newest, 0)
	c.position(&s.after, 1)
	c.position(&s.waiting, 0)
	c.line(&s.closed)
	c.line(&s.active)
	c.Addr(&s.target)
	c.U32(&s.seq)
	c.U32(&s.ack)
	c.U32(&s.question)
	c.U16(&s.port)
	c.U16(&s.to)
	for _, b := range []*bool{&s.seen, &s.partial, &s.succeeds, &s.walks, &s.talks} {
		c.Bool(b)
	}
	c.U8(&s.alike)
	c.U8(&s.failures)
	c.U8(&s.credit)
	c.line(&s.made)
	c.Addr(&s.lone.responder)
	c.line(&s.lone.line)
	c.U16(&s.lone.port)
	below(c, &s.lone.class, flows.ClassNDP+1)
	s.votes.Code(c)
}
