package evidence

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/synoptic-ids/synoptic/capture"
	"github.com/synoptic-ids/synoptic/detect"
	"github.com/synoptic-ids/synoptic/detect/sensor"
)

// file takes the packets of a scan.
type file struct {
	folder  *Folder
	name    string
	size    int64    // on disk; 0: it is not there
	header  []byte   // its section and interfaces so far, with which it can begin anew
	ifaces  []uint32 // these, by the numbers of the capture
	last    []int64  // times of their latest packets
	counts  []uint64 // of their packets
	pending []byte   // blocks behind those on disk
	packets uint64   // in them
	waits   bool     // it is among the dirty ones
	written bool
}

// Frame implements [sensor.Keep].
func (k *file) Frame(f *capture.Frame, link uint16) {
	k.folder.mu.Lock()
	defer k.folder.mu.Unlock()
	i := slices.Index(k.ifaces, f.Iface)
	if i < 0 {
		i = len(k.ifaces)
		k.ifaces, k.last = append(k.ifaces, f.Iface), append(k.last, 0)
		k.counts = append(k.counts, 0)
		from := len(k.header)
		k.header = capture.AppendInterface(k.header, link, uint32(k.folder.cfg.SnapLen), "") //nolint:gosec // a length
		if k.size > 0 {
			k.write(k.header[from:], 0)
		}
	}
	k.last[i] = max(k.last[i], f.Time)
	k.counts[i]++
	k.begin()
	k.pending = capture.AppendPacket(k.pending, uint32(i), f) //nolint:gosec // an index
	k.gathered(1)
}

// Record implements [sensor.Keep].
func (k *file) Record(s *detect.Scan) {
	k.folder.mu.Lock()
	defer k.folder.mu.Unlock()
	s.EvidenceFile = k.name
	k.flush()
}

// End implements [sensor.Keep].
func (k *file) End(s *detect.Scan, kept, left sensor.Kept) {
	k.folder.mu.Lock()
	defer k.folder.mu.Unlock()
	s.EvidenceFile = k.name
	comment := summary(kept, left)
	for i := range k.ifaces {
		k.begin()
		k.pending = capture.AppendStatistics(k.pending, uint32(i), k.last[i], k.counts[i], comment) //nolint:gosec // an index
		k.gathered(0)
		comment = ""
	}
	k.flush()
	k.drop()
	if k.folder.open[k.name] == k {
		delete(k.folder.open, k.name)
	}
}

// summary says what of a scan is in its file.
func summary(kept, left sensor.Kept) string {
	of := func(kept, left uint64) string { return fmt.Sprintf("%d, %d", kept+left, kept) }
	return "packets of the scan, and of these here: probes " + of(kept.Probes, left.Probes) + "; refusals " + of(kept.Refusals, left.Refusals) +
		"; answers " + of(kept.Answers, left.Answers) + "; payload " + of(kept.Payload, left.Payload)
}

// write gathers blocks.
func (k *file) write(blocks []byte, packets uint64) {
	k.begin()
	k.pending = append(k.pending, blocks...)
	k.gathered(packets)
}

// begin gets room to gather in, which files share.
func (k *file) begin() {
	if k.pending != nil {
		return
	}
	if n := len(k.folder.free); n > 0 {
		k.pending, k.folder.free = k.folder.free[n-1], k.folder.free[:n-1]
		return
	}
	k.pending = make([]byte, 0, whole+whole/2)
}

// gathered notes what was gathered, and writes it when it is enough. What cannot be written
// then is lost, so that it does not pile up.
func (k *file) gathered(packets uint64) {
	k.packets += packets
	if !k.waits {
		k.waits = true
		if k.folder.dirty = append(k.folder.dirty, k); len(k.folder.dirty) > crowded {
			k.folder.thin()
			return
		}
	}
	if len(k.pending) >= whole {
		k.flush()
		if len(k.pending) > 0 {
			k.drop()
		}
	}
}

// flush writes what was gathered; what cannot be stays.
func (k *file) flush() {
	if len(k.pending) == 0 && k.size > 0 {
		return
	}
	err := k.put()
	k.folder.wrote(err)
	if err != nil {
		return
	}
	if !k.written {
		k.written = true
		k.folder.stats.Scans++
	}
	k.folder.stats.Packets += k.packets
	k.release()
}

// drop gives up what was gathered.
func (k *file) drop() {
	k.folder.stats.Lost += k.packets
	k.release()
}

// release gives back the room.
func (k *file) release() {
	if k.waits {
		k.folder.dirty = slices.DeleteFunc(k.folder.dirty, func(o *file) bool { return o == k })
	}
	if k.pending != nil {
		k.folder.free = append(k.folder.free, k.pending[:0])
	}
	k.pending, k.packets, k.waits = nil, 0, false
}

// errFull is why nothing is written where all files are of open scans.
var errFull = errors.New("the files of open scans take all the room there is")

// put writes what was gathered behind what there is of the file; or, where there is nothing,
// all of it from its beginning.
func (k *file) put() error {
	size := k.size + int64(len(k.pending))
	if k.size == 0 {
		size += int64(len(k.header))
	}
	if ok, err := k.folder.room(k.name, size); err != nil {
		return err
	} else if !ok {
		return errFull
	}
	var err error
	if k.size > 0 {
		err = k.folder.disk.extend(k.name, k.size, k.pending)
	}
	if errors.Is(err, fs.ErrNotExist) { // somebody took it away
		k.size, size = 0, int64(len(k.header)+len(k.pending))
		if err = k.folder.gone(); err != nil {
			return err
		}
	}
	if k.size == 0 {
		err = k.folder.disk.create(k.name, slices.Concat(k.header, k.pending))
	}
	if err == nil {
		k.size = size
		k.folder.sized(k.name, size)
	}
	return err
}
