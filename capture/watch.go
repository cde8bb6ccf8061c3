package capture

import (
	"errors"
	"os"
	"path/filepath"
)

// watch knows the name that is followed.
type watch interface {
	// look tells what became of the file that is being read.
	look(t *tail) state
	// next returns what is to be read after that file, if it is there.
	next(last *tail) (input, bool)
}

// fileWatch follows one name: when another file has it, that one is next.
type fileWatch struct{ name string }

func (w fileWatch) look(t *tail) state {
	now, err := os.Stat(w.name)
	if err != nil {
		return growing // renamed, and its successor is not there yet
	}
	return t.become(now)
}

func (w fileWatch) next(last *tail) (input, bool) {
	in := input{name: w.name, regular: true, followed: true}
	if last == nil { // it was gone when it was to be opened
		_, err := os.Stat(w.name)
		return in, err == nil
	}
	return in, w.look(last) != growing
}

// forget is how many looks at a directory a file may be missing from before it
// is forgotten. While a file is renamed a look may well miss it.
const forget = 16

// directoryWatch follows a directory: when files appear in it that have
// packets, they are next.
type directoryWatch struct {
	dir   string
	cfg   Config
	probe probe
	late  func(*DamageError) // told of files that grew when they had been read

	looks   int
	foreign uint64                   // files without packets in any format, at the first look
	files   map[string]entry         // by name, of the latest look
	known   map[beginning]*knownFile // files that were queued
	queue   []found
	current beginning // of the file that is being read
}

// entry is a file as it was when it was probed.
type entry struct {
	info    os.FileInfo
	begins  beginning
	refused bool
}

// knownFile is a file that was queued, by whatever name it now goes.
type knownFile struct {
	info os.FileInfo
	read int64 // bytes of it that were read, -1 as long as its turn is to come
	seen int   // latest look
	late bool  // it was told that it grew
}

func newDirectoryWatch(dir string, cfg Config, late func(*DamageError)) *directoryWatch {
	return &directoryWatch{dir: dir, cfg: cfg, late: late, known: make(map[beginning]*knownFile)}
}

func (w *directoryWatch) look(t *tail) state {
	if len(w.queue) == 0 {
		_ = w.scan(t) // a directory that cannot be read now may be later
	}
	if now, err := t.file.Stat(); err == nil && now.Size() < t.at {
		return emptied
	}
	if len(w.queue) > 0 {
		return replaced
	}
	return growing
}

func (w *directoryWatch) next(last *tail) (input, bool) {
	if k := w.known[w.current]; k != nil && last != nil {
		k.read = last.at
	}
	w.current = beginning{}
	if len(w.queue) == 0 {
		_ = w.scan(nil)
	}
	if len(w.queue) == 0 {
		return input{}, false
	}
	first := w.queue[0]
	w.queue, w.current = w.queue[1:], first.begins
	return first.input, true
}

// scan looks for files that are new, or new in what they hold, and queues them
// in order. The file that is being read is left alone as long as it only grows.
func (w *directoryWatch) scan(reading *tail) error {
	entries, err := os.ReadDir(w.dir)
	if err != nil {
		return err
	}
	w.looks++
	before := w.files
	w.files = make(map[string]entry, len(entries))
	var fresh []found
	for _, e := range entries {
		name := filepath.Join(w.dir, e.Name())
		info, err := os.Stat(name)
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		now, isNew := w.meet(name, info, before[name], reading)
		if isNew {
			fresh = append(fresh, found{w.input(name), now.begins})
		}
		w.files[name] = now
		if k := w.known[now.begins]; k != nil {
			k.seen = w.looks
		}
	}
	inOrder(fresh)
	w.queue = append(w.queue, fresh...)
	w.prune()
	return nil
}

func (w *directoryWatch) input(name string) input {
	return input{name: name, regular: true, listed: true, followed: true}
}

// meet judges one file of the directory, and whether it is to be read.
func (w *directoryWatch) meet(name string, info os.FileInfo, was entry, reading *tail) (entry, bool) {
	if reading != nil && reading.become(info) == growing {
		return entry{info: info, begins: w.current}, false
	}
	same := was.info != nil && os.SameFile(was.info, info)
	if same && was.info.Size() == info.Size() && was.info.ModTime().Equal(info.ModTime()) {
		return was, false
	}
	begins, err := w.probe.first(w.input(name), w.cfg)
	now := entry{info: info, begins: begins}
	if format, ok := errors.AsType[*FormatError](err); ok {
		if w.looks == 1 && format.Foreign && info.Size() > 0 {
			w.foreign++
		}
		// What may still become a capture is not refused, and nothing twice.
		before := same && was.refused
		now.refused = before || !format.Foreign && format.Err == nil && info.Size() >= lookSize
		return now, now.refused && !before
	}
	return now, w.isNew(now, name)
}

// isNew tells files that were not read yet from those that only have another
// name, are a compressed copy, or have no packets so far.
func (w *directoryWatch) isNew(now entry, name string) bool {
	if now.begins.sum == 0 {
		return false
	}
	k := w.known[now.begins]
	if k == nil {
		w.known[now.begins] = &knownFile{info: now.info, read: -1}
		return true
	}
	if os.SameFile(k.info, now.info) && k.read >= 0 && now.info.Size() > k.read && !k.late {
		k.late = true
		w.late(&DamageError{
			Name: name, Offset: k.read,
			Reason: "it grew when newer files had been taken up; the rest of it is not read",
		})
	}
	return false
}

// prune forgets files that have been gone for a while.
func (w *directoryWatch) prune() {
	for begins, k := range w.known {
		if w.looks-k.seen > forget {
			delete(w.known, begins)
		}
	}
}
