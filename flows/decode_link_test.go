package flows

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// decodeCase is a frame and the packet in it.
type decodeCase struct {
	name string
	link uint16
	data []byte
	want Packet
}

func checkCases(t *testing.T, cases []decodeCase) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			require.Equal(t, c.want, mustDecode(t, c.link, c.data))
		})
	}
}

// synPacket is what inet(6, synHeader) decodes to, without a link header.
func synPacket() Packet {
	return Packet{
		Src: host4.As16(), Dst: peer4.As16(), SrcPort: 40000, DstPort: 80, Seq: 0x01020304,
		Window: 1024, IPID: 0x1234, TTL: 64, Proto: 6, Flags: FlagSYN, Kind: KindTCP, Marks: MarkDF | MarkNoOptions,
	}
}

// synPacket6 is the same for inet6.
func synPacket6() Packet {
	p := synPacket()
	p.Src, p.Dst, p.IPID, p.Marks = host6.As16(), peer6.As16(), 0, MarkIPv6|MarkNoOptions
	return p
}

// with returns p after an edit.
func with(p Packet, edit func(*Packet)) Packet {
	edit(&p)
	return p
}

func fromMAC(p *Packet) { p.SrcMAC = hostMAC }

func inVLAN(id uint16) func(*Packet) {
	return func(p *Packet) { p.SrcMAC, p.VLAN = hostMAC, id }
}

func toGroup(p *Packet) { p.SrcMAC = hostMAC; p.Marks |= MarkGroup }

