package flows

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// ipCase is an IP packet without a link header, and an edit of synPacket or
// synPacket6.
func ipCase(name string, data []byte, edit func(*Packet)) decodeCase {
	want := synPacket()
	if data[0]>>4 == 6 {
		want = synPacket6()
	}
	edit(&want)
	return decodeCase{name: name, link: linkRaw, data: data, want: want}
}

// bare turns a TCP packet into one of another protocol.
func bare(kind Kind, proto uint8, payload uint16, marks Mark) func(*Packet) {
	return func(p *Packet) {
		p.Kind, p.Proto, p.Payload = kind, proto, payload
		p.SrcPort, p.DstPort, p.Seq, p.Window, p.Flags = 0, 0, 0, 0, 0
		p.Marks = p.Marks&^MarkNoOptions | marks
	}
}

func marked(m Mark) func(*Packet) { return func(p *Packet) { p.Marks |= m } }

func sized(n uint16, m Mark) func(*Packet) {
	return func(p *Packet) { p.Payload, p.Marks = n, p.Marks|m }
}

func to(a string) func(h []byte) { return put(16, unhex(a)...) }

func ipCases() []decodeCase {
	body := slices.Concat(synHeader, make([]byte, 30))
	options := slices.Concat(unhex("47"), inet(6, nil)[1:], unhex("94040000 01010100"), synHeader)
	options[3] = byte(len(options))
	longest := slices.Concat(unhex("4f"), inet(6, nil)[1:], make([]byte, 40), synHeader)
	longest[3] = byte(len(longest))
	big := inet(6, slices.Concat(synHeader, make([]byte, 1400)), put(2, 0, 0))
	huge := inet(6, slices.Concat(synHeader, make([]byte, 70000)), put(2, 0, 0))
	none := func(*Packet) {}
	return []decodeCase{
		ipCase("options", options, none),
		ipCase("fifteen words", longest, none),
		ipCase("payload", inet(6, body), sized(30, 0)),
		ipCase("total length below the frame", inet(6, body, put(2, 0, 45)), sized(5, 0)),
		ipCase("total length above the frame", inet(6, body, put(2, 5, 0)), sized(1280-40, MarkTruncatedIP)),
		ipCase("total length one above the frame", inet(6, body, put(2, 0, 71)), sized(31, MarkTruncatedIP)),
		ipCase("total length 0", big, sized(1400, 0)),
		ipCase("total length 0, over 64 KiB", huge, sized(0xffff, 0)),
		ipCase("total length 0, as long as padding", inet(6, slices.Concat(synHeader, make([]byte, 6)), put(2, 0, 0)), sized(0, MarkMalformed)),
		ipCase("no DF", inet(6, synHeader, put(6, 0, 0)), func(p *Packet) { p.Marks &^= MarkDF }),
		ipCase("reserved flag", inet(6, synHeader, put(6, 0x80, 0)), func(p *Packet) { p.Marks &^= MarkDF }),
		ipCase("multicast", inet(6, synHeader, to("e0000001")), func(p *Packet) {
			p.Dst = mapped([4]byte{224, 0, 0, 1})
			p.Marks |= MarkGroup
		}),
		ipCase("last multicast", inet(6, synHeader, to("efffffff")), func(p *Packet) {
			p.Dst = mapped([4]byte{239, 255, 255, 255})
			p.Marks |= MarkGroup
		}),
		ipCase("240/4 is unicast", inet(6, synHeader, to("f0000001")), func(p *Packet) { p.Dst = mapped([4]byte{240, 0, 0, 1}) }),
		ipCase("broadcast", inet(6, synHeader, to("ffffffff")), func(p *Packet) {
			p.Dst = mapped([4]byte{255, 255, 255, 255})
			p.Marks |= MarkGroup
		}),
		ipCase("first fragment", inet(6, body, put(6, 0x20, 0)), func(p *Packet) {
			p.Payload, p.Marks = 30, MarkNoOptions|MarkFragmented
		}),
		ipCase("first fragment of 16 bytes", inet(6, synHeader[:16], put(6, 0x20, 0)), func(p *Packet) {
			p.Marks = MarkNoOptions | MarkFragmented | MarkTruncated
		}),
		ipCase("first fragment of 8 bytes", inet(6, synHeader[:8], put(6, 0x20, 0)), func(p *Packet) {
			bare(KindFragment, 6, 8, 0)(p)
			p.Marks = MarkFragmented
		}),
		ipCase("later fragment", inet(6, synHeader, put(6, 0x20, 1)), func(p *Packet) {
			bare(KindFragment, 6, 20, 0)(p)
			p.Marks = MarkFragmented
		}),
		ipCase("last fragment", inet(17, synHeader, put(6, 0, 100)), func(p *Packet) {
			bare(KindFragment, 17, 20, 0)(p)
			p.Marks = MarkFragmented
		}),
		ipCase("gre", inet(47, make([]byte, 24)), bare(KindOther, 47, 24, 0)),
		ipCase("igmp to a group", inet(2, make([]byte, 8), to("e0000016")), func(p *Packet) {
			bare(KindOther, 2, 8, MarkGroup)(p)
			p.Dst = mapped([4]byte{224, 0, 0, 22})
		}),
		ipCase("protocol probe without payload", inet(132+1, nil), bare(KindOther, 133, 0, 0)),
		ipCase("icmpv6 over IPv4", inet(58, make([]byte, 8)), bare(KindOther, 58, 8, 0)),
		ipCase("ah", inet(51, slices.Concat(unhex("0604 0000 00000001 00000001"), make([]byte, 12), synHeader)), none),
		ipCase("ah without payload", inet(51, nil), bare(KindOther, 51, 0, 0)),
		{"padded frame", linkEthernet, ether(0x0800, inet(6, synHeader), make([]byte, 6)), with(synPacket(), fromMAC)},
	}
}

