package wire_test

import (
	"bytes"
	"net/netip"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/synoptic-ids/synoptic/testdata/wire"
)

// serialised is a frame as gopacket writes it.
func serialised(t *rapid.T, ls ...gopacket.SerializableLayer) []byte {
	buf := gopacket.NewSerializeBuffer()
	if err := gopacket.SerializeLayers(buf, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, ls...); err != nil {
		t.Fatalf("%v", err)
	}
	return buf.Bytes()
}

// drawn is the outside of a packet: its ends, its IP header, and the same for gopacket.
type drawn struct {
	from, to wire.End
	header   wire.Header
	eth      *layers.Ethernet
	net      gopacket.SerializableLayer
}

func draw(t *rapid.T, proto uint8) drawn {
	six := rapid.Bool().Draw(t, "IPv6")
	end := func(name string) wire.End {
		b := rapid.SliceOfN(rapid.Byte(), 22, 22).Draw(t, name)
		a := netip.AddrFrom4([4]byte(b[:4]))
		if six {
			b[0] = 0x20 // no IPv4 in disguise
			a = netip.AddrFrom16([16]byte(b[:16]))
		}
		return wire.End{Addr: a, MAC: wire.MAC(b[16:])}
	}
	d := drawn{from: end("from"), to: end("to")}
	d.eth = &layers.Ethernet{SrcMAC: d.from.MAC[:], DstMAC: d.to.MAC[:], EthernetType: layers.EthernetTypeIPv4}
	d.header.TTL = rapid.Byte().Draw(t, "TTL")
	if six {
		d.header.Label = rapid.Uint32Range(0, 1<<20-1).Draw(t, "label")
		d.eth.EthernetType = layers.EthernetTypeIPv6
		d.net = &layers.IPv6{
			Version: 6, HopLimit: d.header.TTL, NextHeader: layers.IPProtocol(proto), FlowLabel: d.header.Label,
			SrcIP: d.from.Addr.AsSlice(), DstIP: d.to.Addr.AsSlice(),
		}
		return d
	}
	d.header.ID, d.header.DF = rapid.Uint16().Draw(t, "ID"), rapid.Bool().Draw(t, "DF")
	ip := &layers.IPv4{
		Version: 4, IHL: 5, TTL: d.header.TTL, Protocol: layers.IPProtocol(proto), Id: d.header.ID,
		SrcIP: d.from.Addr.AsSlice(), DstIP: d.to.Addr.AsSlice(),
	}
	if d.header.DF {
		ip.Flags = layers.IPv4DontFragment
	}
	d.net = ip
	return d
}

func (d drawn) network() gopacket.NetworkLayer { return d.net.(gopacket.NetworkLayer) }

// frame is the whole of it with a transport packet and zeros behind that.
func (d drawn) frame(proto uint8, l4 []byte, zeros, sum int) []byte {
	b := wire.IP(nil, d.from, d.to, d.header, proto, l4, len(l4)+zeros, sum)
	return append(append(b, l4...), make([]byte, max(zeros, 60-len(b)-len(l4)))...)
}

// TestSegments: segments are those that gopacket writes, byte for byte.
func TestSegments(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := draw(t, wire.ProtoTCP)
		n := rapid.Uint32().Draw(t, "numbers")
		flags := uint8(rapid.IntRange(0, 63).Draw(t, "flags"))
		stack := []wire.Stack{wire.Linux(), wire.Windows(), wire.MacOS(), wire.Embedded()}[rapid.IntRange(0, 3).Draw(t, "stack")]
		payload := rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "payload")
		tcp := wire.TCP{SrcPort: uint16(n), DstPort: uint16(n >> 7), Seq: n, Ack: ^n, Flags: flags, Window: uint16(n >> 3)}
		want := &layers.TCP{
			SrcPort: layers.TCPPort(tcp.SrcPort), DstPort: layers.TCPPort(tcp.DstPort), Seq: n, Ack: ^n, Window: tcp.Window,
			FIN: flags&1 != 0, SYN: flags&2 != 0, RST: flags&4 != 0, PSH: flags&8 != 0, ACK: flags&16 != 0, URG: flags&32 != 0,
		}
		if rapid.Bool().Draw(t, "options") {
			tcp.Options = stack.SYN(nil, d.from.Addr.Is6(), 7, 9, nil)
			want.Options = []layers.TCPOption{}
			for _, c := range []byte(stack.Order) {
				want.Options = append(want.Options, optionOf(c, d.from.Addr.Is6(), stack.Scale))
			}
		}
		require.NoError(t, want.SetNetworkLayerForChecksum(d.network()))
		got := d.frame(wire.ProtoTCP, append(tcp.Append(nil), payload...), 0, wire.SumTCP)
		require.Equal(t, serialised(t, d.eth, d.net, want, gopacket.Payload(payload)), got)
		ip := len(got) - wire.Ethernet
		if d.from.Addr.Is4() {
			ip = min(ip, 20+len(tcp.Append(nil))+len(payload))
		}
		require.Len(t, wire.Packet(got), ip, "without padding")
	})
}

