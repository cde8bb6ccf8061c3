package site

import (
	"time"

	"github.com/synoptic-ids/synoptic/testdata/wire"
)

// The two ends of a conversation.
const (
	client = 0
	server = 1
)

// The flags of a segment.
const (
	fin = 1 << iota
	syn
	rst
	psh
	ack
	urg
)

// conn is a TCP conversation between two ordinary stacks. t is the time of its
// latest packet.
type conn struct {
	s      *Site
	t      int64
	ends   [2]*host
	ports  [2]uint16
	next   [2]uint32 // the sequence number each end sends next
	seen   [2]uint32 // the latest time stamp each end has seen of the other
	stamps bool
	cut    bool // nothing comes back
}

// dial prepares a conversation from an ephemeral port; nothing is sent yet.
func (s *Site) dial(t int64, from, to *host, port uint16) *conn {
	return s.dialFrom(t, from, from.ephemeral(), to, port)
}

func (s *Site) dialFrom(t int64, from *host, sport uint16, to *host, port uint16) *conn {
	return &conn{
		s: s, t: t, ends: [2]*host{from, to}, ports: [2]uint16{sport, port},
		next:   [2]uint32{from.rnd.Uint32(), to.rnd.Uint32()},
		stamps: from.stack.Timestamps && to.stack.Timestamps,
		cut:    to.outside() && s.cut(t),
	}
}

// segment sends one segment with n bytes of payload, which begins with text. It
// does not move the sequence number.
func (c *conn) segment(side int, flags uint8, text string, n int) {
	if c.cut && flags != syn {
		return
	}
	h, peer := c.ends[side], c.ends[1-side]
	tcp := wire.TCP{
		SrcPort: c.ports[side], DstPort: c.ports[1-side], Seq: c.next[side], Flags: flags, Window: h.stack.WinOpen,
	}
	if flags&ack != 0 {
		tcp.Ack = c.next[1-side]
	}
	options := c.s.options[:0]
	switch {
	case flags&syn != 0:
		tcp.Window = h.stack.Window
		var asked *wire.Stack
		if side == server {
			asked = peer.stack
		}
		tcp.Options = h.stack.SYN(options, h.is6(), h.clock(c.t), c.seen[side], asked)
	case flags&rst != 0:
		tcp.Window = 0
	case c.stamps:
		tcp.Options = wire.Stamps(append(options, 1, 1), h.clock(c.t), c.seen[side])
	}
	if c.stamps && flags&rst == 0 {
		c.seen[1-side] = h.clock(c.t)
	}
	b := tcp.Append(c.s.l4[:0])
	size := len(b) + max(n, len(text))
	c.s.send(c.t, h, peer, ipHeader{}, wire.ProtoTCP, append(b, text...), size, wire.SumTCP)
}

// turn lets the time pass until side has answered what just came by.
func (c *conn) turn(side int) { c.t += c.ends[side].answer() }

func (c *conn) wait(d time.Duration) *conn {
	c.t += int64(d)
	return c
}

// begin sends the SYN and its answer.
func (c *conn) begin() *conn {
	if c.cut {
		c.silent(3)
		return c
	}
	c.segment(client, syn, "", 0)
	c.next[client]++
	c.turn(server)
	c.segment(server, syn|ack, "", 0)
	c.next[server]++
	c.turn(client)
	return c
}

// open makes the handshake.
func (c *conn) open() *conn {
	c.begin()
	c.segment(client, ack, "", 0)
	c.t += 40_000
	return c
}

// say sends text, followed by zeros up to n bytes, and its acknowledgement.
func (c *conn) say(side int, text string, n int) *conn {
	n = max(n, len(text))
	for n > 0 {
		part := min(n, 1400)
		c.segment(side, ack|psh, text, part)
		c.next[side] += uint32(part)
		c.t += 12_000
		n, text = n-part, ""
	}
	c.turn(1 - side)
	c.segment(1-side, ack, "", 0)
	c.t += 60_000
	return c
}

// ask is a question of the client and the answer to it, which acknowledges it.
func (c *conn) ask(question string, up int, answer string, down int) *conn {
	up = max(up, len(question))
	c.segment(client, ack|psh, question, up)
	c.next[client] += uint32(up)
	c.turn(server)
	return c.say(server, answer, down)
}

// shut closes the conversation, side first.
func (c *conn) shut(side int) {
	c.turn(side)
	c.segment(side, fin|ack, "", 0)
	c.next[side]++
	c.turn(1 - side)
	c.segment(1-side, fin|ack, "", 0)
	c.next[1-side]++
	c.turn(side)
	c.segment(side, ack, "", 0)
}

// abort closes the conversation with a reset.
func (c *conn) abort(side int) {
	c.turn(side)
	c.segment(side, rst|ack, "", 0)
}

// refused is an attempt at a closed port; Windows tries three times.
func (c *conn) refused() {
	tries := 1
	if c.ends[client].stack.RetryRefused {
		tries = 3
	}
	for i := range tries {
		if i > 0 {
			c.wait(505 * time.Millisecond)
		}
		c.segment(client, syn, "", 0)
		c.turn(server)
		c.next[client]++
		keep := c.next[server]
		c.next[server] = 0
		c.segment(server, rst|ack, "", 0)
		c.next[server] = keep
		c.next[client]--
	}
}

// silent is an attempt that nobody answers, with so many SYNs in all.
func (c *conn) silent(tries int) {
	gap := time.Second
	for i := range tries {
		if i > 0 {
			c.wait(gap + time.Duration(c.ends[client].rnd.IntN(25))*time.Millisecond)
			gap *= 2
		}
		c.segment(client, syn, "", 0)
	}
}

// What TLS records start with.
const (
	clientHello = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"
	serverHello = "\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03"
	record      = "\x17\x03\x03\x01\x20"
)

// tls makes a handshake and one exchange of up and down bytes.
func (c *conn) tls(up, down int) *conn {
	c.ask(clientHello, 517, serverHello, 2300)
	c.turn(client)
	return c.ask(record, up, record, down)
}
