package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/synoptic-ids/synoptic/cmd/internal/config"
	"github.com/synoptic-ids/synoptic/cmd/internal/exit"
	"github.com/synoptic-ids/synoptic/cmd/internal/metrics"
	"github.com/synoptic-ids/synoptic/cmd/internal/output"
	"github.com/synoptic-ids/synoptic/detect"
	"github.com/synoptic-ids/synoptic/flows"
)

// sink is one output: an encoder over a buffer over a file or standard output.
type sink struct {
	encoder output.Encoder
	buf     *spool
	file    *os.File // nil: standard output
	name    string
	spec    string // as on the command line
	err     error  // the latest; in a run that ends by itself nothing is written after it
	failed  error  // the first before the file was opened anew
	gone    bool   // nothing is written after the error: nobody will ever read it

	attempts      bool // it writes attempts, and nothing else
	severe        severe
	sent, pending uint64
	lost          uint64
}

// fanout hands records to all sinks. Its methods may be called from any
// goroutine.
type fanout struct {
	mu    sync.Mutex
	sinks []*sink
	// lasting means that the run does not end by itself: what cannot be written is kept, and tried
	// again.
	lasting bool
	say     *Voice
	// alone means that the sinks are all the run is for: when none is left it
	// may as well stop.
	alone bool
	// abandon ends the run when nobody reads what it writes.
	abandon   context.CancelFunc
	abandoned bool
}

func openOutputs(plan config.Plan, stdout io.Writer, terminal bool, say *Voice) (*fanout, error) {
	f := &fanout{lasting: plan.Live(), say: say, alone: plan.Expect == nil && plan.FailOn == 0, abandon: func() {}}
	for _, o := range plan.Outputs {
		s := &sink{
			name: "standard output", spec: o.String(), attempts: o.Format == config.Attempts, severe: newSevere(o.MinSeverity),
		}
		w := stdout
		if o.Path != "" {
			file, err := createOutput(o.Path, &plan)
			if err != nil {
				_ = f.close()
				return f, err
			}
			s.name, s.file, w = o.Path, file, file
		}
		s.buf = &spool{w: w}
		switch o.Format {
		case config.JSON:
			s.encoder = output.NewJSON(s.buf)
		case config.Attempts:
			s.encoder = output.NewAttempts(s.buf)
		default:
			s.encoder = output.NewText(s.buf, output.TextConfig{
				Color: colored(plan.Color, o.Path == "" && terminal),
				Quiet: plan.Quiet, Verbose: plan.Verbose,
			})
		}
		f.sinks = append(f.sinks, s)
	}
	return f, nil
}

// createOutput opens a file to write to, unless it is one of the captures. Who goes on from a
// state goes on with what was written too.
func createOutput(path string, plan *config.Plan) (*os.File, error) {
	if info, err := os.Stat(path); err == nil {
		for _, in := range plan.Inputs {
			if other, err := os.Stat(in); err == nil && os.SameFile(info, other) {
				return nil, exit.With(exit.Usage, fmt.Errorf("writing %s would destroy the capture that is to be read", path))
			}
		}
	}
	open := os.Create
	if plan.State != "" {
		open = appendTo
	}
	if info, err := os.Stat(path); err == nil && plan.Live() && info.Mode()&os.ModeNamedPipe != 0 {
		open = openPipe
	}
	file, err := open(path)
	if err != nil {
		return nil, exit.With(exit.Failed, err)
	}
	return file, nil
}

// patience is how long the reader of a pipe has to take what it is written.
const patience = 20 * time.Millisecond

// openPipe opens a named pipe to write to, which may have no reader yet.
func openPipe(path string) (*os.File, error) {
	reader, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer func() { _ = reader.Close() }()
	return os.OpenFile(path, os.O_WRONLY|syscall.O_NONBLOCK, 0)
}

