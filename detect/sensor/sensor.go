// Package sensor is the whole line as a library: it reads a capture.Source,
// decodes, pairs flows, detects, and hands scans to a callback.
package sensor

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/synoptic-ids/synoptic/bpf"
	"github.com/synoptic-ids/synoptic/capture"
	"github.com/synoptic-ids/synoptic/detect"
	"github.com/synoptic-ids/synoptic/flows"
	"github.com/synoptic-ids/synoptic/flows/filter"
)

// Config says how a [Sensor] works. The zero value replays with the default
// profile and reports to nobody.
type Config struct {
	// Rules are the detection rules; without any, those of the default profile, with
	// the Home, if any, and the Allow that are here.
	Rules detect.Rules
	// OnScan is given each record of a scan: open, update, close. The record is
	// the callee's to keep. Calls come one at a time, in the order of the packets.
	OnScan func(detect.Scan)
	// OnNotice is given each record of what is no scan: floods and the like. It is called as
	// OnScan is, and between its calls.
	OnNotice func(detect.Notice)
	// OnAttempt is given each attempt when its outcome is final, in the order
	// of their ends. Calls come one at a time, between those of OnScan.
	OnAttempt func(flows.Attempt)
	// OnPacket is given each packet that the table has taken, and what it was to the
	// table. Calls come one at a time, but beside those of the others unless Inline is
	// set. The packet is not to be kept.
	OnPacket func(p *flows.Packet, fate flows.Fate)
	// OnEvents is given the events in batches, each before the engine is, with the
	// line clock behind it. Calls come one at a time, between those of OnScan. The
	// batch is not to be kept.
	OnEvents func(events []flows.Event, now int64)
	// Filter leaves out packets that do not fit, as if they had not been
	// captured; nil leaves out none. One that hides replies leaves outcomes
	// untold, see [filter.Filter.Hides].
	Filter *filter.Filter
	// MaxPackets ends the run after so many packets; 0 means all. With a filter
	// only frames count of which a packet fits.
	MaxPackets uint64
	// Batch is how many packets go through the stages at a time, 1 to 4,096; 0
	// means 256. No output depends on it.
	Batch int
	// Inline runs all stages on the caller's goroutine, as is done with one
	// processor. No output depends on it.
	Inline bool
	// Decoder says what is made of frames: which packets of tunnels count, and
	// what is kept of fragments.
	Decoder flows.DecoderConfig
	// Table and Engine bound the state. Engine.Report and Engine.Notify are not used: see
	// OnScan and OnNotice.
	Table  flows.TableConfig
	Engine detect.Config
	// Evidence says which packets of scans are kept, and who takes them.
	Evidence Evidence
	// State is what an earlier run saved, see [Sensor.Save], from which this one goes on; nil: it
	// begins anew. Of its open scans those with the IDs in Closed are taken for closed, and
	// nothing is told of that.
	State  []byte
	Closed []string
	// Heartbeat is how often OnNotice is told how the run is doing, by the line clock, which
	// a live source moves without packets too; 0 means never. Of files that are read as fast as
	// can be, what is told depends on how far the reader is ahead.
	Heartbeat time.Duration
	// Seed keys all hash functions, in place of those of Decoder, Table and Engine. The
	// same seed gives the same output. Where strangers can send what is read, draw it: one that
	// they know lets them choose addresses that fall together in the tables.
	Seed uint64
}

// Summary says what a run read and found.
type Summary struct {
	Capture    capture.Stats
	Kernel     *bpf.Stats // of [Sensor.RunCounter]: what was counted, and how full the tables are; else nil
	Decode     flows.DecodeStats
	Table      flows.TableStats
	Detect     detect.Stats
	Evidence   EvidenceStats
	Filtered   uint64                 // packets that the filter left out
	Learning   []detect.Learning      // what had not been learned yet at the end
	Settled    uint64                 // packets passed over because they could change no outcome
	First      detect.Time            // earliest packet time; 0 without packets
	Last       detect.Time            // latest packet time
	Damage     []*capture.DamageError // where inputs were damaged, the first 64
	Refused    []*capture.FormatError // inputs that are no captures, the first 64
	Interfaces int                    // interfaces that packets came from
	Stopped    bool                   // MaxPackets was reached, or the context ended
}

