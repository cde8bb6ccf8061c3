package explain

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"math/bits"
	"slices"
	"strings"

	"github.com/synoptic-ids/synoptic/detect"
	"github.com/synoptic-ids/synoptic/flows"
)

// Bounds on the lists of an explanation.
const (
	visitorsShown = 64
	sourcesShown  = 3
)

// Explanation is what there is to say, once the run has ended.
func (c *Collector) Explanation() Explanation {
	x := Explanation{
		Event: "explain", Attempts: c.begun.tally(), Groups: c.begun.groups(len(c.scans) > 0), Rules: c.ownRules(),
		Scans: append([]detect.Scan{}, c.scans...), Sent: c.sent, Received: c.got,
		TriedBy: c.visitors(), Visitors: len(c.visits), Sources: len(c.sources), Named: len(c.named),
		Nearest: []Source{}, Misses: []Stand{}, Partial: c.partial || len(c.sources) >= maxSources,
	}
	if x.Groups == nil {
		x.Groups = []Group{}
	}
	if c.asked {
		addr := flows.Addr(c.addr)
		x.Address = &addr
	}
	if len(c.named) == 0 || !c.asked {
		x.Misses = c.misses.nearest(func(src [16]byte) bool { return c.asked && src == c.addr || c.named[flows.Addr(src)] })
	}
	x.Verdict = c.verdict(&x)
	if x.Verdict == Absent {
		x.Nearest = c.neighbours()
	}
	x.Answer = c.answer(&x)
	return x
}

// Attempts calls do with each attempt of the address, in the order in which they
// began, and what it is judged to be.
func (c *Collector) Attempts(do func(a *flows.Attempt, judged string) error) error {
	for i := range c.begun.all {
		a := &c.begun.all[i]
		if err := do(&a.Attempt, a.judged(len(c.scans) > 0)); err != nil {
			return err
		}
	}
	return nil
}

func (c *Collector) verdict(x *Explanation) Verdict {
	held := slices.ContainsFunc(x.Rules, func(s Stand) bool { return s.Held != nil })
	switch {
	case !c.asked:
		return Overall
	case len(x.Scans) > 0:
		return Named
	case x.Attempts.Total > 0 && held:
		return HeldBack
	case x.Attempts.Counted > 0:
		return Below
	case x.Attempts.Total > 0:
		return Clean
	case x.Sent.Total+x.Received > 0 || x.Visitors > 0:
		return Passive
	default:
		return Absent
	}
}

