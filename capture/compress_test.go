package capture

import (
	"bytes"
	"io"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/stretchr/testify/require"
)

var packings = []string{"gzip", "zstd", "lz4", "lz4 legacy"}

func pack(t testing.TB, kind string, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	var w io.WriteCloser
	var err error
	switch kind {
	case "gzip":
		w = gzip.NewWriter(&out)
	case "zstd":
		w, err = zstd.NewWriter(&out, zstd.WithEncoderCRC(true))
	case "lz4":
		w = lz4.NewWriter(&out)
	case "lz4 legacy":
		l := lz4.NewWriter(&out)
		err = l.Apply(lz4.LegacyOption(true))
		w = l
	}
	require.NoError(t, err)
	_, err = w.Write(b)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return out.Bytes()
}

// noise makes data that does not compress, so that cuts hit data.
func noise(n int) []byte {
	b := make([]byte, n)
	x := uint32(1)
	for i := range b {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		b[i] = byte(x)
	}
	return b
}

func noisyCapture(packets int) []byte {
	f := pcapFile{network: 1}
	data := noise(packets + 1000)
	for i := range packets {
		f.records = append(f.records, rec(uint32(i), 0, 1000, string(data[i:i+1000])))
	}
	return f.bytes()
}

func readAll(t testing.TB, b []byte) ([]got, []error) {
	t.Helper()
	src, err := NewReader(bytes.NewReader(b), inputName, Config{})
	require.NoError(t, err)
	defer src.Close()
	return drain(t, src, 100)
}

func TestCompressed(t *testing.T) {
	whole := noisyCapture(1500)
	want, errs := readAll(t, whole)
	require.Empty(t, errs)
	require.Len(t, want, 1500)
	for _, kind := range packings {
		t.Run(kind, func(t *testing.T) {
			frames, errs := readAll(t, pack(t, kind, whole))
			require.Empty(t, errs)
			require.Equal(t, want, frames)

			// Three members, one of them empty, cut in the middle of a record.
			half := len(whole)/2 + 7
			parts := append(pack(t, kind, whole[:half]), pack(t, kind, whole[half:])...)
			if kind != "lz4 legacy" {
				parts = append(pack(t, kind, nil), parts...)
			}
			frames, errs = readAll(t, parts)
			require.Empty(t, errs)
			require.Equal(t, want, frames)
		})
	}
}

func TestCompressedSamples(t *testing.T) {
	for i, s := range samples() {
		if s.refused != "" {
			continue
		}
		kind := packings[i%len(packings)]
		plain, plainErrs := readAll(t, s.file)
		frames, errs := readAll(t, pack(t, kind, s.file))
		require.Equal(t, plain, frames, "%s %s", kind, s.name)
		require.Equal(t, plainErrs, errs, "%s %s: offsets are those of the uncompressed bytes", kind, s.name)
	}
}

// TestCompressedCut cuts compressed captures and keeps what comes before.
func TestCompressedCut(t *testing.T) {
	whole := noisyCapture(9000) // above the largest block of each
	want, _ := readAll(t, whole)
	for _, kind := range []string{"gzip", "zstd", "lz4"} {
		t.Run(kind, func(t *testing.T) {
			packed := pack(t, kind, whole)
			frames, errs := readAll(t, packed[:len(packed)*3/4])
			require.Greater(t, len(frames), 3000)
			require.Equal(t, want[:len(frames)], frames)
			require.Len(t, errs, 1)
			var damage *DamageError
			require.ErrorAs(t, errs[0], &damage)
			require.ErrorIs(t, damage, io.ErrUnexpectedEOF)
			require.Equal(t, int64(pcapHeader+len(frames)*(pcapRecord+1000)), damage.Offset)
			require.Equal(t, uint64(len(frames)), damage.Packets)
			require.ErrorContains(t, damage, "x: truncated at offset")
			require.ErrorContains(t, damage, kind+" data breaks off")

			// The end mark or checksum alone is missing: all packets are there.
			frames, errs = readAll(t, packed[:len(packed)-2])
			require.NotEmpty(t, frames)
			require.Equal(t, want[:len(frames)], frames)
			require.Len(t, errs, 1)

			flipped := bytes.Clone(packed)
			flipped[len(flipped)*3/4] ^= 0x55
			frames, errs = readAll(t, flipped)
			require.NotEmpty(t, frames)
			require.Len(t, errs, 1)
			require.ErrorContains(t, errs[0], "x: damaged at offset")
		})
	}
}

