package evidence

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/synoptic-ids/synoptic/capture"
	"github.com/synoptic-ids/synoptic/detect"
	"github.com/synoptic-ids/synoptic/detect/sensor"
)

// shelf is a disk in memory, on which writing can fail.
type shelf struct {
	files map[string][]byte
	fail  error // of what is written; half of it is there all the same
}

func (s *shelf) prepare() (all []entry, err error) {
	for name, data := range s.files {
		all = append(all, entry{name, int64(len(data))})
	}
	return all, s.fail
}

func (s *shelf) create(name string, data []byte) error {
	if s.fail == nil {
		s.files[name] = bytes.Clone(data)
	}
	return s.fail
}

func (s *shelf) extend(name string, size int64, data []byte) error {
	had, there := s.files[name]
	if !there || int64(len(had)) < size {
		return fs.ErrNotExist
	}
	if s.fail != nil {
		data = data[:len(data)/2]
	}
	s.files[name] = append(had[:size:size], data...)
	return s.fail
}

func (s *shelf) remove(name string) error {
	delete(s.files, name)
	return nil
}

// log are the messages of a folder.
type log struct{ warned, told []string }

func folderOn(t require.TestingT, d disk, cfg Config) (*Folder, *log) {
	said := &log{}
	cfg.Dir, cfg.SnapLen, cfg.Application = "DIR", 256, "synoptic test"
	cfg.Warn = func(m string) { said.warned = append(said.warned, m) }
	cfg.Tell = func(m string) { said.told = append(said.told, m) }
	f, err := open(cfg, d)
	require.NoError(t, err)
	return f, said
}

// scan is the n-th scan, a minute behind the one before.
func scan(n int, phase detect.Phase) *detect.Scan {
	return &detect.Scan{Phase: phase, ID: fmt.Sprintf("%016x", n), First: detect.Time(1_700_000_000e9 + int64(n)*60e9)}
}

func packet(n, size int) *capture.Frame {
	return &capture.Frame{Data: bytes.Repeat([]byte{byte(n)}, size), Time: int64(n) + 1, Len: uint32(size) + 5}
}

// packets are those in a file, which must be whole.
func packets(t require.TestingT, data []byte) (all []capture.Frame, links []uint16) {
	src, err := capture.NewReader(bytes.NewReader(data), "file", capture.Config{})
	require.NoError(t, err)
	for {
		var fs [64]capture.Frame
		n, err := src.Read(fs[:])
		for _, f := range fs[:n] {
			f.Data = bytes.Clone(f.Data)
			all, links = append(all, f), append(links, src.Link(f.Iface))
		}
		if err != nil {
			require.ErrorIs(t, err, io.EOF)
			return all, links
		}
	}
}

// TestFile reads back what was written, at any time.
func TestFile(t *testing.T) {
	d := &shelf{files: map[string][]byte{}}
	f, said := folderOn(t, d, Config{})
	s := scan(1, detect.Open)
	k := f.Begin(s)
	require.Equal(t, "20231114T221420Z-0000000000000001.pcapng", s.EvidenceFile)
	require.True(t, Named(s.EvidenceFile))
	var want []capture.Frame
	for n := range 500 {
		fr := packet(n, n%100)
		fr.Iface = []uint32{7, 3, 3, 7}[n%4]
		k.Frame(fr, []uint16{276, 1, 1, 276}[n%4])
		fr.Iface = []uint32{0, 1, 1, 0}[n%4]
		want = append(want, *fr)
		if data := d.files[s.EvidenceFile]; n%50 == 0 && data != nil {
			got, links := packets(t, data)
			require.Equal(t, want[:len(got)], got)
			require.Equal(t, []uint16{276, 1, 1, 276}[(len(got)-1)%4], links[len(got)-1])
		}
	}
	update := scan(1, detect.Update)
	k.Record(update)
	require.Equal(t, s.EvidenceFile, update.EvidenceFile)
	got, _ := packets(t, d.files[s.EvidenceFile])
	require.Equal(t, want, got, "an update writes what there is")
	closed := scan(1, detect.Close)
	k.End(closed, sensor.Kept{Probes: 400, Answers: 100}, sensor.Kept{Refusals: 9})
	require.Equal(t, s.EvidenceFile, closed.EvidenceFile)
	data := d.files[s.EvidenceFile]
	got, _ = packets(t, data)
	require.Equal(t, want, got)
	require.Contains(t, string(data), "scan 0000000000000001")
	require.Contains(t, string(data), "packets of the scan, and of these here: probes 400, 400; refusals 9, 0; answers 100, 100; payload 0, 0")
	require.Equal(t, Stats{Files: 1, Bytes: int64(len(data)), Scans: 1, Packets: 500}, f.Stats())
	require.Empty(t, f.open)
	require.Empty(t, f.dirty)
	require.Empty(t, said)

	// Reopened, it gets a section behind that; told anew, it is written anew.
	k = f.Begin(scan(1, detect.Reopen))
	k.Frame(packet(9, 9), 1)
	k.End(closed, sensor.Kept{}, sensor.Kept{})
	require.True(t, bytes.HasPrefix(d.files[s.EvidenceFile], data))
	got, _ = packets(t, d.files[s.EvidenceFile])
	require.Len(t, got, 501)
	f.Begin(scan(1, detect.Open)).End(closed, sensor.Kept{}, sensor.Kept{})
	got, _ = packets(t, d.files[s.EvidenceFile])
	require.Empty(t, got)
	require.Equal(t, int64(len(d.files[s.EvidenceFile])), f.Stats().Bytes)
}

