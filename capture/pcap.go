package capture

import (
	"encoding/binary"
	"fmt"
	"math/bits"
)

// Magic numbers of the pcap family, as a little-endian reader sees those of a
// little-endian file.
const (
	magicMicro     = 0xa1b2c3d4
	magicNano      = 0xa1b23c4d
	magicKuznetzov = 0xa1b2cd34 // old Red Hat tcpdump: longer record headers
)

const (
	pcapHeader      = 24
	pcapRecord      = 16
	kuznetzovRecord = 24
)

// format reads the records of one file format.
type format interface {
	// parse turns records at the start of b into frames. It returns how many
	// frames it filled and how many bytes it used, which may be more than
	// len(b) when a record is passed over. If n and used are 0 and bad is nil,
	// it needs that many unread bytes to go on. A fault ends the input unless
	// it resumes.
	parse(b []byte, fs []Frame) (n, used, need int, bad *fault)
}

// swaps is whether lengths in record headers are the wrong way round.
type swaps uint8

const (
	swapNever  swaps = iota
	swapLarger       // version 2.3: some writers did, some did not
	swapAlways       // version 2.2 and before
)

// pcap reads the classic format.
type pcap struct {
	big    bool // file is big-endian
	swap   swaps
	scale  int64 // nanoseconds per unit of the sub-second field
	record int   // bytes of a record header
	bound  int   // largest captured length that is believed
	fcs    uint32
	iface  uint32
}

// newPcap reads the file header in b, which holds pcapHeader bytes and starts
// with a known magic.
func newPcap(b []byte, reg *registry) (*pcap, error) {
	magic := binary.LittleEndian.Uint32(b)
	p := &pcap{scale: 1000, record: pcapRecord}
	p.big = !isPcapMagic(magic)
	if p.big {
		magic = bits.ReverseBytes32(magic)
	}
	switch magic {
	case magicNano:
		p.scale = 1
	case magicKuznetzov:
		p.record = kuznetzovRecord
	}
	var order binary.ByteOrder = binary.LittleEndian
	if p.big {
		order = binary.BigEndian
	}
	major, minor := order.Uint16(b[4:]), order.Uint16(b[6:])
	switch {
	case major != 2 || minor > 4:
		return nil, &FormatError{
			What: fmt.Sprintf("pcap version %d.%d; versions 2.0 to 2.4 are read", major, minor),
			Hint: "convert it with the program that wrote it",
		}
	case minor < 3:
		p.swap = swapAlways
	case minor == 3:
		p.swap = swapLarger
	}
	// The snapshot length at 16 is not looked at: 0, and less than the packets
	// have, are both common.
	network := order.Uint32(b[20:])
	link := uint16(network)
	if network&(1<<26) != 0 {
		p.fcs = network >> 28 * 2 // stated in units of 16 bits
	}
	p.bound = maxCapture(link)
	id, ok := reg.id(ifaceKey{link: link})
	if !ok {
		return nil, tooManyIfaces()
	}
	p.iface = id
	return p, nil
}

func isPcapMagic(m uint32) bool {
	return m == magicMicro || m == magicNano || m == magicKuznetzov
}

func tooManyIfaces() *FormatError {
	return &FormatError{What: fmt.Sprintf("more than %d different interfaces", maxIfaces), Hint: "read fewer files at a time"}
}

func (p *pcap) u32(b []byte) uint32 {
	v := binary.LittleEndian.Uint32(b)
	if p.big {
		return bits.ReverseBytes32(v)
	}
	return v
}

func (p *pcap) parse(b []byte, fs []Frame) (n, used, need int, bad *fault) {
	if !p.big && p.swap == swapNever && p.fcs == 0 && p.record == pcapRecord {
		n, used = p.ordinary(b, fs)
	}
	for n < len(fs) {
		rest := b[used:]
		if len(rest) < p.record {
			return n, used, p.record, nil
		}
		captured, length := p.u32(rest[8:]), p.u32(rest[12:])
		if p.swap != swapNever && (p.swap == swapAlways || captured > length) {
			captured, length = length, captured
		}
		if captured > uint32(p.bound) {
			return n, used, 0, &fault{at: used, reason: fmt.Sprintf(
				"a record claims %d captured bytes, more than %d", captured, p.bound)}
		}
		end := p.record + int(captured)
		if len(rest) < end {
			return n, used, end, nil
		}
		data := rest[p.record:end:end]
		if p.fcs != 0 {
			data = trimFCS(data, length, p.fcs)
		}
		f := &fs[n]
		f.Data = data
		f.Time = int64(p.u32(rest))*1e9 + int64(p.u32(rest[4:]))*p.scale
		f.Len = length
		f.Iface = p.iface
		used += end
		n++
	}
	return n, used, 0, nil
}

// ordinary is parse for what nearly all files are, as far as their records are
// whole: it leaves the rest to parse.
func (p *pcap) ordinary(b []byte, fs []Frame) (n, used int) {
	for i := range fs {
		if len(b) < pcapRecord {
			return i, used
		}
		h := (*[pcapRecord]byte)(b)
		captured := binary.LittleEndian.Uint32(h[8:])
		end := pcapRecord + int(captured)
		if captured > uint32(p.bound) || end > len(b) {
			return i, used
		}
		f := &fs[i]
		f.Data = b[pcapRecord:end:end]
		f.Time = int64(binary.LittleEndian.Uint32(h[0:]))*1e9 + int64(binary.LittleEndian.Uint32(h[4:]))*p.scale
		f.Len, f.Iface = binary.LittleEndian.Uint32(h[12:]), p.iface
		b = b[end:]
		used += end
	}
	return len(fs), used
}

// trimFCS cuts off those of the fcs last bytes of a frame that were captured.
// A length below what was captured is not believed.
func trimFCS(data []byte, length, fcs uint32) []byte {
	whole := max(uint64(length), uint64(len(data)))
	if whole < uint64(fcs) {
		return data[:0]
	}
	if keep := whole - uint64(fcs); keep < uint64(len(data)) {
		return data[:keep]
	}
	return data
}
