package cases_test

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/synoptic-ids/synoptic/detect"
)

// lose takes frames out of the capture.
func (tr *trace) lose(lost func(f *frame) bool) {
	tr.frames = slices.DeleteFunc(tr.frames, func(f frame) bool { return lost(&f) })
}

// after is a capture that begins late.
func after(begin time.Duration) func(tr *trace) {
	return func(tr *trace) { tr.lose(func(f *frame) bool { return f.order < begin }) }
}

// browse is a proxy of ours that talks to many servers outside, a few of which are
// dead: four of sixty.
func browse(tr *trace) {
	every(second, second, 60, func(i int, when time.Duration) {
		if c := tr.dial(when, tr.lan(10), tr.far(i), 443); i%16 == 5 {
			c.silent(4)
		} else {
			c.talk()
		}
	})
}

// visitors are clients from outside of a server of ours.
func visitors(tr *trace) {
	every(second, 700*ms, 80, func(i int, when time.Duration) { tr.dial(when, tr.far(500+i), tr.dmz(20), 443).talk() })
}

// long are connections that are opened in the first seconds and go on for a minute.
func long(tr *trace, n int, s stack, ends func(i int) (from, to netip.Addr, port int), then func(c *conn)) {
	every(second, 100*ms, n, func(i int, when time.Duration) {
		from, to, port := ends(i)
		c := tr.dial(when, from, to, port).on(s).open().say(client, 100).say(server, 100)
		c.t = 40*second + time.Duration(i)*50*ms
		then(c)
	})
}

// toMany are connections of one client to as many servers.
func toMany(tr *trace) func(i int) (netip.Addr, netip.Addr, int) {
	return func(i int) (netip.Addr, netip.Addr, int) { return tr.lan(10), tr.far(i), 443 }
}

// toOne are connections of one client to one server.
func toOne(tr *trace) func(i int) (netip.Addr, netip.Addr, int) {
	return func(int) (netip.Addr, netip.Addr, int) { return tr.net(9), tr.dmz(20), 443 }
}

// midstreamCases: the first packets were not captured. zeek/zeek#2191 and #2426.
func midstreamCases() []hard {
	from := func(tr *trace, f *frame) bool { return f.src == tr.lan(10) }
	return []hard{
		{name: "SYNs lost", traffic: browse, fault: func(tr *trace) {
			tr.lose(func(f *frame) bool { return f.flags == syn && from(tr, f) })
		}},
		{name: "SYN-ACKs lost", traffic: browse, fault: func(tr *trace) {
			tr.lose(func(f *frame) bool { return f.flags == syn|ack && f.dst == tr.lan(10) })
		}},
		{name: "SYN-ACKs of visitors lost", traffic: visitors, fault: func(tr *trace) {
			tr.lose(func(f *frame) bool { return f.flags == syn|ack && f.src == tr.dmz(20) })
		}},
		{name: "handshakes lost", traffic: browse, fault: func(tr *trace) {
			tr.lose(func(f *frame) bool { return f.flags&syn != 0 && (from(tr, f) || f.dst == tr.lan(10)) })
		}},
		{name: "every third frame lost", traffic: func(tr *trace) { browse(tr); visitors(tr) }, fault: func(tr *trace) {
			n := 0
			tr.lose(func(f *frame) bool {
				n++
				return n%3 == 0 && f.order < scanAt
			})
		}},
		{name: "every answer captured before what it answers", traffic: func(tr *trace) {
			browse(tr)
			visitors(tr)
		}, fault: func(tr *trace) {
			for i := range tr.frames {
				if f := &tr.frames[i]; f.dst == tr.lan(10) || f.src == tr.dmz(20) {
					f.order -= 1500 * time.Microsecond
				}
			}
		}},
		{name: "begun before the capture", traffic: func(tr *trace) {
			for _, s := range []stack{linux, windows} {
				long(tr, 40, s, toMany(tr), func(c *conn) { c.say(server, 500).say(client, 50).shut(server) })
			}
		}, fault: after(30 * second)},
		{name: "kept alive since before the capture", traffic: func(tr *trace) {
			for _, s := range []stack{linux, windows} {
				long(tr, 40, s, toMany(tr), func(c *conn) {
					for range 3 {
						c.seq[client]--
						c.put(client, ack, 0)
						c.seq[client]++
						c.put(server, ack, 0).wait(10 * second)
					}
				})
			}
		}, fault: after(30 * second)},
		{name: "kept alive by the server since before the capture", traffic: func(tr *trace) {
			long(tr, 40, windows, toOne(tr), func(c *conn) {
				c.seq[server]--
				c.put(server, ack, 0)
				c.seq[server]++
				c.put(client, ack, 0)
			})
		}, fault: after(30 * second)},
		{name: "kept alive with a byte", traffic: func(tr *trace) {
			long(tr, 40, windows, toMany(tr), func(c *conn) {
				c.seq[client]--
				c.put(client, ack, 1).put(server, ack, 0)
			})
		}, fault: after(30 * second)},
		{name: "closed by the client", traffic: func(tr *trace) {
			long(tr, 40, windows, toMany(tr), func(c *conn) { c.shut(client) })
		}, fault: after(30 * second)},
		{name: "closed by the server", traffic: func(tr *trace) {
			long(tr, 40, windows, toOne(tr), func(c *conn) { c.shut(server) })
		}, fault: after(30 * second)},
		{name: "reset by the client", traffic: func(tr *trace) {
			long(tr, 40, windows, toMany(tr), func(c *conn) { c.put(client, rst|ack, 0) })
		}, fault: after(30 * second)},
		{name: "reset by the server", traffic: func(tr *trace) {
			long(tr, 40, windows, toOne(tr), func(c *conn) { c.put(server, rst|ack, 0) })
		}, fault: after(30 * second)},
	}
}

