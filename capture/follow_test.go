package capture

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

// following reads a followed source on a goroutine, and lets it look for more
// only when the test says so: no test here waits for a time to pass.
type following struct {
	t              *testing.T
	src            Source
	paused, resume chan struct{}
	ended          chan error

	idled chan struct{} // has something for each *Idle

	mu   sync.Mutex
	data []string
	errs []string
}

// follow starts to read names. It must be at rest before the test goes on.
func follow(t *testing.T, names ...string) *following {
	t.Helper()
	f := &following{t: t, paused: make(chan struct{}), resume: make(chan struct{}), ended: make(chan error, 1), idled: make(chan struct{}, 1000)}
	var err error
	f.src, err = Join(names, Config{Follow: true, wait: f.wait})
	require.NoError(t, err)
	go f.read()
	t.Cleanup(func() {
		require.NoError(t, f.src.Close())
		goleak.VerifyNone(t)
	})
	return f
}

func (f *following) wait(closed <-chan struct{}) {
	for _, c := range []chan struct{}{f.paused, f.resume} {
		select {
		case c <- struct{}{}:
		case <-closed:
			return
		}
	}
}

func (f *following) read() {
	fs := make([]Frame, 3)
	for {
		n, err := f.src.Read(fs)
		f.mu.Lock()
		for _, frame := range fs[:n] {
			f.data = append(f.data, string(frame.Data))
		}
		_, idle := errors.AsType[*Idle](err)
		_, damage := errors.AsType[*DamageError](err)
		_, format := errors.AsType[*FormatError](err)
		switch {
		case idle:
			f.idled <- struct{}{}
		case damage, format:
			f.errs = append(f.errs, err.Error())
		}
		f.mu.Unlock()
		if err != nil && !idle && !damage && !format {
			f.ended <- err
			return
		}
	}
}