// appendTo opens a file to be appended to. A last line that was cut off is ended.
func appendTo(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o666)
	if err != nil {
		return nil, err
	}
	last := []byte("\n")
	if info, err := file.Stat(); err == nil && info.Mode().IsRegular() && info.Size() > 0 {
		if _, err := file.ReadAt(last, info.Size()-1); err == nil && last[0] != '\n' {
			_, err = file.WriteString("\n")
			if err != nil {
				return nil, errors.Join(err, file.Close())
			}
		}
	}
	return file, nil
}

func (f *fanout) scan(s *detect.Scan) {
	f.each(func(k *sink) {
		f.digest(k, k.severe.due(s.Time))
		if k.severe.lets(s) {
			f.write(k, func(e output.Encoder) error { return e.Scan(s) })
		}
	})
}

func (f *fanout) notice(n *detect.Notice) {
	f.each(func(k *sink) {
		f.digest(k, k.severe.due(n.Time))
		if n.Counters != nil {
			n.Counters.Withheld = k.severe.withheld
		}
		f.write(k, func(e output.Encoder) error { return e.Notice(n) })
	})
}

// digest writes what an output says of scans that were withheld from it, if it says anything.
func (f *fanout) digest(k *sink, d *output.Digest) {
	if d != nil {
		f.write(k, func(e output.Encoder) error { return e.Digest(d) })
	}
}

// withheld is how many scans that closed no output was told of.
func (f *fanout) withheld() (n uint64) {
	first := true
	f.each(func(k *sink) {
		if first || k.severe.withheld < n {
			n = k.severe.withheld
		}
		first = false
	})
	return n
}

func (f *fanout) attempt(a *flows.Attempt) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range f.sinks {
		if s.attempts {
			f.write(s, func(e output.Encoder) error { return e.Attempt(a) })
		}
	}
}

func (f *fanout) run(r *output.Run) {
	f.each(func(k *sink) {
		f.digest(k, k.severe.rest())
		record := *r
		record.Withheld = k.severe.withheld
		f.write(k, func(e output.Encoder) error { return e.Run(&record) })
	})
}

// each does something for all sinks but those of attempts.
func (f *fanout) each(do func(*sink)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range f.sinks {
		if !s.attempts {
			do(s)
		}
	}
}

// write writes a record to a sink. One that cannot be written to keeps it for later if the run lasts,
// and as long as there is room.
func (f *fanout) write(s *sink, do func(output.Encoder) error) {
	if s.gone {
		s.lost++
		return
	}
	held := len(s.buf.data)
	s.pending++
	err := do(s.encoder)
	if s.err != nil && len(s.buf.data) > maxBacklog {
		s.buf.data = s.buf.data[:held]
		s.pending--
		s.lost++
		if s.lost == 1 {
			f.say.Warning(fmt.Sprintf("%s: %d records wait to be written, and there is no room for more: what comes now is lost", s.name, s.pending))
		}
		return
	}
	if f.check(s, err); err == nil && s.err == nil && len(s.buf.data) >= sinkBuffer {
		f.flushSink(s)
	}
}

// flush writes out what is buffered, so that a reader of a pipe is not kept
// waiting.
func (f *fanout) flush() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range f.sinks {
		f.flushSink(s)
	}
}

func (f *fanout) flushSink(s *sink) {
	if s.pending == 0 || s.gone {
		return
	}
	if errors.Is(s.err, syscall.EPIPE) && s.file != nil && !s.readAgain() {
		return
	}
	if f.lasting && s.file != nil {
		// Only pipes have one. Whose reader stands still is written to later.
		_ = s.file.SetWriteDeadline(time.Now().Add(patience))
	}
	if err := s.buf.Flush(); err != nil {
		f.check(s, err)
		return
	}
	if s.err != nil {
		s.err = nil
		f.say.Info(fmt.Sprintf("%s can be written to again: %d records were waiting", s.name, s.pending))
	}
	s.sent, s.pending = s.sent+s.pending, 0
}

