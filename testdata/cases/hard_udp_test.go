package cases_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/synoptic-ids/synoptic/detect"
)

// question and reply are DNS messages; each number asks for another name.
func question(n int) string { return dns(n, 0x0100) }
func reply(n int) string    { return dns(n, 0x8180) }

func dns(n, flags int) string {
	name := fmt.Sprintf("\x08%08x\x07example\x03org\x00", uint32(n*2654435761))
	return string(slices.Concat(be16(n), be16(flags), be16(1), be16(flags>>15), be32(0), []byte(name), be32(0x10001)))
}

// opaque is a payload that does not say whether it asks or replies.
func opaque(n int) string { return fmt.Sprintf("%08d of a protocol unknown", n) }

// ephemeral is the n-th port of a client.
func ephemeral(n int) int { return 32768 + n*7919%28000 }

// lookups are questions of a desk to a server outside, each from a port of its own, and
// what is done about each.
func lookups(tr *trace, n int, port int, f func(i int, when time.Duration)) {
	every(second, 300*ms, n, func(i int, when time.Duration) {
		payload := opaque(i)
		if port == 53 {
			payload = question(i)
		}
		tr.udp(when, at(tr.lan(10), ephemeral(i)), at(tr.net(53), port), payload)
		f(i, when)
	})
}

// answer is the server's to the i-th question.
func (tr *trace) answer(i, port int, when time.Duration) {
	payload := opaque(1000 + i)
	if port == 53 {
		payload = reply(i)
	}
	tr.udp(when, at(tr.net(53), port), at(tr.lan(10), ephemeral(i)), payload)
}

// served are questions and their answers, which come some time after.
func served(port int, after time.Duration) func(tr *trace) {
	return func(tr *trace) {
		lookups(tr, 300, port, func(i int, when time.Duration) { tr.answer(i, port, when+after) })
	}
}

// udpCases: replies to random ephemeral ports look like a scan of the client by the
// server. hickory-dns/hickory-dns#1555, zeek/zeek#2998 and #3016.
func udpCases() []hard {
	return []hard{
		{name: "replies of a resolver", traffic: served(53, 20*ms)},
		{name: "replies of an unknown protocol", traffic: served(1812, 20*ms)},
		{name: "replies after twenty seconds", traffic: served(1812, 20*second)},
		{name: "replies of which no question was captured", traffic: func(tr *trace) {
			every(0, 100*ms, 300, func(i int, when time.Duration) { tr.answer(i, 53, when) })
		}},
		{name: "two replies for each question", traffic: func(tr *trace) {
			lookups(tr, 300, 1812, func(i int, when time.Duration) {
				tr.answer(i, 1812, when+20*ms)
				tr.answer(i, 1812, when+5*second)
			})
		}},
		{name: "replies to ports closed by then", traffic: func(tr *trace) {
			lookups(tr, 200, 53, func(i int, when time.Duration) {
				tr.answer(i, 53, when+6*second)
				tr.icmpError(when+6*second+ms, tr.lan(10), portClosed)
			})
		}},
		{name: "replies to ports closed by then of which no question was captured", traffic: func(tr *trace) {
			every(0, 100*ms, 200, func(i int, when time.Duration) {
				tr.answer(i, 53, when)
				tr.icmpError(when+ms, tr.lan(10), portClosed)
			})
		}},
		{name: "replies from a new port each", traffic: func(tr *trace) {
			lookups(tr, 200, 69, func(i int, when time.Duration) {
				tr.udp(when+2*ms, at(tr.net(53), 40000+i), at(tr.lan(10), ephemeral(i)), opaque(i))
				tr.udp(when+4*ms, at(tr.lan(10), ephemeral(i)), at(tr.net(53), 40000+i), opaque(i))
			})
		}},
		{name: "a question of a group answered by many", only: 4, traffic: func(tr *trace) {
			every(second, 8*second, 12, func(i int, when time.Duration) {
				tr.udp(when, at(lan(10), ephemeral(i)), at(ssdp, 1900), "M-SEARCH * HTTP/1.1\r\n\r\n")
				every(when+5*ms, 3*ms, 40, func(k int, when time.Duration) {
					tr.udp(when, at(lan(20+k), 1900), at(lan(10), ephemeral(i)), "HTTP/1.1 200 OK\r\n\r\n")
				})
			})
		}},
		{name: "a scan from the port of a resolver", traffic: func(tr *trace) {
			every(second, 50*ms, 40, func(i int, when time.Duration) {
				tr.udp(when, at(tr.net(9), 53), at(tr.dmz(30), 100+i), "")
				if i%2 == 0 {
					tr.icmpError(when+ms, tr.dmz(30), portClosed)
				}
			})
		}, want: []named{{net(9), "udp", detect.Vertical, 1, 40, 40, detect.Outcomes{Silent: 20, Unreachable: 20}}}},
		{name: "a scan by a resolver that is asked as well", traffic: func(tr *trace) {
			served(53, 20*ms)(tr)
			every(20*second, 50*ms, 40, func(i int, when time.Duration) {
				tr.udp(when, at(tr.net(53), 61000), at(tr.lan(10), 100+i), "")
				tr.icmpError(when+ms, tr.lan(10), portClosed)
			})
		}, want: []named{{net(53), "udp", detect.Vertical, 1, 40, 40, detect.Outcomes{Unreachable: 40}}}},
	}
}

// lostCases: the first packet was lost, or came second.
func lostCases() []hard {
	return []hard{
		{name: "every tenth question lost", traffic: func(tr *trace) {
			serveThree(tr)
			every(2*second, 100*ms, 400, func(i int, when time.Duration) {
				if i%10 != 0 {
					tr.udp(when, at(tr.lan(10), ephemeral(i)), at(tr.net(53), 1812), opaque(i))
				}
				tr.answer(i, 1812, when+20*ms)
			})
		}},
		{name: "the answer captured before its question", traffic: served(1812, 20*ms), fault: func(tr *trace) {
			for i := range tr.frames {
				if f := &tr.frames[i]; f.proto == udp && atHome(f.src) {
					f.order += 40 * ms
				}
			}
		}},
		{name: "the answer captured and stamped before its question", traffic: served(1812, 20*ms), fault: func(tr *trace) {
			for i := range tr.frames {
				if f := &tr.frames[i]; f.proto == udp && atHome(f.src) {
					f.order += 40 * ms
					f.stamp = f.order
				}
			}
		}},
	}
}

// serveThree lets three hosts be answered by the server, as a busy one is.
func serveThree(tr *trace) {
	every(second, 100*ms, 9, func(i int, when time.Duration) {
		tr.udp(when, at(tr.lan(100+i%3), ephemeral(i)), at(tr.net(53), 1812), opaque(i))
		tr.udp(when+10*ms, at(tr.net(53), 1812), at(tr.lan(100+i%3), ephemeral(i)), opaque(i))
	})
}

func TestUDPReplies(t *testing.T) { runAll(t, udpCases()) }

func TestFirstDatagramLost(t *testing.T) { runAll(t, lostCases()) }
