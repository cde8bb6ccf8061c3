package detect

import "slices"

// Involved appends the ids of the scans that what passes between a source and a host is about:
// those open by the source, alone or among others, of which the host is a target; and those
// that were reopened, to which it answered or for which it called back. What is part of a scan
// and what is not is known some ten seconds after it, when its outcome is. It allocates nothing
// but dst, and belongs to the goroutine of Observe.
func (e *Engine) Involved(dst []string, source, host [16]byte) []string {
	hash := e.keys.addr(&host, 0)
	add := func(inc *incident) {
		if inc != nil && inc.hosts != nil && inc.hosts.has(&host, hash) && !slices.Contains(dst, inc.id) {
			dst = append(dst, inc.id)
		}
	}
	if s := e.sources.find(&source); s != nil {
		add(s.incident)
	}
	for _, at := range e.crowds.of(&source) {
		add(at.inc)
	}
	for _, w := range e.watches.by[source] {
		if w.open && w.concerns(&host, hash) && !slices.Contains(dst, w.record.ID) {
			dst = append(dst, w.record.ID)
		}
	}
	return dst
}

// Awaits reports whether what passes between a source and a host may reopen a scan of the source
// that is closed. It belongs to the goroutine of Observe.
func (e *Engine) Awaits(source, host [16]byte) bool {
	if len(e.watches.list) == 0 {
		return false
	}
	for _, w := range e.watches.by[source] {
		if w.concerns(&host, e.keys.addr(&host, 0)) {
			return true
		}
	}
	return false
}

// concerns reports whether a host answered the scan, or is one of ours that it tried.
func (w *watch) concerns(host *[16]byte, hash uint64) bool {
	at, _ := slices.BinarySearchFunc(w.answered, target{host: *host}, compareTargets)
	return at < len(w.answered) && w.answered[at].host == *host || w.hosts.has(hash)
}
