package flows

import (
	"encoding/binary"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// accessMAC is an access point's.
var accessMAC = [6]byte{0x02, 0, 0, 0, 0, 0xa0}

// wifiFrame is an 802.11 frame from hostMAC to peerMAC. control is the frame
// control field; behind the addresses stand more and the body.
func wifiFrame(control string, more string, body []byte) []byte {
	c := unhex(control)
	a := [][]byte{peerMAC[:], hostMAC[:], accessMAC[:]}
	switch c[1] & 3 {
	case 1:
		a = [][]byte{accessMAC[:], hostMAC[:], peerMAC[:]}
	case 2:
		a = [][]byte{peerMAC[:], accessMAC[:], hostMAC[:]}
	case 3:
		a = [][]byte{accessMAC[:], accessMAC[:], peerMAC[:]}
	}
	f := slices.Concat(c, unhex("2c00"), a[0], a[1], a[2], unhex("1000"))
	if c[1]&3 == 3 {
		f = append(f, hostMAC[:]...)
	}
	return slices.Concat(f, unhex(more), body)
}

// snapped puts a SNAP header in front of a packet.
func snapped(ethertype int, packet []byte) []byte {
	return slices.Concat(unhex("aaaa03 000000"), u16(ethertype), packet)
}

// part is one of the frames in an A-MSDU.
func part(body []byte) []byte {
	f := slices.Concat(peerMAC[:], hostMAC[:], u16(len(body)), body)
	return append(f, make([]byte, -len(f)&3)...)
}

// wifiBodies are 802.11 frames with a SYN in each.
func wifiBodies() []decodeCase {
	v4 := snapped(0x0800, inet(6, synHeader))
	syn, group := with(synPacket(), fromMAC), with(synPacket(), toGroup)
	toAll := wifiFrame("0800", "", v4)
	toAll[4] |= 1
	toAllByAccess := wifiFrame("0801", "", v4)
	toAllByAccess[16] |= 1
	accessGroup := wifiFrame("0801", "", v4)
	accessGroup[4] |= 1
	first := wifiFrame("0804", "", v4)
	return []decodeCase{
		{"ad hoc", 105, wifiFrame("0800", "", v4), syn},
		{"to the access point", 105, wifiFrame("0801", "", v4), syn},
		{"from the access point", 105, wifiFrame("0802", "", v4), syn},
		{"between access points", 105, wifiFrame("0803", "", v4), syn},
		{"v6", 105, wifiFrame("0801", "", snapped(0x86dd, inet6(6, synHeader))), with(synPacket6(), fromMAC)},
		{"vlan", 105, wifiFrame("0801", "", snapped(0x8100, slices.Concat(unhex("0064 0800"), inet(6, synHeader)))), with(synPacket(), inVLAN(100))},
		{"data with an acknowledgement", 105, wifiFrame("1801", "", v4), syn},
		{"qos", 105, wifiFrame("8801", "0500", v4), syn},
		{"qos of a mesh flag between two addresses", 105, wifiFrame("8801", "0501", v4), syn},
		{"qos, four addresses", 105, wifiFrame("8803", "0500", v4), syn},
		{"high throughput", 105, wifiFrame("8881", "0500 01020304", v4), syn},
		{"high throughput, four addresses", 105, wifiFrame("8883", "0500 01020304", v4), syn},
		{"order without qos", 105, wifiFrame("0881", "", v4), syn},
		{"mesh", 105, wifiFrame("8803", "0001 00 1f 00000001", v4), syn},
		{"mesh with two more addresses", 105, wifiFrame("8803", "0001 02 1f 00000001 020000000031 020000000032", v4), syn},
		{"four addresses, the flag of a mesh", 105, wifiFrame("8803", "0001", v4), syn},
		{"first fragment", 105, first, syn},
		{"group", 105, toAll, group},
		{"group by the access point", 105, toAllByAccess, group},
		{"the receiver is no destination", 105, accessGroup, syn},
		{"decrypted", 105, wifiFrame("8841", "0000", v4), syn},
		{"decrypted behind its initialisation vector", 105, wifiFrame("8841", "0000 0102002003000000", v4), syn},
		{"aggregate", 105, wifiFrame("8801", "8000", slices.Concat(part(v4), part(v4))), syn},
		{"aggregate, decrypted", 105, wifiFrame("8841", "8000", part(v4)), syn},
	}
}

// wifiCases are such frames, and headers of captures before one.
func wifiCases() []decodeCase {
	v4 := snapped(0x0800, inet(6, synHeader))
	f, qos := wifiFrame("0801", "", v4), wifiFrame("8801", "0500", v4)
	padded := wifiFrame("8801", "0500 0000", v4)
	fcs := unhex("deadbeef")
	syn := with(synPacket(), fromMAC)
	prism := func(size []byte) []byte {
		h := make([]byte, 144)
		copy(h, unhex("44000000"))
		copy(h[4:], size)
		return h
	}
	big := prism(unhex("00000090"))
	copy(big, unhex("00000044"))
	avs := slices.Concat(unhex("80211001 00000040"), make([]byte, 56))
	cases := []decodeCase{
		{"radiotap", 127, slices.Concat(unhex("0000 0800 00000000"), f), syn},
		{"radiotap with flags", 127, slices.Concat(unhex("0000 0900 02000000 00"), f), syn},
		{"radiotap with fcs", 127, slices.Concat(unhex("0000 0900 02000000 10"), f, fcs), syn},
		{"radiotap padded", 127, slices.Concat(unhex("0000 0900 02000000 20"), padded), syn},
		{"radiotap padded for nothing", 127, slices.Concat(unhex("0000 0900 02000000 30"), f, fcs), syn},
		{"radiotap with time", 127, slices.Concat(unhex("0000 1100 03000000 1010101010101010 10"), f, fcs), syn},
		{"radiotap with two words", 127, slices.Concat(unhex("0000 1900 030000a0 00080000 00000000 7070707070707070 10"), qos, fcs), syn},
		{"radiotap with three words", 127, slices.Concat(unhex("0000 1b00 030000a0 000800a0 00080000 7070707070707070 10 05 06"), qos, fcs), syn},
		{"radiotap, other fields", 127, slices.Concat(unhex("0000 0c00 04800000 10101010"), f), syn},
		{"prism", 119, slices.Concat(prism(unhex("90000000")), f), syn},
		{"prism big-endian", 119, slices.Concat(big, f), syn},
		{"avs", 163, slices.Concat(avs, f), syn},
		{"avs under prism's number", 119, slices.Concat(avs, qos), syn},
		{"ppi", 192, slices.Concat(unhex("0000 0800 69000000"), f), syn},
		{"ppi with fcs", 192, slices.Concat(unhex("0000 2000 69000000 0200 1400 0000000000000000 0100 0000 00000000 00000000"), qos, fcs), syn},
		{"ppi ethernet", 192, slices.Concat(unhex("0000 0800 01000000"), ether(0x0800, inet(6, synHeader))), syn},
		{"ppi raw", 192, slices.Concat(unhex("0000 0800 65000000"), inet(6, synHeader)), synPacket()},
		{"802.11 under sll", 113, slices.Concat(unhex("0000 0321 0006 020000000010 0000 0000"), f), syn},
		{"prism under sll", 113, slices.Concat(unhex("0000 0322 0006 020000000010 0000 0000"), prism(unhex("90000000")), f), syn},
		{"radiotap under sll2", 276, slices.Concat(unhex("0000 0000 00000003 0323 00 06 020000000010 0000 0000 0800 00000000"), f), syn},
	}
	return append(cases, wifiBodies()...)
}

func TestDecodeWiFi(t *testing.T) { checkCases(t, wifiCases()) }

func wifiNoIPCases() []noIPCase {
	v4 := snapped(0x0800, inet(6, synHeader))
	later := wifiFrame("0801", "", v4)
	later[22] |= 1
	return []noIPCase{
		{"beacon", 105, wifiFrame("8000", "", v4), 0},
		{"acknowledgement", 105, unhex("d400 0000 020000000010"), 0},
		{"no data", 105, wifiFrame("4801", "", nil), 0},
		{"qos without data", 105, wifiFrame("c801", "0000", nil), 0},
		{"another version", 105, wifiFrame("0901", "", v4), 0},
		{"extension", 105, wifiFrame("0c01", "", v4), 0},
		{"later fragment", 105, later, 0},
		{"eapol", 105, wifiFrame("0801", "", snapped(0x888e, make([]byte, 95))), 0x888e},
		{"radiotap of another version", 127, slices.Concat(unhex("0100 0800 00000000"), wifiFrame("0801", "", v4)), 0},
	}
}

func TestDecodeWiFiWithoutIP(t *testing.T) { checkNoIP(t, wifiNoIPCases()) }

// wifiLosses are frames that are counted each in its own way.
func wifiLosses() []struct {
	name string
	link uint16
	data []byte
	want DecodeStats
} {
	v4 := snapped(0x0800, inet(6, synHeader))
	f := wifiFrame("0801", "", v4)
	cipher := slices.Repeat(unhex("0102002003000000"), 12)
	return []struct {
		name string
		link uint16
		data []byte
		want DecodeStats
	}{
		{"encrypted", 105, wifiFrame("8841", "0000", cipher), DecodeStats{Encrypted: 1}},
		{"encrypted, without qos", 105, wifiFrame("0841", "", cipher), DecodeStats{Encrypted: 1}},
		{"encrypted aggregate", 105, wifiFrame("8841", "8000", cipher), DecodeStats{Encrypted: 1}},
		{"encrypted mesh", 105, wifiFrame("8843", "0001", cipher), DecodeStats{Encrypted: 1}},
		{"wrong fcs", 127, slices.Concat(unhex("0000 0900 02000000 50"), f, unhex("deadbeef")), DecodeStats{BadFCS: 1}},
		{"wrong fcs by ppi", 192, slices.Concat(unhex("0000 2000 69000000 0200 1400 0000000000000000 0500 0000 00000000 00000000"), f), DecodeStats{BadFCS: 1}},
		{"radiotap without room for its words", 127, slices.Concat(unhex("0000 0800 02000080"), f), DecodeStats{Malformed: 1}},
		{"radiotap without room for its flags", 127, slices.Concat(unhex("0000 0800 02000000"), f), DecodeStats{Malformed: 1}},
		{"radiotap longer than the frame", 127, slices.Concat(unhex("0000 ff00 00000000"), f), DecodeStats{Malformed: 1}},
		{"radiotap shorter than itself", 127, slices.Concat(unhex("0000 0700 00000000"), f), DecodeStats{Malformed: 1}},
		{"fcs of a frame that is too short", 127, unhex("0000 0900 02000000 10 0801"), DecodeStats{Malformed: 1}},
		{"header cut", 105, f[:23], DecodeStats{Malformed: 1}},
		{"prism longer than the frame", 119, slices.Concat(unhex("44000000 ffffff7f"), f), DecodeStats{Malformed: 1}},
		{"prism shorter than itself", 119, slices.Concat(unhex("44000000 04000000"), f), DecodeStats{Malformed: 1}},
		{"no avs", 163, slices.Concat(unhex("44000000 00000010"), f), DecodeStats{Malformed: 1}},
		{"ppi shorter than itself", 192, slices.Concat(unhex("0000 0700 69000000"), f), DecodeStats{Malformed: 1}},
		{"ppi with an unknown link type", 192, slices.Concat(unhex("0000 0800 93000000"), f), DecodeStats{Links: []NumberCount{{147, 1}}}},
		{"ppi with a link type out of range", 192, slices.Concat(unhex("0000 0800 01000100"), f), DecodeStats{Links: []NumberCount{{192, 1}}}},
	}
}

func TestDecodeWiFiLosses(t *testing.T) {
	for _, c := range wifiLosses() {
		t.Run(c.name, func(t *testing.T) {
			c.want.Frames = 1
			require.Equal(t, c.want, dropped(t, c.link, c.data, Meta{}))
		})
	}
}

func TestDecodeCountsUnreadAggregates(t *testing.T) {
	v4 := snapped(0x0800, inet(6, synHeader))
	for parts, want := range map[int]uint64{1: 0, 2: 1, 5: 4} {
		var d Decoder
		f := wifiFrame("8801", "8000", slices.Repeat(part(v4), parts))
		f = slices.Concat(unhex("0000 0900 02000000 10"), f, unhex("deadbeef"))
		require.Len(t, d.Append(nil, f, Meta{Link: linkRadiotap}), 1)
		require.Equal(t, DecodeStats{Frames: 1, Packets: 1, Unread: want}, d.Stats())
	}
	group := part(v4)
	group[0] |= 1
	require.Equal(t, with(synPacket(), toGroup), mustDecode(t, linkWiFi, wifiFrame("8801", "8000", group)), "each part has its own destination")
}

// The frame check sequence is no payload, however little of the frame says so.
func TestDecodeLeavesOutTheFCS(t *testing.T) {
	ping := inet(1, unhex("0800 0000 0001 0001"))
	binary.BigEndian.PutUint16(ping[2:], 0) // its length is the frame's
	f := slices.Concat(unhex("0000 0900 02000000 10"), wifiFrame("0801", "", snapped(0x0800, append(ping, make([]byte, 40)...))), unhex("deadbeef"))
	p := mustDecode(t, linkRadiotap, f)
	require.EqualValues(t, 40, p.Payload)
	p, ok := decodeCut(linkRadiotap, f, len(f)-4)
	require.True(t, ok)
	require.EqualValues(t, 40, p.Payload)
	require.False(t, p.Has(MarkTruncatedIP), "nothing is missing but the FCS")
}
