package detect

import (
	"slices"

	"github.com/synoptic-ids/synoptic/flows"
)

const (
	hubBuckets = 1 << 9
	hubWays    = 4
	// hubItems is how many distinct addresses a hub remembers one by one. With so many
	// it becomes a surge, which counts them.
	hubItems = 8
)

// hub is a host that others have to do with, in one way: those of late, before
// they are so many that it becomes a surge.
type hub struct {
	host  [16]byte
	kind  uint8 // place in surgeKinds
	class flows.Class
	n     uint8 // items
	items [hubItems]uint32
	since int64  // line clock of the first item
	first int64  // when that began, by the capture's own clock
	used  int64  // line clock when it was last looked for with an item
	surge *surge // nil as long as there are few items
}

// hubTable finds hubs. Of a full bucket the one without a surge that was used
// longest ago is lost.
type hubTable struct {
	keys hashKeys
	tags [hubBuckets][hubWays]uint32 // 0: free
	hubs [hubBuckets][hubWays]hub
}

// find is the hub of a host, or nil.
func (t *hubTable) find(host *[16]byte, kind uint8, class flows.Class) *hub {
	hash := t.keys.addr(host, uint64(kind)<<8|uint64(class))
	b, tag := hash%hubBuckets, tagged(hash)
	for i := range t.tags[b] {
		if h := &t.hubs[b][i]; t.tags[b][i] == tag && h.host == *host && h.kind == kind && h.class == class {
			return h
		}
	}
	return nil
}

// make is the hub of a host, a new one if there is none; nil if all in its place have surges.
func (t *hubTable) make(host *[16]byte, kind uint8, class flows.Class, now int64) *hub {
	if h := t.find(host, kind, class); h != nil {
		return h
	}
	hash := t.keys.addr(host, uint64(kind)<<8|uint64(class))
	b, place := hash%hubBuckets, -1
	for i := range t.tags[b] {
		if t.tags[b][i] == 0 {
			place = i
			break
		}
		h := &t.hubs[b][i]
		if h.surge == nil && (place < 0 || h.used < t.hubs[b][place].used) {
			place = i
		}
	}
	if place < 0 {
		return nil
	}
	t.tags[b][place] = tagged(hash)
	h := &t.hubs[b][place]
	*h = hub{host: *host, kind: kind, class: class, used: now}
	return h
}

// meet notes an item, and reports whether the hub now holds as many as it can.
func (h *hub) meet(it *item, window int64) (full bool) {
	if h.n > 0 && it.line-h.since > window {
		h.n = 0
	}
	if h.n == 0 {
		h.since, h.first = it.line, it.start
	}
	h.used, h.first = it.line, min(h.first, it.start)
	if slices.Contains(h.items[:h.n], it.who) {
		return false
	}
	h.items[h.n] = it.who
	h.n++
	return h.n == hubItems
}
