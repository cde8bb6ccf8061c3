package flows

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"
)

// sender sends SYNs evenly, each to a host of its own; or all to one.
type sender struct {
	addr    uint32
	forges  bool // each from a source of its own
	one     bool // all to one host
	rate    int64
	packets int
}

// pour has senders send for so many seconds, in order of time, and returns how many
// attempts of each opened, counted and ended, and what the table says.
func pour(seconds int64, entries int, senders ...*sender) (opened, counted, ended map[uint32]int, s TableStats) {
	table := NewTable(TableConfig{MaxEntries: entries})
	opened, counted, ended = map[uint32]int{}, map[uint32]int{}, map[uint32]int{}
	of := func(e *Event) uint32 { return binary.BigEndian.Uint32(e.Initiator[12:]) >> 24 }
	take := func(events []Event) {
		for i := range events {
			switch e := &events[i]; e.Kind {
			case Opened:
				opened[of(e)]++
			case Counted:
				counted[of(e)]++
			case Final:
				ended[of(e)]++
			}
		}
	}
	var events []Event
	const tick = millisecond / 4
	for now := tick; now <= seconds*second; now += tick {
		for _, x := range senders {
			for ; int64(x.packets)*second < now*x.rate; x.packets++ {
				p := flood(x.packets, now)
				from, to := x.addr<<24, uint32(x.packets)
				if x.forges {
					from |= uint32(x.packets)
				}
				if x.one {
					to = 0
				}
				binary.BigEndian.PutUint32(p.Src[12:], from)
				binary.BigEndian.PutUint32(p.Dst[12:], 11<<24|x.addr<<20|to)
				events = table.Add(&p, events[:0])
				take(events)
			}
		}
	}
	s = table.Stats()
	for more := true; more; {
		events, more = table.Close(events[:0])
		take(events)
	}
	return opened, counted, ended, s
}

// TestPressureTakesFromWhoHasMost: where more comes in half a second than there is room
// for, who sends little loses nothing to who sends much, nor to a flood at one target.
func TestPressureTakesFromWhoHasMost(t *testing.T) {
	for name, much := range map[string]*sender{
		"a fast scanner": {addr: 1, rate: 20_000},
		"one target":     {addr: 1, rate: 40_000, forges: true, one: true},
	} {
		t.Run(name, func(t *testing.T) {
			small, alone := &sender{addr: 2, rate: 20}, &sender{addr: 3, rate: 1000, forges: true}
			opened, counted, ended, _ := pour(3, 6000, much, small, alone)
			require.Equal(t, opened, ended, "all that begins ends")
			require.Equal(t, 60, counted[2])
			require.InDelta(t, 3000, counted[3], 30)
			require.Positive(t, counted[1])
			require.Less(t, counted[1], opened[1]/2)
		})
	}
}

// TestPressureDrawsWhoStays: of sources of which each sends once a part is kept until it
// counts, however many they are. With the room for less than a tenth of what comes in
// half a second, the oldest going first none would be.
func TestPressureDrawsWhoStays(t *testing.T) {
	opened, counted, ended, s := pour(6, 2000, &sender{addr: 1, rate: 50_000, forges: true})
	require.Equal(t, opened, ended)
	require.Greater(t, counted[1], opened[1]/50)
	require.Positive(t, s.EvictedLive)
}

// TestPressureEases: when the flood is over, everything counts again.
func TestPressureEases(t *testing.T) {
	table := NewTable(TableConfig{MaxEntries: 1000})
	var events []Event
	n, now := 0, int64(1)
	send := func(gap int64, packets int) (counted int) {
		for range packets {
			now += gap
			p := flood(n, now)
			n++
			events = table.Add(&p, events[:0])
			for i := range events {
				if events[i].Kind == Counted {
					counted++
				}
			}
		}
		return counted
	}
	send(second/100_000, 200_000)
	require.Less(t, table.press.part, uint64(all))
	send(second/1500, 30_000)
	require.EqualValues(t, all, table.press.part)
	require.Equal(t, 1500, send(second/1500, 1500))
}

// TestDroppedEntriesEnd: what is dropped ends: cut if nothing was known of it, and else as
// it stood.
func TestDroppedEntriesEnd(t *testing.T) {
	table := NewTable(TableConfig{MaxEntries: 10})
	var events []Event
	for n := range 100 {
		p := flood(n, int64(n+1)*100*millisecond)
		events = table.Add(&p, events)
	}
	cut, counted := 0, 0
	for i := range events {
		switch e := &events[i]; {
		case e.Kind != Final:
		case e.Cut:
			require.False(t, e.Counted)
			cut++
		default:
			require.True(t, e.Counted)
			counted++
		}
	}
	require.Equal(t, 90, cut+counted)
	require.Zero(t, cut, "each was there for a second")
}

// TestPressureCountsWhatIsThere: what is counted beside the table is what is in it.
func TestPressureCountsWhatIsThere(t *testing.T) {
	table := NewTable(TableConfig{MaxEntries: 64})
	var events []Event
	for n := range 5000 {
		p := flood(n%97, int64(n+1)*20*millisecond)
		if n%3 == 0 {
			p.Kind, p.Proto, p.Flags = KindUDP, protoUDP, 0
		}
		if n%7 == 0 { // somebody spoke first whose datagram came late
			p.Src, p.Dst, p.SrcPort, p.DstPort, p.Time = p.Dst, p.Src, p.DstPort, p.SrcPort, p.Time-30*millisecond
		}
		events = table.Add(&p, events[:0])
	}
	require.NotNil(t, table.press.held)
	want := newPressure(64)
	want.held = make([]uint32, len(table.press.held))
	for n := range table.arena.next {
		if e := table.at(n); e.has(stateUsed) {
			want.add(&table.keys, &e.key, 1)
		}
	}
	require.Equal(t, want.held, table.press.held)
}