// optionOf is the option that a letter of an order stands for.
func optionOf(c byte, six bool, scale byte) layers.TCPOption {
	mss := []byte{5, 0xb4}
	if six {
		mss = []byte{5, 0xa0}
	}
	return map[byte]layers.TCPOption{
		'm': {OptionType: layers.TCPOptionKindMSS, OptionLength: 4, OptionData: mss},
		's': {OptionType: layers.TCPOptionKindSACKPermitted, OptionLength: 2},
		't': {OptionType: layers.TCPOptionKindTimestamps, OptionLength: 10, OptionData: []byte{0, 0, 0, 7, 0, 0, 0, 9}},
		'n': {OptionType: layers.TCPOptionKindNop, OptionLength: 1},
		'w': {OptionType: layers.TCPOptionKindWindowScale, OptionLength: 3, OptionData: []byte{scale}},
		'e': {OptionType: layers.TCPOptionKindEndList, OptionLength: 1},
	}[c]
}

// TestAnswersToSYN: no option is answered that was not asked for.
func TestAnswersToSYN(t *testing.T) {
	linux, old, windows := wire.Linux(), wire.Embedded(), wire.Windows()
	require.Equal(t, []byte{2, 4, 5, 0xb4, 1}, linux.SYN(nil, false, 1, 2, &old))
	require.Equal(t, []byte{2, 4, 5, 0xb4, 4, 2, 1, 3, 3, 7}, linux.SYN(nil, false, 1, 2, &windows))
}

// TestDatagrams: so are datagrams, also where the end of the payload is left to be zeros.
func TestDatagrams(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := draw(t, wire.ProtoUDP)
		payload := rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "payload")
		zeros := rapid.IntRange(0, 9).Draw(t, "zeros")
		if len(payload)%2 != 0 && zeros > 0 {
			payload = append(payload, 0)
		}
		udp := &layers.UDP{SrcPort: 53, DstPort: 40000}
		require.NoError(t, udp.SetNetworkLayerForChecksum(d.network()))
		l4 := append(wire.UDP(nil, 53, 40000, len(payload)+zeros), payload...)
		got := d.frame(wire.ProtoUDP, l4, zeros, wire.SumUDP)
		require.Equal(t, serialised(t, d.eth, d.net, udp, gopacket.Payload(append(payload, make([]byte, zeros)...))), got)
	})
}

// TestEcho: so are echo requests and replies.
func TestEcho(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := draw(t, wire.ProtoICMP)
		reply, payload := rapid.Bool().Draw(t, "reply"), []byte("abcdefg")
		message := append(wire.Echo(nil, d.from.Addr.Is6(), reply, 7, 9), payload...)
		if d.from.Addr.Is4() {
			kind := uint8(layers.ICMPv4TypeEchoRequest)
			if reply {
				kind = layers.ICMPv4TypeEchoReply
			}
			head := &layers.ICMPv4{TypeCode: layers.CreateICMPv4TypeCode(kind, 0), Id: 7, Seq: 9}
			require.Equal(t, serialised(t, d.eth, d.net, head, gopacket.Payload(payload)), d.frame(wire.ProtoICMP, message, 0, wire.SumICMP))
			return
		}
		d.net.(*layers.IPv6).NextHeader = layers.IPProtocolICMPv6
		kind := uint8(layers.ICMPv6TypeEchoRequest)
		if reply {
			kind = layers.ICMPv6TypeEchoReply
		}
		head := &layers.ICMPv6{TypeCode: layers.CreateICMPv6TypeCode(kind, 0)}
		require.NoError(t, head.SetNetworkLayerForChecksum(d.network()))
		body := &layers.ICMPv6Echo{Identifier: 7, SeqNumber: 9}
		require.Equal(t, serialised(t, d.eth, d.net, head, body, gopacket.Payload(payload)), d.frame(wire.ProtoICMPv6, message, 0, wire.SumICMP))
	})
}

