package flows

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// accounted is how many frames s says something of.
func accounted(s DecodeStats) uint64 {
	n := s.Packets + s.Truncated + s.Malformed + s.Encrypted + s.BadFCS + s.NoIPOthers + s.LinksOthers
	for _, l := range [][]NumberCount{s.NoIP, s.Links} {
		for _, c := range l {
			n += c.Frames
		}
	}
	return n
}

func TestDecodeStatsAreBounded(t *testing.T) {
	var d Decoder
	const kinds = 1000
	for i := range kinds {
		number := uint16(0xf000 - i)
		d.Append(nil, ether(int(number), make([]byte, 46)), Meta{Link: 1})
		d.Append(nil, make([]byte, 60), Meta{Link: number})
	}
	s := d.Stats()
	require.Len(t, s.NoIP, 32)
	require.Len(t, s.Links, 32)
	require.EqualValues(t, kinds-32, s.NoIPOthers)
	require.EqualValues(t, kinds-32, s.LinksOthers)
	for i := range s.NoIP[1:] {
		require.Less(t, s.NoIP[i].Number, s.NoIP[i+1].Number, "sorted")
	}
	require.EqualValues(t, 2*kinds, s.Frames)
	require.Equal(t, s.Frames, accounted(s))

	d.Append(nil, ether(0xf000, make([]byte, 46)), Meta{Link: 1})
	require.EqualValues(t, kinds-32, d.Stats().NoIPOthers, "a known number is counted as such, full or not")
	require.Equal(t, NumberCount{0xf000, 2}, d.Stats().NoIP[31])
}

func TestDecodeStatsCountMarks(t *testing.T) {
	var d Decoder
	var ps []Packet
	for _, f := range [][]byte{
		inet(6, synHeader),
		inet(6, synHeader, put(6, 0x20, 0)),                // first fragment
		inet(6, synHeader, put(6, 0, 9)),                   // later fragment
		inet(6, synHeader, put(16, 224, 0, 0, 1)),          // group
		inet(6, unhex("9c40 0050 00000000 00000000 4002")), // data offset 4, no room
		inet(6, synHeader[:13]),
		inet(6, synHeader, put(0, 0x44)),
	} {
		ps = d.Append(ps, f, Meta{Link: linkRaw})
	}
	ps = d.Append(ps, inet(6, synHeader)[:36], Meta{Link: linkRaw, Len: 40})
	ps = d.Append(ps, inet(6, synHeader)[:30], Meta{Link: linkRaw, Len: 40})
	require.Len(t, ps, 6)
	require.Equal(t, DecodeStats{
		Frames: 9, Packets: 6, Truncated: 1, Malformed: 2,
		Fragments: 2, Groups: 1, CutHeaders: 2, Broken: 1,
	}, d.Stats())
}
