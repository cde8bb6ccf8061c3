package flows

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// datagramOf is an IPv4 packet with a UDP datagram.
func datagramOf(src, dst int, payload []byte) []byte {
	return inet(17, slices.Concat(u16(src), u16(dst), u16(8+len(payload)), u16(0), payload))
}

// udpPacket is what datagram decodes to.
func udpPacket(src, dst, payload uint16, question uint32, marks Mark) Packet {
	p := synPacket()
	bare(KindUDP, 17, payload, marks)(&p)
	p.SrcPort, p.DstPort, p.Question = src, dst, question
	return p
}

func udpCases() []decodeCase {
	body := unhex("000102030405060708090a0b0c0d0e0f10111213")
	asked := question(unhex("ffff 02030405060708090a0b0c0d0e0f1011"))
	length := func(n int, b []byte) []byte {
		b = slices.Clone(b)
		binary.BigEndian.PutUint16(b[24:], uint16(n))
		return b
	}
	whole := datagramOf(5000, 6000, body)
	fragment := length(3000, whole)
	put(6, 0x20, 0)(fragment)
	return []decodeCase{
		{"empty", linkRaw, datagramOf(5000, 6000, nil), udpPacket(5000, 6000, 0, 0, 0)},
		{"payload", linkRaw, whole, udpPacket(5000, 6000, 20, asked, 0)},
		{"one byte", linkRaw, datagramOf(5000, 6000, body[:1]), udpPacket(5000, 6000, 1, question(nil), 0)},
		{"three bytes", linkRaw, datagramOf(5000, 6000, body[:3]), udpPacket(5000, 6000, 3, question(unhex("ffff 02")), 0)},
		{"18 bytes", linkRaw, datagramOf(5000, 6000, body[:18]), udpPacket(5000, 6000, 18, asked, 0)},
		{"length below the packet", linkRaw, length(8+4, whole), udpPacket(5000, 6000, 4, question(unhex("ffff 0203")), 0)},
		{"length 8 and bytes behind", linkRaw, length(8, whole), udpPacket(5000, 6000, 0, 0, 0)},
		{"length 0", linkRaw, length(0, whole), udpPacket(5000, 6000, 20, asked, 0)},
		{"length below a header", linkRaw, length(7, whole), udpPacket(5000, 6000, 20, asked, MarkMalformed)},
		{"length above the packet", linkRaw, length(500, whole), udpPacket(5000, 6000, 20, asked, MarkMalformed)},
		{"first fragment", linkRaw, fragment, with(udpPacket(5000, 6000, 20, asked, MarkFragmented), func(p *Packet) { p.Marks &^= MarkDF })},
		{"seven bytes", linkRaw, inet(17, udpHeader[:7]), udpPacket(40000, 80, 0, 0, MarkMalformed)},
	}
}

// Names are compared to their end where a name server is asked, the id never is; of
// other payloads the first 18 bytes are.
func TestQuestion(t *testing.T) {
	ask := func(id, count, name string) []byte { return append(unhex(id+"0100"+count+"0000 0000 0000"), name...) }
	same := func(a, b []byte) bool { return question(a) == question(b) }
	const www = "\x03www\x0aexample"
	first := ask("0001", "0001", www+"001\x03org\x00")
	require.True(t, same(first, ask("0002", "0001", www+"001\x03org\x00")))
	require.False(t, same(first, ask("0001", "0001", www+"002\x03org\x00")))
	require.True(t, same(ask("0001", "0002", www+"001"), ask("0001", "0002", www+"002")), "no question for one name")
	answer := func(name string) []byte { return append(unhex("0001 8100 0001 0000 0000 0000"), name...) }
	require.True(t, same(answer(www+"001"), answer(www+"002")), "an answer")
	long := func(end string) []byte { return append(ask("0001", "0001", strings.Repeat("a", questionMost)), end...) }
	require.True(t, same(long("1"), long("2")), "what is beyond is not looked at")
}

func TestDecodeUDP(t *testing.T) { checkCases(t, udpCases()) }

