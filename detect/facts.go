package detect

import "github.com/synoptic-ids/synoptic/flows"

const (
	// factsLife is for how long what was productive speaks for itself.
	factsLife = 7 * 24 * 3600 * second
	// factBuckets times factWays facts of a kind are kept, in 32 bytes each: of a
	// full bucket the one longest ago is lost.
	factBuckets = 1 << 13
	factWays    = 4
)

// facts are what productive conversations have shown: who talks to whom, and which
// ports of hosts serve.
type facts struct {
	relations [][factWays]fact
	services  [][factWays]fact
}

// fact is one relation or service, when it was last seen, and of a service two of
// those whom it served.
type fact struct {
	tag uint64
	at  int64
	who [2]uint64
}

func newFacts() facts {
	return facts{make([][factWays]fact, factBuckets), make([][factWays]fact, factBuckets)}
}

// learn takes a productive attempt.
func (f *facts) learn(s *source, a *attempted, now int64) {
	src := hashAddr(&s.addr, 0)
	put(f.relations, hashAddr(&a.responder, src), now)
	service := put(f.services, serviceOf(a), now)
	if service.who[0] != src {
		service.who[0], service.who[1] = src, service.who[0]
	}
}

// spoke reports whether a source had a productive conversation with a host.
func (f *facts) spoke(s *source, a *attempted, now int64) bool {
	return get(f.relations, hashAddr(&a.responder, hashAddr(&s.addr, 0)), now) != nil
}

// served reports whether a target was productive for anyone but a source.
func (f *facts) served(s *source, a *attempted, now int64) bool {
	service, src := get(f.services, serviceOf(a), now), hashAddr(&s.addr, 0)
	return service != nil && (service.who[0] != src || service.who[1] != 0 && service.who[1] != src)
}

func serviceOf(a *attempted) uint64 {
	return hashAddr(&a.responder, 1<<32|uint64(a.port)<<16|uint64(a.class))
}

func get(buckets [][factWays]fact, tag uint64, now int64) *fact {
	b := &buckets[tag%factBuckets]
	for i := range b {
		if b[i].tag == tag && b[i].at != 0 && now-b[i].at <= factsLife {
			return &b[i]
		}
	}
	return nil
}

// put finds a fact, or makes one in the place of the one longest ago, and dates it.
func put(buckets [][factWays]fact, tag uint64, now int64) *fact {
	b := &buckets[tag%factBuckets]
	place := &b[0]
	for i := range b {
		if b[i].tag == tag {
			place = &b[i]
			break
		}
		if b[i].at < place.at {
			place = &b[i]
		}
	}
	if place.tag != tag || now-place.at > factsLife {
		*place = fact{tag: tag}
	}
	place.at = now
	return place
}

// excuse reports whether a failure weighs nothing: one of our own services, which
// serves others, has failed its clients. Crafted probes have no excuse.
func (e *Engine) excuse(s *source, a *attempted) bool {
	return a.counted && !a.crafted && e.home.has(&a.responder) && hasPorts(a.class) && e.facts.served(s, a, e.now)
}

// productive notes what a productive attempt shows.
func (e *Engine) productive(s *source, a *attempted) {
	if a.outcome == flows.Productive {
		e.facts.learn(s, a, e.now)
	}
}
