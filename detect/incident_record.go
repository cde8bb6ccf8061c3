package detect

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"
	"slices"

	"github.com/synoptic-ids/synoptic/flows"
)

// maxAnswered bounds the list of what answered in one record.
const maxAnswered = 256

// largest is the part with the most targets, the earlier of equals.
func (inc *incident) largest() *part {
	best := inc.parts[0]
	for _, p := range inc.parts[1:] {
		if p.targets.size() > best.targets.size() {
			best = p
		}
	}
	return best
}

func (inc *incident) state() said {
	p := inc.largest()
	return said{
		shape: p.shape(), technique: p.name(), verdict: inc.verdict(&inc.tally),
		parts: len(inc.parts), single: inc.hosts.size() == 1, outside: inc.allowed.left(),
	}
}

// record is the scan as it now stands.
func (inc *incident) record(phase Phase, at Time) Scan {
	largest := inc.largest()
	t := &inc.tally
	sc := Scan{
		Event: "scan", Phase: phase, ID: inc.id, Time: at,
		Correlation: inc.day, MergedInto: inc.mergedInto,
		Shape: largest.shape(), Technique: largest.name(), Proto: ProtoName(largest.class),
		Rule: inc.rule.Name, Rules: slices.Clone(inc.rules),
		Targets: inc.extent(), First: Time(inc.first), Last: Time(inc.last),
		DetectedAfter: inc.detected, Cut: inc.cut, Outcomes: t.outcomes, Verdict: inc.verdict(t), Engaged: slices.Clone(inc.engaged),
		Evidence: inc.evidence, VLAN: inc.vlan,
	}
	if inc.crowd == nil {
		sc.Src, sc.AbusedBy = flows.Addr(inc.addr), inc.abusedBy()
	} else {
		inc.crowd.describe(&sc)
	}
	sc.Evidence.Crafted, sc.Estimated = t.crafted, inc.estimated()
	sc.Direction = inc.direction()
	sc.Severity = severity(sc.Verdict, sc.Direction)
	sc.Attack = attack(&sc)
	if inc.crowd != nil && inc.crowd.divides {
		sc.Shape = Distributed
	}
	sc.Attempts, sc.Packets = inc.beyond.attempts(), inc.beyond.attempts()
	for _, p := range inc.parts {
		sc.Attempts += p.attempts
		sc.Packets += p.packets
		sc.Techniques = append(sc.Techniques, p.name())
		sc.Estimated = sc.Estimated || p.full
	}
	if len(inc.parts) > 1 {
		for _, p := range inc.parts {
			sc.Parts = append(sc.Parts, p.record())
		}
	}
	inc.describeTargets(&sc)
	sc.Tool = inc.tool
	sc.Confidence, sc.Reasons = confidence(&sc)
	inc.allowed.note(&sc)
	sc.Risk = risk(&sc)
	if d := sc.Last - sc.First; d > 0 {
		sc.Rate = round3(float64(sc.Targets) / (float64(d) / 1e9))
	}
	return sc
}

func (inc *incident) describeTargets(sc *Scan) {
	hosts, ports := inc.hosts, inc.ports
	sc.Hosts, sc.Ports = hosts.size(), ports.size
	product := sc.Hosts * max(sc.Ports, 1)
	sc.Sparse = 4*sc.Targets < product
	if sc.Hosts == 1 {
		for h := range hosts.all() {
			a := flows.Addr(*h)
			sc.Dst = &a
		}
	} else {
		sc.HostRanges = hostRanges(hosts.addrs())
	}
	sc.PortRanges = portRanges(ports.all())
	if sc.Ports == 1 {
		for n := range ports.all() {
			sc.Port = &n
		}
	}
	if sc.Outcomes.Answered+sc.Outcomes.Productive == 0 {
		return
	}
	everything := inc.answersAll()
	for _, h := range everything {
		sc.AnswersAll = append(sc.AnswersAll, flows.Addr(h))
	}
	sc.Answered, sc.AnsweredTotal = inc.answered(everything)
}

// A host that answers at nine tenths of thirty ports or more answers everything: SYN
// cookies, a tarpit or a proxy do that, and it says nothing of what is open.
const (
	answersAllPorts = 30
	answersAllShare = 10 // at most one port in so many does not answer
)

// answersAll lists the hosts that answer everything, in order.
func (inc *incident) answersAll() (hosts [][16]byte) {
	if o := &inc.tally.outcomes; o.Answered+o.Productive < answersAllPorts-answersAllPorts/answersAllShare {
		return nil // not one host can have answered enough
	}
	for _, p := range inc.parts {
		if p.class != flows.ClassTCP || p.ports.size < answersAllPorts {
			continue
		}
		type count struct{ tried, answered int }
		counts := map[[16]byte]count{}
		for k, st := range p.targets.all() {
			c := counts[k.host]
			c.tried++
			if answers(st.outcome) {
				c.answered++
			}
			counts[k.host] = c
		}
		for h, c := range counts {
			if c.tried >= answersAllPorts && answersAllShare*(c.tried-c.answered) <= c.tried {
				hosts = append(hosts, h)
			}
		}
	}
	slices.SortFunc(hosts, func(a, b [16]byte) int { return bytes.Compare(a[:], b[:]) })
	return slices.Compact(hosts)
}

