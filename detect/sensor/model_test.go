package sensor_test

import (
	"errors"
	"io"

	"github.com/synoptic-ids/synoptic/bpf"
	"github.com/synoptic-ids/synoptic/capture"
	"github.com/synoptic-ids/synoptic/flows"
)

// model is the program in the kernel in plain Go: what it tells of the packets of a capture,
// by the rules of package bpf. In place of its Bloom filter and its cells it has sets, so that
// it is never mistaken; and its clock is that of the packets.
type model struct {
	src     capture.Source
	decoder flows.Decoder
	frames  [256]capture.Frame
	budget  int

	begun   int64 // of the generation; 0: none yet
	now     int64
	told    [2]map[mark]bool // by generation, the newer first
	asked   map[[16]byte]int // questions told in this generation
	strays  map[[16]byte]int // and answers without one
	over    map[[16]byte]*overspent
	order   []*overspent
	stats   bpf.Stats
	summed  int64
	pending []flows.Packet
}

// aim is a target: who asks whom, for what.
type aim struct {
	from, to [16]byte
	port     uint16
	proto    uint8
}

// mark is what is remembered of a target.
type mark struct {
	aim
	kind markKind
	port uint16 // source port or identifier of what follows a question; 0 of the target as such
}

type markKind uint8

// Kinds of marks: below these, techniques.
const (
	markAsked markKind = iota + 32
	markAnswered
	markReset
	markGivenUp
	markClosed
	markClosedToo
	markFailed
	markAcknowledged
)

// overspent is a source over its budget.
type overspent struct {
	flows.Summary
	targets map[aim]bool
}

func newModel(src capture.Source, budget int) *model {
	return &model{src: src, budget: budget, told: [2]map[mark]bool{{}, {}}, over: map[[16]byte]*overspent{}}
}

func (m *model) Stats() (bpf.Stats, error) { return m.stats, nil }
func (m *model) Close() error              { return m.src.Close() }

// Read implements sensor.Counter.
func (m *model) Read(b *bpf.Batch) error {
	n, err := m.src.Read(m.frames[:])
	var damage *capture.DamageError
	if n == 0 && err != nil && !errors.As(err, &damage) {
		return io.EOF
	}
	b.Packets, b.Summaries = b.Packets[:0], b.Summaries[:0]
	for i := range m.frames[:n] {
		f := &m.frames[i]
		m.turn(f.Time)
		m.pending = m.decoder.Append(m.pending[:0], f.Data, flows.Meta{Time: f.Time, Iface: f.Iface, Len: f.Len, Link: m.src.Link(f.Iface)})
		for j := range m.pending {
			p := &m.pending[j]
			if p.Marks&(flows.MarkCarrier|flows.MarkTunnel) == 0 && m.tells(p) {
				b.Packets = append(b.Packets, *p)
			}
		}
	}
	b.Now = m.now
	if m.now-m.summed > 1e9 || err != nil {
		m.summed = m.now
		for _, s := range m.order {
			s.Targets = uint32(len(s.targets))
			b.Summaries = append(b.Summaries, s.Summary)
		}
	}
	return nil
}

// turn begins a generation when it is time.
func (m *model) turn(now int64) {
	m.now = max(m.now, now)
	if m.begun == 0 || m.now-m.begun >= bpf.Generation {
		m.begun = m.now
		m.told = [2]map[mark]bool{{}, m.told[0]}
		m.asked, m.strays = map[[16]byte]int{}, map[[16]byte]int{}
	}
}

func (m *model) knows(k mark) bool { return m.told[0][k] || m.told[1][k] }

// with is the generation that has a mark, the newer if both do, and nil if none does.
func (m *model) with(k mark) map[mark]bool {
	for _, g := range m.told {
		if g[k] {
			return g
		}
	}
	return nil
}

// question tells it once for its target.
func (m *model) question(p *flows.Packet, a aim, by flows.Technique, keep bool) bool {
	if m.asked[a.from] >= m.budget {
		m.sum(p, a, by)
		return false
	}
	known, from := mark{a, markKind(by), 0}, mark{a, markAsked, portOf(p)}
	if m.knows(known) {
		if keep && !m.told[0][known] {
			m.told[0][known] = true
			m.keep(from, mark{a, markAnswered, portOf(p)})
		}
		return false
	}
	m.asked[a.from]++
	m.told[0][known], m.told[0][from] = true, true
	return true
}

