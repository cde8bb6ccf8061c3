package main

import "time"

// udp scans as nmap does: one source port, the payload of the service where
// there is one. A closed port answers with an ICMP error, but no more than one
// a second after a burst of six, as Linux limits them; so the scanner repeats.
func (p *plan) udp() {
	sport := uint16(40000 + p.rnd.IntN(20000))
	credit, refill := int64(6*time.Second), p.start
	p.each("udp", func(t int64, to *host, port uint16, st state) {
		for try := range p.tries {
			t += int64(try) * int64(1100*time.Millisecond)
			f := p.s.datagram(t, p.from, to, sport, port, udpPayload(port))
			if st == opened {
				p.s.datagram(t+to.answer(), to, p.from, port, sport, udpReply(port))
				return
			}
			if st == silent {
				continue
			}
			if t > refill {
				credit = min(int64(6*time.Second), credit+t-refill)
				refill = t
			}
			if credit >= int64(time.Second) {
				credit -= int64(time.Second)
				p.s.portUnreachable(t+to.answer(), to, p.from, f)
				return
			}
		}
	})
}

func udpPayload(port uint16) []byte {
	switch port {
	case 53:
		return dnsQuery(0, "version.bind", 16)
	case 123:
		return append([]byte{0xe3, 0, 4, 0xfa}, zeros(44)...)
	case 161:
		return []byte("\x30\x3a\x02\x01\x03\x30\x0f\x02\x02\x4a\x69\x02\x03\x00\xff\xe3\x04\x01\x04\x02\x01\x03")
	default:
		return nil
	}
}

func udpReply(port uint16) []byte {
	if port == 53 {
		return dnsAnswer(0, "version.bind", 16, 0, 0)
	}
	return append([]byte{0x24, 2, 4, 0xfa}, zeros(44)...)
}

// arp asks the LAN for every target.
func (p *plan) arp() {
	p.each("arp", func(t int64, to *host, _ uint16, st state) {
		for try := range p.tries {
			p.s.arp(t+int64(try)*int64(400*time.Millisecond), p.from, to, st == opened)
			if st == opened {
				return
			}
		}
	})
}

// ndp solicits every target.
func (p *plan) ndp() {
	p.each("ndp", func(t int64, to *host, _ uint16, st state) {
		for try := range p.tries {
			p.s.solicit(t+int64(try)*int64(time.Second), p.from, to, st == opened)
			if st == opened {
				return
			}
		}
	})
}

// ping sends one echo request to every target.
func (p *plan) ping() {
	id, seq := uint16(p.rnd.Uint32()), uint16(0)
	p.each("icmp-echo", func(t int64, to *host, _ uint16, st state) {
		p.s.echo(t, p.from, to, false, id, seq, 0)
		seq++
		if st == opened {
			p.s.echo(t+to.answer(), to, p.from, true, id, seq-1, 0)
		}
	})
}
