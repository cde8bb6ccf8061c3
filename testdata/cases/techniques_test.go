package cases_test

import (
	"slices"
	"testing"
	"time"

	"github.com/synoptic-ids/synoptic/detect"
)

// techniqueCases are one scan each, of targets in three states: every sixteenth
// answers, every tenth is silent, the others refuse.
func techniqueCases() []hard {
	var all []hard
	for _, f := range []struct {
		technique string
		flags     byte
		open      answer // what an open port says
	}{
		{"tcp-syn", syn, opened},
		{"tcp-fin", fin, silent},
		{"tcp-null", 0, silent},
		{"tcp-xmas", fin | psh | urg, silent},
		{"tcp-maimon", fin | ack, closed},
		{"tcp-ack", ack, closed},
	} {
		all = append(all, flagCases(f.technique, f.flags, f.open)...)
	}
	return slices.Concat(all, connectCases(), datagramCases(), icmpCases(), sctpCases(), protocolCases(), linkCases())
}

func TestTechniques(t *testing.T) { runAll(t, techniqueCases()) }

// state of the i-th target.
func state(i int) answer {
	switch {
	case i%16 == 2:
		return opened
	case i%10 == 5:
		return silent
	}
	return closed
}

// counted are the outcomes of n targets; one that is open counts as it says.
func counted(n int, open answer) (o detect.Outcomes) {
	for i := range n {
		st := state(i)
		if st == opened {
			st = open
		}
		switch st {
		case opened:
			o.Answered++
		case silent:
			o.Silent++
		case closed:
			o.Refused++
		}
	}
	return o
}

// both are a scan of the ports of a host, and of hosts on a port.
func both(technique string, n int, o detect.Outcomes, scan func(tr *trace, i, host, port int, when time.Duration)) []hard {
	run := func(horizontal bool) func(tr *trace) {
		return func(tr *trace) {
			every(second, 50*ms, n, func(i int, when time.Duration) {
				if horizontal {
					scan(tr, i, 1+i, 22, when)
				} else {
					scan(tr, i, 30, 1+i, when)
				}
			})
		}
	}
	return []hard{
		{name: technique + " ports", traffic: run(false), want: []named{{net(9), technique, detect.Vertical, 1, n, n, o}}},
		{name: technique + " hosts", traffic: run(true), want: []named{{net(9), technique, detect.Horizontal, n, 1, n, o}}},
	}
}

func flagCases(technique string, flags byte, open answer) []hard {
	return both(technique, 100, counted(100, open), func(tr *trace, i, host, port int, when time.Duration) {
		st := state(i)
		if st == opened {
			st = open
		}
		tr.probe(when, probe{from: tr.net(9), to: tr.dmz(host), port: port, flags: flags, answer: st})
	})
}

func connectCases() []hard {
	return both("tcp-connect", 100, counted(100, opened), func(tr *trace, i, host, port int, when time.Duration) {
		c := tr.dial(when, tr.net(9), tr.dmz(host), port)
		switch state(i) {
		case opened:
			c.open().put(client, rst|ack, 0)
		case silent:
			c.silent(2)
		default:
			c.refused()
		}
	})
}

func datagramCases() []hard {
	o := counted(100, opened)
	o = detect.Outcomes{Productive: o.Answered, Silent: o.Silent, Unreachable: o.Refused}
	return both("udp", 100, o, func(tr *trace, i, host, port int, when time.Duration) {
		tr.udp(when, at(tr.net(9), 61234), at(tr.dmz(host), port), "")
		switch state(i) {
		case opened:
			tr.udp(when+ms, at(tr.dmz(host), port), at(tr.net(9), 61234), opaque(i))
		case closed:
			tr.icmpError(when+ms, tr.dmz(host), portClosed)
		}
	})
}

func icmpCases() []hard {
	sweep := func(technique string, ask4, reply4 byte, only int) hard {
		o := detect.Outcomes{}
		for i := range 100 {
			if state(i) == opened {
				o.Answered++
			} else {
				o.Silent++
			}
		}
		return hard{name: technique, only: only, traffic: func(tr *trace) {
			every(second, 50*ms, 100, func(i int, when time.Duration) {
				tr.query(when, tr.net(9), tr.dmz(1+i), ask4, 128, 4711, 0)
				if state(i) == opened {
					tr.query(when+ms, tr.dmz(1+i), tr.net(9), reply4, 129, 4711, 0)
				}
			})
		}, want: []named{{net(9), technique, detect.Horizontal, 100, 0, 100, o}}}
	}
	return []hard{sweep("icmp-echo", 8, 0, 0), sweep("icmp-timestamp", 13, 14, 4), sweep("icmp-mask", 17, 18, 4)}
}