// TestFileOfARunBefore: a scan that was open when the program ended, and is told of again, goes on
// in its file, though the time of its first attempt may be another by now.
func TestFileOfARunBefore(t *testing.T) {
	d := &shelf{files: map[string][]byte{}}
	f, _ := folderOn(t, d, Config{})
	k := f.Begin(scan(1, detect.Open))
	k.Frame(packet(1, 60), 1)
	f.Flush()
	f, _ = folderOn(t, d, Config{})
	later := scan(1, detect.Update)
	later.First -= 90e9
	k = f.Begin(later)
	k.Frame(packet(2, 60), 1)
	f.Flush()
	require.Equal(t, Name(scan(1, detect.Open)), later.EvidenceFile)
	got, _ := packets(t, d.files[later.EvidenceFile])
	require.Len(t, got, 2)
}

// TestFolderIsBounded: the oldest files go that are not of open scans; what has another name is
// left alone.
func TestFolderIsBounded(t *testing.T) {
	d := &shelf{files: map[string][]byte{"notes.txt": make([]byte, 99_999), "20230101T000000Z-0000000000000000.pcapng": make([]byte, 500)}}
	f, said := folderOn(t, d, Config{Bytes: 10_000, Files: 4})
	first := f.Begin(scan(0, detect.Open))
	first.Frame(packet(0, 60), 1)
	f.Flush()
	for n := 1; n < 6; n++ {
		k := f.Begin(scan(n, detect.Open))
		k.Frame(packet(n, 60), 1)
		k.End(scan(n, detect.Close), sensor.Kept{}, sensor.Kept{})
	}
	require.Equal(t, []string{Name(scan(0, "")), Name(scan(3, "")), Name(scan(4, "")), Name(scan(5, "")), "notes.txt"}, slices.Sorted(maps.Keys(d.files)))
	require.Equal(t, uint64(3), f.Stats().Removed)
	for n := range 200 {
		first.Frame(packet(n, 40), 1)
	}
	require.Contains(t, d.files, Name(scan(5, "")), "there is room for some of it")
	for n := range 1000 {
		first.Frame(packet(n, 40), 1)
	}
	f.Flush()
	stats := f.Stats()
	require.Equal(t, 1, stats.Files)
	require.LessOrEqual(t, stats.Bytes, int64(10_000))
	require.NotZero(t, stats.Lost)
	require.Equal(t, 1201+5, int(stats.Lost)+int(stats.Packets)+int(first.(*file).packets), "each is told of")
	require.Len(t, said.warned, 1)
	require.Contains(t, said.warned[0], "take all the room they may")
	require.NoError(t, f.Failing(), "it is not that files cannot be written")
}

