package capture

import (
	"encoding/binary"
	"errors"
	"io"
	"testing"

	"github.com/stretchr/testify/require"
)

// order is both halves of a byte order.
type order interface {
	binary.ByteOrder
	binary.AppendByteOrder
}

var (
	le order = binary.LittleEndian
	be order = binary.BigEndian
)

// pcapFile crafts a classic capture.
type pcapFile struct {
	o            order
	magic        uint32
	major, minor uint16
	snaplen      uint32
	network      uint32
	records      []record
}

type record struct {
	sec, frac        uint32
	captured, length uint32
	data             string
}

// rec is a record whose captured length is true.
func rec(sec, frac, length uint32, data string) record {
	return record{sec, frac, uint32(len(data)), length, data}
}

func (f pcapFile) bytes() []byte {
	o := f.o
	if o == nil {
		o = le
	}
	if f.magic == 0 {
		f.magic = magicMicro
	}
	if f.major == 0 {
		f.major, f.minor = 2, 4
	}
	b := o.AppendUint32(nil, f.magic)
	b = o.AppendUint16(b, f.major)
	b = o.AppendUint16(b, f.minor)
	b = append(b, make([]byte, 8)...)
	b = o.AppendUint32(b, f.snaplen)
	b = o.AppendUint32(b, f.network)
	for _, r := range f.records {
		for _, v := range []uint32{r.sec, r.frac, r.captured, r.length} {
			b = o.AppendUint32(b, v)
		}
		if f.magic == magicKuznetzov {
			b = append(b, 3, 0, 0, 0, 8, 0, 4, 0)
		}
		b = append(b, r.data...)
	}
	return b
}

// ng crafts a block file.
type ng struct {
	o order
	b []byte
}

func newNg(o order) *ng { return (&ng{o: o}).section(o, 1, 0) }

func (w *ng) block(kind uint32, body []byte) *ng {
	for len(body)%4 != 0 {
		body = append(body, 0)
	}
	size := uint32(12 + len(body))
	w.b = w.o.AppendUint32(w.b, kind)
	w.b = w.o.AppendUint32(w.b, size)
	w.b = append(w.b, body...)
	w.b = w.o.AppendUint32(w.b, size)
	return w
}

func (w *ng) words(vs ...uint32) (b []byte) {
	for _, v := range vs {
		b = w.o.AppendUint32(b, v)
	}
	return b
}

func (w *ng) section(o order, major, minor uint16) *ng {
	w.o = o
	b := o.AppendUint32(nil, byteOrderMagic)
	b = o.AppendUint16(b, major)
	b = o.AppendUint16(b, minor)
	return w.block(blockSection, o.AppendUint64(b, 1<<64-1))
}

// opts is a list of options, given as code and value in turn, with its end.
func (w *ng) opts(codesAndValues ...any) []byte {
	var b []byte
	for i := 0; i < len(codesAndValues); i += 2 {
		value := w.value(codesAndValues[i+1])
		b = w.o.AppendUint16(b, uint16(codesAndValues[i].(int)))
		b = w.o.AppendUint16(b, uint16(len(value)))
		b = append(b, value...)
		for len(b)%4 != 0 {
			b = append(b, 0)
		}
	}
	return append(b, 0, 0, 0, 0)
}

func (w *ng) value(v any) []byte {
	switch v := v.(type) {
	case string:
		return []byte(v)
	case byte:
		return []byte{v}
	case uint32:
		return w.o.AppendUint32(nil, v)
	case uint64:
		return w.o.AppendUint64(nil, v)
	case int64:
		return w.o.AppendUint64(nil, uint64(v))
	}
	panic("no such option value")
}

func (w *ng) iface(link uint16, snaplen uint32, options ...any) *ng {
	b := w.o.AppendUint16(nil, link)
	b = append(b, 0, 0)
	b = w.o.AppendUint32(b, snaplen)
	return w.block(blockInterface, append(b, w.opts(options...)...))
}

func (w *ng) packet(iface uint32, ts uint64, length uint32, data string, options ...any) *ng {
	b := w.words(iface, uint32(ts>>32), uint32(ts), uint32(len(data)), length)
	b = append(b, data...)
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	if len(options) > 0 {
		b = append(b, w.opts(options...)...)
	}
	return w.block(blockEnhanced, b)
}

func (w *ng) simple(length uint32, data string) *ng {
	return w.block(blockSimple, append(w.words(length), data...))
}

func (w *ng) obsolete(iface, drops uint16, ts uint64, length uint32, data string) *ng {
	b := w.o.AppendUint16(nil, iface)
	b = w.o.AppendUint16(b, drops)
	b = append(b, w.words(uint32(ts>>32), uint32(ts), uint32(len(data)), length)...)
	return w.block(blockPacket, append(b, data...))
}

func (w *ng) statistics(iface uint32, options ...any) *ng {
	return w.block(blockStatistics, append(w.words(iface, 0, 0), w.opts(options...)...))
}

// raw appends bytes as they are.
func (w *ng) raw(b ...byte) *ng {
	w.b = append(w.b, b...)
	return w
}

// got is a frame that outlives its Read.
type got struct {
	time   int64
	length uint32
	iface  uint32
	data   string
}

// drain reads src to its end in batches of size and returns the frames and the
// errors before io.EOF.
func drain(t testing.TB, src Source, size int) (frames []got, errs []error) {
	t.Helper()
	fs := make([]Frame, size)
	for {
		n, err := src.Read(fs)
		for _, f := range fs[:n] {
			frames = append(frames, got{f.Time, f.Len, f.Iface, string(f.Data)})
		}
		if err == io.EOF {
			return frames, errs
		}
		var damage *DamageError
		var format *FormatError
		switch {
		case err == nil:
			require.Positive(t, n, "a Read without packets and without error")
		case errors.As(err, &damage), errors.As(err, &format):
			errs = append(errs, err)
		default:
			require.NoError(t, err)
		}
	}
}
