package detect

import (
	"bytes"
	"cmp"
	"math/bits"
	"slices"
	"time"

	"github.com/synoptic-ids/synoptic/flows"
)

// watch is a scan that is closed, and what a conversation must be on to reopen it.
type watch struct {
	reach
	sources  [][16]byte
	record   Scan // as last reported
	allowed  authority
	first    int64 // line time of its first attempt
	closed   int64 // line clock when it closed
	answered []target
	hosts    hostFilter // hosts of ours that it tried

	open   bool
	due    int64 // line clock at which it closes again
	offset int64 // from the line clock to the capture's own time, of the latest conversation
}

// maxWatchedTargets bounds how many of a scan's targets are watched.
const maxWatchedTargets = 1 << 10

// watchTable holds closed scans, those that closed first before the others.
type watchTable struct {
	list    []*watch
	by      map[[16]byte][]*watch // by source
	max     int
	life    int64 // how long they are watched
	evicted uint64
}

const weekLength = 7 * dayLength

func newWatchTable(bound int, life time.Duration) watchTable {
	if life == 0 {
		life = time.Duration(weekLength)
	}
	return watchTable{by: map[[16]byte][]*watch{}, max: bound, life: int64(life)}
}

// add watches a scan that has closed, if there is something to come back to. What is
// over goes, and if there is no room the one that closed first.
func (t *watchTable) add(w *watch, now int64) {
	for len(t.list) > 0 && t.list[0].over(now, t.life) {
		t.drop()
	}
	if t.life < 0 || !w.worth() {
		return
	}
	if len(t.list) >= t.max {
		t.evicted++
		t.drop()
	}
	for _, addr := range w.sources {
		t.by[addr] = append(t.by[addr], w)
	}
	t.list = append(t.list, w)
}

func (w *watch) over(now, life int64) bool { return !w.open && now-w.closed > life }

// drop forgets the first.
func (t *watchTable) drop() {
	w := t.list[0]
	t.list[0] = nil
	t.list = t.list[1:]
	for _, addr := range w.sources {
		rest := slices.DeleteFunc(t.by[addr], func(o *watch) bool { return o == w })
		if t.by[addr] = rest; len(rest) == 0 {
			delete(t.by, addr)
		}
	}
}

// find is the latest scan of a source that is still watched, and that fits.
func (t *watchTable) find(addr *[16]byte, now int64, fits func(*watch) bool) *watch {
	for _, w := range slices.Backward(t.by[*addr]) {
		if !w.over(now, t.life) && fits(w) {
			return w
		}
	}
	return nil
}

// maxWatchedSources bounds for how many of a crowd its scan is watched.
const maxWatchedSources = 64

// watchOf is what is kept of a scan that closes.
func (inc *incident) watchOf(now int64) *watch {
	w := &watch{
		reach: inc.reach, allowed: inc.allowed, sources: [][16]byte{inc.addr}, first: inc.firstLine, closed: now,
	}
	if inc.crowd != nil {
		w.sources = nil
		for i := range inc.crowd.members[:min(len(inc.crowd.members), maxWatchedSources)] {
			w.sources = append(w.sources, inc.crowd.members[i].addr)
		}
	}
	ours := 0
	for h := range inc.hosts.all() {
		if inc.home.has(h) {
			ours++
		}
	}
	w.hosts = newHostFilter(ours)
	for h := range inc.hosts.all() {
		if inc.home.has(h) {
			w.hosts.add(inc.keys.addr(h, 0))
		}
	}
	everything := inc.answersAll()
	for _, p := range inc.parts {
		for k, st := range p.targets.all() {
			if p.class == flows.ClassTCP && answers(st.outcome) && !slices.Contains(everything, k.host) {
				w.answered = append(w.answered, *k)
			}
		}
	}
	slices.SortFunc(w.answered, compareTargets)
	w.answered = slices.Clip(slices.Compact(w.answered))
	if len(w.answered) > maxWatchedTargets {
		w.answered = slices.Clone(w.answered[:maxWatchedTargets])
	}
	if w.worth() {
		w.record = inc.record(Close, Time(inc.ownTime(now)))
	}
	return w
}

// worth reports whether there is something to come back to.
func (w *watch) worth() bool { return len(w.answered) > 0 || len(w.hosts) > 0 }

func answers(o flows.Outcome) bool { return o == flows.Answered || o == flows.Productive }

func compareTargets(a, b target) int {
	return cmp.Or(bytes.Compare(a.host[:], b.host[:]), cmp.Compare(a.port, b.port))
}

