package detect

import (
	"net/netip"
	"slices"

	"github.com/synoptic-ids/synoptic/flows"
)

// maxEngaged bounds the list of engagements in one record.
const maxEngaged = 64

// Engagement is a conversation of a scanner with what it found, beyond probing, or of
// a host that it scanned with the scanner. There is one for a pair of hosts and a
// port, however often they met.
type Engagement struct {
	Src netip.Addr `json:"src"` // who opened it: the scanner, unless it was called back
	Dst netip.Addr `json:"dst"`
	// Port is that of Dst; the protocol is TCP.
	Port    uint16  `json:"port"`
	Time    Time    `json:"time"`              // when the first of them was opened
	Seconds float64 `json:"seconds,omitempty"` // for which the longest lasted, as far as was seen
	// Sent and Received are bytes of payload from and to Src, in all of them that have
	// ended by FIN or RST.
	Sent     uint64 `json:"sent,omitempty"`
	Received uint64 `json:"received,omitempty"`
}

// reach is how far a scan got beyond answers.
type reach struct {
	probed  bool // it spoke with what it found
	engaged []Engagement
	told    int // engagements that the latest record had
}

// verdict is what is to be said: by what came back, or by what came of it.
func (r *reach) verdict(t *tally) Verdict {
	switch {
	case len(r.engaged) > 0:
		return Engaged
	case r.probed:
		return Probed
	default:
		return t.verdict()
	}
}

// news reports whether there are twice the engagements of the latest record, or more.
func (r *reach) news() bool { return r.told > 0 && len(r.engaged) >= 2*r.told }

// engage notes a conversation, and reports whether its pair and port are new.
func (r *reach) engage(g *Engagement) bool {
	i := slices.IndexFunc(r.engaged, func(o Engagement) bool { return o.Src == g.Src && o.Dst == g.Dst && o.Port == g.Port })
	if i < 0 {
		if len(r.engaged) < maxEngaged {
			r.engaged = append(r.engaged, *g)
			return true
		}
		return false
	}
	known := &r.engaged[i]
	known.Seconds = max(known.Seconds, g.Seconds)
	known.Sent += g.Sent
	known.Received += g.Received
	return false
}

// engagementOf is what an event says of a conversation.
func engagementOf(ev *flows.Event) Engagement {
	began := ev.At - int64(ev.Lasted)*millisecond + ev.Start - ev.Line
	if ev.Kind != flows.Conversed {
		began = ev.Start
	}
	return Engagement{
		Src: flows.Addr(ev.Initiator), Dst: flows.Addr(ev.Responder), Port: ev.Port, Time: Time(began),
		Seconds: seconds(int64(ev.Lasted) * millisecond), Sent: uint64(ev.Sent), Received: uint64(ev.Received),
	}
}

const millisecond = second / 1000

// tried reports whether a TCP port of a host is a target of the scan, by any
// technique.
func (inc *incident) tried(host *[16]byte, port uint16) bool {
	k, hash := target{*host, port}, inc.keys.addr(host, 0)
	for _, p := range inc.parts {
		if p.class != flows.ClassTCP {
			continue
		}
		if p.targets.find(&k, k.hash(hash)) != nil {
			return true
		}
	}
	return false
}

// scanOf is an open scan of a source, alone or among others, that fits; nil if there
// is none.
func (e *Engine) scanOf(addr *[16]byte, fits func(*incident) bool) *incident {
	if s := e.sources.find(addr); s != nil && s.incident != nil && fits(s.incident) {
		return s.incident
	}
	for _, at := range e.crowds.of(addr) {
		if at.inc != nil && fits(at.inc) {
			return at.inc
		}
	}
	return nil
}

// found reports whether a port is one that a source tried in a scan, and used for the
// first time then.
func (e *Engine) found(inc *incident, src, host *[16]byte, port uint16) bool {
	return inc.tried(host, port) && !e.facts.usedBy(src, host, port, inc.firstLine, e.now)
}

// scans reports whether there is a scan that can have been reached beyond answers.
func (e *Engine) scans() bool { return len(e.open)+len(e.watches.list) > 0 }

// reached sees a productive attempt: a scanner may have spoken with a target, or may
// have been called back.
func (e *Engine) reached(pr *probe) {
	if pr.class != flows.ClassTCP || pr.outcome != flows.Productive || !e.scans() {
		return
	}
	inc := e.scanOf(&pr.event.Initiator, func(inc *incident) bool {
		return e.found(inc, &pr.event.Initiator, &pr.responder, pr.port)
	})
	if inc != nil && !inc.probed {
		inc.probed = true
		e.grown(inc, true)
	}
	e.called(pr.event)
}

// called sees a connection that may be an answer to a scan: from a host of ours that
// was scanned, to the scanner, but for those by which servers ask who their clients
// are (ident), and for FTP's data.
func (e *Engine) called(ev *flows.Event) {
	const ident, ftpData = 113, 20
	if ev.Port == ident || !e.home.has(&ev.Initiator) {
		return
	}
	if ev.SrcPort == ftpData && ev.Port >= ephemeral && e.facts.asksForFiles(&ev.Responder, &ev.Initiator, e.now) {
		return
	}
	g := engagementOf(ev)
	inc := e.scanOf(&ev.Responder, func(inc *incident) bool {
		return inc.hosts.has(&ev.Initiator, inc.keys.addr(&ev.Initiator, 0)) && !e.facts.spokeBy(&ev.Initiator, &ev.Responder, inc.firstLine, e.now)
	})
	if inc != nil {
		inc.allowed.calledBack(&g)
		e.grown(inc, inc.engage(&g) || inc.allowed.left())
		return
	}
	e.callsBack(ev, &g)
}

// observeConversed sees a connection that is more than a probe.
func (e *Engine) observeConversed(ev *flows.Event) {
	if !e.scans() {
		return
	}
	g := engagementOf(ev)
	inc := e.scanOf(&ev.Initiator, func(inc *incident) bool { return e.found(inc, &ev.Initiator, &ev.Responder, ev.Port) })
	if inc != nil {
		inc.allowed.conversed(&g)
		e.grown(inc, inc.engage(&g) || inc.allowed.left())
		return
	}
	if !e.returns(ev, &g) {
		e.called(ev)
	}
}
