package flows

import "slices"

// refWish is a wish for an address. Rule 19.
type refWish struct {
	at    int64
	taken bool
	by    [16]byte
	addr  [16]byte
}

// refLeases is what rule 19 remembers: all servers and wishes, of which the latest count.
type refLeases struct {
	servers [][16]byte
	wishes  []*refWish
}

func lastOf[T any](all []T, n int) []T { return all[max(0, len(all)-n):] }

// lease is the first half of rule 19.
func (r *reference) lease(p *Packet) {
	switch {
	case p.SrcPort == 67 && p.Has(MarkReplyLike):
		if refFromHost(p) && !slices.Contains(lastOf(r.leases.servers, 8), p.Src) {
			r.leases.servers = append(r.leases.servers, p.Src)
		}
	case p.DstPort == 67 && (p.SrcPort == 67 || p.SrcPort == 68):
		r.leases.wishes = append(r.leases.wishes, &refWish{at: r.clock})
	}
}

// leased is the second half. Wishes are in the order of their time.
func (r *reference) leased(p *Packet, class Class) bool {
	starts := (class == ClassARP || class == ClassEcho) && r.mayStart(p)
	if !starts || !slices.Contains(lastOf(r.leases.servers, 8), p.Src) {
		return false
	}
	open := slices.DeleteFunc(slices.Clone(lastOf(r.leases.wishes, 16)), func(w *refWish) bool { return r.clock-w.at > 3*refSecond })
	if slices.ContainsFunc(open, func(w *refWish) bool { return w.taken && w.by == p.Src && w.addr == p.Dst }) {
		return true
	}
	i := slices.IndexFunc(open, func(w *refWish) bool { return !w.taken })
	if i < 0 {
		return false
	}
	open[i].taken, open[i].by, open[i].addr = true, p.Src, p.Dst
	return true
}