func sctpCases() []hard {
	scan := func(chunk byte, size int, open answer) func(tr *trace, i, host, port int, when time.Duration) {
		return func(tr *trace, i, host, port int, when time.Duration) {
			me, it := at(tr.net(9), 61234), at(tr.dmz(host), port)
			tr.put(when, me.Addr(), it.Addr(), sctp, sctpPacket(me, it, 0, chunk, slices.Concat(be32(0x1234_5678), make([]byte, size))))
			switch st := state(i); {
			case st == opened && open == opened:
				tr.put(when+ms, it.Addr(), me.Addr(), sctp, sctpPacket(it, me, 0x1234_5678, 2, slices.Concat(be32(77), make([]byte, 12))))
				tr.put(when+2*ms, me.Addr(), it.Addr(), sctp, sctpPacket(me, it, 77, 6, nil))
			case st == closed:
				tr.put(when+ms, it.Addr(), me.Addr(), sctp, sctpPacket(it, me, 0x1234_5678, 6, nil))
			}
		}
	}
	return slices.Concat(
		both("sctp-init", 100, counted(100, opened), scan(1, 12, opened)),
		both("sctp-cookie", 100, counted(100, silent), scan(10, 0, silent)),
	)
}

func protocolCases() []hard {
	o := counted(60, opened)
	o = detect.Outcomes{Answered: o.Answered, Silent: o.Silent, Unreachable: o.Refused}
	return []hard{{name: "ip-protocol", traffic: func(tr *trace) {
		every(second, 50*ms, 60, func(i int, when time.Duration) {
			number := byte(140 + i)
			tr.put(when, tr.net(9), tr.dmz(30), number, ipPacket(tr.net(9), tr.dmz(30), number, header{}, nil))
			switch state(i) {
			case opened:
				tr.put(when+ms, tr.dmz(30), tr.net(9), number, ipPacket(tr.dmz(30), tr.net(9), number, header{}, make([]byte, 8)))
			case closed:
				tr.icmpError(when+ms, tr.dmz(30), noProtocol)
			}
		})
	}, want: []named{{net(9), "ip-protocol", detect.Protocol, 1, 0, 60, o}}}}
}

// linkCases ask who is on the link.
func linkCases() []hard {
	o := counted(200, opened)
	o = detect.Outcomes{Answered: o.Answered, Silent: o.Silent + o.Refused}
	neighbours := func(ask func(tr *trace, i int, when time.Duration, answered bool)) func(tr *trace) {
		return func(tr *trace) {
			every(second, 20*ms, 200, func(i int, when time.Duration) { ask(tr, i, when, state(i) == opened) })
		}
	}
	return []hard{
		{name: "arp", only: 4, traffic: neighbours(func(tr *trace, i int, when time.Duration, answered bool) {
			me, it := lan(66), lan(1+i)
			if i >= 65 {
				it = lan(2 + i)
			}
			tr.whoHas(when, me, it)
			if answered {
				tr.frame(when+ms, it, me, 0, ethernet(mac(it), mac(me), 0x0806, arpPacket(2, it, me)))
			}
		}), want: []named{{lan(66), "arp", detect.Horizontal, 200, 0, 200, o}}},
		{name: "ndp", only: 6, traffic: neighbours(func(tr *trace, i int, when time.Duration, answered bool) {
			me, it := tr.lan(66), tr.lan(1+i)
			if i >= 65 {
				it = tr.lan(2 + i)
			}
			tr.whoHas(when, me, it)
			if answered {
				tr.put(when+ms, it, me, icmp6, icmpPacket(it, me, 136, 0, slices.Concat(be32(0x6000_0000), it.AsSlice(), []byte{2, 1}, mac(it))))
			}
		}), want: []named{{lan(66), "ndp", detect.Horizontal, 200, 0, 200, o}}},
	}
}

