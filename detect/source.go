package detect

import (
	"github.com/synoptic-ids/synoptic/detect/marks"
	"github.com/synoptic-ids/synoptic/flows"
)

// source is what the engine knows of one initiator.
type source struct {
	addr     [16]byte
	hash     uint64
	newest   uint64 // its latest attempt in the history, 0 for none
	after    uint64 // attempts up to here belong to scans that are closed
	waiting  uint64 // its only attempt, as long as that is not counted
	closed   int64  // line time of the last attempt of those scans
	incident *incident
	active   int64 // line clock when an attempt of it last counted

	// The latest counted probe, by which the next is judged.
	target   [16]byte
	seq, ack uint32
	question uint32
	port     uint16
	to       uint16
	seen     bool
	alike    uint8 // targets in a row, up to that one, that were asked the same or from one port

	partial  bool  // an earlier record of it, with successes, may have been forgotten
	succeeds bool  // an attempt of it was answered
	failures uint8 // that have counted since it has a record, up to 255
	credit   uint8 // about how many targets it had tried when the gate let it in; 0: it was not asked
	walks    bool  // one was begun
	talks    bool  // the history may hold a conversation of it
	made     int64 // line clock when the record was made
	lone     lone
	votes    marks.Votes // on the tool, since the last scan
}

// remember keeps what the next probe of the source is compared with, and has its
// headers vote on the tool.
func (s *source) remember(ev *flows.Event, now int64) {
	s.active = now
	s.failures = min(s.failures, 254) + 1
	switch {
	case !repeatsQuestion(ev, s):
		s.alike = 0
	case s.alike < inARow && (s.target != ev.Responder || s.to != ev.Port):
		s.alike++
	}
	s.port, s.seq, s.ack, s.question = ev.SrcPort, ev.Seq, ev.Ack, ev.Question
	s.target, s.to, s.seen = ev.Responder, ev.Port, true
	if p, ok := marks.FromAttempt(&ev.Attempt); ok {
		s.votes.Add(&p)
	}
}

// sourceChunk is how many records are allocated at a time: growing never copies.
const sourceChunk = 1 << 10

// sourceTable holds the records of sources: a slab, and an index by address.
type sourceTable struct {
	keys    hashKeys
	index   index
	chunks  []*[sourceChunk]source
	size    int
	hand    int
	max     int
	evicted uint64
	lost    int64 // line clock when a record with successes was last forgotten
	forgot  bool  // one was
}

func newSourceTable(bound int, keys hashKeys) sourceTable {
	return sourceTable{keys: keys, index: newIndex(1 << 6), max: bound}
}

func (t *sourceTable) at(n int) *source { return &t.chunks[n/sourceChunk][n%sourceChunk] }

func (t *sourceTable) find(addr *[16]byte) *source {
	hash := t.keys.addr(addr, 0)
	for n, at := t.index.first(hash); n != none; n, at = t.index.next(hash, at) {
		if s := t.at(int(n)); s.addr == *addr {
			return s
		}
	}
	return nil
}

func (t *sourceTable) full() bool { return t.size >= t.max }

// make adds a record, in the place of the victim if there is no other.
func (t *sourceTable) make(addr *[16]byte, now int64) *source {
	n := t.hand
	if t.full() {
		t.forget(n, now)
	} else {
		if n = t.size; n%sourceChunk == 0 {
			t.chunks = append(t.chunks, new([sourceChunk]source))
		}
		t.size++
	}
	s := t.at(n)
	*s = source{addr: *addr, hash: t.keys.addr(addr, 0), made: now, active: now, partial: t.forgot}
	t.index.add(s.hash, uint32(n))
	return s
}

func (t *sourceTable) forget(n int, now int64) {
	t.evicted++
	s := t.at(n)
	if s.succeeds {
		t.lose(now)
	}
	t.index.remove(s.hash, uint32(n))
}

// lose notes that successes of a source are forgotten.
func (t *sourceTable) lose(now int64) { t.forgot, t.lost = true, now }

const (
	// looks is how many records an eviction compares, farther how many if all matter.
	looks   = 16
	farther = 64
)

// victim moves the hand to the record to be forgotten next: of those it passes,
// one of a single failure if there is one, else one with no open scan; the one quiet for longest.
func (t *sourceTable) victim() *source {
	best, from := (t.hand+1)%t.size, t.hand
	for n := 1; n < t.size; n++ {
		if b := t.at(best); n >= looks && b.incident == nil && (n >= farther || !b.matters()) {
			break
		}
		if i := (from + 1 + n) % t.size; t.at(i).spareable(t.at(best)) {
			best = i
		}
	}
	t.hand = best
	return t.at(best)
}

// spareable reports whether s can be spared rather than o. A forged source never had
// an answer.
func (s *source) spareable(o *source) bool {
	if (s.incident == nil) != (o.incident == nil) {
		return s.incident == nil
	}
	if s.matters() != o.matters() {
		return o.matters()
	}
	return s.active < o.active
}

