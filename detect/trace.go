package detect

import "github.com/synoptic-ids/synoptic/flows"

// Trace is told what an [Engine] decides, as it decides it: see [Config]. Calls
// come on the engine's goroutine, between those of Config.Report.
type Trace interface {
	// Attempt is given each event before anything is decided of it. All that
	// is told until the next one follows from it.
	Attempt(ev *flows.Event)
	// Excused says whether the attempt, which counts as unproductive, is
	// evidence, and why not. The last word on an attempt holds.
	Excused(why Excuse)
	// Stands says where the count of a rule stands under one key. One that
	// crossed its threshold is told of twice if something holds it back.
	Stands(s Standing)
}

// Excuse is why an attempt that counts as unproductive is no evidence.
type Excuse uint8

// The excuses.
const (
	NoExcuse         Excuse = iota
	ExcuseGateway           // a router asks for its links on behalf of others
	ExcuseLease             // a server of DHCP looks at an address that a client wants
	ExcuseEnding            // the end of a conversation that began before
	ExcusePathCheck         // a call looks for a way through NAT
	ExcuseUnrepeated        // UDP where replies cannot be seen: it may be a reply
	ExcuseRetry             // the target failed the source before, long ago
	ExcuseOthers            // the target has worked for others
	ExcuseOwn               // the target has worked for the source itself
	ExcuseFTP               // FTP's data
	ExcuseAnswer            // UDP to one who asked before, from where it asked
	ExcuseOutage            // our way to the networks of others is gone
)

// String says it in a few words.
func (x Excuse) String() string {
	switch x {
	case ExcuseGateway:
		return "asked by a router for others"
	case ExcuseLease:
		return "asked of an address to lease (DHCP)"
	case ExcuseEnding:
		return "end of an earlier conversation"
	case ExcusePathCheck:
		return "a call looks for a path (STUN)"
	case ExcuseUnrepeated:
		return "replies unseen, may be one itself"
	case ExcuseRetry:
		return "retry of what failed long before"
	case ExcuseOthers:
		return "known service, works for others"
	case ExcuseOwn:
		return "known service, worked for it before"
	case ExcuseFTP:
		return "data of an FTP conversation"
	case ExcuseAnswer:
		return "answer, its question not seen"
	case ExcuseOutage:
		return "our way to other networks is gone"
	default:
		return "counts"
	}
}

// Hold is what keeps a rule from firing whose count is above its threshold.
type Hold uint8

// The holds.
const (
	NotHeld       Hold = iota
	HeldExcused        // without hosts it has conversations with, and unused connections, too few failed
	HeldShare          // too small a share failed of what was tried
	HeldForgotten      // what else was tried is forgotten, so that no share can be told
	HeldCondition      // a further condition of the rule is not met
	HeldSpread         // each host failed at a port of its own, as in file sharing
	HeldList           // the hosts come from a list: they lie far apart, and not a few were of use
	HeldHistory        // fewer earlier hours are known than the comparison needs
	HeldBaseline       // earlier hours were like it
)

// String is the name of a hold in records.
func (h Hold) String() string {
	switch h {
	case HeldExcused:
		return "excused"
	case HeldShare:
		return "share"
	case HeldForgotten:
		return "forgotten"
	case HeldCondition:
		return "condition"
	case HeldSpread:
		return "spread"
	case HeldList:
		return "list"
	case HeldHistory:
		return "history"
	case HeldBaseline:
		return "baseline"
	default:
		return ""
	}
}

// Standing is where the count of a rule stands.
type Standing struct {
	Rule *Rule // of those in force, not to be changed
	Src  [16]byte
	// Dst, Port and Class are those of the count where the rule's By has
	// them, else zero. Where it has dst_net, Dst is a host of that network.
	Dst   [16]byte
	Port  uint16
	Class flows.Class
	// Value is the count; above Rule.Over it fires, unless it is held.
	Value int
	Hold  Hold
	// Failed and Succeeded are what was weighed where a hold is told of:
	// distinct values under the same key and window. Spoken are left out of Failed
	// for conversations with their hosts, Spared for connections never used to ports
	// used elsewhere; Unused are in Failed, but no part of the share.
	Failed, Succeeded, Spoken, Spared, Unused int
	// Limit is what the hour must exceed, of a rule that compares with so many
	// earlier Hours.
	Limit float64
	Hours int
}

// standing is a count of a rule that a probe was held against.
func standing(r *compiledRule, s *source, pr *probe, value int) Standing {
	st := Standing{Rule: &r.Rule, Src: s.addr, Value: value}
	if r.byDst || r.byNet {
		st.Dst = pr.responder
	}
	if r.byPort {
		st.Port = pr.port
	}
	if r.byProto || r.byPort {
		st.Class = pr.class
	}
	return st
}

// stands tells where a count stands, if anybody asks. It is inlined.
func (e *Engine) stands(r *compiledRule, s *source, pr *probe, value int) {
	if e.cfg.Trace != nil {
		e.traceStands(r, s, pr, value)
	}
}

func (e *Engine) traceStands(r *compiledRule, s *source, pr *probe, value int) {
	e.cfg.Trace.Stands(standing(r, s, pr, value))
}

// held tells what holds back a rule that crossed its threshold, if anybody asks.
func (e *Engine) held(r *compiledRule, s *source, pr *probe, value int, why Hold, w *weight) {
	if e.cfg.Trace == nil {
		return
	}
	st := standing(r, s, pr, value)
	st.Hold, st.Failed, st.Succeeded = why, w.failed, w.succeeded
	st.Spoken, st.Spared, st.Unused = w.spoken, w.spared, w.unused
	e.cfg.Trace.Stands(st)
}

// excused tells whether the attempt is evidence, if anybody asks.
func (e *Engine) excused(why Excuse) {
	if e.cfg.Trace != nil {
		e.cfg.Trace.Excused(why)
	}
}

// standsSlow tells where the counts of the slow rules stand.
func (e *Engine) standsSlow(s *source, pr *probe) {
	if e.cfg.Trace == nil {
		return
	}
	for t, n := range e.tiers.table.Counts(s.addr) {
		if r := e.tiers.rules[t]; r != nil && n > 0 {
			e.stands(r, s, pr, n)
		}
	}
}

// standsUnusual tells where an hour stands beside earlier ones.
func (e *Engine) standsUnusual(r *compiledRule, s *source, pr *probe) {
	if e.cfg.Trace == nil {
		return
	}
	f := r.baselines.Now(baselineKey(r, s, pr))
	st := standing(r, s, pr, f.Value)
	st.Limit, st.Hours = f.Threshold, f.N
	switch {
	case f.Value <= r.Over:
	case f.N == 0:
		st.Hold = HeldHistory
	case float64(f.Value) <= f.Threshold:
		st.Hold = HeldBaseline
	}
	e.cfg.Trace.Stands(st)
}