func TestDecodeIPv4(t *testing.T) { checkCases(t, ipCases()) }

func ip6Cases() []decodeCase {
	extension := func(next byte) []byte { return []byte{next, 0, 1, 4, 0, 0, 0, 0} }
	long := slices.Concat([]byte{6, 2}, make([]byte, 22))
	body := slices.Concat(synHeader, make([]byte, 30))
	all := slices.Concat(extension(60), extension(43), extension(44), unhex("33 00 0000 00000000"),
		unhex("8701 0000 00000001 00000001"), extension(139), extension(140), extension(6), synHeader)
	none := func(*Packet) {}
	return []decodeCase{
		ipCase("payload", inet6(6, body), sized(30, 0)),
		ipCase("trailer", slices.Concat(inet6(6, body), make([]byte, 10)), sized(30, 0)),
		ipCase("payload length above the frame", inet6(6, body, put(4, 5, 0)), sized(1280-20, MarkTruncatedIP)),
		ipCase("payload length 0", inet6(6, slices.Concat(synHeader, make([]byte, 1400)), put(4, 0, 0)), sized(1400, 0)),
		ipCase("payload length 0 and padding", inet6(47, make([]byte, 6), put(4, 0, 0)), bare(KindOther, 47, 0, 0)),
		ipCase("group", inet6(6, synHeader, put(24, 0xff, 2)), func(p *Packet) {
			p.Dst[0], p.Dst[1] = 0xff, 2
			p.Marks |= MarkGroup
		}),
		ipCase("hop-by-hop", inet6(0, slices.Concat(extension(6), synHeader)), none),
		ipCase("destination options of 24 bytes", inet6(60, slices.Concat(long, body)), sized(30, 0)),
		ipCase("routing", inet6(43, slices.Concat(extension(6), synHeader)), none),
		ipCase("eight of them", inet6(0, all), none),
		ipCase("atomic fragment", inet6(44, slices.Concat(unhex("06 00 0000 00000001"), synHeader)), none),
		ipCase("reserved bits of an atomic fragment", inet6(44, slices.Concat(unhex("06 ff 0006 00000001"), synHeader)), none),
		ipCase("first fragment", inet6(44, slices.Concat(unhex("06 00 0001 00000001"), body)), sized(30, MarkFragmented)),
		ipCase("first fragment, ports only", inet6(44, slices.Concat(unhex("06 00 0001 00000001"), synHeader[:8])),
			bare(KindFragment, 6, 8, MarkFragmented)),
		ipCase("first fragment that ends in the headers", inet6(44, unhex("3c 00 0001 00000001 06010000 00000000")),
			bare(KindFragment, 60, 8, MarkFragmented)),
		ipCase("first fragment that ends before a header", inet6(44, unhex("3c 00 0001 00000001")),
			bare(KindFragment, 60, 0, MarkFragmented)),
		ipCase("later fragment", inet6(44, slices.Concat(unhex("06 00 0009 00000001"), synHeader)),
			bare(KindFragment, 6, 20, MarkFragmented)),
		ipCase("last fragment behind hop-by-hop", inet6(0, slices.Concat(extension(44), unhex("11 00 0008 00000001"), synHeader)),
			bare(KindFragment, 17, 20, MarkFragmented)),
		ipCase("esp", inet6(50, make([]byte, 24)), bare(KindOther, 50, 24, 0)),
		ipCase("esp behind destination options", inet6(60, slices.Concat(extension(50), synHeader)), bare(KindOther, 50, 20, 0)),
		ipCase("no next header", inet6(59, nil), bare(KindOther, 59, 0, 0)),
		ipCase("no next header, but bytes", inet6(60, slices.Concat(extension(59), synHeader)), bare(KindOther, 59, 20, 0)),
		ipCase("icmp over IPv6", inet6(1, make([]byte, 8)), bare(KindOther, 1, 8, 0)),
		ipCase("probe for a header's number", inet6(60, nil), bare(KindOther, 60, 0, 0)),
		{"padded frame", linkEthernet, ether(0x86dd, inet6(17, udpHeader), make([]byte, 6)), with(synPacket6(), func(p *Packet) {
			bare(KindUDP, 17, 0, 0)(p)
			p.SrcPort, p.DstPort, p.SrcMAC = 40000, 80, hostMAC
		})},
	}
}

