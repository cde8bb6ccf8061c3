package detect

import "github.com/synoptic-ids/synoptic/flows"

// Answers that nobody asked for have two causes, and neither is a scan. Somebody
// floods a host in the names of others, which get its answers: backscatter, where one
// host answers many. Or somebody asks many hosts in the name of one, which gets all
// their answers: a reflection.
//
// Both also look like a capture that sees answers alone. There the conversations go
// on behind the SYN-ACK (flows.Joined), so that these speak against, as do answers that were
// asked for. Nothing is said before three seconds have passed; if at least half as many speak
// against as for; or if more conversations are known by their answers alone than by both
// sides. By UDP and ping, where answers are all that there is, it takes 128 addresses as
// long as nothing has shown that both sides are seen.
//
// A RST counts if it answers a SYN: its sequence number is 0 then, and ACK is set
// (RFC 9293, 3.10.7.1). Others end conversations.
//
// Ten addresses are what Zeek's scan-NG takes for backscatter, 25 packets CAIDA's
// Corsaro.
const (
	strayAddresses = 10
	strayBlind     = 128
	strayPackets   = 25
	strayPatience  = 3 * second
)

// The places of these in hubs.
const (
	kindBackscatter = 2
	kindReflection  = 3
)

var backscatters = surgeKind{
	name: Backscatter, window: 300 * second, patience: strayPatience,
	threshold: strayThreshold, holds: isStray,
}

var reflections = surgeKind{
	name: Reflection, window: 60 * second, patience: strayPatience,
	threshold: strayThreshold, holds: isStray,
}

func strayThreshold(flows.Class) int { return strayAddresses }

func isStray(s *surge, ev NoticeEvidence) bool {
	if ev.Value < ev.Threshold || s.count < strayPackets || ev.Weighed < 2*ev.Against || s.view.oneWay() {
		return false
	}
	return s.hub.class == flows.ClassTCP || s.view.answered > 0 || ev.Value >= strayBlind
}

// unasked reports whether an answer without a question is evidence: it answers what
// begins a conversation.
func unasked(ev *flows.Event) bool {
	switch ev.Class {
	case flows.ClassTCP:
		return ev.Outcome != flows.Refused || ev.Flags&flows.FlagACK != 0 && ev.Seq == 0
	case flows.ClassUDP, flows.ClassEcho, flows.ClassSCTP:
		return true
	default:
		return false
	}
}

// stray takes an answer that nobody asked for. Its attempt is what would have been
// asked.
func (e *Engine) stray(ev *flows.Event) {
	if !unasked(ev) {
		return
	}
	answerer, asker, t := &ev.Responder, &ev.Initiator, e.surges
	scattered, reflected := e.keys.item(ev, asker), e.keys.item(ev, answerer)
	reflected.port, reflected.from = ev.SrcPort, ev.Port
	if s := t.latest; s != nil && s.is(answerer, kindBackscatter, ev.Class) {
		t.add(s, &scattered)
		return
	}
	if s := t.find(asker, kindReflection, ev.Class); s != nil && s.opened {
		t.add(s, &reflected)
		return
	}
	s := t.find(answerer, kindBackscatter, ev.Class)
	if s == nil || !s.opened {
		switch ev.Outcome {
		case flows.Unreachable, flows.Expired:
			// It may be what the host under a reflection says to the answers.
			if t.hubs.find(answerer, kindReflection, ev.Class) != nil {
				return
			}
		case flows.Answered, flows.Productive:
			if r := t.meet(asker, kindReflection, &reflections, ev.Class, &reflected); r != nil {
				t.add(r, &reflected)
			}
		}
		if s = t.meet(answerer, kindBackscatter, &backscatters, ev.Class, &scattered); s == nil {
			return
		}
	}
	t.add(s, &scattered)
	if s.opened {
		t.latest = s
	}
}

// is reports whether a surge is that of a host.
func (s *surge) is(host *[16]byte, kind uint8, class flows.Class) bool {
	return s.hub.host == *host && s.hub.kind == kind && s.hub.class == class
}

// joined takes a conversation that was met in its middle. If its ends are such as
// answered, or got an answer, that nobody asked for, it was only the question that
// was not seen.
func (e *Engine) joined(ev *flows.Event) {
	t, half := e.surges, false
	for _, host := range []*[16]byte{&ev.Initiator, &ev.Responder} {
		for _, kind := range []uint8{kindBackscatter, kindReflection} {
			h := t.hubs.find(host, kind, ev.Class)
			if h == nil {
				continue
			}
			half = true
			if h.surge != nil {
				h.surge.oppose(ev.At)
			}
		}
	}
	if half {
		t.view.halves++
	}
}

// genuine takes an attempt that was answered, and is what it seems.
func (e *Engine) genuine(ev *flows.Event) {
	t := e.surges
	if ev.Outcome == flows.Answered || ev.Outcome == flows.Productive {
		t.view.answered++
	}
	hosts := [...]*[16]byte{kindFlood: &ev.Responder, kindBackscatter: &ev.Responder, kindReflection: &ev.Initiator}
	for kind := kindFlood; kind < len(hosts); kind++ {
		if s := t.find(hosts[kind], uint8(kind), ev.Class); s != nil {
			s.oppose(ev.At)
		}
	}
}
