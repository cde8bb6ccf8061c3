package filter

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/flows"
)

// frameOf puts a packet on Ethernet.
func frameOf(kind uint16, l3 []byte) []byte {
	return cat(macs[0][:], macs[1][:], be16(kind), l3)
}

// synTo80 is a SYN from 192.0.2.1:50000 to 198.51.100.20:80.
func synTo80() []byte {
	tcp := cat(be16(50000), be16(80), be32(7), be32(0), []byte{0x50, 2}, be16(1024), make([]byte, 4))
	return ipv4(hosts4[0], hosts4[2], ipTCP, 1, 0x4000, 64, tcp)
}

// all is what a decoder makes of a frame.
func all(t testing.TB, cfg flows.DecoderConfig, frame []byte, link uint16) ([]flows.Packet, flows.Meta) {
	t.Helper()
	meta := flows.Meta{Link: link, Len: uint32(len(frame))}
	packets := flows.NewDecoder(cfg).Append(nil, frame, meta)
	require.NotEmpty(t, packets)
	return packets, meta
}

func matches(t testing.TB, expr string, frame []byte, link uint16) bool {
	t.Helper()
	f, err := Parse(expr)
	require.NoError(t, err)
	packets, meta := all(t, flows.DecoderConfig{}, frame, link)
	return f.Match(&packets[0], frame, meta)
}

// TestOneMeaning holds that a SYN to port 80 fits wherever it is.
func TestOneMeaning(t *testing.T) {
	l3 := synTo80()
	vxlan := cat([]byte{8, 0, 0, 0, 0, 0, 7, 0}, frameOf(typeIPv4, l3))
	udp := cat(be16(50001), be16(4789), be16(uint16(8+len(vxlan))), be16(0), vxlan)
	gre := cat(be16(0), be16(typeIPv4), l3)
	for name, tt := range map[string]struct {
		frame []byte
		link  uint16
	}{
		"ethernet": {frameOf(typeIPv4, l3), linkEthernet},
		"a tag":    {frameOf(typeVLAN, cat(be16(10), be16(typeIPv4), l3)), linkEthernet},
		"two tags": {frameOf(typeQinQ, cat(be16(10), be16(typeVLAN), be16(20), be16(typeIPv4), l3)), linkEthernet},
		"a label":  {frameOf(typeMPLS, cat(be32(100<<12|0x140), l3)), linkEthernet},
		"vxlan":    {frameOf(typeIPv4, ipv4(hosts4[1], hosts4[3], ipUDP, 0, 0, 64, udp)), linkEthernet},
		"gre":      {frameOf(typeIPv4, ipv4(hosts4[1], hosts4[3], ipGRE, 0, 0, 64, gre)), linkEthernet},
		"6in4":     {frameOf(typeIPv6, ipv6(hosts6[0], hosts6[1], 4, 64, l3)), linkEthernet},
		"raw":      {l3, 101},
		"cooked":   {cat(be16(0), be16(1), be16(6), macs[1][:], be16(0), be16(typeIPv4), l3), linkSLL},
		"cooked 2": {cat(be16(typeIPv4), be16(0), be32(2), be16(1), []byte{0, 6}, macs[1][:], be16(0), l3), linkSLL2},
	} {
		for _, expr := range []string{
			"tcp port 80", "ip and tcp", "src host 192.0.2.1", "dst net 198.51.100", "tcp[tcpflags] = tcp-syn", "ip[8] = 64",
			"ip[12:4] = 0xc0000201", "ip[6] & 0x40 != 0", "tcp[4:4] = 7", "tcp[14:2] = 1024", "not (udp or ip6 or arp)", "ip proto 6",
		} {
			require.True(t, matches(t, expr, tt.frame, tt.link), "%s: %s", name, expr)
		}
		for _, expr := range []string{"udp", "host 192.0.2.77", "port 4789", "ip6", "tcp[13] & 16 != 0", "dst port 50000"} {
			require.False(t, matches(t, expr, tt.frame, tt.link), "%s: %s", name, expr)
		}
	}
}

func TestWhatIsAroundThePacket(t *testing.T) {
	l3 := synTo80()
	gre := frameOf(typeIPv4, ipv4(hosts4[1], hosts4[3], ipGRE, 0, 0, 64, cat(be16(0), be16(typeIPv4), l3)))
	tags := frameOf(typeQinQ, cat(be16(10), be16(typeVLAN), be16(20), be16(typeIPv4), l3))
	label := frameOf(typeVLAN, cat(be16(10), be16(typeMPLS), be32(3<<12|0x40), be32(100<<12|0x140), l3))
	cooked := cat(be16(1), be16(1), be16(6), macs[1][:], be16(0), be16(typeVLAN), be16(30), be16(typeIPv4), l3)
	for _, tt := range []struct {
		expr  string
		frame []byte
		link  uint16
		want  bool
	}{
		{"gre and tcp", gre, linkEthernet, true},
		{"ip proto 47", gre, linkEthernet, true},
		{"ip6 proto 47 or esp", gre, linkEthernet, false},
		{"ether src 00:00:5e:00:53:02 and ether dst 00:00:5e:00:53:01", gre, linkEthernet, true},
		{"vlan", gre, linkEthernet, false},
		{"vlan 10 and vlan 20", tags, linkEthernet, true},
		{"vlan 30", tags, linkEthernet, false},
		{"ether proto 0x0800 and ether[12:2] = 0x88a8", tags, linkEthernet, true},
		{"mpls 3 and mpls 100 and vlan 10", label, linkEthernet, true},
		{"mpls 4", label, linkEthernet, false},
		{"vlan 30 and broadcast and multicast and ether src 00:00:5e:00:53:02", cooked, linkSLL, true},
		{"ether dst 00:00:5e:00:53:02 or ether[0] = 0", cooked, linkSLL, false},
		{"link[1] = 1 and link[6:2] = 0", cooked, linkSLL, true},
		{"ether[5000] = 0", gre, linkEthernet, false},
	} {
		require.Equal(t, tt.want, matches(t, tt.expr, tt.frame, tt.link), tt.expr)
	}
}

