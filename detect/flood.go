package detect

import "github.com/synoptic-ids/synoptic/flows"

// A flood is many sources that reach for one host and want nothing of it: most are
// forged. What tells a forged source from a visitor is what a network stack
// does by itself. It sends a SYN again after a second without an answer
// (RFC 6298); it acknowledges a SYN-ACK; and its SYN has options. So an attempt
// speaks for a flood that is half-open, or has no options, or was not answered and
// yet never repeated; and one speaks against it that was repeated, completed or
// productive. Half of them must speak for it.
//
// By TCP it opens at 128 such sources in a minute: that many unfinished handshakes fill the
// least SYN backlog of Linux (tcp(7), tcp_max_syn_backlog), where each stays for 63
// seconds (tcp_synack_retries). By UDP and ICMP, where silence says less, at 1,024: more
// than go on asking for one that has left a file-sharing network.
//
// Where most attempts of a flood are forgotten before they are final, for want of
// room in the flow table, 1,024 unanswered sources are enough.
const (
	floodTCP    = 128
	floodOther  = 1024
	floodUnsure = 1024
	floodWindow = 60 * second
	// floodEach: over many ports, only sources that send fewer than 6 in 5 packets are
	// a flood. A crowd that divides the ports among it sends more.
	floodEachOf, floodEach = 5, 6
)

// kindFlood is the place of floods in hubs.
const kindFlood = 1

var floods = surgeKind{
	name: Flood, window: floodWindow,
	threshold: func(c flows.Class) int {
		if c == flows.ClassTCP {
			return floodTCP
		}
		return floodOther
	},
	holds:  isFlood,
	rename: floodOrReflection,
}

// fewPorts: sources with sixteen times fewer ports among them are services.
const fewPorts = 16

// floodOrReflection: by UDP, what comes from few ports of a thousand hosts are answers of
// services. Forged sources have forged ports.
func floodOrReflection(s *surge) NoticeKind {
	if s.hub.class == flows.ClassUDP && fewPorts*s.froms.Count(0) <= s.addresses() {
		return Reflection
	}
	return Flood
}

func isFlood(s *surge, ev NoticeEvidence) bool {
	if hasPorts(s.hub.class) && !s.to.one() && floodEachOf*ev.Weighed > floodEach*ev.Value {
		return false
	}
	if ev.Weighed < ev.Against {
		return false
	}
	return ev.Value >= ev.Threshold
}

// settles is how long it takes at most until an attempt is final.
const settles = 11 * second

// silentFlood reports whether so many sources have got no answer, and so few of their
// attempts have become final since, that they must have been forgotten.
func silentFlood(s *surge, ev NoticeEvidence) bool {
	unsure := s.unsure.Count(s.half)
	return unsure >= floodUnsure && 8*(ev.Weighed+ev.Against) < unsure && s.busy-s.begun > settles
}

// leaning is what an attempt says of a flood.
type leaning uint8

const (
	neither leaning = iota
	undecided
	forged  // it speaks for a flood
	genuine // it speaks against it
)

// leaningOf tells what an event says of a flood, each attempt once.
func leaningOf(ev *flows.Event) leaning {
	switch ev.Class {
	case flows.ClassTCP, flows.ClassUDP, flows.ClassEcho:
	default:
		return neither
	}
	proven := ev.HalfOpen || ev.Class == flows.ClassTCP && ev.Marks&flows.MarkNoOptions != 0 && !ev.Handshake
	switch ev.Kind {
	case flows.Counted:
		switch {
		case ev.Outcome == flows.Unseen && ev.Class != flows.ClassTCP:
			return neither
		case proven:
			return forged
		case ev.Handshake:
			return genuine
		default:
			return undecided
		}
	case flows.Raised, flows.Withdrawn:
		if ev.Outcome == flows.Productive {
			return genuine
		}
	case flows.Final:
		return finalLeaning(ev, proven)
	}
	return neither
}

// finalLeaning is leaningOf an attempt that is final.
func finalLeaning(ev *flows.Event, proven bool) leaning {
	switch {
	case ev.Cut && !ev.Counted:
		return undecided
	case ev.Outcome == flows.Productive, ev.Outcome == flows.Expired, ev.Counted && (proven || ev.Handshake):
		return neither // said before
	case !ev.Counted:
		return genuine
	case ev.Outcome == flows.Unseen && ev.Class != flows.ClassTCP:
		return neither
	case ev.Packets != ev.Connections, ev.Outcome == flows.Refused && ev.Connections > 1:
		return genuine
	default:
		return forged
	}
}

// notice holds an event against what is no scan.
func (e *Engine) notice(ev *flows.Event) {
	e.healthy(ev)
	switch ev.Kind {
	case flows.Orphaned:
		e.stray(ev)
	case flows.Joined:
		e.joined(ev)
	case flows.Opened:
		if ev.Marks&flows.MarkGateway != 0 {
			e.gateway(ev)
		}
	default:
		// Who scans plainly is no forged source, nor one of many who visit.
		if s := e.probe.of; s == nil || s.incident == nil || !s.incident.isPlain() {
			e.flood(ev)
		}
	}
}

// flood holds an event against the host that it is about.
func (e *Engine) flood(ev *flows.Event) {
	lean := leaningOf(ev)
	if lean == neither {
		return
	}
	if lean == genuine {
		e.genuine(ev)
		return
	}
	it := e.keys.item(ev, &ev.Initiator)
	// Where the end of the input, or a service that died, left no time or no need to try
	// again, nothing can be told.
	if lean == forged && ev.Kind == flows.Final && (ev.Cut || ev.Outcome == flows.Refused) && e.facts.serves(ev, e.now) {
		return
	}
	s := e.surges.meet(&ev.Responder, kindFlood, &floods, ev.Class, &it)
	switch {
	case s == nil:
	case lean == undecided:
		e.surges.wonder(s, &it)
	default:
		e.surges.add(s, &it)
	}
}
