package detect

import (
	"slices"

	"github.com/synoptic-ids/synoptic/flows"
)

// tally sums up the targets of a scan by what came back from them.
type tally struct {
	outcomes   Outcomes
	prohibited int // unreachable, administratively prohibited
	closed     int // unreachable, because the port is closed or the protocol not spoken
	quiet      int // silent, by a technique whose silence may mean open
	denied     int // refused or closed, by such a technique
	crafted    int
}

// count adds a target, or takes it away: n is 1 or -1.
func (t *tally) count(technique flows.Technique, k *target, st *targetState, n int) {
	if st.crafted {
		t.crafted += n
	}
	may := silenceMayMeanOpen(technique)
	switch st.outcome {
	case flows.Silent, flows.Expired:
		t.outcomes.Silent += n
		if may {
			t.quiet += n
		}
	case flows.Unreachable:
		t.outcomes.Unreachable += n
		t.unreachable(&k.host, st.code, may, n)
	case flows.Refused:
		t.outcomes.Refused += n
		if may {
			t.denied += n
		}
	case flows.Answered:
		t.outcomes.Answered += n
	case flows.Productive:
		t.outcomes.Productive += n
	case flows.Unseen:
		t.outcomes.Unseen += n
	}
}

// unreachable sorts an ICMP error by its code: RFC 792, RFC 1812 section 5.2.7.1 and RFC 4443
// section 3.1.
func (t *tally) unreachable(host *[16]byte, code uint8, may bool, n int) {
	prohibited, closed := code == 1 || code == 5 || code == 6, code == 4
	if flows.IsIPv4(host) {
		prohibited, closed = code == 9 || code == 10 || code == 13, code == 2 || code == 3
	}
	switch {
	case prohibited:
		t.prohibited += n
	case closed:
		t.closed += n
		if may {
			t.denied += n
		}
	}
}

// silenceMayMeanOpen are the techniques that an open port does not answer.
func silenceMayMeanOpen(t flows.Technique) bool {
	switch t {
	case flows.UDP, flows.TCPFIN, flows.TCPNull, flows.TCPXmas, flows.TCPMaimon:
		return true
	}
	return false
}

// verdict is the most that can honestly be said.
func (t *tally) verdict() Verdict {
	o := &t.outcomes
	total := o.Silent + o.Unreachable + o.Refused + o.Answered + o.Productive + o.Unseen
	switch {
	case o.Answered+o.Productive > 0:
		return Answered
	case 2*o.Unseen > total:
		return Unknown
	case t.quiet > 0 && t.denied > 0:
		return Ambiguous
	case o.Refused+t.closed > 0:
		return Refused
	case t.prohibited > 0:
		return Prohibited
	default:
		return Unanswered
	}
}

// rank orders verdicts by what the scanner got: a change is worth a record only
// upwards, for while replies trickle in the lower ones alternate.
func (v Verdict) rank() int {
	return slices.Index([]Verdict{Unanswered, Unknown, Prohibited, Refused, Ambiguous, Answered, Probed, Engaged}, v)
}
