package cases_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/synoptic-ids/synoptic/detect"
)

// everyday is traffic across the border, both ways: a proxy, visitors of a web server,
// a resolver that asks many others and one that is asked, mail, a dead server.
func everyday(tr *trace) {
	streams(tr)
	datagrams(tr, 25*second)
}

// datagrams are those of the resolvers, from a time on.
func datagrams(tr *trace, begin time.Duration) {
	every(begin, 200*ms, 300, func(i int, when time.Duration) {
		tr.udp(when, at(tr.lan(53), ephemeral(i)), at(tr.far(1000+i%60), 53), question(i))
		if i%12 != 0 {
			tr.udp(when+30*ms, at(tr.far(1000+i%60), 53), at(tr.lan(53), ephemeral(i)), reply(i))
		}
		tr.udp(when, at(tr.far(2000+i%90), ephemeral(i)), at(tr.dmz(53), 53), question(i))
		tr.udp(when+ms, at(tr.dmz(53), 53), at(tr.far(2000+i%90), ephemeral(i)), reply(i))
	})
}

// streams are the TCP part of it.
func streams(tr *trace) {
	browse(tr)
	visitors(tr)
	every(2*second, 2*second, 30, func(i int, when time.Duration) {
		c := tr.dial(when, tr.lan(25), tr.far(3000+i), 25)
		if i%10 == 4 {
			c.refused()
			return
		}
		c.open().say(server, 80).say(client, 40).say(server, 80).shut(client)
	})
	every(5*second, 8*second, 10, func(_ int, when time.Duration) { tr.dial(when, tr.lan(11), tr.net(200), 8443).silent(3) })
}

// oneWay leaves one direction across the border.
func oneWay(in bool) func(tr *trace) {
	return func(tr *trace) { tr.lose(func(f *frame) bool { return atHome(f.src) == in }) }
}

// unseen is what can be said of the scanner where no reply is captured.
var unseen = named{
	Src: net(66), Technique: "tcp-syn", Shape: detect.Vertical, Hosts: 1, Ports: 40, Targets: 40,
	Outcomes: detect.Outcomes{Unseen: 40},
}

// oneWayCases: a tap of one direction, or a route that comes back another way.
// kawaiipantsu/synapseids#129: 42 % of all flows critical.
func oneWayCases() []hard {
	// replies are those of a server outside to one client, from one port each.
	replies := func(port int) func(tr *trace) {
		return func(tr *trace) {
			everyday(tr)
			every(30*second, 400*ms, 100, func(i int, when time.Duration) {
				tr.udp(when, at(tr.lan(10), ephemeral(i/2)), at(tr.net(53), port), opaque(i))
				tr.udp(when+20*ms, at(tr.net(53), port), at(tr.lan(10), ephemeral(i/2)), opaque(1000+i))
			})
		}
	}
	return []hard{
		{name: "only what comes in", traffic: everyday, fault: oneWay(true), scan: &unseen},
		{name: "only what goes out", traffic: everyday, fault: oneWay(false), blind: true},
		{name: "only what goes out with questions from the first second", traffic: func(tr *trace) {
			streams(tr)
			datagrams(tr, second)
		}, fault: oneWay(false), blind: true},
		{name: "only what goes out of questions that begin alike", traffic: func(tr *trace) {
			everyday(tr)
			every(40*second, 200*ms, 300, func(i int, when time.Duration) {
				name := fmt.Sprintf("\x03www\x0aexample%03d\x03org\x00", i)
				head := slices.Concat(be16(i), be16(0x0100), be16(1), make([]byte, 6))
				tr.udp(when, at(tr.lan(54), ephemeral(i)), at(tr.far(6000+i%60), 53), string(head)+name+"\x00\x01\x00\x01")
			})
		}, fault: oneWay(false), blind: true},
		{name: "only what goes out of a resolver that asks from the root down", traffic: func(tr *trace) {
			everyday(tr)
			every(40*second, 500*ms, 100, func(i int, when time.Duration) {
				name := fmt.Sprintf("\x03www\x0aexample%03d\x03org\x00", i)
				for k, to := range []int{7000 + i%13, 7100 + i%6, 6000 + i%60} {
					head := slices.Concat(be16(3*i+k), be16(0), be16(1), make([]byte, 6))
					tr.udp(when+time.Duration(k)*40*ms, at(tr.lan(54), ephemeral(3*i+k)), at(tr.far(to), 53), string(head)+name+"\x00\x01\x00\x01")
				}
			})
		}, fault: oneWay(false), blind: true},
		{name: "only what comes in of an upload", traffic: func(tr *trace) {
			everyday(tr)
			every(30*second, 100*ms, 40, func(_ int, when time.Duration) {
				c := tr.dial(when, tr.lan(10), tr.net(53), 443).on(windows).open()
				for range 4 {
					c.say(client, 1400)
				}
				c.shut(client)
			})
		}, fault: oneWay(true), scan: &unseen},
		{name: "only what goes out of downloads", traffic: func(tr *trace) {
			everyday(tr)
			every(30*second, 100*ms, 40, func(i int, when time.Duration) {
				c := tr.dial(when, tr.lan(10), tr.far(4000+i), 443).on(windows).open().say(client, 100)
				for range 4 {
					c.say(server, 1400)
				}
				c.shut(client)
			})
		}, fault: oneWay(false), blind: true},
		{name: "only the replies of QUIC", traffic: replies(443), fault: oneWay(true), scan: &unseen},
		{name: "only the replies of an unknown protocol", traffic: replies(27015), fault: oneWay(true), scan: &unseen},
		{name: "only the questions of QUIC", traffic: replies(443), fault: oneWay(false), blind: true},
	}
}

