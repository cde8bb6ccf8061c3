package capture

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

// manyPackets is a capture of n packets that fills the buffer several times.
func manyPackets(kind string, n int) []byte {
	data := strings.Repeat("d", 1000)
	if kind == "pcap" {
		f := pcapFile{network: 1}
		for i := range n {
			f.records = append(f.records, rec(uint32(i), 0, 1000, data[:i%1000]))
		}
		return f.bytes()
	}
	w := newNg(le).iface(1, 0, optIfFcslen, byte(4))
	for i := range n {
		w.packet(0, uint64(i), 1000, data[:i%1000], 1, "comment", optEpbDropcount, uint64(1))
	}
	return w.b
}

func TestReadAllocatesNothingPerPacket(t *testing.T) {
	const packets = 20_000
	for _, kind := range []string{"pcap", "pcapng"} {
		t.Run(kind, func(t *testing.T) {
			name := filepath.Join(t.TempDir(), "capture")
			require.NoError(t, os.WriteFile(name, manyPackets(kind, packets), 0o600))
			src, err := Open(name, Config{})
			require.NoError(t, err)
			fs := make([]Frame, 100)
			read := 0
			allocs := testing.AllocsPerRun(packets/len(fs)-2, func() {
				n, err := src.Read(fs)
				require.NoError(t, err)
				read += n
			})
			require.Zero(t, allocs)
			require.Greater(t, read, packets/2)
			require.NoError(t, src.Close())
		})
	}
}

// TestReadPointsIntoBuffer proves that frames of a batch lie in one array.
func TestReadPointsIntoBuffer(t *testing.T) {
	file := pcapFile{network: 1, records: []record{rec(1, 0, 3, "one"), rec(2, 0, 3, "two")}}
	src, err := NewReader(bytes.NewReader(file.bytes()), inputName, Config{})
	require.NoError(t, err)
	fs := make([]Frame, 2)
	n, err := src.Read(fs)
	require.NoError(t, err)
	require.Equal(t, 2, n)
	buffer := src.(*files).cur.buf.data
	require.Same(t, &buffer[pcapHeader+pcapRecord], &fs[0].Data[0])
	require.Same(t, &buffer[pcapHeader+2*pcapRecord+3], &fs[1].Data[0])
	require.Equal(t, len(fs[0].Data), cap(fs[0].Data), "an append must not write to the next record")
}

func TestReadWithoutRoom(t *testing.T) {
	src, err := NewReader(bytes.NewReader(manyPackets("pcap", 3)), inputName, Config{})
	require.NoError(t, err)
	n, err := src.Read(nil)
	require.NoError(t, err)
	require.Zero(t, n)
	frames, _ := drain(t, src, 10)
	require.Len(t, frames, 3)
}

// TestReadReturnsWhatIsThere: a batch that the input cannot fill yet must not
// wait for more.
func TestReadReturnsWhatIsThere(t *testing.T) {
	r, w := io.Pipe()
	file := pcapFile{network: 1, records: []record{rec(1, 0, 3, "one"), rec(2, 0, 3, "two")}}
	b := file.bytes()
	go func() { _, _ = w.Write(b[:len(b)-1]) }()
	src, err := NewReader(r, inputName, Config{})
	require.NoError(t, err)
	fs := make([]Frame, 256)
	n, err := src.Read(fs)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	go func() { _, _ = w.Write(b[len(b)-1:]); _ = w.Close() }()
	n, err = src.Read(fs)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.Equal(t, "two", string(fs[0].Data))
	n, err = src.Read(fs)
	require.Zero(t, n)
	require.Equal(t, io.EOF, err)
}

func TestReadErrorIsDamage(t *testing.T) {
	broken := errors.New("the disk is gone")
	file := manyPackets("pcap", 3)
	src, err := NewReader(io.MultiReader(bytes.NewReader(file[:len(file)-1]), iotest.ErrReader(broken)), inputName, Config{})
	require.NoError(t, err)
	frames, errs := drain(t, src, 10)
	require.Len(t, frames, 2)
	require.Len(t, errs, 1)
	require.ErrorIs(t, errs[0], broken)
	require.EqualError(t, errs[0], "x: damaged at offset 57 after 2 packets: the disk is gone")
	_, err = NewReader(iotest.ErrReader(broken), inputName, Config{})
	require.ErrorIs(t, err, broken)
}

func TestReadOfReaderWithoutProgress(t *testing.T) {
	src, err := NewReader(io.MultiReader(bytes.NewReader(manyPackets("pcap", 1)), stuckReader{}), inputName, Config{})
	require.NoError(t, err)
	frames, errs := drain(t, src, 10)
	require.Len(t, frames, 1)
	require.Len(t, errs, 1)
	require.ErrorIs(t, errs[0], io.ErrNoProgress)
}

type stuckReader struct{}

func (stuckReader) Read([]byte) (int, error) { return 0, nil }

// TestClaimedLengthCostsNothing: a block that says it has 16 MiB, in a file
// that has not, must not make the buffer grow.
func TestClaimedLengthCostsNothing(t *testing.T) {
	file := newNg(le).iface(1, 0).raw(6, 0, 0, 0, 0, 0, 0, 1).raw(make([]byte, 1000)...).b
	src, err := NewReader(bytes.NewReader(file), inputName, Config{})
	require.NoError(t, err)
	_, errs := drain(t, src, 10)
	require.Len(t, errs, 1)
	require.Len(t, src.(*files).scratch, readSize)
}

// TestComplaintsAreLimited: a file with many bad interfaces reports some.
func TestComplaintsAreLimited(t *testing.T) {
	w := newNg(le)
	for range 1000 {
		w.iface(1, 0, optIfTsresol, byte(0xff))
	}
	w.iface(1, 0).packet(1000, 1, 3, "one")
	src, err := NewReader(bytes.NewReader(w.b), inputName, Config{})
	require.NoError(t, err)
	frames, errs := drain(t, src, 10)
	require.Len(t, frames, 1)
	require.Len(t, errs, complaints)
	var damage *DamageError
	require.ErrorAs(t, errs[0], &damage)
	require.True(t, damage.Resumes)
	st, err := src.Stats()
	require.NoError(t, err)
	require.Equal(t, uint64(1000), st.Skipped)
	require.Zero(t, st.Damaged, "the input was read to its end")
}

func TestInterfacesAreLimited(t *testing.T) {
	w := newNg(le)
	body := w.words(1, 0)
	for range maxIfaces + 2 {
		w.block(blockInterface, body)
	}
	w.packet(maxIfaces-1, 1, 3, "one").packet(maxIfaces, 1, 3, "two")
	w.section(le, 1, 0).iface(101, 0).packet(0, 1, 3, "three")
	src, err := NewReader(bytes.NewReader(w.b), inputName, Config{})
	require.NoError(t, err)
	frames, errs := drain(t, src, 10)
	require.Equal(t, []got{{1000, 3, maxIfaces - 1, "one"}}, frames)
	require.Len(t, errs, 3)
	require.ErrorContains(t, errs[0], "more than 65536 interfaces in a section")
	require.ErrorContains(t, errs[2], "more than 65536 different interfaces")
	st, err := src.Stats()
	require.NoError(t, err)
	require.Equal(t, uint64(5), st.Skipped)
}