// keep takes what is known of a conversation into a generation that begins.
func (m *model) keep(from, answered mark) {
	if m.knows(from) {
		m.told[0][from] = true
		if m.knows(answered) {
			m.told[0][answered] = true
		}
	}
}

func (m *model) sum(p *flows.Packet, a aim, by flows.Technique) {
	m.stats.OverBudget++
	s := m.over[a.from]
	if s == nil {
		s = &overspent{Summary: flows.Summary{Source: a.from, First: p.Time}, targets: map[aim]bool{}}
		m.over[a.from] = s
		m.order = append(m.order, s)
	}
	s.Last = p.Time
	s.Packets[by]++
	s.targets[a] = true
}

// answer tells it once for its question, or for its target if that was not told.
func (m *model) answer(a aim, kind markKind, port uint16, sender [16]byte) bool {
	if g := m.with(mark{a, markAsked, port}); g != nil {
		return first(g, mark{a, kind, port})
	}
	return m.stray(mark{a, kind, 0}, sender)
}

func (m *model) stray(k mark, sender [16]byte) bool {
	if m.knows(k) || m.strays[sender] >= m.budget {
		return false
	}
	m.strays[sender]++
	return first(m.told[0], k)
}

func first(g map[mark]bool, k mark) bool {
	had := g[k]
	g[k] = true
	return !had
}

// ending is a FIN or RST.
func (m *model) ending(p *flows.Packet, own, other markKind) bool {
	ours, theirs := ahead(p), back(p)
	if g := m.with(mark{theirs, markAsked, p.DstPort}); g != nil {
		return first(g, mark{theirs, other, p.DstPort})
	}
	if g := m.with(mark{ours, markAsked, p.SrcPort}); g != nil {
		return first(g, mark{ours, own, p.SrcPort})
	}
	oursKnown, theirsKnown := m.knows(mark{ours, markKind(flows.TCPSYN), 0}), m.knows(mark{theirs, markKind(flows.TCPSYN), 0})
	if p.Flags&flows.FlagRST != 0 {
		if oursKnown && !theirsKnown {
			return false
		}
		return m.stray(mark{theirs, other, 0}, p.Src)
	}
	if oursKnown || theirsKnown || m.knows(mark{theirs, markAnswered, 0}) {
		return false
	}
	return m.question(p, ours, flows.TCPMaimon, false)
}

// either is an answer if its tuple reversed was asked for, else a question.
func (m *model) either(p *flows.Packet, by flows.Technique) bool {
	theirs := back(p)
	known, from, answered := mark{theirs, markKind(by), 0}, mark{theirs, markAsked, p.DstPort}, mark{theirs, markAnswered, p.DstPort}
	g := m.with(known)
	if g == nil {
		return m.question(p, ahead(p), by, true)
	}
	if !m.told[0][known] {
		m.told[0][known] = true
		m.keep(from, answered)
		g = m.told[0]
	}
	return g[from] && first(g, answered)
}

