package detect

import "github.com/synoptic-ids/synoptic/flows"

const (
	// factsLife is for how long what was productive speaks for itself.
	factsLife = 7 * 24 * 3600 // seconds
	// factBuckets times factWays facts of a kind are kept, four in a cache line: of a
	// full bucket the one longest ago is lost.
	factBuckets = 1 << 13
	factWays    = 4
)

// facts are what conversations have shown: who talks to whom, which ports of hosts
// serve, what a source used itself, and what failed it long before.
type facts struct {
	relations [][factWays]fact
	services  [][factWays]fact
	used      [][factWays]fact
	failures  [][factWays]fact
}

// fact is one of these, when it was last seen, and of a service two of those whom it
// served. One in 2^30 is taken for another.
type fact struct {
	tag uint32 // 0: none
	at  uint32 // in seconds; those of all times wrap around alike
	who [2]uint32
}

func newFacts() facts {
	empty := func() [][factWays]fact {
		t := make([][factWays]fact, factBuckets)
		clear(t) // a first lookup that only reads costs each page a second fault
		return t
	}
	return facts{empty(), empty(), empty(), empty()}
}

// learn takes a productive attempt.
func (f *facts) learn(s *source, a *attempted, now int64) {
	src := hashAddr(&s.addr, 0)
	put(f.relations, hashAddr(&a.responder, src), now)
	put(f.used, src^serviceOf(a), now)
	service := put(f.services, serviceOf(a), now)
	if who := tagged(src); service.who[0] != who {
		service.who[0], service.who[1] = who, service.who[0]
	}
}

// spoke reports whether a source had a productive conversation with a host.
func (f *facts) spoke(from, to *[16]byte, now int64) bool {
	return get(f.relations, hashAddr(to, hashAddr(from, 0)), now) != nil
}

// served is for how many others than a source a target was productive: 0, 1, or 2
// for more.
func (f *facts) served(s *source, a *attempted, now int64) (others int) {
	service, own := get(f.services, serviceOf(a), now), tagged(hashAddr(&s.addr, 0))
	if service == nil {
		return 0
	}
	for _, who := range service.who {
		if who != 0 && who != own {
			others++
		}
	}
	return others
}

// serves reports whether a target was productive for anybody.
func (f *facts) serves(ev *flows.Event, now int64) bool {
	a := attempted{responder: ev.Responder, port: ev.Port, class: ev.Class}
	return get(f.services, serviceOf(&a), now) != nil
}

// usedBefore reports whether a target was productive for a source itself.
func (f *facts) usedBefore(s *source, a *attempted, now int64) bool {
	return get(f.used, hashAddr(&s.addr, 0)^serviceOf(a), now) != nil
}

// retryAfter is how long ago a target must have failed a source for another failure
// to be a retry.
const retryAfter = 600 // seconds

// suffer notes a failure.
func (f *facts) suffer(s *source, a *attempted, now int64) {
	tag := hashAddr(&s.addr, 0) ^ serviceOf(a)
	known := get(f.failures, tag, now) != nil
	if failed := put(f.failures, tag, now); !known {
		failed.who[0] = secondsOf(now) // since when
	}
}

// failedBefore reports whether a target failed a source already, long before.
func (f *facts) failedBefore(s *source, a *attempted, now int64) bool {
	old := get(f.failures, hashAddr(&s.addr, 0)^serviceOf(a), now)
	return old != nil && secondsOf(now)-old.who[0] >= retryAfter
}

func serviceOf(a *attempted) uint64 {
	return hashAddr(&a.responder, 1<<32|uint64(a.port)<<16|uint64(a.class))
}

// tagged is what is kept of a hash beside the bits that choose the bucket.
func tagged(hash uint64) uint32 { return uint32(hash>>32) | 1 }

func secondsOf(t int64) uint32 { return uint32(t / second) }

func get(buckets [][factWays]fact, hash uint64, now int64) *fact {
	b, tag := &buckets[hash%factBuckets], tagged(hash)
	for i := range b {
		if b[i].tag == tag && secondsOf(now)-b[i].at <= factsLife {
			return &b[i]
		}
	}
	return nil
}

// put finds a fact, or makes one in the place of the one longest ago, and dates it.
func put(buckets [][factWays]fact, hash uint64, now int64) *fact {
	b, tag, at := &buckets[hash%factBuckets], tagged(hash), secondsOf(now)
	place := &b[0]
	for i := range b {
		if b[i].tag == tag {
			place = &b[i]
			break
		}
		if b[i].tag == 0 || place.tag != 0 && at-b[i].at > at-place.at {
			place = &b[i]
		}
	}
	if place.tag != tag || at-place.at > factsLife {
		*place = fact{tag: tag}
	}
	place.at = at
	return place
}

// excuse reports whether a failure weighs nothing, for none of these is a search:
//   - the target served the source itself before, or two others, or if it is ours
//     or answered, one other: a service has failed its clients;
//   - it failed the source already, long before, and no scan came of that: a retry;
//   - it is a connection from FTP's data port to an ephemeral port of a host that has
//     a conversation with the source. (A bounced scan asks for the others too.);
//   - our way to the networks of others is gone.
//
// Crafted probes have no excuse.
func (e *Engine) excuse(s *source, pr *probe) bool {
	a := &pr.attempted
	switch {
	case !a.counted || a.crafted:
		return false
	case !hasPorts(a.class):
		return e.outOfReach(s, a, false)
	}
	retry := e.facts.failedBefore(s, a, e.now) && s.after == 0 && s.incident == nil
	least := 2
	if a.outcome == flows.Answered || e.home.has(&a.responder) {
		least = 1
	}
	const ftpData = 20
	known := e.facts.served(s, a, e.now) >= least || e.facts.usedBefore(s, a, e.now)
	return e.outOfReach(s, a, known) || known || retry ||
		pr.event.SrcPort == ftpData && a.port >= ephemeral && e.facts.spoke(&a.responder, &s.addr, e.now)
}

// productive notes what a productive attempt shows.
func (e *Engine) productive(s *source, a *attempted) {
	s.succeeds = s.succeeds || !a.counted
	if a.outcome == flows.Productive {
		e.facts.learn(s, a, e.now)
		if o := e.wayOut(s, a); o != nil {
			o.work()
		}
	}
}
