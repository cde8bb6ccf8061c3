package wire

import "encoding/binary"

// Pcap is how a pcap file is written. The zero value is little-endian with microseconds.
type Pcap struct {
	BigEndian, Nanos bool
}

func (p Pcap) words(b []byte, vs ...uint32) []byte {
	for _, v := range vs {
		if p.BigEndian {
			b = binary.BigEndian.AppendUint32(b, v)
		} else {
			b = binary.LittleEndian.AppendUint32(b, v)
		}
	}
	return b
}

// Begin appends the header of a file whose records hold up to snap bytes of frames of a
// link type.
func (p Pcap) Begin(b []byte, snap, link uint32) []byte {
	magic, version := uint32(0xa1b2c3d4), uint32(4<<16|2)
	if p.Nanos {
		magic = 0xa1b23c4d
	}
	if p.BigEndian {
		version = 2<<16 | 4
	}
	return p.words(b, magic, version, 0, 0, snap, link)
}

// Record appends what stands in front of the bytes that were kept of a frame of size bytes,
// taken at a time in nanoseconds since 1970.
func (p Pcap) Record(b []byte, time int64, kept, size int) []byte {
	unit := int64(1000)
	if p.Nanos {
		unit = 1
	}
	return p.words(b, uint32(time/1e9), uint32(time%1e9/unit), uint32(kept), uint32(size))
}
