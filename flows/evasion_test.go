package flows

import (
	"encoding/binary"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// evasion is a way to send a probe so that a sensor overlooks it, and what has
// to be seen of it all the same. The probe goes from port 40000 to port 80.
type evasion struct {
	name    string
	source  string // where it is described, or what sends it
	packets [][]byte
	kind    Kind
	flags   uint8
	marks   Mark // that must be set
	not     Mark // that must not be set
}

func one(packets ...[]byte) [][]byte { return packets }

// flagged is a TCP header without options.
func flagged(flags byte, payload ...byte) []byte {
	h := slices.Concat(synHeader, payload)
	h[13] = flags
	return h
}

// reserved sets the four bits behind the data offset.
func reservedBits(h []byte) []byte {
	h = slices.Clone(h)
	h[12] |= 0x0f
	return h
}

func offsetOf(words byte, h []byte) []byte {
	h = slices.Clone(h)
	h[12] = words << 4
	return h
}

// routed is inet with IP options in front of the payload.
func routed(proto byte, options, payload []byte) []byte {
	b := slices.Concat(inet(proto, nil)[:20], options, payload)
	b[0] = 0x45 + byte(len(options)/4)
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	return b
}

func evasions() []evasion {
	return slices.Concat(headerEvasions(), ipEvasions(), flagEvasions(), otherEvasions(), fragmentEvasions(), overlapEvasions(), extensionEvasions())
}

func headerEvasions() []evasion {
	syn := func(h []byte) [][]byte { return one(inet(6, h)) }
	bad := func(name, source string, h []byte) evasion {
		return evasion{name, source, syn(h), KindTCP, FlagSYN, MarkMalformed, 0}
	}
	const stack = "Ptacek and Newsham 1998, table 2: packets that some stacks drop and some take"
	return []evasion{
		bad("data offset 0", stack, offsetOf(0, synHeader)),
		bad("data offset 4", stack, offsetOf(4, synHeader)),
		bad("data offset 15 in a segment of 20 bytes", "hping3 --tcpoff 15", offsetOf(15, synHeader)),
		bad("data offset 6 in a segment of 20 bytes", "hping3 --tcpoff 6", offsetOf(6, synHeader)),
		bad("option of length 0", stack, tcpWith(unhex("020405b4 03000707"))),
		bad("option of length 1", stack, tcpWith(unhex("01010301"))),
		bad("option beyond the header", stack, tcpWith(unhex("01010305"))),
		bad("MSS beyond the header", stack, tcpWith(unhex("01010104"))),
		bad("segment of 16 bytes", "isic", synHeader[:16]),
		{"forty bytes of nothing", "isic", syn(tcpWith(make([]byte, 40))), KindTCP, FlagSYN, 0, MarkMalformed},
		{"reserved bits", "nmap OS detection; RFC 9293 section 3.1", syn(reservedBits(synHeader)), KindTCP, FlagSYN, 0, MarkMalformed},
		{"wrong checksum", "nmap --badsum", syn(slices.Concat(synHeader[:16], unhex("dead"), synHeader[18:])), KindTCP, FlagSYN, 0, MarkMalformed},
		{"urgent pointer without URG", "isic", syn(slices.Concat(synHeader[:18], unhex("ffff"))), KindTCP, FlagSYN, 0, MarkMalformed},
		{"SYN with payload", "nmap --data-length", syn(flagged(FlagSYN, 1, 2, 3)), KindTCP, FlagSYN, 0, MarkMalformed},
	}
}

func ipEvasions() []evasion {
	syn := func(name, source string, packet []byte) evasion {
		return evasion{name, source, one(packet), KindTCP, FlagSYN, 0, MarkMalformed}
	}
	long := syn("IP length beyond the frame", "isic", inet(6, synHeader, put(2, 5, 0)))
	long.marks = MarkTruncatedIP
	zero := syn("IP length 0", "isic", inet(6, synHeader, put(2, 0, 0)))
	zero.marks, zero.not = MarkMalformed, 0
	return []evasion{
		long, zero,
		syn("bytes behind the IP length", "Ethernet trailers; Ptacek and Newsham 1998, section 4", slices.Concat(inet(6, synHeader), make([]byte, 100))),
		syn("wrong IP checksum", "Ptacek and Newsham 1998, section 4.1", inet(6, synHeader, put(10, 0xde, 0xad))),
		syn("record route", "nmap --ip-options R", routed(6, unhex("07 27 04 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00"), synHeader)),
		syn("loose source route", "nmap --ip-options L", routed(6, unhex("83 07 04 c6336401 00"), synHeader)),
		syn("strict source route", "nmap --ip-options S", routed(6, unhex("89 07 04 c6336401 00"), synHeader)),
		syn("IP option of length 0", "isic", routed(6, unhex("07000000"), synHeader)),
		syn("IP option beyond the header", "isic", routed(6, unhex("01010bff"), synHeader)),
		syn("reserved IP flag", "RFC 3514", inet(6, synHeader, put(6, 0x80, 0))),
		syn("TTL 1", "fragroute ip_ttl: it may not reach its target", inet(6, synHeader, put(8, 1))),
		syn("TTL 0", "hping3 --ttl 0", inet(6, synHeader, put(8, 0))),
		syn("IP id 0", "hping3 --id 0", inet(6, synHeader, put(4, 0, 0))),
		syn("type of service", "hping3 --tos ff", inet(6, synHeader, put(1, 0xff))),
	}
}

func flagEvasions() []evasion {
	row := func(name, source string, flags byte) evasion {
		return evasion{name, source, one(inet(6, flagged(flags))), KindTCP, flags, 0, MarkMalformed}
	}
	return []evasion{
		row("SYN+FIN", "nmap --scanflags SYNFIN; RFC 1858 names filters that let it pass", FlagSYN|FlagFIN),
		row("SYN+FIN+PSH+URG", "nmap OS detection T3", FlagSYN|FlagFIN|FlagPSH|FlagURG),
		row("SYN+ECE+CWR", "nmap OS detection ECN", FlagSYN|FlagECE|FlagCWR),
		row("no flags", "nmap -sN", 0),
		row("FIN+PSH+URG", "nmap -sX", FlagFIN|FlagPSH|FlagURG),
		row("all flags", "nmap --scanflags 255", 0xff),
	}
}

func otherEvasions() []evasion {
	udp := func(name, source string, length int, not Mark) evasion {
		h := slices.Concat(udpHeader, []byte("probe"))
		binary.BigEndian.PutUint16(h[4:], uint16(length))
		e := evasion{name, source, one(inet(17, h)), KindUDP, 0, MarkMalformed, 0}
		if not != 0 {
			e.marks, e.not = 0, not
		}
		return e
	}
	return []evasion{
		udp("UDP length below its header", "isic", 7, 0),
		udp("UDP length beyond the packet", "isic", 500, 0),
		udp("UDP length 0", "isic", 0, MarkMalformed),
		udp("UDP length short of the packet", "isic", 8, MarkMalformed),
		{"SCTP INIT cut short", "isic", one(inet(132, unhex("9c40 0050 00000000 00000000 01 00 0014"))), KindSCTPInit, 0, MarkMalformed, 0},
		{"SCTP chunk of length 0", "isic", one(inet(132, unhex("9c40 0050 00000000 00000000 01 00 0000 00000001 00001000 000a000a 00000001"))), KindSCTPInit, 0, 0, MarkMalformed},
	}
}

func fragmentEvasions() []evasion {
	whole := linuxSYN()
	row := func(name, source string, all []piece) evasion {
		return evasion{name, source, fragments4(6, 9, all), KindTCP, FlagSYN, MarkFragmented, MarkMalformed}
	}
	eight := pieces(whole, 8)
	back := slices.Clone(eight)
	slices.Reverse(back)
	udp := slices.Concat(udpHeader[:4], unhex("0028 0000"), make([]byte, 32))
	six := evasion{"IPv6 fragments of 8 bytes", "thc-ipv6 fragmentation6", nil, KindTCP, FlagSYN, MarkFragmented | MarkIPv6, MarkMalformed}
	for _, f := range eight {
		six.packets = append(six.packets, inet6Piece(6, 5, f))
	}
	bad := row("fragments of 8 bytes with data offset 15", "hping3 --frag --tcpoff 15", pieces(offsetOf(15, synHeader), 8))
	bad.marks, bad.not = MarkFragmented|MarkMalformed, 0
	return []evasion{
		row("fragments of 8 bytes", "nmap -f; RFC 1858, tiny fragment attack", eight),
		row("fragments of 16 bytes", "nmap -f -f", pieces(whole, 16)),
		row("fragments of 24 bytes", "nmap --mtu 24", pieces(whole, 24)),
		row("from the last to the first", "fragroute order reverse", back),
		row("the last first", "fragrouter -F6", append(eight[len(eight)-1:len(eight):len(eight)], eight[:len(eight)-1]...)),
		row("one twice", "fragrouter -F4, fragroute dup", slices.Insert(slices.Clone(eight), 1, eight[1])),
		row("one out of order", "fragrouter -F3", append([]piece{eight[1], eight[0]}, eight[2:]...)),
		row("a first fragment alone", "RFC 1858, section 3: as much as filters look at", pieces(whole, 16)[:1]),
		{"UDP fragments of 8 bytes", "nmap -sU -f", fragments4(17, 9, pieces(udp, 8)), KindUDP, 0, MarkFragmented, MarkMalformed},
		six, bad,
	}
}

func overlapEvasions() []evasion {
	whole := synHeader
	innocent := flagged(FlagRST)
	row := func(name, source string, all ...piece) evasion {
		return evasion{name, source, fragments4(6, 9, all), KindTCP, FlagSYN, MarkFragmented, 0}
	}
	otherPort := slices.Concat(unhex("9c40 01bb"), synHeader[4:])
	ports := row("two ports", "Shankar and Paxson, Active Mapping, 2003: one for each policy", piece{0, otherPort[:8], true}, piece{0, whole[:8], true}, piece{8, whole[8:], false})
	return []evasion{
		row("flags overwritten", "RFC 1858, overlapping fragment attack", piece{0, innocent, true}, piece{8, whole[8:], false}),
		row("flags overwritten beforehand", "the same for stacks that believe the first", piece{8, whole[8:], false}, piece{0, innocent, true}),
		row("header overwritten", "RFC 3128, tiny overlapping fragment attack", piece{0, innocent[:16], true}, piece{0, whole[:16], true}, piece{16, whole[16:], false}),
		row("tiny and overlapping, favour new", "fragrouter -F7", piece{0, innocent[:8], true}, piece{8, innocent[8:16], true}, piece{8, whole[8:16], true}, piece{16, whole[16:], false}),
		row("tiny and overlapping, favour old", "fragroute ip_frag 8 old", piece{8, whole[8:16], true}, piece{8, innocent[8:16], true}, piece{0, innocent[:8], true}, piece{16, whole[16:], false}),
		row("flags behind a whole datagram", "Ptacek and Newsham 1998, insertion of the last fragment by TTL",
			piece{0, innocent[:8], true}, piece{8, innocent[8:16], true}, piece{16, innocent[16:], false}, piece{8, whole[8:16], true}),
		ports,
		row("end inside the beginning", "teardrop", piece{0, whole, true}, piece{8, whole[8:12], false}),
	}
}

func extensionEvasions() []evasion {
	row := func(name, source string, marks Mark, packets ...[]byte) evasion {
		return evasion{name, source, packets, KindTCP, FlagSYN, marks | MarkIPv6, MarkMalformed}
	}
	options := func(next byte, words int) []byte {
		return slices.Concat([]byte{next, byte(words), 1, byte(8*words + 4)}, make([]byte, 8*words+4))
	}
	chain := slices.Concat(slices.Repeat(options(60, 0), 30), options(6, 0), synHeader)
	long := slices.Concat(options(6, 60), synHeader)
	within := slices.Concat(options(6, 1), synHeader)
	tiny := func(next byte, b []byte, size int, order ...int) [][]byte {
		var packets [][]byte
		for _, f := range pieces(b, size) {
			packets = append(packets, inet6Piece(next, 3, f))
		}
		for i, at := range order {
			packets[i], packets[at] = packets[at], packets[i]
		}
		return packets
	}
	hop := func(p []byte) []byte {
		b := slices.Concat(p[:40], options(44, 0), p[40:])
		b[6] = 0
		binary.BigEndian.PutUint16(b[4:], uint16(len(b)-40))
		return b
	}
	behind := tiny(6, synHeader, 8)
	for i := range behind {
		behind[i] = hop(behind[i])
	}
	other := tiny(6, synHeader, 8)
	for _, p := range other[1:] {
		p[40] = 17
	}
	return []evasion{
		row("atomic fragment", "RFC 6946; thc-ipv6 fragmentation6", 0, inet6(44, slices.Concat(unhex("06 00 0000 00000001"), synHeader))),
		row("two atomic fragment headers", "thc-ipv6 firewall6", 0, inet6(44, slices.Concat(unhex("2c 00 0000 00000001 06 00 0000 00000002"), synHeader))),
		row("thirty-one destination options", "thc-ipv6 firewall6", 0, inet6(60, chain)),
		row("hop-by-hop options out of place", "thc-ipv6 firewall6", 0, inet6(60, slices.Concat(options(0, 0), options(6, 0), synHeader))),
		row("routing header", "thc-ipv6 alive6 -L", 0, inet6(43, slices.Concat(unhex("06 02 00 00 00000000"), make([]byte, 16), synHeader))),
		row("header behind 488 bytes of options, in the second fragment", "RFC 7112", MarkFragmented, tiny(60, long, 488)...),
		row("the same in fragments of 256 bytes", "RFC 7112", MarkFragmented, tiny(60, long, 256)...),
		row("options within fragments of 8 bytes", "RFC 7112", MarkFragmented, tiny(60, within, 8)...),
		row("the same out of order", "RFC 7112", MarkFragmented, tiny(60, within, 8, 2, 1)...),
		row("fragments of 8 bytes behind options", "thc-ipv6 fragmentation6", MarkFragmented, behind...),
		row("later fragments of another protocol", "RFC 8200, section 4.5", MarkFragmented, other...),
		row("overlapping IPv6 fragments", "RFC 5722", MarkFragmented,
			inet6Piece(6, 3, piece{0, flagged(FlagRST)[:16], true}), inet6Piece(6, 3, piece{8, synHeader[8:], false})),
	}
}

// TestEvasions: a probe that is sent so that it is overlooked is seen, with its
// ports and flags.
func TestEvasions(t *testing.T) {
	names := map[string]bool{}
	for _, e := range evasions() {
		t.Run(e.name, func(t *testing.T) {
			require.NotEmpty(t, e.source)
			require.False(t, names[e.name])
			names[e.name] = true
			var d Decoder
			found := false
			for _, p := range feed(&d, e.packets...) {
				if p.Kind != e.kind || p.SrcPort != 40000 || p.DstPort != 80 || p.Flags != e.flags {
					continue
				}
				found = true
				require.True(t, p.Has(e.marks), "marks %b", p.Marks)
				require.Zero(t, p.Marks&e.not, "marks %b", p.Marks)
				if p.Has(MarkIPv6) {
					require.Equal(t, host6.As16(), p.Src)
				} else {
					require.Equal(t, host4.As16(), p.Src)
				}
			}
			require.True(t, found)
		})
	}
}

// TestEvasionsFromAndToAnything: ports and addresses that nobody uses hide nothing.
func TestEvasionsFromAndToAnything(t *testing.T) {
	land := slices.Concat(unhex("0050 0050"), synHeader[4:])
	p := mustDecode(t, linkRaw, inet(6, land, put(12, peer4.AsSlice()...)))
	require.Equal(t, p.Src, p.Dst, "land")
	require.Equal(t, p.SrcPort, p.DstPort)
	p = mustDecode(t, linkRaw, inet(6, slices.Concat(make([]byte, 4), synHeader[4:])))
	require.Zero(t, p.SrcPort|p.DstPort)
	require.EqualValues(t, FlagSYN, p.Flags, "port 0")
}

// What no host takes for a probe is not one, but it is counted.
func TestEvasionsThatReachNobody(t *testing.T) {
	for name, packet := range map[string][]byte{
		"IP header of four words":      inet(6, synHeader, put(0, 0x44)),
		"IP length below its header":   inet(6, synHeader, put(2, 0, 19)),
		"TCP segment without flags":    inet(6, synHeader[:13]),
		"ICMP without identifier":      inet(1, unhex("0800 0000 0001")),
		"UDP without destination port": inet(17, udpHeader[:3]),
	} {
		require.Equal(t, DecodeStats{Frames: 1, Malformed: 1}, dropped(t, linkRaw, packet, Meta{}), name)
	}
}