// answered lists what answered, by host and port, but for hosts that answer
// everything.
func (inc *incident) answered(everything [][16]byte) ([]Endpoint, int) {
	type answer struct {
		target
		proto string
	}
	var list []answer
	for _, p := range inc.parts {
		for k, st := range p.targets.all() {
			if answers(st.outcome) && !slices.Contains(everything, k.host) {
				list = append(list, answer{*k, ProtoName(p.class)})
			}
		}
	}
	slices.SortFunc(list, func(a, b answer) int {
		if c := bytes.Compare(a.host[:], b.host[:]); c != 0 {
			return c
		}
		if a.port != b.port {
			return int(a.port) - int(b.port)
		}
		return bytes.Compare([]byte(a.proto), []byte(b.proto))
	})
	list = slices.Compact(list)
	total := 0
	if len(list) > maxAnswered {
		total, list = len(list), list[:maxAnswered]
	}
	out := make([]Endpoint, 0, len(list))
	for _, a := range list {
		out = append(out, Endpoint{Host: flows.Addr(a.host), Port: a.port, Proto: a.proto})
	}
	if len(out) == 0 {
		return nil, 0
	}
	return out, total
}

func (p *part) record() Part {
	var t tally
	for k, st := range p.targets.all() {
		t.count(p.technique, k, st, +1)
	}
	return Part{
		Technique: p.name(), Proto: ProtoName(p.class), Shape: p.shape(),
		Hosts: p.hosts.size(), Ports: p.ports.size, Targets: p.targets.size(), Attempts: p.attempts,
		First: Time(p.first), Last: Time(p.last), Outcomes: t.outcomes,
	}
}

// direction is told by where the source and most of the hosts are.
func (inc *incident) direction() Direction {
	homely := 0
	for h := range inc.hosts.all() {
		if inc.home.has(h) {
			homely++
		}
	}
	src := inc.crowd == nil && inc.home.has(&inc.addr) || inc.crowd != nil && inc.crowd.ours(inc.home)
	return directionOf(src, 2*homely > inc.hosts.size())
}

func seconds(ns int64) float64 { return math.Round(float64(ns)/1e3) / 1e6 }

func round3(f float64) float64 { return math.Round(f*1000) / 1000 }

// scanID names a scan by its source and its first attempt: the same capture
// gives the same id for ever.
func scanID(addr *[16]byte, first int64) string {
	b := append([]byte("synoptic scan 1\x00"), addr[:]...)
	sum := sha256.Sum256(binary.BigEndian.AppendUint64(b, uint64(first)))
	return hex.EncodeToString(sum[:8])
}

const dayLength = 24 * 3600 * second

// correlation names what one source did on one UTC day, on every sensor.
func correlation(addr *[16]byte, first int64) string {
	b := append([]byte("synoptic day 1\x00"), addr[:]...)
	sum := sha256.Sum256(binary.BigEndian.AppendUint64(b, uint64(floorDiv(first, dayLength))))
	return hex.EncodeToString(sum[:8])
}

// crowdID names a scan of many sources by what they were first seen to try, and when, and by the
// first of those that are known as it opens.
func (inc *incident) crowdID() string {
	k, first := inc.earliest(), inc.crowd.members[0].addr
	for i := range inc.crowd.members {
		if m := &inc.crowd.members[i]; bytes.Compare(m.addr[:], first[:]) < 0 {
			first = m.addr
		}
	}
	b := append([]byte("synoptic crowd 1\x00"), k.host[:]...)
	b = append(binary.BigEndian.AppendUint16(b, k.port), first[:]...)
	sum := sha256.Sum256(binary.BigEndian.AppendUint64(b, uint64(inc.first)))
	return hex.EncodeToString(sum[:8])
}

// crowdDay names what is done by many sources to a host, or on a port, on one UTC day.
func (inc *incident) crowdDay() string {
	k, p := inc.earliest(), inc.largest()
	if p.hosts.size() > p.ports.size {
		k.host = [16]byte{}
	} else {
		k.port = 0
	}
	b := append([]byte("synoptic crowd day 1\x00"), k.host[:]...)
	b = binary.BigEndian.AppendUint16(b, k.port)
	sum := sha256.Sum256(binary.BigEndian.AppendUint64(b, uint64(floorDiv(inc.first, dayLength))))
	return hex.EncodeToString(sum[:8])
}

// earliest is the target tried first, the lowest of those tried at once.
func (inc *incident) earliest() target {
	var first target
	start := int64(math.MaxInt64)
	for t, pg := range inc.tries.all() {
		if c := cmp.Compare(pg.start, start); c < 0 || c == 0 && t.less(first) {
			first, start = t.target, pg.start
		}
	}
	return first
}

func (t target) less(o target) bool {
	return cmp.Or(bytes.Compare(t.host[:], o.host[:]), cmp.Compare(t.port, o.port)) < 0
}
