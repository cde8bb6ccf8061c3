package main

import "encoding/binary"

// TCP flags.
const (
	fin = 0x01
	syn = 0x02
	rst = 0x04
	psh = 0x08
	ack = 0x10
)

// segment is a TCP segment over IPv4 and Ethernet, as far as they differ.
type segment struct {
	src, dst         uint32
	srcPort, dstPort uint16
	seq, ack         uint32
	flags            uint8
	options          bool // those of a system's own SYN
	payload          uint16
}

// frameMax is the longest frame that put writes: payload is cut off.
const frameMax = 14 + 20 + 40

// systemOptions are MSS, SACK permitted, timestamps and window scale.
var systemOptions = [20]byte{2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 48, 57, 0, 0, 0, 0, 1, 3, 3, 7}

// put writes a frame, and returns its captured length and that on the wire.
// Checksums are left out, for nobody verifies them.
func (s *segment) put(b *[frameMax]byte) (captured, length int) {
	clear(b[:])
	tcp := 20
	if s.options {
		tcp = 40
		copy(b[54:], systemOptions[:])
	}
	copy(b[:14], []byte{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0})
	ip := b[14:]
	ip[0], ip[8], ip[9] = 0x45, 57, 6
	binary.BigEndian.PutUint16(ip[2:], uint16(20+tcp)+s.payload)
	binary.BigEndian.PutUint16(ip[4:], uint16(s.seq*31>>7))
	binary.BigEndian.PutUint32(ip[12:], s.src)
	binary.BigEndian.PutUint32(ip[16:], s.dst)
	t := b[34:]
	binary.BigEndian.PutUint16(t, s.srcPort)
	binary.BigEndian.PutUint16(t[2:], s.dstPort)
	binary.BigEndian.PutUint32(t[4:], s.seq)
	binary.BigEndian.PutUint32(t[8:], s.ack)
	t[12], t[13] = uint8(tcp/4)<<4, s.flags
	binary.BigEndian.PutUint16(t[14:], 29200)
	return 34 + tcp, 34 + tcp + int(s.payload)
}
