//go:build unix

package app

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/cmd/internal/config"
	"github.com/synoptic-ids/synoptic/detect"
)

// smallDisk is a disk with room for so many bytes.
type smallDisk struct {
	bytes.Buffer
	room int
}

func (d *smallDisk) Write(p []byte) (int, error) {
	n := min(len(p), d.room)
	d.room -= n
	d.Buffer.Write(p[:n])
	if n < len(p) {
		return n, syscall.ENOSPC
	}
	return n, nil
}

// lastingOutputs are those of a run that does not end by itself.
func lastingOutputs(t *testing.T, said *bytes.Buffer, outputs ...config.Output) *fanout {
	t.Helper()
	plan := config.Plan{Devices: []string{"lo"}, Outputs: outputs}
	f, err := openOutputs(plan, os.Stdout, false, NewVoice(said))
	require.NoError(t, err)
	return f
}

func scanNumber(n int) *detect.Scan {
	return &detect.Scan{Event: "scan", Phase: detect.Close, ID: fmt.Sprintf("%016x", n)}
}

// TestFullDiskKeepsRecords: what a full disk did not take is written when there is room, from the byte
// on at which it was full.
func TestFullDiskKeepsRecords(t *testing.T) {
	var said bytes.Buffer
	f := lastingOutputs(t, &said, config.Output{Format: config.JSON})
	disk := &smallDisk{room: 2000}
	s := f.sinks[0]
	s.buf.w, s.name = disk, "scans.jsonl"
	for n := range 10 {
		f.scan(scanNumber(n))
		f.flush()
	}
	require.Equal(t, "synoptic: warning: writing scans.jsonl: no space left on device; records are kept, and it is tried again\n", said.String())
	require.Error(t, f.failing())
	require.NotEmpty(t, f.owed())
	require.Zero(t, s.lost)
	said.Reset()
	disk.room = 1 << 20
	f.flush()
	require.Regexp(t, `^synoptic: scans.jsonl can be written to again: \d+ records were waiting\n$`, said.String())
	require.NoError(t, f.failing())
	lines := strings.Split(strings.TrimSpace(disk.String()), "\n")
	require.Len(t, lines, 10)
	for n, line := range lines {
		require.Contains(t, line, scanNumber(n).ID)
	}
	require.Equal(t, uint64(10), f.counts()[0].Sent)
}

// TestAnotherFileBeginsWithAWholeLine: where the disk was full amid a record, and the file is rotated away
// then, the new one has the whole of it. A file that is still the same goes on where it ends.
func TestAnotherFileBeginsWithAWholeLine(t *testing.T) {
	for _, rotated := range []bool{true, false} {
		var said bytes.Buffer
		name := filepath.Join(t.TempDir(), "scans.jsonl")
		f := lastingOutputs(t, &said, config.Output{Format: config.JSON, Path: name})
		f.sinks[0].buf.w = &smallDisk{room: 100}
		f.scan(scanNumber(7))
		f.flush()
		require.Error(t, f.failing())
		whole := f.sinks[0].buf.owed()
		require.True(t, bytes.HasPrefix(whole, []byte("{")))
		if rotated {
			require.NoError(t, os.Rename(name, name+".1"))
		}
		r, err := f.prepare()
		require.NoError(t, err)
		f.take(r)
		f.flush()
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		if !rotated {
			whole = whole[100:]
		}
		require.Equal(t, string(whole), string(text))
	}
}