// oneWayScanCases are scans of which one direction is captured.
func oneWayScanCases() []hard {
	return []hard{
		{name: "only what comes in of a sweep", traffic: func(tr *trace) {
			everyday(tr)
			every(30*second, 30*ms, 60, func(i int, when time.Duration) {
				tr.probe(when, probe{from: tr.net(9), to: tr.dmz(1 + i), port: 22, flags: syn, answer: closed})
			})
		}, fault: oneWay(true), scan: &unseen, want: []named{
			{net(9), "tcp-syn", detect.Horizontal, 60, 1, 60, detect.Outcomes{Unseen: 60}},
		}},
		{name: "only what comes in of a UDP scan from the port of QUIC", traffic: func(tr *trace) {
			everyday(tr)
			every(30*second, 30*ms, 60, func(i int, when time.Duration) {
				tr.udp(when, at(tr.net(9), 443), at(tr.dmz(30), 33000+i), "")
			})
		}, fault: oneWay(true), scan: &unseen, want: []named{
			{net(9), "udp", detect.Vertical, 1, 60, 60, detect.Outcomes{Unseen: 60}},
		}},
		{name: "only what comes in of a UDP scan", traffic: func(tr *trace) {
			everyday(tr)
			every(30*second, 30*ms, 60, func(i int, when time.Duration) {
				tr.udp(when, at(tr.net(9), 61234), at(tr.dmz(30), 1+i), "")
				tr.icmpError(when+ms, tr.dmz(30), portClosed)
			})
		}, fault: oneWay(true), scan: &unseen, want: []named{
			{net(9), "udp", detect.Vertical, 1, 60, 60, detect.Outcomes{Unseen: 60}},
		}},
	}
}

func TestOneWayCaptures(t *testing.T) { runAll(t, slices.Concat(oneWayCases(), oneWayScanCases())) }

// twice adds a copy of every frame, changed.
func twice(later time.Duration, change func(f *frame)) func(tr *trace) {
	return func(tr *trace) {
		copies := slices.Clone(tr.frames)
		for i := range copies {
			f := &copies[i]
			f.data = slices.Clone(f.data)
			f.stamp += later
			f.order += later
			if change != nil {
				change(f)
			}
		}
		tr.frames = append(tr.frames, copies...)
	}
}

// tag puts a frame into a VLAN.
func tag(f *frame, vlan int) {
	f.data = slices.Concat(f.data[:12], be16(0x8100), be16(vlan), f.data[12:])
}

