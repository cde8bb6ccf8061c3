package main

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// dnsQuery is a question for name.
func dnsQuery(id uint16, name string, kind uint16) []byte {
	b := binary.BigEndian.AppendUint16(nil, id)
	b = append(b, 0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 0)
	for part := range strings.SplitSeq(name, ".") {
		b = append(append(b, byte(len(part))), part...)
	}
	b = append(b, 0)
	b = binary.BigEndian.AppendUint16(b, kind)
	return append(b, 0, 1)
}

// dnsAnswer answers that question with n records, or with an error code.
func dnsAnswer(id uint16, name string, kind uint16, code byte, n int) []byte {
	b := dnsQuery(id, name, kind)
	b[2], b[3], b[7] = 0x81, 0x80|code, byte(n)
	for i := range n {
		b = append(b, 0xc0, 12, 0, 1, 0, 1, 0, 0, 1, 44, 0, 4, 203, 0, 113, byte(10+i))
	}
	return b
}

// resolver is the LAN's DNS server and those it asks.
type resolver struct {
	s    *site
	h    *host
	rnd  *rand.Rand
	up   []*host // name servers of others
	dead int     // so many of up, the last ones, never answer
}

func (s *site) resolver(rnd *rand.Rand) *resolver {
	r := &resolver{s: s, h: s.lan(53), rnd: rnd, dead: 5}
	r.h.stack = linux
	for n := 180; n < 220; n++ {
		r.up = append(r.up, s.net(n))
	}
	return r
}

// lookup is one question of a LAN host and all that follows from it; it
// returns when the answer reaches the client.
func (r *resolver) lookup(t int64, from *host, name string) int64 {
	id, port := uint16(r.rnd.Uint32()), from.ephemeral()
	r.s.datagram(t, from, r.h, port, 53, dnsQuery(id, name, 1))
	at := t + r.h.answer()
	code := byte(0)
	switch n := r.rnd.IntN(20); {
	case n < 12: // cached
	case n == 12:
		code = 3
		at = r.upstream(at, name, code)
	case n == 13 && r.rnd.IntN(3) == 0: // a server that takes its time
		at = r.upstream(at, name, code) + between(r.rnd, 2*time.Second, 5*time.Second)
	default:
		at = r.upstream(at, name, code)
	}
	records := 1 + r.rnd.IntN(3)
	if code != 0 {
		records = 0
	}
	reply := r.s.datagram(at, r.h, from, 53, port, dnsAnswer(id, name, 1, code, records))
	if at-t > int64(2*time.Second) { // the client has given up
		r.s.portUnreachable(at+from.answer(), from, r.h, reply)
	}
	return at
}

// upstream asks other name servers until one answers, and returns when.
func (r *resolver) upstream(t int64, name string, code byte) int64 {
	for range 3 {
		to := r.rnd.IntN(len(r.up))
		ns, id, port := r.up[to], uint16(r.rnd.Uint32()), uint16(1024+r.rnd.IntN(64000))
		r.s.datagram(t, r.h, ns, port, 53, dnsQuery(id, name, 1))
		if to >= len(r.up)-r.dead {
			t += int64(800 * time.Millisecond)
			continue
		}
		t += ns.answer()
		answer := dnsAnswer(id, name, 1, code, 1+r.rnd.IntN(3))
		if r.rnd.IntN(40) == 0 { // too long: asked again over TCP
			answer[2] |= 2
			r.s.datagram(t, ns, r.h, 53, port, answer)
			c := r.s.dial(t+r.h.answer(), r.h, ns, 53).open()
			c.ask(string([]byte{0, 40}), 42, string([]byte{6, 0}), 1538).shut(client)
			return c.t
		}
		r.s.datagram(t, ns, r.h, 53, port, answer)
		return t + 90_000
	}
	return t
}

// name is a host name made up from a number.
func name(n int) string {
	return fmt.Sprintf("%s%d.example.%s", []string{"www", "cdn", "api", "mail", "img"}[n%5], n%97, []string{"com", "net", "org"}[n%3])
}

// dnsTraffic is n questions of the LAN's clients, spread over d.
func (s *site) dnsTraffic(start int64, d time.Duration, n int) {
	rnd := s.rng("dns")
	r := s.resolver(rnd)
	for range n {
		r.lookup(start+rnd.Int64N(int64(d)), s.lan(100+rnd.IntN(90)), name(rnd.IntN(5000)))
	}
}