// readAgain opens a named pipe anew whose reader went away, if there is another one.
func (s *sink) readAgain() bool {
	file, err := os.OpenFile(s.name, os.O_WRONLY|os.O_APPEND|syscall.O_NONBLOCK, 0)
	if err != nil {
		return false
	}
	_ = s.file.Close() // it has failed already
	s.file, s.buf.w = file, file
	return true
}

// counts says what became of the records for each output.
func (f *fanout) counts() []metrics.Sink {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := make([]metrics.Sink, 0, len(f.sinks))
	for _, s := range f.sinks {
		all = append(all, metrics.Sink{Name: s.spec, Sent: s.sent, Lost: s.lost})
	}
	return all
}

// failing is the error of an output that cannot be written to, if there is one.
func (f *fanout) failing() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range f.sinks {
		if s.err != nil {
			return fmt.Errorf("writing %s: %w", s.name, s.err)
		}
	}
	return nil
}

// reopening is what changes when the files of outputs are opened anew.
type reopening struct {
	sinks []*sink
	files []*os.File // by sink
}

// prepare opens the files of outputs anew that are not under their names any more, as
// when they were rotated away, or could not be written to. It is all of them, or none.
func (f *fanout) prepare() (*reopening, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	r := &reopening{}
	for _, s := range f.sinks {
		if s.file == nil || s.err == nil && s.inPlace() {
			continue
		}
		file, err := os.OpenFile(s.name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o666)
		if err != nil {
			r.drop()
			return nil, exit.With(exit.Failed, err)
		}
		r.sinks, r.files = append(r.sinks, s), append(r.files, file)
	}
	return r, nil
}

// inPlace is whether the file that is written to is that of its name.
func (s *sink) inPlace() bool {
	open, err := s.file.Stat()
	if err != nil {
		return false
	}
	named, err := os.Stat(s.name)
	return err == nil && os.SameFile(open, named)
}

func sameFile(a, b *os.File) bool {
	one, err := a.Stat()
	other, otherErr := b.Stat()
	return err == nil && otherErr == nil && os.SameFile(one, other)
}

// drop closes what was opened.
func (r *reopening) drop() {
	for _, file := range r.files {
		_ = file.Close()
	}
}

// take goes on with the files that were opened. What was not yet written to the old ones
// is.
func (f *fanout) take(r *reopening) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, s := range r.sinks {
		f.flushSink(s)
		if !sameFile(s.file, r.files[i]) {
			s.buf.restart()
		}
		if err := s.file.Close(); s.err == nil {
			s.err = err
		}
		if s.failed == nil {
			s.failed = s.err
		}
		s.file, s.err, s.gone = r.files[i], nil, false
		s.buf.w = s.file
	}
}

// check notes an error of a sink. When no sink is left the run has no purpose, unless it lasts and
// they may come back: of standard output nobody else can become the reader.
func (f *fanout) check(s *sink, err error) {
	if err == nil {
		return
	}
	first := s.err == nil
	s.err = err
	if s.gone = !f.lasting || s.file == nil && errors.Is(err, syscall.EPIPE); !s.gone {
		if first {
			f.say.Warning(fmt.Sprintf("writing %s: %v; records are kept, and it is tried again", s.name, err))
		}
		return
	}
	s.lost, s.pending, s.buf.data = s.lost+s.pending, 0, nil
	for _, other := range f.sinks {
		if !other.gone {
			return
		}
	}
	if f.alone {
		f.abandoned = true
		f.abandon()
	}
}

// close flushes and closes all sinks and returns their errors. That the reader
// of a pipe went away is none.
func (f *fanout) close() error {
	f.flush()
	var errs []error
	for _, s := range f.sinks {
		s.lost, s.pending = s.lost+s.pending, 0
		if s.file != nil {
			if err := s.file.Close(); s.err == nil {
				s.err = err
			}
		}
		err := s.err
		if s.failed != nil {
			err = s.failed
		}
		if err != nil && !errors.Is(err, syscall.EPIPE) {
			errs = append(errs, fmt.Errorf("writing %s: %w", s.name, err))
		}
	}
	return errors.Join(errs...)
}