func TestDecodeUDPCutByTheSnapLength(t *testing.T) {
	whole := datagramOf(53, 6000, unhex("0001 8180 0001 0001 0000 0000 0102030405060708"))
	for n, want := range map[int]Packet{
		20 + 4: udpPacket(53, 6000, 20, 0, MarkTruncated),
		20 + 7: udpPacket(53, 6000, 20, 0, MarkTruncated),
		20 + 8: udpPacket(53, 6000, 20, question(nil), 0),
		// QR is in the third byte of the payload.
		20 + 8 + 2: udpPacket(53, 6000, 20, question(nil), 0),
		20 + 8 + 3: udpPacket(53, 6000, 20, question(unhex("ffff 81")), MarkReplyLike),
		20 + 8 + 5: udpPacket(53, 6000, 20, question(unhex("ffff 818000")), MarkReplyLike),
	} {
		if want.Kind == KindUDP && n < 20+8 {
			want.Payload = 20
		}
		p, ok := decodeCut(linkRaw, whole, n)
		require.True(t, ok, "%d bytes", n)
		want.Marks |= MarkTruncatedIP
		require.Equal(t, want, p, "%d bytes", n)
	}
	_, ok := decodeCut(linkRaw, whole, 20+3)
	require.False(t, ok)
}

// replyCase is a payload and what is to be seen in it.
type replyCase struct {
	name    string
	src     int
	payload []byte
	want    Mark
}

