package app

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
)

// backlog is what waits to be written to an output that cannot be written to.
type backlog struct {
	Output string `json:"output"` // as on the command line
	Data   []byte `json:"data"`
}

func (b *backlog) lines() uint64 { return uint64(bytes.Count(b.Data, []byte("\n"))) } //nolint:gosec // not negative

// owed is what waits for all outputs that may be written to again.
func (f *fanout) owed() (all []backlog) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range f.sinks {
		if s.err != nil && !s.gone && len(s.buf.data) > 0 {
			all = append(all, backlog{s.spec, s.buf.owed()})
		}
	}
	return all
}

// owe gives outputs what waited for them when an earlier run ended, and returns what is for none of them.
func (f *fanout) owe(all []backlog) (others []backlog) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, b := range all {
		i := slices.IndexFunc(f.sinks, func(s *sink) bool { return s.spec == b.Output })
		if i < 0 {
			others = append(others, b)
			continue
		}
		s := f.sinks[i]
		s.buf.data = append(s.buf.data, b.Data...)
		s.pending += b.lines()
	}
	return others
}

// waiting keeps in a file, beside the state, what waits to be written, so that a run that is killed loses none of
// what the state takes for told.
type waiting struct {
	path string
	is   bool      // there is such a file
	left []backlog // by an earlier run
}

// mostWaiting bounds what is read of the file, in bytes: some outputs, each with all that it keeps.
const mostWaiting = 64 << 20

// read reads what an earlier run has left. What cannot be read is moved aside.
func (w *waiting) read(say *Voice) error {
	data, err := readAtMost(w.path, mostWaiting)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, &w.left); err != nil {
		w.left = nil
		say.Warning(fmt.Sprintf("what waits to be written in %s cannot be read, and is now %s.old: %v", w.path, w.path, err))
		return os.Rename(w.path, w.path+".old")
	}
	w.is = true
	return nil
}

// hold keeps what waits, in place of what waited before; release is when nothing does.
func (k *keeper) hold(all []backlog) error {
	data, err := json.Marshal(all)
	if err != nil {
		return err
	}
	if err := k.write(k.waiting.path, data); err != nil {
		return err
	}
	k.waiting.is = true
	return nil
}

func (k *keeper) release() {
	if k.waiting.is {
		_ = os.Remove(k.waiting.path) // else it is written twice, at worst
		k.waiting.is = false
	}
}

// inherit gives the outputs what an earlier run could not write to them. What is for others is kept in a file of
// its own.
func (a *App) inherit() error {
	if a.keeper == nil {
		return nil
	}
	others := a.out.owe(a.keeper.waiting.left)
	a.keeper.waiting.left = nil
	if len(others) == 0 {
		return nil
	}
	data, err := json.Marshal(others)
	if err != nil {
		return err
	}
	old := a.keeper.waiting.path + ".old"
	if err := a.keeper.write(old, data); err != nil {
		return fmt.Errorf("--state %s: %w", a.plan.State, err)
	}
	for i := range others {
		a.say.Warning(fmt.Sprintf("%d lines wait for %s, which is no output of this run: they are in %s", others[i].lines(), others[i].Output, old))
	}
	return nil
}