func (m *model) tells(p *flows.Packet) bool {
	m.stats.Packets[0]++
	group := p.Has(flows.MarkGroup)
	if p.Has(flows.MarkFragmented) || p.Kind == flows.KindFragment {
		return true
	}
	switch p.Kind {
	case flows.KindTCP:
		return m.segment(p, group)
	case flows.KindUDP:
		switch {
		case p.SrcPort == 67 || p.DstPort == 67:
			return true
		case group:
			a := ahead(p)
			a.port ^= uint16(p.Time >> 34)
			return m.question(p, a, flows.UDP, false)
		}
		return m.either(p, flows.UDP)
	case flows.KindEchoRequest, flows.KindTimestampRequest, flows.KindMaskRequest:
		return !group && m.question(p, pinged(p.Src, p.Dst, requestOf(p.Kind)), requestOf(p.Kind), false)
	case flows.KindEchoReply, flows.KindTimestampReply, flows.KindMaskReply:
		return m.answer(pinged(p.Dst, p.Src, requestOf(p.Kind-1)), markAnswered, portOf(p), p.Src)
	case flows.KindUnreachable, flows.KindTimeExceeded:
		return m.failed(p)
	case flows.KindARPRequest:
		return m.question(p, ahead(p), flows.ARP, false)
	case flows.KindNeighborSolicit:
		return m.question(p, ahead(p), flows.NDP, false)
	case flows.KindARPReply, flows.KindNeighborAdvert:
		return m.answer(back(p), markAnswered, 0, p.Src)
	case flows.KindSCTPInit:
		return !group && m.question(p, ahead(p), flows.SCTPInit, false)
	case flows.KindSCTPCookieEcho:
		return !group && m.question(p, ahead(p), flows.SCTPCookie, false)
	case flows.KindSCTPInitAck:
		return !group && m.answer(back(p), markAnswered, p.DstPort, p.Src)
	case flows.KindSCTPCookieAck:
		return !group && m.answer(back(p), markAcknowledged, p.DstPort, p.Src)
	case flows.KindSCTPAbort:
		return !group && m.answer(back(p), markReset, p.DstPort, p.Src)
	case flows.KindOther:
		return !group && m.either(p, flows.IPProtocol)
	}
	return false
}

func (m *model) segment(p *flows.Packet, group bool) bool {
	switch p.Flags & (flows.FlagSYN | flows.FlagACK | flows.FlagRST) {
	case flows.FlagSYN:
		return !group && m.question(p, ahead(p), flows.TCPSYN, false)
	case flows.FlagSYN | flows.FlagACK:
		return m.answer(back(p), markAnswered, p.DstPort, p.Src)
	}
	if p.Flags&flows.FlagRST != 0 {
		return m.ending(p, markGivenUp, markReset)
	}
	switch p.Flags &^ (flows.FlagECE | flows.FlagCWR) {
	case 0:
		return !group && m.question(p, ahead(p), flows.TCPNull, false)
	case flows.FlagFIN:
		return !group && m.question(p, ahead(p), flows.TCPFIN, false)
	case flows.FlagFIN | flows.FlagPSH | flows.FlagURG:
		return !group && m.question(p, ahead(p), flows.TCPXmas, false)
	}
	return p.Flags&flows.FlagFIN != 0 && !group && m.ending(p, markClosed, markClosedToo)
}

// failed is an ICMP error, by what it quotes.
func (m *model) failed(p *flows.Packet) bool {
	a := aim{p.QuotedSrc, p.QuotedDst, p.QuotedDstPort, p.QuotedProto}
	switch p.QuotedProto {
	case 1, 58:
		by := flows.ICMPEcho
		switch p.QuotedDstPort {
		case 13:
			by = flows.ICMPTimestamp
		case 17:
			by = flows.ICMPMask
		}
		a = pinged(p.QuotedSrc, p.QuotedDst, by)
	}
	return m.answer(a, markFailed, p.QuotedSrcPort, p.Src)
}

func ahead(p *flows.Packet) aim { return aim{p.Src, p.Dst, p.DstPort, p.Proto} }
func back(p *flows.Packet) aim  { return aim{p.Dst, p.Src, p.SrcPort, p.Proto} }

// pinged is the target of an ICMP request: each kind is one of its own.
func pinged(from, to [16]byte, by flows.Technique) aim { return aim{from, to, uint16(by), 1} }

func requestOf(k flows.Kind) flows.Technique {
	switch k {
	case flows.KindTimestampRequest:
		return flows.ICMPTimestamp
	case flows.KindMaskRequest:
		return flows.ICMPMask
	}
	return flows.ICMPEcho
}

// portOf is the source port, or the identifier of ICMP.
func portOf(p *flows.Packet) uint16 {
	switch p.Kind {
	case flows.KindEchoRequest, flows.KindEchoReply, flows.KindTimestampRequest, flows.KindTimestampReply, flows.KindMaskRequest, flows.KindMaskReply:
		return uint16(p.Seq >> 16)
	}
	return p.SrcPort
}
