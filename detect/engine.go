package detect

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"time"

	"github.com/synoptic-ids/synoptic/detect/gate"
	"github.com/synoptic-ids/synoptic/detect/outlier"
	"github.com/synoptic-ids/synoptic/flows"
)

// Config bounds an [Engine]. The zero value is the default.
type Config struct {
	// Report is given each record, in order. Nil means nobody asks.
	Report func(Scan)
	// Notify is given each record of what is no scan, in the same order. Nil means
	// nobody asks.
	Notify func(Notice)
	// Sources bounds how many sources have a record; 0 means 1,048,576. At the
	// bound a source gets one that fails at several targets, see Gate, or has a conversation
	// by TCP; in its place go those of one failure, then those least recently
	// active without an open scan.
	Sources int
	// Gate is how many cells each row of the gate has, at which sources are asked when
	// there is no room, see [gate.Config]; 0 means 262,144.
	Gate int
	// GateBits, if it is not 0, has all sources asked at the gate, room or not, and let in
	// at so many bits.
	GateBits int
	// Groups bounds how many counts are kept, one for each rule and key; 0
	// means 262,144. At the bound those with the fewest values are forgotten.
	Groups int
	// History bounds how many attempts are remembered for back-filling scans and
	// for guards; 0 means 262,144.
	History int
	// Targets bounds the distinct targets held for one scan; 0 means 131,072.
	// Beyond them its counts stand still and Scan.Estimated is set.
	Targets int
	// Trace is told what is decided, and why. Nil means nobody asks, and costs
	// nothing.
	Trace Trace
	// Watch is for how long a closed scan is watched: a conversation with what answered
	// it, or one that a scanned host of ours opens to the scanner, reopens it. 0 means
	// seven days, less than 0 not at all.
	Watch time.Duration
	// Watches bounds how many closed scans are watched; 0 means 4,096. At the bound
	// the one that closed first is forgotten.
	Watches int
	// OpenTargets bounds the targets held for all open scans together, those tried
	// in several ways counted for each; 0 means 2,097,152. When half of them are
	// held, the counts of large scans stand still as well. One in sixteen bounds the scans
	// that are open: in the place of a further one a small one closes that has been quiet,
	// and its source opens no other for fifteen minutes.
	OpenTargets int
	// Walks bounds how many walks are kept; 0 means 16,384. At the bound those least far
	// up are forgotten.
	Walks int
	// Suspects and Door bound whom the slow windows remember, see [tier.Config]; 0 means
	// 65,536 and 524,288.
	Suspects, Door int
	// Pairs bounds the pairs of source and destination, and the values of all of them
	// in an hour, that a rule with sigmas remembers, see [outlier.Config]; 0 means 32,768.
	Pairs int
	// Divided bounds under how many hosts and ports it is remembered who tried what there, for
	// the crowds that divide them, rounded up to a power of two from 4 to 65,536; 0 means 128.
	Divided int
	// Facts bounds the facts of each of four kinds that conversations show, rounded up to
	// a power of two; 0 means 32,768.
	Facts int
	// Seed keys all hashes: what falls together in the tables, and estimates, differ with
	// another. Where strangers can send what is read, draw it.
	Seed uint64
}

// Stats counts what an [Engine] has done.
type Stats struct {
	Opened         uint64 // scans opened
	Closed         uint64 // scans closed
	Reopened       uint64 // times that a closed scan was reopened
	Watches        int    // closed scans that are watched now
	WatchesEvicted uint64 // closed scans no longer watched because Config.Watches was reached
	Sources        int    // sources with a record now
	SourcesEvicted uint64 // records forgotten because Config.Sources was reached
	Groups         int    // counts kept now
	GroupsEvicted  uint64 // counts forgotten because Config.Groups was reached, or what their values may take
	WalksEvicted   uint64 // walks forgotten because Config.Walks was reached
	// SuspectsEvicted, PairsEvicted and FactsEvicted count what slow windows, rules with sigmas
	// and guards have forgotten because Config.Suspects, Pairs and Facts were reached.
	SuspectsEvicted, PairsEvicted, FactsEvicted uint64
	Cut                                         uint64     // closed scans whose counts stood still, or that were closed, because Config.Targets or OpenTargets was reached
	Gate                                        gate.Stats // what was asked at the gate, for want of room for sources
	Guarded                                     uint64     // times a threshold was crossed and a guard held the rule back
}

