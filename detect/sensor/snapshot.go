package sensor

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/synoptic-ids/synoptic/detect"
	"github.com/synoptic-ids/synoptic/flows"
)

// seen is what other goroutines may know of a run while it goes on. Each stage writes
// its part between two batches, and who reads it keeps no stage waiting for long.
type seen struct {
	turns         atomic.Uint64 // of the reader, to the source and back: odd while it waits
	batches, done atomic.Uint64

	mu       sync.Mutex
	input    input // nil: not begun
	table    flows.TableStats
	detect   detect.Stats
	evidence EvidenceStats
	learning []detect.Learning
}

// Progress says how far a run has come. Who looks at it twice can tell whether it is
// stuck, see [Progress.Since].
type Progress struct {
	Reads   uint64 // times that the source was asked
	Waiting bool   // it has not answered the last time yet
	Batches uint64 // batches of packets that were read
	Done    uint64 // of those, batches that went through all stages
}

// Since reports whether the run has moved since an earlier moment, or had nothing to
// do: all that was read is done, and the source has had nothing more.
func (p Progress) Since(earlier Progress) bool {
	return p.Done > earlier.Done || p.Done >= p.Batches && (p.Waiting || p.Reads > earlier.Reads)
}

// Progress says how far the run has come. It may be called from any goroutine.
func (s *Sensor) Progress() Progress {
	p := Progress{Done: s.seen.done.Load()} // first, so that it is not above Batches
	p.Batches = s.seen.batches.Load()
	turns := s.seen.turns.Load()
	p.Reads, p.Waiting = (turns+1)/2, turns%2 == 1
	return p
}

// Snapshot says what the run has read and found so far; before it has begun, nothing.
// It may be called from any goroutine, also from callbacks. What each stage counted is
// that of a moment between two batches, and the later a stage, the earlier the moment.
func (s *Sensor) Snapshot() Summary {
	// An error of the source is one that the run itself meets.
	sum, _ := s.summary()
	return sum
}

func (s *Sensor) summary() (Summary, error) {
	v := &s.seen
	v.mu.Lock()
	from, table, found, learning, evidence := v.input, v.table, v.detect, v.learning, v.evidence
	v.mu.Unlock()
	if from == nil {
		return Summary{}, nil
	}
	sum, err := from.summary()
	sum.Table, sum.Detect, sum.Evidence = table, found, evidence
	sum.Learning = slices.DeleteFunc(slices.Clone(learning), func(l detect.Learning) bool { return l.Until <= sum.Last })
	// What the system passed over is as if the reader had.
	sum.Settled += sum.Capture.Thinned
	sum.Decode.Frames += sum.Capture.Thinned
	sum.Decode.Packets += sum.Capture.Thinned
	return sum, err
}

// Replace makes the run go on with other rules, which are not to be changed afterwards:
// see [detect.Engine.Replace]. On error the old rules stay in force. It may be called
// from any goroutine, but not from callbacks; it waits for the batch that is worked on.
func (s *Sensor) Replace(rules detect.Rules) error {
	s.engineMu.Lock()
	defer s.engineMu.Unlock()
	return s.engine.Replace(rules)
}

// Save appends to dst what the run remembers, for [Config.State] of another: see
// [detect.Engine.AppendState]. What is under way in the table, for up to ten seconds, is not in it.
// It may be called from any goroutine, but not from callbacks; it waits for the batch that is
// worked on, and the next one for it.
func (s *Sensor) Save(dst []byte) []byte {
	s.engineMu.Lock()
	defer s.engineMu.Unlock()
	return s.engine.AppendState(dst)
}

func (v *seen) begin(from input) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.input = from
}

// paired notes what the table has counted.
func (v *seen) paired(t *flows.Table) {
	stats := t.Stats()
	v.mu.Lock()
	v.table = stats
	v.mu.Unlock()
}

// detected notes what the engine has counted, and what was kept of scans.
func (v *seen) detected(s *Sensor) {
	stats, learning := s.engine.Stats(), s.engine.Learning()
	var evidence EvidenceStats
	if s.recorder != nil {
		evidence = s.recorder.Stats()
	}
	v.mu.Lock()
	v.detect, v.learning, v.evidence = stats, learning, evidence
	v.mu.Unlock()
}
