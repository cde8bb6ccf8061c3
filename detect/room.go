package detect

import "slices"

// leastTargets is how many targets a scan may hold whatever the others hold.
const leastTargets = 16

// room is what all open scans share to hold their targets in.
type room struct{ all, left int }

// allows reports whether a scan that holds so many targets may hold another one. While
// half is free any may; then only as many as leave others the same fifteen times over,
// so that the many small scans of a flood stay exact, and the few large ones do not.
func (r *room) allows(held int) bool {
	return r.left > r.all/2 || held < max(r.left/16, leastTargets)
}

// leastScans is how many scans may be open whatever there is room for.
const leastScans = 16

// spare closes an open scan where there are as many as targets can be shared among. Of a few,
// those with many targets stay, and it is the one quiet for longest. What its source
// goes on with opens no other for a while: else each would again and again, in the place of others.
func (e *Engine) spare(hash uint64) {
	n := len(e.open)
	if n < max(e.cfg.OpenTargets/leastTargets, leastScans) {
		return
	}
	best, from := -1, int(hash>>34)
	for k := range min(looks, n) {
		if i := (from + k) % n; e.open[i].crowd == nil && (best < 0 || e.open[i].spareable(e.open[best])) {
			best = i
		}
	}
	if best < 0 {
		return
	}
	inc := e.open[best]
	e.open = slices.Delete(e.open, best, best+1)
	for _, p := range inc.parts {
		p.full = true
	}
	e.close(inc, e.now)
	inc.source.closed = e.now + idleMin
}

// spareable reports whether a scan can be spared rather than another.
func (inc *incident) spareable(o *incident) bool {
	if many := inc.targets >= largeScan; many != (o.targets >= largeScan) {
		return !many
	}
	return inc.lastLine < o.lastLine
}

// silenced reports whether the source's scan had to go so that others could be open.
func (s *source) silenced(now int64) bool { return s.after > 0 && s.closed > now }

// restore takes so many targets of a part of a scan that was saved, but for those that each may
// hold, and reports whether there was room.
func (r *room) restore(held int) bool {
	beyond := max(held-leastTargets, 0)
	if beyond > r.left {
		return false
	}
	r.left -= beyond
	return true
}
