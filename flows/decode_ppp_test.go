package flows

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// serialCases are frames of lines without addresses, and PPP over Ethernet.
func serialCases() []decodeCase {
	v4, v6 := inet(6, synHeader), inet6(6, synHeader)
	of := func(head string, payload []byte) []byte { return slices.Concat(unhex(head), payload) }
	session := func(head string, size int, payload ...[]byte) []byte {
		return slices.Concat(unhex("1100 0007"), u16(size), unhex(head), slices.Concat(payload...))
	}
	return []decodeCase{
		{"ppp", 9, of("0021", v4), synPacket()},
		{"ppp v6", 9, of("0057", v6), synPacket6()},
		{"ppp with address and control", 9, of("ff03 0021", v4), synPacket()},
		{"ppp with a short protocol", 9, of("21", v4), synPacket()},
		{"ppp with all but the long protocol", 9, of("ff03 57", v6), synPacket6()},
		{"ppp that is cisco's", 9, of("0f00 0800", v4), synPacket()},
		{"ppp serial", 50, of("ff03 0021", v4), synPacket()},
		{"ppp serial that is cisco's", 50, of("8f00 86dd", v6), synPacket6()},
		{"ppp, direction in the address", 166, of("00 03 0021", v4), synPacket()},
		{"ppp behind a direction", 204, of("01 ff03 0021", v4), synPacket()},
		{"ppp multilink", 50, of("ff03 003d c0000001 0021", v4), synPacket()},
		{"ppp multilink, more to come", 50, of("ff03 003d 80000001 21", v4), synPacket()},
		{"pppoe", 1, ether(0x8864, session("0021", 2+len(v4), v4, make([]byte, 3))), with(synPacket(), fromMAC)},
		{"pppoe v6", 1, ether(0x8864, session("0057", 2+len(v6), v6)), with(synPacket6(), fromMAC)},
		{"pppoe in a vlan", 1, ether(0x8100, unhex("0007 8864"), session("0021", 2+len(v4), v4)), with(synPacket(), inVLAN(7))},
		{"pppoe link", 51, session("0021", 2+len(v4), v4), synPacket()},
		{"pppoe that states too much", 51, session("0021", 999, v4), synPacket()},
		{"cisco hdlc", 104, of("0f00 0800", v4), synPacket()},
		{"cisco hdlc multicast v6", 104, of("8f00 86dd", v6), synPacket6()},
		{"cisco hdlc behind a direction", 205, of("00 0f00 0800", v4), synPacket()},
		{"frame relay", 107, of("1861 03 cc", v4), synPacket()},
		{"frame relay v6", 107, of("1861 03 8e", v6), synPacket6()},
		{"frame relay, address of 3 bytes", 107, of("186061 03 cc", v4), synPacket()},
		{"frame relay, address of 4 bytes", 107, of("18606061 03 cc", v4), synPacket()},
		{"frame relay, padded", 107, of("1861 03 00 cc", v4), synPacket()},
		{"frame relay snap", 107, of("1861 03 00 80 000000 0800", v4), synPacket()},
		{"frame relay bridged", 107, of("1861 03 00 80 0080c2 0007", ether(0x0800, v4)), with(synPacket(), fromMAC)},
		{"frame relay ppp", 107, of("1861 03 cf 0021", v4), synPacket()},
		{"frame relay of cisco", 107, of("1861 0800", v4), synPacket()},
		{"frame relay behind a direction", 206, of("01 1861 03 cc", v4), synPacket()},
		{"frame relay under sll", 113, slices.Concat(unhex("0000 0302 0000 0000000000000000 0000 1861 03 cc"), v4), synPacket()},
		{"ppp under sll", 113, slices.Concat(unhex("0000 0200 0000 0000000000000000 0007 ff03 0021"), v4), synPacket()},
	}
}

func TestDecodeSerialLinks(t *testing.T) { checkCases(t, serialCases()) }

// serialNoIPCases are frames of such lines without IP.
func serialNoIPCases() []noIPCase {
	v4 := inet(6, synHeader)
	of := func(head string) []byte { return slices.Concat(unhex(head), v4) }
	return []noIPCase{
		{"lcp", 9, of("ff03 c021"), 0x880b},
		{"compressed tcp/ip", 50, of("ff03 002d"), 0x880b},
		{"a later fragment of multilink", 50, of("ff03 003d 40000001 0021"), 0x880b},
		{"multilink with short numbers", 50, of("ff03 003d c001 0021"), 0x880b},
		{"pppoe discovery", 1, ether(0x8863, of("1109 0000 0004 0101 0000")), 0x8863},
		{"pppoe of another version", 1, ether(0x8864, of("2100 0007 002a 0021")), 0x8864},
		{"pppoe with a code", 1, ether(0x8864, of("11a7 0007 002a 0021")), 0x8864},
		{"keepalive of cisco", 104, of("8f00 8035"), 0x8035},
		{"spanning tree over hdlc", 104, of("0f00 0042"), 0x0042},
		{"frame relay management", 107, of("fcf1 03 08"), 0},
		{"frame relay snap of another organisation", 107, of("1861 03 00 80 00000c 0800"), 0},
		{"frame relay without an ethertype", 107, of("1861 0042"), 0},
		{"frame relay without an address", 107, of("01"), 0},
		{"frame relay, address of 5 bytes", 107, of("1860606061 03 cc"), 0},
	}
}

func checkNoIP(t *testing.T, cases []noIPCase) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := dropped(t, c.link, c.data, Meta{})
			require.Equal(t, DecodeStats{Frames: 1, NoIP: []NumberCount{{c.ethertype, 1}}}, s)
		})
	}
}

func TestDecodeSerialLinksWithoutIP(t *testing.T) { checkNoIP(t, serialNoIPCases()) }

func TestDecodeBelievesTheLengthOfPPPoE(t *testing.T) {
	f := slices.Concat(unhex("1100 0007 0016 0021"), inet(6, synHeader))
	require.Equal(t, DecodeStats{Frames: 1, Truncated: 1}, dropped(t, linkPPPoE, f, Meta{}), "what lies behind it is padding")
}

func TestDecodeBoundsNesting(t *testing.T) {
	v4 := inet(6, synHeader)
	for name, c := range map[string]struct {
		link        uint16
		head, layer string
		ethertype   uint16
	}{
		"multilink in multilink": {50, "", "003d 80000001", 0x880b},
		"snap in vlan in snap":   {100, "", "aaaa03 000000 8100 0001 05dc", 0x8100},
		"mac in mac":             {1, "020000000020 020000000010 88e7", "00000001 020000000020 020000000010 88e7", 0x88e7},
		"tags of bridges":        {1, "020000000020 020000000010 8926", "00000000 8926", 0x8926},
	} {
		t.Run(name, func(t *testing.T) {
			data := unhex(c.head)
			for range 10_000 {
				data = append(data, unhex(c.layer)...)
			}
			require.Equal(t, DecodeStats{Frames: 1, NoIP: []NumberCount{{c.ethertype, 1}}}, dropped(t, c.link, append(data, v4...), Meta{}))
			_, ok := decodeOne(linkRaw, v4)
			require.True(t, ok)
		})
	}
	var d Decoder
	d.Append(nil, slices.Concat(unhex("020000000020 020000000010"), slices.Repeat(unhex("8926 00000000"), 99)), Meta{Link: linkEthernet})
	require.Len(t, d.Append(nil, ether(0x8926, unhex("00000000 0800"), v4), Meta{Link: linkEthernet}), 1, "the next frame starts anew")
}
