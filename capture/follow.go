package capture

import (
	"errors"
	"io"
	"os"
	"time"
)

// defaultInterval is often enough for a person who watches, and costs nothing.
const defaultInterval = 250 * time.Millisecond

// follower is a Source over files of which the last one is followed. The files
// are read on a goroutine, because a decompressor cannot be left in the middle
// of its input: while it waits there, Read returns *Idle.
type follower struct {
	files *files
	work  []Frame // what the goroutine fills
	have  []Frame // the part of work that is not handed out yet
	err   error   // came with them
	busy  bool
	done  chan outcome
}

// outcome is what files.Read returned.
type outcome struct {
	n   int
	err error
}

func newFollower(f *files) *follower {
	return &follower{files: f, done: make(chan outcome, 1)}
}

// Read implements Source.
func (w *follower) Read(fs []Frame) (int, error) {
	if len(fs) == 0 {
		return 0, nil
	}
	if len(w.have) == 0 && w.err == nil && !w.next(len(fs)) {
		return 0, &Idle{}
	}
	n := copy(fs, w.have)
	if w.have = w.have[n:]; len(w.have) > 0 {
		return n, nil
	}
	err := w.err
	w.err = nil
	return n, err
}

// next gets frames, or reports that the input waits for more.
func (w *follower) next(size int) bool {
	if !w.busy {
		if len(w.work) < size {
			w.work = make([]Frame, size)
		}
		w.busy = true
		go func() {
			n, err := w.files.Read(w.work[:size])
			w.done <- outcome{n, err}
		}()
	}
	select {
	case got := <-w.done:
		w.busy, w.have, w.err = false, w.work[:got.n], got.err
		return true
	case <-w.files.waiting:
		return false
	}
}

// Link implements Source.
func (w *follower) Link(iface uint32) uint16 { return w.files.Link(iface) }

// Stats implements Source. It never fails.
func (w *follower) Stats() (Stats, error) { return w.files.Stats() }

// Close implements Source.
func (w *follower) Close() error { return w.files.Close() }

// pause waits between two looks at a followed input. It reports false if the
// source was closed meanwhile.
func (f *files) pause() bool {
	if !f.silent {
		f.silent = true
		select {
		case f.waiting <- struct{}{}:
		default:
		}
	}
	if f.cfg.wait != nil {
		f.cfg.wait(f.closed)
	} else {
		sleep(f.cfg.Interval, f.closed)
	}
	select {
	case <-f.closed:
		return false
	default:
		return true
	}
}

func sleep(d time.Duration, closed <-chan struct{}) {
	timer := time.NewTimer(d) //nolint:forbidigo // what is waited for is another program, not a packet's time
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-closed:
	}
}

// tail reads a file that grows. At its end it waits, until the watch says that
// nothing more will come.
type tail struct {
	files *files
	file  *os.File
	info  os.FileInfo // of file, when it was opened
	at    int64       // bytes read
	over  bool
	soft  bool // the end is not waited for
}

// state is what becomes of a followed file.
type state uint8

const (
	growing  state = iota // more may come
	replaced              // another file is next; this one has perhaps still to be read to its end
	emptied               // it was truncated: what is in it is not what was
)

// Read implements io.Reader.
func (t *tail) Read(p []byte) (int, error) {
	for {
		n, err := t.file.Read(p)
		t.at += int64(n)
		if n > 0 || t.over || t.soft || !errors.Is(err, io.EOF) {
			return n, err
		}
		switch t.files.watch.look(t) {
		case replaced:
			t.over = true // what was written before it was replaced comes first
		case emptied:
			t.over = true
			return 0, err
		default:
			if !t.files.pause() {
				return 0, os.ErrClosed
			}
		}
	}
}

// become compares the file with what now has its name.
func (t *tail) become(now os.FileInfo) state {
	switch {
	case !os.SameFile(t.info, now):
		return replaced
	case now.Size() < t.at:
		return emptied
	default:
		return growing
	}
}
