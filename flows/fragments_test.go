package flows

import (
	"encoding/binary"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// piece is a fragment of an IP payload: bytes from at on, and whether more follow.
type piece struct {
	at   int
	data []byte
	more bool
}

// pieces cuts a payload into fragments of size bytes, a multiple of 8.
func pieces(payload []byte, size int) []piece {
	var all []piece
	for at := 0; at < len(payload); at += size {
		end := min(at+size, len(payload))
		all = append(all, piece{at, payload[at:end], end < len(payload)})
	}
	return all
}

// inetPiece is a fragment over inet.
func inetPiece(proto byte, id uint16, f piece) []byte {
	word := uint16(f.at / 8)
	if f.more {
		word |= 0x2000
	}
	return inet(proto, f.data, put(4, u16(int(id))...), put(6, u16(int(word))...))
}

// inet6Piece is a fragment over inet6; extensions stand in front of its header.
func inet6Piece(next byte, id uint32, f piece) []byte {
	h := binary.BigEndian.AppendUint16([]byte{next, 0}, uint16(f.at))
	if f.more {
		h[3] |= 1
	}
	return inet6(44, slices.Concat(binary.BigEndian.AppendUint32(h, id), f.data))
}

// feed decodes packets without a link header, 1 ms apart, and returns what they
// give other than KindFragment.
func feed(d *Decoder, packets ...[]byte) []Packet {
	var got []Packet
	for i, b := range packets {
		for _, p := range d.Append(nil, b, Meta{Time: int64(i) * millisecond, Len: uint32(len(b)), Link: linkRaw}) {
			if p.Kind != KindFragment {
				got = append(got, p)
			}
		}
	}
	return got
}

// plain is a packet without what fragments may change.
func plain(p Packet) Packet {
	p.Marks &= MarkGroup | MarkIPv6 | MarkNoOptions | MarkReplyLike | MarkSTUN
	p.Time, p.Payload = 0, 0
	return p
}

func fragments4(proto byte, id uint16, all []piece) [][]byte {
	var packets [][]byte
	for _, f := range all {
		packets = append(packets, inetPiece(proto, id, f))
	}
	return packets
}

// linuxSYN is a SYN with 20 bytes of options.
func linuxSYN() []byte {
	return tcpWith(unhex("020405b4 0402 080a 01020304 00000000 01 030307"))
}

func TestFragmentsGiveTheirPacketOnce(t *testing.T) {
	want := mustDecode(t, linkRaw, inet(6, linuxSYN(), put(6, 0, 0)))
	cut := func(size int) [][]byte { return fragments4(6, 0x1234, pieces(linuxSYN(), size)) }
	eight := cut(8)
	for _, c := range []struct {
		name    string
		packets [][]byte
		at      int // index of the fragment that completes it
		payload uint16
	}{
		{"in order", eight, 4, 0},
		{"from the last to the first", []([]byte){eight[4], eight[3], eight[2], eight[1], eight[0]}, 4, 0},
		{"the last first", []([]byte){eight[4], eight[0], eight[1], eight[2], eight[3]}, 4, 0},
		{"each twice", slices.Repeat(eight, 2), 4, 0},
		{"each doubled on the way", []([]byte){eight[0], eight[0], eight[1], eight[1], eight[2], eight[2], eight[3], eight[3], eight[4], eight[4]}, 8, 0},
		{"one in the middle late", []([]byte){eight[0], eight[1], eight[3], eight[4], eight[2]}, 4, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			var d Decoder
			got := feed(&d, c.packets...)
			require.Len(t, got, 1)
			w := want
			w.Marks, w.Time, w.Payload = w.Marks|MarkFragmented, int64(c.at)*millisecond, c.payload
			require.Equal(t, w, got[0])
			s := d.Stats()
			require.EqualValues(t, 1, s.Joined)
			require.Zero(t, s.Overlaid+s.Doubled+s.Incomplete+s.Displaced)
			require.EqualValues(t, len(c.packets), s.Fragments)
		})
	}
}

func TestFragmentsWithTheFlagsAreGivenAtOnce(t *testing.T) {
	for _, size := range []int{16, 24, 32} {
		var d Decoder
		got := feed(&d, fragments4(6, 7, pieces(linuxSYN(), size))...)
		require.Len(t, got, 1, "%d bytes", size)
		require.Zero(t, got[0].Time)
		require.EqualValues(t, FlagSYN, got[0].Flags)
		require.EqualValues(t, 80, got[0].DstPort)
		require.True(t, got[0].Has(MarkFragmented|MarkTruncated))
	}
}

// drawTransportBytes draws a TCP segment or UDP datagram and its protocol.
func drawTransportBytes(t *rapid.T) (proto byte, b []byte) {
	for {
		p, s := drawTransport(t, false, false)
		if p == protoTCP || p == protoUDP {
			ip := ip4(p)
			return byte(p), frame(t, append(stack{ip}, s...)...)[20:]
		}
	}
}

// shuffled draws an order of fragments with some of them twice.
func shuffled(t *rapid.T, all []piece) []piece {
	all = slices.Clone(all)
	for range rapid.IntRange(0, 4).Draw(t, "duplicates") {
		all = append(all, all[rapid.IntRange(0, len(all)-1).Draw(t, "again")])
	}
	return rapid.Permutation(all).Draw(t, "order")
}

// drawPieces cuts a payload at drawn places.
func drawPieces(t *rapid.T, b []byte) []piece {
	var all []piece
	for at := 0; at < len(b); {
		end := min(at+8*rapid.IntRange(1, 4).Draw(t, "blocks"), len(b))
		all = append(all, piece{at, b[at:end], end < len(b)})
		at = end
	}
	return all
}

// TestFragmentsAreEqualToTheWhole: a packet in fragments, in any order and with
// duplicates, is given as if it had been in one piece, and once. Only a first
// fragment that says enough by itself gives its packet as often as it is seen,
// as a packet in one piece does.
func TestFragmentsAreEqualToTheWhole(t *testing.T) {
	joined := 0
	rapid.Check(t, func(t *rapid.T) {
		proto, b := drawTransportBytes(t)
		six := rapid.Bool().Draw(t, "six")
		whole := inet(proto, b, put(6, 0, 0))
		if six {
			whole = inet6(proto, b)
		}
		want, ok := decodeOne(linkRaw, whole)
		require.True(t, ok)
		all := drawPieces(t, b)
		if len(all) < 2 {
			t.Skip("one piece")
		}
		var packets [][]byte
		firsts := 0
		order := shuffled(t, all)
		for _, f := range order {
			if six {
				packets = append(packets, inet6Piece(proto, 0x01020304, f))
			} else {
				packets = append(packets, inetPiece(proto, 0x1234, f))
			}
			if f.at == 0 {
				firsts++
			}
		}
		var d Decoder
		got := feed(&d, packets...)
		times := 1
		if alone(proto, six, all[0].data) {
			times = firsts
		} else {
			joined++
		}
		require.Len(t, got, times, "%v", order)
		for _, p := range got {
			if p.Has(MarkTruncated) { // it was given before its options were seen
				want.Options, p.Options, want.EchoedTime, p.EchoedTime, want.Window, p.Window = 0, 0, 0, 0, 0, 0
			}
			require.Equal(t, plain(want), plain(p), "%v", order)
			require.LessOrEqual(t, p.Payload, max(want.Payload, 1))
			require.True(t, p.Has(MarkFragmented))
		}
		require.Zero(t, d.Stats().Incomplete)
	})
	require.Positive(t, joined)
}
