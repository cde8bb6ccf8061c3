package capture

import (
	"encoding/binary"
	"fmt"
	"math/bits"
)

// Block types of pcapng.
const (
	blockSection    = 0x0a0d0d0a // reads the same in both byte orders
	blockInterface  = 1
	blockPacket     = 2 // obsolete
	blockSimple     = 3
	blockStatistics = 5
	blockEnhanced   = 6
)

const (
	byteOrderMagic = 0x1a2b3c4d
	// maxBlock is the longest block that is believed, in bytes: libpcap's.
	maxBlock      = 16 << 20
	sectionHeader = 28
	// complaints is how many damages one input reports and reads on behind;
	// more are only counted.
	complaints = 8
)

// pcapng reads the block format.
type pcapng struct {
	big        bool // section is big-endian
	ifaces     []ngIface
	alike      map[ifaceKey]int // interfaces of the section by link and name
	reg        *registry
	stats      *Stats
	last       int64 // time of the latest packet
	complained int
}

func newPcapng(reg *registry, stats *Stats) *pcapng {
	return &pcapng{reg: reg, stats: stats, alike: make(map[ifaceKey]int)}
}

func (p *pcapng) u16(b []byte) uint16 {
	v := binary.LittleEndian.Uint16(b)
	if p.big {
		return bits.ReverseBytes16(v)
	}
	return v
}

func (p *pcapng) u32(b []byte) uint32 {
	v := binary.LittleEndian.Uint32(b)
	if p.big {
		return bits.ReverseBytes32(v)
	}
	return v
}

func (p *pcapng) u64(b []byte) uint64 {
	v := binary.LittleEndian.Uint64(b)
	if p.big {
		return bits.ReverseBytes64(v)
	}
	return v
}

func (p *pcapng) parse(b []byte, fs []Frame) (n, used, need int, bad *fault) {
	for n < len(fs) {
		if used >= len(b) {
			return n, used, 12, nil
		}
		rest := b[used:]
		if len(rest) < 12 {
			return n, used, 12, nil
		}
		kind := p.u32(rest)
		if kind == blockSection {
			if bad := p.order(rest); bad != nil {
				bad.at = used
				return n, used, 0, bad
			}
		}
		size := p.u32(rest[4:])
		if size < 12 || size%4 != 0 || size > maxBlock {
			return n, used, 0, &fault{at: used, reason: fmt.Sprintf("a block of %d bytes", size)}
		}
		if kind != blockEnhanced && !wanted(kind) {
			used += int(size)
			continue
		}
		if len(rest) < int(size) {
			return n, used, int(size), nil
		}
		rest = rest[:size]
		if again := p.u32(rest[size-4:]); again != size {
			return n, used, 0, &fault{at: used, reason: fmt.Sprintf(
				"a block of %d bytes says at its end that it has %d", size, again)}
		}
		filled, bad := p.block(kind, rest[8:size-4], &fs[n])
		if filled {
			n++
		}
		if bad != nil {
			bad.at = used
			if bad.resumes {
				used += int(size)
			}
			return n, used, 0, bad
		}
		used += int(size)
	}
	return n, used, 0, nil
}

// wanted is whether a block has to be in the buffer as a whole. Name, secrets,
// custom and unknown blocks have not.
func wanted(kind uint32) bool {
	switch kind {
	case blockEnhanced, blockSection, blockInterface, blockPacket, blockSimple, blockStatistics:
		return true
	}
	return false
}

// block reads one whole block, without its head and tail, and tells whether it
// filled f.
func (p *pcapng) block(kind uint32, body []byte, f *Frame) (filled bool, bad *fault) {
	switch kind {
	case blockEnhanced:
		filled, bad = p.enhanced(body, f)
	case blockPacket:
		filled, bad = p.obsolete(body, f)
	case blockSimple:
		filled = p.simple(body, f)
	case blockStatistics:
		p.statisticsBlock(body)
		return false, nil
	case blockInterface:
		return false, p.interfaceBlock(body)
	case blockSection:
		return false, p.section(body)
	}
	if !filled {
		p.stats.Skipped++
	}
	return filled, bad
}

// order sets the byte order from the section header that b starts with.
func (p *pcapng) order(b []byte) *fault {
	magic := binary.LittleEndian.Uint32(b[8:])
	switch magic {
	case byteOrderMagic:
		p.big = false
	case bits.ReverseBytes32(byteOrderMagic):
		p.big = true
	default:
		return &fault{reason: fmt.Sprintf("a section with byte order %#08x", magic)}
	}
	return nil
}

