package explain

import (
	"cmp"
	"slices"

	"github.com/synoptic-ids/synoptic/detect"
	"github.com/synoptic-ids/synoptic/flows"
)

// split is how many hosts, or ports, attempts with one end may be spread over to
// be told of one by one.
const split = 4

// bucket is attempts with one technique and one end.
type bucket struct {
	technique, proto, outcome, judged string
}

func (b *bucket) compare(o *bucket) int {
	return cmp.Or(cmp.Compare(b.technique, o.technique), cmp.Compare(b.proto, o.proto),
		cmp.Compare(b.outcome, o.outcome), cmp.Compare(b.judged, o.judged))
}

// groups puts attempts at like targets together, the most first.
func (l *attempts) groups(ours bool) []Group {
	buckets := map[bucket][]*attempt{}
	for i := range l.all {
		a := &l.all[i]
		b := bucket{detect.TechniqueName(&a.Attempt), detect.ProtoName(a.Class), a.outcomeName(), a.judged(ours)}
		buckets[b] = append(buckets[b], a)
	}
	var out []Group
	for b, all := range buckets {
		for _, part := range divide(all) {
			out = append(out, groupOf(&b, part))
		}
	}
	slices.SortFunc(out, func(a, b Group) int {
		x, y := bucket{a.Technique, a.Proto, a.Outcome, a.Judged}, bucket{b.Technique, b.Proto, b.Outcome, b.Judged}
		return cmp.Or(cmp.Compare(b.Attempts, a.Attempts), cmp.Compare(a.First, b.First), x.compare(&y),
			a.compareHosts(&b), cmp.Compare(a.PortList, b.PortList))
	})
	return out
}

func (g *Group) compareHosts(o *Group) int {
	if g.Host == nil || o.Host == nil {
		return slices.Compare(g.Networks, o.Networks)
	}
	return g.Host.Compare(*o.Host)
}

// outcomeName is the outcome as the rules have it: of an answered attempt that
// counts, in what way.
func (a *attempt) outcomeName() string {
	switch {
	case a.HalfOpen:
		return "half-open"
	case a.Counted && a.Outcome == flows.Answered:
		return "abandoned"
	default:
		return detect.OutcomeName(a.Outcome)
	}
}

// divide parts attempts by host where they are few hosts, else by port where they are
// few ports.
func divide(all []*attempt) [][]*attempt {
	byHost, hosts := parted(all, func(a *attempt) [16]byte { return a.Responder })
	if hosts <= split {
		return byHost
	}
	byPort, ports := parted(all, func(a *attempt) uint16 { return a.Port })
	if ports <= split {
		return byPort
	}
	return [][]*attempt{all}
}

// parted parts attempts by a property, in the order of its first appearance.
func parted[K comparable](all []*attempt, of func(*attempt) K) (parts [][]*attempt, n int) {
	place := map[K]int{}
	for _, a := range all {
		k := of(a)
		i, known := place[k]
		if !known {
			i = len(parts)
			place[k] = i
			parts = append(parts, nil)
		}
		parts[i] = append(parts[i], a)
	}
	return parts, len(parts)
}

func groupOf(b *bucket, all []*attempt) Group {
	g := Group{
		Technique: b.technique, Proto: b.proto, Outcome: b.outcome, Judged: b.judged,
		Attempts: len(all), First: detect.Time(all[0].Start), Last: detect.Time(all[0].Start),
	}
	hosts, ports := map[[16]byte]struct{}{}, map[uint16]struct{}{}
	for _, a := range all {
		hosts[a.Responder] = struct{}{}
		if hasPorts(a.Class) {
			ports[a.Port] = struct{}{}
		}
		g.First, g.Last = min(g.First, detect.Time(a.Start)), max(g.Last, detect.Time(a.Start))
	}
	g.Hosts, g.Ports, g.PortList = len(hosts), len(ports), detect.PortRanges(ports)
	if g.Hosts == 1 {
		host := flows.Addr(all[0].Responder)
		g.Host = &host
	} else {
		g.Networks = detect.HostRanges(hosts)
	}
	return g
}

func hasPorts(c flows.Class) bool {
	return c == flows.ClassTCP || c == flows.ClassUDP || c == flows.ClassSCTP
}