func TestDecodeIPv6(t *testing.T) { checkCases(t, ip6Cases()) }

// malformedCases are packets whose lengths leave no room for a header.
func malformedCases() []decodeCase {
	extension := unhex("3c000000 00000000")
	return []decodeCase{
		{name: "empty", link: linkRaw},
		{name: "empty ethernet frame", link: linkEthernet},
		{name: "short ethernet frame", link: linkEthernet, data: ether(0x0800)[:13]},
		{name: "ethernet header alone", link: linkEthernet, data: ether(0x0800)},
		{name: "tag without end", link: linkEthernet, data: ether(0x8100, unhex("0001"))},
		{name: "short arp", link: linkEthernet, data: ether(0x0806, make([]byte, 27))},
		{name: "short null", link: linkNull, data: unhex("020000")},
		{name: "short sll", link: linkSLL, data: make([]byte, 15)},
		{name: "short sll2", link: linkSLL2, data: make([]byte, 19)},
		{name: "version 5", link: linkRaw, data: inet(6, synHeader, put(0, 0x55))},
		{name: "IPv6 under the IPv4 type", link: linkEthernet, data: ether(0x0800, inet6(6, synHeader))},
		{name: "IPv4 under the IPv6 type", link: linkEthernet, data: ether(0x86dd, inet(6, slices.Concat(synHeader, synHeader)))},
		{name: "header of four words", link: linkRaw, data: inet(6, synHeader, put(0, 0x44))},
		{name: "total length below the header", link: linkRaw, data: inet(6, synHeader, put(2, 0, 19))},
		{name: "total length below the options", link: linkRaw, data: inet(6, synHeader, put(0, 0x46), put(2, 0, 23))},
		{name: "total length 0 and header beyond the frame", link: linkRaw, data: inet(6, nil, put(0, 0x4f), put(2, 0, 0))},
		{name: "tcp of 13 bytes", link: linkRaw, data: inet(6, synHeader[:13])},
		{name: "tcp of 13 bytes and one behind the packet", link: linkRaw, data: append(inet(6, synHeader[:13]), FlagSYN)},
		{name: "tcp of no bytes in a padded frame", link: linkEthernet, data: ether(0x0800, inet(6, nil), make([]byte, 26))},
		{name: "udp of 3 bytes", link: linkRaw, data: inet(17, udpHeader[:3])},
		{name: "icmp of 7 bytes", link: linkRaw, data: inet(1, unhex("0800 0000 0001 00"))},
		{name: "icmpv6 of 7 bytes", link: linkRaw, data: inet6(58, unhex("8000 0000 0001 00"))},
		{name: "solicitation without target", link: linkRaw, data: inet6(58, unhex("8700 0000 0000 0000 2001"))},
		{name: "sctp without chunk", link: linkRaw, data: inet(132, make([]byte, 12))},
		{name: "udp over IPv6 in the padding", link: linkEthernet, data: ether(0x86dd, inet6(17, make([]byte, 6), put(4, 0, 0)))},
		{name: "extension header beyond the packet", link: linkRaw, data: inet6(60, unhex("06020000 00000000"))},
		{name: "ah beyond the packet", link: linkRaw, data: inet(51, unhex("06040000 00000001 00000001"))},
		{name: "too many extension headers", link: linkRaw, data: inet6(60, slices.Concat(slices.Repeat(extension, maxExtensions), unhex("06000000 00000000"), synHeader))},
	}
}

func TestDecodeMalformed(t *testing.T) {
	for _, c := range malformedCases() {
		t.Run(c.name, func(t *testing.T) {
			require.Equal(t, DecodeStats{Frames: 1, Malformed: 1}, dropped(t, c.link, c.data, Meta{}))
		})
	}
}

func TestDecodeUsesTheLengthOnTheWire(t *testing.T) {
	offloaded := inet(6, synHeader, put(2, 0, 0))
	var d Decoder
	ps := d.Append(nil, offloaded, Meta{Link: linkRaw, Len: 4000})
	require.Len(t, ps, 1)
	require.Equal(t, with(synPacket(), sized(4000-40, MarkTruncatedIP)), ps[0])

	ps = d.Append(ps[:0], inet(6, synHeader), Meta{Link: linkRaw, Len: 1})
	require.Equal(t, []Packet{synPacket()}, ps, "a captured length above the stated one counts")
	ps = d.Append(ps[:0], inet(6, synHeader), Meta{Link: linkRaw, Len: 0xffffffff})
	require.Equal(t, []Packet{synPacket()}, ps)
}