func TestCompressedRefused(t *testing.T) {
	capture := noisyCapture(3)
	gz := pack(t, "gzip", capture)
	tests := []struct {
		name string
		file []byte
		want string
	}{
		{"gzip in gzip", pack(t, "gzip", gz), "gzip data inside gzip data"},
		{"zstd in lz4", pack(t, "lz4", pack(t, "zstd", capture)), "zstd data inside lz4 data"},
		{"text in zstd", pack(t, "zstd", []byte("hello\n")), "plain text inside zstd data"},
		{"nothing in gzip", pack(t, "gzip", nil), "an empty file inside gzip data"},
		{"gzip header cut", gz[:5], "gzip data that is cut off at its start"},
		{"zstd header cut", pack(t, "zstd", capture)[:5], "zstd data that is cut off at its start"},
		{"lz4 header cut", pack(t, "lz4", capture)[:5], "lz4 data that is cut off at its start"},
		{"gzip header broken", append([]byte{0x1f, 0x8b, 99}, gz[3:]...), "gzip data that cannot be decompressed: gzip: invalid header"},
		{"pcap header cut in gzip", pack(t, "gzip", capture[:20]), "a pcap header that is cut off after 20 of 24 bytes"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := NewReader(bytes.NewReader(test.file), inputName, Config{})
			var format *FormatError
			require.ErrorAs(t, err, &format)
			require.EqualError(t, err, "x: not a readable capture: "+test.want)
		})
	}
}

// bigWindow is a zstd frame header that asks for a window of 2^log bytes, with
// one raw block.
func bigWindow(log byte, b []byte) []byte {
	size := uint32(len(b))<<3 | 1
	head := []byte{0x28, 0xb5, 0x2f, 0xfd, 0, (log - 10) << 3, byte(size), byte(size >> 8), byte(size >> 16)}
	return append(head, b...)
}

// bigContent is a zstd frame without window that says it holds size bytes.
func bigContent(size uint32, b []byte) []byte {
	head := le.AppendUint32([]byte{0x28, 0xb5, 0x2f, 0xfd, 2<<6 | 1<<5}, size)
	return append(head, bigWindow(10, b)[6:]...)
}

func TestZstdWindowIsBounded(t *testing.T) {
	capture := noisyCapture(3)
	_, err := NewReader(bytes.NewReader(bigWindow(24, capture)), inputName, Config{})
	var format *FormatError
	require.ErrorAs(t, err, &format)
	require.Contains(t, format.What, "needs more memory")
	require.Equal(t, "pipe it through zstd -dc --long=31", format.Hint)

	_, err = NewReader(bytes.NewReader(bigContent(1<<30, capture)), inputName, Config{})
	require.ErrorAs(t, err, &format)
	require.Contains(t, format.What, "needs more memory")

	src, err := NewReader(bytes.NewReader(bigWindow(24, capture)), inputName, Config{ZstdWindow: 16 << 20})
	require.NoError(t, err)
	frames, errs := drain(t, src, 10)
	require.Empty(t, errs)
	require.Len(t, frames, 3)

	frames, errs = readAll(t, bigWindow(23, capture))
	require.Empty(t, errs)
	require.Len(t, frames, 3)
}

// TestZstdSkippableFrameFirst: parallel compressors start with one.
func TestZstdSkippableFrameFirst(t *testing.T) {
	capture := noisyCapture(3)
	file := append([]byte{0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4}, pack(t, "zstd", capture)...)
	frames, errs := readAll(t, file)
	require.Empty(t, errs)
	require.Len(t, frames, 3)
}

func TestTrailingGarbageBehindCompressedData(t *testing.T) {
	capture := noisyCapture(3)
	for _, kind := range []string{"gzip", "zstd", "lz4"} {
		frames, errs := readAll(t, append(pack(t, kind, capture), "garbage, a line of it"...))
		require.Len(t, frames, 3, kind)
		require.Len(t, errs, 1, kind)
		require.ErrorContains(t, errs[0], "x: damaged at offset", kind)
	}
}
