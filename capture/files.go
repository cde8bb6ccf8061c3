package capture

import (
	"bufio"
	"errors"
	"io"
	"os"
	"sync"
	"sync/atomic"
)

// input is one thing to read.
type input struct {
	name    string
	r       io.Reader // already open; nil: name is to be opened
	size    int64     // stored bytes, if regular
	regular bool      // a regular file, reads of which do not block
	listed  bool      // found in a directory, not named by the user
	// followed: a regular file whose end is waited for.
	followed bool
	first    bool // the followed file, as it was when it was named
}

// peekSize is the buffer between stored and decompressed bytes.
const peekSize = 64 << 10

// files reads inputs one after the other.
type files struct {
	cfg     Config
	inputs  []input
	next    int // index into inputs
	cur     *stream
	reg     registry
	tally   Stats  // belongs to Read
	before  int64  // stored bytes of finished inputs
	scratch []byte // read buffer, handed from input to input

	watch   watch         // what is read after the inputs; nil: nothing
	tail    *tail         // the followed file that is read, or was last
	late    []error       // what the watch found wrong
	failed  bool          // the followed file could not be opened
	silent  bool          // waiting was told
	waiting chan struct{} // tells that a followed file waits for more

	offset atomic.Int64
	total  int64
	closed chan struct{}

	mu        sync.Mutex
	published Stats
	file      io.Closer // what is being read, if it can be closed
	isClosed  bool
}

func newFiles(inputs []input, cfg Config) *files {
	if cfg.ZstdWindow == 0 {
		cfg.ZstdWindow = defaultZstdWindow
	}
	if cfg.Interval <= 0 {
		cfg.Interval = defaultInterval
	}
	f := &files{cfg: cfg, inputs: inputs, closed: make(chan struct{}), waiting: make(chan struct{}, 1)}
	for _, in := range inputs {
		if !in.regular || in.followed {
			f.total = 0
			break
		}
		f.total += in.size
	}
	return f
}

// Read implements Source.
func (f *files) Read(fs []Frame) (int, error) {
	select {
	case <-f.closed:
		return 0, os.ErrClosed
	default:
	}
	if len(fs) == 0 {
		return 0, nil
	}
	n, err := f.read(fs)
	f.silent = f.silent && n == 0
	bytes := 0
	for i := range fs[:n] {
		bytes += len(fs[i].Data)
	}
	f.tally.Bytes += uint64(bytes)
	f.tally.Packets += uint64(n)
	f.mu.Lock()
	f.published = f.tally
	if f.isClosed && n == 0 {
		err = os.ErrClosed
	}
	f.mu.Unlock()
	return n, err
}

func (f *files) read(fs []Frame) (int, error) {
	for {
		if len(f.late) > 0 {
			err := f.late[0]
			f.late = f.late[1:]
			f.tally.Damaged++
			return 0, err
		}
		if f.cur == nil {
			if f.next == len(f.inputs) {
				if err := f.more(); err != nil {
					return 0, err
				}
			}
			if err := f.openNext(); err != nil {
				return 0, err
			}
			if f.cur == nil {
				continue
			}
		}
		n, err := f.cur.read(fs)
		if err == nil {
			return n, nil
		}
		if !errors.Is(err, io.EOF) {
			if f.cur.ended && !errors.Is(err, os.ErrClosed) {
				f.tally.Damaged++
			}
			return 0, err
		}
		f.finish()
	}
}

// more waits for what is to be read after the inputs: nothing, or what the
// watch finds.
func (f *files) more() error {
	if f.watch == nil {
		return io.EOF
	}
	for first := true; ; first = false {
		if (!first || f.failed) && !f.pause() {
			return os.ErrClosed
		}
		if in, ok := f.watch.next(f.tail); ok {
			f.inputs, f.next = append(f.inputs[:0], in), 0
			return nil
		}
	}
}