// TestBacklogIsBounded: beyond it the latest are lost and counted, and what is written is whole.
func TestBacklogIsBounded(t *testing.T) {
	var said bytes.Buffer
	f := lastingOutputs(t, &said, config.Output{Format: config.JSON})
	disk := &smallDisk{}
	s := f.sinks[0]
	s.buf.w = disk
	f.scan(scanNumber(0))
	f.flush()
	const many = 10_000
	for n := range many {
		f.scan(scanNumber(n))
	}
	require.Positive(t, s.lost)
	require.LessOrEqual(t, len(s.buf.data), maxBacklog)
	require.Equal(t, 2, strings.Count(said.String(), "warning"), said.String())
	disk.room = 2 * maxBacklog
	f.flush()
	require.Equal(t, many+1-int(s.lost), strings.Count(disk.String(), "\n"))
	require.Equal(t, uint64(many+1), f.counts()[0].Sent+f.counts()[0].Lost)
	f.scan(scanNumber(many))
	f.flush()
	require.True(t, strings.HasSuffix(strings.TrimSpace(disk.String()), "}"))
	require.Contains(t, disk.String(), scanNumber(many).ID)
}

// TestPipeWhoseReaderComesBack: a named pipe without a reader keeps what it is given for the next one.
func TestPipeWhoseReaderComesBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	require.NoError(t, syscall.Mkfifo(path, 0o600))
	reader, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	require.NoError(t, err)
	var said bytes.Buffer
	f := lastingOutputs(t, &said, config.Output{Format: config.JSON, Path: path})
	f.abandon = func() { t.Error("it was given up") }
	require.NoError(t, reader.Close())
	f.scan(scanNumber(1))
	f.flush()
	f.flush()
	require.Equal(t, 1, strings.Count(said.String(), "broken pipe"))
	reader, err = os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	require.NoError(t, err)
	f.flush()
	got := make([]byte, 4096)
	n, err := reader.Read(got)
	require.NoError(t, err)
	require.Contains(t, string(got[:n]), scanNumber(1).ID)
	require.NoError(t, reader.Close())
	_ = f.close()
}

// TestPipeWhoseReaderStandsStill does not stop the run.
func TestPipeWhoseReaderStandsStill(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	require.NoError(t, syscall.Mkfifo(path, 0o600))
	var said bytes.Buffer
	f := lastingOutputs(t, &said, config.Output{Format: config.JSON, Path: path})
	reader, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	require.NoError(t, err)
	defer func() { _ = reader.Close() }()
	const many = 500 // more than a pipe holds
	for n := range many {
		f.scan(scanNumber(n))
	}
	f.flush()
	require.NotEmpty(t, f.owed())
	require.Equal(t, 1, strings.Count(said.String(), "i/o timeout; records are kept"))
	var got bytes.Buffer
	for part := make([]byte, 64<<10); strings.Count(got.String(), "\n") < many; f.flush() {
		n, err := reader.Read(part)
		require.NoError(t, err)
		got.Write(part[:n])
	}
	require.Empty(t, f.owed())
	require.Zero(t, f.counts()[0].Lost)
}

// TestStandardOutputThatNobodyReads ends even a run that lasts, if it has no other output.
func TestStandardOutputThatNobodyReads(t *testing.T) {
	for others, ends := range map[int]bool{0: true, 1: false} {
		var said bytes.Buffer
		outputs := []config.Output{{Format: config.JSON}}
		for range others {
			outputs = append(outputs, config.Output{Format: config.JSON, Path: filepath.Join(t.TempDir(), "scans")})
		}
		f := lastingOutputs(t, &said, outputs...)
		ended := false
		f.abandon = func() { ended = true }
		r, w, err := os.Pipe()
		require.NoError(t, err)
		f.sinks[0].buf.w = w
		require.NoError(t, r.Close())
		f.scan(scanNumber(1))
		f.flush()
		require.Equal(t, ends, ended)
		require.Empty(t, f.owed())
		require.Equal(t, uint64(1), f.counts()[0].Lost)
		_ = w.Close()
		require.NoError(t, f.close())
	}
}

