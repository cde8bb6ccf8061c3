package bpf

import (
	"encoding/binary"

	"github.com/synoptic-ids/synoptic/flows"
)

// The head of a record, in the byte order of the host: struct head in xdp.h.
const (
	headTime = 0
	headWire = 8
	headSize = 12
	headEnd  = 16
)

// linkEthernet is the LINKTYPE of what XDP sees.
const linkEthernet = 1

// decode appends the packets of a record. What carries another packet, or was carried by
// one, is left out: of a tunnel the program knows only the outside. The record is the
// kernel's, the frame in it is not.
func (c *Counter) decode(dst []flows.Packet, record []byte) []flows.Packet {
	if len(record) < headEnd {
		return dst
	}
	size := min(int(binary.NativeEndian.Uint32(record[headSize:])), len(record)-headEnd)
	n := len(dst)
	dst = c.decoder.Append(dst, record[headEnd:headEnd+size], flows.Meta{
		Time:  int64(binary.NativeEndian.Uint64(record[headTime:])) + c.offset,
		Iface: c.config.Iface,
		Len:   binary.NativeEndian.Uint32(record[headWire:]),
		Link:  linkEthernet,
	})
	kept := n
	for i := n; i < len(dst); i++ {
		if dst[i].Marks&(flows.MarkCarrier|flows.MarkTunnel) != 0 {
			c.tunnels.Add(1)
			continue
		}
		dst[kept] = dst[i]
		kept++
	}
	return dst[:kept]
}

// addressOf is an address as [flows.Packet] holds it. In memory the kernel's has the same
// bytes.
func addressOf(a *xdpAddress) (b [16]byte) {
	binary.NativeEndian.PutUint64(b[:8], a.High)
	binary.NativeEndian.PutUint64(b[8:], a.Low)
	return b
}
