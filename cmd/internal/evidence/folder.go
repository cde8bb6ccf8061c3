// Package evidence keeps the packets of scans in files, a pcapng for each scan, in a folder that
// does not grow without bound.
package evidence

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/synoptic-ids/synoptic/capture"
	"github.com/synoptic-ids/synoptic/detect"
	"github.com/synoptic-ids/synoptic/detect/sensor"
)

// Config says how a [Folder] is kept.
type Config struct {
	Dir string
	// Bytes is how much the files may take together, and Files how many there may be: at
	// either bound the oldest go that are not of open scans. 0 means 1 GiB, and 16,384.
	Bytes int64
	Files int
	// SnapLen is how many bytes of a packet there are at most, which the files say.
	SnapLen int
	// Application is what the files say of who wrote them: "synoptic 1.2".
	Application string
	// Warn and Tell are told, once each time, that files cannot be written, and that they can
	// again.
	Warn, Tell func(message string)
}

// DefaultBytes is [Config.Bytes] where it is 0.
const DefaultBytes = 1 << 30

const (
	defaultFiles = 1 << 14
	// whole is how many bytes of a scan are gathered before they are written, and crowded of how
	// many scans at a time: together they bound what waits to 3 MiB.
	whole   = 8 << 10
	crowded = 1 << 8
)

// Stats counts what became of the packets of scans.
type Stats struct {
	Files   int    // in the folder now
	Bytes   int64  // that these take
	Scans   uint64 // of which a file was written to
	Packets uint64 // written
	Lost    uint64 // packets that could not be written
	Removed uint64 // files that went for want of room
}

// Folder keeps files in a directory. They are named by the time of a scan's first attempt and its
// id, and can be read at any time: each appears with its beginning, and grows by whole packets.
// A folder is a [sensor.Keeper]; all its methods may be called from any goroutine.
type Folder struct {
	cfg    Config
	disk   disk
	mu     sync.Mutex
	files  []entry // by name, which is by age
	open   map[string]*file
	dirty  []*file // that have something to write, in the order in which they got it
	free   [][]byte
	failed error // why the latest attempt to write failed
	said   episodes
	stats  Stats
}

// entry is a file in the folder.
type entry struct {
	name string
	size int64
}

// Open makes the directory if it is not there, and looks at what is in it. Files of other
// names are left alone, and not counted. An error says why it cannot be written to.
func Open(cfg Config) (*Folder, error) { return open(cfg, directory(cfg.Dir)) }

func open(cfg Config, d disk) (*Folder, error) {
	if cfg.Bytes <= 0 {
		cfg.Bytes = DefaultBytes
	}
	if cfg.Files <= 0 {
		cfg.Files = defaultFiles
	}
	f := &Folder{cfg: cfg, disk: d, open: map[string]*file{}}
	if err := f.look(); err != nil {
		return nil, err
	}
	return f, nil
}

// look finds out which files there are.
func (f *Folder) look() error {
	all, err := f.disk.prepare()
	if err != nil {
		return err
	}
	f.files, f.stats.Bytes = f.files[:0], 0
	named := pattern()
	for _, e := range all {
		if named.MatchString(e.name) {
			f.files = append(f.files, e)
			f.stats.Bytes += e.size
		}
	}
	slices.SortFunc(f.files, func(a, b entry) int { return cmp.Compare(a.name, b.name) })
	return nil
}

const suffix = ".pcapng"

func pattern() *regexp.Regexp { return regexp.MustCompile(`^[0-9]{8}T[0-9]{6}Z-[0-9a-f]{16}\.pcapng$`) }

// Named reports whether a file has such a name as those of a folder have.
func Named(name string) bool { return pattern().MatchString(name) }

// Name is the name of the file of a scan, by its first record.
func Name(s *detect.Scan) string {
	return s.First.Std().Format("20060102T150405Z") + "-" + s.ID + suffix
}

