package sensor

import (
	"slices"

	"github.com/synoptic-ids/synoptic/capture"
	"github.com/synoptic-ids/synoptic/detect"
	"github.com/synoptic-ids/synoptic/flows"
)

// second is in nanoseconds.
const second = int64(1_000_000_000)

// judgedAfter is when the engine knows what came of a packet: outcomes are final after ten
// seconds.
const judgedAfter = 11 * second

// role is what a packet is to a scan.
type role uint8

const (
	roleProbe role = iota
	roleRefusal
	roleAnswer
	rolePayload
)

// roleOf is what a packet is to a scan by the source that is one side of its pair, 0 the sender.
func roleOf(t trait, side int) role {
	switch {
	case t&traitError != 0, t&traitReset != 0 && side == 1:
		return roleRefusal
	case t&traitPayload != 0:
		return rolePayload
	case t&traitProbe != 0 && side == 0:
		return roleProbe
	default:
		return roleAnswer
	}
}

// recorded is a scan of which packets are kept.
type recorded struct {
	id         string
	first      int64 // of its attempts, by the packets' clock
	keep       Keep
	sources    [][16]byte
	again      bool // it was reopened: what was kept before is not kept again
	kept, left Kept
	bytes      int
	frame      uint64 // the latest that was kept, plus one
}

// recorder remembers packets, and picks out those of scans. It belongs to the goroutine of
// the engine.
type recorder struct {
	cfg    Evidence
	engine *detect.Engine
	report func(detect.Scan)
	ring
	judged  uint64 // packets before it were held against the open scans
	scans   map[string]*recorded
	sources map[[16]byte]int // of those scans, and of how many each is one
	watched [1 << 6]uint64   // bits of their hashes
	fresh   []*recorded      // with sources whose past was not looked for yet
	news    [][][16]byte     // which those are
	ids     []string
	found   []uint64
	out     capture.Frame
	stats   EvidenceStats
}

func newRecorder(cfg Evidence, seed uint64, report func(detect.Scan)) *recorder {
	cfg = cfg.withDefaults()
	return &recorder{
		cfg: cfg, report: report, ring: newRing(cfg.Memory, seed),
		scans: map[string]*recorded{}, sources: map[[16]byte]int{},
	}
}

// Stats tells what was kept so far.
func (r *recorder) Stats() EvidenceStats {
	s := r.stats
	s.Scans = len(r.scans)
	return s
}

// scan takes a record of the engine, and passes it on.
func (r *recorder) scan(s detect.Scan) {
	t := r.scans[s.ID]
	switch {
	case s.Phase == detect.Close:
		if t != nil {
			r.end(t, &s)
		}
	case t == nil:
		r.begin(&s)
	default:
		t.keep.Record(&s)
		r.enlist(t, &s)
	}
	if r.report != nil {
		r.report(s)
	}
}

func (r *recorder) begin(s *detect.Scan) {
	if len(r.scans) >= r.cfg.Scans || len(r.sources)+max(len(s.Srcs), 1) > maxSourcesKept {
		if s.Phase == detect.Open {
			r.stats.Unkept++
		}
		return
	}
	keep := r.cfg.Keeper.Begin(s)
	if keep == nil {
		return
	}
	t := &recorded{id: s.ID, first: int64(s.First), keep: keep, again: s.Phase == detect.Reopen}
	r.scans[s.ID] = t
	r.stats.Begun++
	r.enlist(t, s)
}

// enlist notes the sources of a scan that were not known yet, as far as there is room.
func (r *recorder) enlist(t *recorded, s *detect.Scan) {
	before := len(t.sources)
	enter := func(addr [16]byte) {
		if len(r.sources) < maxSourcesKept && !slices.Contains(t.sources[:before], addr) {
			t.sources = append(t.sources, addr)
			r.sources[addr]++
			r.mark(&addr)
		}
	}
	if s.Src.IsValid() {
		if before == 0 {
			enter(s.Src.As16())
		}
	} else if before < len(s.Srcs) {
		for _, src := range s.Srcs {
			enter(src.As16())
		}
	}
	if added := t.sources[before:]; len(added) > 0 {
		r.fresh, r.news = append(r.fresh, t), append(r.news, added)
	}
}

// end tells who keeps a scan's packets that there are no more.
func (r *recorder) end(t *recorded, s *detect.Scan) {
	t.keep.End(s, t.kept, t.left)
	delete(r.scans, t.id)
	for _, addr := range t.sources {
		if r.sources[addr]--; r.sources[addr] == 0 {
			delete(r.sources, addr)
		}
	}
	if len(r.sources) == 0 {
		clear(r.watched[:])
	}
}

func (r *recorder) mark(addr *[16]byte) {
	h := hashOf(addr, r.seed) >> 52
	r.watched[h>>6] |= 1 << (h & 63)
}

