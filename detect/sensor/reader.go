package sensor

import (
	"context"
	"errors"
	"io"
	"os"
	"sync"

	"github.com/synoptic-ids/synoptic/capture"
	"github.com/synoptic-ids/synoptic/detect"
	"github.com/synoptic-ids/synoptic/flows"
	"github.com/synoptic-ids/synoptic/flows/filter"
)

// ethernet is the LINKTYPE number of frames that can be passed over undecoded.
const ethernet = 1

// reader is the first stage: it reads frames, decodes them, and passes over
// what can change nothing.
type reader struct {
	ctx     context.Context
	src     capture.Source
	frames  []capture.Frame
	decoder *flows.Decoder
	filter  *filter.Filter // nil: all packets fit
	camera  *camera        // nil: no packets are kept
	settled *flows.Settled
	left    uint64 // packets until MaxPackets; 0 for no bound
	bounded bool
	drained bool // the source lets nothing more in
	sum     Summary
	handed  detect.Time // latest packet time when a batch was last passed on
	any     bool
	links   []uint16 // by interface
	seen    *seen
	mu      sync.Mutex // of all that is counted, and of the decoder
}

func newReader(ctx context.Context, src capture.Source, cfg Config, seen *seen) *reader {
	return &reader{
		ctx: ctx, src: src, frames: make([]capture.Frame, cfg.Batch),
		decoder: flows.NewDecoder(cfg.Decoder), settled: flows.NewSettled(cfg.Decoder.Seed), filter: cfg.Filter,
		left: cfg.MaxPackets, bounded: cfg.MaxPackets > 0, seen: seen, camera: newCamera(cfg.Evidence),
	}
}

// patience is how much time may pass, by the packets' own, before those that were read
// are passed on, few as they may be: most of what was read may be of no interest.
const patience = 100_000_000

// fill reads until a batch holds enough packets, or there is reason to pass it
// on as it is. It reports whether there is more to come; an error is final.
func (r *reader) fill(b *packetBatch, enough int) (more bool, err error) {
	b.packets, b.idle, b.waits = b.packets[:0], 0, false
	b.shots.reset()
	for more = true; more && !b.waits && len(b.packets) < enough && len(b.shots.list) < enough && r.sum.Last-r.handed < patience; {
		more, err = r.read(b)
	}
	r.handed = r.sum.Last
	r.seen.batches.Add(1)
	return more, err
}

// read adds what one Read of the source brings to a batch.
func (r *reader) read(b *packetBatch) (more bool, err error) {
	if r.ctx.Err() != nil && !r.drain() || r.bounded && r.left == 0 {
		r.stopped()
		return false, nil
	}
	frames := r.frames
	if r.bounded && r.left < uint64(len(frames)) {
		frames = frames[:r.left]
	}
	r.seen.turns.Add(1)
	n, err := r.src.Read(frames)
	r.seen.turns.Add(1)
	r.mu.Lock()
	defer r.mu.Unlock()
	if n > 0 {
		take := r.take
		if r.camera != nil {
			take = r.shoot
		}
		counted := take(frames[:n], b)
		if r.bounded {
			// No more frames were read than may still count, so that the last one
			// to count is also the last one read.
			r.left -= counted
		}
	}
	return r.ended(err, b)
}

// drainer is a source that can be kept from taking in more. Read then hands out what is
// there, and comes to an end.
type drainer interface{ Drain() error }

// drain reports whether there is something to be read of a source that is to be left.
func (r *reader) drain() bool {
	d, ok := r.src.(drainer)
	if !ok || r.drained {
		return r.drained
	}
	r.drained = d.Drain() == nil
	return r.drained
}

// stopped notes that the run ends before the input does.
func (r *reader) stopped() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sum.Stopped = true
}

