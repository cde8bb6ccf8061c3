package app

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/synoptic-ids/synoptic/cmd/internal/config"
	"github.com/synoptic-ids/synoptic/cmd/internal/exit"
	"github.com/synoptic-ids/synoptic/cmd/internal/metrics"
	"github.com/synoptic-ids/synoptic/detect"
)

// keeper keeps the state of a run in a file, and beside it, in the journal, which scans have closed
// since: a run that was killed is gone on from without losing the end of a scan, or telling it twice.
type keeper struct {
	path  string
	write func(path string, data []byte) error
	say   *Voice
	// loaded is what an earlier run saved, and closed which of its scans are over.
	loaded []byte
	closed []string

	saving sync.Mutex // held for as long as it takes
	buf    []byte
	failed bool // the last time, and it was said

	settling sync.Mutex // held while outputs are written to, and what they have not taken is kept
	waiting  waiting
	journal

	counting sync.Mutex
	counts   metrics.Saved
}

// ahead is how far the clock may be behind a state, when it is begun with: clocks are corrected.
const ahead = time.Minute

// openKeeper reads what an earlier run saved, and the seed that goes with it. What cannot be used is
// moved aside.
func openKeeper(plan *config.Plan, say *Voice, now time.Time) (*keeper, error) {
	k := &keeper{path: plan.State, say: say, write: replaceFile, journal: journal{path: plan.State + ".closed"}, waiting: waiting{path: plan.State + ".waiting"}}
	unwritable := func(err error) error {
		return exit.With(exit.Failed, fmt.Errorf("--state %s: %w", k.path, err), "it is a file in a folder that this user may write to")
	}
	data, err := readAtMost(k.path, plan.Memory)
	switch {
	case errors.Is(err, os.ErrNotExist):
	case err != nil:
		return nil, unwritable(err)
	default:
		if err := k.take(plan, data, now); err != nil {
			return nil, unwritable(err)
		}
	}
	if k.loaded == nil {
		k.closed = nil
	}
	if err := k.waiting.read(say); err != nil {
		return nil, unwritable(err)
	}
	// What cannot be written now would be found out about when it is needed.
	if err := k.probe(); err != nil {
		return nil, unwritable(err)
	}
	return k, nil
}

// readAtMost reads a file of which no more is to be had than what it says may be remembered.
func readAtMost(path string, most int64) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	return io.ReadAll(io.LimitReader(file, most))
}

// take goes by a state if it can be.
func (k *keeper) take(plan *config.Plan, data []byte, now time.Time) error {
	h, err := detect.ReadStateHeader(data)
	switch {
	case err != nil:
		return k.aside(err)
	case h.Time.Std().After(now.Add(ahead)):
		return k.aside(fmt.Errorf("it was saved at %s, and it is %s", h.Time.Std().Format(time.RFC3339), now.UTC().Format(time.RFC3339)))
	case plan.Seeded && plan.Seed != h.Seed:
		return k.aside(errors.New("it was saved with another --seed"))
	}
	plan.Seed = h.Seed
	if k.closed, err = k.read(); err != nil {
		return err
	}
	k.loaded = data
	return nil
}

// aside moves a state away that cannot be used, and begins anew.
func (k *keeper) aside(reason error) error {
	k.loaded, k.closed = nil, nil
	old := k.path + ".old"
	if err := os.Rename(k.path, old); err != nil {
		return err
	}
	_ = os.Remove(k.journal.path) // which says nothing without it
	k.say.Warning(fmt.Sprintf("the state in %s cannot be gone on from: %v", k.path, reason))
	k.say.Hint(fmt.Sprintf("it is now %s; this run begins anew, and what it had to learn it learns again", old))
	return nil
}

// probe is whether the folder can be written to.
func (k *keeper) probe() error {
	file, err := os.CreateTemp(filepath.Dir(k.path), filepath.Base(k.path)+".tmp*")
	if err != nil {
		return err
	}
	return errors.Join(file.Close(), os.Remove(file.Name()))
}