// Begin implements [sensor.Keeper]. The file of a scan that opens takes the place of one of the same
// name, which is of the same scan, seen before. What is told of any other record goes
// into a section of its own behind what there is.
func (f *Folder) Begin(s *detect.Scan) sensor.Keep {
	f.mu.Lock()
	defer f.mu.Unlock()
	k := &file{folder: f, name: Name(s)}
	if s.Phase != detect.Open {
		if i := slices.IndexFunc(f.files, func(e entry) bool { return strings.HasSuffix(e.name, "-"+s.ID+suffix) }); i >= 0 {
			k.name, k.size = f.files[i].name, f.files[i].size
		}
	}
	k.header = capture.AppendSection(nil, f.cfg.Application, "scan "+s.ID)
	if k.size > 0 {
		k.write(k.header, 0)
	}
	f.open[k.name] = k
	s.EvidenceFile = k.name
	return k
}

// Flush writes what was gathered.
func (f *Folder) Flush() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.flush()
}

func (f *Folder) flush() {
	waiting := f.dirty
	f.dirty = nil
	for _, k := range waiting {
		k.waits = false
		if k.flush(); len(k.pending) > 0 {
			k.waits = true
			f.dirty = append(f.dirty, k)
		}
	}
}

// thin writes what was gathered of too many scans, and gives up what cannot be written.
func (f *Folder) thin() {
	f.flush()
	waiting := f.dirty
	f.dirty = nil
	for _, k := range waiting {
		k.waits = false
		k.drop()
	}
}

// Stats tells what became of the packets so far.
func (f *Folder) Stats() Stats {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.stats
	s.Files = len(f.files)
	return s
}

// Failing is why files cannot be written; nil: they can.
func (f *Folder) Failing() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.failed
}

// sized notes that a file has some size now.
func (f *Folder) sized(name string, size int64) {
	i, there := f.find(name)
	if !there {
		f.files = slices.Insert(f.files, i, entry{name: name})
	}
	f.stats.Bytes += size - f.files[i].size
	f.files[i].size = size
}

func (f *Folder) find(name string) (at int, there bool) {
	return slices.BinarySearchFunc(f.files, name, func(e entry, name string) int { return cmp.Compare(e.name, name) })
}

// room makes room for a file to become so large, and reports whether there is.
func (f *Folder) room(name string, size int64) (bool, error) {
	more, count := size, 1
	if i, there := f.find(name); there {
		more, count = size-f.files[i].size, 0
	}
	for i := 0; f.stats.Bytes+more > f.cfg.Bytes || len(f.files)+count > f.cfg.Files; {
		for i < len(f.files) && f.open[f.files[i].name] != nil {
			i++
		}
		if i == len(f.files) {
			return false, nil
		}
		if err := f.disk.remove(f.files[i].name); err != nil {
			return false, err
		}
		f.stats.Bytes -= f.files[i].size
		f.files = slices.Delete(f.files, i, i+1)
		f.stats.Removed++
	}
	return true, nil
}

// episodes count what went wrong, that a fault which comes and goes does not fill the log: told are
// the first, the second, the fourth, and so on.
type episodes struct{ failed, gone, full uint64 }

func telling(n *uint64) bool {
	*n++
	return *n&(*n-1) == 0
}

// wrote notes what came of an attempt to write, and tells when that changes.
func (f *Folder) wrote(err error) {
	switch {
	case errors.Is(err, errFull):
		if f.said.full++; f.said.full == 1 {
			f.cfg.Warn(fmt.Sprintf("the files of open scans in %s take all the room they may: further packets of theirs are not kept", f.cfg.Dir))
		}
		return
	case err != nil && f.failed == nil:
		if telling(&f.said.failed) {
			f.cfg.Warn(fmt.Sprintf("packets of scans cannot be kept: %v; detection goes on", err))
		}
	case err == nil && f.failed != nil && f.said.failed&(f.said.failed-1) == 0:
		f.cfg.Tell(fmt.Sprintf("packets of scans are kept in %s again; %d were lost", f.cfg.Dir, f.stats.Lost))
	}
	f.failed = err
}

// gone notes that a file is not where it was, and perhaps others are not.
func (f *Folder) gone() error {
	if telling(&f.said.gone) {
		f.cfg.Warn(fmt.Sprintf("the file of an open scan has gone from %s: it begins anew", f.cfg.Dir))
	}
	return f.look()
}