// TestNeighbors: ARP and neighbour discovery say what gopacket reads in them.
func TestNeighbors(t *testing.T) {
	me := wire.End{Addr: netip.MustParseAddr("192.0.2.1"), MAC: wire.MAC{2, 0, 0, 0, 0, 1}}
	it := wire.End{Addr: netip.MustParseAddr("192.0.2.2"), MAC: wire.MAC{2, 0, 0, 0, 0, 2}}
	for _, reply := range []bool{false, true} {
		p := gopacket.NewPacket(wire.ARP(nil, reply, me, it), layers.LayerTypeEthernet, gopacket.Default)
		arp := p.Layer(layers.LayerTypeARP).(*layers.ARP)
		there := p.LinkLayer().(*layers.Ethernet).DstMAC.String()
		require.Equal(t, me.Addr.AsSlice(), arp.SourceProtAddress)
		require.Equal(t, it.Addr.AsSlice(), arp.DstProtAddress)
		require.Equal(t, me.MAC[:], arp.SourceHwAddress)
		if reply {
			require.EqualValues(t, layers.ARPReply, arp.Operation)
			require.Equal(t, "02:00:00:00:00:02", there)
		} else {
			require.EqualValues(t, layers.ARPRequest, arp.Operation)
			require.Equal(t, "ff:ff:ff:ff:ff:ff", there)
		}
		six := netip.MustParseAddr("2001:db8::1:2:3")
		message := wire.Neighbor(nil, reply, six, me.MAC)
		group := wire.End{Addr: wire.Solicited(six)}
		group.MAC, _ = wire.GroupMAC(group.Addr)
		frame := wire.IP(nil, wire.End{Addr: netip.MustParseAddr("2001:db8::9")}, group, wire.Header{TTL: 255}, wire.ProtoICMPv6, message, len(message), wire.SumICMP)
		p = gopacket.NewPacket(append(frame, message...), layers.LayerTypeEthernet, gopacket.Default)
		require.Nil(t, p.ErrorLayer())
		if reply {
			require.Equal(t, six.AsSlice(), []byte(p.Layer(layers.LayerTypeICMPv6NeighborAdvertisement).(*layers.ICMPv6NeighborAdvertisement).TargetAddress))
		} else {
			require.Equal(t, six.AsSlice(), []byte(p.Layer(layers.LayerTypeICMPv6NeighborSolicitation).(*layers.ICMPv6NeighborSolicitation).TargetAddress))
		}
		require.Equal(t, "33:33:ff:02:00:03", p.LinkLayer().(*layers.Ethernet).DstMAC.String())
	}
}

func TestGroups(t *testing.T) {
	for address, want := range map[string]string{
		"224.0.0.251": "01:00:5e:00:00:fb", "239.255.255.250": "01:00:5e:7f:ff:fa", "ff02::fb": "33:33:00:00:00:fb", "255.255.255.255": "ff:ff:ff:ff:ff:ff",
	} {
		mac, group := wire.GroupMAC(netip.MustParseAddr(address))
		require.True(t, group)
		require.Equal(t, want, (&layers.Ethernet{SrcMAC: mac[:]}).SrcMAC.String(), address)
	}
	_, group := wire.GroupMAC(netip.MustParseAddr("192.0.2.255"))
	require.False(t, group)
}

// TestPcap: gopacket reads what was written.
func TestPcap(t *testing.T) {
	for _, p := range []wire.Pcap{{}, {BigEndian: true}, {Nanos: true}, {BigEndian: true, Nanos: true}} {
		b := append(p.Record(p.Begin(nil, 64, 1), 1_700_000_000_123_456_789, 3, 70), 1, 2, 3)
		r, err := pcapgo.NewReader(bytes.NewReader(b))
		require.NoError(t, err)
		require.EqualValues(t, 64, r.Snaplen())
		require.Equal(t, layers.LinkTypeEthernet, r.LinkType())
		data, ci, err := r.ReadPacketData()
		require.NoError(t, err)
		require.Equal(t, []byte{1, 2, 3}, data)
		require.Equal(t, 70, ci.Length)
		want := int64(1_700_000_000_123_456_000)
		if p.Nanos {
			want = 1_700_000_000_123_456_789
		}
		require.Equal(t, want, ci.Timestamp.UnixNano())
	}
}
