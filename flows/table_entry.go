package flows

import "slices"

// remembered is how many of its latest connections an entry can recognise.
const remembered = 4

// state is a bit set of what an entry has seen.
type state uint16

const (
	stateUsed      state = 1 << iota // the slot holds an entry
	stateStream                      // mid-stream: no attempt
	statePending                     // opened, not yet announced
	stateFinal                       // ten seconds old, or expired
	stateCounted                     // counts as unproductive now
	stateOnce                        // has counted once
	stateHandshake                   // the initiator completed the handshake
	statePayload                     // the initiator sent payload after the answer
	stateUnseen                      // the answer was inferred, not seen
	stateHalfOpen                    // counted as half-open
	stateCut                         // the input ended, or room ran out, before the outcome was decided
	stateSeen                        // counted as two-way or unseen for the visibility

	// Of a mid-stream entry, where the side that the key calls initiator is ahead:
	stateAhead        // it sent payload
	stateBack         // the other did
	stateAheadCarried // its link address has been noted
	stateBackCarried  // the other's has

	// Of an attempt of TCPSYN, which never becomes mid-stream:
	stateClosed = stateAhead // the initiator sent FIN or RST after the handshake
)

// entry is one target of one initiator: two cache lines, the first of which is
// all that an established TCP segment needs.
type entry struct {
	key       Key
	seq       uint32             // of the latest connection's first packet
	ports     [remembered]uint16 // source ports, the latest at head
	memo      uint64             // of TCP the low halves of their sequence numbers, of others the span of the line clock in which a packet was last seen, either way
	state     state
	gen       uint16
	technique Technique
	outcome   Outcome
	place     uint8 // where the latest connection stands in ports, and how many are set
	shown     shown

	start, line  int64
	ack          uint32 // of UDP the question
	opened       uint32 // milliseconds from line to when the latest connection came
	base         uint32 // of TCP the number of the first byte that the responder sends on it
	options      uint32
	packets      uint32
	connections  uint32
	iface        uint32
	window, ipid uint16
	vlan         uint16
	marks        Mark
	mac          [6]byte
	ttl, flags   uint8
	code         uint8
	led          bool   // of TCP: the responder has spoken first, or has talked: see prompts
	turn         uint16 // of TCP the source port, not among ports, that the initiator sent from last
}

// head is where the latest connection stands.
func (e *entry) head() int { return int(e.place >> 4) }

// filled is how many connections are remembered.
func (e *entry) filled() int { return int(e.place & 0xf) }

func (e *entry) has(s state) bool { return e.state&s == s }

// last is the end of the span of the line clock in which the entry, not one of TCP, last saw a
// packet.
func (e *entry) last() int64 { return int64(e.memo) }

// saw notes that the entry saw a packet, where that matters.
func (e *entry) saw(now int64) {
	if e.key.Class != ClassTCP {
		e.memo = uint64(spanOf(now))
	}
}

// copied counts a copy of a first packet. Those of productive attempts are not
// counted: nothing depends on it, and the count lies in another cache line.
func (e *entry) copied() {
	if e.outcome != Productive {
		e.packets++
	}
}

// remembers finds a connection of TCP by its source port and the low half of its
// sequence number.
func (e *entry) remembers(port, seq uint16) bool {
	for i := range e.filled() {
		if e.ports[i] == port && uint16(e.memo>>(16*i)) == seq {
			return true
		}
	}
	return false
}

// remembersPort is remembers for any sequence number.
func (e *entry) remembersPort(port uint16) bool { return e.indexOf(port) >= 0 }

// indexOf is where a source port stands in ports, or -1.
func (e *entry) indexOf(port uint16) int {
	for i := range e.filled() {
		if e.ports[i] == port {
			return i
		}
	}
	return -1
}

// remember puts a connection in the place of the oldest.
func (e *entry) remember(port, seq uint16) {
	head, filled := e.head(), e.filled()
	if filled > 0 {
		head = (head + 1) % remembered
	}
	filled = min(filled+1, remembered)
	e.place = uint8(head<<4 | filled)
	e.ports[head] = port
	if e.key.Class == ClassTCP {
		e.memo = e.memo&^(0xffff<<(16*head)) | uint64(seq)<<(16*head)
		e.shown = 0
	} else {
		e.shown &^= 1 << head
	}
}

// describe takes over what the first packet of a connection says.
func (e *entry) describe(p *Packet, port uint16) {
	e.seq, e.ack, e.options = p.Seq, p.Ack, p.Options
	if p.Kind == KindUDP {
		e.ack = p.Question
	}
	e.window, e.ipid = p.Window, p.IPID
	e.vlan, e.iface, e.mac = p.VLAN, p.Iface, p.SrcMAC
	e.marks, e.ttl, e.flags = p.Marks, p.TTL, p.Flags
	e.remember(port, uint16(p.Seq))
}

// begin makes the entry a new attempt, keeping its key. fresh keeps the
// connections as well: UDP conversations go on while a new attempt begins beside them.
func (e *entry) begin(technique Technique, p *Packet, line int64, port uint16, fresh bool) {
	old := *e
	*e = entry{key: old.key, gen: old.gen + 1, state: stateUsed, technique: technique, turn: old.turn, led: old.led || old.talks()}
	if fresh {
		e.ports, e.place, e.shown = old.ports, old.place, old.shown
	}
	e.start, e.line = p.Time, line
	e.packets, e.connections = 1, 1
	e.describe(p, port)
}

// emit appends the entry as the outside sees it. Its connection is the first; see
// [Table.connect] for further ones. Every field is set in its place: a value made elsewhere
// would be copied twice, 200 bytes for each event.
func (e *entry) emit(kind EventKind, at int64, dst []Event) []Event {
	if len(dst) == cap(dst) {
		dst = slices.Grow(dst, 1)
	}
	dst = dst[:len(dst)+1]
	ev := &dst[len(dst)-1]
	ev.Kind, ev.At = kind, at
	ev.Sent, ev.Received, ev.Lasted = 0, 0, 0
	ev.Key = e.key
	ev.Start, ev.Line, ev.Time, ev.TimeLine = e.start, e.line, e.start, e.line
	ev.Seq, ev.Ack, ev.Options, ev.Question = e.seq, e.ack, e.options, 0
	if e.technique == UDP {
		ev.Ack, ev.Question = 0, e.ack
	}
	ev.SrcPort, ev.Window, ev.IPID, ev.VLAN, ev.Iface = e.ports[e.head()], e.window, e.ipid, e.vlan, e.iface
	ev.Packets, ev.Connections = e.packets, e.connections
	ev.Marks, ev.SrcMAC, ev.TTL, ev.Flags = e.marks, e.mac, e.ttl, e.flags
	ev.Technique, ev.Outcome, ev.Code = e.technique, e.outcome, e.code
	ev.Handshake, ev.HalfOpen = e.has(stateHandshake), e.has(stateHalfOpen)
	ev.Counted, ev.Withdrawn, ev.Cut = e.has(stateCounted), e.state&(stateOnce|stateCounted) == stateOnce, e.has(stateCut)
	return dst
}