func TestMidstream(t *testing.T) { runAll(t, midstreamCases()) }

// on1024 is a Windows client with a receive buffer of 256 KiB: its window, scaled by
// 256, is the one that nmap writes.
var on1024 = stack{64240, 1024, false, windows.options}

// staleCases: a firewall or a provider's NAT has forgotten a connection, and one end goes
// on. duggytuxy/syswarden#21: six hundred bans in three hours.
func staleCases() []hard {
	// gone is a connection of which the capture sees nothing but what one end sends
	// when the other is gone.
	gone := func(ends func(tr *trace) func(i int) (netip.Addr, netip.Addr, int), s stack, side int, flags byte, n, times int, answered bool) func(tr *trace) {
		return func(tr *trace) {
			long(tr, 40, s, ends(tr), func(c *conn) {
				for range times {
					c.put(side, flags, n)
					if answered {
						c.put(1-side, rst, 0)
						return
					}
					c.seq[side] -= n
					if flags&fin != 0 {
						c.seq[side]--
					}
					c.wait(2 * second)
				}
			})
		}
	}
	serversOfOurs := func(tr *trace) func(i int) (netip.Addr, netip.Addr, int) {
		return func(i int) (netip.Addr, netip.Addr, int) { return tr.net(9), tr.dmz(20 + i), 443 }
	}
	late := after(30 * second)
	return []hard{
		{name: "data of one client to an open port", traffic: gone(toOne, windows, client, psh|ack, 50, 3, true), fault: late},
		{name: "ends of one client to an open port", traffic: gone(toOne, on1024, client, fin|ack, 0, 3, true), fault: late},
		{name: "keepalives of one client to an open port", traffic: gone(toOne, on1024, client, ack, 0, 3, false), fault: late},
		{name: "resets of one client to an open port", traffic: gone(toOne, on1024, client, rst, 0, 3, false), fault: late},
		{name: "ends of one client to many servers refused", traffic: gone(serversOfOurs, windows, client, fin|ack, 0, 3, true), fault: late},
		{name: "ends of one client to many servers unanswered", traffic: gone(serversOfOurs, windows, client, fin|ack, 0, 3, false), fault: late},
		{name: "ends with a window of 1024 to many servers refused", traffic: gone(serversOfOurs, on1024, client, fin|ack, 0, 3, true), fault: late},
		{name: "ends with a window of 1024 to many servers unanswered", traffic: gone(serversOfOurs, on1024, client, fin|ack, 0, 3, false), fault: late},
		{name: "keepalives with a window of 1024 to many servers", traffic: gone(serversOfOurs, on1024, client, ack, 0, 3, false), fault: late},
		{name: "ends of a server to one client refused", traffic: gone(toOne, windows, server, fin|ack, 0, 3, true), fault: late},
		{name: "ends of a server to one client unanswered", traffic: gone(toOne, windows, server, fin|ack, 0, 3, false), fault: late},
		{name: "ends of a Linux server to one client unanswered", traffic: gone(toOne, linux, server, fin|ack, 0, 3, false), fault: late},
		{name: "keepalives of a server to one client unanswered", traffic: gone(toOne, windows, server, ack, 0, 3, false), fault: late},
		{name: "data of a server to one client unanswered", traffic: gone(toOne, windows, server, psh|ack, 300, 3, false), fault: late},
		{name: "ends of captured connections after an hour", traffic: func(tr *trace) {
			every(second, 500*ms, 40, func(i int, when time.Duration) {
				c := tr.dial(when, tr.lan(10), tr.far(i), 443).on(on1024).open().say(client, 100).say(server, 100)
				c.wait(hour)
				for range 3 {
					c.put(client, fin|ack, 0).wait(2 * second)
					c.seq[client]--
				}
			})
		}},
		{name: "datagrams of many clients to an open port", traffic: func(tr *trace) {
			every(second, 50*ms, 400, func(i int, when time.Duration) {
				tr.udp(when, at(tr.far(i%40), ephemeral(i)), at(tr.dmz(20), 443), opaque(i))
			})
		}},
	}
}

