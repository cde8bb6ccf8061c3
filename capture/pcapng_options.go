package capture

import (
	"bytes"
	"fmt"
	"math/bits"
)

// Option codes that matter here; all others are passed over.
const (
	optEnd          = 0
	optIfName       = 2
	optIfTsresol    = 9
	optIfFcslen     = 13
	optIfTsoffset   = 14
	optEpbFlags     = 2
	optEpbDropcount = 4
	optIsbIfdrop    = 5
	optIsbOsdrop    = 7
)

// option splits the first option off b. Options that do not fit end the list:
// what stood before them is used.
func (p *pcapng) option(b []byte) (code uint16, value, rest []byte, ok bool) {
	if len(b) < 4 {
		return 0, nil, nil, false
	}
	code = p.u16(b)
	size := int(p.u16(b[2:]))
	b = b[4:]
	if code == optEnd || size > len(b) {
		return 0, nil, nil, false
	}
	return code, b[:size], b[min(pad4(size), len(b)):], true
}

func pad4(n int) int { return (n + 3) &^ 3 }

// maxSeconds bounds times to years within 1684 and 2255, so that adding some
// years to one never overflows.
const (
	maxSeconds = 9_000_000_000
	maxTime    = maxSeconds * 1_000_000_000
)

// clock turns an interface's timestamps into nanoseconds.
type clock struct {
	mul   uint64 // ns = ts * mul / div >> shift + base
	div   uint64
	shift uint8
	base  int64
}

// setResolution takes the value of if_tsresol.
func (c *clock) setResolution(v byte) error {
	n := v & 0x7f
	if v&0x80 != 0 {
		if n > 63 {
			return fmt.Errorf("a timestamp resolution of 2^-%d, finer than 2^-63", n)
		}
		c.mul, c.div, c.shift = 1e9, 1, n
		return nil
	}
	if n > 19 {
		return fmt.Errorf("a timestamp resolution of 10^-%d, finer than 10^-19", n)
	}
	c.mul, c.div, c.shift = 1, 1, 0
	for ; n < 9; n++ {
		c.mul *= 10
	}
	for ; n > 9; n-- {
		c.div *= 10
	}
	return nil
}

// setOffset takes the value of if_tsoffset in seconds.
func (c *clock) setOffset(seconds int64) error {
	if seconds > maxSeconds || seconds < -maxSeconds {
		return fmt.Errorf("a timestamp offset of %d s", seconds)
	}
	c.base = seconds * 1e9
	return nil
}

// nanos returns nanoseconds since 1970, rounded down, and whether they are in
// the range that is read.
func (c *clock) nanos(ts uint64) (int64, bool) {
	hi, lo := bits.Mul64(ts, c.mul)
	switch {
	case c.shift > 0:
		lo = hi<<(64-c.shift) | lo>>c.shift
		hi >>= c.shift
	case c.div > 1:
		lo /= c.div // mul is 1 here, so hi is 0
	}
	if hi != 0 {
		return 0, false
	}
	if c.base >= 0 {
		return int64(lo) + c.base, lo <= uint64(maxTime-c.base)
	}
	if back := uint64(-c.base); lo < back {
		return -int64(back - lo), true
	} else if lo -= back; lo > maxTime {
		return 0, false
	}
	return int64(lo), true
}

// ngIface is one interface of a section.
type ngIface struct {
	clock   clock
	id      uint32
	snaplen uint32 // bytes kept of a packet, 0 for all
	fcs     uint32 // bytes of frame check sequence at the end of packets
	usable  bool
	losses  losses
}

// losses are the drop counts of one interface. Statistics blocks and packet
// options tell of the same packets, so the larger account holds.
type losses struct {
	stated  uint64 // latest statistics block
	summed  uint64 // packet blocks
	counted uint64 // how many are in Stats
}

// add puts the current account into st.
func (l *losses) add(st *Stats) {
	now := max(l.stated, l.summed)
	st.Dropped += now - l.counted // wraps back when a later account is lower
	l.counted = now
}

// maxDrops is the largest drop count that is believed.
const maxDrops = 1 << 48