// TestWithoutFrame tests packets that come without the frame they were in.
func TestWithoutFrame(t *testing.T) {
	frame := frameOf(typeVLAN, cat(be16(10), be16(typeIPv4), synTo80()))
	packets, _ := all(t, flows.DecoderConfig{}, frame, linkEthernet)
	for expr, want := range map[string]bool{
		"tcp port 80": true, "vlan 10": true, "vlan": true, "vlan 20": false, "ether src 00:00:5e:00:53:02": true,
		"ether dst 00:00:5e:00:53:01": false, "broadcast": false, "ether proto 0x800": false, "mpls": false, "ether[0] = 0": false,
		"gre": false, "icmp[0] = 5": false,
	} {
		require.Equal(t, want, mustParse(t, expr).Match(&packets[0], nil, flows.Meta{}), expr)
	}
}

// TestBothEndsOfATunnel holds that where the carrier is given too, each is
// tested by itself.
func TestBothEndsOfATunnel(t *testing.T) {
	frame := frameOf(typeIPv4, ipv4(hosts4[1], hosts4[3], 4, 0, 0, 64, synTo80()))
	packets, meta := all(t, flows.DecoderConfig{Tunnels: flows.TunnelsBoth}, frame, linkEthernet)
	require.Len(t, packets, 2)
	outer, inner := mustParse(t, "host 203.0.113.5"), mustParse(t, "tcp port 80")
	require.True(t, outer.Match(&packets[0], frame, meta))
	require.False(t, inner.Match(&packets[0], frame, meta))
	require.False(t, outer.Match(&packets[1], frame, meta))
	require.True(t, inner.Match(&packets[1], frame, meta))
}

// TestWhatIsCutOff holds that a comparison of what was not captured is false,
// and its negation true.
func TestWhatIsCutOff(t *testing.T) {
	frame := frameOf(typeIPv4, synTo80())
	meta := flows.Meta{Link: linkEthernet, Len: uint32(len(frame))}
	packets := flows.NewDecoder(flows.DecoderConfig{}).Append(nil, frame[:48], meta)
	require.Len(t, packets, 1)
	for expr, want := range map[string]bool{
		"tcp[13] = 2": true, "tcp[14:2] = 1024": false, "tcp[14:2] != 1024": false, "not tcp[14:2] = 1024": true,
		"len = 54": true, "ether[50] = 0": false, "udp[0:2] != 1": false, "not udp[0:2] = 1": true,
	} {
		require.Equal(t, want, mustParse(t, expr).Match(&packets[0], frame[:48], meta), expr)
	}
}

func TestTypeOfICMP(t *testing.T) {
	redirect := cat([]byte{5, 1, 0, 0}, make([]byte, 8))
	ext := cat([]byte{ipICMPv6, 0}, make([]byte, 6))
	advert := cat(ext, []byte{134, 0, 0, 0}, make([]byte, 12))
	four := ipv4(hosts4[0], hosts4[1], ipICMP, 0, 0, 64, redirect)
	require.True(t, matches(t, "icmp[icmptype] = icmp-redirect and icmp[icmpcode] = 1", frameOf(typeIPv4, four), linkEthernet))
	require.True(t, matches(t, "icmp[icmptype] = icmp-redirect", frameOf(typeVLAN, cat(be16(1), be16(typeIPv4), four)), linkEthernet))
	require.True(t, matches(t, "icmp[icmptype] = icmp-redirect", four, 101))
	six := ipv6(hosts6[0], hosts6[1], 0, 64, advert)
	require.True(t, matches(t, "icmp6[icmp6type] = icmp6-routeradvert", frameOf(typeIPv6, six), linkEthernet))
	// Within a tunnel it is not known.
	in := ipv4(hosts4[2], hosts4[3], 4, 0, 0, 64, four)
	require.False(t, matches(t, "icmp[icmptype] = icmp-redirect or icmp[icmptype] != icmp-redirect", frameOf(typeIPv4, in), linkEthernet))
	require.True(t, matches(t, "icmp[icmpcode] = 1", frameOf(typeIPv4, in), linkEthernet))
}

// expressions for measurements, from the shortest to a long one.
var measured = []string{
	"tcp port 80",
	"tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn",
	"net 192.0.2.0/24 and not (port 22 or port 443)",
	"vlan 10 and host 198.51.100.20",
	"ip[8] < 10 or len > 1000 or tcp[14:2] = 1024 and icmp[icmptype] != icmp-echo",
	"host 192.0.2.9 or 192.0.2.8 or 192.0.2.7 or 192.0.2.6 or 2001:db8::1 or net 10 or portrange 6000-6063 or arp or gre",
}

func TestMatchAllocatesNothing(t *testing.T) {
	packets := newGen(5).decode(50)
	for _, expr := range append(measured, parts...) {
		f := mustParse(t, expr)
		require.Zero(t, testing.AllocsPerRun(2, func() {
			for i := range packets {
				f.Match(&packets[i].p, packets[i].frame, packets[i].meta)
			}
		}), expr)
	}
}

func BenchmarkMatch(b *testing.B) {
	frame := frameOf(typeIPv4, synTo80())
	packets, meta := all(b, flows.DecoderConfig{}, frame, linkEthernet)
	for _, expr := range measured {
		f, err := Parse(expr)
		require.NoError(b, err)
		b.Run(expr, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				f.Match(&packets[0], frame, meta)
			}
		})
	}
}
