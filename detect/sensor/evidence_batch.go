package sensor

import (
	"github.com/synoptic-ids/synoptic/capture"
	"github.com/synoptic-ids/synoptic/flows"
)

// trait is a bit set of what a packet is, by which its sort is told.
type trait uint8

const (
	traitProbe   trait = 1 << iota // it may begin an attempt
	traitReset                     // of TCP
	traitError                     // of ICMP: the pair is that of the packet it quotes
	traitPayload                   // of TCP
	traitPassed                    // it can change nothing, and the table has not seen it
	traitCommon                    // it is remembered only for a scan that is open
	traitKept                      // a scan has it
)

// shot is a packet on its way from the reader to the recorder.
type shot struct {
	pair   [2][16]byte // from whom, to whom
	time   int64       // of the capture
	line   int64       // line clock behind it
	frame  uint64      // number of its frame in the run
	len    uint32      // on the wire
	iface  uint32
	from   int32 // its data in those of the batch
	to     int32
	events int32 // of the batch, up to the last that it made happen
	link   uint16
	traits trait
}

// shots are the packets of a batch.
type shots struct {
	list []shot
	data []byte
}

func (s *shots) reset() { s.list, s.data = s.list[:0], s.data[:0] }

// camera takes shots of packets, in the reader.
type camera struct {
	snap   int
	frames uint64
	busy   streams
}

func newCamera(cfg Evidence) *camera {
	if cfg.Keeper == nil {
		return nil
	}
	return &camera{snap: cfg.withDefaults().SnapLen}
}

// shoot is take, where packets of scans are kept: every frame is decoded, and what the settled
// cache passes over goes to the recorder all the same.
func (r *reader) shoot(frames []capture.Frame, b *packetBatch) (counted uint64) {
	r.span(frames)
	for i := range frames {
		f := &frames[i]
		if int(f.Iface) >= len(r.links) {
			r.meet(f.Iface)
		}
		r.camera.frames++
		had, link := len(b.packets), r.links[f.Iface]
		meta := flows.Meta{Time: f.Time, Iface: f.Iface, Len: f.Len, Link: link}
		b.packets = r.decoder.Append(b.packets, f.Data, meta)
		if r.filter != nil {
			r.leaveOut(b, had, f.Data, meta)
		}
		if r.filter == nil || len(b.packets) > had {
			counted++
		}
		kept := had
		for i := had; i < len(b.packets); i++ {
			passed := r.settled.Skip(&b.packets[i])
			r.camera.take(&b.shots, f, link, &b.packets[i], passed)
			if !passed {
				b.packets[kept] = b.packets[i]
				kept++
			}
		}
		b.packets = b.packets[:kept]
	}
	return counted
}

// take adds a packet of a frame to a batch; passed says that the table will not see it.
func (c *camera) take(s *shots, f *capture.Frame, link uint16, p *flows.Packet, passed bool) {
	h := shot{
		pair: [2][16]byte{p.Src, p.Dst}, time: f.Time, frame: c.frames, len: f.Len, iface: f.Iface, link: link,
		from: int32(len(s.data)), traits: traitsOf(p), //nolint:gosec // a batch is shorter
	}
	if h.traits&traitError != 0 && p.QuotedSrc != [16]byte{} {
		h.pair = [2][16]byte{p.QuotedSrc, p.QuotedDst}
	}
	if passed {
		h.traits |= traitPassed | traitCommon
	} else if c.busy.common(p) {
		h.traits |= traitCommon
	}
	if n := len(s.list); n > 0 && s.list[n-1].frame == h.frame {
		h.from, h.to = s.list[n-1].from, s.list[n-1].to
	} else {
		s.data = append(s.data, f.Data[:min(len(f.Data), c.snap)]...)
		h.to = int32(len(s.data)) //nolint:gosec // as above
	}
	s.list = append(s.list, h)
}

func traitsOf(p *flows.Packet) (t trait) {
	switch p.Kind {
	case flows.KindTCP:
		if p.Flags&flows.FlagRST != 0 {
			t |= traitReset
		}
		if p.Flags&(flows.FlagSYN|flows.FlagACK|flows.FlagRST) == flows.FlagSYN {
			return t | traitProbe
		}
		if p.Payload > 0 {
			t |= traitPayload
		}
	case flows.KindUnreachable, flows.KindTimeExceeded:
		t |= traitError
	default:
		t |= traitProbe
	}
	return t
}

// streams tells what is no news: one way between two sockets, packets in quick succession. It
// keeps those out of the ring that the settled cache does not pass over, as of a voice
// that nobody answers.
type streams [1 << 12]uint64

const (
	streamSpan = 10 * second // of packet time
	streamMost = 4           // packets in it
)

// common reports whether there were enough packets like it. Who collides with another starts
// anew, so that it errs on the side of remembering.
func (s *streams) common(p *flows.Packet) bool {
	h := mix(mix(hashOf(&p.Src, 1), hashOf(&p.Dst, 2)), uint64(p.SrcPort)<<32|uint64(p.DstPort)<<16|uint64(p.Flags)<<8|uint64(p.Kind))
	const counts = 0xff
	now := h&^0xffffff | uint64(p.Time/streamSpan)&0xffff<<8 //nolint:gosec // its lower bits
	slot := &s[h>>52]
	if *slot&^counts != now {
		*slot = now
	}
	if *slot&counts >= streamMost {
		return true
	}
	*slot++
	return false
}

// pairShots is pair, where packets of scans are kept: it notes which events each made happen.
func (s *Sensor) pairShots(packets *packetBatch, events []flows.Event) []flows.Event {
	next := 0
	for i := range packets.shots.list {
		h := &packets.shots.list[i]
		if h.traits&traitPassed == 0 {
			p := &packets.packets[next]
			next++
			var fate flows.Fate
			events, fate = s.table.Tell(p, events)
			if fate == flows.FateAttempt {
				h.traits |= traitProbe
			}
			if s.cfg.OnPacket != nil {
				s.cfg.OnPacket(p, fate)
			}
		}
		h.line, h.events = s.table.Now(), int32(len(events)) //nolint:gosec // a batch is shorter
	}
	packets.shots, s.filling.shots = s.filling.shots, packets.shots
	return events
}