// matters reports whether a source has shown more than that it failed once.
func (s *source) matters() bool { return s.succeeds || s.failures > 1 }

// probe is an attempt at the moment of an event.
type probe struct {
	attempted
	event      *flows.Event
	of         *source // by whom
	host       uint64  // hash of the responder
	service    uint64  // and of the target
	line, time int64   // what windows go by: of the attempt's start, or of the connection that was opened
	repeats    bool    // it asks what the source's probe before asked, or from its port
	inRow      bool    // that one and those before it were alike as well
	tail       bool    // it is what is left of a conversation
}

func (k *hashKeys) probe(ev *flows.Event, s *source) probe {
	host := k.addr(&ev.Responder, 0)
	return probe{
		attempted: attempted{
			responder: ev.Responder, line: ev.Line, start: ev.Start,
			packets: ev.Packets, connections: ev.Connections, port: ev.Port, vlan: ev.VLAN,
			proto: ev.Proto, code: ev.Code, class: ev.Class, technique: ev.Technique,
			outcome: ev.Outcome, counted: ev.Counted, crafted: crafted(ev, s),
			handshake: ev.Handshake, halfOpen: ev.HalfOpen, cut: ev.Cut,
		},
		event: ev, of: s, host: host, service: serviceOf(host, ev.Port, ev.Class), line: ev.TimeLine, time: ev.Time,
		repeats: repeatsQuestion(ev, s), inRow: s.alike == inARow,
		tail: tailOfConversation(ev, s),
	}
}

// inARow is how many targets must have been asked alike before a further one is
// evidence where no reply can be seen. A resolver asks for one name from the root
// down, and the next server where one is silent.
const inARow = 4

// repeatsQuestion reports whether a datagram asks what the source's probe before it
// asked, or comes from the same port. A server's answers come from one port too, but
// go to ephemeral ones and differ.
func repeatsQuestion(ev *flows.Event, s *source) bool {
	if !s.seen {
		return false
	}
	samePort, sameQuestion := ev.SrcPort == s.port, ev.Question == s.question
	if sameQuestion && (ev.Question != 0 || samePort) {
		return true
	}
	return samePort && (ev.SrcPort > ev.Port || ev.Port < ephemeral)
}

// ephemeral is the first port that clients may have.
const ephemeral = 1024

// tailOfConversation reports whether a FIN or ACK without a flow goes the way of what
// a server sends, to an ephemeral port from a lower one, and so is the end of a
// conversation that began before the capture. Tools repeat sequence or
// acknowledgement number, conversations never do.
func tailOfConversation(ev *flows.Event, s *source) bool {
	switch ev.Technique {
	case flows.TCPFIN, flows.TCPMaimon, flows.TCPACK:
		return ev.SrcPort < ev.Port && ev.Port >= ephemeral && !repeatsNumbers(ev, s)
	}
	return false
}

// repeatsNumbers reports whether a probe has the sequence or acknowledgement number
// of the source's probe before it, which went to another target.
func repeatsNumbers(ev *flows.Event, s *source) bool {
	other := s.target != ev.Responder || s.to != ev.Port
	return s.seen && other && (ev.Seq != 0 && ev.Seq == s.seq || ev.Ack != 0 && ev.Ack == s.ack)
}

// weightless says why a counted probe is no evidence at all, if it is none. What a
// gateway asks of its links, somebody behind it asked for, and what a server of DHCP
// asks before it leases an address, a client; a call's search for a path
// is none, nor is what is left of a conversation. Where replies to UDP cannot be
// seen, only a datagram that asks what those before it asked, or from the same
// port, is evidence.
func (p *probe) weightless() Excuse {
	switch {
	case p.event.Marks&flows.MarkGateway != 0:
		return ExcuseGateway
	case p.event.Marks&flows.MarkLease != 0:
		return ExcuseLease
	case p.tail:
		return ExcuseEnding
	case p.checksPath():
		return ExcusePathCheck
	case p.outcome == flows.Unseen && p.class == flows.ClassUDP && (!p.repeats || !p.inRow):
		return ExcuseUnrepeated
	default:
		return NoExcuse
	}
}

// weighs reports whether a counted probe is evidence at all.
func (p *probe) weighs() bool { return p.weightless() == NoExcuse }

// checksPath reports whether a probe is one by which the ends of a call find a way
// through NAT (ICE, RFC 8445): a STUN message to a port that is no STUN server's.
// Most of them lead nowhere by design.
func (p *probe) checksPath() bool {
	const stun, stunTLS, stunOther = 3478, 5349, 19302
	return p.event.Marks&flows.MarkSTUN != 0 && p.port != stun && p.port != stun+1 && p.port != stunTLS && p.port != stunOther
}

// unfinished reports whether a probe had its answer when its time was over, and no
// more: too late to count in flows, where it might have been used yet. No stack that
// sends such packets uses them.
func (p *probe) unfinished() bool {
	return p.crafted && p.technique == flows.TCPSYN && p.outcome == flows.Answered && !p.handshake
}
