package capture

import (
	"encoding/binary"
	"fmt"
	"math/bits"
)

// Endace ERF has no file header and no magic number: records of 16 bytes, each
// with its own length and type (Endace, "Extensible Record Format types",
// EDM11-01).
const erfHeader = 16

// Record types that carry frames of a link of ours.
const (
	erfHDLC     = 1
	erfEthernet = 2
	erfIPv4     = 22
	erfIPv6     = 23
	erfPad      = 48
)

// erf reads the records of an ERF file. Each type of record is an interface of
// its own, for it has a link type of its own.
type erf struct {
	reg   *registry
	tally *Stats
	known [128]bool
	ids   [128]uint32 // interfaces, by record type
}

func (e *erf) parse(b []byte, fs []Frame) (n, used, need int, bad *fault) {
	for n < len(fs) {
		rest := b[used:]
		if len(rest) < erfHeader {
			return n, used, erfHeader, nil
		}
		size := int(binary.BigEndian.Uint16(rest[10:]))
		if size < erfHeader {
			return n, used, 0, &fault{at: used, reason: fmt.Sprintf("a record claims to be %d bytes long", size)}
		}
		if len(rest) < size {
			return n, used, size, nil
		}
		if f, ok := e.frame(rest[:size:size]); ok {
			fs[n] = f
			n++
		}
		used += size
	}
	return n, used, 0, nil
}

// frame takes the frame out of one record. Records that make no sense are
// counted; padding is none.
func (e *erf) frame(r []byte) (Frame, bool) {
	kind := r[8] & 0x7f
	if kind == erfPad {
		return Frame{}, false
	}
	data, ok := erfData(r, kind)
	if !ok || !e.meet(kind) {
		e.tally.Skipped++
		return Frame{}, false
	}
	if kind == erfHDLC || kind == erfEthernet { // other types have a colour there
		e.tally.Dropped += uint64(binary.BigEndian.Uint16(r[12:]))
	}
	length := binary.BigEndian.Uint16(r[14:])
	if int(length) < len(data) {
		data = data[:length:length] // the rest is padding to 8 bytes
	}
	stamp := binary.LittleEndian.Uint64(r)
	fraction, _ := bits.Mul64(stamp<<32, 1e9)
	return Frame{
		Data: data, Len: uint32(length), Iface: e.ids[kind],
		Time: int64(stamp>>32)*1e9 + int64(fraction),
	}, true
}

// meet gives a record type its interface.
func (e *erf) meet(kind uint8) bool {
	if !e.known[kind] {
		e.ids[kind], e.known[kind] = e.reg.id(ifaceKey{link: erfLink(kind), name: fmt.Sprint("erf ", kind)})
	}
	return e.known[kind]
}

// erfData skips a record's extension headers, each of which says whether another
// follows, and the two bytes in front of an Ethernet frame.
func erfData(r []byte, kind uint8) ([]byte, bool) {
	data := r[erfHeader:]
	for more := r[8]&0x80 != 0; more; {
		if len(data) < 8 {
			return nil, false
		}
		more = data[0]&0x80 != 0
		data = data[8:]
	}
	if kind != erfEthernet {
		return data, true
	}
	if len(data) < 2 {
		return nil, false
	}
	return data[2:], true
}

// erfLink is the LINKTYPE number of a record type: that of ERF itself, which
// is counted as not supported, for those without one.
func erfLink(kind uint8) uint16 {
	switch kind {
	case erfEthernet:
		return 1
	case erfHDLC:
		return 104
	case erfIPv4:
		return 228
	case erfIPv6:
		return 229
	default:
		return 197
	}
}
