package bpf

import (
	"math"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/synoptic-ids/synoptic/flows"
)

// sources is the table of the sources over their budget, whose memory the program and this
// process share. What is read of an entry may be of two moments, or, where the entry has just
// become another's, of two sources: that is so for a packet or two.
type sources struct {
	memory  []byte
	sets    []xdpSet
	present int
}

func mapSources(fd int, sets uint32) (*sources, error) {
	m, err := unix.Mmap(fd, 0, int(sets)*setBytes, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, err
	}
	return &sources{memory: m, sets: unsafe.Slice((*xdpSet)(unsafe.Pointer(unsafe.SliceData(m))), sets)}, nil
}

// forgetAfter is how long a source is kept that tries nothing more, in nanoseconds.
const forgetAfter = 15 * 60 * int64(1e9)

// append adds a summary of each source that tried something since a time, and forgets
// those that have not for long. Times are monotonic; offset is what to add for those since
// 1970.
func (s *sources) append(dst []flows.Summary, since, now, offset int64) []flows.Summary {
	s.present = 0
	for i := range s.sets {
		set := &s.sets[i]
		for way := range set.Who {
			if set.Who[way].Low|set.Who[way].High == 0 {
				continue
			}
			v := &set.Sources[way]
			last := int64(v.Last)
			if now-last > forgetAfter {
				set.Who[way], v.Last = xdpAddress{}, 0
				continue
			}
			s.present++
			if last >= since && v.First != 0 {
				dst = append(dst, summary(&set.Who[way], v, offset))
			}
		}
	}
	return dst
}

func (s *sources) close() error { return unix.Munmap(s.memory) }

func summary(a *xdpAddress, v *xdpSource, offset int64) flows.Summary {
	s := flows.Summary{
		Source: addressOf(a), First: int64(v.First) + offset, Last: int64(v.Last) + offset,
		Targets: estimate(&v.Registers),
	}
	copy(s.Packets[:], v.Packets[:])
	return s
}

// estimate is how many distinct targets left these registers behind: HyperLogLog, by the
// count of empty registers while there are many.
func estimate(registers *[64]uint8) uint32 {
	const m, alpha = 64.0, 0.709
	var inverse uint64 // sum of 2^-r in units of 2^-57, which is exact
	empty := 0
	for _, r := range registers {
		inverse += 1 << (57 - min(r, 57))
		if r == 0 {
			empty++
		}
	}
	e := alpha * m * m / math.Ldexp(float64(inverse), -57)
	if e <= 2.5*m && empty > 0 {
		e = m * math.Log(m/float64(empty))
	}
	return uint32(math.Min(math.Round(e), math.MaxUint32))
}
