package flows

import (
	"encoding/binary"
	"slices"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// at decodes packets without a link header at a time, and returns what they
// give other than KindFragment.
func at(d *Decoder, now int64, packets ...[]byte) []Packet {
	var got []Packet
	for _, b := range packets {
		for _, p := range d.Append(nil, b, Meta{Time: now, Len: uint32(len(b)), Link: linkRaw}) {
			if p.Kind != KindFragment {
				got = append(got, p)
			}
		}
	}
	return got
}

// synTo is a SYN to a port.
func synTo(port int) []byte {
	return slices.Concat(synHeader[:2], u16(port), synHeader[4:])
}

func TestFragmentsWaitThirtySeconds(t *testing.T) {
	f := fragments4(6, 1, pieces(synHeader, 8))
	for _, c := range []struct {
		later int64
		given int
	}{{30 * second, 1}, {30*second + 1, 0}, {-30 * second, 1}, {-30*second - 1, 0}} {
		var d Decoder
		require.Empty(t, at(&d, 100*second, f[0]))
		require.EqualValues(t, 1, d.Stats().Incomplete, "still waiting")
		require.Len(t, at(&d, 100*second+c.later, f[1:]...), c.given)
		// What is late begins a new wait.
		require.EqualValues(t, 2*(1-c.given), d.Stats().Incomplete)
	}
}

func TestFragmentsOfMoreDatagramsThanThereIsRoomFor(t *testing.T) {
	const room = 64
	d := NewDecoder(DecoderConfig{MaxFragments: room})
	begin := func(id int) []byte { return inetPiece(6, uint16(id), pieces(synHeader, 8)[0]) }
	for id := range 10 * room {
		require.Empty(t, at(d, int64(id), begin(id)))
	}
	s := d.Stats()
	require.EqualValues(t, 10*room, s.Incomplete+s.Displaced)
	require.LessOrEqual(t, s.Incomplete, uint64(room))
	require.Len(t, d.fragments.sets, room/fragmentWays)

	// The latest are there to be completed.
	last := 10*room - 1
	require.Len(t, at(d, int64(last), fragments4(6, uint16(last), pieces(synHeader, 8))[1:]...), 1)
}

// Datagrams of which a packet was given make room first: a flood of whole ones
// displaces nothing.
func TestFragmentsGivenMakeRoomFirst(t *testing.T) {
	d := NewDecoder(DecoderConfig{MaxFragments: 8})
	waiting := fragments4(6, 1, pieces(synHeader, 8))
	require.Empty(t, at(d, 0, waiting[0]))
	for id := 2; id < 1000; id++ {
		require.Len(t, at(d, int64(id), fragments4(6, uint16(id), pieces(synTo(id), 8))...), 1)
	}
	require.Len(t, at(d, 1000, waiting[1:]...), 1)
	s := d.Stats()
	require.Zero(t, s.Displaced+s.Incomplete+s.Overlaid)
	require.EqualValues(t, 999, s.Joined)
}

func TestFragmentsTableIsMadeWhenNeeded(t *testing.T) {
	var d Decoder
	ordinary := slices.Concat(unhex("9c40 0035 0bb8 0000"), make([]byte, 2992))
	for _, f := range fragments4(17, 1, pieces(ordinary, 1480)) {
		at(&d, 0, f)
	}
	at(&d, 0, inet(6, synHeader), inet6(6, synHeader), inetPiece(47, 1, piece{0, make([]byte, 8), true}))
	require.Nil(t, d.fragments)
	at(&d, 0, inetPiece(6, 1, piece{8, synHeader[8:], false}))
	require.Len(t, d.fragments.sets, 4096/fragmentWays)
	const promised = 256 // see DecoderConfig.MaxFragments
	require.LessOrEqual(t, unsafe.Sizeof(fragmentSet{})/fragmentWays, uintptr(promised))
	require.Len(t, newFragments(1<<40, 0).sets, mostFragments/fragmentWays)
	require.Len(t, newFragments(-1, 0).sets, 4096/fragmentWays)
}

// TestFragmentsWithOneIdentifier: a scanner that gives all its probes the same
// IP id, as with hping3 -N, or one that has gone through all of them.
func TestFragmentsWithOneIdentifier(t *testing.T) {
	orders := map[string]func([]piece){
		"in order":       func([]piece) {},
		"backwards":      slices.Reverse[[]piece],
		"middle first":   func(f []piece) { f[0], f[1] = f[1], f[0] },
		"rotated":        func(f []piece) { slices.Reverse(f); slices.Reverse(f[1:]) },
		"the last twice": func([]piece) {},
	}
	for _, payload := range []int{0, 30, 100, 600} {
		for _, size := range []int{8, 16, 24} {
			for name, order := range orders {
				var d Decoder
				for port := 1; port <= 100; port++ {
					h := slices.Concat(tcpWith(unhex("020405b4")), slices.Repeat([]byte{byte(port)}, payload))
					binary.BigEndian.PutUint16(h[2:], uint16(port))
					binary.BigEndian.PutUint16(h[16:], uint16(3*port)) // checksums differ
					f := pieces(h, size)
					if len(f) > 1 {
						order(f)
					}
					f[0].more = f[0].more || len(f) == 1 // nothing follows the first
					packets := fragments4(6, 7, f)
					if name == "the last twice" && len(f) > 1 {
						packets = append(packets, packets[len(packets)-1])
					}
					got := at(&d, int64(port)*millisecond, packets...)
					require.Len(t, got, 1, "%s, %d of %d bytes, port %d", name, size, len(h), port)
					require.EqualValues(t, port, got[0].DstPort)
					require.EqualValues(t, FlagSYN, got[0].Flags)
				}
				require.Zero(t, d.Stats().Overlaid, "%s, %d bytes: no fragment contradicts one of its own datagram", name, size)
			}
		}
	}
}

func TestFragmentsThatContradict(t *testing.T) {
	rst := flagged(FlagRST)
	for _, c := range []struct {
		name     string
		all      []piece
		flags    []uint8
		overlaid int
	}{
		{"the same twice", []piece{{0, synHeader, true}, {0, synHeader, true}}, []uint8{FlagSYN, FlagSYN}, 0},
		{"part of the same again", []piece{{0, synHeader, true}, {8, synHeader[8:16], true}}, []uint8{FlagSYN}, 0},
		{"a probe over none", []piece{{0, rst[:16], true}, {8, synHeader[8:], false}}, []uint8{FlagRST, FlagSYN}, 1},
		{"none over a probe", []piece{{0, synHeader[:16], true}, {8, rst[8:], false}}, []uint8{FlagSYN}, 1},
		{"a weaker probe over a stronger", []piece{{0, synHeader[:16], true}, {8, flagged(FlagACK)[8:], false}}, []uint8{FlagSYN}, 1},
		{"a stronger probe over a weaker", []piece{{0, flagged(FlagACK)[:16], true}, {8, synHeader[8:], false}}, []uint8{FlagACK, FlagSYN}, 1},
		{"neither a probe", []piece{{0, rst[:8], true}, {8, rst[8:16], true}, {8, flagged(FlagRST | FlagACK)[8:16], true}, {16, rst[16:], false}}, []uint8{FlagRST}, 1},
		{"behind the flags", []piece{{0, synHeader, true}, {16, unhex("ffff ffff"), false}}, []uint8{FlagSYN}, 0},
		{"beyond the window", []piece{{0, synHeader, true}, {64, make([]byte, 8), true}, {64, synHeader[:8], true}}, []uint8{FlagSYN}, 0},
		{"again and again", []piece{{0, synHeader[:8], true}, {8, rst[8:16], true}, {8, synHeader[8:16], true}, {8, rst[8:16], true}, {16, rst[16:], false}}, []uint8{FlagRST}, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			var d Decoder
			var flags []uint8
			for _, p := range at(&d, 0, fragments4(6, 1, c.all)...) {
				flags = append(flags, p.Flags)
			}
			require.Equal(t, c.flags, flags)
			require.EqualValues(t, c.overlaid, d.Stats().Overlaid)
		})
	}
}