// returns sees a conversation that a source opened: with what it found in a scan that
// is closed?
func (e *Engine) returns(ev *flows.Event, g *Engagement) bool {
	w := e.watches.find(&ev.Initiator, e.now, func(w *watch) bool {
		_, answered := slices.BinarySearchFunc(w.answered, target{ev.Responder, ev.Port}, compareTargets)
		return answered && !e.facts.usedBy(&ev.Initiator, &ev.Responder, ev.Port, w.first, e.now)
	})
	if w != nil {
		e.reengage(w, ev, g, w.allowed.conversed)
	}
	return w != nil
}

// callsBack sees a conversation that a host of ours opened to a source: one that it
// had scanned?
func (e *Engine) callsBack(ev *flows.Event, g *Engagement) {
	w := e.watches.find(&ev.Responder, e.now, func(w *watch) bool {
		return w.hosts.has(e.keys.addr(&ev.Initiator, 0)) && !e.facts.spokeBy(&ev.Initiator, &ev.Responder, w.first, e.now)
	})
	if w != nil {
		e.reengage(w, ev, g, w.allowed.calledBack)
	}
}

// reengage reopens a closed scan by a conversation, unless that began before it closed
// and is known. judge holds it against the allow-list.
func (e *Engine) reengage(w *watch, ev *flows.Event, g *Engagement, judge func(*Engagement)) {
	began := ev.At - int64(ev.Lasted)*millisecond
	if fresh := w.engage(g); !fresh && began <= w.closed {
		return
	}
	added := []string{"engaged"}
	left := w.allowed.left()
	if judge(g); w.allowed.left() != left {
		added = append(added, "authorization")
	}
	w.due, w.offset = e.now+idleMin, ev.Start-ev.Line
	e.check = min(e.check, w.due)
	switch {
	case !w.open:
		w.open = true
		e.stats.Reopened++
		e.reopened = append(e.reopened, w)
		e.tell(w, Reopen, e.now, added)
	case w.news() || len(added) > 1:
		e.tell(w, Update, e.now, added)
	}
}

// tell reports a scan that was reopened, as of a time of the line clock.
func (e *Engine) tell(w *watch, phase Phase, now int64, added []string) {
	w.told = len(w.engaged)
	sc := &w.record
	sc.Phase, sc.Time, sc.Added = phase, Time(now+w.offset), added
	sc.Verdict, sc.Engaged = Engaged, w.engaged
	sc.Severity = severity(sc.Verdict, sc.Direction)
	sc.Attack = attack(sc)
	sc.Authorized, sc.Outside = nil, nil
	w.allowed.note(sc)
	sc.Risk = risk(sc)
	e.cfg.Report(sc.clone())
}

// clone is a record that shares no list with this one.
func (sc *Scan) clone() Scan {
	c := *sc
	c.Techniques, c.Rules, c.Parts = slices.Clone(sc.Techniques), slices.Clone(sc.Rules), slices.Clone(sc.Parts)
	c.HostRanges, c.Answered, c.AnswersAll = slices.Clone(sc.HostRanges), slices.Clone(sc.Answered), slices.Clone(sc.AnswersAll)
	c.AbusedBy = slices.Clone(sc.AbusedBy)
	c.Reasons, c.Attack, c.Added = slices.Clone(sc.Reasons), slices.Clone(sc.Attack), slices.Clone(sc.Added)
	c.Engaged, c.Srcs, c.Authorized = slices.Clone(sc.Engaged), slices.Clone(sc.Srcs), slices.Clone(sc.Authorized)
	return c
}

// recloses closes a reopened scan again. From then on it is watched for as long as
// before.
func (e *Engine) recloses(w *watch, now int64) {
	w.open, w.closed = false, now
	e.tell(w, Close, now, nil)
}

// hostFilter is a Bloom filter of addresses, four bits each. It may take one address
// in four hundred for one of its own; one in six where there are 8,192.
type hostFilter []uint64

const maxFilterBits = 1 << 16

func newHostFilter(n int) hostFilter {
	if n == 0 {
		return nil
	}
	size := 1 << bits.Len(uint(min(max(16*n, 64), maxFilterBits)-1))
	return make(hostFilter, size/64)
}

// places are the four bits of an address, by its hash.
func (f hostFilter) places(h uint64) (p [4]uint64) {
	mask := uint64(len(f)*64 - 1)
	for i := range p {
		p[i] = h >> (16 * i) & mask
	}
	return p
}

func (f hostFilter) add(h uint64) {
	for _, p := range f.places(h) {
		f[p/64] |= 1 << (p % 64)
	}
}

func (f hostFilter) has(h uint64) bool {
	if len(f) == 0 {
		return false
	}
	for _, p := range f.places(h) {
		if f[p/64]>>(p%64)&1 == 0 {
			return false
		}
	}
	return true
}
