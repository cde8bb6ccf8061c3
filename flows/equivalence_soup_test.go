package flows

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

var (
	soupGaps = []int64{
		0, 0, 0, refMilli, refMilli, 10 * refMilli, 20 * refMilli, 49 * refMilli, 50 * refMilli,
		51 * refMilli, 450 * refMilli, 499 * refMilli, 500 * refMilli, 501 * refMilli,
		refSecond, 2 * refSecond, 4 * refSecond, 9 * refSecond, 10 * refSecond, 11 * refSecond, 29 * refSecond, 30 * refSecond,
		31 * refSecond, 60 * refSecond, 61 * refSecond, 64 * refSecond, 3600 * refSecond,
		-refMilli, -10 * refMilli, -20 * refMilli, -60 * refMilli, -refSecond, -59 * refSecond, -61 * refSecond, -7200 * refSecond,
	}
	soupPorts = []uint16{0, 53, 67, 68, 80, 1024, 2000, 3000, 40000}
	soupHosts = []string{"a", "a", "b", "b", "c", "d", "e6", "f6", "2001:db8:1::", "2001:db8:2::", "0.0.0.0", "224.0.0.1", "255.255.255.255"}
	soupFlags = []string{
		"S", "S", "S", "SA", "SA", "R", "RA", "A", "A", "PA", "FA", "F", "none", "FPU",
		"P", "U", "SF", "SR", "SRA", "FE", "AW", "SEW",
	}
)

// soup draws packets with no regard to what makes sense, of few kinds between
// few sockets, so that they meet.
type soup struct {
	hosts []string
	ports []uint16
	words []string
	gaps  []int64
}

func newSoup(t *rapid.T) *soup {
	words := append(slices.Clone(soupFlags), "udp", "udp", "udp", "udp", "udp", "udp")
	for _, w := range refWords {
		words = append(words, w.word)
	}
	return &soup{
		hosts: rapid.SliceOfN(rapid.SampledFrom(soupHosts), 2, 3).Draw(t, "hosts"),
		ports: rapid.SliceOfN(rapid.SampledFrom(soupPorts), 1, 3).Draw(t, "ports"),
		words: rapid.SliceOfN(rapid.SampledFrom(words), 1, 7).Draw(t, "words"),
		gaps:  rapid.SliceOfN(rapid.SampledFrom(soupGaps), 1, 7).Draw(t, "gaps"),
	}
}

// packet draws one. Its time is that since the one before.
func (s *soup) packet(t *rapid.T) trace {
	p := Packet{Time: rapid.SampledFrom(s.gaps).Draw(t, "gap")}
	p.Src, p.Dst = s.host(t, "src"), s.host(t, "dst")
	if !IsIPv4(&p.Src) {
		p.Marks |= MarkIPv6
	}
	if err := refWord(&p, rapid.SampledFrom(s.words).Draw(t, "word")); err != nil {
		t.Fatalf("%v", err)
	}
	switch p.Kind {
	case KindTCP, KindUDP, KindSCTPInit, KindSCTPInitAck, KindSCTPCookieEcho, KindSCTPCookieAck, KindSCTPAbort:
		p.SrcPort, p.DstPort = s.port(t, "sport"), s.port(t, "dport")
	case KindUnreachable, KindTimeExceeded:
		s.quote(t, &p)
	}
	switch p.Kind {
	case KindTCP:
		p.Seq, p.Ack = small(t, "seq", 0, 0, 1, 2, 65536), small(t, "ack", 0, 0, 1)
		p.EchoedTime, p.Payload = small(t, "echoed", 0, 0, 0, 1), uint16(small(t, "payload", 0, 0, 5))
	case KindUDP:
		p.TTL = uint8(small(t, "ttl", 0, 64))
	default:
		p.Seq = small(t, "id", 0, 0, 1<<16, 1, 2<<16)
	}
	p.Iface, p.VLAN = small(t, "if", 0, 0, 0, 1), uint16(small(t, "vlan", 0, 0, 0, 1))
	if small(t, "group", 0, 0, 0, 0, 1) == 1 {
		p.Marks |= MarkGroup
	}
	if small(t, "reply", 0, 0, 0, 0, 1) == 1 {
		p.Marks |= MarkReplyLike
	}
	if small(t, "carrier", 0, 0, 0, 0, 0, 0, 0, 1) == 1 {
		p.Marks |= MarkCarrier
	}
	return trace{p}
}

func (s *soup) quote(t *rapid.T, p *Packet) {
	p.QuotedSrc, p.QuotedDst = s.host(t, "quoted src"), s.host(t, "quoted dst")
	p.QuotedProto = uint8(small(t, "quoted proto", 1, 6, 6, 17, 17, 47, 58, 132))
	if p.QuotedProto == 6 || p.QuotedProto == 17 || p.QuotedProto == 132 {
		p.QuotedSrcPort, p.QuotedDstPort = s.port(t, "quoted sport"), s.port(t, "quoted dport")
	}
	if p.QuotedProto == 1 || p.QuotedProto == 58 {
		p.QuotedSrcPort, p.QuotedDstPort = uint16(small(t, "quoted id", 0, 1)), uint16(small(t, "quoted type", 8, 13, 17))
	}
	p.Code = uint8(small(t, "code", 0, 1, 3, 13))
}

func (s *soup) host(t *rapid.T, name string) [16]byte {
	a, err := refHost(rapid.SampledFrom(s.hosts).Draw(t, name))
	if err != nil {
		t.Fatalf("%v", err)
	}
	return a
}

func (s *soup) port(t *rapid.T, name string) uint16 { return rapid.SampledFrom(s.ports).Draw(t, name) }

func small(t *rapid.T, name string, values ...uint32) uint32 {
	return rapid.SampledFrom(values).Draw(t, name)
}

// TestTableIsTheReferenceOnAnything draws packets one by one.
func TestTableIsTheReferenceOnAnything(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		now := refBase
		packets := slices.Concat(rapid.SliceOfN(rapid.Custom(newSoup(t).packet), 1, 80).Draw(t, "packets")...)
		for i := range packets {
			now += packets[i].Time
			packets[i].Time = now
		}
		sameEvents(t, packets)
	})
}
