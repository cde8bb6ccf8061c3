package flows

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func segment(flags uint8, back bool, payload uint16) Packet {
	p := Packet{SrcPort: 40000, DstPort: 80, Proto: protoTCP, Kind: KindTCP, Flags: flags, Payload: payload}
	p.Src[15], p.Dst[15] = 1, 2
	if back {
		p.Src, p.Dst, p.SrcPort, p.DstPort = p.Dst, p.Src, p.DstPort, p.SrcPort
	}
	return p
}

// TestSettled: what is passed over of a side starts only when both have sent payload and
// it has been heard after the other's, or has been answered at the beginning, and ends with
// SYN or RST.
func TestSettled(t *testing.T) {
	const data, ack = FlagACK | FlagPSH, FlagACK
	steps := []struct {
		p    Packet
		skip bool
	}{
		{segment(FlagSYN, false, 0), false},
		{segment(FlagSYN|FlagACK, true, 0), false},
		{segment(ack, false, 0), false},
		{segment(data, true, 40), false},  // the server speaks first
		{segment(ack, false, 0), false},   // heard after it
		{segment(data, false, 20), false}, // now the client
		{segment(data, false, 20), true},
		{segment(ack, true, 0), false}, // the answer to it must pass
		{segment(data, true, 40), true},
		{segment(ack, false, 0), true},
		{segment(FlagACK|FlagFIN, false, 0), false},
		{segment(ack, true, 0), true},
		{segment(data, true, 40), true},
		{segment(FlagRST, true, 0), false},
		{segment(ack, false, 0), false}, // the slot was cleared
		{segment(FlagSYN, false, 0), false},
		{segment(FlagSYN|FlagACK, true, 0), false},
		{segment(ack, false, 0), false},
		{segment(data, false, 20), false}, // the client speaks first
		{segment(data, true, 40), false},
		{segment(ack, false, 0), true},
		{segment(FlagSYN, false, 0), false}, // whose answer is not seen
		{segment(data, false, 20), false},
		{segment(data, true, 40), false},
		{segment(ack, false, 0), false},
		{segment(ack, false, 0), true},
	}
	s := NewSettled(0)
	for i := range steps {
		require.Equal(t, steps[i].skip, s.Skip(&steps[i].p), "step %d", i)
	}
	require.EqualValues(t, 7, s.Passed)
}

// TestSettledOneWay: a conversation of which one side is seen is never passed
// over.
func TestSettledOneWay(t *testing.T) {
	s := NewSettled(0)
	for range 10 {
		p := segment(FlagACK|FlagPSH, false, 100)
		require.False(t, s.Skip(&p))
	}
}

func exchanged(time int64, back bool, from uint16) Packet {
	p := segment(0, back, 10)
	p.Kind, p.Proto, p.Time, p.SrcPort = KindUDP, protoUDP, time, from
	if back {
		p.SrcPort, p.DstPort = 80, from
	}
	return p
}

// TestSettledDatagrams: a datagram is passed over where both sides have sent one in its
// span, and of no group's, tunnel's or DHCP's.
func TestSettledDatagrams(t *testing.T) {
	steps := []struct {
		at   int64 // milliseconds
		back bool
		port uint16
		skip bool
	}{
		{3900, false, 40000, false},
		{3900, false, 40000, false}, // without an answer copies are counted
		{3910, true, 40000, false},
		{3920, true, 40000, true},
		{3930, false, 40000, true},
		{3940, false, 40001, false}, // another socket
		{3950, true, 40001, false},
		{3999, true, 40000, true},
		{4000, true, 40000, false}, // another span
		{4010, true, 40000, false},
		{4020, false, 40000, false},
		{4030, true, 40000, true},
	}
	s := NewSettled(0)
	for i, step := range steps {
		p := exchanged(step.at*millisecond, step.back, step.port)
		require.Equal(t, step.skip, s.Skip(&p), "step %d", i)
	}
	for name, change := range map[string]func(*Packet){
		"group":   func(p *Packet) { p.Marks = MarkGroup },
		"carrier": func(p *Packet) { p.Marks = MarkCarrier },
		"DHCP":    func(p *Packet) { p.SrcPort, p.DstPort = portLeases, portLeases },
		"VXLAN":   func(p *Packet) { p.SrcPort, p.DstPort = portVXLAN, portVXLAN },
	} {
		for i := range 6 {
			p := exchanged(0, i%2 == 1, 40000)
			change(&p)
			require.False(t, s.Skip(&p), name)
		}
	}
}

// TestSettledKeepsTheClockGoing: where nothing but what is settled comes, one packet in
// a tenth of a second reaches the table, whether or not frames are looked at before they
// are decoded, and whichever way the time goes.
func TestSettledKeepsTheClockGoing(t *testing.T) {
	for _, step := range []int64{10, -10} {
		s := NewSettled(0)
		for i := range 6 {
			p := segment(FlagACK|FlagPSH, i%2 == 1, 40)
			s.Skip(&p)
		}
		let := 0
		for i := range int64(100) {
			p := segment(FlagACK, false, 0)
			p.Time = i * step * millisecond
			if !s.Skip(&p) {
				let++
				require.Equal(t, p.Time, s.latest)
			}
			require.LessOrEqual(t, max(p.Time-s.latest, s.latest-p.Time), settledLag)
		}
		require.Equal(t, 9, let)
	}
}

// TestSettledTellsConversationsApart: those that differ in how ports and
// addresses go together are not taken for each other.
func TestSettledTellsConversationsApart(t *testing.T) {
	s := NewSettled(0)
	seen := map[uint64]string{}
	for _, hosts := range [][2]byte{{1, 2}, {1, 3}, {2, 3}, {0, 3}} {
		for _, ports := range [][2]uint16{{40000, 80}, {80, 40000}, {40080, 0}, {40001, 81}, {40001, 80}} {
			for _, v6 := range []bool{false, true} {
				p := Packet{Kind: KindTCP, SrcPort: ports[0], DstPort: ports[1]}
				p.Src[15], p.Dst[15] = hosts[0], hosts[1]
				if v6 {
					p.Src[0], p.Dst[0] = 0x20, 0x20
				}
				h, side := s.conversation(&p)
				name := fmt.Sprint(hosts, ports, v6)
				require.Empty(t, seen[h], name)
				seen[h] = name
				p.Src, p.Dst, p.SrcPort, p.DstPort = p.Dst, p.Src, p.DstPort, p.SrcPort
				back, other := s.conversation(&p)
				require.Equal(t, h, back)
				require.NotEqual(t, side, other)
			}
		}
	}
}

// TestSettledHoldsTwentyThousand: so many conversations at once drive few of each
// other out.
func TestSettledHoldsTwentyThousand(t *testing.T) {
	const conversations = 20_000
	s := NewSettled(0)
	steps := []Packet{
		segment(FlagACK|FlagPSH, false, 40), segment(FlagACK|FlagPSH, true, 40), segment(FlagACK, false, 0),
		segment(FlagACK|FlagPSH, true, 40),
	}
	for i := range steps {
		for n := range conversations {
			p := steps[i]
			port := uint16(n)
			p.Src[14], p.Dst[14] = byte(n>>16), byte(n>>16)
			if i == 1 || i == 3 {
				p.DstPort = port
			} else {
				p.SrcPort = port
			}
			s.Skip(&p)
		}
	}
	require.Greater(t, s.Passed, uint64(conversations*9/10))
}