// rest waits until all there is has been read, and returns what came since the
// last time.
func (f *following) rest() []string {
	f.t.Helper()
	select {
	case <-f.paused:
	case err := <-f.ended:
		require.NoError(f.t, err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	data := f.data
	f.data = nil
	return data
}

// look lets the source look for more once, and returns what that brought.
func (f *following) look() []string {
	f.t.Helper()
	<-f.resume
	return f.rest()
}

// problems are the errors so far.
func (f *following) problems() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	errs := f.errs
	f.errs = nil
	return errs
}

// put writes a file anew, with the same inode if it is there.
func put(t *testing.T, name string, b []byte) {
	t.Helper()
	require.NoError(t, os.WriteFile(name, b, 0o600))
}

// add appends to a file.
func add(t *testing.T, name string, b []byte) {
	t.Helper()
	file, err := os.OpenFile(name, os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = file.Write(b)
	require.NoError(t, err)
	require.NoError(t, file.Close())
}

// records are the bytes of records without the header of their file.
func records(rs ...record) []byte {
	return pcapFile{network: 1, records: rs}.bytes()[pcapHeader:]
}

func TestFollowGrowing(t *testing.T) {
	name := filepath.Join(t.TempDir(), "cap")
	whole := pcapFile{network: 1, records: []record{rec(1, 0, 60, "one"), rec(2, 0, 60, "two"), rec(3, 0, 60, "three")}}.bytes()
	put(t, name, nil)
	f := follow(t, name)
	require.Empty(t, f.rest())
	<-f.idled
	sent := 0
	for _, step := range []struct {
		upTo int
		want []string
	}{
		{2, nil},  // in the magic number
		{20, nil}, // in the header
		{24, nil},
		{24 + 10, nil},
		{24 + 19, []string{"one"}},
		{24 + 19, nil},
		{24 + 38 - 1, nil},
		{24 + 38 + 7, []string{"two"}},
		{len(whole), []string{"three"}},
	} {
		add(t, name, whole[sent:step.upTo])
		sent = step.upTo
		require.Equal(t, step.want, f.look(), step.upTo)
		if step.want != nil {
			<-f.idled // what is behind is to make use of the packet
		}
	}
	require.Empty(t, f.problems(), "an incomplete record is no damage")
	require.Empty(t, f.idled, "once each time")
	st, err := f.src.Stats()
	require.NoError(t, err)
	require.Equal(t, Stats{Packets: 3, Bytes: 11, Offset: int64(len(whole))}, st)
	require.NoError(t, f.src.Close())
	require.ErrorIs(t, <-f.ended, os.ErrClosed)
}

// TestFollowPcapng cuts a file with two sections at every place.
func TestFollowPcapng(t *testing.T) {
	whole := newNg(le).iface(1, 0).packet(0, 1, 60, "one", optEpbDropcount, uint64(2)).
		section(be, 1, 0).iface(101, 0).packet(0, 1, 60, "two").b
	for cut := 0; cut < len(whole); cut += 5 {
		name := filepath.Join(t.TempDir(), "cap")
		put(t, name, whole[:cut])
		f := follow(t, name)
		got := f.rest()
		add(t, name, whole[cut:])
		require.Equal(t, []string{"one", "two"}, append(got, f.look()...), cut)
		require.Empty(t, f.problems())
		st, err := f.src.Stats()
		require.NoError(t, err)
		require.Equal(t, uint64(2), st.Dropped)
		require.NoError(t, f.src.Close())
		require.ErrorIs(t, <-f.ended, os.ErrClosed)
	}
}

func TestFollowRotated(t *testing.T) {
	dir := t.TempDir()
	name, old := filepath.Join(dir, "cap"), filepath.Join(dir, "cap.1")
	put(t, name, at(1, 1, "one"))
	f := follow(t, name)
	require.Equal(t, []string{"one"}, f.rest())

	// Renamed, the writer goes on, and only then is there a new file.
	require.NoError(t, os.Rename(name, old))
	require.Empty(t, f.look())
	add(t, old, records(rec(2, 0, 60, "two")))
	require.Equal(t, []string{"two"}, f.look())
	add(t, old, records(rec(3, 0, 60, "three")))
	put(t, name, at(4, 101, "four"))
	require.Equal(t, []string{"three", "four"}, f.look())
	require.Empty(t, f.problems())
	require.Equal(t, uint16(101), f.src.Link(1))

	// Replaced in the middle of a record.
	add(t, name, records(rec(5, 0, 60, "five"))[:17])
	require.Empty(t, f.look())
	put(t, filepath.Join(dir, "next"), at(6, 1, "six"))
	require.NoError(t, os.Rename(filepath.Join(dir, "next"), name))
	require.Equal(t, []string{"six"}, f.look())
	require.Equal(t, []string{name + ": truncated at offset 44 after 1 packet: 17 of the 20 bytes that come next are there"}, f.problems())
}

func TestFollowTruncated(t *testing.T) {
	name := filepath.Join(t.TempDir(), "cap")
	put(t, name, pcapFile{network: 1, records: []record{rec(1, 0, 60, "one"), rec(2, 0, 60, "two")}}.bytes())
	f := follow(t, name)
	require.Equal(t, []string{"one", "two"}, f.rest())
	put(t, name, at(3, 1, "three"))
	require.Equal(t, []string{"three"}, f.look())
	put(t, name, nil)
	require.Empty(t, f.look())
	put(t, name, at(4, 1, "four"))
	require.Equal(t, []string{"four"}, f.look())
	require.Empty(t, f.problems())
}

// TestFollowDamaged: behind damage nothing can be read, until the file is
// replaced.
func TestFollowDamaged(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "cap")
	put(t, name, append(at(1, 1, "one"), bytes.Repeat([]byte{0xff}, 16)...))
	f := follow(t, name)
	require.Equal(t, []string{"one"}, f.rest())
	require.Len(t, f.problems(), 1)
	add(t, name, records(rec(2, 0, 60, "two")))
	require.Empty(t, f.look())
	require.NoError(t, os.Rename(name, name+".1"))
	require.Empty(t, f.look())
	put(t, name, []byte("this is no capture\n"))
	require.Empty(t, f.look())
	require.Equal(t, []string{name + ": not a readable capture: plain text"}, f.problems())
	require.NoError(t, os.Rename(name, name+".2"))
	put(t, name, at(3, 1, "three"))
	require.Equal(t, []string{"three"}, f.look())
	require.Empty(t, f.problems())
}

// flusher is a compressor that can be made to write out what it has.
type flusher interface {
	io.WriteCloser
	Flush() error
	Reset(w io.Writer)
}

// TestFollowCompressed: a growing compressed file is read as far as it is
// written out; behind the end of a member another may come.
func TestFollowCompressed(t *testing.T) {
	zst, err := zstd.NewWriter(nil)
	require.NoError(t, err)
	for kind, w := range map[string]flusher{"gzip": gzip.NewWriter(nil), "zstd": zst} {
		t.Run(kind, func(t *testing.T) {
			name := filepath.Join(t.TempDir(), "cap")
			put(t, name, nil)
			var out bytes.Buffer
			w.Reset(&out)
			write := func(b []byte, finish func() error) {
				_, err := w.Write(b)
				require.NoError(t, err)
				require.NoError(t, finish())
				add(t, name, out.Bytes())
				out.Reset()
			}
			f := follow(t, name)
			require.Empty(t, f.rest())
			<-f.idled
			write(at(1, 1, "one"), w.Flush)
			require.Equal(t, []string{"one"}, f.look())
			<-f.idled // though the decompressor waits in the middle of its input
			write(records(rec(2, 0, 60, "two"))[:9], w.Flush)
			require.Empty(t, f.look())
			write(records(rec(2, 0, 60, "two"))[9:], w.Close)
			require.Equal(t, []string{"two"}, f.look())
			w.Reset(&out)
			write(records(rec(3, 0, 60, "three")), w.Close)
			require.Equal(t, []string{"three"}, f.look())
			require.NoError(t, os.Rename(name, name+".1"))
			put(t, name, pack(t, kind, at(4, 1, "four")))
			require.Equal(t, []string{"four"}, f.look())
			require.Empty(t, f.problems())
		})
	}
}

// TestFollowSeveral: what is named before the last is read once.
func TestFollowSeveral(t *testing.T) {
	dir := folder(t, map[string][]byte{"old/b": at(1, 1, "one"), "old/a": at(2, 1, "two"), "cap": at(3, 1, "three")})
	cut := filepath.Join(dir, "cut")
	put(t, cut, at(4, 1, "four")[:30])
	name := filepath.Join(dir, "cap")
	f := follow(t, filepath.Join(dir, "old"), cut, name)
	require.Equal(t, []string{"one", "two", "three"}, f.rest())
	require.Len(t, f.problems(), 1)
	add(t, name, records(rec(5, 0, 60, "five")))
	require.Equal(t, []string{"five"}, f.look())
}

func TestFollowRefuses(t *testing.T) {
	defer goleak.VerifyNone(t)
	dir := folder(t, map[string][]byte{"notes.txt": []byte("no capture\n"), "trace": append([]byte("GMBU\x00\x02"), make([]byte, 100)...), "cap.lz4": pack(t, "lz4", at(1, 1, "one"))})
	for _, name := range []string{"notes.txt", "trace", "cap.lz4"} {
		src, err := Open(filepath.Join(dir, name), Config{Follow: true})
		require.NoError(t, err)
		_, err = src.Read(make([]Frame, 1))
		_, ok := errors.AsType[*FormatError](err)
		require.True(t, ok, "%v", err)
		_, err = src.Read(make([]Frame, 1))
		require.Equal(t, io.EOF, err, "it is not waited for")
		require.NoError(t, src.Close())
	}
	for _, name := range []string{"-", filepath.Join(dir, "nosuch")} {
		_, err := Open(name, Config{Follow: true})
		require.Error(t, err, name)
	}
}

// TestFollowWaits waits once as it does outside of tests.
func TestFollowWaits(t *testing.T) {
	defer goleak.VerifyNone(t)
	name := filepath.Join(t.TempDir(), "cap")
	put(t, name, at(1, 1, "one"))
	src, err := Open(name, Config{Follow: true, Interval: 1})
	require.NoError(t, err)
	fs := make([]Frame, 1)
	n, err := src.Read(fs)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	for {
		n, err = src.Read(fs)
		if _, idle := errors.AsType[*Idle](err); !idle {
			break
		}
		add(t, name, records(rec(2, 0, 60, "two")))
	}
	require.NoError(t, err)
	require.Equal(t, "two", string(fs[:n][0].Data))
	require.NoError(t, src.Close())
	require.NoError(t, src.Close())

	src, err = Open(name, Config{Follow: true}) // and with the default, closed while waiting
	require.NoError(t, err)
	for range 3 {
		if _, err = src.Read(fs); err != nil {
			break
		}
	}
	_, idle := errors.AsType[*Idle](err)
	require.True(t, idle, "%v", err)
	result := make(chan error)
	go func() {
		_, err := src.Read(fs)
		result <- err
	}()
	require.NoError(t, src.Close())
	require.ErrorIs(t, <-result, os.ErrClosed)
}
