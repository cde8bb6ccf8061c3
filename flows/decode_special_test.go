package flows

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// specialCases are frames of links that captures seldom come from.
func specialCases() []decodeCase {
	v4, v6 := inet(6, synHeader), inet6(6, synHeader)
	snap4 := snapped(0x0800, v4)
	peer, host := peerMAC[:], hostMAC[:]
	of := func(head string, payload []byte) []byte { return slices.Concat(unhex(head), payload) }
	routed := slices.Clone(host)
	routed[0] |= 0x80
	far := of("0000000000000020 0000000000000010", nil)
	syn := with(synPacket(), fromMAC)
	longARP := slices.Concat(unhex("0020 0800 14 04 0001"), make([]byte, 20), host4.AsSlice(), make([]byte, 20), peer4.AsSlice())
	return []decodeCase{
		{"slip", 8, slices.Concat([]byte{1}, make([]byte, 15), v4), synPacket()},
		{"slip v6", 8, slices.Concat([]byte{0}, make([]byte, 15), v6), synPacket6()},
		{"fddi", 10, slices.Concat(unhex("50"), peer, host, snap4), syn},
		{"fddi with a priority", 10, slices.Concat(unhex("57"), peer, host, snap4), syn},
		{"token ring", 6, slices.Concat(unhex("1040"), peer, host, snap4), syn},
		{"token ring with a route", 6, slices.Concat(unhex("1040"), peer, routed, unhex("0630 0011 0020"), snap4), syn},
		{"atm", 100, snap4, synPacket()},
		{"ip over fibre channel", 122, slices.Concat(far, snap4), synPacket()},
		{"ip over firewire", 138, slices.Concat(far, unhex("0800"), v4), synPacket()},
		{"ip over infiniband", 242, slices.Concat(make([]byte, 40), unhex("86dd 0000"), v6), synPacket6()},
		{"arp over infiniband", 242, slices.Concat(make([]byte, 40), unhex("0806 0000"), longARP), Packet{Src: host4.As16(), Dst: peer4.As16(), Kind: KindARPRequest}},
		{"juniper ethernet", 178, of("4d4743 00", ether(0x0800, v4)), syn},
		{"juniper ethernet, extended", 178, of("4d4743 80 0006 010100 020100", ether(0x86dd, v6)), with(synPacket6(), fromMAC)},
		{"juniper without a link header", 178, of("4d4743 82 0003 010100 02000000", v4), synPacket()},
		{"juniper ppp", 179, of("4d4743 00 ff03 0021", v4), synPacket()},
		{"juniper frame relay", 180, of("4d4743 00 1861 03 cc", v4), synPacket()},
		{"juniper hdlc", 181, of("4d4743 00 0f00 0800", v4), synPacket()},
		{"broadcom", 281, slices.Concat(peer, host, unhex("20000001 0800"), v4), syn},
		{"broadcom in front", 282, of("20000001", ether(0x0800, v4)), syn},
		{"dsa", 284, slices.Concat(peer, host, unhex("c00a0000 0800"), v4), syn},
		{"dsa in a vlan", 284, slices.Concat(peer, host, unhex("e00a0064 0800"), v4), with(synPacket(), inVLAN(100))},
		{"edsa", 285, ether(0xdada, unhex("0000 e00a0064 86dd"), v6), with(synPacket6(), inVLAN(100))},
	}
}

func TestDecodeSpecialLinks(t *testing.T) { checkCases(t, specialCases()) }

func TestDecodeSpecialLinksWithoutIP(t *testing.T) {
	v4 := inet(6, synHeader)
	snap4 := snapped(0x0800, v4)
	checkNoIP(t, []noIPCase{
		{"slip of another direction", 8, slices.Concat([]byte{2}, make([]byte, 15), v4), 0},
		{"fddi token", 10, slices.Concat(unhex("80"), make([]byte, 12), snap4), 0},
		{"fddi station management", 10, slices.Concat(unhex("4f"), make([]byte, 12), snap4), 0},
		{"token ring management", 6, slices.Concat(unhex("1000"), make([]byte, 12), snap4), 0},
		{"ip over infiniband, another type", 242, slices.Concat(make([]byte, 40), unhex("8035 0000"), v4), 0x8035},
		{"ip over firewire, no type", 138, slices.Concat(make([]byte, 16), unhex("0010"), v4), 16},
	})
}

