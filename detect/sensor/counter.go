package sensor

import (
	"context"
	"errors"
	"io"
	"os"
	"sync"

	"github.com/synoptic-ids/synoptic/bpf"
	"github.com/synoptic-ids/synoptic/detect"
	"github.com/synoptic-ids/synoptic/flows"
	"github.com/synoptic-ids/synoptic/flows/filter"
)

// Counter is where packets come from that were chosen and read elsewhere, as by
// [bpf.Counter]. Stats and Close may be called from any goroutine; Close wakes Read, which
// then returns [os.ErrClosed]. One that ends by itself returns [io.EOF], with nothing.
type Counter interface {
	Read(*bpf.Batch) error
	Stats() (bpf.Stats, error)
	Close() error
}

// RunCounter is [Sensor.Run] with a source that hands over only what tells something new.
// Outcomes are told by the ends of connections, see [flows.TableConfig]. There are no frames:
// so of Config Decoder has no effect, Evidence is an error, and a Filter must not ask for
// what is around a packet, see [filter.Filter.OfFrame]; what was only counted is then left
// out. MaxPackets counts packets that were handed over.
func (s *Sensor) RunCounter(ctx context.Context, src Counter) (Summary, error) {
	if s.recorder != nil {
		return Summary{}, errors.New("packets of scans cannot be kept where no frames are read")
	}
	s.cfg.Table.Ends = true
	return s.run(&counterReader{ctx: ctx, src: src, filter: s.cfg.Filter, left: s.cfg.MaxPackets, bounded: s.cfg.MaxPackets > 0, seen: &s.seen})
}

// counterReader is the first stage where packets were read elsewhere.
type counterReader struct {
	ctx     context.Context
	src     Counter
	filter  *filter.Filter // nil: all packets fit
	left    uint64         // packets until MaxPackets
	bounded bool
	seen    *seen
	batch   bpf.Batch
	mu      sync.Mutex // of sum
	sum     Summary
}

func (r *counterReader) fill(b *packetBatch, _ int) (more bool, err error) {
	b.packets, b.summaries, b.idle, b.waits = b.packets[:0], b.summaries[:0], 0, true
	defer r.seen.batches.Add(1)
	if r.ctx.Err() != nil || r.bounded && r.left == 0 {
		r.stopped()
		return false, nil
	}
	r.batch.Packets, r.batch.Summaries = b.packets, b.summaries
	r.seen.turns.Add(1)
	err = r.src.Read(&r.batch)
	r.seen.turns.Add(1)
	b.packets, b.summaries, b.idle = r.batch.Packets, r.batch.Summaries, r.batch.Now
	if err != nil {
		b.packets, b.summaries, b.idle = b.packets[:0], b.summaries[:0], 0
		if errors.Is(err, io.EOF) {
			return false, nil
		}
		if errors.Is(err, os.ErrClosed) && r.ctx.Err() != nil {
			r.stopped()
			return false, nil
		}
		return false, err
	}
	r.choose(b)
	return true, nil
}

// choose leaves out what does not fit, and what is too much.
func (r *counterReader) choose(b *packetBatch) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.filter != nil {
		kept := 0
		for i := range b.packets {
			p := &b.packets[i]
			if r.filter.Match(p, nil, flows.Meta{Time: p.Time, Iface: p.Iface}) {
				b.packets[kept] = *p
				kept++
			}
		}
		r.sum.Filtered += uint64(len(b.packets) - kept)
		b.packets, b.summaries = b.packets[:kept], b.summaries[:0]
	}
	if r.bounded {
		b.packets = b.packets[:min(uint64(len(b.packets)), r.left)]
		r.left -= uint64(len(b.packets))
	}
	for i := range b.packets {
		at := detect.Time(b.packets[i].Time)
		if r.sum.Last == 0 {
			r.sum.First = at
		}
		r.sum.First, r.sum.Last = min(r.sum.First, at), max(r.sum.Last, at)
	}
}

// stopped notes that the run ends before the input does, and the last counts before the
// source is closed.
func (r *counterReader) stopped() {
	_, _ = r.summary()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sum.Stopped = true
}

// summary may be called from any goroutine. What there was no room to tell counts as lost,
// though it is told when it comes again.
func (r *counterReader) summary() (Summary, error) {
	stats, err := r.src.Stats()
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil {
		r.sum.Kernel = &stats
	} else if errors.Is(err, os.ErrClosed) && r.sum.Kernel != nil {
		err = nil // the last look tells how it ended
	}
	sum := r.sum
	if sum.Kernel == nil {
		return sum, err
	}
	sum.Capture.Dropped = sum.Kernel.RingFull
	for _, n := range sum.Kernel.Packets {
		sum.Capture.Packets += n
	}
	sum.Decode.Packets = sum.Kernel.Told
	sum.Decode.Truncated, sum.Decode.Malformed = sum.Kernel.Packets[bpf.ClassTruncated], sum.Kernel.Packets[bpf.ClassMalformed]
	return sum, err
}
