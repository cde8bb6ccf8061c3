package main

import (
	"encoding/binary"
	"math/rand/v2"
)

// live is how many conversations the mix holds at any time.
const live = 20_000

// mix is ordinary traffic: trains of four packets of one conversation each.
type mix struct {
	w     *benchWriter
	rnd   *rand.Rand
	flows []flow
}

// flow is one conversation. One that is refused has one train, others some
// forty.
type flow struct {
	template
	udp     bool
	opened  bool
	refused bool
	bulk    bool
	trains  int
}

func newMix(w *benchWriter) *mix {
	m := &mix{w: w, rnd: rand.New(rand.NewPCG(20, 75)), flows: make([]flow, live)}
	for i := range m.flows {
		m.renew(&m.flows[i])
	}
	return m
}

// renew puts a new conversation in the place of f.
func (m *mix) renew(f *flow) {
	*f = flow{
		udp: m.rnd.IntN(1000) < 165, refused: m.rnd.IntN(50) == 0, bulk: m.rnd.IntN(100) < 48,
		trains: 2 + int(m.rnd.ExpFloat64()*40),
	}
	proto, port := uint8(6), [...]uint16{443, 443, 443, 80, 22, 993, 8443, 8080}[m.rnd.IntN(8)]
	if f.udp {
		proto, port = 17, 443
	}
	f.template = m.template(proto, port)
}

// template is a conversation between two hosts drawn at random: one in ten
// tagged, one in eight over IPv6, two thirds from the inside out.
func (m *mix) template(proto uint8, port uint16) template {
	v6 := m.rnd.IntN(8) == 0
	in := endpoint{addr: m.address(v6, true), port: uint16(32768 + m.rnd.IntN(28232)), ttl: 64}
	out := endpoint{addr: m.address(v6, false), port: port, ttl: 54}
	if m.rnd.IntN(3) == 0 {
		in.port, out.port = out.port, in.port
		in, out = out, in
	}
	vlan := uint16(0)
	if m.rnd.IntN(10) == 0 {
		vlan = uint16(100 + m.rnd.IntN(4))
	}
	t := newTemplate(in, out, v6, vlan, proto)
	t.seq = [2]uint32{m.rnd.Uint32(), m.rnd.Uint32()}
	t.ident = [2]uint16{uint16(m.rnd.Uint32()), uint16(m.rnd.Uint32())}
	return t
}

func (m *mix) address(v6, inside bool) (a [16]byte) {
	switch {
	case v6 && inside:
		a = [16]byte{0x20, 0x01, 0x0d, 0xb8, 0, 1, 0, 1}
		binary.BigEndian.PutUint16(a[14:], uint16(1+m.rnd.IntN(4000)))
	case v6:
		a = [16]byte{0x20, 0x01, 0x0d, 0xb8, 0, 0xff}
		binary.BigEndian.PutUint16(a[14:], uint16(1+m.rnd.IntN(20000)))
	case inside && m.rnd.IntN(3) == 0:
		a = [16]byte{198, 51, 100, byte(1 + m.rnd.IntN(254))}
	case inside:
		a = [16]byte{192, 0, 2, byte(1 + m.rnd.IntN(254))}
	default:
		a = [16]byte{203, 0, 113, byte(1 + m.rnd.IntN(254))}
	}
	return a
}

// run writes trains until the file is full.
func (m *mix) run() {
	for m.w.left > 0 && m.w.err == nil {
		m.w.now += m.rnd.Int64N(24_000)
		switch n := m.rnd.IntN(100); {
		case n < 5:
			m.names()
		case n < 8:
			m.pings()
		default:
			f := &m.flows[m.rnd.IntN(live)]
			m.train(f)
			if f.trains--; f.trains <= 0 {
				m.renew(f)
			}
		}
	}
}

