package capture

import (
	"encoding/binary"
	"fmt"
)

// Snoop is the format of Solaris (RFC 1761): big-endian, a header of 16 bytes,
// then records of 24 bytes and the packet, padded.
const (
	snoopMagic  = "snoop\x00\x00\x00"
	snoopHeader = 16
	snoopRecord = 24
	// snoopPad is how many bytes of padding behind a packet are believed. RFC
	// 1761 asks for three at most; some writers round up to more.
	snoopPad = 64
)

// snoop reads the records of a snoop file.
type snoop struct {
	tally *Stats
	bound int // largest captured length that is believed
	iface uint32
	lost  uint32 // cumulative drops, as the latest record states them
}

// newSnoop reads the file header in b, which holds snoopHeader bytes.
func newSnoop(b []byte, reg *registry, tally *Stats) (*snoop, error) {
	version, kind := binary.BigEndian.Uint32(b[8:]), binary.BigEndian.Uint32(b[12:])
	if version != 2 {
		return nil, &FormatError{What: fmt.Sprintf("a capture in snoop format of version %d; version 2 is read", version), Hint: hintConvert}
	}
	link, ok := map[uint32]uint16{0: 1, 2: 6, 4: 1, 8: 10}[kind]
	if !ok {
		return nil, &FormatError{What: fmt.Sprintf("a snoop capture of link type %d; Ethernet, token ring and FDDI are read", kind), Hint: hintConvert}
	}
	id, ok := reg.id(ifaceKey{link: link})
	if !ok {
		return nil, tooManyIfaces()
	}
	return &snoop{tally: tally, bound: maxCapture(link), iface: id}, nil
}

func (s *snoop) parse(b []byte, fs []Frame) (n, used, need int, bad *fault) {
	for n < len(fs) {
		rest := b[used:]
		if len(rest) < snoopRecord {
			return n, used, snoopRecord, nil
		}
		length, captured := binary.BigEndian.Uint32(rest), binary.BigEndian.Uint32(rest[4:])
		size, lost := binary.BigEndian.Uint32(rest[8:]), binary.BigEndian.Uint32(rest[12:])
		if captured > uint32(s.bound) {
			return n, used, 0, &fault{at: used, reason: fmt.Sprintf(
				"a record claims %d captured bytes, more than %d", captured, s.bound)}
		}
		end := snoopRecord + captured
		if size < end || size > end+snoopPad {
			return n, used, 0, &fault{at: used, reason: fmt.Sprintf(
				"a record of %d captured bytes claims to be %d bytes long", captured, size)}
		}
		if len(rest) < int(size) {
			return n, used, int(size), nil
		}
		if lost > s.lost {
			s.tally.Dropped += uint64(lost - s.lost)
			s.lost = lost
		}
		fs[n] = Frame{
			Data: rest[snoopRecord:end:end], Len: length, Iface: s.iface,
			Time: int64(binary.BigEndian.Uint32(rest[16:]))*1e9 + int64(binary.BigEndian.Uint32(rest[20:]))*1000,
		}
		used += int(size)
		n++
	}
	return n, used, 0, nil
}