// interfaceBlock reads an interface description. An interface that cannot be
// used keeps its place in the section, or the ones after it would shift.
func (p *pcapng) interfaceBlock(body []byte) (bad *fault) {
	if len(p.ifaces) == maxIfaces {
		p.stats.Skipped++
		return p.complain(fmt.Sprintf("more than %d interfaces in a section; packets of the others are skipped", maxIfaces))
	}
	p.ifaces = append(p.ifaces, ngIface{})
	ifc := &p.ifaces[len(p.ifaces)-1]
	if len(body) < 8 {
		p.stats.Skipped++
		return p.complain(fmt.Sprintf("interface %d is described in %d bytes; its packets are skipped", len(p.ifaces)-1, len(body)))
	}
	ifc.snaplen = p.u32(body[4:])
	ifc.clock.mul, ifc.clock.div = 1000, 1
	name, err := p.interfaceOptions(ifc, body[8:])
	if err != nil {
		p.stats.Skipped++
		return p.complain(fmt.Sprintf("interface %d has %v; its packets are skipped", len(p.ifaces)-1, err))
	}
	key := ifaceKey{link: p.u16(body), name: string(name)}
	nth := p.alike[key]
	p.alike[key] = nth + 1
	key.nth = nth
	ifc.id, ifc.usable = p.reg.id(key)
	if !ifc.usable {
		p.stats.Skipped++
		return p.complain(fmt.Sprintf("more than %d different interfaces; packets of interface %d are skipped", maxIfaces, len(p.ifaces)-1))
	}
	return nil
}

func (p *pcapng) interfaceOptions(ifc *ngIface, b []byte) (name []byte, err error) {
	for code, v, rest, ok := p.option(b); ok; code, v, rest, ok = p.option(rest) {
		switch {
		case code == optIfName:
			name = bytes.TrimRight(v, "\x00")
			name = name[:min(len(name), maxIfaceName)]
		case code == optIfTsresol && len(v) == 1:
			err = ifc.clock.setResolution(v[0])
		case code == optIfTsoffset && len(v) == 8:
			err = ifc.clock.setOffset(int64(p.u64(v)))
		case code == optIfFcslen && len(v) == 1:
			ifc.fcs = fcsBytes(v[0])
		}
		if err != nil {
			return nil, err
		}
	}
	return name, nil
}

// fcsBytes reads if_fcslen. It is specified in bits, but its own example, and
// files in the wild, have bytes.
func fcsBytes(v byte) uint32 {
	switch v {
	case 2, 4:
		return uint32(v)
	case 16, 32:
		return uint32(v) / 8
	}
	return 0
}

// packetOptions reads the options of an enhanced packet block, and returns the
// length of the frame check sequence in bytes.
func (p *pcapng) packetOptions(ifc *ngIface, b []byte) (fcs uint32) {
	fcs = ifc.fcs
	for code, v, rest, ok := p.option(b); ok; code, v, rest, ok = p.option(rest) {
		switch {
		case code == optEpbFlags && len(v) == 4:
			if stated := p.u32(v) >> 5 & 0xf; stated != 0 {
				fcs = stated
			}
		case code == optEpbDropcount && len(v) == 8:
			p.lost(ifc, p.u64(v))
		}
	}
	return fcs
}

// lost adds packets dropped since the packet before.
func (p *pcapng) lost(ifc *ngIface, n uint64) {
	if n <= maxDrops && ifc.losses.summed <= maxDrops {
		ifc.losses.summed += n
		ifc.losses.add(p.stats)
	}
}

// statisticsBlock reads the running totals of an interface.
func (p *pcapng) statisticsBlock(body []byte) {
	if len(body) < 12 || uint64(p.u32(body)) >= uint64(len(p.ifaces)) {
		p.stats.Skipped++
		return
	}
	ifc := &p.ifaces[p.u32(body)]
	var stated uint64
	found := false
	b := body[12:]
	for code, v, rest, ok := p.option(b); ok; code, v, rest, ok = p.option(rest) {
		if code != optIsbIfdrop && code != optIsbOsdrop || len(v) != 8 {
			continue
		}
		if n := p.u64(v); n <= maxDrops { // all ones means unknown
			stated += n
			found = true
		}
	}
	if found {
		ifc.losses.stated = stated
		ifc.losses.add(p.stats)
	}
}