// TestFolderThatFails: told once, counted, and gone on with when it works again; whole packets are in
// the file, and those that were gathered meanwhile.
func TestFolderThatFails(t *testing.T) {
	d := &shelf{files: map[string][]byte{}}
	f, said := folderOn(t, d, Config{})
	a, b := f.Begin(scan(1, detect.Open)), f.Begin(scan(2, detect.Open))
	a.Frame(packet(1, 60), 1)
	f.Flush()
	d.fail = errors.New("no space left on device")
	for n := range 1000 {
		a.Frame(packet(n, 60), 1)
		b.Frame(packet(n, 60), 1)
	}
	f.Flush()
	f.Flush()
	require.Equal(t, []string{"packets of scans cannot be kept: no space left on device; detection goes on"}, said.warned)
	require.ErrorIs(t, f.Failing(), d.fail)
	lost := f.Stats().Lost
	require.NotZero(t, lost)
	for _, k := range []*file{a.(*file), b.(*file)} {
		require.Less(t, len(k.pending), whole, "they do not pile up")
	}
	d.fail = nil
	f.Flush()
	require.Equal(t, []string{fmt.Sprintf("packets of scans are kept in DIR again; %d were lost", lost)}, said.told)
	require.NoError(t, f.Failing())
	a.End(scan(1, detect.Close), sensor.Kept{}, sensor.Kept{})
	b.End(scan(2, detect.Close), sensor.Kept{}, sensor.Kept{})
	stats := f.Stats()
	require.Equal(t, lost, stats.Lost)
	require.Equal(t, uint64(2001), stats.Packets+stats.Lost)
	written := 0
	for name := range d.files {
		got, _ := packets(t, d.files[name])
		written += len(got)
	}
	require.Equal(t, int(stats.Packets), written)
}

// TestFolderOfManyScans: what waits to be written is bounded, whether it can be or not.
func TestFolderOfManyScans(t *testing.T) {
	for _, fail := range []error{nil, errors.New("worn out")} {
		d := &shelf{files: map[string][]byte{}}
		f, _ := folderOn(t, d, Config{})
		d.fail = fail
		var all []sensor.Keep
		for n := range 3 * crowded {
			all = append(all, f.Begin(scan(n, detect.Open)))
		}
		for range 3 {
			for _, k := range all {
				k.Frame(packet(1, 60), 1)
				require.LessOrEqual(t, len(f.dirty), crowded)
			}
		}
		require.LessOrEqual(t, len(f.free), crowded+1)
		d.fail = nil
		for n, k := range all {
			k.End(scan(n, detect.Close), sensor.Kept{}, sensor.Kept{})
		}
		stats := f.Stats()
		require.Equal(t, uint64(9*crowded), stats.Packets+stats.Lost)
		require.Equal(t, fail != nil, stats.Lost > 0)
		require.Empty(t, f.dirty)
	}
}

// TestFolderSaysItSeldom: what fails and works in turn is told of the first time, the second, the
// fourth, and so on.
func TestFolderSaysItSeldom(t *testing.T) {
	d := &shelf{files: map[string][]byte{}}
	f, said := folderOn(t, d, Config{})
	k := f.Begin(scan(1, detect.Open))
	for n := range 100 {
		d.fail = errors.New("worn out")
		k.Frame(packet(n, 60), 1)
		f.Flush()
		d.fail = nil
		f.Flush()
	}
	require.Len(t, said.warned, 7)
	require.Len(t, said.told, 7)
	require.Zero(t, f.Stats().Lost)
}

// TestFileThatIsTakenAway begins anew, with all that is needed to read it.
func TestFileThatIsTakenAway(t *testing.T) {
	d := &shelf{files: map[string][]byte{}}
	f, said := folderOn(t, d, Config{})
	k, name := f.Begin(scan(1, detect.Open)), Name(scan(1, ""))
	k.Frame(packet(1, 60), 276)
	f.Flush()
	for _, take := range []func(){
		func() { delete(d.files, name) },
		func() { d.files[name] = d.files[name][:40] },
	} {
		take()
		k.Frame(packet(2, 60), 276)
		f.Flush()
		got, links := packets(t, d.files[name])
		require.Len(t, got, 1)
		require.Equal(t, uint16(276), links[0])
		require.Equal(t, int64(len(d.files[name])), f.Stats().Bytes)
	}
	require.NotEmpty(t, said.warned)
	require.Contains(t, said.warned[0], "has gone from DIR")
}

