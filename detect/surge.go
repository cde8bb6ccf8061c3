package detect

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"time"

	"github.com/synoptic-ids/synoptic/detect/distinct"
	"github.com/synoptic-ids/synoptic/flows"
)

// surge is a host to which many others have had to do of late: it may become a
// notice, or be one.
type surge struct {
	*heat
	hub    *hub
	kind   *surgeKind
	view   *view
	name   NoticeKind
	judged bool // patience is over
	taken  bool // what cannot be told speaks for the notice

	recent distinct.Window // addresses that speak for a notice
	unsure distinct.Window // addresses of which it cannot be told yet
	doubts int             // how often
	before int             // addresses of which nothing could be told when it opened
	all    distinct.Total  // as recent, since the beginning
	ports  distinct.Total
	froms  distinct.Window // ports of the others, since the beginning

	half    int64 // of the window, that weighed[half&1] and against[half&1] belong to
	weighed [2]int
	against [2]int

	to, from majority // ports of the host, and of the others

	first, last int64  // of the capture's own clock
	shift       int64  // from the line clock to the capture's own, of the latest item
	begun       int64  // line clock when the hub was full
	next        int64  // line clock when it is next looked at
	packets     uint64 // of what weighed
	count       int    // what weighed, in all
	look        int    // count at which it is next worth looking whether it has grown
	said        int    // distinct addresses in the latest record
	single      bool   // the latest record named one port
	opening     NoticeEvidence
}

// heat is what is looked at of all surges where one has to go.
type heat struct {
	busy   int64 // line clock when it last was more than a trickle
	opened bool
}

// item is what an event says of a hub.
type item struct {
	who     uint32 // hash of the address that has to do with it
	port    uint16 // of the hub
	from    uint16 // of the other
	packets uint32
	start   int64 // when it began, by the capture's own clock
	line    int64 // line clock when this became known
	shift   int64 // from the line clock to the capture's own
}

func (k *hashKeys) item(ev *flows.Event, who *[16]byte) item {
	return item{
		who: uint32(k.addr(who, 0) >> 16), port: ev.Port, from: ev.SrcPort, packets: ev.Packets,
		start: ev.Start, line: ev.At, shift: ev.Start - ev.Line,
	}
}

// begin makes a surge of a full hub.
func (s *surge) begin(h *hub, kind *surgeKind, v *view, it *item) {
	*s.heat = heat{busy: it.line}
	*s = surge{
		heat: s.heat, hub: h, kind: kind, name: kind.name, view: v, begun: it.line, shift: it.shift,
		first: h.first, last: it.start, packets: uint64(h.n) - 1,
	}
	for _, known := range h.items {
		s.all.Add(known)
	}
	s.half = s.halfOf(it.line)
}

func (s *surge) halfOf(line int64) int64 { return floorDiv(line, s.kind.window/2) }

// turn goes on to the half of the window that a time of the line clock lies in.
func (s *surge) turn(line int64) int64 {
	half := s.halfOf(line)
	if half <= s.half {
		return s.half
	}
	if half > s.half+1 {
		s.weighed, s.against = [2]int{}, [2]int{}
	}
	s.half = half
	s.weighed[half&1], s.against[half&1] = 0, 0
	return half
}

// take counts what speaks for a notice.
func (s *surge) take(it *item) {
	half := s.turn(it.line)
	s.weighed[half&1]++
	s.recent.Add(it.who, half)
	s.all.Add(it.who)
	s.ports.Add(uint32(it.port))
	s.froms.Add(uint32(it.from), 0)
	s.to.vote(it.port)
	s.from.vote(it.from)
	s.last, s.shift = max(s.last, it.start), it.shift
	s.packets += uint64(it.packets)
	s.count++
}

// oppose counts what speaks against a notice.
func (s *surge) oppose(line int64) { s.against[s.turn(line)&1]++ }

// majority finds the value that most of many have (Boyer and Moore), and counts it since it
// was taken for that.
type majority struct {
	value       uint16
	lead        int // by how many it is ahead, of those compared with it
	hits, total int
}

func (m *majority) vote(value uint16) {
	m.total++
	switch {
	case m.lead == 0:
		m.value, m.lead, m.hits = value, 1, 1
	case value == m.value:
		m.lead++
		m.hits++
	default:
		m.lead--
	}
}

// one reports whether nine tenths have one value.
func (m *majority) one() bool { return m.total > 0 && 10*m.hits >= 9*m.total }

// most is that value, or nil.
func (m *majority) most() *uint16 {
	if !m.one() {
		return nil
	}
	value := m.value
	return &value
}

// evidence is what the latest window says.
func (s *surge) evidence(line int64) NoticeEvidence {
	half := s.turn(line)
	return NoticeEvidence{
		Value: s.recent.Count(half), Threshold: s.kind.threshold(s.hub.class),
		Window:  time.Duration(s.kind.window).String(),
		Weighed: s.weighed[0] + s.weighed[1], Against: s.against[0] + s.against[1],
	}
}

// addresses is how many distinct ones there have been.
func (s *surge) addresses() int { return s.all.Count() + s.before }

// record is the notice as it now stands.
func (s *surge) record(phase Phase, at int64) Notice {
	dst := flows.Addr(s.hub.host)
	n := Notice{
		Event: s.name, Phase: phase, ID: noticeID(s.name, &s.hub.host, s.hub.class, s.first), Time: Time(at),
		Dst: &dst, Proto: ProtoName(s.hub.class), Estimated: true, Packets: s.packets,
		First: Time(s.first), Last: Time(s.last),
	}
	s.said, s.single = s.addresses(), s.to.one()
	s.look = s.count + max(s.said/2, 1)
	switch s.name {
	case GatewayARP:
		n.Dst, n.Gateway, n.Hosts = nil, &dst, s.said
	case Backscatter:
		n.Hosts = s.said
	default:
		n.Sources = s.said
	}
	evidence := s.opening
	n.Evidence = &evidence
	if hasPorts(s.hub.class) {
		if n.Port = s.to.most(); n.Port == nil {
			n.Ports = s.ports.Count()
		}
		if s.name == Reflection {
			n.SrcPort = s.from.most()
		}
	}
	if d := s.last - s.first; d > 0 {
		n.Rate = round3(float64(s.packets) / (float64(d) / 1e9))
	}
	return n
}

// noticeID names a notice by its kind, its host and its beginning: the same capture
// gives the same id for ever.
func noticeID(kind NoticeKind, host *[16]byte, class flows.Class, first int64) string {
	b := append([]byte("synoptic notice 1\x00"+string(kind)+"\x00"), host[:]...)
	b = append(b, byte(class))
	sum := sha256.Sum256(binary.BigEndian.AppendUint64(b, uint64(first)))
	return hex.EncodeToString(sum[:8])
}
