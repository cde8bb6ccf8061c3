package capture

import (
	"bytes"
	"encoding/binary"
	"io"
	"testing"

	"github.com/stretchr/testify/require"
)

// erfSample is one record; the fraction of its time is half a second.
func erfSample(kind byte, extensions int, body []byte, length int) []byte {
	r := make([]byte, erfHeader)
	binary.LittleEndian.PutUint32(r, 1<<31)
	binary.LittleEndian.PutUint32(r[4:], 1_700_000_000)
	r[8] = kind
	if extensions > 0 {
		r[8] |= 0x80
	}
	for i := range extensions {
		ext := make([]byte, 8)
		if i < extensions-1 {
			ext[0] = 0x80
		}
		r = append(r, ext...)
	}
	if kind == erfEthernet {
		r = append(r, 0, 0)
	}
	r = append(r, body...)
	binary.BigEndian.PutUint16(r[10:], uint16(len(r)))
	binary.BigEndian.PutUint16(r[14:], uint16(length))
	return r
}

func TestERF(t *testing.T) {
	body := bytes.Repeat([]byte{0xab}, 64)
	file := bytes.Join([][]byte{
		erfSample(erfEthernet, 0, body, 60), // padded to 64
		erfSample(erfPad, 0, body, 64),
		erfSample(erfIPv4, 2, body, 1500), // cut by the snap length
		erfSample(erfEthernet, 0, body, 64),
		erfSample(5, 0, body, 64),
	}, nil)
	file[13] = 7                       // lost before the first packet
	file[len(file)-len(body)-4+1] = 99 // no loss: type 5 has a colour there
	s, err := NewReader(bytes.NewReader(file), "x.erf", Config{})
	require.NoError(t, err)
	defer s.Close()
	fs := make([]Frame, 8)
	n, err := s.Read(fs)
	require.NoError(t, err)
	require.Equal(t, 4, n)
	stats, err := s.Stats()
	require.NoError(t, err)
	require.EqualValues(t, 7, stats.Dropped)
	for i, want := range []struct {
		iface uint32
		link  uint16
		data  int
		len   uint32
	}{{0, 1, 60, 60}, {1, 228, 64, 1500}, {0, 1, 64, 64}, {2, 197, 64, 64}} {
		require.Equal(t, int64(1_700_000_000_500_000_000), fs[i].Time)
		require.Equal(t, want.iface, fs[i].Iface)
		require.Equal(t, want.link, s.Link(fs[i].Iface))
		require.Len(t, fs[i].Data, want.data)
		require.Equal(t, want.len, fs[i].Len)
	}
	_, err = s.Read(fs)
	require.ErrorIs(t, err, io.EOF)
}

// TestERFDamage: extension headers that run out are counted, a length that
// cannot be ends the input.
func TestERFDamage(t *testing.T) {
	runs := erfSample(erfIPv4, 1, nil, 0)
	runs[erfHeader] = 0x80
	short := erfSample(erfIPv4, 0, nil, 20)
	binary.BigEndian.PutUint16(short[10:], 15)
	file := bytes.Join([][]byte{erfSample(erfIPv4, 0, make([]byte, 600), 600), runs, short}, nil)
	s, err := NewReader(bytes.NewReader(file), "x.erf", Config{})
	require.NoError(t, err)
	defer s.Close()
	fs := make([]Frame, 8)
	n, err := s.Read(fs)
	require.Equal(t, 1, n)
	if err == nil {
		_, err = s.Read(fs)
	}
	var bad *DamageError
	require.ErrorAs(t, err, &bad)
	require.EqualValues(t, len(file)-16, bad.Offset)
	stats, err := s.Stats()
	require.NoError(t, err)
	require.EqualValues(t, 1, stats.Skipped)
}
