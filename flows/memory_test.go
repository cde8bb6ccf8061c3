package flows

import (
	"encoding/binary"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

// heapNow is how many bytes of heap there are.
func heapNow() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// flood is the n-th of many SYNs, each of a source and to a host of its own.
func flood(n int, at int64) Packet {
	p := Packet{Kind: KindTCP, Proto: protoTCP, Flags: FlagSYN, SrcPort: 1024, DstPort: 443, Seq: uint32(n), Time: at}
	p.Src, p.Dst = [16]byte{10: 0xff, 11: 0xff, 12: 10}, [16]byte{10: 0xff, 11: 0xff, 12: 11}
	binary.BigEndian.PutUint32(p.Src[12:], 10<<24|uint32(n))
	binary.BigEndian.PutUint32(p.Dst[12:], 11<<24|uint32(n))
	return p
}

// TestTableTakesWhatItSays fills tables, slowly and so fast that timers of what was
// dropped pile up: the heap grows by no more than the bounds say, and by half at least.
func TestTableTakesWhatItSays(t *testing.T) {
	for name, gap := range map[string]int64{"slow": 10 * millisecond, "fast": second / 1_000_000} {
		t.Run(name, func(t *testing.T) {
			cfg := TableConfig{MaxEntries: 30_000, MaxNotes: 1000}
			said := int64(0)
			for _, b := range cfg.Bounds() {
				said += b.Bytes()
			}
			before := heapNow()
			table := NewTable(cfg)
			var events []Event
			for n := range 400_000 {
				p := flood(n, int64(n+1)*gap)
				events = table.Add(&p, events[:0])
			}
			require.Equal(t, cfg.MaxEntries, table.Stats().Entries)
			took := heapNow() - before
			const fixed = 1 << 20 // tombstones, and chunks that are not full
			require.LessOrEqual(t, took, said+fixed)
			require.GreaterOrEqual(t, 2*took, said*2/3)
			runtime.KeepAlive(table)
		})
	}
}

// TestTidyKeepsWhatIsDue: taking out timers of what was dropped changes no event of what
// was kept.
func TestTidyKeepsWhatIsDue(t *testing.T) {
	run := func(tidy bool) (events []Event) {
		table := NewTable(TableConfig{MaxEntries: 1000})
		for n := range 20_000 {
			p := flood(n, int64(n+1)*millisecond)
			events = table.Add(&p, events)
			if tidy && n%100 == 0 {
				table.tidy()
			}
		}
		for more := true; more; {
			events, more = table.Close(events)
		}
		return events
	}
	require.Equal(t, run(false), run(true))
}

// TestPressureSparesWhatIsYoung: with room for what comes in half a second and more, all
// that is silent counts before it is dropped; with less room it cannot, and the table
// says so.
func TestPressureSparesWhatIsYoung(t *testing.T) {
	counted := func(perSecond int) (n int, s TableStats) {
		table := NewTable(TableConfig{MaxEntries: 1000})
		var events []Event
		for i := range 20_000 {
			p := flood(i, int64(i+1)*second/int64(perSecond))
			events = table.Add(&p, events[:0])
			for _, e := range events {
				if e.Kind == Counted {
					n++
				}
			}
		}
		return n, table.Stats()
	}
	n, s := counted(1500)
	require.Equal(t, 20_000-750, n, "all but those of the last half second")
	require.EqualValues(t, 19_000, s.Evicted)
	n, s = counted(4000)
	require.Less(t, n, 12_000)
	require.EqualValues(t, 19_000, s.EvictedLive)
}
