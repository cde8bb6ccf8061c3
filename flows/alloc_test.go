package flows

import (
	"encoding/binary"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

// conversationOf is a handshake, payload each way and a close, from one source
// port; every third is a UDP exchange, every fourth a SYN that stays unanswered.
func conversationOf(i int) []Packet {
	c, s := [16]byte{10: 0xff, 11: 0xff, 12: 192, 13: 0, 14: 2}, [16]byte{10: 0xff, 11: 0xff, 12: 198, 13: 51, 14: 100, 15: 7}
	c[15] = byte(1 + i%250)
	port := uint16(1024 + i%40000)
	at := int64(1_700_000_000_000_000_000) + int64(i)*millisecond
	tcp := func(flags uint8, back bool, payload uint16) Packet {
		p := Packet{Src: c, Dst: s, SrcPort: port, DstPort: uint16(80 + i%4), Proto: protoTCP, Kind: KindTCP, Flags: flags, Seq: uint32(i), Payload: payload, Time: at}
		if flags&FlagSYN == 0 {
			p.Seq++
		}
		if back {
			p.Src, p.Dst, p.SrcPort, p.DstPort = s, c, p.DstPort, p.SrcPort
		}
		return p
	}
	switch {
	case i%4 == 3:
		return []Packet{tcp(FlagSYN, false, 0)}
	case i%3 == 2:
		ask := Packet{Src: c, Dst: s, SrcPort: port, DstPort: 53, Proto: protoUDP, Kind: KindUDP, Payload: 30, Time: at}
		reply := ask
		reply.Src, reply.Dst, reply.SrcPort, reply.DstPort = s, c, 53, port
		return []Packet{ask, reply}
	}
	return []Packet{
		tcp(FlagSYN, false, 0), tcp(FlagSYN|FlagACK, true, 0), tcp(FlagACK, false, 0),
		tcp(FlagACK|FlagPSH, false, 100), tcp(FlagACK, true, 1400), tcp(FlagACK|FlagFIN, false, 0), tcp(FlagACK|FlagFIN, true, 0),
	}
}

// TestTableAllocatesNothing: with its entries, timers and events in place, a
// table that takes ever new conversations, evicts and fires timers allocates nothing.
func TestTableAllocatesNothing(t *testing.T) {
	conversations := make([][]Packet, 20000)
	for i := range conversations {
		conversations[i] = conversationOf(i)
	}
	table := NewTable(TableConfig{MaxEntries: 500})
	events := make([]Event, 0, 64)
	i := 0
	step := func() {
		packets := conversations[i%len(conversations)]
		for j := range packets {
			p := packets[j]
			p.Time += int64(i/len(conversations)) * int64(len(conversations)) * millisecond
			events = table.Add(&p, events[:0])
		}
		i++
	}
	for range 2 * len(conversations) {
		step()
	}
	require.Positive(t, table.Stats().Evicted)
	require.Zero(t, testing.AllocsPerRun(len(conversations), step))
	now := table.Now()
	require.Zero(t, testing.AllocsPerRun(100, func() {
		now += 200 * millisecond
		events = table.Advance(now, events[:0])
	}))
}

// TestGrowingTableAllocatesByTheChunk: a table that takes ever new targets, and the clock that
// moves on, ask for memory by the chunk, never for a packet.
func TestGrowingTableAllocatesByTheChunk(t *testing.T) {
	const packets = 50_000
	table, events := NewTable(TableConfig{}), make([]Event, 0, 1<<16)
	knock := conversationOf(3)[0]
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for i := range packets {
		p := knock
		binary.BigEndian.PutUint32(p.Src[12:], 100<<24|uint32(i))
		p.Time += int64(i) * 1000
		events = table.Add(&p, events[:0])
	}
	now := table.Now()
	for i := range int64(200) {
		events = table.Advance(now+i*100*millisecond, events[:0])
	}
	runtime.ReadMemStats(&after)
	require.EqualValues(t, packets, table.Stats().Attempts)
	require.Less(t, int(after.Mallocs-before.Mallocs), packets/100)
}

// TestSettledAllocatesNothing is for the cache in front of the table.
func TestSettledAllocatesNothing(t *testing.T) {
	s := NewSettled(0)
	packets := conversationOf(0)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		for i := range packets {
			s.Skip(&packets[i])
		}
	}))
}
