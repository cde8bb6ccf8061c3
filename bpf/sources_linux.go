package bpf

import (
	"errors"
	"math"

	"github.com/cilium/ebpf"

	"github.com/synoptic-ids/synoptic/flows"
)

// sources reads the table of the sources over their budget.
type sources struct {
	table   *ebpf.Map
	keys    []xdpAddress
	values  []xdpSource
	present int
	removed uint64
}

// sourcesAtOnce is how many entries are asked for at a time.
const sourcesAtOnce = 1024

func newSources(table *ebpf.Map) *sources {
	return &sources{table: table, keys: make([]xdpAddress, sourcesAtOnce), values: make([]xdpSource, sourcesAtOnce)}
}

// forgetAfter is how long a source is kept that tries nothing more, in nanoseconds.
const forgetAfter = 15 * 60 * int64(1e9)

// append adds a summary of each source that tried something since a time, and forgets
// those that have not for long. Times are monotonic; offset is what to add for those since
// 1970.
func (s *sources) append(dst []flows.Summary, since, now, offset int64) ([]flows.Summary, error) {
	var cursor ebpf.MapBatchCursor
	var old []xdpAddress
	s.present = 0
	for {
		n, err := s.table.BatchLookup(&cursor, s.keys, s.values, nil)
		if err != nil && !errors.Is(err, ebpf.ErrKeyNotExist) {
			return dst, err
		}
		s.present += n
		for i := range n {
			switch v := &s.values[i]; {
			case now-int64(v.Last) > forgetAfter:
				old = append(old, s.keys[i])
			case int64(v.Last) >= since && v.First != 0:
				dst = append(dst, summary(&s.keys[i], v, offset))
			}
		}
		if err != nil {
			return dst, s.forget(old)
		}
	}
}

func (s *sources) forget(old []xdpAddress) error {
	for i := range old {
		switch err := s.table.Delete(&old[i]); {
		case err == nil:
			s.removed++
			s.present--
		case !errors.Is(err, ebpf.ErrKeyNotExist):
			return err
		}
	}
	return nil
}

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