// section starts a new section: interfaces count from 0 again.
func (p *pcapng) section(body []byte) *fault {
	if len(body) < sectionHeader-12 {
		return &fault{reason: "a section header that is too short"}
	}
	if err := p.version(body[4:]); err != nil {
		return &fault{reason: err.Error()}
	}
	p.ifaces = p.ifaces[:0]
	clear(p.alike)
	return nil
}

// version checks the version that b starts with. Version 1.2 differs in
// nothing; some writers say so all the same.
func (p *pcapng) version(b []byte) error {
	major, minor := p.u16(b), p.u16(b[2:])
	if major != 1 || minor != 0 && minor != 2 {
		return fmt.Errorf("pcapng version %d.%d; versions 1.0 and 1.2 are read", major, minor)
	}
	return nil
}

// complain reports a damage behind which reading goes on, unless the input has
// reported enough of them.
func (p *pcapng) complain(reason string) *fault {
	if p.complained++; p.complained > complaints {
		return nil
	}
	return &fault{reason: reason, resumes: true}
}

// iface returns interface i of the section if its packets can be read.
func (p *pcapng) iface(i uint32) *ngIface {
	if uint64(i) >= uint64(len(p.ifaces)) || !p.ifaces[i].usable {
		return nil
	}
	return &p.ifaces[i]
}

func (p *pcapng) enhanced(body []byte, f *Frame) (bool, *fault) {
	if len(body) < 20 {
		return false, nil
	}
	ifc := p.iface(p.u32(body))
	captured := int64(p.u32(body[12:]))
	if ifc == nil || captured > int64(len(body)-20) {
		return false, nil
	}
	end := 20 + int(captured)
	data := body[20:end:end]
	length := p.u32(body[16:])
	fcs := ifc.fcs
	if options := pad4(end); options < len(body) {
		fcs = p.packetOptions(ifc, body[options:])
	}
	if fcs != 0 {
		data = trimFCS(data, length, fcs)
	}
	return p.timed(ifc, body[4:], data, length, f)
}

// obsolete reads a packet block, which the enhanced one replaced.
func (p *pcapng) obsolete(body []byte, f *Frame) (bool, *fault) {
	if len(body) < 20 {
		return false, nil
	}
	ifc := p.iface(uint32(p.u16(body)))
	captured := int64(p.u32(body[12:]))
	if ifc == nil || captured > int64(len(body)-20) {
		return false, nil
	}
	if drops := p.u16(body[2:]); drops != 0xffff { // all ones: unknown
		p.lost(ifc, uint64(drops))
	}
	end := 20 + int(captured)
	length := p.u32(body[16:])
	data := trimFCS(body[20:end:end], length, ifc.fcs)
	return p.timed(ifc, body[4:], data, length, f)
}

// timed fills f unless the packet's time, at the start of stamp, is absurd.
func (p *pcapng) timed(ifc *ngIface, stamp, data []byte, length uint32, f *Frame) (bool, *fault) {
	ts := uint64(p.u32(stamp))<<32 | uint64(p.u32(stamp[4:]))
	t, ok := ifc.clock.nanos(ts)
	if !ok {
		return false, p.complain(fmt.Sprintf("a packet with timestamp %#x, outside the years 1684 to 2255; it is skipped", ts))
	}
	p.last = t
	f.Data, f.Time, f.Len, f.Iface = data, t, length, ifc.id
	return true, nil
}

// simple reads a packet that has no time, no interface and no captured length:
// it belongs to interface 0, was cut at its snapshot length, and inherits the
// time of the packet before.
func (p *pcapng) simple(body []byte, f *Frame) bool {
	ifc := p.iface(0)
	if len(body) < 4 || ifc == nil {
		return false
	}
	length := p.u32(body)
	captured := min(uint64(length), uint64(len(body)-4))
	if ifc.snaplen > 0 {
		captured = min(captured, uint64(ifc.snaplen))
	}
	end := 4 + int(captured)
	p.stats.Untimed++
	f.Data, f.Time, f.Len, f.Iface = trimFCS(body[4:end:end], length, ifc.fcs), p.last, length, ifc.id
	return true
}
