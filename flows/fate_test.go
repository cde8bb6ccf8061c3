package flows

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestFate tells what packets are to the table, one after the other.
func TestFate(t *testing.T) {
	one, two := [16]byte{10: 255, 11: 255, 12: 192, 14: 2, 15: 1}, [16]byte{10: 255, 11: 255, 12: 192, 14: 2, 15: 2}
	segment := func(flags uint8, from, to [16]byte, sport, port uint16, payload uint16) Packet {
		return Packet{Kind: KindTCP, Proto: protoTCP, Src: from, Dst: to, SrcPort: sport, DstPort: port, Flags: flags, Payload: payload, Seq: uint32(sport)}
	}
	table := NewTable(TableConfig{})
	for i, step := range []struct {
		packet Packet
		fate   Fate
	}{
		{segment(FlagSYN, one, two, 4000, 80, 0), FateAttempt},
		{segment(FlagSYN, one, two, 4000, 80, 0), FateNone}, // a copy
		{segment(FlagSYN, one, two, 4001, 80, 0), FateAttempt},
		{segment(FlagSYN|FlagACK, two, one, 80, 4001, 0), FateNone},
		{segment(FlagSYN|FlagACK, two, one, 81, 4001, 0), FateBackscatter},
		{segment(FlagRST, two, one, 82, 4001, 0), FateBackscatter},
		{segment(FlagACK, one, two, 5000, 443, 100), FateMidStream},
		{segment(FlagACK, two, one, 443, 5000, 100), FateNone},
		{segment(FlagFIN, one, two, 5001, 90, 0), FateAttempt},
		{Packet{Kind: KindEchoReply, Proto: 1, Src: two, Dst: one}, FateBackscatter},
		{Packet{Kind: KindEchoRequest, Proto: 1, Src: two, Dst: one}, FateAttempt},
	} {
		step.packet.Time = int64(i+1) * millisecond
		_, fate := table.Tell(&step.packet, nil)
		require.Equal(t, step.fate, fate, "step %d", i)
	}
}
