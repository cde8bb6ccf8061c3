package capture

import (
	"bytes"
	"io"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

// readers deliver a file in pieces of every kind.
var readers = map[string]func(io.Reader) io.Reader{
	"whole":         func(r io.Reader) io.Reader { return r },
	"byte by byte":  iotest.OneByteReader,
	"by halves":     iotest.HalfReader,
	"end with data": iotest.DataErrReader,
}

// TestSamples reads every crafted file, in one piece and in small ones, in
// batches of every size, and always with the same result.
func TestSamples(t *testing.T) {
	for _, s := range samples() {
		t.Run(s.name, func(t *testing.T) {
			for how, reader := range readers {
				for _, size := range []int{1, 2, 256} {
					if how == "byte by byte" && (len(s.file) > 4096 || size > 2) {
						continue
					}
					checkSample(t, s, reader(bytes.NewReader(s.file)), size)
				}
			}
		})
	}
}

func checkSample(t *testing.T, s sample, r io.Reader, batch int) {
	t.Helper()
	src, err := NewReader(r, inputName, Config{})
	if s.refused != "" {
		require.EqualError(t, err, s.refused)
		var format *FormatError
		require.ErrorAs(t, err, &format)
		require.Equal(t, inputName, format.Name)
		require.NotEmpty(t, format.Hint)
		return
	}
	require.NoError(t, err)
	frames, errs := drain(t, src, batch)
	require.Equal(t, s.want, frames)
	var messages []string
	for _, err := range errs {
		messages = append(messages, err.Error())
	}
	require.Equal(t, s.errs, messages)
	for i, link := range s.links {
		require.Equal(t, link, src.Link(uint32(i)), "interface %d", i)
	}
	require.Equal(t, uint16(noLink), src.Link(uint32(len(s.links))))
	want := s.stats
	want.Packets = uint64(len(s.want))
	for _, f := range s.want {
		want.Bytes += uint64(len(f.data))
	}
	want.Offset = int64(len(s.file))
	st, err := src.Stats()
	require.NoError(t, err)
	if s.stats.Damaged > 0 { // what is behind the damage may not be read
		require.LessOrEqual(t, st.Offset, want.Offset)
		st.Offset = want.Offset
	}
	require.Equal(t, want, st)
	_, err = src.Read(make([]Frame, 1))
	require.Equal(t, io.EOF, err)
	require.NoError(t, src.Close())
}
