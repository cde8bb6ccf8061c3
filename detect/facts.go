package detect

import "github.com/synoptic-ids/synoptic/flows"

const (
	// factsLife is for how long what was productive speaks for itself.
	factsLife = 7 * 24 * 3600 // seconds
	// factWays facts share a bucket, a cache line: of a full one the one longest ago is
	// lost.
	factWays = 4
)

// facts are what conversations have shown: who talks to whom, which ports of hosts
// serve, what a source used itself, and what failed it long before.
type facts struct {
	keys      hashKeys
	relations [][factWays]fact
	services  [][factWays]fact
	used      [][factWays]fact
	failures  [][factWays]fact
	evicted   uint64 // those lost before their time
}

// fact is one of these, when it was last seen, of a service two of those whom it
// served, and of others since when. One in 2^30 is taken for another.
type fact struct {
	tag uint32 // 0: none
	at  uint32 // in seconds; those of all times wrap around alike
	who [2]uint32
}

func newFacts(bound int, keys hashKeys) facts {
	empty := func() [][factWays]fact { return resident[[factWays]fact](bound / factWays) }
	return facts{keys: keys, relations: empty(), services: empty(), used: empty(), failures: empty()}
}

// learn takes a productive attempt.
func (f *facts) learn(s *source, pr *probe, now int64) {
	f.put(f.relations, mixed(s.hash, pr.host), now).begin(now)
	f.put(f.used, s.hash^pr.service, now).begin(now)
	service := f.put(f.services, pr.service, now)
	if who := tagged(s.hash); service.who[0] != who {
		service.who[0], service.who[1] = who, service.who[0]
	}
}

// answer takes an attempt at a host, without a port, that was answered.
func (f *facts) answer(s *source, pr *probe, now int64) { f.put(f.used, s.hash^pr.service, now) }

// spoke reports whether a source had a productive conversation with a host, by the
// hashes of their addresses.
func (f *facts) spoke(from, to uint64, now int64) bool {
	return get(f.relations, mixed(from, to), now) != nil
}

// served is for how many others than a source a target was productive: 0, 1, or 2
// for more.
func (f *facts) served(s *source, pr *probe, now int64) (others int) {
	service, own := get(f.services, pr.service, now), tagged(s.hash)
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
	return get(f.services, serviceOf(f.keys.addr(&ev.Responder, 0), ev.Port, ev.Class), now) != nil
}

// usedBefore reports whether a target was productive for a source itself.
func (f *facts) usedBefore(s *source, pr *probe, now int64) bool {
	return get(f.used, s.hash^pr.service, now) != nil
}

// retryAfter is how long ago a target must have failed a source for another failure
// to be a retry.
const retryAfter = 600 // seconds

// suffer notes a failure.
func (f *facts) suffer(s *source, pr *probe, now int64) {
	f.put(f.failures, s.hash^pr.service, now).begin(now)
}

// failedBefore reports whether a target failed a source already, long before.
func (f *facts) failedBefore(s *source, pr *probe, now int64) bool {
	old := get(f.failures, s.hash^pr.service, now)
	return old != nil && secondsOf(now)-old.who[0] >= retryAfter
}

// begin notes since when a fact holds, if it is new.
func (f *fact) begin(now int64) {
	if f.who[0] == 0 {
		f.who[0] = max(secondsOf(now), 1)
	}
}

// relationAge is how long before a scan's first attempt a relation must have been
// there to be none of the scan's: what a scanner tried first may have succeeded, and
// its scan begins with what failed.
const relationAge = 60 * second

// before reports whether a fact held well before a time.
func (f *fact) before(t int64) bool {
	return f != nil && int32(f.who[0]-secondsOf(t-relationAge)) < 0
}

// usedBy reports whether a TCP port of a host was productive for a source well
// before a time.
func (f *facts) usedBy(from, to *[16]byte, port uint16, by, now int64) bool {
	return get(f.used, f.keys.addr(from, 0)^serviceOf(f.keys.addr(to, 0), port, flows.ClassTCP), now).before(by)
}

// spokeBy reports whether a source had a productive conversation with a host well
// before a time.
func (f *facts) spokeBy(from, to *[16]byte, by, now int64) bool {
	return get(f.relations, mixed(f.keys.addr(from, 0), f.keys.addr(to, 0)), now).before(by)
}

