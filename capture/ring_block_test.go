package capture

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"
)

// ringFrame is a frame as the system puts it into a block.
type ringFrame struct {
	time     int64
	wire     uint32
	data     string
	status   uint32
	tci      uint32
	tpid     uint16
	kind     byte
	hatype   uint16
	protocol uint16
	room     int // between the header and the data
	net      int // bytes of the data in front of the network header
}

var ringAddress = [8]byte{2, 0, 0, 0, 0, 7}

// ringBlock is a block of size bytes with some frames.
func ringBlock(size int, frames ...ringFrame) []byte {
	ne := binary.NativeEndian
	b := make([]byte, size)
	ne.PutUint32(b[blockStatus:], 1)
	ne.PutUint32(b[blockPackets:], uint32(len(frames)))
	ne.PutUint32(b[blockFirst:], blockHeader)
	at := blockHeader
	for i, f := range frames {
		h := b[at:]
		start := frameHeader + f.room
		step := (start + len(f.data) + 15) &^ 15
		if i < len(frames)-1 {
			ne.PutUint32(h[frameNext:], uint32(step))
		}
		ne.PutUint32(h[frameSec:], uint32(f.time/1e9))
		ne.PutUint32(h[frameNsec:], uint32(f.time%1e9))
		ne.PutUint32(h[frameSnap:], uint32(len(f.data)))
		ne.PutUint32(h[frameLen:], f.wire)
		ne.PutUint32(h[frameStatus:], f.status)
		ne.PutUint16(h[frameMac:], uint16(start))
		ne.PutUint16(h[frameNet:], uint16(start+f.net))
		ne.PutUint32(h[frameTCI:], f.tci)
		ne.PutUint16(h[frameTPID:], f.tpid)
		binary.BigEndian.PutUint16(h[frameProtocol:], f.protocol)
		ne.PutUint16(h[frameHatype:], f.hatype)
		h[frameKind], h[frameHalen] = f.kind, 6
		copy(h[frameAddress:], ringAddress[:])
		copy(h[start:], f.data)
		at += step
	}
	return b
}

// walk reads all frames of a block.
func walk(block []byte, how framing) (all []Frame, bad bool) {
	b := newBlockReader(block, how)
	for {
		var f Frame
		if !b.next(&f) {
			return all, b.bad
		}
		all = append(all, f)
	}
}