// inheriting is a run that goes on from what another has left in a folder, with outputs to disks.
func inheriting(t *testing.T, said *bytes.Buffer, dir string, disks ...*smallDisk) *App {
	t.Helper()
	plan := config.Plan{State: filepath.Join(dir, "state"), Memory: 64 << 20}
	k, err := openKeeper(&plan, NewVoice(said), time.Now())
	require.NoError(t, err)
	var outputs []config.Output
	for range disks {
		outputs = append(outputs, config.Output{Format: config.JSON})
	}
	f := lastingOutputs(t, said, outputs...)
	for i, d := range disks {
		f.sinks[i].spec = fmt.Sprintf("json:%d", i)
		f.sinks[i].buf.w = d
	}
	a := &App{plan: plan, say: k.say, out: f, keeper: k}
	require.NoError(t, a.inherit())
	return a
}

// TestStateKeepsWhatWaits: while an output is full the state is saved all the same, with what waits beside it.
// The run after one that was killed writes that, from the line on that was cut off, and once.
func TestStateKeepsWhatWaits(t *testing.T) {
	var said bytes.Buffer
	dir, state := t.TempDir(), keptState(t, 7)
	full, empty := &smallDisk{room: 1000}, &smallDisk{room: 1 << 20}
	remembered := func(dst []byte) []byte { return append(dst, state...) }
	a := inheriting(t, &said, dir, full, empty)
	tell := func(n int) {
		a.out.scan(scanNumber(n))
		a.keeper.note(scanNumber(n))
	}
	for n := range 4 {
		tell(n)
	}
	a.flush()
	closed, err := a.keeper.read()
	require.NoError(t, err)
	require.Empty(t, closed, "who is killed now goes on from a state in which they are open")
	a.keeper.save(remembered, a.secure)
	require.Equal(t, uint64(1), a.keeper.saved().Saves)
	tell(4) // which is lost, as all since the state was saved
	cut := full.String()
	require.False(t, strings.HasSuffix(cut, "\n"))

	said.Reset()
	full.WriteString("\n") // as appendTo does
	full.room = 1 << 20
	a = inheriting(t, &said, dir, full, empty)
	require.NotNil(t, a.keeper.loaded)
	require.FileExists(t, a.keeper.waiting.path)
	a.flush()
	require.NoFileExists(t, a.keeper.waiting.path)
	want := strings.SplitAfter(strings.TrimSuffix(empty.String(), "\n"), "\n")
	require.Len(t, want, 4)
	broken := cut[strings.LastIndexByte(cut, '\n')+1:]
	require.NotEmpty(t, broken)
	require.Equal(t, strings.Join(want, "")+"\n", strings.Replace(full.String(), broken+"\n", "", 1))
	require.Empty(t, said.String())

	a = inheriting(t, &said, dir, full, empty)
	a.flush()
	require.Len(t, strings.Split(strings.TrimSpace(full.String()), "\n"), 5, "once")
}

// TestWhatWaitsIsBequeathed by a run that ends, also where the next one has no such output, or cannot read it.
func TestWhatWaitsIsBequeathed(t *testing.T) {
	var said bytes.Buffer
	dir := t.TempDir()
	end := func(disks ...*smallDisk) {
		a := inheriting(t, &said, dir, disks...)
		for i := range disks {
			a.out.scan(scanNumber(i))
		}
		require.Error(t, a.out.close())
		a.bequeath()
	}
	end(&smallDisk{}, &smallDisk{})
	path := filepath.Join(dir, "state.waiting")
	require.Contains(t, said.String(), "synoptic: what could not be written is kept in "+path+", for the next run\n")
	said.Reset()
	one := &smallDisk{room: 1 << 20}
	a := inheriting(t, &said, dir, one)
	require.Equal(t, "synoptic: warning: 2 lines wait for json:1, which is no output of this run: they are in "+path+".old\n", said.String())
	require.FileExists(t, path+".old")
	a.flush()
	require.Equal(t, 2, strings.Count(one.String(), "\n"))
	require.NoFileExists(t, path)

	said.Reset()
	require.NoError(t, os.WriteFile(path, []byte("no JSON"), 0o600))
	inheriting(t, &said, dir, one)
	require.Contains(t, said.String(), "cannot be read, and is now "+path+".old: ")
}
