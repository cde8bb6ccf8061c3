package flows

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// sctpPacket is what sctpOf decodes to.
func sctpPacket(kind Kind, seq uint32, payload uint16) Packet {
	p := synPacket()
	bare(kind, 132, payload, 0)(&p)
	p.SrcPort, p.DstPort, p.Seq = 40000, 80, seq
	return p
}

// sctpOf is an SCTP packet with verification tag 0x01020304.
func sctpOf(chunks string) []byte {
	return inet(132, slices.Concat(unhex("9c40 0050 01020304 00000000"), unhex(chunks)))
}

func sctpCases() []decodeCase {
	const init = "00 0014 0a0b0c0d 00010000 000a ffff 00000001"
	return []decodeCase{
		{"init", linkRaw, sctpOf("01" + init), sctpPacket(KindSCTPInit, 0x0a0b0c0d, 20)},
		{"init ack", linkRaw, sctpOf("02" + init), sctpPacket(KindSCTPInitAck, 0x0a0b0c0d, 20)},
		{"abort", linkRaw, sctpOf("06 00 0004"), sctpPacket(KindSCTPAbort, 0x01020304, 4)},
		{"cookie echo", linkRaw, sctpOf("0a 00 0008 00000000"), sctpPacket(KindSCTPCookieEcho, 0x01020304, 8)},
		{"cookie ack", linkRaw, sctpOf("0b 00 0004"), sctpPacket(KindSCTPCookieAck, 0x01020304, 4)},
		{"data", linkRaw, sctpOf("00 03 0010 00000001 00000000 00000000"), sctpPacket(KindSCTPOther, 0x01020304, 16)},
		{"init without tag", linkRaw, sctpOf("01 00 0014"), with(sctpPacket(KindSCTPInit, 0, 4), marked(MarkMalformed))},
		{"fragmented init", linkRaw, edited(sctpOf("01 00 0014"), put(6, 0x20, 0)), with(sctpPacket(KindSCTPInit, 0, 4), func(p *Packet) {
			p.Marks = MarkFragmented | MarkTruncated
		})},
	}
}

// edited applies an edit to the IP header of a packet.
func edited(b []byte, edit func([]byte)) []byte {
	edit(b)
	return b
}

func TestDecodeSCTP(t *testing.T) { checkCases(t, sctpCases()) }

func TestDecodeSCTPCutByTheSnapLength(t *testing.T) {
	whole := sctpOf("01 00 0014 0a0b0c0d 00010000 000a ffff 00000001")
	for n, seq := range map[int]uint32{20 + 13: 0, 20 + 19: 0, 20 + 20: 0x0a0b0c0d} {
		p, ok := decodeCut(linkRaw, whole, n)
		require.True(t, ok)
		want := with(sctpPacket(KindSCTPInit, seq, 20), marked(MarkTruncatedIP))
		if seq == 0 {
			want.Marks |= MarkTruncated
		}
		require.Equal(t, want, p, "%d bytes", n)
	}
	_, ok := decodeCut(linkRaw, whole, 20+12)
	require.False(t, ok, "the chunk type is cut")
}
