package capture

import "encoding/binary"

// Where things stand in a block of a TPACKET_V3 ring, which <linux/if_packet.h>
// has as structs: tpacket_block_desc, and tpacket3_hdr with a sockaddr_ll behind
// it in front of each frame. Numbers are in the byte order of the machine, but
// for the protocol.
const (
	blockStatus  = 8
	blockPackets = 12
	blockFirst   = 16
	blockHeader  = 48

	frameNext   = 0
	frameSec    = 4
	frameNsec   = 8
	frameSnap   = 12
	frameLen    = 16
	frameStatus = 20
	frameMac    = 24
	frameNet    = 26
	frameTCI    = 32
	frameTPID   = 36

	frameProtocol = 50 // of the sockaddr_ll, as on the wire
	frameHatype   = 56
	frameKind     = 58
	frameHalen    = 59
	frameAddress  = 60
	frameHeader   = 68
)

// blockReader walks the frames of a block. The system has written the block, and
// reads nothing back, so that tags can be put in place in it. Nothing that it
// says of lengths is relied on.
type blockReader struct {
	data []byte
	at   uint64 // of the next frame
	left uint32 // frames from there on
	bad  bool   // what came next made no sense
	how  framing
}

func newBlockReader(block []byte, how framing) blockReader {
	if len(block) < blockHeader {
		return blockReader{bad: true}
	}
	return blockReader{
		data: block, how: how,
		at:   uint64(binary.NativeEndian.Uint32(block[blockFirst:])),
		left: binary.NativeEndian.Uint32(block[blockPackets:]),
	}
}

// next reads a frame, all of it but the number of its interface. It reports false
// when there is none left, or none that makes sense.
func (b *blockReader) next(f *Frame) bool {
	if b.left == 0 {
		return false
	}
	size := uint64(len(b.data))
	if b.at < blockHeader || b.at > size || size-b.at < frameHeader {
		return b.broken()
	}
	h := b.data[b.at:]
	start, snap := uint64(binary.NativeEndian.Uint16(h[frameMac:])), uint64(binary.NativeEndian.Uint32(h[frameSnap:]))
	if start < frameHeader || start+snap > uint64(len(h)) {
		return b.broken()
	}
	step := uint64(binary.NativeEndian.Uint32(h[frameNext:]))
	if b.left--; b.left > 0 && step < frameHeader {
		b.left++
		return b.broken()
	}
	b.at += step
	f.Time = int64(binary.NativeEndian.Uint32(h[frameSec:]))*1e9 + int64(binary.NativeEndian.Uint32(h[frameNsec:]))
	f.Len = binary.NativeEndian.Uint32(h[frameLen:])
	b.how.place(f, h, int(start), int(snap))
	return true
}

// broken gives up the rest of the block.
func (b *blockReader) broken() bool {
	b.left, b.bad = 0, true
	return false
}