const (
	defaultBatch = 256
	maxBatch     = 4096
	maxReports   = 64
)

// Sensor runs the line. One Sensor makes one run.
type Sensor struct {
	cfg      Config
	table    *flows.Table
	engineMu sync.Mutex // of the engine, which Replace may be called upon from anywhere
	engine   *detect.Engine
	seen     seen
	heart    heart
	recorder *recorder                     // nil: no packets are kept
	filling  *eventBatch                   // by the table
	pass     func(*eventBatch) *eventBatch // hands a batch on, and gives an empty one
}

// ErrState is that of a State which cannot be gone on from: see [detect.Engine.LoadState].
var ErrState = errors.New("the state cannot be used")

// New checks cfg and makes a sensor.
func New(cfg Config) (*Sensor, error) {
	if cfg.Batch == 0 {
		cfg.Batch = defaultBatch
	}
	if cfg.Batch < 1 || cfg.Batch > maxBatch {
		return nil, fmt.Errorf("batch of %d packets: must be from 1 to %d", cfg.Batch, maxBatch)
	}
	if len(cfg.Rules.Rules) == 0 {
		rules, err := detect.Profile("default")
		if err != nil {
			return nil, err
		}
		if len(cfg.Rules.Home) > 0 {
			rules.Home = cfg.Rules.Home
		}
		rules.Allow = cfg.Rules.Allow
		cfg.Rules = rules
	}
	cfg.Engine.Report, cfg.Engine.Notify = cfg.OnScan, cfg.OnNotice
	cfg.Decoder.Seed, cfg.Table.Seed, cfg.Engine.Seed = cfg.Seed, cfg.Seed, cfg.Seed
	var rec *recorder
	if cfg.Evidence.Keeper != nil {
		rec = newRecorder(cfg.Evidence, cfg.Seed, cfg.OnScan)
		cfg.Engine.Report = rec.scan
	}
	engine, err := detect.New(cfg.Engine, cfg.Rules)
	if err != nil {
		return nil, err
	}
	if rec != nil {
		rec.engine = engine
	}
	if cfg.State != nil {
		if err := engine.LoadState(cfg.State); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrState, err)
		}
		engine.Settle(cfg.Closed)
		cfg.State, cfg.Closed = nil, nil
	}
	cfg.Inline = cfg.Inline || runtime.GOMAXPROCS(0) == 1
	s := &Sensor{cfg: cfg, engine: engine, recorder: rec}
	if cfg.OnNotice != nil {
		s.heart.every = int64(max(cfg.Heartbeat, 0))
	}
	return s, nil
}

// Run reads src to its end, or until ctx ends, and returns what it read. Scans still open
// then are closed. It does not close src; to wake a live source, close it when
// ctx ends. An error is one of reading; the summary counts what was read before it.
func (s *Sensor) Run(ctx context.Context, src capture.Source) (Summary, error) {
	return s.run(newReader(ctx, src, s.cfg, &s.seen))
}

// input is the first stage.
type input interface {
	// fill reads until a batch holds enough packets, or there is reason to pass it on as it
	// is. It reports whether there is more to come; an error is final.
	fill(b *packetBatch, enough int) (more bool, err error)
	// summary is what was read so far. It may be called from any goroutine.
	summary() (Summary, error)
}