// Engine turns events into scans. It belongs to one goroutine.
type Engine struct {
	cfg       Config
	keys      hashKeys
	given     Rules // in force
	home      networks
	allow     allowList
	rules     []*compiledRule // but for walks, slow and divided windows
	counts    byClass         // the same
	walks     []*compiledRule
	tiers     slowRules
	early     bool // a rule counts attempts as they open
	merits    bool // a rule counts what succeeds
	judges    bool // a rule goes by what came of attempts: only then are sources taken together
	now       int64
	past      history
	sources   sourceTable
	admission admission
	groups    groupTable
	walkers   walkerTable
	crowds    crowdSet
	division  division
	facts     facts
	outages   [2]outage   // of IPv4, of IPv6
	open      []*incident // in the order in which they opened
	orders    orders
	watches   watchTable
	// Closed scans that were reopened, in that order.
	reopened []*watch
	check    int64 // none of open and reopened falls idle before
	room     room  // for targets of open scans
	stats    Stats
	guard    guardSets
	list     list
	surges   *surges
	health   health
	probe    probe // what is being observed
}

// New makes an engine that works by rules. An error names the rule that cannot
// be used.
func New(cfg Config, rules Rules) (*Engine, error) {
	cfg = cfg.withDefaults()
	keys := newHashKeys(cfg.Seed)
	e := &Engine{
		cfg: cfg, keys: keys, check: math.MaxInt64,
		past:      history{max: uint64(cfg.History)},
		sources:   newSourceTable(cfg.Sources, keys),
		admission: newAdmission(&cfg),
		guard:     newGuardSets(),
		list:      newList(),
		facts:     newFacts(cfg.Facts, keys),
		room:      room{cfg.OpenTargets, cfg.OpenTargets},
		surges:    newSurges(cfg.Notify, keys),
		crowds:    crowdSet{keys: keys},
		orders:    orders{keys: keys},
		watches:   newWatchTable(cfg.Watches, cfg.Watch),
	}
	if err := e.Replace(rules); err != nil {
		return nil, err
	}
	return e, nil
}

// Replace makes the engine go on with other rules, which are not to be changed
// afterwards. Open scans stay open, and may do what the allow-list said as they opened.
// Counts, walks and slow windows begin anew, unless only the allow-list is another. On
// error the old rules stay in force.
func (e *Engine) Replace(rules Rules) error {
	if len(rules.Rules) == 0 {
		return errors.New("no rules: nothing could be found")
	}
	allow, err := compileAllow(rules.Allow)
	if err != nil {
		return err
	}
	if reflect.DeepEqual(rules.Rules, e.given.Rules) && slices.Equal(rules.Home, e.given.Home) {
		e.given, e.allow = rules, allow
		return nil
	}
	var compiled, walks []*compiledRule
	var slow slowRules
	var divided division
	early, merits, judges := false, false, false
	for i, r := range rules.Rules {
		c, err := compile(r, i)
		if err != nil {
			return fmt.Errorf("rule %q: %w", r.Name, err)
		}
		c.keys = e.keys
		judges = judges || c.unproductive
		switch c.Window {
		case Walk:
			walks = append(walks, c)
			continue
		case Slow:
			if err := slow.add(c); err != nil {
				return fmt.Errorf("rule %q: %w", r.Name, err)
			}
			continue
		case Divided:
			if divided.rule != nil {
				return fmt.Errorf("rule %q: %q has a divided window already", r.Name, divided.rule.Name)
			}
			divided.rule = c
			continue
		}
		early = early || c.early
		merits = merits || !c.early && !c.unproductive
		compiled = append(compiled, c)
	}
	if err := slow.begin(&e.cfg); err != nil {
		return err
	}
	e.stats = e.forgotten()
	e.given, e.allow = rules, allow
	divided.begin(e)
	e.walks, e.tiers, e.division = walks, slow, divided
	e.counts = newByClass(compiled)
	e.rules, e.early, e.merits, e.judges, e.home = compiled, early, merits, judges, newNetworks(rules.Home)
	for _, inc := range e.open {
		inc.resettle(compiled, walks)
	}
	e.groups, e.walkers = newGroupTable(e.cfg.Groups, compiled), newWalkerTable(e.cfg.Walks)
	return nil
}