// linkCases are frames of every link type.
func linkCases() []decodeCase {
	v4, v6 := inet(6, synHeader), inet6(6, synHeader)
	snap := unhex("aaaa03 000000")
	mac := hostMAC[:]
	return []decodeCase{
		{"raw", linkRaw, v4, synPacket()},
		{"raw v6", linkRaw, v6, synPacket6()},
		{"raw 12", 12, v4, synPacket()},
		{"raw 14", 14, v6, synPacket6()},
		{"ipv4", 228, v4, synPacket()},
		{"ipv6", 229, v6, synPacket6()},
		{"null little-endian", 0, slices.Concat(unhex("02000000"), v4), synPacket()},
		{"null big-endian", 0, slices.Concat(unhex("00000002"), v4), synPacket()},
		{"null linux v6", 0, slices.Concat(unhex("0a000000"), v6), synPacket6()},
		{"null netbsd v6", 0, slices.Concat(unhex("00000018"), v6), synPacket6()},
		{"null freebsd v6", 0, slices.Concat(unhex("1c000000"), v6), synPacket6()},
		{"null darwin v6", 0, slices.Concat(unhex("1e000000"), v6), synPacket6()},
		{"loop", 108, slices.Concat(unhex("00000002"), v4), synPacket()},
		{"loop v6", 108, slices.Concat(unhex("0000001e"), v6), synPacket6()},
		{"ethernet", 1, ether(0x0800, v4), with(synPacket(), fromMAC)},
		{"ethernet v6", 1, ether(0x86dd, v6), with(synPacket6(), fromMAC)},
		{"vlan", 1, ether(0x8100, unhex("2064 0800"), v4), with(synPacket(), inVLAN(100))},
		{"qinq", 1, ether(0x88a8, unhex("00c8 8100 0064 86dd"), v6), with(synPacket6(), inVLAN(200))},
		{"9100", 1, ether(0x9100, unhex("00c8 8100 0064 0800"), v4), with(synPacket(), inVLAN(200))},
		{"four tags", 1, ether(0x8100, unhex("0fff 8100 0002 8100 0003 8100 0004 0800"), v4), with(synPacket(), inVLAN(4095))},
		{"priority tag", 1, ether(0x8100, unhex("e000 0800"), v4), with(synPacket(), fromMAC)},
		{"priority tag, then a vlan", 1, ether(0x8100, unhex("e000 8100 0007 0800"), v4), with(synPacket(), inVLAN(7))},
		{"snap", 1, ether(8+len(v4), snap, unhex("0800"), v4), with(synPacket(), fromMAC)},
		{"snap v6", 1, ether(8+len(v6), snap, unhex("86dd"), v6, make([]byte, 9)), with(synPacket6(), fromMAC)},
		{"snap in a vlan", 1, ether(0x8100, unhex("0005"), u16(8+len(v4)), snap, unhex("0800"), v4), with(synPacket(), inVLAN(5))},
		{"sll", 113, slices.Concat(unhex("0000 0001 0006"), mac, unhex("0000 0800"), v4), with(synPacket(), fromMAC)},
		{"sll without address", 113, slices.Concat(unhex("0004 fffe 0000 0102030405060708 86dd"), v6), synPacket6()},
		{"sll broadcast", 113, slices.Concat(unhex("0001 0001 0006"), mac, unhex("0000 0800"), v4), with(synPacket(), toGroup)},
		{"sll multicast", 113, slices.Concat(unhex("0002 0001 0006"), mac, unhex("0000 0800"), v4), with(synPacket(), toGroup)},
		{"sll vlan", 113, slices.Concat(unhex("0003 0001 0006"), mac, unhex("0000 8100 0064 0800"), v4), with(synPacket(), inVLAN(100))},
		{"sll 802.2", 113, slices.Concat(unhex("0000 0001 0006"), mac, unhex("0000 0004"), snap, unhex("0800"), v4), with(synPacket(), fromMAC)},
		{"sll2", 276, slices.Concat(unhex("0800 0000 00000003 0001 00 06"), mac, unhex("0000"), v4), with(synPacket(), fromMAC)},
		{"sll2 v6", 276, slices.Concat(unhex("86dd 0000 00000003 0001 04 06"), mac, unhex("0000"), v6), with(synPacket6(), fromMAC)},
		{
			"sll2 multicast vlan", 276, slices.Concat(unhex("88a8 0000 00000003 0001 02 06"), mac, unhex("0000 0064 0800"), v4),
			with(synPacket(), func(p *Packet) { toGroup(p); p.VLAN = 100 }),
		},
		{"a tag inside snap", 1, ether(12+len(v4), snap, unhex("8100 0001 0800"), v4), with(synPacket(), inVLAN(1))},
		{"snap of bridges", 1, ether(8+len(v4), unhex("aaaa03 0000f8 0800"), v4), with(synPacket(), fromMAC)},
		{"ip's own service access point", 1, ether(3+len(v4), unhex("060603"), v4), with(synPacket(), fromMAC)},
		{"802.2 in a long frame", 1, ether(0x8870, snap, unhex("0800"), v4), with(synPacket(), fromMAC)},
		{"group link destination", 1, slices.Concat(unhex("010000000001"), mac, unhex("0800"), v4), with(synPacket(), toGroup)},
	}
}

func TestDecodeLinks(t *testing.T) { checkCases(t, linkCases()) }

type noIPCase struct {
	name      string
	link      uint16
	data      []byte
	ethertype uint16
}

