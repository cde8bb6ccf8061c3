package detect

import "github.com/synoptic-ids/synoptic/flows"

// attempted is an attempt as rules and scans see it: the latest that is known of it.
type attempted struct {
	prev        uint64 // in the history, the source's attempt before, as a position
	responder   [16]byte
	line, start int64
	packets     uint32
	connections uint32
	port        uint16
	vlan        uint16
	proto       uint8
	code        uint8
	class       flows.Class
	technique   flows.Technique
	outcome     flows.Outcome
	counted     bool // counts as unproductive, still
	flagged     bool // a rule counts it whatever came of it
	excused     bool // it counts as unproductive, but is no evidence
	crafted     bool
	handshake   bool
	halfOpen    bool
	cut         bool
}

// material reports whether an attempt makes up a scan.
func (a *attempted) material() bool { return a.counted && !a.excused || a.flagged }

// history is a ring of the latest attempts of all sources, those of one source
// chained from the latest back. Positions count from 1 and are never reused: one that has
// fallen out of the ring ends the chain.
type history struct {
	chunks [][]attempted // of historyChunk each, made as they are needed
	max    uint64
	last   uint64 // position of the newest
	// It began with what was saved, from position 2 on. Of what was not, the latest was at
	// lost on the line clock, if any.
	loaded, forgot bool
	lost           int64
}

const historyChunk = 1 << 12

func (h *history) at(pos uint64) *attempted {
	if pos == 0 || pos > h.last || h.last-pos >= h.max {
		return nil
	}
	i := (pos - 1) % h.max
	return &h.chunks[i/historyChunk][i%historyChunk]
}

// reaches reports whether whatever was forgotten began before a time.
func (h *history) reaches(line int64) bool {
	return (h.last <= h.max || h.at(h.last-h.max+1).line < line) && (!h.forgot || h.lost < line)
}

// renew notes what has become of a remembered attempt, in its place, and
// reports whether it is remembered. Whether it is crafted was settled when it was
// added.
func (h *history) renew(s *source, a *attempted) bool {
	old := h.same(s, a)
	if old == nil {
		return false
	}
	a.crafted = old.crafted
	a.flagged = a.flagged || old.flagged
	a.excused = old.excused && a.counted
	s.talks = s.talks || a.outcome == flows.Productive
	prev := old.prev
	*old = *a
	old.prev = prev
	return true
}

// add remembers an attempt.
func (h *history) add(s *source, a *attempted) {
	h.last++
	if i := (h.last - 1) % h.max; i/historyChunk == uint64(len(h.chunks)) {
		h.chunks = append(h.chunks, make([]attempted, min(historyChunk, h.max)))
	}
	s.talks = s.talks || a.outcome == flows.Productive
	slot := h.at(h.last)
	*slot = *a
	slot.prev, s.newest = s.newest, h.last
}

// flag notes that a rule counts an attempt whatever came of it.
func (h *history) flag(s *source, a *attempted) {
	if old := h.same(s, a); old != nil {
		old.flagged = true
	}
}

// near is how far back a change to an attempt looks for it.
const near = 64

// same finds what is remembered of an attempt.
func (h *history) same(s *source, a *attempted) *attempted {
	pos := s.newest
	for range near {
		o := h.at(pos)
		if o == nil {
			return nil
		}
		if o.start == a.start && o.responder == a.responder && o.port == a.port && o.proto == a.proto && o.class == a.class && o.technique == a.technique {
			return o
		}
		pos = o.prev
	}
	return nil
}
