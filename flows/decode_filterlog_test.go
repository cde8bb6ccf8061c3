package flows

import (
	"encoding/binary"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// attribute is one of NFLOG's, padded.
func attribute(order binary.AppendByteOrder, kind uint16, value []byte) []byte {
	b := order.AppendUint16(nil, uint16(4+len(value)))
	b = append(order.AppendUint16(b, kind), value...)
	return append(b, make([]byte, -len(b)&3)...)
}

// nflogged is an NFLOG frame with the attributes that Linux writes, the packet
// last.
func nflogged(order binary.AppendByteOrder, family byte, ethertype int, packet []byte) []byte {
	return slices.Concat(
		[]byte{family, 0, 0, 5},
		attribute(order, 1, slices.Concat(u16(ethertype), unhex("01 00"))),
		attribute(order, 10, []byte("in\x00")),
		attribute(order, 8, slices.Concat(unhex("0006 0000"), hostMAC[:], unhex("0000"))),
		attribute(order, 9, packet),
	)
}

// pktapped is a PKTAP frame.
func pktapped(order binary.ByteOrder, link uint32, frame []byte) []byte {
	h := make([]byte, 108)
	order.PutUint32(h, 108)
	order.PutUint32(h[4:], 1)
	order.PutUint32(h[8:], link)
	copy(h[12:], "en0")
	return append(h, frame...)
}

// pflogged is a PFLOG frame whose header says it has size bytes.
func pflogged(size, family int, packet []byte) []byte {
	h := make([]byte, (size+3)&^3)
	h[0], h[1], h[2] = byte(size), byte(family), 1
	return append(h, packet...)
}

// logCases are frames of packet filters' logs and of captures that name the
// link type of each frame.
func logCases() []decodeCase {
	v4, v6 := inet(6, synHeader), inet6(6, synHeader)
	little, big := binary.LittleEndian, binary.BigEndian
	arp := slices.Concat(unhex("0001 0800 06 04 0001 02aaaaaaaaaa"), host4.AsSlice(), make([]byte, 6), peer4.AsSlice())
	request := Packet{Src: host4.As16(), Dst: peer4.As16(), SrcMAC: hostMAC, Kind: KindARPRequest}
	return []decodeCase{
		{"pflog of 48", 117, pflogged(48, 2, v4), synPacket()},
		{"pflog of 61", 117, pflogged(61, 2, v4), synPacket()},
		{"pflog openbsd v6", 117, pflogged(100, 24, v6), synPacket6()},
		{"pflog freebsd v6", 117, pflogged(61, 28, v6), synPacket6()},
		{"pflog darwin v6", 117, pflogged(61, 30, v6), synPacket6()},
		{"enc", 109, slices.Concat(unhex("02000000 00001000 00000000"), v4), synPacket()},
		{"enc big-endian v6", 109, slices.Concat(unhex("00000018 00001000 00000000"), v6), synPacket6()},
		{"ipnet", 226, slices.Concat(unhex("01 02 0000 00000028 00000002 00000000 00000000 00000000"), v4), synPacket()},
		{"ipnet v6", 226, slices.Concat(unhex("01 1a 0000 0000003c 00000002 00000000 00000000 00000000"), v6), synPacket6()},
		{"nflog", 239, nflogged(little, 2, 0x0800, v4), with(synPacket(), fromMAC)},
		{"nflog big-endian", 239, nflogged(big, 2, 0x0800, v4), with(synPacket(), fromMAC)},
		{"nflog v6", 239, nflogged(little, 10, 0x86dd, v6), with(synPacket6(), fromMAC)},
		{"nflog bridge", 239, nflogged(little, 7, 0x0800, v4), with(synPacket(), fromMAC)},
		{"nflog arp", 239, nflogged(little, 3, 0x0806, arp), request},
		{"nflog with nothing but the packet", 239, slices.Concat(unhex("0200 0000"), attribute(little, 9, v4)), synPacket()},
		{"nflog that is cut before the end of its packet", 239, append(nflogged(little, 2, 0x0800, v4), 0, 0), with(synPacket(), fromMAC)},
		{"pktap ethernet", 258, pktapped(little, 1, ether(0x0800, v4)), with(synPacket(), fromMAC)},
		{"pktap big-endian", 258, pktapped(big, 1, ether(0x86dd, v6)), with(synPacket6(), fromMAC)},
		{"pktap raw", 258, pktapped(little, 12, v4), synPacket()},
		{"pktap null", 258, pktapped(little, 0, slices.Concat(unhex("1e000000"), v6)), synPacket6()},
		{"pktap radiotap", 258, pktapped(little, 127, slices.Concat(unhex("0000 0800 00000000"), wifiFrame("0801", "", snapped(0x0800, v4)))), with(synPacket(), fromMAC)},
		{"pktap as macOS numbered it", 149, pktapped(little, 1, ether(0x0800, v4)), with(synPacket(), fromMAC)},
	}
}

func TestDecodeFilterLogs(t *testing.T) { checkCases(t, logCases()) }

func TestDecodeFilterLogsWithoutIP(t *testing.T) {
	v4 := inet(6, synHeader)
	little := binary.LittleEndian
	none := pktapped(little, 1, ether(0x0800, v4))
	none[4] = 0
	checkNoIP(t, []noIPCase{
		{"pflog of another family", 117, pflogged(61, 7, v4), 0},
		{"ipnet of another family", 226, slices.Concat(unhex("01 07"), make([]byte, 22), v4), 0},
		{"nflog of another version", 239, slices.Concat(unhex("0201 0000"), attribute(little, 9, v4)), 0},
		{"nflog without a packet", 239, slices.Concat(unhex("0200 0000"), attribute(little, 10, []byte("in\x00"))), 0},
		{"nflog bridge without an ethertype", 239, slices.Concat(unhex("0700 0000"), attribute(little, 9, v4)), 0},
		{"nflog bridge, lldp", 239, nflogged(little, 7, 0x88cc, v4), 0x88cc},
		{"pktap without a packet", 258, none, 0},
	})
}

func TestDecodeFilterLogLosses(t *testing.T) {
	v4 := inet(6, synHeader)
	le := binary.LittleEndian
	nested := pktapped(le, 1, ether(0x0800, v4))
	for range 9 {
		nested = pktapped(le, linkPKTAP, nested)
	}
	unknown := func(link uint16) DecodeStats { return DecodeStats{Links: []NumberCount{{link, 1}}} }
	for _, c := range []struct {
		name string
		link uint16
		data []byte
		want DecodeStats
	}{
		{"pflog shorter than any", 117, pflogged(44, 2, v4), DecodeStats{Malformed: 1}},
		{"pflog longer than the frame", 117, pflogged(255, 2, nil)[:100], DecodeStats{Malformed: 1}},
		{"nflog attribute of no length", 239, unhex("0200 0000 0000 0100 0000 0000"), DecodeStats{Malformed: 1}},
		{"nflog attribute longer than the frame", 239, unhex("0200 0000 ff00 0100 0800 0100"), DecodeStats{NoIP: []NumberCount{{0, 1}}}},
		{"pktap shorter than itself", 258, slices.Concat(unhex("0b000000 01000000 01000000"), v4), DecodeStats{Malformed: 1}},
		{"pktap longer than any", 258, slices.Concat(unhex("01000100 01000000 01000000"), v4), DecodeStats{Malformed: 1}},
		{"pktap longer than the frame", 258, pktapped(le, 1, nil)[:99], DecodeStats{Malformed: 1}},
		{"pktap with an unknown link type", 258, pktapped(le, 189, v4), unknown(189)},
		{"pktap with a link type out of range", 258, pktapped(le, 0x10001, v4), unknown(258)},
		{"pktap in pktap in pktap", 258, nested, unknown(258)},
		{"private use", 149, ether(0x0800, v4), unknown(149)},
		{"other private use", 147, pktapped(le, 1, ether(0x0800, v4)), unknown(147)},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.want.Frames = 1
			require.Equal(t, c.want, dropped(t, c.link, c.data, Meta{}))
		})
	}
}
