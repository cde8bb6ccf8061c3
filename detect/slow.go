package detect

import (
	"fmt"
	"slices"
	"time"

	"github.com/synoptic-ids/synoptic/detect/tier"
)

// slowRules are the rules with a slow window, by tier.
type slowRules struct {
	rules [tier.Month + 1]*compiledRule
	table *tier.Table // nil without rules
}

// tierMost is what each tier can count, in the order of tiers.
func tierMost() [tier.Month + 1]int { return [tier.Month + 1]int{31, 63, 127, 300} }

// tierOf is the tier of a rule with a slow window, if there is one like it.
func tierOf(r *Rule) (tier.Tier, bool) {
	plain := r.Count == FieldTarget && slices.Equal(r.By, []Field{FieldSrc}) && slices.Equal(r.Of, []Selector{SelectUnproductive})
	for t, within := range [tier.Month + 1]time.Duration{time.Hour, ruleDay, 7 * ruleDay, 30 * ruleDay} {
		if plain && r.Within == within {
			return tier.Tier(t), true
		}
	}
	return 0, false
}

// add takes a rule with a slow window.
func (s *slowRules) add(r *compiledRule) error {
	t, _ := tierOf(&r.Rule)
	if s.rules[t] != nil {
		return fmt.Errorf("%q is slow within the same time", s.rules[t].Name)
	}
	if r.Over >= tierMost()[t] {
		return fmt.Errorf("over must be below %d", tierMost()[t])
	}
	s.rules[t] = r
	return nil
}

// concern reports whether any of the rules concerns an attempt.
func (s *slowRules) concern(a *attempted, src *source, home networks) bool {
	return slices.ContainsFunc(s.rules[:], func(r *compiledRule) bool { return r != nil && r.concerns(a, src, home) })
}

// begin makes what the rules count in, if there are any.
func (s *slowRules) begin(cfg *Config) (err error) {
	if *s != (slowRules{}) {
		s.table, err = tier.New(s.config(cfg))
	}
	return err
}

// config is what the rules ask of the table. A tier without a rule counts to what it
// can.
func (s *slowRules) config(cfg *Config) tier.Config {
	most := tierMost()
	over := func(t tier.Tier) int {
		if s.rules[t] == nil {
			return most[t]
		}
		return s.rules[t].Over + 1
	}
	return tier.Config{
		Hour: over(tier.Hour), Day: over(tier.Day), Week: over(tier.Week), Month: over(tier.Month),
		Suspects: cfg.Suspects, Door: cfg.Door, Seed: cfg.Seed,
	}
}

// comesAgain is after how many failures a source need not come in another hour to be a
// suspect. Most forged ones fail once.
const comesAgain = 4

// returns reports whether a source has failed again since it has a record, and so often
// that it comes again, by what the gate saw of it before as well.
func (s *source) returns() bool { return s.failures > 1 && int(s.credit)+int(s.failures) >= comesAgain }

// slow takes a failure for good into the slow tiers: only of what is ours, for what
// our own clients fail at elsewhere is as often the fault of others. While a scan of
// the source is open there is nothing to find.
func (e *Engine) slow(s *source, pr *probe) {
	if s.incident != nil || e.tiers.table == nil || pr.excused || !e.home.has(&pr.responder) || !e.fails(s, pr) || !e.tiers.concern(&pr.attempted, s, e.home) {
		return
	}
	target := e.keys.value(FieldTarget, &pr.attempted)
	fail := (*tier.Table).Fail
	if s.returns() {
		fail = (*tier.Table).FailKnown
	}
	hit, ok := fail(e.tiers.table, s.addr, target, e.now)
	if !ok || hit.Tier > tier.Month || e.tiers.rules[hit.Tier] == nil {
		e.standsSlow(s, pr)
		return
	}
	r := e.tiers.rules[hit.Tier]
	e.stands(r, s, pr, hit.Distinct)
	if w := e.weigh(r, s, pr); !w.seeks(r.Share) {
		e.stats.Guarded++
		e.held(r, s, pr, hit.Distinct, HeldShare, &w)
		return
	}
	e.fire(r, crossing{value: hit.Distinct, reach: hit.Since}, s, pr)
}