// noIPCases are frames that hold nothing for the table.
func noIPCases() []noIPCase {
	v4 := inet(6, synHeader)
	return []noIPCase{
		{"lldp", 1, ether(0x88cc, make([]byte, 46)), 0x88cc},
		{"lldp in a vlan", 1, ether(0x8100, unhex("0064 88cc"), make([]byte, 46)), 0x88cc},
		{"fifth tag", 1, ether(0x8100, unhex("0001 8100 0001 8100 0001 8100 0001 88a8 0001 0800"), v4), 0x88a8},
		{"spanning tree", 1, ether(38, unhex("424203"), make([]byte, 35)), 0},
		{"short 802.2", 1, ether(4, unhex("f0f07f00"), make([]byte, 42)), 0},
		{"snap of another organisation", 1, ether(8+len(v4), unhex("aaaa03 00000c 0800"), v4), 0},
		{"a length inside snap", 1, ether(8+len(v4), unhex("aaaa03 000000 0010"), v4), 16},
		{"between length and ethertype", 1, ether(1501, v4), 1501},
		{"iso over null", 0, slices.Concat(unhex("07000000"), v4), 0},
		{"little-endian loop", 108, slices.Concat(unhex("02000000"), v4), 0},
		{"no radiotap under sll", 113, slices.Concat(unhex("0000 0323 0006 020000000010 0000 0800"), v4), 0},
		{"can under sll", 113, slices.Concat(unhex("0000 0118 0000 0000000000000000 000c"), v4), 12},
		{"reverse arp", 1, ether(0x8035, make([]byte, 46)), 0x8035},
		{"arp for another protocol", 1, ether(0x0806, unhex("0001 0806 06 04 0001"), make([]byte, 38)), 0x0806},
		{"arp over frame relay", 1, ether(0x0806, unhex("000f 0800 06 04 0001"), make([]byte, 38)), 0x0806},
		{"arp with long addresses", 1, ether(0x0806, unhex("0001 0800 14 04 0001"), make([]byte, 58)), 0x0806},
		{"inverse arp", 1, ether(0x0806, unhex("0001 0800 06 04 0008"), make([]byte, 38)), 0x0806},
	}
}

func TestDecodeFramesWithoutIP(t *testing.T) {
	for _, c := range noIPCases() {
		t.Run(c.name, func(t *testing.T) {
			s := dropped(t, c.link, c.data, Meta{})
			require.Equal(t, DecodeStats{Frames: 1, NoIP: []NumberCount{{c.ethertype, 1}}}, s)
		})
	}
}

func TestDecodeARP(t *testing.T) {
	request := slices.Concat(unhex("0001 0800 06 04 0001 02aaaaaaaaaa"), host4.AsSlice(), make([]byte, 6), peer4.AsSlice())
	reply := slices.Clone(request)
	reply[7] = 2
	broadcast := slices.Concat(unhex("ffffffffffff"), hostMAC[:], unhex("0806"))
	want := Packet{Src: host4.As16(), Dst: peer4.As16(), SrcMAC: hostMAC, Kind: KindARPRequest}
	answer := with(want, func(p *Packet) { p.Kind = KindARPReply })

	padding := make([]byte, 18)
	require.Equal(t, want, mustDecode(t, 1, slices.Concat(broadcast, request, padding)), "a broadcast asks no group")
	require.Equal(t, answer, mustDecode(t, 1, ether(0x0806, reply, padding)))
	require.Equal(t, with(want, inVLAN(9)), mustDecode(t, 1, ether(0x8100, unhex("0009 0806"), request)))
	require.Equal(t, want, mustDecode(t, 1, ether(36, unhex("aaaa03 000000 0806"), request)))
	require.Equal(t, want, mustDecode(t, 1, ether(36, unhex("aaaa03 000000 0806 0006"), request[2:])), "hardware type 6")
	require.Equal(t, want, mustDecode(t, 113, slices.Concat(unhex("0001 0001 0006"), hostMAC[:], unhex("0000 0806"), request)))

	_, ok := decodeCut(1, ether(0x0806, request), 14+27)
	require.False(t, ok, "the target address is cut")
}

func TestDecodeBelievesTheLengthOf8023(t *testing.T) {
	f := ether(8+20, unhex("aaaa03 000000 0800"), inet(6, synHeader))
	require.Equal(t, DecodeStats{Frames: 1, Truncated: 1}, dropped(t, linkEthernet, f, Meta{}), "what lies behind it is padding")
}

func TestDecodeUnsupportedLinks(t *testing.T) {
	var d Decoder
	v4 := inet(6, synHeader)
	for _, link := range []uint16{189, 147, 189, 0xffff} {
		require.Empty(t, d.Append(nil, v4, Meta{Link: link}))
	}
	require.Equal(t, DecodeStats{Frames: 4, Links: []NumberCount{{147, 1}, {189, 2}, {0xffff, 1}}}, d.Stats())
}
