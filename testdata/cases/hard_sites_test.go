package cases_test

import (
	"testing"
	"time"

	"github.com/synoptic-ids/synoptic/detect"
)

// retryCases: one client and what is dead. stratosphereips/StratosphereLinuxIPS#34,
// ntop/ntopng#5255.
func retryCases() []hard {
	return []hard{
		{name: "a dead server tried for an hour", traffic: func(tr *trace) {
			every(second, 9*second, 400, func(_ int, when time.Duration) { tr.dial(when, tr.lan(10), tr.net(20), 8443).silent(3) })
		}},
		{name: "a server that refuses tried for an hour", traffic: func(tr *trace) {
			every(second, 3*second, 1200, func(_ int, when time.Duration) { tr.dial(when, tr.lan(10), tr.net(20), 8443).refused() })
		}},
		{name: "eight dead servers tried for an hour", traffic: func(tr *trace) {
			every(second, 2*second, 1800, func(i int, when time.Duration) { tr.dial(when, tr.lan(10), tr.net(20+i%8), 8443).silent(3) })
		}},
		{name: "datagrams for a dead server", traffic: func(tr *trace) {
			every(second, second, 1200, func(i int, when time.Duration) {
				tr.udp(when, at(tr.lan(10), ephemeral(i)), at(tr.net(20), 514), opaque(i))
			})
		}},
		{name: "our server that died and a hundred clients", traffic: func(tr *trace) {
			every(second, 100*ms, 100, func(i int, when time.Duration) { tr.dial(when, tr.far(i), tr.dmz(20), 443).talk() })
			every(20*second, 50*ms, 1500, func(i int, when time.Duration) { tr.dial(when, tr.far(i%100), tr.dmz(20), 443).silent(2) })
		}},
		{name: "all of our servers that died and their clients", traffic: func(tr *trace) {
			every(second, 20*ms, 600, func(i int, when time.Duration) { tr.dial(when, tr.lan(1+i%20), tr.dmz(20+i/20), 445).talk() })
			every(30*second, 50*ms, 600, func(i int, when time.Duration) { tr.dial(when, tr.lan(1+i%20), tr.dmz(20+i/20), 445).silent(2) })
		}},
	}
}

func TestRetries(t *testing.T) { runAll(t, retryCases()) }

// busyCases: hosts that talk to many, by their role. activecm/rita-legacy#9,
// splunk/security_content#3604, stamparm/maltrail#19359, pfsense/FreeBSD-ports#122,
// elastic/detection-rules#2977.
func busyCases() []hard {
	return []hard{
		{name: "a NAT gateway with two hundred clients", traffic: func(tr *trace) {
			every(second, 50*ms, 1600, func(i int, when time.Duration) {
				c := tr.dial(when, tr.lan(1), tr.far(i*7919%400), []int{443, 443, 80, 993, 5222}[i%5]).on([]stack{linux, windows}[i%2])
				if i%14 == 3 {
					c.silent(3)
					return
				}
				c.talk()
			})
		}},
		{name: "a laptop with addresses of IPv6 and no way out", only: 4, traffic: func(tr *trace) {
			six := &trace{six: true}
			every(second, 3*second, 60, func(i int, when time.Duration) {
				if i > 0 { // its first page is one that has no address of IPv6
					tr.dial(when, six.lan(10), six.far(i), 443).silent(2)
				}
				tr.dial(when+250*ms, tr.lan(10), tr.far(i), 443).talk()
			})
		}},
		{name: "a proxy a tenth of whose servers are dead", traffic: func(tr *trace) {
			every(second, 100*ms, 500, func(i int, when time.Duration) {
				c := tr.dial(when, tr.lan(10), tr.far(i*31%500), 443)
				if i*31%10 == 7 {
					c.silent(3)
					return
				}
				c.talk()
			})
		}},
		{name: "a resolver a sixth of whose servers are dead", traffic: func(tr *trace) {
			every(second, 20*ms, 3000, func(i int, when time.Duration) {
				tr.udp(when, at(tr.lan(53), ephemeral(i)), at(tr.far(i*7%400), 53), question(i))
				if i*7%6 != 1 {
					tr.udp(when+30*ms, at(tr.far(i*7%400), 53), at(tr.lan(53), ephemeral(i)), reply(i))
				}
			})
		}},
		{name: "a patch server and a quarter of the desks off", traffic: func(tr *trace) {
			every(second, 200*ms, 240, func(i int, when time.Duration) {
				c := tr.dial(when, tr.dmz(30), tr.lan(1+i), 445).on(windows)
				if i%4 == 2 {
					c.silent(3)
					return
				}
				c.talk()
			})
		}},
		{name: "a backup of every host", traffic: func(tr *trace) {
			every(second, 200*ms, 200, func(i int, when time.Duration) { tr.dial(when, tr.dmz(31), tr.lan(1+i), 9102).talk() })
		}},
	}
}

