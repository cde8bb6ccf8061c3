package sensor

import (
	"context"
	"errors"
	"io"
	"os"

	"github.com/synoptic-ids/synoptic/capture"
	"github.com/synoptic-ids/synoptic/detect"
	"github.com/synoptic-ids/synoptic/flows"
)

// ethernet is the LINKTYPE number of frames that can be passed over undecoded.
const ethernet = 1

// reader is the first stage: it reads frames, decodes them, and passes over
// what can change nothing.
type reader struct {
	ctx     context.Context
	src     capture.Source
	frames  []capture.Frame
	decoder flows.Decoder
	settled flows.Settled
	left    uint64 // packets until MaxPackets; 0 for no bound
	bounded bool
	sum     Summary
	any     bool
	links   []uint16 // by interface
}

func newReader(ctx context.Context, src capture.Source, cfg Config) *reader {
	return &reader{
		ctx: ctx, src: src, frames: make([]capture.Frame, cfg.Batch),
		left: cfg.MaxPackets, bounded: cfg.MaxPackets > 0,
	}
}

// fill reads until a batch holds enough packets, or there is reason to pass it
// on as it is. It reports whether there is more to come; an error is final.
func (r *reader) fill(b *packetBatch, enough int) (more bool, err error) {
	b.packets, b.idle = b.packets[:0], 0
	for more = true; more && b.idle == 0 && len(b.packets) < enough; {
		more, err = r.read(b)
	}
	return more, err
}

// read adds what one Read of the source brings to a batch.
func (r *reader) read(b *packetBatch) (more bool, err error) {
	if r.ctx.Err() != nil || r.bounded && r.left == 0 {
		r.sum.Stopped = true
		return false, nil
	}
	frames := r.frames
	if r.bounded && r.left < uint64(len(frames)) {
		frames = frames[:r.left]
	}
	n, err := r.src.Read(frames)
	for i := range frames[:n] {
		r.decode(&frames[i], b)
	}
	if r.bounded {
		r.left -= uint64(n)
	}
	return r.ended(err, b)
}

func (r *reader) decode(f *capture.Frame, b *packetBatch) {
	if r.sum.Last < detect.Time(f.Time) || r.sum.First > detect.Time(f.Time) || !r.any {
		r.span(detect.Time(f.Time))
	}
	if int(f.Iface) >= len(r.links) {
		r.meet(f.Iface)
	}
	link := r.links[f.Iface]
	if link == ethernet && r.settled.SkipFrame(f.Data) {
		return
	}
	had := len(b.packets)
	b.packets = r.decoder.Append(b.packets, f.Data, flows.Meta{
		Time: f.Time, Iface: f.Iface, Len: f.Len, Link: link,
	})
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
}

// span widens the time that the packets span.
func (r *reader) span(at detect.Time) {
	if !r.any {
		r.any, r.sum.First, r.sum.Last = true, at, at
	}
	r.sum.First, r.sum.Last = min(r.sum.First, at), max(r.sum.Last, at)
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
		return false, nil
	case errors.As(err, &idle):
		b.idle = idle.Now
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

func (r *reader) summary() Summary {
	r.sum.Decode = r.decoder.Stats()
	r.sum.Decode.Frames += r.settled.Undecoded
	r.sum.Decode.Packets += r.settled.Undecoded
	r.sum.Settled = r.settled.Passed
	r.sum.Interfaces = len(r.links)
	return r.sum
}
