package flows

import (
	"net/netip"
	"slices"
)

// reference is the rules of the package documentation written down once more,
// without bounds and without care for speed, to hold the Table against. Where
// the rules leave a choice, the comment says which one was made.

const (
	refMilli  = int64(1e6)
	refSecond = 1000 * refMilli
	refMinute = 60 * refSecond

	refAnnounceAfter = 50 * refMilli
	refCountAfter    = 500 * refMilli
	refAnsweredAfter = refSecond
	refFinalAfter    = 10 * refSecond
)

type reference struct {
	started  bool
	clock    int64 // L
	now      int64 // what Event.At says: L, or the deadline of the timer that fires
	ifaces   map[uint32]*refIface
	timers   []refTimer // by deadline, then by being set
	entries  map[Key]*refEntry
	opened   []*refAttempt // in the order of opening
	sent     map[refSent]refNote
	toGroup  map[refSocket]int64
	answers  map[refSocket][]refSocket // who answered a socket, from ports >= 1024
	carried  map[refLink][]string      // what link addresses have carried
	leases   refLeases                 // rule 19
	views    map[refView]*refFlows
	early    map[refAsked]refEarly
	endsOnly bool // rule 20
	out      []Event
}

type refIface struct {
	offset, last int64
	row          int
}

type refTimer struct {
	at   int64
	fire func()
}

// refEntry is what the table keeps for a Key. attempt is nil for mid-stream TCP.
type refEntry struct {
	attempt *refAttempt
	conns   []refConn
	last    int64  // span of L when it last saw a packet, either way; ICMP errors are none of its packets
	ahead   bool   // in the middle of a stream, the side that the key calls initiator has sent payload
	back    bool   // and the other has
	turn    uint16 // the source port, not remembered, that the initiator of TCP sent from last
	led     bool   // the responder has spoken first, or has talked
}

type refConn struct{ port, seq uint16 }

type refAttempt struct {
	Attempt
	over    bool // final, or gone
	gone    bool // a flag probe that became mid-stream
	payload bool // the initiator sent payload after the answer
	closed  bool // the initiator sent FIN or RST after the handshake
	unseen  bool // the answer is known from the initiator's own ACK only
	twoWay  bool // it counts as a two-way flow
	pending bool // UDP, not announced yet
	talk    refTalk
}

type refView struct {
	iface uint32
	vlan  uint16
	class Class
}

type refFlows struct {
	twoWay, unseen int
	heard          bool
}

func (f refFlows) enough() bool {
	return f.twoWay+f.unseen >= 20 || f.twoWay == 0 && f.unseen >= 3
}

func newReference() *reference {
	return &reference{
		ifaces:  map[uint32]*refIface{},
		entries: map[Key]*refEntry{},
		sent:    map[refSent]refNote{},
		toGroup: map[refSocket]int64{},
		answers: map[refSocket][]refSocket{},
		carried: map[refLink][]string{},
		views:   map[refView]*refFlows{},
		early:   map[refAsked]refEarly{},
	}
}

// add takes a packet and returns the events that it and the timers before it cause.
func (r *reference) add(p *Packet) []Event {
	r.out = nil
	line := r.tick(p)
	r.fire()
	if !p.Has(MarkCarrier) { // rule 4
		r.take(p, line)
	}
	return r.out
}

func (r *reference) take(p *Packet, line int64) {
	switch p.Kind {
	case KindTCP:
		r.tcp(p, line)
	case KindUDP:
		r.udp(p, line)
	case KindUnreachable, KindTimeExceeded:
		r.icmpError(p, line)
	case KindEchoRequest, KindTimestampRequest, KindMaskRequest, KindARPRequest, KindNeighborSolicit:
		r.request(p, line)
	case KindEchoReply, KindTimestampReply, KindMaskReply, KindARPReply, KindNeighborAdvert:
		r.reply(p, line)
	case KindSCTPInit, KindSCTPInitAck, KindSCTPCookieEcho, KindSCTPCookieAck, KindSCTPAbort:
		r.sctp(p, line)
	case KindOther:
		r.protocol(p, line)
	}
}

// advance moves the line clock without a packet.
func (r *reference) advance(now int64) []Event {
	r.out = nil
	if r.started && now > r.clock {
		r.clock = now
	}
	r.fire()
	return r.out
}

// end is rule 14. Each attempt settles by itself: announced, counted, Final.
// One that was answered and is still open is neither counted nor cut.
func (r *reference) end() []Event {
	r.out = nil
	for _, a := range r.opened {
		if a.over {
			continue
		}
		r.announce(a)
		if a.Outcome == Silent && !a.Counted {
			a.Cut = true
			r.countSilent(a)
		}
		if a.Outcome == Answered && a.closed && !a.payload && !r.endsOnly {
			r.count(a)
		}
		r.finish(a)
	}
	return r.out
}

