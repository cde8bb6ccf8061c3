package detect

import (
	"cmp"
	"math"
	"slices"

	"github.com/synoptic-ids/synoptic/detect/marks"
	"github.com/synoptic-ids/synoptic/flows"
)

// target is a port of a host, as one technique sees it.
type target struct {
	host [16]byte
	port uint16
}

// targetState is what is known of a target in a scan.
type targetState struct {
	progress
	outcome   flows.Outcome
	code      uint8
	crafted   bool
	handshake bool
	halfOpen  bool
}

// progress is what is counted already of the latest attempt on a target.
type progress struct {
	start       int64 // of that attempt
	packets     uint32
	connections uint32
	cut         bool
}

// part is what a scan did with one technique.
type part struct {
	technique  flows.Technique
	class      flows.Class
	targets    flat[target, targetState]
	hosts      *hostSet
	ports      *portSet
	attempts   uint64
	packets    uint64
	first      int64
	last       int64
	handshakes int // targets
	halfOpen   int // targets
	crafted    int // targets
	full       bool
}

// incident is a scan that is open.
type incident struct {
	source   *source // nil of a crowd
	addr     [16]byte
	keys     hashKeys
	id       string
	day      string // correlation
	floor    int64  // least idle time
	rule     *compiledRule
	evidence Evidence
	detected Detected
	rules    []Fired
	bins     []int64  // of rules, for tumbling windows
	over     []uint64 // bits of the rules in force, by their numbers, that have nothing more to say
	parts    []*part
	home     networks
	allowed  authority

	first, firstLine int64
	last, lastLine   int64
	gaps             [gapsKept]int64
	gapCount         int
	tally            tally
	hosts            *hostSet // over all parts: of one, its own
	ports            *portSet
	cut              int
	short            bool // not all that made the rule fire is remembered
	vlan             uint16
	targets          int
	doubling         int   // targets at which an update is due
	room             *room // for targets
	beyond           beyond
	said             said
	orders           *orders // of all FTP clients; nil of a crowd
	abusers          []abuser

	crowd      *crowd              // nil of a single source
	speaker    int                 // the member whose attempt is taken
	tries      flat[try, progress] // of the members
	tool       *Tool
	mergedInto string // id of the scan that has absorbed it
	reach
}

// said is what the latest record said of what may change.
type said struct {
	shape     Shape
	technique string
	verdict   Verdict
	parts     int
	single    bool // one host
	outside   bool // of what the allow-list covers
}

// Bounds on how long a scan may be silent before it is over.
const (
	second   = int64(1_000_000_000)
	idleMin  = 15 * 60 * second
	idleMax  = 24 * 3600 * second
	gapsKept = 32
	maxFired = 256
)

// idle is how long the scan may be silent: eight times the median gap between
// its attempts, but no less than the window of the rule that opened it, within
// bounds.
func (inc *incident) idle() int64 {
	n := min(inc.gapCount, gapsKept)
	if n == 0 {
		return inc.floor
	}
	sorted := inc.gaps
	slices.Sort(sorted[:n])
	return min(max(inc.floor, 8*sorted[n/2]), idleMax)
}

// idleFloor is the least time for which a scan opened by a rule may be silent.
func idleFloor(r *compiledRule) int64 {
	if !r.sliding() {
		return idleMin
	}
	return min(max(idleMin, r.window), idleMax)
}

// ownTime turns a line time into the capture's own, as of the scan's last
// attempt.
func (inc *incident) ownTime(line int64) int64 { return line - inc.lastLine + inc.last }

// openIncident opens a scan for a source, filled with what is remembered of it.
func (e *Engine) openIncident(r *compiledRule, c crossing, s *source, pr *probe) {
	if s.silenced(e.now) {
		return
	}
	e.spare(s.hash)
	e.stats.Opened++
	inc := &incident{
		source: s, addr: s.addr, keys: e.keys, orders: &e.orders, rule: r, home: e.home, floor: idleFloor(r), vlan: pr.vlan,
		allowed: e.allow.of(&s.addr), room: &e.room,
	}
	s.incident = inc
	rank := e.backfill(inc, s, pr, c.reach)
	inc.id, inc.day = scanID(&inc.addr, inc.first), correlation(&inc.addr, inc.first)
	inc.detected = Detected{Targets: max(rank, min(c.value, inc.targets)), Seconds: seconds(e.now - inc.firstLine)}
	inc.evidence = Evidence{
		Count: string(r.Count), Value: c.value, Threshold: r.Over, Window: r.windowText(),
		Baseline: baselineOf(c.baseline),
	}
	inc.short = inc.short || (r.Window == Walk || r.Window == Slow) && c.value > inc.targets || s.credit > 1
	inc.evidence.Before = before(s)
	inc.fired(r, c, pr, e.now)
	e.open = append(e.open, inc)
	e.check = min(e.check, inc.lastLine+idleMin)
	inc.doubling = 2 * inc.targets
	e.report(inc, Open, inc.ownTime(e.now), nil)
}

