package detect

import "math"

// This file is the whole mapping from what a scan is to what an analyst may think
// of it: severity by what it got, confidence by how sure it is that it is one, risk
// from both, and MITRE ATT&CK.

// severity grades a scan from 1 (nobody need look) to 5: by what it got, one
// higher if the source is ours.
func severity(v Verdict, d Direction) int {
	s := 1
	switch v {
	case Refused, Ambiguous, Unknown:
		s = 2
	case Answered, Probed:
		s = 3
	case Engaged:
		s = 4
	}
	if d == Internal || d == Outbound {
		s++
	}
	return s
}

// certainBase is the confidence, in hundredths, in a scan of which nothing more is
// known than that a rule fired.
const (
	certainBase = 60
	certainMin  = 5
	certainMax  = 99
)

// doubt is a reason to be surer or less sure, by so many hundredths.
type doubt struct {
	holds  func(sc *Scan) bool
	points int
	reason string
}

// doubts are weighed in this order.
func doubts() []doubt {
	return []doubt{
		{func(sc *Scan) bool { return sc.Tool != nil }, 20, "the probes bear the mark of a tool"},
		{func(sc *Scan) bool { return 2*sc.Evidence.Crafted >= sc.Targets && sc.Evidence.Crafted > 0 }, 15, "most probes are such as no ordinary stack sends"},
		{func(sc *Scan) bool {
			return sc.Evidence.Value >= 3*(sc.Evidence.Threshold+1) || sc.Targets >= 3*(sc.Evidence.Threshold+1)
		}, 10, "three times the threshold"},
		{func(sc *Scan) bool { return sc.Targets >= 10*(sc.Evidence.Threshold+1) }, 10, "ten times the threshold"},
		{func(sc *Scan) bool { return len(sc.Rules) > 1 }, 5, "more than one rule fired"},
		{func(sc *Scan) bool { return sc.Evidence.Window == string(Walk) && len(sc.Rules) == 1 }, -10, "told by a walk alone"},
		{func(sc *Scan) bool { return sc.Proto == "udp" && sc.Outcomes.Unreachable == 0 }, -10, "UDP without a refusal"},
		{func(sc *Scan) bool { return sc.Verdict == Unknown }, -15, "replies are not visible"},
		{func(sc *Scan) bool { return 2*sc.Cut >= tried(sc) && sc.Cut > 0 }, -10, "most outcomes did not become known: the input ended, or room ran out"},
		{func(sc *Scan) bool { return sc.Estimated }, -5, "counts are lower bounds"},
		{func(sc *Scan) bool { return sc.Shape == Distributed }, 10, "the sources hardly try the same, as those do who have divided the targets"},
		{func(sc *Scan) bool { return sc.Sources > 0 && sc.Shape != Distributed }, 0, "the same probes came from all sources: most of them are forged"},
	}
}

// tried is of how many a record counts those cut off by the end of the input.
func tried(sc *Scan) int {
	if sc.Sources > 0 {
		return int(sc.Attempts) //nolint:gosec // as many as are held in memory
	}
	return sc.Targets
}

// confidence is how sure it is that a scan is one, 0 to 1, and why.
func confidence(sc *Scan) (float64, []string) {
	points := certainBase
	var reasons []string
	for _, d := range doubts() {
		if d.holds(sc) {
			points += d.points
			reasons = append(reasons, d.reason)
		}
	}
	return float64(min(max(points, certainMin), certainMax)) / 100, reasons
}

// risk is impact times confidence, 0 to 100: the impact is twenty for each grade of
// severity. A scan that is authorized is none, whatever it found out.
func risk(sc *Scan) int {
	if len(sc.Authorized) > 0 {
		return 0
	}
	return int(math.Round(20 * float64(sc.Severity) * sc.Confidence))
}

// attack maps a scan to MITRE ATT&CK (v16): discovery from within, active scanning from
// outside.
func attack(sc *Scan) []string {
	within := sc.Direction == Internal || sc.Direction == Outbound
	switch {
	case within && (sc.Proto == "arp" || sc.Proto == "ndp" || sc.Proto == "icmp"):
		return []string{"T1018"}
	case within:
		return []string{"T1046"}
	case sc.Shape == Vertical || sc.Shape == Protocol:
		return []string{"T1595"}
	default:
		return []string{"T1595.001"}
	}
}
