package capture

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestWriteAsGopacket: what gopacket's writer can write, ours writes byte for byte.
func TestWriteAsGopacket(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		application := rapid.StringN(1, 20, 40).Draw(t, "application")
		comment := rapid.StringN(0, 20, 40).Draw(t, "comment")
		links := rapid.SliceOfN(rapid.Uint8(), 1, 3).Draw(t, "links")
		var theirs bytes.Buffer
		var w *pcapgo.NgWriter
		ours := AppendSection(nil, application, comment)
		for i, link := range links {
			name := rapid.StringN(0, 8, 16).Draw(t, "name")
			intf := pcapgo.NgInterface{Name: name, LinkType: layers.LinkType(link), SnapLength: 256}
			var err error
			if i == 0 {
				w, err = pcapgo.NewNgWriterInterface(&theirs, intf, pcapgo.NgWriterOptions{
					SectionInfo: pcapgo.NgSectionInfo{Application: application, Comment: comment},
				})
			} else {
				_, err = w.AddInterface(intf)
			}
			require.NoError(t, err)
			ours = AppendInterface(ours, uint16(link), 256, name)
		}
		for range rapid.IntRange(0, 5).Draw(t, "packets") {
			data, ci := drawPacket(t, 1, len(links))
			require.NoError(t, w.WritePacket(ci, data))
			ours = AppendPacket(ours, uint32(ci.InterfaceIndex), &Frame{Data: data, Time: ci.Timestamp.UnixNano(), Len: uint32(ci.Length)})
		}
		require.NoError(t, w.Flush())
		require.Equal(t, theirs.Bytes(), ours)
	})
}

// TestWriteReadBack reads what gopacket cannot write: link types above 255, times before
// 1970, frames said to be shorter than they are, a second section and statistics.
func TestWriteReadBack(t *testing.T) {
	b := AppendSection(nil, "synoptic", strings.Repeat("long", 1<<15))
	b = AppendInterface(b, 276, 256, "any")
	frames := []Frame{{Data: []byte("early"), Time: -1, Len: 5}, {Data: []byte("odd length"), Time: 1e18 + 1, Len: 2}, {Time: 1e18 + 2, Len: 1500}}
	for i := range frames {
		b = AppendPacket(b, 0, &frames[i])
	}
	b = AppendStatistics(b, 0, 1e18+2, 7, "some")
	b = AppendSection(b, "synoptic", "")
	b = AppendInterface(b, 1, 0, "")
	b = AppendInterface(b, 276, 0, "any")
	b = AppendPacket(b, 0, &Frame{Data: []byte("ethernet"), Time: 3, Len: 8})
	b = AppendPacket(b, 1, &frames[0])
	src, err := NewReader(bytes.NewReader(b), "written", Config{})
	require.NoError(t, err)
	var got []Frame
	for {
		var fs [8]Frame
		n, err := src.Read(fs[:])
		for _, f := range fs[:n] {
			f.Data = bytes.Clone(f.Data)
			got = append(got, f)
		}
		if err != nil {
			require.ErrorIs(t, err, io.EOF)
			break
		}
	}
	frames[0].Time, frames[1].Len, frames[2].Data = 0, 10, []byte{}
	require.Equal(t, append(frames, Frame{Data: []byte("ethernet"), Time: 3, Len: 8, Iface: 1}, frames[0]), got)
	require.Equal(t, uint16(276), src.Link(0))
	require.Equal(t, uint16(1), src.Link(1))
	stats, err := src.Stats()
	require.NoError(t, err)
	require.Zero(t, stats.Skipped)
	require.Zero(t, stats.Dropped)
}

// TestWriteStatistics has gopacket read them.
func TestWriteStatistics(t *testing.T) {
	b := AppendSection(nil, "synoptic", "scan 1")
	b = AppendInterface(b, 1, 256, "eth0")
	b = AppendStatistics(b, 0, 1e18, 7, "4 left out")
	b = AppendPacket(b, 0, &Frame{Data: []byte("after"), Time: 1e18, Len: 5})
	r, err := pcapgo.NewNgReader(bytes.NewReader(b), pcapgo.DefaultNgReaderOptions)
	require.NoError(t, err)
	data, ci, err := r.ReadPacketData()
	require.NoError(t, err)
	require.Equal(t, "after", string(data))
	require.Equal(t, gopacket.CaptureInfo{Timestamp: time.Unix(1e9, 0).UTC(), CaptureLength: 5, Length: 5, AncillaryData: ci.AncillaryData}, ci)
	require.Equal(t, "scan 1", r.SectionInfo().Comment)
	intf, err := r.Interface(0)
	require.NoError(t, err)
	require.Equal(t, "eth0", intf.Name)
	require.Equal(t, uint64(7), intf.Statistics.PacketsReceived)
}

// TestWriteAllocatesNothing in a buffer that has room.
func TestWriteAllocatesNothing(t *testing.T) {
	b := make([]byte, 0, 1<<10)
	f := Frame{Data: make([]byte, 61), Len: 61}
	require.Zero(t, testing.AllocsPerRun(100, func() { b = AppendPacket(b[:0], 0, &f) }))
}