// before is about how many targets a source had tried before it got a record. That is no part
// of what is compared with a threshold.
func before(s *source) int { return max(int(s.credit)-1, 0) }

// backfill gives a new scan the source's attempts that counted, back to the
// first gap that would have ended it, or to where the rule's count began, and the
// answered ones that belong to them. It returns how many targets began no later than the probe that opened
// the scan.
func (e *Engine) backfill(inc *incident, s *source, pr *probe, reach int64) (rank int) {
	var found, answered []*attempted
	edge := pr.attempted.line
	for pos := s.newest; ; {
		a := e.past.at(pos)
		if a == nil || pos <= s.after {
			inc.short = pos > s.after && !e.past.reaches(edge-inc.floor)
			break
		}
		pos = a.prev
		if !a.material() {
			if a.excused || a.outcome == flows.Answered || a.outcome == flows.Productive {
				answered = append(answered, a)
			}
			continue
		}
		if a.line < edge-inc.floor && a.line < reach && (inc.rule.sliding() || inc.rule.Sigma > 0 || inc.rule.Window == Slow) {
			break
		}
		edge = min(edge, a.line)
		found = append(found, a)
	}
	if len(found) == 0 {
		// It is older than the source's last scan: it alone begins this one.
		found = append(found, &pr.attempted)
	}
	slices.Reverse(found)
	slices.Reverse(answered)
	inc.begin(found)
	for _, a := range found {
		before := inc.targets
		inc.take(a, true, e.cfg.Targets)
		if inc.targets > before && a.start <= pr.start {
			rank++
		}
	}
	for _, a := range answered {
		if a.line >= edge-inc.floor {
			inc.take(a, inc.belongs(a), e.cfg.Targets)
			if a.class == flows.ClassTCP && a.outcome == flows.Productive && e.found(inc, &s.addr, &a.responder, a.port) {
				inc.probed = true
			}
		}
	}
	return rank
}

// begin sets the beginning of a scan by its first attempt.
func (inc *incident) begin(found []*attempted) {
	first := found[0]
	for _, a := range found {
		if a.line < first.line {
			first = a
		}
	}
	inc.first, inc.firstLine = first.start, first.line
	inc.last, inc.lastLine = first.start, first.line
}

// noted reports whether the scan knows already that a rule fired, and keeps
// its value. Of a tumbling window there is one entry a bin, with the highest
// value; of others one a rule, with the first.
func (inc *incident) noted(r *compiledRule, bin int64, value int) bool {
	for i := len(inc.rules) - 1; i >= 0; i-- {
		f := &inc.rules[i]
		if f.Rule != r.Name || inc.bins[i] != bin {
			continue
		}
		if !r.sliding() {
			f.Value = max(f.Value, value)
		}
		return true
	}
	return false
}

// plainScan is from how many targets on it no longer matters which rules a scan would break as well.
// Counting them takes a quarter of the time that a sweep costs, and of the counts there is room for.
const plainScan = 256

func (inc *incident) isPlain() bool { return inc.targets >= plainScan }

// done reports whether a rule has nothing more to say of this scan: one with a
// sliding window that has fired, or any such rule of a scan that is plain.
func (inc *incident) done(r *compiledRule) bool {
	return inc.isPlain() && r.sliding() || r.number/64 < len(inc.over) && inc.over[r.number/64]>>(r.number%64)&1 != 0
}

// resettle does so for rules that take the place of others.
func (inc *incident) resettle(rules ...[]*compiledRule) {
	clear(inc.over)
	for _, r := range slices.Concat(rules...) {
		inc.settle(r)
	}
}