func TestRingBlock(t *testing.T) {
	ether := framing{link: linkEthernet, snap: 192}
	long := "ddddddssssss" + string(bytes.Repeat([]byte("x"), 300))
	tests := []struct {
		name string
		how  framing
		in   ringFrame
		want string
		wire uint32
	}{
		{"plain", ether, ringFrame{wire: 15, data: "ddddddssssssttp"}, "ddddddssssssttp", 15},
		{"cut by the filter", ether, ringFrame{wire: 1514, data: "ddddddssssssttp"}, "ddddddssssssttp", 1514},
		{"merged by an offload", ether, ringFrame{wire: 66_000, data: long[:192]}, long[:192], 66_000},
		{"longer than is kept", framing{link: linkEthernet, snap: 20}, ringFrame{wire: 312, data: long}, long[:20], 312},
		{
			"tag", ether,
			ringFrame{wire: 15, data: "ddddddssssssttp", room: 20, status: statusTagged | statusHasTPID, tci: 0x6005, tpid: 0x8100},
			"ddddddssssss\x81\x00\x60\x05ttp", 19,
		},
		{
			"tag 0", ether,
			ringFrame{wire: 15, data: "ddddddssssssttp", room: 4, status: statusTagged | statusHasTPID, tpid: 0x8100},
			"ddddddssssss\x81\x00\x00\x00ttp", 19,
		},
		{
			"service tag", ether,
			ringFrame{wire: 15, data: "ddddddssssssttp", room: 4, status: statusTagged | statusHasTPID, tci: 7, tpid: 0x88a8},
			"ddddddssssss\x88\xa8\x00\x07ttp", 19,
		},
		{
			"tag whose type is not told", ether,
			ringFrame{wire: 15, data: "ddddddssssssttp", room: 4, status: statusTagged, tci: 7, tpid: 0x88a8},
			"ddddddssssss\x81\x00\x00\x07ttp", 19,
		},
		{
			"tag in what is kept",
			framing{link: linkEthernet, snap: 16},
			ringFrame{wire: 100, data: "ddddddssssssttpp", room: 4, status: statusTagged, tci: 7},
			"ddddddssssss\x81\x00\x00\x07", 104,
		},
		{"tag without room", ether, ringFrame{wire: 15, data: "ddddddssssssttp", room: 3, status: statusTagged}, "ddddddssssssttp", 15},
		{"tag of a frame without addresses", ether, ringFrame{wire: 11, data: "ddddddsssss", room: 4, status: statusTagged}, "ddddddsssss", 11},
		{"no tag, though numbers are there", ether, ringFrame{wire: 15, data: "ddddddssssssttp", room: 4, tci: 7, tpid: 0x8100}, "ddddddssssssttp", 15},
		{"tag of IP", framing{link: linkRaw, snap: 192}, ringFrame{wire: 3, data: "E00", room: 4, status: statusTagged}, "E00", 3},
		{
			"cooked",
			framing{link: linkCooked, snap: 192},
			ringFrame{wire: 3, data: "E00", room: 28, kind: 4, hatype: 778, protocol: 0x0800},
			"\x00\x04\x03\x0a\x00\x06\x02\x00\x00\x00\x00\x07\x00\x00\x08\x00E00", 19,
		},
		{
			"cooked with tag",
			framing{link: linkCooked, snap: 192},
			ringFrame{wire: 3, data: "E00", room: 20, hatype: 1, protocol: 0x86dd, status: statusTagged | statusHasTPID, tci: 9, tpid: 0x88a8},
			"\x00\x00\x00\x01\x00\x06\x02\x00\x00\x00\x00\x07\x00\x00\x88\xa8\x00\x09\x86\xddE00", 23,
		},
		{
			"cooked in the place of a header",
			framing{link: linkCooked, snap: 192},
			ringFrame{wire: 17, data: "ddddddssssss\x08\x00E00", room: 14, net: 14, hatype: 1, protocol: 0x0800},
			"\x00\x00\x00\x01\x00\x06\x02\x00\x00\x00\x00\x07\x00\x00\x08\x00E00", 19,
		},
		{"cooked, header longer than the frame", framing{link: linkCooked, snap: 192}, ringFrame{wire: 3, data: "E00", room: 28, net: 4}, "", 3},
		{"cooked, header behind the packet", framing{link: linkCooked, snap: 192}, ringFrame{wire: 3, data: "E00", room: 28, net: -1}, "", 3},
		{"cooked without room", framing{link: linkCooked, snap: 192}, ringFrame{wire: 3, data: "E00", room: 15}, "", 3},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.in.time = 1_700_000_000_123_456_789
			other := ringFrame{time: 4_294_967_295_999_999_999, data: "another", wire: 7, room: 28}
			all, bad := walk(ringBlock(4096, tt.in, other), tt.how)
			require.False(t, bad)
			require.Len(t, all, 2)
			require.Equal(t, Frame{Data: all[0].Data, Time: tt.in.time, Len: tt.wire}, all[0])
			require.Equal(t, tt.want, string(all[0].Data))
			require.Equal(t, other.time, all[1].Time)
		})
	}
}