// Stats tells what the engine has done so far.
func (e *Engine) Stats() Stats {
	s := e.forgotten()
	s.Sources, s.SourcesEvicted = e.sources.size, e.sources.evicted
	s.Gate = e.admission.gate.Stats()
	s.Watches, s.WatchesEvicted = len(e.watches.list), e.watches.evicted
	s.Groups = e.groups.size
	return s
}

// forgotten are the counts, with what the tables in which rules count have forgotten.
func (e *Engine) forgotten() Stats {
	s := e.stats
	s.GroupsEvicted += e.groups.evicted
	s.WalksEvicted += e.walkers.evicted
	s.FactsEvicted = e.facts.evicted
	if e.tiers.table != nil {
		s.SuspectsEvicted += e.tiers.table.Stats().Evicted
	}
	for _, r := range e.rules {
		if r.baselines != nil {
			s.PairsEvicted += r.baselines.Stats().Pairs.Evicted
		}
	}
	return s
}

// Observe takes one event. Events come in the order in which the table emitted
// them.
func (e *Engine) Observe(ev *flows.Event) {
	e.Advance(ev.At)
	e.probe.of = nil // what follows may make none of this event
	if ev.Kind == flows.Orphaned || ev.Kind == flows.Joined {
		e.notice(ev) // of no attempt
		return
	}
	if e.cfg.Trace != nil {
		e.cfg.Trace.Attempt(ev)
	}
	switch ev.Kind {
	case flows.Opened:
		e.observeOpened(ev)
	case flows.Counted:
		e.observeCounted(ev)
	case flows.Raised, flows.Withdrawn:
		e.observeChanged(ev)
	case flows.Final:
		e.observeFinal(ev)
	case flows.Ordered:
		e.orders.add(ev)
	case flows.Conversed:
		e.observeConversed(ev)
	}
	e.notice(ev)
}

// observeOpened sees a new attempt, or a further connection to its target.
func (e *Engine) observeOpened(ev *flows.Event) {
	e.acquaint(ev)
	if !e.early && !ev.Counted {
		return
	}
	s := e.source(&ev.Initiator)
	pr := &e.probe
	*pr = e.keys.probe(ev, s)
	if e.early {
		for _, r := range e.rules {
			pr.flagged = pr.flagged || r.early && r.concerns(&pr.attempted, s, e.home)
		}
	}
	if !pr.flagged && !ev.Counted || e.together(s, pr) {
		return
	}
	if e.isGhost(s) && (!pr.flagged || e.unlet(&s, pr)) {
		return
	}
	further := ev.Connections > 1
	if (!further || !e.past.renew(s, &pr.attempted)) && pr.flagged {
		e.past.add(s, &pr.attempted)
	}
	if s.incident != nil {
		e.grown(s.incident, s.incident.take(&pr.attempted, pr.flagged, e.cfg.Targets))
	}
	if pr.flagged {
		e.count(s, pr)
	}
}

// observeCounted sees an attempt that now counts against its initiator.
func (e *Engine) observeCounted(ev *flows.Event) {
	s := e.source(&ev.Initiator)
	pr := &e.probe
	*pr = e.keys.probe(ev, s)
	e.acquaint(ev)
	why := pr.weightless()
	switch {
	case why == NoExcuse:
		why = e.excuse(s, pr)
		// What is part of a scan is no failure that may be tried again; of those without a record, a
		// flood of which would drive out what is known of others, none is kept.
		if s.incident == nil && !e.isGhost(s) {
			e.facts.suffer(s, pr, e.now)
		}
	case pr.outcome == flows.Unseen, pr.tail: // the next may repeat it
	default:
		e.excused(why)
		return
	}
	pr.excused = why != NoExcuse
	e.excused(why)
	if e.isGhost(s) && (e.together(s, pr) || pr.excused || e.unlet(&s, pr)) {
		return
	}
	s.remember(ev, e.now)
	if e.together(s, pr) {
		return
	}
	e.remember(s, pr, e.early)
	if e.divided(s, pr) {
		return
	}
	if s.incident != nil {
		fits := !pr.excused || s.incident.belongs(&pr.attempted)
		e.grown(s.incident, s.incident.take(&pr.attempted, fits, e.cfg.Targets))
	}
	e.count(s, pr)
}