// feignedCases are scans that look like what is left of connections.
func feignedCases() []hard {
	from := func(port int, flags byte, st answer) func(tr *trace) {
		return func(tr *trace) {
			every(second, 50*ms, 60, func(i int, when time.Duration) {
				me, it := at(tr.net(9), port), at(tr.dmz(30), 33000+i)
				tr.send(when, segment{from: me, to: it, flags: flags, ack: probeSeq, window: 1024})
				if st == closed {
					tr.send(when+ms, segment{from: it, to: me, flags: rst, seq: probeSeq})
				}
			})
		}
	}
	return []hard{
		{name: "ACKs from the port of a web server to high ports", traffic: from(80, ack, closed), want: []named{
			{net(9), "tcp-ack", detect.Vertical, 1, 60, 60, detect.Outcomes{Refused: 60}},
		}},
		{name: "FIN+ACKs from the port of a web server to high ports", traffic: from(443, fin|ack, silent), want: []named{
			{net(9), "tcp-maimon", detect.Vertical, 1, 60, 60, detect.Outcomes{Silent: 60}},
		}},
		{name: "ACKs of hping3 to the web servers of a network", traffic: func(tr *trace) {
			every(second, 50*ms, 60, func(i int, when time.Duration) {
				tr.send(when, segment{
					from: at(tr.net(9), 2000+i), to: at(tr.dmz(1+i), 80), flags: ack, window: 512,
					seq: i * 2654435761 & 0x7fffffff, ack: i * 40503 * 7919 & 0x7fffffff,
				})
			})
		}, want: []named{{net(9), "tcp-ack", detect.Horizontal, 60, 1, 60, detect.Outcomes{Silent: 60}}}},
	}
}

func TestFeignedRemains(t *testing.T) { runAll(t, feignedCases()) }

func TestStalePackets(t *testing.T) { runAll(t, staleCases()) }

