package cases_test

import (
	"testing"
	"time"

	"github.com/synoptic-ids/synoptic/detect"
)

// combinations is how many there are of the six flags, none included.
const combinations = 64

// exchanges is a client and a server that try each combination of flags on each other,
// each time from another port of the client's, as tests of stacks and sensors do. The
// server sends SYNs to five hundred ports of the client, but never to one of its choice.
func exchanges(tr *trace) {
	client, server := tr.net(9), tr.dmz(20)
	every(second, 10*ms, combinations*combinations, func(i int, when time.Duration) {
		from, to := at(client, 20_000+i*7%40_000), at(server, 80)
		tr.send(when, segment{from: from, to: to, flags: byte(i / combinations), window: 8192})
		tr.send(when+ms/2, segment{from: to, to: from, flags: byte(i % combinations), window: 8192})
	})
}

// eliciting is a scan that makes its victim send first: a segment that is no probe
// draws a RST from each port, and the SYN follows it on the same tuple.
type eliciting struct {
	from   int           // source port
	ahead  int           // for how many ports at once
	before func(c *conn) // what the victim does with that source port beforehand
}

func (e eliciting) traffic(tr *trace) {
	scanner, victim := at(tr.net(77), e.from), tr.dmz(30)
	if e.before != nil {
		e.before(tr.dial(second, victim, scanner.Addr(), e.from))
	}
	every(0, 0, 40, func(i int, _ time.Duration) {
		to := at(victim, 3000+i)
		when := 20*second + time.Duration(i/e.ahead*e.ahead)*second + time.Duration(i%e.ahead)*ms
		tr.send(when, segment{from: scanner, to: to, flags: psh | ack, seq: 5, ack: 6, window: 1024})
		tr.send(when+100*ms, segment{from: to, to: scanner, flags: rst, seq: 6})
		tr.send(when+200*ms, segment{from: scanner, to: to, flags: syn, seq: probeSeq, window: 1024})
		tr.send(when+300*ms, segment{from: to, to: scanner, flags: rst | ack, ack: probeSeq + 1})
	})
}

func (e eliciting) hard(name string) hard {
	return hard{name: name, traffic: e.traffic, want: []named{{
		Src: net(77), Technique: "tcp-syn", Shape: detect.Vertical, Hosts: 1, Ports: 40, Targets: 40, Outcomes: detect.Outcomes{Refused: 40},
	}}}
}

// lured is a server that its clients visit from many ports, none of which talks, and
// that answers each by a SYN, and sends one to another port as well.
func lured(tr *trace) {
	every(second, second, 40, func(i int, when time.Duration) {
		scanner, victim := at(tr.net(77), 443), tr.dmz(30)
		tr.send(when, segment{from: at(victim, 50_000+i), to: scanner, flags: syn, seq: 9 * i, window: 64240, options: []byte{2, 4, 5, 0xb4}})
		for j, port := range []int{50_000 + i, 3000 + i} {
			to := at(victim, port)
			tr.send(when+time.Duration(10+j)*ms, segment{from: scanner, to: to, flags: syn, seq: probeSeq, window: 1024})
			tr.send(when+time.Duration(20+j)*ms, segment{from: to, to: scanner, flags: rst | ack, ack: probeSeq + 1})
		}
	})
}

// chosenCases: ports that the other has chosen, and scanners that would have it look so.
func chosenCases() []hard {
	refused := func(c *conn) { c.refused() }
	return []hard{
		{name: "every combination of flags both ways", traffic: exchanges},
		eliciting{from: 80, ahead: 1}.hard("one by one, from a low port"),
		eliciting{from: 80, ahead: 40}.hard("all at once, from a low port"),
		eliciting{from: 50_000, ahead: 1}.hard("one by one, from a high port"),
		eliciting{from: 80, ahead: 1, before: refused}.hard("from a port that the victim has tried"),
		eliciting{from: 80, ahead: 40, before: refused}.hard("all at once, from a port that the victim has tried"),
		eliciting{from: 50_000, ahead: 5, before: refused}.hard("from a high port that the victim has tried"),
		eliciting{from: 80, ahead: 1, before: func(c *conn) { c.talk() }}.hard("from a port that the victim talks with"),
		{name: "between answers to what the victim sends", traffic: lured, want: []named{{
			Src: net(77), Technique: "tcp-syn", Shape: detect.Vertical, Hosts: 1, Ports: 40, Targets: 40, Outcomes: detect.Outcomes{Refused: 40},
		}}},
	}
}

func TestPortsThatTheOtherHasChosen(t *testing.T) { runAll(t, chosenCases()) }
