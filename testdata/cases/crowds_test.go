package cases_test

import (
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/synoptic-ids/synoptic/detect"
)

// crowdCases are scans by many sources, which are named together and no other way: as the scan of
// no address.
func crowdCases() []hard {
	nobody := netip.Addr{}
	return []hard{
		{
			name: "ports of a host, divided among sixty",
			traffic: func(tr *trace) {
				divide(60, 240, func(i, who, n int) {
					tr.dial(time.Duration(i)*100*ms, tr.net(100+who), tr.dmz(30), 1+n).refused()
				})
			},
			want: []named{{nobody, "tcp-connect", detect.Distributed, 1, 240, 240, detect.Outcomes{Refused: 240}}},
		},
		{
			name: "hosts on a port, divided among a hundred", only: 4,
			traffic: func(tr *trace) {
				divide(100, 200, func(i, who, n int) {
					tr.dial(time.Duration(i)*100*ms, tr.far(who), tr.dmz(1+n), 5900).silent(1)
				})
			},
			want: []named{{nobody, "tcp-connect", detect.Distributed, 200, 1, 200, detect.Outcomes{Silent: 200}}},
		},
		{
			name: "decoys, of which one is none",
			traffic: func(tr *trace) {
				every(second, 20*ms, 60, func(i int, when time.Duration) {
					id := tr.next()*40503&0xffff | 1
					for who := range 5 {
						tr.decoy(when+time.Duration(who)*ms/10, tr.net(10+who), 1+i, header{id: id, ttl: 38 + (7*i+11*who)%21})
					}
				})
			},
			want: []named{{nobody, "tcp-syn", detect.Vertical, 1, 60, 60, detect.Outcomes{Refused: 60}}},
			only: 4,
		},
		{
			name: "everybody's own choice of ports, by sixty",
			traffic: func(tr *trace) {
				r := rand.New(rand.NewPCG(2, 3))
				every(second, 100*ms, 240, func(i int, when time.Duration) {
					tr.dial(when, tr.net(100+i%60), tr.dmz(30), 1+r.IntN(240)).refused()
				})
			},
		},
		{
			name: "a host that is asked by all for the ports of a service that is down",
			traffic: func(tr *trace) {
				every(second, 50*ms, 480, func(i int, when time.Duration) {
					tr.dial(when, tr.net(100+i%120), tr.dmz(30), []int{88, 135, 389, 445}[i/120]).refused()
				})
			},
		},
	}
}

func TestCrowds(t *testing.T) { runAll(t, crowdCases()) }

// divide deals numbers below most to sources, in any order.
func divide(sources, most int, do func(i, who, n int)) {
	all := make([]int, most)
	for i := range all {
		all[i] = i
	}
	r := rand.New(rand.NewPCG(1, 2))
	r.Shuffle(most, func(a, b int) { all[a], all[b] = all[b], all[a] })
	for i, n := range all {
		do(i, i%sources, n)
	}
}

// decoy is one copy of a probe, and the refusal of it.
func (tr *trace) decoy(when time.Duration, from netip.Addr, port int, h header) {
	const number, source = 0x2345_6789, 52484
	me, it := at(from, source), at(tr.dmz(30), port)
	tr.send(when, segment{header: h, from: me, to: it, flags: syn, seq: number, window: 1024, options: []byte{2, 4, 5, 0xb4}})
	tr.send(when+ms, segment{from: it, to: me, flags: rst | ack, ack: number + 1})
}