// watches reports whether an address is a source of a scan.
func (r *recorder) watches(addr *[16]byte) bool {
	h := hashOf(addr, r.seed) >> 52
	return r.watched[h>>6]>>(h&63)&1 != 0 && r.sources[*addr] > 0
}

// wants reports whether all that passes between a source and a host is remembered.
func (r *recorder) wants(source, host *[16]byte) bool {
	if r.watches(source) {
		if r.ids = r.engine.Involved(r.ids[:0], *source, *host); len(r.ids) > 0 {
			return true
		}
	}
	return r.engine.Awaits(*source, *host)
}

// take remembers a packet, if it may be part of a scan.
func (r *recorder) take(h *shot, data []byte) {
	if h.traits&traitCommon != 0 && !r.wants(&h.pair[0], &h.pair[1]) && !r.wants(&h.pair[1], &h.pair[0]) {
		return
	}
	data = data[h.from:h.to]
	for r.full(len(data)) {
		if r.judged == r.tail && r.judge() {
			r.stats.Hurried++
		}
		r.tail++
	}
	r.push(h, data)
}

// advance holds the packets against the open scans of which it is known by now what came of
// them.
func (r *recorder) advance(now int64) {
	for r.judged < r.head && r.of(r.judged).line <= now-judgedAfter {
		r.judge()
	}
}

// settle does so for all that are left.
func (r *recorder) settle() {
	for r.judged < r.head {
		r.judge()
	}
}

// judge holds the next packet against the open scans, and reports whether it is from or to a
// source of one.
func (r *recorder) judge() (watched bool) {
	e := r.of(r.judged)
	r.judged++
	for side := range e.pair {
		if !r.watches(&e.pair[side]) {
			continue
		}
		watched = true
		r.ids = r.engine.Involved(r.ids[:0], e.pair[side], e.pair[1-side])
		for _, id := range r.ids {
			if t := r.scans[id]; t != nil {
				r.keep(t, e, side)
			}
		}
	}
	return watched
}

// recall looks for what scans did before they opened, or before it was known that some
// of their sources are.
func (r *recorder) recall() {
	for i, t := range r.fresh {
		if r.scans[t.id] == t {
			r.backfill(t, r.news[i])
		}
	}
	clear(r.fresh)
	r.fresh, r.news = r.fresh[:0], r.news[:0]
}

func (r *recorder) backfill(t *recorded, sources [][16]byte) {
	r.found = r.found[:0]
	for i := range sources {
		r.visit(&sources[i], func(n uint64, e *remembered) {
			if n < r.judged && e.time >= t.first-second && (!t.again || e.traits&traitKept == 0) {
				r.found = append(r.found, n)
			}
		})
	}
	slices.Sort(r.found)
	for _, n := range slices.Compact(r.found) {
		e := r.of(n)
		for side := range e.pair {
			if !slices.Contains(sources, e.pair[side]) {
				continue
			}
			r.ids = r.engine.Involved(r.ids[:0], e.pair[side], e.pair[1-side])
			if slices.Contains(r.ids, t.id) {
				r.keep(t, e, side)
			}
		}
	}
}

// keep gives a packet to who keeps those of a scan, unless there are enough like it.
func (r *recorder) keep(t *recorded, e *remembered, side int) {
	if t.frame == e.frame+1 {
		return // another packet of the same frame
	}
	as := roleOf(e.traits, side)
	data := r.bytes(e)
	if *t.kept.of(as) >= uint64(r.cfg.Packets) || t.bytes+len(data) > r.cfg.Bytes { //nolint:gosec // positive
		*t.left.of(as)++
		r.stats.Left++
		return
	}
	*t.kept.of(as)++
	t.bytes += len(data)
	t.frame = e.frame + 1
	r.stats.Packets++
	e.traits |= traitKept
	r.out = capture.Frame{Data: data, Time: e.time, Len: e.len, Iface: e.iface}
	t.keep.Frame(&r.out, e.link)
}

// record gives a batch to the engine, packet by packet, and remembers the packets: so it is known
// before which of them a scan opened, and nothing depends on the batch. Before the engine's clock
// moves, packets are judged, for a scan may close then.
func (s *Sensor) record(batch *eventBatch) {
	r, at := s.recorder, 0
	observe := func(until int) {
		for ; at < until; at++ {
			r.advance(batch.events[at].At)
			ev := &batch.events[at]
			s.engine.Observe(ev)
			if ev.Kind == flows.Final && s.cfg.OnAttempt != nil {
				s.cfg.OnAttempt(ev.Attempt)
			}
			r.recall()
		}
	}
	for i := range batch.shots.list {
		h := &batch.shots.list[i]
		r.take(h, batch.shots.data)
		observe(int(h.events))
		r.advance(h.line)
		s.engine.Advance(h.line)
	}
	observe(len(batch.events))
	r.advance(batch.now)
	s.engine.Advance(batch.now)
	batch.shots.reset()
}
