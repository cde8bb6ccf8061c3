package flows

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// icmpPacket is what an ICMP message over inet decodes to.
func icmpPacket(kind Kind, code uint8, seq uint32, payload uint16) Packet {
	p := synPacket()
	bare(kind, 1, payload, 0)(&p)
	p.Code, p.Seq = code, seq
	return p
}

func icmp6Packet(kind Kind, code uint8, seq uint32, payload uint16) Packet {
	p := synPacket6()
	bare(kind, 58, payload, 0)(&p)
	p.Code, p.Seq = code, seq
	return p
}

// quoting returns an edit that sets the quoted tuple: from peer to host, as
// quote4 and quote6 have it.
func quoting(proto uint8, sport, dport uint16) func(*Packet) {
	return func(p *Packet) {
		p.QuotedSrc, p.QuotedDst = p.Dst, p.Src
		p.QuotedProto, p.QuotedSrcPort, p.QuotedDstPort = proto, sport, dport
	}
}

// quote4 is the start of a packet from peer4 to host4.
func quote4(proto byte, payload []byte, edit ...func(h []byte)) []byte {
	edit = append([]func([]byte){put(12, slices.Concat(peer4.AsSlice(), host4.AsSlice())...)}, edit...)
	return inet(proto, payload, edit...)
}

func quote6(proto byte, payload []byte) []byte {
	return inet6(proto, payload, put(8, slices.Concat(peer6.AsSlice(), host6.AsSlice())...))
}

func icmpCases() []decodeCase {
	echo := unhex("0000 0000 0102 0304 aabb")
	message := func(kind, code byte, rest ...[]byte) []byte {
		return inet(1, slices.Concat([]byte{kind, code, 0, 0}, slices.Concat(rest...)))
	}
	unused := make([]byte, 4)
	syn := quote4(6, synHeader[:8])
	tail := echo[4:]
	errorCase := func(name string, kind, code byte, quote []byte, want Kind, edit func(*Packet)) decodeCase {
		p := icmpPacket(want, code, 0, uint16(len(quote)))
		edit(&p)
		return decodeCase{name, linkRaw, message(kind, code, unused, quote), p}
	}
	none := func(*Packet) {}
	options := slices.Concat(quote4(17, nil, put(0, 0x46), put(2, 0, 32)), make([]byte, 4), udpHeader)
	fragment := quote4(17, udpHeader, put(6, 0, 1))
	return []decodeCase{
		{"echo request", linkRaw, message(8, 0, tail), icmpPacket(KindEchoRequest, 0, 0x01020304, 2)},
		{"echo request of a tool", linkRaw, message(8, 9, tail), icmpPacket(KindEchoRequest, 9, 0x01020304, 2)},
		{"echo reply", linkRaw, message(0, 0, tail), icmpPacket(KindEchoReply, 0, 0x01020304, 2)},
		{"timestamp request", linkRaw, message(13, 0, tail), icmpPacket(KindTimestampRequest, 0, 0x01020304, 2)},
		{"timestamp reply", linkRaw, message(14, 0, tail), icmpPacket(KindTimestampReply, 0, 0x01020304, 2)},
		{"mask request", linkRaw, message(17, 0, tail), icmpPacket(KindMaskRequest, 0, 0x01020304, 2)},
		{"mask reply", linkRaw, message(18, 0, tail), icmpPacket(KindMaskReply, 0, 0x01020304, 2)},
		{"router solicitation", linkRaw, message(10, 0, tail), icmpPacket(KindICMPOther, 0, 0, 2)},
		errorCase("redirect", 5, 1, syn, KindICMPOther, none),
		errorCase("port unreachable", 3, 3, quote4(17, udpHeader), KindUnreachable, quoting(17, 40000, 80)),
		errorCase("prohibited", 3, 13, syn, KindUnreachable, quoting(6, 40000, 80)),
		errorCase("packet too big", 3, 4, syn, KindICMPOther, none),
		errorCase("time exceeded", 11, 0, syn, KindTimeExceeded, quoting(6, 40000, 80)),
		errorCase("sctp quoted", 3, 2, quote4(132, udpHeader), KindUnreachable, quoting(132, 40000, 80)),
		errorCase("protocol unreachable", 3, 2, quote4(47, nil), KindUnreachable, quoting(47, 0, 0)),
		errorCase("echo request quoted", 3, 1, quote4(1, unhex("0800 0000 beef 0001")), KindUnreachable, quoting(1, 0xbeef, 8)),
		errorCase("timestamp request quoted", 3, 1, quote4(1, unhex("0d00 0000 beef 0001")), KindUnreachable, quoting(1, 0xbeef, 13)),
		errorCase("mask request quoted", 11, 0, quote4(1, unhex("1100 0000 beef 0001")), KindTimeExceeded, quoting(1, 0xbeef, 17)),
		errorCase("echo reply quoted", 3, 1, quote4(1, unhex("0000 0000 beef 0001")), KindICMPOther, none),
		errorCase("options quoted", 3, 3, options, KindUnreachable, quoting(17, 40000, 80)),
		errorCase("later fragment quoted", 11, 1, fragment, KindICMPOther, none),
		errorCase("quote without ports", 3, 3, quote4(17, udpHeader[:3]), KindICMPOther, none),
		errorCase("quote without identifier", 3, 3, quote4(1, unhex("0800 0000 be")), KindICMPOther, none),
		errorCase("quote of 19 bytes", 3, 3, quote4(47, nil)[:19], KindICMPOther, none),
		errorCase("quote of nothing", 3, 3, nil, KindICMPOther, none),
		errorCase("quote of IPv6", 3, 3, quote6(17, udpHeader), KindICMPOther, none),
		errorCase("quoted header of four words", 3, 3, quote4(17, udpHeader, put(0, 0x44)), KindICMPOther, none),
		errorCase("quoted header beyond the quote", 3, 3, quote4(17, nil, put(0, 0x46)), KindICMPOther, none),
	}
}