// train is the next four packets of a conversation.
func (m *mix) train(f *flow) {
	switch {
	case f.udp && f.bulk:
		m.datagram(f, 1, 1250, 1250, 1250)
		m.datagram(f, 0, 35)
	case f.udp:
		m.datagram(f, 0, 1250)
		m.datagram(f, 1, 1250, 120)
		m.datagram(f, 0, 40)
	case f.refused:
		m.segment(f, 0, syn, 0)
		m.segment(f, 1, rst|ack, 0)
		f.trains = 0
	case !f.opened:
		f.opened = true
		m.segment(f, 0, syn, 0)
		m.segment(f, 1, syn|ack, 0)
		m.segment(f, 0, ack, 0)
		m.segment(f, 0, ack|psh, 517)
	case f.trains == 1:
		m.segment(f, 1, ack|psh, 300)
		m.segment(f, 0, fin|ack, 0)
		m.segment(f, 1, fin|ack, 0)
		m.segment(f, 0, ack, 0)
	case f.bulk || m.rnd.IntN(8) == 0:
		m.segment(f, 1, ack, 1448)
		m.segment(f, 1, ack, 1448)
		m.segment(f, 1, ack|psh, 1448)
		m.segment(f, 0, ack, 0)
	default:
		m.segment(f, 0, ack|psh, 60+m.rnd.IntN(500))
		m.segment(f, 1, ack, 0)
		m.segment(f, 1, ack|psh, 100+m.rnd.IntN(1200))
		m.segment(f, 0, ack, 0)
	}
}

func (m *mix) segment(f *flow, dir int, flags uint8, n int) {
	m.w.emit(f.tcp(dir, flags, n, uint32(m.w.now/1e6)), n)
}

// short is a QUIC packet in a running connection.
var short = []byte{0x41, 0x9a, 0x77, 0x3c}

func (m *mix) datagram(f *flow, dir int, sizes ...int) {
	for _, n := range sizes {
		m.w.emit(f.template.udp(dir, short, n), n-len(short))
	}
}

// names is one host's two questions to a resolver, and the answers.
func (m *mix) names() {
	t := m.template(17, 53)
	question := dnsQuery(uint16(m.rnd.Uint32()), "", 1)[:12]
	answer := append([]byte(nil), question...)
	answer[2], answer[3], answer[7] = 0x81, 0x80, 1
	for range 2 {
		question[1]++
		answer[1]++
		n := 28 + m.rnd.IntN(20)
		m.w.emit(t.udp(0, question, n), n-12)
		m.w.emit(t.udp(1, answer, n+16), n+4)
	}
}

// pings is two echo requests, answered.
func (m *mix) pings() {
	t := m.template(1, 0)
	for t.v6 {
		t = m.template(1, 0)
	}
	id := uint16(m.rnd.Uint32())
	for seq := range uint16(2) {
		m.w.emit(t.echo(0, id, seq), 56)
		m.w.emit(t.echo(1, id, seq), 56)
	}
}

// scanners send SYNs to targets drawn at random, most from a few: sources
// follow Zipf's law. The busiest 254 are IPv4 addresses, the rest IPv6.
type scanners struct {
	m    *mix
	zipf *rand.Zipf
	t    template
}

func newScanners() *scanners {
	rnd := rand.New(rand.NewPCG(40, 60))
	return &scanners{m: &mix{rnd: rnd}, zipf: rand.NewZipf(rnd, 1.1, 1, 60_000)}
}

func (s *scanners) next() []byte {
	rnd, rank := s.m.rnd, s.zipf.Uint64()
	from := endpoint{port: uint16(1024 + rnd.IntN(64000)), ttl: 49}
	v6 := rank >= 254
	if v6 {
		from.addr = [16]byte{0x20, 0x01, 0x0d, 0xb8, 0x0b, 0xad}
		binary.BigEndian.PutUint16(from.addr[6:], uint16(rank))
		from.addr[15] = 1
	} else {
		from.addr = [16]byte{203, 0, 113, byte(1 + rank)}
	}
	to := endpoint{addr: s.m.address(v6, true), port: uint16(1 + rnd.IntN(65535))}
	vlan := uint16(0)
	if rnd.IntN(10) == 0 {
		vlan = 100
	}
	s.t = newTemplate(from, to, v6, vlan, 6)
	s.t.seq[0], s.t.ident[0] = rnd.Uint32(), uint16(rnd.Uint32())
	l4 := s.t.head[0][s.t.l4:]
	binary.BigEndian.PutUint32(l4[4:], s.t.seq[0])
	l4[12], l4[13] = 0x60, syn
	copy(l4[14:], []byte{4, 0, 0, 0, 0, 0, 2, 4, 5, 0xb4})
	return s.t.seal(0, 24, 24, 16)
}