// visitors lists who tried to reach the address: scanners first, then who failed most.
func (c *Collector) visitors() []Visitor {
	all := make([]Visitor, 0, len(c.visits))
	for _, v := range c.visits {
		v.Named = c.named[v.Src] && v.Counted > 0
		all = append(all, *v)
	}
	slices.SortFunc(all, func(a, b Visitor) int {
		if a.Named != b.Named {
			if a.Named {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(b.Counted, a.Counted), cmp.Compare(b.Attempts, a.Attempts), a.Src.Compare(b.Src))
	})
	return all[:min(len(all), visitorsShown)]
}

// neighbours are the sources whose addresses are next to the one asked for, which
// often is one mistyped: those that share most leading bits with it.
func (c *Collector) neighbours() []Source {
	type near struct {
		addr   [16]byte
		shared int
		n      uint64
	}
	all := make([]near, 0, len(c.sources))
	for a, n := range c.sources {
		all = append(all, near{a, sharedBits(&a, &c.addr), n})
	}
	slices.SortFunc(all, func(a, b near) int {
		return cmp.Or(cmp.Compare(b.shared, a.shared), cmp.Compare(b.n, a.n), bytes.Compare(a.addr[:], b.addr[:]))
	})
	out := []Source{}
	for _, s := range all[:min(len(all), sourcesShown)] {
		out = append(out, Source{Src: flows.Addr(s.addr), Attempts: s.n})
	}
	return out
}

func sharedBits(a, b *[16]byte) int {
	hi := binary.BigEndian.Uint64(a[:8]) ^ binary.BigEndian.Uint64(b[:8])
	if hi != 0 {
		return bits.LeadingZeros64(hi)
	}
	return 64 + bits.LeadingZeros64(binary.BigEndian.Uint64(a[8:])^binary.BigEndian.Uint64(b[8:]))
}

// answer is the explanation in a sentence, or two.
func (c *Collector) answer(x *Explanation) string {
	if x.Verdict == Overall {
		return c.overall(x)
	}
	addr := x.Address.String()
	switch x.Verdict {
	case Named:
		return addr + " is named: " + namedFor(x) + c.alsoTried(x)
	case HeldBack:
		i := slices.IndexFunc(x.Rules, func(s Stand) bool { return s.Held != nil })
		s := &x.Rules[i]
		return fmt.Sprintf("%s is not named: %s counted %d and fires at %d, but %s", addr, s.Rule, s.Value, s.FiresAt, s.Why()) + c.alsoTried(x)
	case Below:
		text := fmt.Sprintf("%s is not named: %s", addr, counts(x.Attempts.Counted, "of its attempts counts", "of its attempts count"))
		if len(x.Rules) == 0 {
			return text + ", for no rule" + c.alsoTried(x)
		}
		return text + "; nearest came " + reached(&x.Rules[0]) + c.alsoTried(x)
	case Clean:
		return fmt.Sprintf("%s is not named: none of its %s counts", addr, plural(x.Attempts.Total, "attempt")) + c.alsoTried(x)
	case Passive:
		return addr + " began nothing" + c.passive(x)
	default:
		text := fmt.Sprintf("%s does not appear in %s", addr, plural(c.packets, "packet"))
		if len(x.Nearest) == 0 {
			return text + ", nor does anybody begin anything"
		}
		return fmt.Sprintf("%s; nearest of %s is %s", text, plural(uint64(x.Sources), "source"), x.Nearest[0].Src)
	}
}

func (c *Collector) overall(x *Explanation) string {
	sources := plural(uint64(x.Sources), "source")
	switch {
	case x.Named > 0:
		return fmt.Sprintf("%d of %s named; 'synoptic explain ADDRESS -r FILE' says why", x.Named, sources)
	case len(x.Misses) == 0:
		return "nobody is named: nothing that " + sources + " tried counts under any rule"
	default:
		nearest := slices.MaxFunc(x.Misses, func(a, b Stand) int { return cmp.Compare(a.nearness(), b.nearness()) })
		text := fmt.Sprintf("nobody of %s is named; nearest was %s, by %s", sources, nearest.Src, reached(&nearest))
		if nearest.Held != nil {
			text += ", but " + nearest.Why()
		}
		return text
	}
}

// namedFor says which rule opened the scans.
func namedFor(x *Explanation) string {
	s := &x.Scans[0]
	text := fmt.Sprintf("%s counted %d, and fires at %d", s.Rule, s.Evidence.Value, s.Evidence.Threshold+1)
	if !s.Src.IsValid() {
		text = fmt.Sprintf("one of %d sources taken for one scan: ", s.Sources) + text
	}
	if n := len(x.Scans); n > 1 {
		text += fmt.Sprintf("; the first of %d scans", n)
	}
	return text
}

// reached says how far a rule got.
func reached(s *Stand) string {
	return fmt.Sprintf("%s, which counted %d and fires at %d", s.Rule, s.Value, s.FiresAt)
}

// alsoTried says who scanned the address, which does not lie in what it did itself.
func (c *Collector) alsoTried(x *Explanation) string {
	if by := scannedBy(x); by != "" {
		return "; it was scanned by " + by
	}
	return ""
}

func scannedBy(x *Explanation) string {
	var names []string
	for _, v := range x.TriedBy {
		if v.Named {
			names = append(names, v.Src.String())
		}
	}
	if len(names) > sourcesShown {
		return fmt.Sprintf("%s and %d others", strings.Join(names[:sourcesShown], ", "), len(names)-sourcesShown)
	}
	return strings.Join(names, ", ")
}

// passive says what an address did and suffered that began nothing.
func (c *Collector) passive(x *Explanation) string {
	switch by := scannedBy(x); {
	case by != "":
		return "; it was scanned by " + by
	case x.Sent.Backscatter > x.Sent.Total/2:
		return fmt.Sprintf(": %d of %s from it answer what nobody had asked (backscatter)", x.Sent.Backscatter, plural(x.Sent.Total, "packet"))
	case x.Visitors > 0:
		return fmt.Sprintf("; %s tried it, and none of them is named for that", plural(uint64(x.Visitors), "source"))
	case x.Sent.Total == 0:
		return fmt.Sprintf(", nor did it send anything: %s to it", plural(x.Received, "packet"))
	default:
		return fmt.Sprintf(": %s from it continue what others began, or what began before", plural(x.Sent.Total, "packet"))
	}
}

// Why says in words what held a rule back.
func (s *Stand) Why() string {
	h := s.Held
	switch h.By {
	case detect.HeldShare.String():
		return fmt.Sprintf("%d of %d tried failed%s, and it asks for a share of %g", h.Failed, h.Tried, unused(h), h.Share)
	case detect.HeldExcused.String():
		return s.whyExcused()
	case detect.HeldForgotten.String():
		return "what else it tried is forgotten, so that no share of failures can be told"
	case detect.HeldCondition.String():
		return "a further condition of the rule is not met"
	case detect.HeldSpread.String():
		return "each host failed at a port of its own, as in file sharing"
	case detect.HeldHistory.String():
		return "no earlier hours are known to compare with"
	case detect.HeldBaseline.String():
		return fmt.Sprintf("of %d earlier hours it would have to exceed %.1f", h.Hours, h.Limit)
	default:
		return h.By
	}
}

// unused says how many failures are no part of the share.
func unused(h *Hold) string {
	if h.Unused == 0 {
		return ""
	}
	return fmt.Sprintf(", %d of them by connections never used or broken off", h.Unused)
}

// whyExcused says what was left out of a count, so that it fell below its threshold.
func (s *Stand) whyExcused() string {
	h := s.Held
	var parts []string
	if h.Spoken > 0 {
		parts = append(parts, fmt.Sprintf("%d at hosts that it has conversations with", h.Spoken))
	}
	if h.Spared > 0 {
		parts = append(parts, plural(uint64(h.Spared), "connection")+" never used, to ports that it uses elsewhere")
	}
	if len(parts) == 0 {
		parts = append(parts, "what has succeeded or been excused since")
	}
	return fmt.Sprintf("without %s %d are left", strings.Join(parts, " and "), h.Failed)
}

func plural(n uint64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func counts(n uint64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
