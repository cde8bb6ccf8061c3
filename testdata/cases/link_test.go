package cases_test

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/synoptic-ids/synoptic/detect"
)

// whoHas asks the link for an address, by ARP or by neighbour discovery.
func (tr *trace) whoHas(when time.Duration, me, it netip.Addr) {
	if it.Is4() {
		tr.frame(when, me, it, 0, ethernet(mac(me), []byte{255, 255, 255, 255, 255, 255}, 0x0806, arpPacket(1, me, it)))
		return
	}
	group := solicited(it)
	tr.put(when, me, group, icmp6, icmpPacket(me, group, 135, 0, slices.Concat(be32(0), it.AsSlice(), []byte{1, 1}, mac(me))))
}

// abroad are hosts in networks far apart.
func (tr *trace) abroad(n int) netip.Addr {
	if tr.six {
		return netip.AddrFrom16([16]byte{0xfd, byte(n), 0xb8, byte(n / 7), 7: byte(n), 15: 9})
	}
	return netip.AddrFrom4([4]byte{10, byte(n), byte(n / 7), 9})
}

// world is a host without a router, or with a net mask of 0.0.0.0: it takes the whole
// Internet for its link, and asks that for whomever it wants.
func world(tr *trace, n int) {
	every(second, 300*ms, n, func(i int, when time.Duration) {
		for range 3 {
			tr.whoHas(when, tr.lan(66), tr.abroad(i))
			when += second
		}
	})
}

// askedCases: who asks the link, and what for. On a link few networks are in use, so that
// a search has its targets there whatever else it asks for.
func askedCases() []hard {
	swept := func(technique string, hosts int) []named {
		return []named{{lan(66), technique, detect.Horizontal, hosts, 0, hosts, detect.Outcomes{Silent: hosts}}}
	}
	var all []hard
	for _, v := range []struct {
		only      int
		technique string
	}{{4, "arp"}, {6, "ndp"}} {
		all = append(
			all,
			hard{name: v.technique + " for the world", only: v.only, traffic: func(tr *trace) { world(tr, 200) }},
			hard{name: v.technique + " for the world and for those next door", only: v.only, traffic: func(tr *trace) {
				world(tr, 200)
				every(2*second, 9*second, 9, func(i int, when time.Duration) { tr.whoHas(when, tr.lan(66), tr.lan(100+i)) })
			}},
			hard{name: v.technique + " for next door and elsewhere in turn", only: v.only, traffic: func(tr *trace) {
				every(second, 100*ms, 40, func(i int, when time.Duration) {
					tr.whoHas(when, tr.lan(66), tr.lan(100+i))
					tr.whoHas(when+50*ms, tr.lan(66), tr.abroad(i))
				})
			}, want: swept(v.technique, 80)},
			hard{name: v.technique + " for the first hosts of private networks", only: v.only, traffic: func(tr *trace) {
				every(second, 10*ms, 768, func(i int, when time.Duration) {
					it := netip.AddrFrom4([4]byte{192, 168, byte(i / 3), []byte{1, 100, 254}[i%3]})
					if tr.six {
						it = netip.AddrFrom16([16]byte{0xfe, 0x80, 13: byte(i / 3), 15: byte(1 + i%3)})
					}
					tr.whoHas(when, tr.lan(66), it)
				})
			}, want: swept(v.technique, 768)},
		)
	}
	return all
}

func TestAskedOnTheLink(t *testing.T) { runAll(t, askedCases()) }