// backscatterCases: someone writes our addresses into what they send to a victim,
// which answers us. ntop/ntopng#9219, code-cargo/cargowall#85.
func backscatterCases() []hard {
	victim := func(tr *trace, port int) netip.AddrPort { return at(tr.net(80), port) }
	some := func(tr *trace, i int) netip.AddrPort { return at(tr.dmz(1+i*37%254), ephemeral(i)) }
	answers := func(port int, flags byte, refused bool) func(tr *trace) {
		return func(tr *trace) {
			every(second, 20*ms, 600, func(i int, when time.Duration) {
				s := segment{from: victim(tr, port), to: some(tr, i), flags: flags, ack: i * 7919, seq: i * 104729, window: 5840}
				tr.send(when, s)
				if refused {
					tr.send(when+ms, segment{from: s.to, to: s.from, flags: rst, seq: s.ack})
				}
			})
		}
	}
	oneOfOurs := func(flags byte) func(tr *trace) {
		return func(tr *trace) {
			every(second, 20*ms, 300, func(i int, when time.Duration) {
				tr.send(when, segment{from: victim(tr, 80), to: at(tr.dmz(20), 1+i*211%65000), flags: flags, ack: i * 7919, window: 5840})
			})
		}
	}
	errors := func(e icmpError) func(tr *trace) {
		return func(tr *trace) {
			every(second, 20*ms, 300, func(i int, when time.Duration) {
				s := segment{from: some(tr, i), to: victim(tr, 80), flags: syn, seq: i, window: 5840, header: header{id: i}}
				tr.errorOf(when, tr.net(1), tr.dmz(1+i*37%254), s.packet(), e)
			})
		}
	}
	return []hard{
		{name: "SYN-ACKs of a victim", traffic: answers(80, syn|ack, false)},
		{name: "SYN-ACKs of a victim that our hosts reset", traffic: answers(80, syn|ack, true)},
		{name: "RSTs of a victim", traffic: answers(80, rst|ack, false)},
		{name: "RSTs without ACK", traffic: answers(6667, rst, false)},
		{name: "SYN-ACKs to many ports of one host", traffic: oneOfOurs(syn | ack)},
		{name: "RSTs to many ports of one host", traffic: oneOfOurs(rst | ack)},
		{name: "errors of port closed", traffic: errors(portClosed)},
		{name: "errors of no host", traffic: errors(noHost)},
		{name: "errors of prohibition", traffic: errors(adminDenied)},
		{name: "errors of time exceeded", traffic: errors(timeExceeded)},
		{name: "echo replies of a victim", traffic: func(tr *trace) {
			every(second, 20*ms, 300, func(i int, when time.Duration) {
				tr.query(when, tr.net(80), tr.dmz(1+i%254), 0, 129, i, 1)
			})
		}},
		{name: "answers of an amplifier", traffic: func(tr *trace) {
			every(second, 20*ms, 300, func(i int, when time.Duration) {
				tr.udp(when, victim(tr, 53), some(tr, i), reply(i))
				tr.icmpError(when+ms, tr.dmz(1+i*37%254), portClosed)
			})
		}},
		{name: "datagrams of a victim of an unknown protocol", traffic: func(tr *trace) {
			every(second, 20*ms, 300, func(i int, when time.Duration) {
				tr.udp(when, victim(tr, 27015), some(tr, i), opaque(i))
				tr.icmpError(when+ms, tr.dmz(1+i*37%254), portClosed)
			})
		}},
		{name: "a victim of ours that refuses a scan from outside", traffic: func(tr *trace) {
			every(second, 20*ms, 200, func(i int, when time.Duration) {
				tr.probe(when, probe{from: tr.net(9), to: tr.dmz(20), port: 1 + i, flags: syn, answer: closed})
			})
		}, want: []named{{net(9), "tcp-syn", detect.Vertical, 1, 200, 200, detect.Outcomes{Refused: 200}}}},
		{name: "a victim of ours under a flood of which only its answers are captured", traffic: func(tr *trace) {
			every(second, 2*ms, 3000, func(i int, when time.Duration) {
				tr.send(when, segment{from: at(tr.dmz(20), 80), to: at(tr.far(i), ephemeral(i)), flags: syn | ack, seq: i, ack: i * 7919, window: 5840})
			})
		}},
	}
}

func TestBackscatter(t *testing.T) { runAll(t, backscatterCases()) }