func TestBusyHosts(t *testing.T) { runAll(t, busyCases()) }

// checkCases: hosts whose role is to see what is up.
func checkCases() []hard {
	return []hard{
		{name: "a gateway that asks for every host that is swept", only: 4, traffic: func(tr *trace) {
			visitors(tr)
			gateway, everybody := lan(254), []byte{255, 255, 255, 255, 255, 255}
			every(20*second, 100*ms, 200, func(i int, when time.Duration) {
				ask := arpPacket(1, gateway, lan(1+i))
				copy(ask[8:], wan)
				tr.frame(when, gateway, lan(1+i), 0, ethernet(wan, everybody, 0x0806, ask))
				tr.probe(when+ms, probe{from: net(9), to: lan(1 + i), port: 22, flags: syn})
			})
		}, want: []named{{net(9), "tcp-syn", detect.Horizontal, 200, 1, 200, detect.Outcomes{Silent: 200}}}},
		{name: "health checks that ask", traffic: func(tr *trace) {
			every(second, 50*ms, 1200, func(i int, when time.Duration) { tr.dial(when, tr.dmz(1), tr.dmz(100+i%40), 80).talk() })
		}},
		{name: "health checks that connect and say nothing", traffic: func(tr *trace) {
			every(second, 50*ms, 1200, func(i int, when time.Duration) {
				tr.dial(when, tr.dmz(1), tr.dmz(100+i%40), 80).touch()
				tr.dial(when+20*ms, tr.far(i), tr.dmz(100+i%40), 80).talk()
			})
		}},
		{name: "health checks that reset the answer", traffic: func(tr *trace) {
			every(second, 50*ms, 1200, func(i int, when time.Duration) {
				tr.dial(when, tr.dmz(1), tr.dmz(100+i%40), 80).reset()
				tr.dial(when+20*ms, tr.dmz(1), tr.dmz(100+i%40), 80).talk()
			})
		}},
		{name: "health checks that reset the answer while nobody calls", traffic: func(tr *trace) {
			every(second, 100*ms, 40, func(i int, when time.Duration) { tr.dial(when, tr.dmz(1), tr.dmz(100+i), 80).talk() })
			every(20*second, 50*ms, 1200, func(i int, when time.Duration) { tr.dial(when, tr.dmz(1), tr.dmz(100+i%40), 80).reset() })
		}},
		{name: "health checks that reset the answer where nobody ever calls", traffic: func(tr *trace) {
			every(second, 50*ms, 1200, func(i int, when time.Duration) { tr.dial(when, tr.dmz(1), tr.dmz(100+i%40), 80).reset() })
		}},
		{name: "a search that resets the answer and finds a third shut", traffic: func(tr *trace) {
			every(second, 50*ms, 60, func(i int, when time.Duration) {
				c := tr.dial(when, tr.dmz(1), tr.dmz(100+i), 80)
				if i%3 == 0 {
					c.refused()
				} else {
					c.reset()
				}
			})
		}, want: []named{{dmz(1), "tcp-syn", detect.Horizontal, 60, 1, 60, detect.Outcomes{Answered: 40, Refused: 20}}}},
		{name: "a monitor of sixty services some of which are down", traffic: func(tr *trace) {
			every(second, second, 240, func(i int, when time.Duration) {
				k := i % 60
				c := tr.dial(when, tr.lan(5), tr.dmz(20+k), []int{80, 443, 25, 993, 5432}[k%5])
				switch {
				case k%12 == 5:
					c.silent(2)
				case k%3 == 0:
					c.touch()
				default:
					c.talk()
				}
			})
		}},
	}
}