// TestFragmentsWithTwoMeanings: whichever of two ports is real, it is seen.
func TestFragmentsWithTwoMeanings(t *testing.T) {
	var d Decoder
	f := fragments4(6, 1, []piece{{0, synTo(80)[:8], true}, {0, synTo(22)[:8], true}, {8, synHeader[8:], false}})
	require.Empty(t, at(&d, 0, f[:2]...))
	ps := d.Append(nil, f[2], Meta{Link: linkRaw, Len: uint32(len(f[2])), Time: 5, Iface: 3})
	require.Len(t, ps, 2)
	require.EqualValues(t, 80, ps[0].DstPort)
	require.EqualValues(t, 22, ps[1].DstPort)
	for _, p := range ps {
		require.EqualValues(t, FlagSYN, p.Flags)
		require.EqualValues(t, 5, p.Time)
		require.EqualValues(t, 3, p.Iface)
		require.True(t, p.Has(MarkFragmented))
	}
	s := d.Stats()
	require.Equal(t, []uint64{1, 1, 2, 3, 4}, []uint64{s.Doubled, s.Overlaid, s.Joined, s.Frames, s.Packets})
	require.Equal(t, s.Frames, accounted(s)-s.Doubled)
}

// Datagrams are told apart by all that a receiver tells them apart by.
func TestFragmentsOfDifferentDatagrams(t *testing.T) {
	first, rest := pieces(synHeader, 8)[0], piece{8, synHeader[8:], false}
	for name, other := range map[string][]byte{
		"source":      inet(6, rest.data, put(4, u16(1)...), put(6, 0, 1), put(12, 192, 0, 2, 99)),
		"destination": inet(6, rest.data, put(4, u16(1)...), put(6, 0, 1), put(16, 192, 0, 2, 99)),
		"identifier":  inetPiece(6, 2, rest),
		"protocol":    inetPiece(132, 1, rest),
	} {
		var d Decoder
		require.Empty(t, at(&d, 0, inetPiece(6, 1, first), other), name)
		require.Len(t, at(&d, 0, inetPiece(6, 1, rest)), 1, name)
	}
	var d Decoder
	require.Empty(t, at(&d, 0, inet6Piece(6, 1<<16, first), inet6Piece(6, 1<<17, rest)))
	require.Len(t, at(&d, 0, inet6Piece(17, 1<<16, rest)), 1, "IPv6 asks the first fragment alone for the protocol")
}