func TestDecodeMalformedSpecialLinks(t *testing.T) {
	for name, c := range map[string]struct {
		link uint16
		data []byte
	}{
		"no juniper":                          {178, slices.Concat(unhex("4d4744 00"), ether(0x0800, inet(6, synHeader)))},
		"juniper, extended beyond the frame":  {178, slices.Concat(unhex("4d4743 80 0030"), make([]byte, 40))},
		"token ring, routed beyond the frame": {6, slices.Concat(unhex("1040 020000000020 820000000010 1f30"), make([]byte, 20))},
	} {
		require.Equal(t, DecodeStats{Frames: 1, Malformed: 1}, dropped(t, c.link, c.data, Meta{}), name)
	}
}

// tagCases are Ethernet frames that switches added something to.
func tagCases() []decodeCase {
	v4, v6 := inet(6, synHeader), inet6(6, synHeader)
	icv := make([]byte, 16)
	inner := ether(0x0800, v4)
	outer := func(ethertype int, head string, payload []byte) []byte {
		return slices.Concat(unhex("010000000001 020000000099"), u16(ethertype), unhex(head), payload)
	}
	syn := with(synPacket(), fromMAC)
	return []decodeCase{
		{"e-tag", 1, ether(0x893f, unhex("0000 0001 0000 0800"), v4), syn},
		{"e-tag before a vlan", 1, ether(0x893f, unhex("0000 0001 0000 8100 0064 86dd"), v6), with(synPacket6(), inVLAN(100))},
		{"vn-tag", 1, ether(0x8926, unhex("0001 0000 0800"), v4), syn},
		{"cisco metadata", 1, ether(0x8909, unhex("01 01 0001 0007 0800"), v4), syn},
		{"cisco metadata in a vlan", 1, ether(0x8100, unhex("0064 8909 01 01 0001 0007 0800"), v4), with(synPacket(), inVLAN(100))},
		{"cisco metadata with two options", 1, ether(0x8909, unhex("01 02 0001 0007 0001 0008 0800"), v4), syn},
		{"macsec in clear", 1, ether(0x88e5, unhex("00 2a 00000001 0800"), v4, icv), syn},
		{"macsec in clear, with an identifier", 1, ether(0x88e5, unhex("20 00 00000001 0200000000100001 86dd"), v6, icv), with(synPacket6(), fromMAC)},
		{"fabricpath", 1, outer(0x8903, "0a20", inner), syn},
		{"mac in mac", 1, outer(0x88e7, "00000123", inner), syn},
		{"mac in mac in a vlan", 1, outer(0x88a8, "0007 88e7 00000123", inner), with(synPacket(), inVLAN(7))},
		{"trill", 1, outer(0x22f3, "003f 0001 0002", inner), syn},
		{"trill with options", 1, outer(0x22f3, "007f 0001 0002 00000000", inner), syn},
	}
}

func TestDecodeTags(t *testing.T) { checkCases(t, tagCases()) }

func TestDecodeTagsWithoutIP(t *testing.T) {
	v4 := inet(6, synHeader)
	checkNoIP(t, []noIPCase{
		{"lldp behind an e-tag", 1, ether(0x893f, unhex("0000 0001 0000 88cc"), v4), 0x88cc},
		{"another use of dada", 1, ether(0xdada, unhex("0001 e00a0064 0800"), v4), 0xdada},
	})
	s := dropped(t, 1, ether(0x88e5, unhex("2c 00 00000001 0200000000100001"), v4, make([]byte, 16)), Meta{})
	require.Equal(t, DecodeStats{Frames: 1, Encrypted: 1}, s)
}

// Any bytes may come under any link type: files are written with wrong ones.
func TestDecodeOfEveryFrameUnderEveryLink(t *testing.T) {
	links := []uint16{0x0fff, 0xffff}
	for link := range uint16(300) {
		links = append(links, link)
	}
	for i, s := range seedFrames(t) {
		for _, link := range links {
			if (int(link)+i)%3 != 0 && link != linkEthernet { // a third of them is enough
				continue
			}
			n := len(s.data) * (1 + i%4) / 4
			decodeChecked(t, s.data[:n:n], Meta{Len: uint32(len(s.data)), Link: link})
		}
	}
}
