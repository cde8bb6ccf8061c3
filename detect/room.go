package detect

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