func (s *Sensor) run(r input) (Summary, error) {
	cfg := s.cfg.Table
	if s.recorder == nil { // which must know what each packet made happen
		cfg.Relay = func(events []flows.Event, now int64) []flows.Event { return s.relay(events, now, 0, false) }
	}
	s.table = flows.NewTable(cfg)
	s.seen.begin(r)
	var err error
	if s.cfg.Inline {
		err = s.inline(r)
	} else {
		err = s.piped(r)
	}
	sum, statsErr := s.summary()
	if err == nil {
		err = statsErr
	}
	s.health(&sum)
	return sum, err
}

// inline runs the stages one after the other.
func (s *Sensor) inline(r input) error {
	var packets packetBatch
	s.filling = &eventBatch{}
	s.pass = func(b *eventBatch) *eventBatch {
		s.detect(b)
		return b
	}
	for {
		more, err := r.fill(&packets, 1)
		s.pair(&packets)
		if more {
			continue
		}
		s.settle()
		s.close()
		return err
	}
}

// pair gives a batch of packets to the table, and hands on what comes of it.
func (s *Sensor) pair(packets *packetBatch) {
	events := s.filling.events[:0]
	if s.recorder != nil {
		s.paired(packets, s.pairShots(packets, events))
		return
	}
	for i := range packets.packets {
		if s.cfg.OnPacket != nil {
			events = s.told(&packets.packets[i], events)
			continue
		}
		events = s.table.Add(&packets.packets[i], events)
	}
	s.paired(packets, events)
}

// paired moves the table to where the batch ends, and hands on what the batch made happen.
func (s *Sensor) paired(packets *packetBatch, events []flows.Event) {
	if packets.idle > 0 {
		events = s.table.Advance(packets.idle, events)
	}
	s.seen.paired(s.table)
	s.filling.summaries, packets.summaries = packets.summaries, s.filling.summaries
	s.relay(events, s.table.Now(), packets.idle, true)
}

// relay hands events on and returns where the next go. The last of a batch of packets are
// whole, and have its idle.
func (s *Sensor) relay(events []flows.Event, now, idle int64, whole bool) []flows.Event {
	b := s.filling
	b.events, b.now, b.idle, b.whole = events, now, idle, whole
	s.filling = s.pass(b)
	return s.filling.events[:0]
}

// told gives a packet to the table, and says what it was.
func (s *Sensor) told(p *flows.Packet, events []flows.Event) []flows.Event {
	events, fate := s.table.Tell(p, events)
	s.cfg.OnPacket(p, fate)
	return events
}

// settle ends what the table still holds, and hands it on.
func (s *Sensor) settle() {
	for more := true; more; {
		var events []flows.Event
		events, more = s.table.Close(s.filling.events[:0])
		s.seen.paired(s.table)
		s.relay(events, s.table.Now(), 0, false)
	}
}

// detect gives a batch of events to the engine.
func (s *Sensor) detect(events *eventBatch) {
	s.engineMu.Lock()
	defer s.engineMu.Unlock()
	if s.cfg.OnEvents != nil {
		s.cfg.OnEvents(events.events, events.now)
	}
	if s.recorder != nil {
		s.record(events)
	} else {
		for i := range events.events {
			ev := &events.events[i]
			s.engine.Observe(ev)
			if ev.Kind == flows.Final && s.cfg.OnAttempt != nil {
				s.cfg.OnAttempt(ev.Attempt)
			}
		}
		s.engine.Advance(events.now)
	}
	for i := range events.summaries {
		s.engine.Extend(&events.summaries[i])
	}
	events.summaries = events.summaries[:0]
	s.seen.detected(s)
	if events.whole {
		s.seen.done.Add(1)
	}
	if events.now == 0 {
		s.beat(events.idle) // there has been no packet at all
	} else {
		s.beat(events.now)
	}
}

// close ends what is still open.
func (s *Sensor) close() {
	s.engineMu.Lock()
	defer s.engineMu.Unlock()
	if s.recorder != nil {
		s.recorder.settle()
	}
	s.engine.Close()
	s.seen.detected(s)
}
