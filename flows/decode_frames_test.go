package flows

import (
	"encoding/binary"
	"encoding/hex"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/stretchr/testify/require"
)

// Addresses that the crafted frames use.
var (
	host4 = netip.MustParseAddr("192.0.2.10")
	peer4 = netip.MustParseAddr("198.51.100.20")
	host6 = netip.MustParseAddr("2001:db8::10")
	peer6 = netip.MustParseAddr("2001:db8:1::20")

	hostMAC = [6]byte{0x02, 0, 0, 0, 0, 0x10}
	peerMAC = [6]byte{0x02, 0, 0, 0, 0, 0x20}
)

// decodeOne decodes a frame that was captured whole.
func decodeOne(link uint16, data []byte) (Packet, bool) {
	return decodeCut(link, data, len(data))
}

// decodeCut decodes the first n bytes of a frame, as a snap length leaves them.
func decodeCut(link uint16, data []byte, n int) (Packet, bool) {
	var d Decoder
	ps := d.Append(nil, data[:n:n], Meta{Len: uint32(len(data)), Link: link})
	if len(ps) == 0 {
		return Packet{}, false
	}
	return ps[0], true
}

// mustDecode decodes a frame that holds a packet.
func mustDecode(t testing.TB, link uint16, data []byte) Packet {
	t.Helper()
	p, ok := decodeOne(link, data)
	require.True(t, ok, "no packet in %x", data)
	return p
}

// dropped returns the statistics after a frame that must hold no packet.
func dropped(t testing.TB, link uint16, data []byte, m Meta) DecodeStats {
	t.Helper()
	var d Decoder
	m.Link = link
	require.Empty(t, d.Append(nil, data, m), "of %x", data)
	return d.Stats()
}

// unhex reads hexadecimal digits with any spacing.
func unhex(s string) []byte {
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		panic(err)
	}
	return b
}

func u16(n int) []byte { return binary.BigEndian.AppendUint16(nil, uint16(n)) }

// ether puts an Ethernet header from hostMAC to peerMAC in front of parts.
func ether(ethertype int, parts ...[]byte) []byte {
	return slices.Concat(peerMAC[:], hostMAC[:], u16(ethertype), slices.Concat(parts...))
}

// inet is an IPv4 packet from host4 to peer4 without options; edit may change
// its header.
func inet(proto byte, payload []byte, edit ...func(h []byte)) []byte {
	h := unhex("4500 0000 1234 4000 40 00 0000")
	h = slices.Concat(h, host4.AsSlice(), peer4.AsSlice())
	h[9] = proto
	binary.BigEndian.PutUint16(h[2:], uint16(len(h)+len(payload)))
	for _, e := range edit {
		e(h)
	}
	return append(h, payload...)
}

// inet6 is inet for IPv6.
func inet6(next byte, payload []byte, edit ...func(h []byte)) []byte {
	h := slices.Concat(unhex("60000000 0000 00 40"), host6.AsSlice(), peer6.AsSlice())
	h[6] = next
	binary.BigEndian.PutUint16(h[4:], uint16(len(payload)))
	for _, e := range edit {
		e(h)
	}
	return append(h, payload...)
}

// put returns an edit that overwrites bytes of a header.
func put(at int, b ...byte) func([]byte) {
	return func(h []byte) { copy(h[at:], b) }
}

// Transport headers: ports 40000 and 80.
var (
	synHeader = unhex("9c40 0050 01020304 00000000 5002 0400 0000 0000")
	udpHeader = unhex("9c40 0050 0008 0000")
)

// Layers for the frames that gopacket serialises.

func eth() *layers.Ethernet { return ethOf(layers.EthernetTypeIPv4) }

func ethOf(et layers.EthernetType) *layers.Ethernet {
	return &layers.Ethernet{SrcMAC: hostMAC[:], DstMAC: peerMAC[:], EthernetType: et}
}

func tag(id uint16, et layers.EthernetType) *layers.Dot1Q {
	return &layers.Dot1Q{VLANIdentifier: id, Type: et}
}

func ip4(proto layers.IPProtocol) *layers.IPv4 {
	return &layers.IPv4{
		Version: 4, TTL: 64, Id: 0x1234, Protocol: proto, Flags: layers.IPv4DontFragment,
		SrcIP: net.IP(host4.AsSlice()), DstIP: net.IP(peer4.AsSlice()),
	}
}

func ip6(proto layers.IPProtocol) *layers.IPv6 {
	return &layers.IPv6{
		Version: 6, HopLimit: 64, NextHeader: proto,
		SrcIP: net.IP(host6.AsSlice()), DstIP: net.IP(peer6.AsSlice()),
	}
}

func option(kind layers.TCPOptionKind, data ...byte) layers.TCPOption {
	return layers.TCPOption{OptionType: kind, OptionLength: uint8(2 + len(data)), OptionData: data}
}

func nop() layers.TCPOption { return layers.TCPOption{OptionType: layers.TCPOptionKindNop} }

// timestamps are the options of a data segment; TSecr is 0x01020304.
func timestamps() []layers.TCPOption {
	return []layers.TCPOption{nop(), nop(), option(layers.TCPOptionKindTimestamps, 9, 9, 9, 9, 1, 2, 3, 4)}
}

// synOptions are those of a Linux SYN.
func synOptions() []layers.TCPOption {
	return []layers.TCPOption{
		option(layers.TCPOptionKindMSS, 0x05, 0xb4), option(layers.TCPOptionKindSACKPermitted),
		option(layers.TCPOptionKindTimestamps, 9, 9, 9, 9, 0, 0, 0, 0), nop(), option(layers.TCPOptionKindWindowScale, 7),
	}
}

// frame serialises layers, with lengths and checksums computed.
func frame(t require.TestingT, l ...gopacket.SerializableLayer) []byte {
	var network gopacket.NetworkLayer
	for _, x := range l {
		if n, ok := x.(gopacket.NetworkLayer); ok {
			network = n
		}
		if c, ok := x.(interface {
			SetNetworkLayerForChecksum(gopacket.NetworkLayer) error
		}); ok && network != nil {
			require.NoError(t, c.SetNetworkLayerForChecksum(network))
		}
	}
	b := gopacket.NewSerializeBuffer()
	require.NoError(t, gopacket.SerializeLayers(b, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, l...))
	return b.Bytes()
}

// seed is a frame and the link type it is of.
type seed struct {
	name string
	link uint16
	data []byte
}

// seedFrames are all the crafted frames, well-formed or not.
func seedFrames(t testing.TB) []seed {
	var s []seed
	for _, l := range [][]decodeCase{
		linkCases(), serialCases(), wifiCases(), logCases(), specialCases(), tagCases(), ipCases(), ip6Cases(), tcpCases(), udpCases(), icmpCases(), icmp6Cases(), sctpCases(), malformedCases(),
	} {
		for _, c := range l {
			s = append(s, seed{c.name, c.link, c.data})
		}
	}
	for _, c := range slices.Concat(noIPCases(), serialNoIPCases(), wifiNoIPCases()) {
		s = append(s, seed{c.name, c.link, c.data})
	}
	for _, c := range wifiLosses() {
		s = append(s, seed{c.name, c.link, c.data})
	}
	for _, c := range replyCases() {
		s = append(s, seed{c.name, linkRaw, datagramOf(c.src, 40001, c.payload)})
	}
	s = append(s, tunnelSeeds()...)
	_, mix := benchFrames(t)
	for _, f := range mix {
		s = append(s, seed{"mix", linkEthernet, f})
	}
	return s
}
