package detect

import (
	"math"
	"slices"

	"github.com/synoptic-ids/synoptic/flows"
)

// surgeKind is a kind of notice that opens where many addresses have to do with one host.
type surgeKind struct {
	name   NoticeKind
	window int64
	// patience is for how long nothing is said, so that what speaks against it can come.
	patience int64
	// threshold is how many distinct addresses open a notice.
	threshold func(flows.Class) int
	// rename is what the notice is called after all, where that is another name.
	rename func(*surge) NoticeKind
	// holds reports whether the evidence of the latest window is enough.
	holds func(*surge, NoticeEvidence) bool
}

const (
	maxSurges = 256 // as many as their places, of 8 bits, can tell
	// surgeIdle is how long a surge may be less than a quarter of its threshold before it is
	// over.
	surgeIdle = 5 * 60 * second
	// surgePace is how often a surge is looked at, beyond its first packets.
	surgePace  = second / 10
	surgeFirst = 32
)

// surges are the hosts that many have to do with.
type surges struct {
	hubs   hubTable
	list   []uint8 // places, in the order in which they began
	slots  [maxSurges]*surge
	heats  [maxSurges]heat
	spare  []uint8 // places that are free again
	made   int
	check  int64  // nothing is due before
	missed uint64 // for which there was no room
	report func(Notice)
	view   view
	latest *surge // of backscatter, that grew last: mostly the next to grow as well
}

// view is what has shown whether the capture sees both sides.
type view struct {
	answered uint64 // attempts that were
	halves   uint64 // conversations of which it was the answers alone that came
}

// oneWay reports whether the capture mostly sees answers alone.
func (v *view) oneWay() bool { return v.halves > v.answered }

func newSurges(report func(Notice), keys hashKeys) *surges {
	return &surges{check: math.MaxInt64, report: report, hubs: hubTable{keys: keys}}
}

// find is the surge of a host, or nil.
func (t *surges) find(host *[16]byte, kind uint8, class flows.Class) *surge {
	if len(t.list) == 0 {
		return nil // as on most days, and every conversation asks
	}
	if h := t.hubs.find(host, kind, class); h != nil {
		return h.surge
	}
	return nil
}

// meet notes that an address has to do with a host, and returns the surge of the
// host, if it is one by now.
func (t *surges) meet(host *[16]byte, kind uint8, k *surgeKind, class flows.Class, it *item) *surge {
	h := t.hubs.make(host, kind, class, it.line)
	if h == nil {
		t.missed++
		return nil
	}
	if h.surge == nil && h.meet(it, k.window) {
		if !t.room() {
			t.missed++
			h.n = 0
			return nil
		}
		h.surge = t.place()
		h.surge.begin(h, k, &t.view, it)
		t.check = min(t.check, max(h.surge.due(), it.line+1))
	}
	return h.surge
}

// room makes room for one more surge, if there is none: of those without a notice the
// one that was busy longest ago goes.
func (t *surges) room() bool {
	if len(t.list) < maxSurges {
		return true
	}
	oldest := -1
	for i, n := range t.list {
		if h := &t.heats[n]; !h.opened && (oldest < 0 || h.busy < t.heats[t.list[oldest]].busy) {
			oldest = i
		}
	}
	if oldest < 0 {
		return false
	}
	t.missed++
	t.drop(t.list[oldest])
	t.list = slices.Delete(t.list, oldest, oldest+1)
	return true
}

// place takes a place for a surge.
func (t *surges) place() *surge {
	n := uint8(t.made)
	if spare := len(t.spare); spare > 0 {
		n, t.spare = t.spare[spare-1], t.spare[:spare-1]
	} else {
		t.made++
		t.slots[n] = &surge{heat: &t.heats[n]}
	}
	t.list = append(t.list, n)
	return t.slots[n]
}

// drop gives the place of a surge back, and its hub, but leaves it in the list.
func (t *surges) drop(n uint8) {
	hub := t.slots[n].hub
	hub.surge, hub.n = nil, 0
	t.spare = append(t.spare, n)
}

// add counts what speaks for a notice, and reports what comes of it.
func (t *surges) add(s *surge, it *item) {
	s.take(it)
	if s.count > surgeFirst && it.line < s.next {
		return
	}
	s.next = it.line + surgePace
	if 4*s.recent.Count(s.half) >= s.kind.threshold(s.hub.class) {
		s.busy = it.line
	}
	if !s.opened {
		if it.line-s.begun >= s.kind.patience {
			t.judge(s, it.line)
		}
		return
	}
	if s.count < s.look {
		return
	}
	if s.single != s.to.one() || s.addresses() >= 2*s.said {
		t.report(s.record(Update, it.line+s.shift))
		return
	}
	s.look = s.count + max(s.said/2, 1)
}

// wonder counts what may come to speak for a notice, or against it.
func (t *surges) wonder(s *surge, it *item) {
	if s.taken {
		t.add(s, it)
		return
	}
	half := s.turn(it.line)
	s.unsure.Add(it.who, half)
	s.doubts++
	if s.opened || s.doubts%64 != 0 || s.unsure.Count(half) < floodUnsure {
		return
	}
	s.busy, s.shift = it.line, it.shift
	if ev := s.evidence(it.line); silentFlood(s, ev) {
		s.taken, s.opened, s.opening = true, true, ev
		s.before = s.unsure.Count(half)
		s.opening.Value, s.opening.Threshold = s.before, floodUnsure
		s.take(it)
		t.report(s.record(Open, it.line+it.shift))
	}
}

// judge opens a notice where the evidence is enough.
func (t *surges) judge(s *surge, line int64) {
	if ev := s.evidence(line); s.kind.holds(s, ev) {
		s.opened, s.opening = true, ev
		if s.kind.rename != nil {
			s.name = s.kind.rename(s)
		}
		t.report(s.record(Open, line+s.shift))
	}
}

// due is when there is something to do for a surge at the latest.
func (s *surge) due() int64 {
	switch {
	case s.opened:
		return s.busy + surgeIdle
	case !s.judged:
		return s.begun + s.kind.patience
	default:
		return s.busy + s.kind.window
	}
}

// advance opens what has waited for long enough, and ends what has been quiet for
// long enough.
func (t *surges) advance(now int64) {
	t.check, t.latest = math.MaxInt64, nil
	kept := t.list[:0]
	for _, n := range t.list {
		s := t.slots[n]
		if !s.opened && !s.judged && now-s.begun >= s.kind.patience {
			s.judged = true
			t.judge(s, now)
		}
		at := s.due()
		if at > now {
			t.check = min(t.check, at)
			kept = append(kept, n)
			continue
		}
		if s.opened {
			t.report(s.record(Close, at+s.shift))
		}
		t.drop(n)
	}
	t.list = kept
}

// close ends them all, in the order in which they began, as the end of the input does.
func (t *surges) close(now int64) {
	for _, n := range t.list {
		s := t.slots[n]
		if !s.opened {
			t.judge(s, now)
		}
		if s.opened {
			t.report(s.record(Close, now+s.shift))
		}
	}
	t.list = nil
}
