package detect

import (
	"slices"

	"github.com/synoptic-ids/synoptic/flows"
)

const (
	// outageSources is for how many others what worked must have failed.
	outageSources = 3
	// outageLife is for how long a failure speaks of an outage.
	outageLife = 600 * second
	// outagePorts is how many ports are kept at which something worked.
	outagePorts = 4
)

// outage is what shows that our way to the networks of others is gone: services that
// worked fail several of our hosts, and nothing has worked since for any of them. What
// a worm tries has not worked before, and does not show it.
type outage struct {
	failed [outageSources + 1]victim // the latest, each source once
	since  int64                     // when the first of all failed since something worked
	worked [outagePorts]uint16       // the ports of others at which something worked lately, the latest first
	ever   bool                      // something came back from there
	// The latest that is over, in line time: what began in it is final later.
	from, to int64
}

// victim is a source of ours that a service of others has failed.
type victim struct {
	tag  uint32 // 0: none
	line int64
}

// fail notes that a service that worked has failed a source.
func (o *outage) fail(tag uint32, now int64) {
	place := &o.failed[0]
	for i := range o.failed {
		v := &o.failed[i]
		if v.tag == tag {
			place = v
			break
		}
		if v.line < place.line {
			place = v
		}
	}
	*place = victim{tag, now}
	if o.since == 0 {
		o.since = now
	}
}

// work notes that something was productive at a port.
func (o *outage) work(port uint16, now int64) {
	if o.lasts(0, now) {
		o.from, o.to = o.since, now
	}
	o.ever, o.since, o.failed = true, 0, [outageSources + 1]victim{}
	if i := slices.Index(o.worked[:], port); i >= 0 {
		copy(o.worked[1:i+1], o.worked[:i])
	} else {
		copy(o.worked[1:], o.worked[:])
	}
	o.worked[0] = port
}

// lasts reports whether enough others than a source are failed.
func (o *outage) lasts(tag uint32, now int64) bool {
	others := 0
	for _, v := range o.failed {
		if v.tag != 0 && v.tag != tag && now-v.line <= outageLife {
			others++
		}
	}
	return others >= outageSources
}

// wayOut is the outage that concerns an attempt, by the version of IP: nil if it does
// not go from one of our hosts to one of others.
func (e *Engine) wayOut(s *source, a *attempted) *outage {
	if e.home.has(&a.responder) || !e.home.has(&s.addr) {
		return nil
	}
	if flows.IsIPv4(&a.responder) {
		return &e.outages[0]
	}
	return &e.outages[1]
}

// outOfReach reports whether a failure is one of an outage, to which it adds if the
// target is known to have worked. So it is where nothing has ever come back over IPv6,
// and IPv4 works at the port: hosts that were given addresses without a way out try both.
func (e *Engine) outOfReach(s *source, a *attempted, known bool) bool {
	o := e.wayOut(s, a)
	if o == nil {
		return false
	}
	if a.outcome != flows.Silent && a.outcome != flows.Unreachable {
		o.ever = true
		return false
	}
	tag := tagged(s.hash)
	if known {
		o.fail(tag, e.now)
	}
	never := o == &e.outages[1] && !o.ever && hasPorts(a.class) && slices.Contains(e.outages[0].worked[:], a.port)
	return never || o.lasts(tag, e.now) || o.from <= a.line && a.line < o.to
}