// shapeCases are scans of several hosts and ports, and of several techniques.
func shapeCases() []hard {
	return []hard{
		{name: "block", traffic: func(tr *trace) {
			every(second, 10*ms, 200, func(i int, when time.Duration) {
				tr.probe(when, probe{from: tr.net(9), to: tr.dmz(1 + i/10), port: 20 + i%10, flags: syn, answer: closed})
			})
		}, want: []named{{net(9), "tcp-syn", detect.Block, 20, 10, 200, detect.Outcomes{Refused: 200}}}},
		{name: "two hosts", traffic: func(tr *trace) {
			every(second, 10*ms, 200, func(i int, when time.Duration) {
				tr.probe(when, probe{from: tr.net(9), to: tr.dmz(1 + i/100), port: 20 + i%100, flags: syn, answer: closed})
			})
		}, want: []named{{net(9), "tcp-syn", detect.Vertical, 2, 100, 200, detect.Outcomes{Refused: 200}}}},
		{name: "two ports", traffic: func(tr *trace) {
			every(second, 10*ms, 200, func(i int, when time.Duration) {
				tr.probe(when, probe{from: tr.net(9), to: tr.dmz(1 + i%100), port: 22 + i/100, flags: syn, answer: closed})
			})
		}, want: []named{{net(9), "tcp-syn", detect.Horizontal, 100, 2, 200, detect.Outcomes{Refused: 200}}}},
		{name: "two scanners interleaved", traffic: func(tr *trace) {
			every(second, 10*ms, 60, func(i int, when time.Duration) {
				tr.probe(when, probe{from: tr.net(9), to: tr.dmz(30), port: 20 + i, flags: syn, answer: closed})
				tr.probe(when, probe{from: tr.net(10), to: tr.dmz(1 + i), port: 22, flags: 0, answer: closed})
			})
		}, want: []named{
			{net(9), "tcp-syn", detect.Vertical, 1, 60, 60, detect.Outcomes{Refused: 60}},
			{net(10), "tcp-null", detect.Horizontal, 60, 1, 60, detect.Outcomes{Refused: 60}},
		}},
		{name: "pings and then ports", traffic: func(tr *trace) {
			every(second, 10*ms, 60, func(i int, when time.Duration) { tr.ping(when, tr.net(9), tr.dmz(1+i), 0, i == 30) })
			every(5*second, 10*ms, 100, func(i int, when time.Duration) {
				tr.probe(when, probe{from: tr.net(9), to: tr.dmz(31), port: 20 + i, flags: syn, answer: closed})
			})
		}, want: []named{{net(9), "tcp-syn", detect.Vertical, 60, 100, 160, detect.Outcomes{Silent: 59, Answered: 1, Refused: 100}}}},
	}
}

// endCases are scans that the capture ends with: they count although nothing more is to
// come.
func endCases() []hard {
	last := func(f func(tr *trace, i int, when time.Duration)) func(tr *trace) {
		return func(tr *trace) {
			every(2*minute, 200*time.Microsecond, 30, func(i int, when time.Duration) { f(tr, i, when) })
		}
	}
	return []hard{
		{name: "silent", traffic: last(func(tr *trace, i int, when time.Duration) {
			tr.dial(when, tr.net(9), tr.dmz(1+i), 22).put(client, syn, 0)
		}), want: []named{{net(9), "tcp-connect", detect.Horizontal, 30, 1, 30, detect.Outcomes{Silent: 30}}}},
		{name: "connected and closed at once", traffic: last(func(tr *trace, i int, when time.Duration) {
			tr.dial(when, tr.net(9), tr.dmz(1+i), 22).touch()
		}), want: []named{{net(9), "tcp-connect", detect.Horizontal, 30, 1, 30, detect.Outcomes{Answered: 30}}}},
		{name: "connected and reset at once", traffic: last(func(tr *trace, i int, when time.Duration) {
			tr.dial(when, tr.net(9), tr.dmz(30), 22+i).open().put(client, rst|ack, 0)
		}), want: []named{{net(9), "tcp-connect", detect.Vertical, 1, 30, 30, detect.Outcomes{Answered: 30}}}},
		{name: "answered and no more", traffic: last(func(tr *trace, i int, when time.Duration) {
			tr.dial(when, tr.net(9), tr.dmz(30), 22+i).on(bare(1024)).put(client, syn, 0).put(server, syn|ack, 0)
		}), want: []named{{net(9), "tcp-syn", detect.Vertical, 1, 30, 30, detect.Outcomes{Answered: 30}}}},
	}
}

func TestCaptureEndsWithIt(t *testing.T) { runAll(t, endCases()) }

func TestShapes(t *testing.T) { runAll(t, shapeCases()) }