func TestFragmentsBeyondTheLongestDatagram(t *testing.T) {
	var d Decoder
	for _, b := range [][]byte{
		inetPiece(1, 1, piece{65528, make([]byte, 400), false}),
		inet6Piece(58, 1, piece{65528, make([]byte, 400), false}),
	} {
		ps := d.Append(nil, b, Meta{Link: linkRaw, Len: uint32(len(b))})
		require.Len(t, ps, 1)
		require.Equal(t, KindFragment, ps[0].Kind)
		require.True(t, ps[0].Has(MarkMalformed|MarkFragmented))
	}
	b := inetPiece(1, 1, piece{65000, make([]byte, 400), false})
	require.False(t, d.Append(nil, b, Meta{Link: linkRaw, Len: uint32(len(b))})[0].Has(MarkMalformed))
}

func TestFragmentsOfOtherProtocols(t *testing.T) {
	echo := unhex("0800 0000 0007 0009 00000000 00000000")
	init := unhex("9c40 0050 00000000 00000000 01 00 0014 0a0b0c0d 00001000 000a000a 00000001")
	refused := slices.Concat(unhex("0303 0000 00000000"), inet(17, udpHeader))
	solicit := slices.Concat(unhex("8700 0000 00000000"), peer6.AsSlice())
	for _, c := range []struct {
		name    string
		packets [][]byte
		want    func(p *Packet) bool
	}{
		{"echo request", fragments4(1, 1, pieces(echo, 8)), func(p *Packet) bool { return p.Kind == KindEchoRequest && p.Seq == 7<<16|9 }},
		{"port unreachable", fragments4(1, 1, pieces(refused, 8)), func(p *Packet) bool { return p.Kind == KindUnreachable && p.QuotedDstPort == 80 }},
		{"init", fragments4(132, 1, pieces(init, 8)), func(p *Packet) bool { return p.Kind == KindSCTPInit && p.DstPort == 80 && p.Seq == 0x0a0b0c0d }},
		{
			"authenticated", fragments4(51, 1, pieces(slices.Concat(unhex("0604 0000 00000001 00000001"), make([]byte, 12), synHeader), 8)),
			func(p *Packet) bool { return p.Kind == KindTCP && p.DstPort == 80 && p.Proto == 6 },
		},
		{"solicitation", [][]byte{
			inet6Piece(58, 1, pieces(solicit, 8)[0]), inet6Piece(58, 1, pieces(solicit, 8)[1]), inet6Piece(58, 1, pieces(solicit, 8)[2]),
		}, func(p *Packet) bool { return p.Kind == KindNeighborSolicit && p.Dst == peer6.As16() }},
	} {
		var d Decoder
		got := at(&d, 0, c.packets...)
		require.Len(t, got, 1, c.name)
		require.True(t, c.want(&got[0]), "%s: %+v", c.name, got[0])
		require.Zero(t, d.Stats().Incomplete+d.Stats().Malformed)
	}
}

