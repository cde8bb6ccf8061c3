package capture

import (
	"bytes"
	"errors"
	"io"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

// What reading one fuzzed file may allocate in all, in bytes: our buffers for
// a plain one, and the largest that lz4 and zstd ask for besides for one that
// is compressed. Both are far below the lengths that files can claim.
const (
	plainMemory  = 2 << 20
	packedMemory = 40 << 20
)

func FuzzPcap(f *testing.F) {
	for _, s := range pcapSamples() {
		if len(s.file) < 4096 {
			f.Add(s.file)
		}
	}
	f.Fuzz(fuzzRead)
}

func FuzzPcapng(f *testing.F) {
	for _, s := range pcapngSamples() {
		if len(s.file) < 4096 {
			f.Add(s.file)
		}
	}
	f.Fuzz(fuzzRead)
}

func FuzzSnoop(f *testing.F) {
	for _, s := range snoopSamples() {
		f.Add(s.file)
	}
	f.Fuzz(fuzzRead)
}

func FuzzOpen(f *testing.F) {
	for i, s := range samples() {
		if len(s.file) < 4096 && len(s.file) > 0 {
			f.Add(pack(f, packings[i%len(packings)], s.file))
		}
	}
	f.Add(bigWindow(23, noisyCapture(1)))
	f.Add(bigWindow(40, noisyCapture(1)))
	f.Add(bigContent(1<<31, noisyCapture(1)))
	for _, s := range signatures() {
		f.Add(append(make([]byte, s.offset), s.magic...))
	}
	f.Fuzz(fuzzRead)
}

// fuzzRead reads b to its end: no panic, bounded memory, an end, offsets that
// only grow, and counts that agree.
func fuzzRead(t *testing.T, b []byte) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	src, err := NewReader(bytes.NewReader(b), inputName, Config{})
	if err != nil {
		var format *FormatError
		require.ErrorAs(t, err, &format)
		return
	}
	fs := make([]Frame, 3)
	var packets, size uint64
	var offset, last int64
	for {
		n, err := src.Read(fs)
		packets += uint64(n)
		for _, f := range fs[:n] {
			size += uint64(len(f.Data))
			require.LessOrEqual(t, f.Time, int64(maxTime))
			require.GreaterOrEqual(t, f.Time, int64(-maxTime))
			require.Less(t, f.Iface, uint32(maxIfaces))
		}
		st, statsErr := src.Stats()
		require.NoError(t, statsErr)
		require.GreaterOrEqual(t, st.Offset, offset)
		require.LessOrEqual(t, st.Offset, int64(len(b)))
		offset = st.Offset
		if err == io.EOF {
			break
		}
		if damage, ok := errors.AsType[*DamageError](err); ok {
			require.GreaterOrEqual(t, damage.Offset, last)
			require.Equal(t, packets, damage.Packets)
			last = damage.Offset
			continue
		}
		require.NoError(t, err)
		require.Positive(t, n)
	}
	st, err := src.Stats()
	require.NoError(t, err)
	require.Equal(t, packets, st.Packets)
	require.Equal(t, size, st.Bytes)
	runtime.ReadMemStats(&after)
	limit := plainMemory + 32*len(b)
	if packing(b) != "" {
		limit = packedMemory
	}
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(limit))
}
