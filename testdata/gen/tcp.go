package main

import (
	"bytes"
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

// conn is a TCP conversation between two ordinary stacks. t is the time of
// its latest packet.
type conn struct {
	s      *site
	t      int64
	ends   [2]*host
	ports  [2]uint16
	next   [2]uint32 // the sequence number each end sends next
	seen   [2]uint32 // the latest time stamp each end has seen of the other
	ident  [2]uint16
	label  [2]uint32
	stamps bool
}

// dial prepares a conversation from an ephemeral port; nothing is sent yet.
func (s *site) dial(t int64, from, to *host, port uint16) *conn {
	c := &conn{
		s: s, t: t, ends: [2]*host{from, to}, ports: [2]uint16{from.ephemeral(), port},
		stamps: from.stack.Timestamps && to.stack.Timestamps,
	}
	for i, h := range c.ends {
		c.next[i], c.ident[i], c.label[i] = h.rnd.Uint32(), uint16(h.rnd.Uint32()), h.rnd.Uint32()&0xfffff
	}
	return c
}

// segment sends one segment at c.t. It does not move the sequence number.
func (c *conn) segment(side int, flags uint8, payload []byte) {
	h, peer := c.ends[side], c.ends[1-side]
	tcp := wire.TCP{
		SrcPort: c.ports[side], DstPort: c.ports[1-side], Seq: c.next[side], Flags: flags, Window: h.stack.WinOpen,
	}
	if flags&ack != 0 {
		tcp.Ack = c.next[1-side]
	}
	switch {
	case flags&syn != 0:
		tcp.Window = h.stack.Window
		var asked *stack
		if side == server {
			asked = &peer.stack
		}
		tcp.Options = h.synOptions(c.t, c.seen[side], asked)
	case flags&rst != 0:
		tcp.Window = 0
	case c.stamps:
		tcp.Options = wire.Stamps([]byte{1, 1}, h.clock(c.t), c.seen[side])
	}
	if c.stamps && flags&rst == 0 {
		c.seen[1-side] = h.clock(c.t)
	}
	ip := ipHeader{df: true, label: c.label[side]}
	if !h.stack.Counter {
		ip.fixed, ip.ident = true, c.ident[side]
		c.ident[side]++
		if flags == syn|ack || flags&rst != 0 {
			ip.ident = 0 // Linux: no socket with a counter behind it
		}
	}
	c.s.segment(c.t, h, peer, ip, tcp, payload)
}

// turn lets the time pass until side has answered what just came by.
func (c *conn) turn(side int) { c.t += c.ends[side].answer() }

// wait lets time pass on both ends.
func (c *conn) wait(d time.Duration) { c.t += int64(d) }

// begin sends the SYN and its answer.
func (c *conn) begin() {
	c.segment(client, syn, nil)
	c.next[client]++
	c.turn(server)
	c.segment(server, syn|ack, nil)
	c.next[server]++
	c.turn(client)
}

// open makes the handshake.
func (c *conn) open() *conn {
	c.begin()
	c.segment(client, ack, nil)
	c.t += 40_000
	return c
}

// say sends text, followed by zeros up to n bytes, and its acknowledgement.
func (c *conn) say(side int, text string, n int) *conn {
	payload := make([]byte, max(n, len(text)))
	copy(payload, text)
	const size = 1400
	for i := 0; i < len(payload); i += size {
		part := payload[i:min(i+size, len(payload))]
		flags := uint8(ack)
		if i+size >= len(payload) {
			flags |= psh
		}
		lost := len(payload) > size && c.ends[side].rnd.IntN(150) == 0
		c.segment(side, flags, part)
		if lost {
			c.wait(230 * time.Millisecond)
			c.segment(side, flags, part)
		}
		c.next[side] += uint32(len(part))
		if i/size%4 == 3 || i+size >= len(payload) {
			c.acknowledge(1 - side)
		} else {
			c.t += 12_000
		}
	}
	return c
}

func (c *conn) acknowledge(side int) {
	c.turn(side)
	c.segment(side, ack, nil)
	c.t += 60_000
}

// ask is a question of the client and the answer to it.
func (c *conn) ask(question string, up int, answer string, down int) *conn {
	c.say(client, question, up)
	c.turn(server)
	return c.say(server, answer, down)
}

// shut closes the conversation, side first.
func (c *conn) shut(side int) {
	c.turn(side)
	c.segment(side, fin|ack, nil)
	c.next[side]++
	c.turn(1 - side)
	c.segment(1-side, fin|ack, nil)
	c.next[1-side]++
	c.turn(side)
	c.segment(side, ack, nil)
}

// abort closes the conversation with a reset.
func (c *conn) abort(side int) {
	c.turn(side)
	c.segment(side, rst|ack, nil)
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
		c.segment(client, syn, nil)
		c.turn(server)
		c.next[client]++
		keep := c.next[server]
		c.next[server] = 0
		c.segment(server, rst|ack, nil)
		c.next[server] = keep
		c.next[client]--
	}
}

// silent is an attempt that nobody answers, with tries SYNs in all.
func (c *conn) silent(tries int) {
	gap := time.Second
	for i := range tries {
		if i > 0 {
			c.wait(gap + time.Duration(c.ends[client].rnd.IntN(25))*time.Millisecond)
			gap *= 2
		}
		c.segment(client, syn, nil)
	}
}

// opening is what TLS records start with; most of the rest is cut away.
var (
	clientHello = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"
	serverHello = "\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03"
	record      = "\x17\x03\x03\x01\x20"
)

// tls makes a handshake and one exchange of up and down bytes.
func (c *conn) tls(up, down int) *conn {
	c.ask(clientHello, 517, serverHello, 3100)
	c.turn(client)
	c.say(client, "\x14\x03\x03\x00\x01\x01\x17\x03\x03\x00\x35", 80)
	c.turn(client)
	return c.ask(record, up, record, down)
}

// zeros is a payload whose bytes do not matter.
func zeros(n int) []byte { return bytes.Repeat([]byte{0}, n) }