// TestFragmentsOfPayload: what follows the header is known to be there, and a
// segment with payload is no flag probe.
func TestFragmentsOfPayload(t *testing.T) {
	h := flagged(FlagFIN, make([]byte, 28)...)
	f := fragments4(6, 1, pieces(h, 8))
	var d Decoder
	got := at(&d, 0, f...)
	require.Len(t, got, 1)
	require.EqualValues(t, 5, got[0].Payload, "of 28 bytes, one of those to come counted")
	slices.Reverse(f)
	got = at(new(Decoder), 0, f...)
	require.Len(t, got, 1)
	require.EqualValues(t, 28, got[0].Payload)
	require.Len(t, at(new(Decoder), 0, fragments4(6, 1, pieces(flagged(FlagFIN), 8))...), 1)
}

// fragmentSoup draws fragments of a few datagrams that overlap in every way.
func fragmentSoup(t *rapid.T) [][]byte {
	var all [][]byte
	for range rapid.IntRange(1, 60).Draw(t, "fragments") {
		f := piece{8 * rapid.IntRange(0, 12).Draw(t, "at"), drawBytes(t, rapid.IntRange(0, 40).Draw(t, "length")), rapid.Bool().Draw(t, "more")}
		proto := rapid.SampledFrom([]byte{6, 6, 17, 1, 58, 132, 51, 60, 43, 0, 44, 47}).Draw(t, "protocol")
		id := rapid.IntRange(1, 3).Draw(t, "id")
		if rapid.Bool().Draw(t, "six") {
			all = append(all, inet6Piece(proto, uint32(id), f))
		} else {
			all = append(all, inetPiece(proto, uint16(id), f))
		}
	}
	return all
}

// checkSoup decodes fragments and requires what holds for any.
func checkSoup(t require.TestingT, d *Decoder, packets [][]byte) {
	for i, b := range packets {
		m := Meta{Time: int64(i) * second, Len: uint32(len(b)), Link: linkRaw}
		ps := d.Append(nil, b, m)
		require.LessOrEqual(t, len(ps), 2)
		for j := range ps {
			require.Empty(t, contradictions(&ps[j], m), "%+v", ps[j])
		}
	}
	s := d.Stats()
	require.Equal(t, s.Frames, s.Packets-s.Doubled-s.Pairs+s.Truncated+s.Malformed, "%+v", s)
}

func TestFragmentsOfAnyKind(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		checkSoup(t, NewDecoder(DecoderConfig{MaxFragments: 8}), fragmentSoup(t))
	})
}

func FuzzFragments(f *testing.F) {
	for _, e := range evasions() {
		var all []byte
		for _, p := range e.packets {
			all = append(binary.BigEndian.AppendUint16(all, uint16(len(p))), p...)
		}
		f.Add(all)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var packets [][]byte
		for len(data) > 2 && len(packets) < 64 {
			n := min(int(binary.BigEndian.Uint16(data)), len(data)-2)
			packets = append(packets, data[2:2+n:2+n])
			data = data[2+n:]
		}
		checkSoup(t, NewDecoder(DecoderConfig{MaxFragments: 8}), packets)
	})
}

func TestFragmentsAllocateNothing(t *testing.T) {
	var packets [][]byte
	for _, e := range evasions() {
		packets = append(packets, e.packets...)
	}
	var d Decoder
	batch := make([]Packet, 0, 2*len(packets))
	now := int64(0)
	run := func() {
		batch = batch[:0]
		now += 31 * second
		for _, b := range packets {
			batch = d.Append(batch, b, Meta{Time: now, Len: uint32(len(b)), Link: linkRaw})
		}
	}
	run()
	require.Zero(t, testing.AllocsPerRun(100, run))
	require.Positive(t, d.Stats().Doubled)
}
