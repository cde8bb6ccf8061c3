package sensor

import "github.com/synoptic-ids/synoptic/flows"

// packetBatch is what goes from the reader to the table.
type packetBatch struct {
	packets   []flows.Packet
	summaries []flows.Summary
	shots     shots // where packets of scans are kept
	idle      int64 // a live source's clock behind the packets, where it is known; 0 otherwise
	waits     bool  // nothing more was there to read
}

// eventBatch is what goes from the table to the engine.
type eventBatch struct {
	events    []flows.Event
	summaries []flows.Summary // behind the events
	shots     shots           // of the batch of packets
	now       int64           // line clock behind the batch
	idle      int64           // of the batch of packets
	whole     bool            // that batch is done with them
}

// handOver is how many batches of packets go to the next stage at a time. Waking
// another goroutine costs as much as some fifty packets.
const handOver = 8

// depth is how many batches may wait between two stages.
const depth = 2

// piped runs reader and table on goroutines of their own. Batches are recycled: each
// link is a pair of channels, one for full batches and one for empty ones.
func (s *Sensor) piped(r input) error {
	fullPackets, freePackets := make(chan *packetBatch, depth), make(chan *packetBatch, depth)
	fullEvents, freeEvents := make(chan *eventBatch, depth), make(chan *eventBatch, depth)
	s.filling = &eventBatch{}
	for range depth {
		freePackets <- &packetBatch{}
		freeEvents <- &eventBatch{}
	}
	s.pass = func(b *eventBatch) *eventBatch {
		fullEvents <- b
		return <-freeEvents
	}
	var readErr error
	go func() {
		defer close(fullPackets)
		for more := true; more; {
			b := <-freePackets
			more, readErr = r.fill(b, handOver*s.cfg.Batch)
			fullPackets <- b
		}
	}()
	go func() {
		defer close(fullEvents)
		for p := range fullPackets {
			s.pair(p)
			freePackets <- p
		}
		s.settle()
	}()
	for ev := range fullEvents {
		s.detect(ev)
		freeEvents <- ev
	}
	s.close()
	return readErr
}