// tick is rule 1: it moves the line clock and returns the line time of p.
// "Within a minute" includes the minute; "any other packet" is one of the same
// interface; a candidate too far from the one before starts a row of its own.
func (r *reference) tick(p *Packet) int64 {
	if !r.started {
		r.started, r.clock = true, p.Time
	}
	f := r.ifaces[p.Iface]
	if f == nil {
		f = &refIface{}
		r.ifaces[p.Iface] = f
	}
	line := p.Time + f.offset
	if line >= r.clock-refMinute {
		f.row = 0
		r.clock = max(r.clock, line)
		return line
	}
	if d := p.Time - f.last; f.row > 0 && d >= -refMinute && d <= refMinute {
		f.row++
	} else {
		f.row = 1
	}
	f.last = p.Time
	if f.row == 3 {
		f.offset, f.row = r.clock-p.Time, 0
	}
	return r.clock
}

// span is the end of the four seconds of the line clock: "saw a packet" and "at".
func (r *reference) span() int64 { return r.clock - r.clock%(4*refSecond) + 4*refSecond }

// after sets a timer; those of one deadline stay in the order of being set.
func (r *reference) after(d int64, fire func()) { r.at(r.clock+d, fire) }

func (r *reference) at(at int64, fire func()) {
	i, _ := slices.BinarySearchFunc(r.timers, at, func(t refTimer, at int64) int {
		if t.at <= at {
			return -1
		}
		return 1
	})
	r.timers = slices.Insert(r.timers, i, refTimer{at, fire})
}

func (r *reference) fire() {
	for len(r.timers) > 0 && r.timers[0].at <= r.clock {
		t := r.timers[0]
		r.timers = r.timers[1:]
		r.now = t.at
		t.fire()
	}
	r.now = r.clock
}

// first is rule 3: a first packet for the key k. Only one of the technique of
// the attempt can be a copy. What may start no attempt (rule 4) is no first
// packet at all. Another connection of an attempt that waits to be announced
// announces it.
func (r *reference) first(p *Packet, line int64, k Key, t Technique) {
	if !r.mayStart(p) {
		return
	}
	e := r.entries[k]
	c := refConnection(k.Class, p)
	if e == nil || e.attempt == nil || e.attempt.Technique != t {
		r.open(p, line, k, t)
		return
	}
	if slices.Contains(e.conns, c) && (k.Class == ClassTCP || r.clock-e.last <= refMinute) {
		e.attempt.copied()
		e.last = r.span()
		return
	}
	if e.attempt.over {
		r.open(p, line, k, t)
		return
	}
	a := e.attempt
	r.announce(a)
	packets, conns := a.Packets, a.Connections
	a.take(p, line, r.clock, c)
	a.Packets, a.Connections = packets+1, conns+1
	e.saw(c, r.span())
	r.emit(Opened, a)
	r.asked(p, k, c.port)
}

// mayStart is rule 4. The exception for ARP and neighbour discovery is read as
// one from the rule on groups as destination: the source is looked at all the
// same.
func (r *reference) mayStart(p *Packet) bool {
	if !refFromHost(p) {
		return false
	}
	if p.Kind == KindARPRequest || p.Kind == KindNeighborSolicit {
		return p.Src != p.Dst
	}
	return !p.Has(MarkGroup)
}

// refFromHost is the source's part of rule 4.
func refFromHost(p *Packet) bool {
	src := netip.AddrFrom16(p.Src).Unmap()
	return !src.IsUnspecified() && !src.IsMulticast() && src != netip.AddrFrom4([4]byte{255, 255, 255, 255})
}

// open starts an attempt with everything fresh, the remembered connections
// included, but for those of UDP within a minute. All attempts of UDP wait to
// be announced, those in an old entry too.
func (r *reference) open(p *Packet, line int64, k Key, t Technique) {
	e := r.entries[k]
	if e == nil {
		e = &refEntry{}
		r.entries[k] = e
	}
	e.led = e.led || e.talks()
	if e.attempt != nil {
		r.finish(e.attempt)
	}
	c := refConnection(k.Class, p)
	a := &refAttempt{Attempt: Attempt{Key: k, Technique: t}, pending: t == UDP}
	a.begin(p, line, r.clock, c)
	e.attempt = a
	if t != UDP || r.clock-e.last > refMinute {
		e.conns = nil
	}
	e.saw(c, r.span())
	r.opened = append(r.opened, a)
	if a.pending {
		r.after(refAnnounceAfter, func() { r.announce(a) })
	} else {
		r.emit(Opened, a)
	}
	r.after(refCountAfter, func() { r.countSilent(a) })
	r.after(refFinalAfter, func() {
		if !a.over {
			r.finish(a)
			r.lasts(a)
		}
	})
	r.asked(p, k, c.port)
}

// copied counts a copy of a first packet, unless that has led to something.
func (a *refAttempt) copied() {
	if a.Outcome != Productive {
		a.Packets++
	}
}

// begin fills a new attempt from its first packet.
func (a *refAttempt) begin(p *Packet, line, clock int64, c refConn) {
	a.take(p, line, clock, c)
	a.Start, a.Line = p.Time, line
	a.Packets, a.Connections = 1, 1
}

