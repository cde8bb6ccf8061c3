package explain

import (
	"github.com/synoptic-ids/synoptic/detect"
	"github.com/synoptic-ids/synoptic/flows"
)

// attempt is an attempt of the address: the latest that is known of it.
type attempt struct {
	flows.Attempt
	excuse detect.Excuse
	ruled  bool // a rule has counted it
	final  bool
}

// attemptKey tells the attempts of one initiator apart.
type attemptKey struct {
	responder [16]byte
	start     int64
	port      uint16
	proto     uint8
	class     flows.Class
	technique flows.Technique
}

// attempts are those of the address, in the order in which they began.
type attempts struct {
	index map[attemptKey]int
	all   []attempt
}

// take notes an event, and returns the attempt; nil if there is no room.
func (l *attempts) take(ev *flows.Event) *attempt {
	k := attemptKey{ev.Responder, ev.Start, ev.Port, ev.Proto, ev.Class, ev.Technique}
	i, known := l.index[k]
	if !known {
		if len(l.all) >= maxAttempts {
			return nil
		}
		i = len(l.all)
		l.all = append(l.all, attempt{})
		l.index[k] = i
	}
	a := &l.all[i]
	a.Attempt = ev.Attempt
	a.final = a.final || ev.Kind == flows.Final
	return a
}

// What attempts are judged to be.
const (
	judgedCounted = "counted"
	judgedNoRule  = "counted by no rule"
)

// judged says whether an attempt counts, or why not. ours says that it is the
// source of a scan, during which rules that have fired count no further.
func (a *attempt) judged(ours bool) string {
	switch {
	case a.Counted && a.excuse != detect.NoExcuse:
		return a.excuse.String()
	case a.Counted && !a.ruled && !ours:
		return judgedNoRule
	case a.Counted:
		return judgedCounted
	case a.Outcome == flows.Expired:
		return "a traceroute counts nowhere"
	case a.succeeded() && a.Withdrawn:
		return "succeeded after all"
	case a.succeeded():
		return "succeeded"
	case a.Withdrawn, !a.final && a.Technique != flows.UDP:
		return "part of a conversation"
	default:
		return "undecided"
	}
}

func (a *attempt) succeeded() bool {
	return a.Outcome == flows.Answered || a.Outcome == flows.Productive
}

// tally counts them.
func (l *attempts) tally() (t Tally) {
	for i := range l.all {
		a := &l.all[i]
		t.Total++
		switch {
		case a.Counted && a.excuse != detect.NoExcuse:
			t.Excused++
		case a.Counted:
			t.Counted++
		case a.succeeded():
			t.Succeeded++
		default:
			t.Other++
		}
	}
	return t
}