func TestChecks(t *testing.T) { runAll(t, checkCases()) }

// podCases: services that come and go by the minute.
func podCases() []hard {
	return []hard{
		{name: "service discovery among pods a fifth of which are gone", traffic: func(tr *trace) {
			every(second, 50*ms, 1500, func(i int, when time.Duration) {
				k := i % 150
				c := tr.dial(when, tr.lan(5), tr.dmz(1+k), []int{9100, 8080, 9090, 10250, 2112}[k%5])
				switch {
				case k%11 == 3:
					c.put(client, syn, 0)
					tr.icmpError(when+ms, tr.dmz(1+k), portClosed)
				case k%13 == 7:
					c.silent(2)
				default:
					c.talk()
				}
			})
		}},
		{name: "pods that are replaced all at once", traffic: func(tr *trace) {
			scrape := func(from, to time.Duration, f func(c *conn)) {
				every(from, 50*ms, int((to-from)/(50*ms)), func(i int, when time.Duration) {
					f(tr.dial(when, tr.lan(5+i%2), tr.dmz(1+i/2%60), 8080))
				})
			}
			scrape(second, 20*second, func(c *conn) { c.talk() })
			scrape(20*second, 60*second, func(c *conn) { c.silent(2) })
		}},
		{name: "probes of all ports of a node", traffic: func(tr *trace) {
			every(second, 100*ms, 600, func(i int, when time.Duration) {
				k := i % 60
				c := tr.dial(when, tr.lan(5), tr.dmz(30), 30000+37*k)
				switch {
				case k%5 == 4:
					c.refused()
				case k%2 == 0:
					c.touch()
				default:
					c.talk()
				}
			})
		}},
	}
}

func TestPods(t *testing.T) { runAll(t, podCases()) }

// peers are a file-sharing client's: a third answer. mostly is the port of every
// fourth peer, the others have ports of their own.
func peers(n, mostly int, try func(when time.Duration, i, port int, alive bool)) {
	every(second, 250*ms, n, func(i int, when time.Duration) {
		port := 10000 + i*7919%50000
		if i%4 == 0 {
			port = mostly
		}
		try(when, i, port, i%3 == 0)
	})
}

// peerCases: sefinek/UFW-AbuseIPDB-Reporter#10.
func peerCases() []hard {
	datagrams := func(tr *trace) func(when time.Duration, i, port int, alive bool) {
		return func(when time.Duration, i, port int, alive bool) {
			tr.udp(when, at(tr.lan(10), 51413), at(tr.far(i), port), "d1:ad2:id20:"+opaque(i))
			if alive {
				tr.udp(when+40*ms, at(tr.far(i), port), at(tr.lan(10), 51413), "d1:rd2:id20:"+opaque(i))
			}
		}
	}
	return []hard{
		{name: "one socket to many peers", traffic: func(tr *trace) { peers(600, 10000, datagrams(tr)) }},
		{name: "one socket to many peers a quarter on one port", traffic: func(tr *trace) { peers(600, 6881, datagrams(tr)) }},
		{name: "connections to many peers", traffic: func(tr *trace) {
			peers(300, 10001, func(when time.Duration, i, port int, alive bool) {
				if i%4 == 0 {
					port += i
				}
				c := tr.dial(when, tr.lan(10), tr.far(i), port)
				switch {
				case alive:
					c.talk()
				case i%2 == 0:
					c.silent(3)
				default:
					c.refused()
				}
			})
		}},
		{name: "peers from outside to a socket closed by then", traffic: func(tr *trace) {
			every(second, 50*ms, 600, func(i int, when time.Duration) {
				tr.udp(when, at(tr.far(i), ephemeral(i)), at(tr.lan(10), 51413), opaque(i))
				tr.icmpError(when+ms, tr.lan(10), portClosed)
			})
		}},
		{name: "the ends of calls that look for a path", traffic: func(tr *trace) {
			every(second, 20*ms, 120, func(i int, when time.Duration) {
				stun := "\x00\x01\x00\x00\x21\x12\xa4\x42" + opaque(i)[:12]
				tr.udp(when, at(tr.lan(10), 50000+i%3), at(tr.far(i%4), 50000+i*7919%10000), stun)
			})
		}},
	}
}