// TestDirectory holds the real disk against the one of the other tests.
func TestDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made", "anew")
	rapid.Check(t, func(t *rapid.T) {
		require.NoError(t, os.RemoveAll(dir))
		var d disk = directory(dir)
		_, err := d.prepare()
		require.NoError(t, err)
		model := &shelf{files: map[string][]byte{}}
		for range rapid.IntRange(1, 20).Draw(t, "steps") {
			name := Name(scan(rapid.IntRange(0, 2).Draw(t, "name"), ""))
			data := rapid.SliceOfN(rapid.Byte(), 1, 20).Draw(t, "data")
			switch rapid.IntRange(0, 4).Draw(t, "step") {
			case 0:
				require.NoError(t, d.create(name, data))
				_ = model.create(name, data)
			case 1, 2:
				size := int64(rapid.IntRange(0, 40).Draw(t, "size"))
				require.Equal(t, errors.Is(model.extend(name, size, data), fs.ErrNotExist), errors.Is(d.extend(name, size, data), fs.ErrNotExist))
			case 3:
				require.NoError(t, d.remove(name))
				_ = model.remove(name)
			case 4:
				require.NoError(t, os.RemoveAll(dir))
				clear(model.files)
			}
			for n := range 3 {
				want, there := model.files[Name(scan(n, ""))]
				got, err := os.ReadFile(filepath.Join(dir, Name(scan(n, ""))))
				require.Equal(t, there, err == nil)
				if there {
					require.Equal(t, want, got)
				}
			}
		}
	})
}

// TestDirectoryAtStart: what a run that was killed has left is removed, nobody else may read what
// is written, and where nothing can be written is known at once.
func TestDirectoryAtStart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "kept")
	require.NoError(t, os.Mkdir(dir, 0o700))
	left := filepath.Join(dir, "."+Name(scan(1, ""))+".part")
	other := filepath.Join(dir, ".other.part")
	for _, name := range []string{left, other} {
		require.NoError(t, os.WriteFile(name, nil, 0o600))
	}
	f, err := Open(Config{Dir: dir})
	require.NoError(t, err)
	require.NoFileExists(t, left)
	require.FileExists(t, other)
	f.Begin(scan(1, detect.Open)).End(scan(1, detect.Close), sensor.Kept{}, sensor.Kept{})
	info, err := os.Stat(filepath.Join(dir, Name(scan(1, ""))))
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o600), info.Mode().Perm())

	_, err = Open(Config{Dir: filepath.Join(dir, ".other.part", "below")})
	require.Error(t, err)
}

// TestFolderFromTwoSides: it is flushed while packets come.
func TestFolderFromTwoSides(t *testing.T) {
	d := &shelf{files: map[string][]byte{}}
	f, _ := folderOn(t, d, Config{})
	var done sync.WaitGroup
	done.Go(func() {
		for range 200 {
			f.Flush()
			_ = f.Stats()
		}
	})
	k := f.Begin(scan(1, detect.Open))
	for n := range 2000 {
		k.Frame(packet(n, 60), 1)
	}
	done.Wait()
	k.End(scan(1, detect.Close), sensor.Kept{}, sensor.Kept{})
	got, _ := packets(t, d.files[Name(scan(1, ""))])
	require.Len(t, got, 2000)
}

// TestSteadyStateAllocatesNothing but what writing does.
func TestSteadyStateAllocatesNothing(t *testing.T) {
	f, _ := folderOn(t, &shelf{files: map[string][]byte{}}, Config{})
	k, fr := f.Begin(scan(1, detect.Open)), packet(1, 60)
	k.Frame(fr, 1)
	require.Zero(t, testing.AllocsPerRun(50, func() { k.Frame(fr, 1) }))
}

func TestNamed(t *testing.T) {
	for _, name := range []string{"", "notes.txt", strings.TrimSuffix(Name(scan(1, "")), "g"), "x" + Name(scan(1, ""))} {
		require.False(t, Named(name), name)
	}
}