// take notes p as the first packet of the latest connection.
func (a *refAttempt) take(p *Packet, line, clock int64, c refConn) {
	a.Time, a.TimeLine = p.Time, line
	a.Seq, a.Ack, a.Options, a.Question = p.Seq, p.Ack, p.Options, p.Question
	a.SrcPort, a.Window, a.IPID = c.port, p.Window, p.IPID
	a.VLAN, a.Iface, a.Marks = p.VLAN, p.Iface, p.Marks
	a.SrcMAC, a.TTL, a.Flags = p.SrcMAC, p.TTL, p.Flags
	a.talk = refTalk{opened: clock}
}

// saw remembers a connection, the latest last.
func (e *refEntry) saw(c refConn, span int64) {
	e.conns = append(e.conns, c)
	if len(e.conns) > 4 {
		e.conns = e.conns[1:]
	}
	e.last = span
}

func (e *refEntry) remembersPort(port uint16) bool {
	return slices.ContainsFunc(e.conns, func(c refConn) bool { return c.port == port })
}

func refConnection(class Class, p *Packet) refConn {
	switch class {
	case ClassTCP:
		return refConn{p.SrcPort, uint16(p.Seq)}
	case ClassUDP, ClassSCTP:
		return refConn{p.SrcPort, 0}
	case ClassEcho, ClassTimestamp, ClassMask:
		return refConn{uint16(p.Seq >> 16), 0}
	default:
		return refConn{}
	}
}

func (r *reference) emit(k EventKind, a *refAttempt) {
	ev := Event{Attempt: a.Attempt, Kind: k, At: r.now}
	if k != Opened {
		ev.Time, ev.TimeLine = a.Start, a.Line
	}
	r.out = append(r.out, ev)
}

// announce emits what has become of a pending attempt, which counts from now on.
func (r *reference) announce(a *refAttempt) {
	if a.over || !a.pending {
		return
	}
	a.pending = false
	r.emit(Opened, a)
	switch a.Outcome {
	case Unreachable:
		r.count(a)
	case Productive:
		r.emit(Raised, a)
	}
}

func (r *reference) finish(a *refAttempt) {
	if !a.over {
		a.over = true
		r.emit(Final, a)
	}
}

// raise is rule 5: the outcome of an attempt rises to o, or nothing happens.
// What is final can still become productive; what is expired stays as it is.
func (r *reference) raise(a *refAttempt, o Outcome) {
	if a.gone || a.over && o != Productive || refRank(o) <= refRank(a.Outcome) {
		return
	}
	a.Outcome = o
	if (o == Refused || o == Answered || o == Productive) && !a.unseen && !a.twoWay {
		a.twoWay = true
		r.view(a, a.Class).twoWay++
	}
	if o == Unreachable {
		r.view(a, a.Class).heard = true
	}
	if a.pending {
		return
	}
	counts := o == Refused || o == Unreachable
	if o == Answered && (a.Class == ClassTCP || a.Class == ClassSCTP) {
		counts = a.Counted
		if !r.endsOnly {
			r.after(refAnsweredAfter, func() { r.judge(a) })
		}
	}
	switch {
	case a.Counted && counts:
		r.emit(Raised, a)
	case a.Counted:
		a.Counted, a.HalfOpen, a.Withdrawn = false, false, true
		r.emit(Withdrawn, a)
	case counts:
		r.count(a)
	case o == Productive:
		r.emit(Raised, a)
	}
}

func refRank(o Outcome) Outcome {
	if o == Unseen {
		return Silent
	}
	return o
}

func (r *reference) count(a *refAttempt) {
	if !a.Counted {
		a.Counted = true
		r.emit(Counted, a)
	}
}

// countSilent is rule 5 for silence, rule 12 for what silence is called.
func (r *reference) countSilent(a *refAttempt) {
	if a.over || a.Outcome != Silent {
		return
	}
	if r.dark(a) {
		a.Outcome = Unseen
	}
	r.count(a)
}

// judge looks at a TCP or SCTP attempt one second after its answer.
func (r *reference) judge(a *refAttempt) {
	if a.over || a.Outcome != Answered {
		return
	}
	if !a.Handshake {
		a.HalfOpen = true
	}
	r.count(a)
}

func (r *reference) view(a *refAttempt, class Class) *refFlows {
	k := refView{a.Iface, a.VLAN, class}
	if r.views[k] == nil {
		r.views[k] = &refFlows{}
	}
	return r.views[k]
}

// dark is rule 12. SCTP, ARP and neighbour discovery have their own figures only.
func (r *reference) dark(a *refAttempt) bool {
	f := r.view(a, a.Class)
	own := f
	switch a.Class {
	case ClassUDP, ClassEcho, ClassTimestamp, ClassMask, ClassProtocol:
		if !f.enough() {
			f = r.view(a, ClassTCP)
		}
	}
	all := f.twoWay + f.unseen
	if r.endsOnly && own.twoWay == 0 && f.twoWay == 0 && !own.heard && !f.heard {
		return true
	}
	return f.enough() && f.twoWay*10 < all
}