func replyCases() []replyCase {
	dns := unhex("0001 8180 0001 0001 0000 0000 03646e73")
	query := unhex("0001 0100 0001 0000 0000 0000 03646e73")
	sntp := func(first byte, n int) []byte { return append([]byte{first}, make([]byte, n-1)...) }
	stun := unhex("0101 000c 2112a442 000102030405060708090a0b 00200008 0001 1234 00000000")
	dhcp := make([]byte, 300)
	dhcp[0] = 2
	copy(dhcp[236:], unhex("63825363"))
	edit := func(b []byte, at int, v ...byte) []byte {
		b = slices.Clone(b)
		copy(b[at:], v)
		return b
	}
	snmp := unhex("3029 020101 0406 7075626c6963 a21c 0204 00000001 020100 020100 300e 300c 0608 2b06010201010500 0500")
	long := unhex("308200 29 02020001 048106 7075626c6963 a21c 0204 00000001")
	const reply, none = MarkReplyLike, Mark(0)
	return []replyCase{
		{"dns answer", 53, dns, reply},
		{"mdns answer", 5353, edit(dns, 2, 0x84), reply},
		{"llmnr answer", 5355, edit(dns, 2, 0x80), reply},
		{"dns question from port 53", 53, query, none},
		{"dns answer from another port", 54, dns, none},
		{"dns operation 6", 53, edit(dns, 2, 0xb0), reply},
		{"dns operation 7", 53, edit(dns, 2, 0xb8), none},
		{"too short for dns", 53, dns[:11], none},
		{"scan from port 53", 53, nil, none},
		{"ntp server", 123, sntp(0x24, 48), reply},
		{"ntp version 1", 123, sntp(0x0c, 48), reply},
		{"ntp version 0", 123, sntp(0x04, 48), none},
		{"ntp version 5", 123, sntp(0x2c, 48), none},
		{"ntp client", 123, sntp(0x23, 48), none},
		{"ntp of 47 bytes", 123, sntp(0x24, 47), none},
		{"ntp from another port", 124, sntp(0x24, 48), none},
		{"stun success", 40000, stun, reply | MarkSTUN},
		{"stun error", 3478, edit(stun, 0, 1, 0x11), reply | MarkSTUN},
		{"stun request", 3478, edit(stun, 0, 0, 1), MarkSTUN},
		{"stun indication", 3478, edit(stun, 0, 0, 0x11), MarkSTUN},
		{"stun with bits of another protocol", 3478, edit(stun, 0, 0x81), none},
		{"stun without cookie", 3478, edit(stun, 4, 0x22), none},
		{"seven bytes of stun", 3478, stun[:7], none},
		{"dhcp offer", 67, dhcp, reply},
		{"dhcp of 240 bytes", 67, dhcp[:240], reply},
		{"dhcp request", 67, edit(dhcp, 0, 1), none},
		{"dhcp without cookie", 67, edit(dhcp, 236, 0), none},
		{"dhcp of 239 bytes", 67, dhcp[:239], none},
		{"dhcp from the client's port", 68, dhcp, none},
		{"snmp response", 161, snmp, reply},
		{"snmp response, long lengths", 161, long, reply},
		{"snmp request", 161, edit(snmp, 13, 0xa0), none},
		{"snmp response from another port", 162, snmp, none},
		{"snmp version of no bytes", 161, unhex("3029 0200 0406 7075626c6963 a21c"), none},
		{"snmp version of five bytes", 161, unhex("3029 02050000000001 0406 7075626c6963 a21c"), none},
		{"snmp community beyond the payload", 161, unhex("3029 020101 0409 7075626c6963 a21c"), none},
		{"snmp that ends after the community", 161, unhex("3029 020101 0406 7075626c6963"), none},
		{"snmp with indefinite length", 161, unhex("3080 020101 0406 7075626c6963 a21c"), none},
		{"snmp of one byte", 161, unhex("30"), none},
		{"snmp without version", 161, unhex("3029 0406 7075626c6963 a21c"), none},
		{"ntp answer to monlist", 123, unhex("d7 00 03 2a 0006 0048"), reply},
		{"ntp monlist", 123, unhex("17 00 03 2a 0000 0000"), none},
		{"ntp answer to a control message", 123, unhex("16 82 0001 0000 0000 0000 000c"), reply},
		{"ntp control message", 123, unhex("16 02 0001 0000 0000 0000 0000"), none},
		{"ntp of one byte", 123, unhex("d7"), none},
		{"search result of ldap", 389, unhex("3084 00000022 020107 6484 0000001b"), reply},
		{"end of an ldap search", 389, unhex("300c 020101 6507 0a0100 0400 0400"), reply},
		{"ldap search", 389, unhex("3025 020101 6320 0400 0a0100"), none},
		{"ldap that ends after its id", 389, unhex("300c 020101"), none},
		{"ldap beyond 65,535", 389, unhex("3084 00010000 020107 6484 0000001b"), none},
		{"ssdp answer", 1900, []byte("HTTP/1.1 200 OK\r\n"), reply},
		{"ssdp search", 1900, []byte("M-SEARCH * HTTP/1.1\r\n"), none},
		{"coap content", 5683, unhex("60 45 0001 ff 00"), reply},
		{"coap get", 5683, unhex("40 01 0001 ff 00"), none},
		{"memcached answer", 11211, append(unhex("0001 0000 0001 0000"), "STAT pid 1\r\n"...), reply},
		{"memcached, the second datagram", 11211, append(unhex("0001 0001 0002 0000"), "data"...), reply},
		{"memcached, a datagram too many", 11211, append(unhex("0001 0002 0002 0000"), "data"...), none},
		{"memcached request", 11211, append(unhex("0001 0000 0001 0000"), "stats\r\n"...), none},
		{"memcached answer from another port", 11212, append(unhex("0001 0000 0001 0000"), "STAT pid 1\r\n"...), none},
	}
}

func TestDecodeUDPReplies(t *testing.T) {
	for _, c := range replyCases() {
		t.Run(c.name, func(t *testing.T) {
			p := mustDecode(t, linkRaw, datagramOf(c.src, 40001, c.payload))
			require.Equal(t, c.want, p.Marks&^MarkDF)
		})
	}
	t.Run("dhcp cut before its cookie", func(t *testing.T) {
		dhcp := datagramOf(67, 68, append([]byte{2}, make([]byte, 299)...))
		p, ok := decodeCut(linkRaw, dhcp, 28+239)
		require.True(t, ok)
		require.True(t, p.Has(MarkReplyLike))
	})
}