// take adds what frames hold to a batch, and returns how many of them the filter
// did not leave out.
func (r *reader) take(frames []capture.Frame, b *packetBatch) (counted uint64) {
	r.span(frames)
	// With a filter every frame is decoded: whether it fits is part of the
	// account, and of what MaxPackets counts.
	all := r.filter != nil
	for i := range frames {
		f := &frames[i]
		if int(f.Iface) >= len(r.links) {
			r.meet(f.Iface)
		}
		link := r.links[f.Iface]
		if !all && link == ethernet && r.settled.SkipFrame(f.Data, f.Time) || r.decode(f, link, b) {
			counted++
		}
	}
	return counted
}

// decode adds what a frame holds to a batch. It reports false if the filter
// left the frame out.
func (r *reader) decode(f *capture.Frame, link uint16, b *packetBatch) (fits bool) {
	had := len(b.packets)
	meta := flows.Meta{Time: f.Time, Iface: f.Iface, Len: f.Len, Link: link}
	b.packets = r.decoder.Append(b.packets, f.Data, meta)
	fits = true
	if r.filter != nil {
		r.leaveOut(b, had, f.Data, meta)
		fits = len(b.packets) > had
	}
	kept := had
	for i := had; i < len(b.packets); i++ {
		if r.settled.Skip(&b.packets[i]) {
			continue
		}
		if kept != i {
			b.packets[kept] = b.packets[i]
		}
		kept++
	}
	b.packets = b.packets[:kept]
	return fits
}

// leaveOut takes the packets from had on out of a batch that do not fit the
// filter. It stands before the settled cache: what the table does not see, the
// cache must not see.
func (r *reader) leaveOut(b *packetBatch, had int, frame []byte, meta flows.Meta) {
	kept := had
	for i := had; i < len(b.packets); i++ {
		if !r.filter.Match(&b.packets[i], frame, meta) {
			r.sum.Filtered++
			continue
		}
		if kept != i {
			b.packets[kept] = b.packets[i]
		}
		kept++
	}
	b.packets = b.packets[:kept]
}

// span widens the time that the packets span.
func (r *reader) span(frames []capture.Frame) {
	first, last := frames[0].Time, frames[0].Time
	if r.any {
		first, last = int64(r.sum.First), int64(r.sum.Last)
	}
	for i := range frames {
		first, last = min(first, frames[i].Time), max(last, frames[i].Time)
	}
	r.any, r.sum.First, r.sum.Last = true, detect.Time(first), detect.Time(last)
}

// meet notes the link types of interfaces up to one that is new.
func (r *reader) meet(iface uint32) {
	for int(iface) >= len(r.links) {
		r.links = append(r.links, r.src.Link(uint32(len(r.links))))
	}
}

// ended sorts out what came with a read: the end, damage, a live source's
// silence, or an error.
func (r *reader) ended(err error, b *packetBatch) (more bool, _ error) {
	if err == nil {
		return true, nil
	}
	var idle *capture.Idle
	var damage *capture.DamageError
	var format *capture.FormatError
	switch {
	case errors.Is(err, io.EOF):
		r.sum.Stopped = r.sum.Stopped || r.drained
		return false, nil
	case errors.As(err, &idle):
		b.idle, b.waits = idle.Now, true
		return true, nil
	case errors.As(err, &damage):
		if len(r.sum.Damage) < maxReports {
			r.sum.Damage = append(r.sum.Damage, damage)
		}
		return true, nil
	case errors.As(err, &format):
		if len(r.sum.Refused) < maxReports {
			r.sum.Refused = append(r.sum.Refused, format)
		}
		return true, nil
	case errors.Is(err, os.ErrClosed) && r.ctx.Err() != nil:
		r.sum.Stopped = true
		return false, nil
	default:
		return false, err
	}
}

func (r *reader) summary() (sum Summary, err error) {
	sum = r.counts()
	sum.Capture, err = r.src.Stats()
	return sum, err
}

func (r *reader) counts() Summary {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sum.Decode = r.decoder.Stats()
	r.sum.Decode.Frames += r.settled.Undecoded
	r.sum.Decode.Packets += r.settled.Undecoded
	r.sum.Settled = r.settled.Passed
	r.sum.Interfaces = len(r.links)
	return r.sum
}
