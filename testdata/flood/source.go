package main

import (
	"io"
	"math/rand/v2"

	"github.com/synoptic-ids/synoptic/capture"
)

// began is the packet time at which floods begin: 2026-03-10 09:00 UTC.
const began = int64(1_773_133_200_000_000_000)

// source makes the packets of a flood in the order of their times, as a
// [capture.Source] that needs no files.
type source struct {
	m        model
	scanners []scanner
	actors   queue
	talks    []talk   // of the hosts that have begun, by place
	free     []uint32 // places in talks
	rand     *rand.Rand
	spoofed  int // forged SYNs sent
	begun    int // hosts begun
	base     int64
	frames   [4096][frameMax]byte
	packets  uint64
	bytes    uint64
}

// newSource makes the packets of a model, beginning at a packet time.
func newSource(m model, base int64) *source {
	s := &source{m: m, scanners: m.scannersOf(), rand: rand.New(rand.NewPCG(m.seed, 2)), base: base}
	for i := range s.scanners {
		s.actors.push(turn{at: s.scanners[i].begin, who: uint32(i)})
	}
	return s
}

// never is later than any packet.
const never = int64(1) << 62

// each is when the n-th of so many comes, evenly over the span.
func (s *source) each(n, of int) int64 {
	if n >= of {
		return never
	}
	return int64(float64(s.m.span) * (float64(n) + 0.5) / float64(of))
}

// next writes the next packet, and returns its time and lengths.
func (s *source) next(b *[frameMax]byte) (at int64, captured, length int, ok bool) {
	var seg segment
	forged, host, actor := s.each(s.spoofed, s.m.spoofed), s.each(s.begun, s.m.hosts), s.actors.first()
	switch at = min(forged, host, actor); at {
	case never:
		return 0, 0, 0, false
	case forged:
		seg = s.forge()
	case host:
		seg = s.greet(at)
	default:
		seg = s.act()
	}
	captured, length = seg.put(b)
	return s.base + at, captured, length, true
}

// forge is a SYN of a source that sends no other.
func (s *source) forge() segment {
	i := s.spoofed
	s.spoofed++
	to, port := ourAddr(1<<17-1), uint16(443)
	if s.m.distinct {
		// 2^24 forged SYNs never meet: hosts times ports are more, and taken in turn.
		to, port = ourAddr(i%ourHosts), uint16(1+i/ourHosts*131%60_000)
	}
	return segment{
		src: spoofedAddr(i), dst: to, srcPort: uint16(1024 + s.rand.IntN(64000)), dstPort: port,
		seq: s.rand.Uint32(), flags: syn,
	}
}

// act takes the turn of who is first.
func (s *source) act() segment {
	t := s.actors.pop()
	if t.who >= firstTalk {
		return s.speak(t)
	}
	return s.probe(t)
}

// reply is what comes back to a scanner, by target: from one in four a reset, from one in
// sixteen an answer, which a scanner resets.
func reply(host int, port uint16) (flags uint8) {
	switch h := uint32(host)*0x9e3779b1 ^ uint32(port)*0x85ebca6b; h >> 28 {
	case 0, 1, 2, 3:
		return rst | ack
	case 4:
		return syn | ack
	}
	return 0
}

// probe is the next packet between a scanner and its targets: step of a turn is 3k for
// the k-th probe, and one or two more for what follows.
func (s *source) probe(t turn) segment {
	sc := &s.scanners[t.who]
	k, follows := int(t.step/3), t.step%3
	host, port := sc.target(k)
	own := uint16(20_000 + (int(t.who)*7919+k)%40_000)
	if !sc.options {
		own = uint16(20_000 + t.who%40_000)
	}
	seg := segment{
		src: scannerAddr(int(t.who)), dst: ourAddr(host), srcPort: own, dstPort: port,
		seq: uint32(k)*0x9e3779b1 + t.who, flags: syn, options: sc.options,
	}
	answer := reply(host, port)
	switch follows {
	case 1:
		seg = segment{src: seg.dst, dst: seg.src, srcPort: port, dstPort: own, seq: 7, ack: seg.seq + 1, flags: answer}
	case 2:
		seg.seq, seg.flags, seg.options = seg.seq+1, rst, false
	}
	next := turn{at: sc.begin + int64(k+1)*sc.gap, who: t.who, step: uint32(3 * (k + 1))}
	if follows == 0 && answer != 0 || follows == 1 && answer == syn|ack {
		next = turn{at: t.at + min(sc.gap/4, 2_000_000), who: t.who, step: t.step + 1}
	}
	if int(next.step/3) < sc.targets {
		s.actors.push(next)
	}
	return seg
}

// Read is [capture.Source].
func (s *source) Read(fs []capture.Frame) (int, error) {
	n := 0
	for n < min(len(fs), len(s.frames)) {
		at, captured, length, ok := s.next(&s.frames[n])
		if !ok {
			break
		}
		fs[n] = capture.Frame{Data: s.frames[n][:captured], Time: at, Len: uint32(length)}
		s.packets++
		s.bytes += uint64(captured)
		n++
	}
	if n == 0 && len(fs) > 0 {
		return 0, io.EOF
	}
	return n, nil
}

// Link is Ethernet.
func (s *source) Link(uint32) uint16 { return 1 }

// Stats is [capture.Source].
func (s *source) Stats() (capture.Stats, error) {
	return capture.Stats{Packets: s.packets, Bytes: s.bytes}, nil
}

// Close is [capture.Source].
func (s *source) Close() error { return nil }