// save writes what a run remembers, as it is between two batches, once all that was told before is with the
// outputs or, while they cannot be written to, kept for them: secure sees to that. What fails is said once, and
// tried again the next time.
func (k *keeper) save(remembered func(dst []byte) []byte, secure func() error) {
	k.saving.Lock()
	defer k.saving.Unlock()
	began := time.Now()
	told := k.mark()
	k.buf = remembered(k.buf[:0])
	err := secure()
	if err == nil {
		err = k.write(k.path, k.buf)
	}
	if err == nil {
		err = k.trim(told)
	}
	k.count(began, len(k.buf), err)
	switch {
	case err != nil:
		if !k.failed {
			k.say.Warning(fmt.Sprintf("the state cannot be saved: %v; it is tried again", err))
		}
	case k.failed:
		k.say.Info("the state is saved again")
	}
	k.failed = err != nil
}

func (k *keeper) count(began time.Time, bytes int, err error) {
	k.counting.Lock()
	defer k.counting.Unlock()
	if err != nil {
		k.counts.Failures++
		return
	}
	now := time.Now()
	k.counts = metrics.Saved{Saves: k.counts.Saves + 1, Failures: k.counts.Failures, At: now, Took: now.Sub(began), Bytes: bytes}
}

// saved says what became of saving. It may be called from any goroutine.
func (k *keeper) saved() metrics.Saved {
	k.counting.Lock()
	defer k.counting.Unlock()
	return k.counts
}

// replaceFile puts data in the place of a file, all of it or nothing, also where the power fails.
func replaceFile(path string, data []byte) (err error) {
	dir := filepath.Dir(path)
	file, err := os.CreateTemp(dir, filepath.Base(path)+".tmp*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(file.Name())
		}
	}()
	_, err = file.Write(data)
	err = errors.Join(err, file.Sync(), file.Close())
	if err != nil {
		return err
	}
	if err = os.Rename(file.Name(), path); err != nil {
		return err
	}
	if folder, err := os.Open(dir); err == nil {
		_ = folder.Sync() // which not every file system can
		_ = folder.Close()
	}
	return nil
}

// journal says in a file which scans have closed, or opened again, since the state was saved.
type journal struct {
	path    string
	mu      sync.Mutex
	entries []entry // since the state that was saved before the last
	written int     // of these, in the file
	file    *os.File
}

// entry is that a scan has closed, or is open again.
type entry struct {
	id     string
	closed bool
}

func (e entry) String() string {
	if e.closed {
		return e.id + " closed\n"
	}
	return e.id + " open\n"
}

// note notes a record, when the outputs have been given it.
func (j *journal) note(s *detect.Scan) {
	if s.Phase != detect.Close && s.Phase != detect.Reopen {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.entries = append(j.entries, entry{s.ID, s.Phase == detect.Close})
}

// mark is how much has been noted.
func (j *journal) mark() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.entries)
}

// deliver writes what was noted up to a mark: the outputs have it now. What cannot be written is
// tried again the next time; then a scan may be told to have closed twice.
func (j *journal) deliver(mark int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if mark <= j.written {
		return
	}
	if j.file == nil {
		file, err := os.OpenFile(j.path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
		if err != nil {
			return
		}
		j.file = file
	}
	var b strings.Builder
	for _, e := range j.entries[j.written:mark] {
		b.WriteString(e.String())
	}
	if _, err := j.file.WriteString(b.String()); err == nil {
		j.written = mark
	}
}

// trim begins anew behind a mark, for a state was saved that knows of what was before.
func (j *journal) trim(mark int) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	var b bytes.Buffer
	for _, e := range j.entries[mark:max(j.written, mark)] {
		b.WriteString(e.String())
	}
	if j.file != nil {
		_ = j.file.Close() // nothing of it is of use any more
		j.file = nil
	}
	if err := replaceFile(j.path, b.Bytes()); err != nil {
		return err
	}
	j.entries, j.written = append(j.entries[:0:0], j.entries[mark:]...), max(j.written-mark, 0)
	return nil
}

// mostJournal bounds what is read of a journal, in bytes.
const mostJournal = 1 << 20

// read returns the scans that are over. A last line that was cut off says nothing.
func (j *journal) read() (closed []string, err error) {
	data, err := readAtMost(j.path, mostJournal)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	over := map[string]bool{}
	for line := range strings.Lines(string(data)) {
		if id, ok := strings.CutSuffix(line, " closed\n"); ok {
			over[id] = true
			closed = append(closed, id)
		} else if id, ok := strings.CutSuffix(line, " open\n"); ok {
			delete(over, id)
		}
	}
	kept := closed[:0]
	for _, id := range closed {
		if over[id] {
			delete(over, id)
			kept = append(kept, id)
		}
	}
	return kept, nil
}