// asksForFiles reports whether a source has spoken with the FTP server of a host.
func (f *facts) asksForFiles(from, to *[16]byte, now int64) bool {
	const ftp = 21
	return get(f.used, f.keys.addr(from, 0)^serviceOf(f.keys.addr(to, 0), ftp, flows.ClassTCP), now) != nil
}

// asked reports whether the socket that a datagram comes from was productive for its target.
func (f *facts) asked(s *source, pr *probe, now int64) bool {
	return get(f.used, pr.host^serviceOf(s.hash, pr.event.SrcPort, pr.class), now) != nil
}

// serviceOf is the hash of a target.
func serviceOf(host uint64, port uint16, c flows.Class) uint64 {
	return mixed(host, 1<<32|uint64(port)<<16|uint64(c))
}

// tagged is what is kept of a hash beside the bits that choose the bucket.
func tagged(hash uint64) uint32 { return uint32(hash>>32) | 1 }

func secondsOf(t int64) uint32 { return uint32(t / second) }

func get(buckets [][factWays]fact, hash uint64, now int64) *fact {
	b, tag := &buckets[hash&uint64(len(buckets)-1)], tagged(hash)
	for i := range b {
		if b[i].tag == tag && secondsOf(now)-b[i].at <= factsLife {
			return &b[i]
		}
	}
	return nil
}

// put finds a fact, or makes one in the place of the one longest ago, and dates it.
func (f *facts) put(buckets [][factWays]fact, hash uint64, now int64) *fact {
	b, tag, at := &buckets[hash&uint64(len(buckets)-1)], tagged(hash), secondsOf(now)
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
	if lasts := at-place.at <= factsLife; place.tag != tag || !lasts {
		if place.tag != 0 && place.tag != tag && lasts {
			f.evicted++
		}
		*place = fact{tag: tag}
	}
	place.at = at
	return place
}

// excuse says why a failure weighs nothing, for none of these is a search:
//   - the target served or answered the source itself before, or served two others,
//     or if it is ours or answered, one other: a service has failed its clients;
//   - it failed the source already, long before, and no scan came of that: a retry;
//   - it is a connection from FTP's data port to an ephemeral port of a host that has
//     a conversation with the source. (A bounced scan asks for the others too.);
//   - it is a datagram from a socket that the target asked before, and that answered: an answer to a
//     question that was lost on the way to us;
//   - our way to the networks of others is gone.
//
// Crafted probes have no excuse.
func (e *Engine) excuse(s *source, pr *probe) Excuse {
	a := &pr.attempted
	if !a.counted || a.crafted || !hasPorts(a.class) && !asksHost(a.class) {
		return NoExcuse
	}
	least := 2
	if a.outcome == flows.Answered || e.home.has(&a.responder) {
		least = 1
	}
	const ftpData = 20
	others := e.facts.served(s, pr, e.now) >= least
	own := !others && e.facts.usedBefore(s, pr, e.now)
	away := e.outOfReach(s, a, others || own)
	switch {
	case s.after == 0 && s.incident == nil && e.facts.failedBefore(s, pr, e.now):
		return ExcuseRetry
	case others:
		return ExcuseOthers
	case own:
		return ExcuseOwn
	case away:
		return ExcuseOutage
	case pr.event.SrcPort == ftpData && a.port >= ephemeral && e.facts.spoke(pr.host, s.hash, e.now):
		return ExcuseFTP
	case a.class == flows.ClassUDP && a.port >= ephemeral && e.facts.asked(s, pr, e.now):
		return ExcuseAnswer
	default:
		return NoExcuse
	}
}

// asksHost reports whether a class is that of questions whether a host is there.
func asksHost(c flows.Class) bool {
	return c == flows.ClassEcho || c == flows.ClassARP || c == flows.ClassNDP
}

// productive notes what a productive attempt shows.
func (e *Engine) productive(s *source, pr *probe) {
	s.succeeds = s.succeeds || !pr.counted
	if pr.outcome == flows.Productive {
		e.facts.learn(s, pr, e.now)
		if o := e.wayOut(s, &pr.attempted); o != nil {
			o.work(pr.port, e.now)
		}
	}
}
