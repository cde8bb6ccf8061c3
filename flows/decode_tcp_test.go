package flows

import (
	"hash/fnv"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// tcpWith is a SYN with options o; the data offset counts them.
func tcpWith(o []byte, payload ...byte) []byte {
	h := slices.Concat(synHeader, o, payload)
	h[12] = byte(5+len(o)/4) << 4
	return h
}

// hashOf is the FNV-1a hash of bytes given in hexadecimal.
func hashOf(s string) uint32 {
	h := fnv.New32a()
	h.Write(unhex(s))
	return h.Sum32()
}

// options returns an edit of synPacket for a header with options.
func options(hash, echoed uint32, marks Mark) func(*Packet) {
	return func(p *Packet) {
		p.Marks = p.Marks&^MarkNoOptions | marks
		p.Options, p.EchoedTime = hash, echoed
	}
}

func tcpCases() []decodeCase {
	flagged := func(flags byte) []byte {
		h := slices.Clone(synHeader)
		h[13] = flags
		return inet(6, h)
	}
	offset := func(words byte, h []byte) []byte {
		h = slices.Clone(h)
		h[12] = words << 4
		return h
	}
	return []decodeCase{
		ipCase("no flags", flagged(0), func(p *Packet) { p.Flags = 0 }),
		ipCase("all flags", flagged(0xff), func(p *Packet) { p.Flags = 0xff }),
		ipCase("every field", inet(6, unhex("0001 ffff fedcba98 76543210 5110 abcd ffff ffff 00")), func(p *Packet) {
			p.SrcPort, p.DstPort, p.Seq, p.Ack = 1, 65535, 0xfedcba98, 0x76543210
			p.Flags, p.Window, p.Payload = FlagACK, 0xabcd, 1
		}),
		ipCase("linux syn", inet(6, tcpWith(unhex("020405b4 0402 080a 01020304 00000000 01 030307"))),
			options(hashOf("020405b4 0402 080a 01 030307"), 0, 0)),
		ipCase("aligned timestamps", inet(6, tcpWith(unhex("0101080a 01020304 05060708"), 1, 2)), func(p *Packet) {
			options(hashOf("0101080a"), 0x05060708, 0)(p)
			p.Payload = 2
		}),
		ipCase("aligned timestamps and more", inet(6, tcpWith(unhex("0101080a 01020304 05060708 0101 0502"))),
			options(hashOf("0101080a 01010502"), 0x05060708, 0)),
		ipCase("timestamps of another length", inet(6, tcpWith(unhex("0806 01020304 0101"))),
			options(hashOf("0806 01020304 0101"), 0, 0)),
		ipCase("what follows the end", inet(6, tcpWith(unhex("0204 05b4 00 080a 01"))), options(hashOf("020405b4 00"), 0, 0)),
		ipCase("option length 0", inet(6, tcpWith(unhex("020405b4 03000707"))), options(hashOf("020405b4"), 0, MarkMalformed)),
		ipCase("option length 1", inet(6, tcpWith(unhex("01010301"))), options(hashOf("0101"), 0, MarkMalformed)),
		ipCase("option beyond the header", inet(6, tcpWith(unhex("01010305"))), options(hashOf("0101"), 0, MarkMalformed)),
		ipCase("kind without length", inet(6, tcpWith(unhex("01010103"))), options(hashOf("010101"), 0, MarkMalformed)),
		ipCase("timestamps beyond the header", inet(6, tcpWith(unhex("080a0102 03040506"))), options(hashOf(""), 0, MarkMalformed)),
		ipCase("forty bytes", inet(6, tcpWith(slices.Repeat([]byte{1}, 40))), options(hashOf("01010101010101010101 01010101010101010101 01010101010101010101 01010101010101010101"), 0, 0)),
		ipCase("data offset 4", inet(6, offset(4, synHeader)), func(p *Packet) { p.Marks = MarkDF | MarkMalformed }),
		ipCase("data offset 0, payload", inet(6, offset(0, slices.Concat(synHeader, make([]byte, 9)))), func(p *Packet) {
			p.Marks, p.Payload = MarkDF|MarkMalformed, 9
		}),
		ipCase("data offset 15 beyond the segment", inet(6, offset(15, slices.Concat(synHeader, make([]byte, 9)))), func(p *Packet) {
			p.Marks = MarkDF | MarkMalformed
		}),
		ipCase("segment of 14 bytes", inet(6, synHeader[:14]), func(p *Packet) {
			p.Marks, p.Window = MarkDF|MarkNoOptions|MarkMalformed|MarkTruncated, 0
		}),
		ipCase("first fragment that ends in the options", inet(6, tcpWith(unhex("020405b4 0402080a 01020304 00000000 01030307"))[:24], put(6, 0x20, 0)), func(p *Packet) {
			p.Marks, p.Options = MarkFragmented|MarkTruncated, hashOf("020405b4")
		}),
	}
}

func TestDecodeTCP(t *testing.T) { checkCases(t, tcpCases()) }

func TestDecodeTCPCutByTheSnapLength(t *testing.T) {
	whole := inet(6, tcpWith(unhex("020405b4 0402 080a 11121314 21222324 01 030307"), 1, 2, 3))
	want := with(synPacket(), options(0, 0, MarkTruncatedIP|MarkTruncated))
	want.Payload = 3
	for _, c := range []struct {
		captured int // of the TCP header
		window   uint16
		options  uint32
		echoed   uint32
	}{
		{14, 0, 0, 0},
		{15, 0, 0, 0},
		{16, 1024, 0, 0},
		{20, 1024, 0, 0},
		{21, 1024, hashOf("02"), 0},
		{23, 1024, hashOf("020405"), 0},
		{26, 1024, hashOf("020405b40402"), 0},
		{27, 1024, hashOf("020405b4040208"), 0},
		{28, 1024, hashOf("020405b40402080a"), 0},
		{35, 1024, hashOf("020405b40402080a"), 0},
		{36, 1024, hashOf("020405b40402080a"), 0x21222324},
		{38, 1024, hashOf("020405b40402080a0103"), 0x21222324},
		{39, 1024, hashOf("020405b40402080a010303"), 0x21222324},
	} {
		p, ok := decodeCut(linkRaw, whole, 20+c.captured)
		require.True(t, ok, "%d bytes", c.captured)
		w := want
		w.Window, w.Options, w.EchoedTime = c.window, c.options, c.echoed
		require.Equal(t, w, p, "%d bytes", c.captured)
	}
	p, ok := decodeCut(linkRaw, whole, 20+40)
	require.True(t, ok)
	require.False(t, p.Has(MarkTruncated), "the header is all there")

	_, ok = decodeCut(linkRaw, whole, 20+13)
	require.False(t, ok, "without flags nobody knows what it is")

	bad, ok := decodeCut(linkRaw, inet(6, tcpWith(unhex("0100 0000 0101 0101 0300 0101"))), 20+23)
	require.True(t, ok)
	require.Equal(t, hashOf("0100"), bad.Options, "the end of the options is the end")
	bad, ok = decodeCut(linkRaw, inet(6, tcpWith(unhex("0101 0300 0101 0101"))), 20+25)
	require.True(t, ok)
	require.True(t, bad.Has(MarkMalformed|MarkTruncated))
	require.Equal(t, hashOf("0101"), bad.Options)
}