func TestPeers(t *testing.T) { runAll(t, peerCases()) }

// portCases: protocols that open ports as they go. ntop/ntopng#8975.
func portCases() []hard {
	// session is a control connection that says something before each transfer.
	session := func(tr *trace, transfers int, data func(i int, when time.Duration)) {
		c := tr.dial(second, tr.net(9), tr.dmz(21), 21).open().say(server, 40).say(client, 20).say(server, 40)
		for i := range transfers {
			c.wait(400*ms).say(client, 30).say(server, 50)
			data(i, c.t+5*ms)
		}
		c.wait(30 * second).shut(client)
	}
	active := func(tr *trace, i int, when time.Duration) *conn {
		c := tr.dial(when, tr.dmz(21), tr.net(9), ephemeral(i))
		c.ends[client] = at(tr.dmz(21), 20)
		return c
	}
	return []hard{
		{name: "FTP passive", traffic: func(tr *trace) {
			session(tr, 60, func(i int, when time.Duration) {
				tr.dial(when, tr.net(9), tr.dmz(21), ephemeral(i)).open().say(server, 4000).shut(server)
			})
		}},
		{name: "FTP passive and every data connection blocked", traffic: func(tr *trace) {
			session(tr, 8, func(i int, when time.Duration) { tr.dial(when, tr.net(9), tr.dmz(21), ephemeral(i)).silent(3) })
		}},
		{name: "FTP active", traffic: func(tr *trace) {
			session(tr, 60, func(i int, when time.Duration) { active(tr, i, when).open().say(client, 4000).shut(client) })
		}},
		{name: "FTP active upload", traffic: func(tr *trace) {
			session(tr, 60, func(i int, when time.Duration) { active(tr, i, when).open().say(server, 4000).shut(server) })
		}},
		{name: "FTP active and every data connection blocked", traffic: func(tr *trace) {
			session(tr, 20, func(i int, when time.Duration) { active(tr, i, when).silent(3) })
		}},
		{name: "FTP active and every data connection refused", traffic: func(tr *trace) {
			session(tr, 20, func(i int, when time.Duration) { active(tr, i, when).refused() })
		}},
		{name: "dynamic RPC", traffic: func(tr *trace) {
			every(second, 2*second, 40, func(i int, when time.Duration) {
				tr.dial(when, tr.lan(10), tr.dmz(40), 135).on(windows).talk()
				c := tr.dial(when+20*ms, tr.lan(10), tr.dmz(40), 49152+i).on(windows)
				if i%8 == 5 {
					c.refused()
					return
				}
				c.talk()
			})
		}},
		{name: "RPC over UDP answered from elsewhere", traffic: func(tr *trace) {
			every(second, second, 60, func(i int, when time.Duration) {
				tr.udp(when, at(tr.lan(10), 600+i), at(tr.dmz(40), 111), opaque(i))
				tr.udp(when+ms, at(tr.dmz(40), 30000+i), at(tr.lan(10), 600+i), opaque(i))
			})
		}},
	}
}

func TestPortsOpenedAsTheyGo(t *testing.T) { runAll(t, portCases()) }

