package detect

import (
	"math/bits"

	"github.com/synoptic-ids/synoptic/detect/outlier"
)

// hour is the only window of rules that compare with earlier hours.
const hour = 3600 * second

// pairsEach is how many of so many pairs, a power of two, each of the rules remembers that
// compare with earlier hours.
func pairsEach(pairs int, rules []*compiledRule) int {
	n := 0
	for _, r := range rules {
		if r.Sigma > 0 {
			n++
		}
	}
	return pairs >> bits.Len(uint(max(n, 1)-1))
}

// newBaselines makes what a rule with sigmas remembers of earlier hours: 111 bytes a
// pair, so of one rule by default about 3.6 MB. A pair is touched at random, so that what is larger costs
// a page fault for nearly each.
func newBaselines(r *Rule, pairs int, seed uint64) *outlier.Table {
	return outlier.New(outlier.Config{
		Floor: r.Over + 1, Sigmas: r.Sigma, Pairs: pairs, Sources: pairs / 8, Destinations: pairs / 8, Values: pairs, Seed: seed,
	})
}

// unusual holds a probe against the earlier hours of its source and destination.
func (e *Engine) unusual(r *compiledRule, s *source, pr *probe) {
	if r.unproductive && s.incident != nil {
		return // there is nothing to find, and a scan is no hour to compare with
	}
	if r.baselines == nil {
		r.baselines = newBaselines(&r.Rule, pairsEach(e.cfg.Pairs, e.rules), e.cfg.Seed) // which captures without failures do not need
	}
	f, ok := r.baselines.Observe(baselineKey(r, s, pr), r.valueOf(pr), pr.line)
	e.standsUnusual(r, s, pr)
	if !ok {
		return
	}
	if r.unproductive && r.Share > 0 {
		w := e.weigh(r, s, pr)
		if why := w.shares(r); why != NotHeld {
			e.stats.Guarded++
			e.held(r, s, pr, f.Value, why, &w)
			return
		}
	}
	bin := floorDiv(pr.time, hour)
	e.fire(r, crossing{value: f.Value, bin: bin, reach: pr.line - (pr.time - bin*hour), baseline: &f}, s, pr)
}

// baselineKey is whose earlier hours a probe is compared with: those of its key
// under the rule; where they are too few those of its source; those of its
// destination.
func baselineKey(r *compiledRule, s *source, pr *probe) outlier.Key {
	var port, class uint64
	dst := r.place(pr)
	if r.byPort {
		port = uint64(pr.port)
	}
	if r.byProto {
		class = uint64(pr.class)
	}
	destination := mixed(dst, port<<8|class)
	return outlier.Key{Pair: s.hash ^ destination, Source: mixed(s.hash, class), Destination: destination}
}

// baselineOf is what a record says of earlier hours.
func baselineOf(f *outlier.Finding) *Baseline {
	if f == nil {
		return nil
	}
	return &Baseline{
		Hours: f.N, Mean: round3(f.Mean), SD: round3(f.SD), Threshold: round3(f.Threshold), Level: f.Level.String(),
	}
}