// routed makes a frame what the router makes of it: other link addresses, one hop less.
func routed(f *frame) {
	copy(f.data, []byte{2, 0, 0, 0, 9, 9, 2, 0, 0, 0, 9, 8})
	switch {
	case f.data[12] == 0x86:
		f.data[21]--
	case f.data[12] == 0x08 && f.data[13] == 0:
		f.data[22]--
		f.data[24], f.data[25] = 0, 0
		copy(f.data[24:], sum(f.data[14:34]))
	}
}

// duplicateCases: a mirror port that copies a frame as it comes and as it goes.
// firewalla/firewalla#9398.
func duplicateCases() []hard {
	site := func(tr *trace) {
		everyday(tr)
		every(second, second, 60, func(i int, when time.Duration) { tr.ping(when, tr.lan(5), tr.lan(100+i%8), i, i%8 != 0) })
	}
	return []hard{
		{name: "duplicated at once", traffic: site, fault: twice(0, nil)},
		{name: "duplicated a millisecond later", traffic: site, fault: twice(ms, nil)},
		{name: "duplicated a tenth of a second later", traffic: site, fault: twice(100*ms, nil)},
		{name: "duplicated in another VLAN", traffic: site, fault: twice(10*time.Microsecond, func(f *frame) { tag(f, 20) })},
		{name: "duplicated behind the router", traffic: site, fault: twice(10*time.Microsecond, routed)},
		{name: "duplicated on another interface", traffic: site, fault: twice(0, func(f *frame) { f.iface = 1 })},
		{name: "three copies", traffic: site, fault: func(tr *trace) {
			twice(ms, nil)(tr)
			twice(3*ms, nil)(tr)
		}},
	}
}

func TestDuplicatedFrames(t *testing.T) { runAll(t, duplicateCases()) }

// vlanCases: each direction comes in a VLAN of its own.
func vlanCases() []hard {
	return []hard{
		{name: "a VLAN for each direction", traffic: everyday, fault: func(tr *trace) {
			for i := range tr.frames {
				if f := &tr.frames[i]; atHome(f.src) {
					tag(f, 10)
				} else {
					tag(f, 20)
				}
			}
		}},
		{name: "only one direction tagged", traffic: everyday, fault: func(tr *trace) {
			for i := range tr.frames {
				if f := &tr.frames[i]; atHome(f.src) {
					tag(f, 10)
				}
			}
		}},
		{name: "one VLAN sees one direction only", traffic: everyday, fault: func(tr *trace) {
			// VLAN 10 is captured both ways, of VLAN 20 only what comes in. What
			// is seen there of the proxy's conversations are replies.
			kept := tr.frames[:0]
			for _, f := range tr.frames {
				inner, vlan := f.src, 10
				if !atHome(inner) {
					inner = f.dst
				}
				if inner == tr.lan(10) || inner == tr.dmz(53) {
					vlan = 20
				}
				if vlan == 10 || !atHome(f.src) {
					tag(&f, vlan)
					kept = append(kept, f)
				}
			}
			tr.frames = kept
		}},
	}
}

func TestAsymmetricVLANs(t *testing.T) { runAll(t, vlanCases()) }

// clockCases: each direction comes from an interface with a clock of its own.
func clockCases() []hard {
	var all []hard
	for _, c := range []struct {
		name string
		skew time.Duration
	}{
		{"replies stamped three milliseconds early", -3 * ms},
		{"replies stamped a third of a second early", -300 * ms},
		{"replies stamped a third of a second late", 300 * ms},
		{"replies stamped forty seconds early", -40 * second},
		{"replies stamped forty seconds late", 40 * second},
		{"replies stamped two hours early", -2 * hour},
		{"replies stamped two hours late", 2 * hour},
	} {
		all = append(all, hard{name: c.name, traffic: everyday, fault: func(tr *trace) {
			for i := range tr.frames {
				// What comes from home is an answer to the scanner and to visitors.
				if f := &tr.frames[i]; atHome(f.src) {
					f.iface = 1
					f.stamp += c.skew
				}
			}
		}})
	}
	return all
}

func TestSkewedClocks(t *testing.T) { runAll(t, clockCases()) }