// observeChanged sees an outcome that rose, of a counted attempt or to
// productive; or an attempt that counts no longer. What was learned of its target stays.
func (e *Engine) observeChanged(ev *flows.Event) {
	s := e.source(&ev.Initiator)
	pr := &e.probe
	*pr = e.keys.probe(ev, s)
	if !pr.weighs() {
		return
	}
	if e.together(s, pr) {
		e.reached(pr)
		return
	}
	if e.isGhost(s) {
		if s = e.observeGhost(pr); s == nil {
			e.reached(pr)
			return
		}
	}
	if fresh := ev.Kind == flows.Raised && !ev.Counted; fresh {
		e.remember(s, pr, e.early)
	} else {
		e.past.renew(s, &pr.attempted)
	}
	e.productive(s, pr)
	e.count(s, pr)
	if ev.Kind == flows.Withdrawn {
		e.step(s, pr)
	}
	if s.incident != nil {
		fits := pr.flagged || !pr.counted && s.incident.belongs(&pr.attempted)
		e.grown(s.incident, s.incident.take(&pr.attempted, fits, e.cfg.Targets))
	}
	e.reached(pr)
}

// observeFinal sees the end of an attempt. By now all its packets are known,
// and an answer that did not count stands.
func (e *Engine) observeFinal(ev *flows.Event) {
	if ev.Cut && !ev.Counted {
		e.observeLost(ev)
		return
	}
	answered := ev.Outcome == flows.Answered && !ev.Counted
	if !ev.Counted && !answered {
		e.observeSuccess(ev)
		return
	}
	s := e.source(&ev.Initiator)
	pr := &e.probe
	*pr = e.keys.probe(ev, s)
	pr.counted = pr.counted || pr.unfinished()
	if !pr.weighs() || e.together(s, pr) {
		return
	}
	if e.isGhost(s) && (!answered || !pr.counted || e.unlet(&s, pr)) {
		e.finalGhost(s, pr)
		return
	}
	if answered {
		e.remember(s, pr, e.early || ev.Withdrawn)
		e.count(s, pr)
		if asksHost(pr.class) {
			e.facts.answer(s, pr, e.now)
		}
	} else {
		// Of one packet that led to no handshake all was known when it counted.
		if s.incident == nil && (ev.Packets > 1 || ev.Outcome >= flows.Answered || ev.Cut) {
			e.past.renew(s, &pr.attempted)
		}
		// The history finds only the source's latest attempts again.
		why := e.excuse(s, pr)
		pr.excused = why != NoExcuse
		e.excused(why)
	}
	e.step(s, pr)
	e.slow(s, pr)
	if s.incident != nil {
		fits := pr.flagged || answered && s.incident.belongs(&pr.attempted)
		e.grown(s.incident, s.incident.take(&pr.attempted, fits, e.cfg.Targets))
	}
}

// observeSuccess sees the end of a productive attempt, for the walks of its source:
// in the order of the failures beside it, which are known for good only now.
func (e *Engine) observeSuccess(ev *flows.Event) {
	if e.walkers.size == 0 {
		return
	}
	if s := e.sources.find(&ev.Initiator); s != nil && s.walks {
		e.probe = e.keys.probe(ev, s)
		e.step(s, &e.probe)
	}
}

// observeLost sees an attempt that the table had to forget before anything could be told
// of it. It accuses nobody; but where a scan is open that it fits, it is one of its own.
func (e *Engine) observeLost(ev *flows.Event) {
	s := e.sources.find(&ev.Initiator)
	if s == nil || s.incident == nil {
		return
	}
	e.probe = e.keys.probe(ev, s)
	a := &e.probe.attempted
	e.grown(s.incident, s.incident.take(a, s.incident.goesOn(a), e.cfg.Targets))
}