// TestRingBlockThatMakesNoSense: nothing that a block says of lengths is believed.
func TestRingBlockThatMakesNoSense(t *testing.T) {
	one, two := ringFrame{wire: 3, data: "one"}, ringFrame{wire: 3, data: "two"}
	put32 := func(at int, v uint32) func([]byte) []byte {
		return func(b []byte) []byte { binary.NativeEndian.PutUint32(b[at:], v); return b }
	}
	put16 := func(at int, v uint16) func([]byte) []byte {
		return func(b []byte) []byte { binary.NativeEndian.PutUint16(b[at:], v); return b }
	}
	const size = 512
	tests := []struct {
		name   string
		change func([]byte) []byte
		frames int
	}{
		{"shorter than its header", func(b []byte) []byte { return b[:blockHeader-1] }, 0},
		{"first frame in the header", put32(blockFirst, blockHeader-1), 0},
		{"first frame behind the end", put32(blockFirst, size+1), 0},
		{"first frame far behind the end", put32(blockFirst, 0xffffffff), 0},
		{"first header over the end", put32(blockFirst, size-frameHeader+1), 0},
		{"data in the header", put16(blockHeader+frameMac, frameHeader-1), 0},
		{"data over the end", put32(blockHeader+frameSnap, size-blockHeader-frameHeader+1), 0},
		{"data far over the end", put32(blockHeader+frameSnap, 0xffffffff), 0},
		{"data behind the end", put16(blockHeader+frameMac, size), 0},
		{"no step to the next", put32(blockHeader+frameNext, 0), 0},
		{"short step to the next", put32(blockHeader+frameNext, frameHeader-1), 0},
		{"step behind the end", put32(blockHeader+frameNext, 0xffffffff), 1},
		{"more frames than there are", put32(blockPackets, 3), 1}, // the second has no step
		{"far more frames than there can be", put32(blockPackets, 0xffffffff), 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			all, bad := walk(tt.change(ringBlock(size, one, two)), framing{link: linkEthernet, snap: 192})
			require.True(t, bad)
			require.Len(t, all, tt.frames)
		})
	}
	all, bad := walk(ringBlock(size), framing{link: linkEthernet, snap: 192})
	require.False(t, bad)
	require.Empty(t, all)
}

func TestRingBlockAllocatesNothing(t *testing.T) {
	for _, link := range []uint16{linkEthernet, linkCooked} {
		frames := make([]ringFrame, 20)
		for i := range frames {
			frames[i] = ringFrame{wire: 15, data: "ddddddssssssttp", room: 28, status: statusTagged, tci: uint32(i)}
		}
		block := ringBlock(4096, frames...)
		var f Frame
		require.Zero(t, testing.AllocsPerRun(10, func() {
			for b := newBlockReader(block, framing{link: link, snap: 192}); b.next(&f); {
			}
		}))
	}
}

// FuzzRingBlock holds that whatever is in a block, frames lie within it, are no
// more than there is room for, and do not reach into the header of the block.
func FuzzRingBlock(f *testing.F) {
	tagged := ringFrame{wire: 15, data: "ddddddssssssttp", room: 28, status: statusTagged | statusHasTPID, tci: 7, tpid: 0x88a8}
	for link := range 3 {
		f.Add(ringBlock(512, ringFrame{wire: 3, data: "one", room: 28}, tagged, tagged), uint8(link), uint8(200))
	}
	f.Add([]byte{}, uint8(0), uint8(0))
	f.Fuzz(func(t *testing.T, block []byte, link, snap uint8) {
		how := framing{link: []uint16{linkEthernet, linkRaw, linkCooked}[link%3], snap: int(snap)}
		b := newBlockReader(block, how)
		for n := 0; ; n++ {
			require.LessOrEqual(t, n, len(block)/frameHeader)
			at := b.at
			var got Frame
			if !b.next(&got) {
				break
			}
			require.LessOrEqual(t, len(got.Data), int(snap))
			require.Equal(t, len(got.Data), cap(got.Data))
			if len(got.Data) > 0 {
				require.True(t, within(block[at+frameHeader:], got.Data))
			}
		}
	})
}

// within reports whether part is a part of the array of whole.
func within(whole, part []byte) bool {
	for i := range whole {
		if &whole[i] == &part[0] {
			return i+len(part) <= len(whole)
		}
	}
	return false
}
