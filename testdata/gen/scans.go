package main

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/synoptic-ids/synoptic/testdata/wire"
)

// state is what a target does with a probe.
type state int

const (
	closed state = iota
	opened
	silent
	prohibited // an ICMP error of the firewall before it
)

// plan is a scan: what is probed in which order, how fast, and what it meets.
type plan struct {
	s       *site
	rnd     *rand.Rand
	start   int64
	gap     time.Duration // between two probes, varied by half
	from    *host
	targets []target
	state   func(target) state
	tries   int // probes to a silent target
}

// plan prepares a scan named name; the name chooses its random numbers.
func (s *site) plan(name string, start int64, gap time.Duration, from *host, targets []target, st func(target) state) *plan {
	return &plan{s: s, rnd: s.rng(name), start: start, gap: gap, from: from, targets: targets, state: st, tries: 2}
}

// shuffled puts the targets in random order, as most scanners do.
func (p *plan) shuffled() *plan {
	ts := append([]target(nil), p.targets...)
	p.rnd.Shuffle(len(ts), func(i, j int) { ts[i], ts[j] = ts[j], ts[i] })
	p.targets = ts
	return p
}

// each calls probe for every target at its time, and notes the scan.
func (p *plan) each(technique string, probe func(t int64, to *host, port uint16, st state)) {
	t, answered := p.start, 0
	answers := !slices.Contains([]string{"tcp-fin", "tcp-null", "tcp-xmas", "tcp-maimon", "tcp-ack"}, technique)
	for _, g := range p.targets {
		st := p.state(g)
		if st == opened && answers {
			answered++
		}
		probe(t, p.s.host(g.addr), g.port, st)
		t += int64(p.gap)/2 + p.rnd.Int64N(int64(p.gap)+1)
	}
	p.s.note(p.from, technique, p.targets, answered)
}

// craft is what a tool's TCP probes have in common.
type craft struct {
	sport   uint16
	seq     uint32
	flags   uint8
	window  uint16
	mss     bool
	masscan bool
}

// nmap is nmap's raw probe: one source port, one sequence number, window 1024.
func (p *plan) nmap(flags uint8) craft {
	return craft{sport: uint16(33000 + p.rnd.IntN(31000)), seq: p.rnd.Uint32(), flags: flags, window: 1024, mss: flags == syn}
}

// masscan's SYN has no option, TTL 255 and a sequence number per target.
func (p *plan) masscan() craft {
	return craft{sport: uint16(40000 + p.rnd.IntN(20000)), flags: syn, window: 1024, masscan: true}
}

// raw sends such probes with the technique's name and lets the targets answer.
func (p *plan) raw(technique string, c craft) {
	p.each(technique, func(t int64, to *host, port uint16, st state) {
		seq := c.seq
		if c.masscan {
			seq = p.rnd.Uint32()
		}
		for try := range p.tries {
			if try > 0 {
				if st != silent && (st != opened || c.flags&(syn|ack) != 0) {
					break
				}
				t += int64(time.Second) + p.rnd.Int64N(int64(200*time.Millisecond))
			}
			f := p.probe(t, to, port, c, seq, uint16(try))
			p.answer(t+to.answer(), to, port, c, seq, uint16(try), st, f)
		}
	})
}

func (p *plan) probe(t int64, to *host, port uint16, c craft, seq uint32, try uint16) []byte {
	tcp := wire.TCP{SrcPort: c.sport + try, DstPort: port, Seq: seq, Flags: c.flags, Window: c.window}
	if c.flags&ack != 0 {
		tcp.Ack = seq ^ 0x5a5a1234
	}
	if c.mss {
		tcp.Options = segmentSize()
	}
	ip := ipHeader{fixed: true, ident: uint16(p.rnd.Uint32()), ttl: uint8(37+p.rnd.IntN(23)) - p.from.hops}
	if c.masscan {
		ip.ttl = 255 - p.from.hops
		ip.ident = uint16(seq) ^ port
	}
	return p.s.segment(t, p.from, to, ip, tcp, nil)
}

// segmentSize is the one option of a scanner's SYN, and of the answer to it.
func segmentSize() []byte { return []byte{2, 4, 0x05, 0xb4} }

// answer is what the target says: RST if closed; if open, SYN-ACK to a SYN
// (which the scanner's kernel resets), RST to an ACK, else nothing.
func (p *plan) answer(t int64, to *host, port uint16, c craft, seq uint32, try uint16, st state, f []byte) {
	back := wire.TCP{SrcPort: port, DstPort: c.sport + try}
	ip := ipHeader{df: true, fixed: true}
	switch {
	case st == prohibited:
		p.s.icmpError(t, p.s.withStack(p.s.dmz(1), linux), p.from, f, unreachable, prohibitedBy)
		return
	case st == silent || st == opened && c.flags != syn && c.flags&ack == 0:
		return
	case c.flags&ack != 0:
		back.Flags, back.Seq = rst, seq^0x5a5a1234
	case st == closed:
		back.Flags, back.Ack = rst|ack, seq+lengthOf(c.flags)
	default:
		back.Flags, back.Ack, back.Seq, back.Window = syn|ack, seq+1, to.rnd.Uint32(), 64240
		back.Options = segmentSize()
		p.s.segment(t, to, p.from, ip, back, nil)
		reset := wire.TCP{SrcPort: back.DstPort, DstPort: back.SrcPort, Seq: seq + 1, Flags: rst}
		p.s.segment(t+p.from.answer()/2, p.from, to, ip, reset, nil)
		return
	}
	p.s.segment(t, to, p.from, ip, back, nil)
}

// lengthOf is what the flags of a probe occupy in sequence space.
func lengthOf(flags uint8) uint32 {
	if flags&(syn|fin) != 0 {
		return 1
	}
	return 0
}

// connect scans with the operating system's own connections: an open port
// gets a whole handshake and a reset.
func (p *plan) connect() {
	p.each("tcp-connect", func(t int64, to *host, port uint16, st state) {
		c := p.s.dial(t, p.from, to, port)
		switch st {
		case opened:
			c.open()
			c.abort(client)
		case silent:
			c.silent(2)
		default:
			c.refused()
		}
	})
}