// remember notes an attempt; known says that it may be remembered already.
func (e *Engine) remember(s *source, pr *probe, known bool) {
	if (!known || !e.past.renew(s, &pr.attempted)) && !e.isLarge(s) {
		e.past.add(s, &pr.attempted)
	}
}

// count holds a probe against every rule that its event concerns: it is counted
// where it matches, and taken out again where it does so no longer.
func (e *Engine) count(s *source, pr *probe) {
	opening := pr.event.Kind == flows.Opened
	success := !opening && !pr.counted && pr.event.Kind != flows.Withdrawn
	if success && !e.merits {
		return
	}
	alone := e.isAlone(s, pr)
	for _, r := range e.counts.of(pr.class) {
		if r.early != opening || success && r.unproductive || s.incident != nil && s.incident.done(r) || !r.concerns(&pr.attempted, s, e.home) {
			continue
		}
		if !r.holds(&pr.attempted) {
			if pr.event.Kind == flows.Withdrawn || pr.event.Kind == flows.Raised && pr.counted {
				e.uncount(r, s, pr)
			}
			continue
		}
		if !r.unproductive && !pr.flagged {
			pr.flagged = true
			e.past.flag(s, &pr.attempted)
		}
		if alone && r.unproductive {
			e.stands(r, s, pr, 1)
			continue
		}
		if r.Sigma > 0 {
			e.unusual(r, s, pr)
			continue
		}
		n, bin := e.groups.count(r, s, pr, e.now)
		e.stands(r, s, pr, n)
		if n <= r.Over || s.incident != nil && s.incident.noted(r, bin, n) {
			continue
		}
		if value, ok := e.fires(r, n, s, pr); ok {
			e.fire(r, crossing{value: value, bin: bin, reach: math.MaxInt64}, s, pr)
		}
	}
}

// uncount takes a probe's value out of a count, unless another of the source's
// latest attempts upholds it.
func (e *Engine) uncount(r *compiledRule, s *source, pr *probe) {
	g := e.groups.of(r, s, pr)
	if g == nil {
		return
	}
	value, pos := r.value(&pr.attempted), s.newest
	for range near {
		a := e.past.at(pos)
		if a == nil {
			break
		}
		if r.value(a) == value && r.sameKey(a, &pr.attempted) && r.concerns(a, s, e.home) && r.holds(a) {
			return
		}
		pos = a.prev
	}
	e.groups.remove(g, value)
}

// crossing is how a rule's threshold was crossed.
type crossing struct {
	value int
	bin   int64 // of a tumbling window
	reach int64 // line time back to which all that counted belongs to the scan, however far apart
	// Where the rule compares with earlier hours, what they were.
	baseline *outlier.Finding
}

// fire opens a scan, or notes in the open one that a further rule fired.
func (e *Engine) fire(r *compiledRule, c crossing, s *source, pr *probe) {
	if s.incident == nil {
		if !e.fireTogether(r, c, s, pr) {
			e.openIncident(r, c, s, pr)
		}
		return
	}
	if !s.incident.noted(r, c.bin, c.value) {
		s.incident.fired(r, c, pr, e.now)
	}
}

// Advance moves the engine to now on the line clock: scans that have been idle
// for long enough close. An earlier now does nothing.
func (e *Engine) Advance(now int64) {
	if now <= e.now {
		return
	}
	for e.surges.check <= now {
		e.now = max(e.now, e.surges.check)
		if e.now >= e.check {
			e.closeIdle()
		}
		e.surges.advance(e.now)
	}
	e.now = now
	if now >= e.check {
		e.closeIdle()
	}
}

// Close ends every open scan, in the order in which they opened, then those that were
// reopened, as the end of the input does.
func (e *Engine) Close() {
	e.closeIdle()
	for _, inc := range e.open {
		e.close(inc, e.now)
	}
	for _, w := range e.reopened {
		e.recloses(w, e.now)
	}
	e.open, e.reopened = nil, nil
	e.surges.close(e.now)
}