// openNext opens the next input. When that fails the input is done with, and
// the error says why; but a followed name that cannot be opened is told once,
// and then tried again and again.
func (f *files) openNext() error {
	in := f.inputs[f.next]
	f.next++
	err := f.start(in)
	again := f.failed
	f.failed = in.followed && f.tail == nil
	if err == nil || errors.Is(err, os.ErrClosed) {
		return err
	}
	f.finish()
	if again && f.failed {
		return nil
	}
	f.tally.Damaged++
	if format, ok := errors.AsType[*FormatError](err); ok {
		format.Name, format.Hint = in.name, hintFor(format.Hint, in.name)
		if in.listed {
			return &DamageError{Name: in.name, Reason: format.What, Err: format}
		}
		if in.first {
			f.watch = nil // it was a mistake to follow it
		}
	}
	return err
}

func (f *files) start(in input) error {
	r := in.r
	f.tail = nil
	if r == nil {
		file, err := f.open(in)
		if err != nil {
			return err
		}
		r = file
	}
	if !f.hold(r) {
		return os.ErrClosed
	}
	if file, ok := r.(*os.File); ok && in.followed {
		info, err := file.Stat()
		if err != nil {
			return damage(in.name, err)
		}
		f.tail = &tail{files: f, file: file, info: info}
		r = f.tail
	}
	br := bufio.NewReaderSize(newRaw(r, in.regular, &f.offset, f.closed), peekSize)
	head, err := br.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return damage(in.name, err)
	}
	kind := packing(head)
	if kind == "lz4" && f.tail != nil {
		return &FormatError{What: "lz4 data, which cannot be followed", Hint: "compress with gzip or zstd what is to be followed"}
	}
	plain, err := unpack(br, kind, f.cfg.ZstdWindow)
	if err != nil {
		return packError(in.name, kind, err)
	}
	s := &stream{name: in.name, packing: kind, buf: buffer{r: plain, data: f.scratch}}
	if !in.regular {
		s.from = r
	}
	f.cur = s
	return f.detect(s)
}

func damage(name string, err error) *DamageError {
	return &DamageError{Name: name, Reason: err.Error(), Err: err}
}

// open opens a file. Opening a named pipe waits for its writer, so that is
// left behind when the source is closed meanwhile.
func (f *files) open(in input) (*os.File, error) {
	if in.regular {
		file, err := os.Open(in.name)
		if err != nil {
			return nil, damage(in.name, err)
		}
		return file, nil
	}
	type opened struct {
		file *os.File
		err  error
	}
	result := make(chan opened)
	go func() {
		file, err := os.Open(in.name)
		select {
		case result <- opened{file, err}:
		case <-f.closed:
			if err == nil {
				_ = file.Close()
			}
		}
	}()
	select {
	case got := <-result:
		if got.err != nil {
			return nil, damage(in.name, got.err)
		}
		return got.file, nil
	case <-f.closed:
		return nil, os.ErrClosed
	}
}

// hold remembers what Close has to close. It reports whether the source is
// still open, and closes r if not.
func (f *files) hold(r io.Reader) bool {
	closer, _ := r.(io.Closer)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.isClosed {
		if closer != nil {
			_ = closer.Close()
		}
		return false
	}
	f.file = closer
	return true
}

// finish is done with the current input. Readers that were handed in stay open
// until Close.
func (f *files) finish() {
	if f.cur != nil {
		f.scratch = f.cur.buf.data
		if len(f.scratch) > readSize {
			f.scratch = nil
		}
		f.cur = nil
	}
	in := f.inputs[f.next-1]
	if in.regular && !in.followed {
		f.before += in.size
		f.offset.Store(f.before)
	} else {
		f.before = f.offset.Load()
	}
	if in.r != nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.file != nil {
		_ = f.file.Close() // opened for reading: nothing can be lost
		f.file = nil
	}
}

// Link implements Source.
func (f *files) Link(iface uint32) uint16 { return f.reg.link(iface) }

// Stats implements Source. It never fails.
func (f *files) Stats() (Stats, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	st := f.published
	st.Total = f.total
	st.Offset = f.offset.Load()
	return st, nil
}

// Close implements Source.
func (f *files) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.isClosed {
		return nil
	}
	f.isClosed = true
	close(f.closed)
	if f.file == nil {
		return nil
	}
	return f.file.Close()
}
