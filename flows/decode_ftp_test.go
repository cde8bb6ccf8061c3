package flows

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// ordered is what a segment from 192.0.2.1 to the FTP server 192.0.2.2 says.
func ordered(payload string) Packet {
	p := Packet{Src: netip.MustParseAddr("192.0.2.1").As16(), Dst: netip.MustParseAddr("192.0.2.2").As16(), DstPort: 21}
	p.readOrder([]byte(payload))
	return p
}

func TestOrders(t *testing.T) {
	t.Parallel()
	long := "EPRT |2|2001:0db8:1234:5678:9abc:def0:1234:5678|65535|\r\n"
	for _, c := range []struct{ payload, want string }{
		{"PORT 198,51,100,7,4,210\r\n", "198.51.100.7:1234"},
		{"port 198,51,100,7,0,22\r\nLIST\r\n", "198.51.100.7:22"},
		{"EPRT |1|198.51.100.7|1234|\r\n", "198.51.100.7:1234"},
		{"eprt !2!2001:db8::7!22!\r\n", "[2001:db8::7]:22"},
		{long, "[2001:db8:1234:5678:9abc:def0:1234:5678]:65535"},
		{"PORT 192,0,2,1,4,210\r\n", "192.0.2.1:1234"}, // the client itself
		{"PORT 198,51,100,7,4,210", ""},
		{"PORT 198,51,100,7,4\r\n", ""},
		{"PORT 198,51,100,7,4,210,1\r\n", ""},
		{"PORT 198,51,100,7,4,\r\n", ""},
		{"PORT 198,51,100,256,4,210\r\n", ""},
		{"PORT 198,51,100,-7,4,210\r\n", ""},
		{"PORT198,51,100,7,4,210\r\n", ""},
		{"STOR 198,51,100,7,4,210\r\n", ""},
		{" PORT 198,51,100,7,4,210\r\n", ""},
		{"PORT\r\n", ""},
		{"PORT \r\n", ""},
		{"EPRT \r\n", ""},
		{"EPRT |\r\n", ""},
		{"EPRT |1|2001:db8::7|22|\r\n", ""},
		{"EPRT |2|198.51.100.7|22|\r\n", ""},
		{"EPRT |3|198.51.100.7|22|\r\n", ""},
		{"EPRT |2|fe80::1%eth0|22|\r\n", ""},
		{"EPRT |1|198.51.100.7|65536|\r\n", ""},
		{"EPRT |1|198.51.100.7|22\r\n", ""},
		{"EPRT |1|198.51.100.7|22||\r\n", ""},
		{"\r\n", ""},
		{"", ""},
		{"PORT " + strings.Repeat("0", 60) + "198,51,100,7,4,210\r\n", ""},
	} {
		p := ordered(c.payload)
		require.Equal(t, c.want != "", p.Has(MarkOrder), "%q", c.payload)
		want := uint32(0)
		if c.want != "" {
			to := netip.MustParseAddrPort(c.want)
			want = OrderOf(to.Addr().As16(), to.Port())
		}
		require.Equal(t, want, p.Question, "%q", c.payload)
	}
}

// TestOrderOfTellsTargetsApart: ports and hosts do not run into each other.
func TestOrderOfTellsTargetsApart(t *testing.T) {
	t.Parallel()
	seen := map[uint32]bool{}
	for host := range 64 {
		for port := range 256 {
			n := OrderOf(netip.AddrFrom4([4]byte{198, 51, 100, byte(host)}).As16(), uint16(port))
			require.False(t, seen[n])
			seen[n] = true
		}
	}
}

// TestOrdersAreReadAndNotPassedOver: of a frame to port 21, also when the conversation
// is settled; and of no other.
func TestOrdersAreReadAndNotPassedOver(t *testing.T) {
	t.Parallel()
	const order = "PORT 198,51,100,7,4,210\r\n"
	settled := NewSettled(1)
	for _, port := range []uint16{21, 2121} {
		passed := 0
		for i := range 12 {
			ip, tcp := ip4(layers.IPProtocolTCP), &layers.TCP{SrcPort: 40000, DstPort: layers.TCPPort(port), ACK: true, PSH: true}
			if i%2 == 1 {
				ip.SrcIP, ip.DstIP, tcp.SrcPort, tcp.DstPort = ip.DstIP, ip.SrcIP, tcp.DstPort, tcp.SrcPort
			}
			data := frame(t, eth(), ip, tcp, gopacket.Payload(order))
			if settled.SkipFrame(data, 0) {
				passed++
				continue
			}
			p := mustDecode(t, 1, data)
			require.Equal(t, port == 21 && i%2 == 0, p.Has(MarkOrder))
			if settled.Skip(&p) {
				passed++
			}
		}
		require.Equal(t, port == 21, passed == 0)
	}
}

// TestGroupsAreThoseOfNetip reads addresses as another parser does.
func TestGroupsAreThoseOfNetip(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"::", "::1", "1::", "1::2", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::",
		"1::2::3", ":", ":::", "1:", ":1", "12345::", "g::", "1::g", "FFFF:abcd::", "", "2001:db8::1 ", "::1:", "1:::2", "fe80::1%eth0",
	} {
		requireGroups(t, text)
	}
	rapid.Check(t, func(t *rapid.T) {
		requireGroups(t, rapid.StringMatching(`[0-9a-f]{0,2}(:{1,2}[0-9a-f]{0,5}){0,9}`).Draw(t, "text"))
	})
}

func requireGroups(t require.TestingT, text string) {
	want, err := netip.ParseAddr(text)
	got, ok := groups([]byte(text))
	require.Equal(t, err == nil && want.Is6() && want.Zone() == "", ok, text)
	if ok {
		require.Equal(t, want.As16(), got, text)
	}
}

func TestOrdersAllocateNothing(t *testing.T) {
	var p Packet
	for _, payload := range []string{
		"PORT 198,51,100,7,4,210\r\n", "PORT 198,51,100,7,4\r\n", "EPRT |1|198.51.100.7|22|\r\n", "EPRT |2|2001:db8::7|22|\r\n", "USER anonymous\r\n", "RETR x",
	} {
		b := []byte(payload)
		require.Zero(t, testing.AllocsPerRun(100, func() { p.readOrder(b) }), payload)
	}
}

func FuzzOrder(f *testing.F) {
	f.Add([]byte("PORT 198,51,100,7,4,210\r\n"))
	f.Add([]byte("EPRT |2|2001:db8::7|22|\r\n"))
	f.Fuzz(func(t *testing.T, payload []byte) {
		p := ordered(string(payload))
		require.Equal(t, p.Question != 0, p.Has(MarkOrder))
		if p.Has(MarkOrder) {
			require.Contains(t, string(payload[:min(len(payload), maxOrder)]), "\r")
		}
	})
}