// settle notes that a rule has nothing more to say, if that is so.
func (inc *incident) settle(r *compiledRule) {
	if !r.sliding() || !slices.ContainsFunc(inc.rules, func(f Fired) bool { return f.Rule == r.Name }) {
		return
	}
	for len(inc.over) <= r.number/64 {
		inc.over = append(inc.over, 0)
	}
	inc.over[r.number/64] |= 1 << (r.number % 64)
}

// fired notes that a rule fired for the first time.
func (inc *incident) fired(r *compiledRule, c crossing, pr *probe, now int64) {
	if len(inc.rules) < maxFired {
		own := now + pr.event.Start - pr.event.Line
		inc.rules = append(inc.rules, Fired{Rule: r.Name, Time: Time(own), Value: c.value})
		inc.bins = append(inc.bins, c.bin)
	}
	inc.settle(r)
}

// grown reports what has changed in a scan, if it is worth a record.
func (e *Engine) grown(inc *incident, changed bool) {
	if !changed {
		return
	}
	e.check = min(e.check, inc.lastLine+idleMin)
	if added := inc.news(); len(added) > 0 {
		e.report(inc, Update, inc.ownTime(e.now), added)
	}
}

// news lists what is different from the latest record.
func (inc *incident) news() []string {
	var added []string
	if inc.extent() >= inc.doubling {
		added = append(added, "targets")
	}
	now := inc.state()
	if now.single != inc.said.single {
		added = append(added, "hosts")
	}
	if now.parts != inc.said.parts {
		added = append(added, "technique")
	}
	if now.shape != inc.said.shape {
		added = append(added, "shape")
	}
	if now.verdict != inc.said.verdict && now.verdict.rank() > inc.said.verdict.rank() {
		added = append(added, "verdict")
	}
	if now.outside != inc.said.outside {
		added = append(added, "authorization")
	}
	if inc.reach.news() {
		added = append(added, "engaged")
	}
	return added
}

func (e *Engine) report(inc *incident, phase Phase, at int64, added []string) {
	highest := inc.said.verdict
	inc.said = inc.state()
	if highest.rank() > inc.said.verdict.rank() {
		inc.said.verdict = highest
	}
	for inc.doubling <= inc.extent() && inc.doubling > 0 {
		inc.doubling *= 2
	}
	inc.tool = e.tool(inc)
	inc.told = len(inc.engaged)
	sc := inc.record(phase, Time(at))
	sc.Added = added
	e.cfg.Report(sc)
}

// closeIdle closes the scans whose silence has lasted long enough, in the order
// in which they became due.
func (e *Engine) closeIdle() {
	type due struct {
		at    int64
		close func()
	}
	var closing []due
	e.check = math.MaxInt64
	kept := e.open[:0]
	for _, inc := range e.open {
		at := inc.lastLine + inc.idle()
		if at <= e.now {
			closing = append(closing, due{at, func() { e.close(inc, at) }})
			continue
		}
		e.check = min(e.check, at)
		kept = append(kept, inc)
	}
	clear(e.open[len(kept):])
	e.open = kept
	e.reopened = slices.DeleteFunc(e.reopened, func(w *watch) bool {
		if w.due > e.now {
			e.check = min(e.check, w.due)
			return false
		}
		closing = append(closing, due{w.due, func() { e.recloses(w, w.due) }})
		return true
	})
	slices.SortStableFunc(closing, func(a, b due) int { return cmp.Compare(a.at, b.at) })
	for _, d := range closing {
		d.close()
	}
}

// close ends a scan, as of a time of the line clock.
func (e *Engine) close(inc *incident, at int64) {
	e.stats.Closed++
	if slices.ContainsFunc(inc.parts, func(p *part) bool { return p.full }) {
		e.stats.Cut++
	}
	for _, p := range inc.parts {
		e.room.left += p.targets.size()
	}
	if inc.crowd == nil {
		inc.source.incident = nil
		// A later scan does not begin with this one's attempts.
		inc.source.after, inc.source.closed = e.past.last, inc.lastLine
	}
	e.report(inc, Close, inc.ownTime(at), nil)
	if inc.mergedInto == "" {
		e.watches.add(inc.watchOf(at), at)
	}
	if inc.crowd != nil {
		e.crowds.drop(inc.crowd)
		return
	}
	inc.source.votes, inc.source.credit = marks.Votes{}, 0
}