func TestDecodeICMP(t *testing.T) { checkCases(t, icmpCases()) }

func icmp6Cases() []decodeCase {
	message := func(kind, code byte, rest ...[]byte) []byte {
		return inet6(58, slices.Concat([]byte{kind, code, 0, 0}, slices.Concat(rest...)))
	}
	unused := make([]byte, 4)
	tail := unhex("0102 0304 aabb")
	errorCase := func(name string, kind, code byte, quote []byte, want Kind, edit func(*Packet)) decodeCase {
		p := icmp6Packet(want, code, 0, uint16(len(quote)))
		edit(&p)
		return decodeCase{name, linkRaw, message(kind, code, unused, quote), p}
	}
	none := func(*Packet) {}
	target := unhex("20010db8 00000000 00000000 00000099")
	group := unhex("ff020000 00000000 00000001 ff000099")
	solicit := message(135, 0, unused, target)
	copy(solicit[24:], group)
	advert := message(136, 0, unhex("60000000"), target)
	everyone := slices.Clone(advert)
	copy(everyone[24:], unhex("ff020000 00000000 00000000 00000001"))
	asked := icmp6Packet(KindNeighborSolicit, 0, 0, 16)
	asked.Dst = [16]byte(target)
	told := icmp6Packet(KindNeighborAdvert, 0, 0, 16)
	told.Src = [16]byte(target)
	header := unhex("11 00 0104 00000000")
	first, later := unhex("11 00 0001 00000000"), unhex("11 00 0008 00000000")
	return []decodeCase{
		{"echo request", linkRaw, message(128, 0, tail), icmp6Packet(KindEchoRequest, 0, 0x01020304, 2)},
		{"echo reply", linkRaw, message(129, 0, tail), icmp6Packet(KindEchoReply, 0, 0x01020304, 2)},
		{"router solicitation", linkRaw, message(133, 0, tail), icmp6Packet(KindICMPOther, 0, 0, 2)},
		errorCase("packet too big", 2, 0, quote6(6, synHeader), KindICMPOther, none),
		errorCase("port unreachable", 1, 4, quote6(17, udpHeader), KindUnreachable, quoting(17, 40000, 80)),
		errorCase("time exceeded", 3, 0, quote6(6, synHeader), KindTimeExceeded, quoting(6, 40000, 80)),
		errorCase("parameter problem", 4, 0, quote6(6, synHeader), KindICMPOther, none),
		errorCase("unknown next header", 4, 1, quote6(6, synHeader), KindUnreachable, func(p *Packet) {
			quoting(6, 40000, 80)(p)
			p.Code = 4
		}),
		errorCase("echo quoted", 1, 3, quote6(58, unhex("8000 0000 beef 0001")), KindUnreachable, quoting(58, 0xbeef, 128)),
		errorCase("echo reply quoted", 1, 3, quote6(58, unhex("8100 0000 beef 0001")), KindICMPOther, none),
		errorCase("solicitation quoted", 1, 3, quote6(58, unhex("8700 0000 0000 0000")), KindICMPOther, none),
		errorCase("extension header quoted", 1, 4, quote6(60, slices.Concat(header, udpHeader)), KindUnreachable, quoting(17, 40000, 80)),
		errorCase("first fragment quoted", 1, 4, quote6(44, slices.Concat(first, udpHeader)), KindUnreachable, quoting(17, 40000, 80)),
		errorCase("later fragment quoted", 1, 4, quote6(44, slices.Concat(later, udpHeader)), KindICMPOther, none),
		errorCase("no next header quoted", 1, 4, quote6(59, nil), KindUnreachable, quoting(59, 0, 0)),
		errorCase("extension header's number probed", 4, 1, quote6(140, nil), KindUnreachable, func(p *Packet) {
			quoting(140, 0, 0)(p)
			p.Code = 4
		}),
		errorCase("quote cut in an extension header", 1, 4, quote6(60, header[:7]), KindICMPOther, none),
		errorCase("too many extension headers quoted", 1, 4, quote6(60, slices.Repeat(unhex("3c00000000000000"), maxExtensions+1)), KindICMPOther, none),
		errorCase("quote without ports", 1, 4, quote6(17, udpHeader[:3]), KindICMPOther, none),
		errorCase("quote of 39 bytes", 1, 4, quote6(17, nil)[:39], KindICMPOther, none),
		errorCase("quote of IPv4", 1, 4, quote4(17, make([]byte, 40)), KindICMPOther, none),
		{"solicitation", linkRaw, solicit, asked},
		{"solicitation on the link", linkEthernet, slices.Concat(unhex("3333ff000099"), hostMAC[:], unhex("86dd"), solicit), with(asked, fromMAC)},
		{"advertisement", linkRaw, advert, told},
		{"advertisement to everyone", linkRaw, everyone, with(told, func(p *Packet) { p.Dst = [16]byte(unhex("ff020000 00000000 00000000 00000001")) })},
		ipCase("first fragment of a solicitation", inet6(44, slices.Concat(unhex("3a 00 0001 00000000"), unhex("8707 0000 00000000 2001"))),
			bare(KindFragment, 58, 10, MarkFragmented)),
	}
}

func TestDecodeICMPv6(t *testing.T) { checkCases(t, icmp6Cases()) }

func TestDecodeICMPCutByTheSnapLength(t *testing.T) {
	whole := inet(1, slices.Concat(unhex("0303 0000 00000000"), quote4(17, udpHeader)))
	want := with(icmpPacket(KindUnreachable, 3, 0, 28), quoting(17, 40000, 80))
	want.Marks |= MarkTruncatedIP
	p, ok := decodeCut(linkRaw, whole, 20+8+20+4)
	require.True(t, ok)
	require.Equal(t, want, p)

	want = icmpPacket(KindICMPOther, 3, 0, 28)
	want.Marks |= MarkTruncatedIP
	p, ok = decodeCut(linkRaw, whole, 20+8+20+3)
	require.True(t, ok)
	require.Equal(t, want, p, "a quote without ports says nothing")

	_, ok = decodeCut(linkRaw, whole, 20+7)
	require.False(t, ok)
}