// pingCases: pings are no port scan, and no part of one. duggytuxy/syswarden#205.
func pingCases() []hard {
	return []hard{
		{name: "one host pinged a hundred times", traffic: func(tr *trace) {
			every(second, second, 100, func(i int, when time.Duration) { tr.ping(when, tr.net(9), tr.dmz(20), i, false) })
		}},
		{name: "thirty hosts pinged two of which are down", traffic: func(tr *trace) {
			every(second, second, 300, func(i int, when time.Duration) { tr.ping(when, tr.lan(5), tr.dmz(20+i%30), i, i%30 != 3 && i%30 != 21) })
		}},
		{name: "eight dead hosts pinged and eight ports tried", traffic: func(tr *trace) {
			every(second, second, 8, func(i int, when time.Duration) {
				tr.ping(when, tr.net(9), tr.dmz(100+i), i, false)
				tr.dial(when+30*second, tr.net(9), tr.dmz(20), 1000+i).refused()
			})
		}},
		{name: "thirty hosts pinged half of which are dead", traffic: func(tr *trace) {
			every(second, 200*ms, 30, func(i int, when time.Duration) { tr.ping(when, tr.net(9), tr.dmz(100+i), i, i%2 == 0) })
		}, want: []named{{net(9), "icmp-echo", detect.Horizontal, 30, 0, 30, detect.Outcomes{Silent: 15, Answered: 15}}}},
		{name: "a path traced", traffic: func(tr *trace) {
			every(second, 300*ms, 45, func(i int, when time.Duration) {
				tr.udp(when, at(tr.lan(10), 40000), at(tr.net(9), 33434+i), opaque(0))
				if hop := i / 3; hop == 14 {
					tr.icmpError(when+20*ms, tr.net(9), portClosed)
				} else if hop != 6 && hop != 9 {
					tr.icmpError(when+20*ms, tr.far(hop), timeExceeded)
				}
			})
		}},
		{name: "replies of which no request was captured", traffic: func(tr *trace) {
			every(second, 100*ms, 200, func(i int, when time.Duration) {
				tr.query(when, tr.net(9), tr.dmz(1+i), 0, 129, 5, i)
				tr.query(when, tr.lan(1+i), tr.net(10), 0, 129, 5, i)
			})
		}},
		{name: "replies of which the requests were lost at first", traffic: func(tr *trace) {
			every(second, 100*ms, 300, func(i int, when time.Duration) { tr.ping(when, tr.lan(5), tr.far(i%40), i, true) })
		}, fault: func(tr *trace) {
			tr.lose(func(f *frame) bool { return f.src == tr.lan(5) && f.order < 10*second })
		}},
	}
}

func TestPings(t *testing.T) { runAll(t, pingCases()) }

// limitCases: hosts that bound how often they refuse. nmap/nmap#727.
func limitCases() []hard {
	return []hard{
		{name: "a UDP scan of which one port in ten is told to be closed", traffic: func(tr *trace) {
			every(second, 100*ms, 100, func(i int, when time.Duration) {
				tr.udp(when, at(tr.net(9), 61234), at(tr.dmz(30), 1+i), "")
				if i%10 == 0 {
					tr.icmpError(when+ms, tr.dmz(30), portClosed)
				}
			})
		}, want: []named{{net(9), "udp", detect.Vertical, 1, 100, 100, detect.Outcomes{Silent: 90, Unreachable: 10}}}},
		{name: "a UDP scan with repetitions until each port is told to be closed", traffic: func(tr *trace) {
			every(second, 100*ms, 100, func(i int, when time.Duration) {
				for k := range 3 {
					tr.udp(when+time.Duration(k)*1100*ms, at(tr.net(9), 61234+k), at(tr.dmz(30), 1+i), "")
				}
				tr.icmpError(when+2200*ms+ms, tr.dmz(30), portClosed)
			})
		}, want: []named{{net(9), "udp", detect.Vertical, 1, 100, 100, detect.Outcomes{Unreachable: 100}}}},
		{name: "a SYN scan of which one port in ten is refused", traffic: func(tr *trace) {
			every(second, 10*ms, 200, func(i int, when time.Duration) {
				p := probe{from: tr.net(9), to: tr.dmz(30), port: 1 + i, flags: syn}
				if i%10 == 0 {
					p.answer = closed
				}
				tr.probe(when, p)
			})
		}, want: []named{{net(9), "tcp-syn", detect.Vertical, 1, 200, 200, detect.Outcomes{Silent: 180, Refused: 20}}}},
		{name: "a sweep of which the router tells one host in ten to be unreachable", traffic: func(tr *trace) {
			every(second, 10*ms, 200, func(i int, when time.Duration) {
				tr.probe(when, probe{from: tr.net(9), to: tr.dmz(1 + i), port: 22, flags: syn})
				if i%10 == 0 {
					tr.icmpError(when+2*second, tr.dmz(254), noHost)
				}
			})
		}, want: []named{{net(9), "tcp-syn", detect.Horizontal, 200, 1, 200, detect.Outcomes{Silent: 180, Unreachable: 20}}}},
	}
}

func TestRateLimitedRefusals(t *testing.T) { runAll(t, limitCases()) }
