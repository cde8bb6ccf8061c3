package main

import (
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"time"

	"github.com/synoptic-ids/synoptic/capture"
	"github.com/synoptic-ids/synoptic/detect"
	"github.com/synoptic-ids/synoptic/flows"
)

// stageNames are the stages in the order of the line. A stage's cost is that
// of the line up to it less that of the line up to the one before.
var stageNames = []string{"read", "decode", "table", "detect"}

// stage is what one stage costs a packet, in nanoseconds of CPU time.
type stage struct {
	name  string
	nanos float64
}

// measureStages runs the line on a file up to each of its stages, so many
// times each, and also returns the last of the whole lines. The least of the
// runs counts: what else the machine does can only add.
func measureStages(file string, rounds int) ([]stage, *line, error) {
	least := make([]time.Duration, len(stageNames))
	for i := range least {
		least[i] = math.MaxInt64
	}
	var whole *line
	for range rounds {
		for i := range stageNames {
			took, l, err := timeLine(file, i+1)
			if err != nil {
				return nil, nil, err
			}
			least[i], whole = min(least[i], took), l
		}
	}
	if whole.read == 0 {
		return nil, nil, fmt.Errorf("%s holds no packets", file)
	}
	var stages []stage
	before := time.Duration(0)
	for i, name := range stageNames {
		stages = append(stages, stage{name, float64(least[i]-before) / float64(whole.read)})
		before = least[i]
	}
	return stages, whole, nil
}

// timeLine runs the first depth stages and returns the CPU time they took.
func timeLine(file string, depth int) (time.Duration, *line, error) {
	runtime.GC()
	before, err := ownCPU()
	if err != nil {
		return 0, nil, err
	}
	l, err := newLine(depth)
	if err != nil {
		return 0, nil, err
	}
	if err := l.run(file); err != nil {
		return 0, nil, fmt.Errorf("%s: %w", file, err)
	}
	after, err := ownCPU()
	return after - before, l, err
}

// line is what sensor.Sensor runs, cut off behind a stage.
type line struct {
	depth   int
	decoder flows.Decoder
	settled *flows.Settled
	table   *flows.Table
	engine  *detect.Engine
	links   []uint16 // by interface
	packets []flows.Packet
	events  []flows.Event
	read    uint64 // packets
	emitted uint64 // events
	opened  uint64 // scans
}

func newLine(depth int) (*line, error) {
	l := &line{depth: depth, settled: flows.NewSettled(0)}
	if depth >= 3 {
		l.table = flows.NewTable(flows.TableConfig{})
	}
	if depth < 4 {
		return l, nil
	}
	rules, err := detect.Profile("default")
	if err != nil {
		return nil, err
	}
	report := func(s detect.Scan) {
		if s.Phase == detect.Open {
			l.opened++
		}
	}
	l.engine, err = detect.New(detect.Config{Report: report}, rules)
	return l, err
}

// ethernet is the LINKTYPE number of frames that can be passed over undecoded.
const ethernet = 1

// batch is how many packets go through the stages at a time, as in the sensor.
const batch = 256

// run takes a file through the stages.
func (l *line) run(file string) (err error) {
	src, err := capture.Open(file, capture.Config{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, src.Close()) }()
	frames := make([]capture.Frame, batch)
	for {
		n, err := src.Read(frames)
		l.read += uint64(n)
		if l.depth >= 2 {
			l.through(src, frames[:n])
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
	}
	l.end()
	return nil
}

// through takes a batch through all stages but the first.
func (l *line) through(src capture.Source, frames []capture.Frame) {
	l.packets = l.packets[:0]
	for i := range frames {
		f := &frames[i]
		for int(f.Iface) >= len(l.links) {
			l.links = append(l.links, src.Link(uint32(len(l.links))))
		}
		if l.links[f.Iface] == ethernet && l.settled.SkipFrame(f.Data, f.Time) {
			continue
		}
		had := len(l.packets)
		l.packets = l.decoder.Append(l.packets, f.Data, flows.Meta{
			Time: f.Time, Iface: f.Iface, Len: f.Len, Link: l.links[f.Iface],
		})
		if len(l.packets) == had+1 && l.settled.Skip(&l.packets[had]) {
			l.packets = l.packets[:had]
		}
	}
	if l.table == nil {
		return
	}
	l.events = l.events[:0]
	for i := range l.packets {
		l.events = l.table.Add(&l.packets[i], l.events)
	}
	l.detect()
}

func (l *line) detect() {
	l.emitted += uint64(len(l.events))
	if l.engine == nil {
		return
	}
	for i := range l.events {
		l.engine.Observe(&l.events[i])
	}
	l.engine.Advance(l.table.Now())
}

// end settles what is still undecided.
func (l *line) end() {
	if l.table == nil {
		return
	}
	for more := true; more; {
		l.events, more = l.table.Close(l.events[:0])
		l.detect()
	}
	if l.engine != nil {
		l.engine.Close()
	}
}

// count reads a file once, which also brings it into memory, and returns how many
// packets it holds.
func count(file string) (uint64, error) {
	l, err := newLine(1)
	if err != nil {
		return 0, err
	}
	if err := l.run(file); err != nil {
		return 0, fmt.Errorf("%s: %w", file, err)
	}
	return l.read, nil
}
