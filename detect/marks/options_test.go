package marks

import (
	"net"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/flows"
)

// segment is a probe as it is put on the wire.
type segment struct {
	src, dst   string
	sport      uint16
	dport      uint16
	seq, ack   uint32
	id, window uint16
	ttl        uint8
	df         bool
	flags      uint8
	options    []byte // as sent: timestamps with their values
}

// decoded builds the frame and reads it as any capture is read.
func (s *segment) decoded(t testing.TB) Probe {
	t.Helper()
	tcp := &layers.TCP{
		SrcPort: layers.TCPPort(s.sport), DstPort: layers.TCPPort(s.dport), Seq: s.seq, Ack: s.ack, Window: s.window,
		FIN: s.flags&flows.FlagFIN != 0, SYN: s.flags&flows.FlagSYN != 0, PSH: s.flags&flows.FlagPSH != 0,
		ACK: s.flags&flows.FlagACK != 0, URG: s.flags&flows.FlagURG != 0,
		ECE: s.flags&flows.FlagECE != 0, CWR: s.flags&flows.FlagCWR != 0,
	}
	for o := s.options; len(o) > 0; {
		n := 1
		if o[0] > 1 {
			n = int(o[1])
		}
		option := layers.TCPOption{OptionType: layers.TCPOptionKind(o[0]), OptionLength: uint8(n)}
		if n > 1 {
			option.OptionData = o[2:n]
		}
		tcp.Options = append(tcp.Options, option)
		o = o[n:]
	}
	return decoded(t, s.src, s.dst, s.id, s.ttl, s.df, layers.IPProtocolTCP, tcp)
}

// decoded is the probe in a frame of these layers.
func decoded(
	t testing.TB, src, dst string, id uint16, ttl uint8, df bool, proto layers.IPProtocol, inner ...gopacket.SerializableLayer,
) Probe {
	t.Helper()
	mac := net.HardwareAddr{2, 0, 0, 0, 0, 1}
	all := []gopacket.SerializableLayer{&layers.Ethernet{SrcMAC: mac, DstMAC: mac, EthernetType: layers.EthernetTypeIPv4}}
	var network gopacket.NetworkLayer
	if from := net.ParseIP(src).To4(); from != nil {
		ip := &layers.IPv4{Version: 4, TTL: ttl, Id: id, Protocol: proto, SrcIP: from, DstIP: net.ParseIP(dst).To4()}
		if df {
			ip.Flags = layers.IPv4DontFragment
		}
		all, network = append(all, ip), ip
	} else {
		ip := &layers.IPv6{Version: 6, HopLimit: ttl, NextHeader: proto, SrcIP: net.ParseIP(src), DstIP: net.ParseIP(dst)}
		all[0].(*layers.Ethernet).EthernetType = layers.EthernetTypeIPv6
		all, network = append(all, ip), ip
	}
	for _, l := range inner {
		if sum, ok := l.(interface {
			SetNetworkLayerForChecksum(gopacket.NetworkLayer) error
		}); ok {
			require.NoError(t, sum.SetNetworkLayerForChecksum(network))
		}
	}
	buffer := gopacket.NewSerializeBuffer()
	require.NoError(t, gopacket.SerializeLayers(buffer, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true},
		append(all, inner...)...))
	var d flows.Decoder
	frame := buffer.Bytes()
	ps := d.Append(nil, frame, flows.Meta{Len: uint32(len(frame)), Link: 1})
	require.Len(t, ps, 1)
	return fromPacket(&ps[0])
}

// nmap -O's probes as they are put on the wire.
func osFrames() []segment {
	ts := []byte{8, 10, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0}
	list := func(parts ...[]byte) (all []byte) {
		for _, p := range parts {
			all = append(all, p...)
		}
		return all
	}
	t2 := list([]byte{3, 3, 10, 1, 2, 4, 1, 9}, ts, []byte{4, 2})
	t7 := list([]byte{3, 3, 15, 1, 2, 4, 1, 9}, ts, []byte{4, 2})
	return []segment{
		{flags: flows.FlagSYN, window: 1, options: list([]byte{3, 3, 10, 1, 2, 4, 5, 180}, ts, []byte{4, 2})},
		{flags: flows.FlagSYN, window: 63, options: list([]byte{2, 4, 5, 120, 3, 3, 0, 4, 2}, ts, []byte{0})},
		{flags: flows.FlagSYN, window: 4, options: list(ts, []byte{1, 1, 3, 3, 5, 1, 2, 4, 2, 128})},
		{flags: flows.FlagSYN, window: 4, options: list([]byte{4, 2}, ts, []byte{3, 3, 10, 0})},
		{flags: flows.FlagSYN, window: 16, options: list([]byte{2, 4, 2, 24, 4, 2}, ts, []byte{3, 3, 10, 0})},
		{flags: flows.FlagSYN, window: 512, options: list([]byte{2, 4, 1, 9, 4, 2}, ts)},
		{
			flags: flows.FlagSYN | flows.FlagECE | flows.FlagCWR, window: 3,
			options: []byte{3, 3, 10, 1, 2, 4, 5, 180, 4, 2, 1, 1},
		},
		{flags: 0, window: 128, df: true, options: t2},
		{flags: flows.FlagSYN | flows.FlagFIN | flows.FlagURG | flows.FlagPSH, window: 256, options: t2},
		{flags: flows.FlagACK, window: 1024, df: true, options: t2},
		{flags: flows.FlagSYN, window: 31337, options: t2},
		{flags: flows.FlagACK, window: 32768, df: true, options: t2},
		{flags: flows.FlagFIN | flows.FlagPSH | flows.FlagURG, window: 65535, options: t7},
	}
}

func TestOSDetectionIsKnownByItsFrames(t *testing.T) {
	t.Parallel()
	for i, s := range osFrames() {
		s.src, s.dst, s.seq, s.ack, s.id, s.ttl, s.sport, s.dport = scanner, "192.0.2.10", 77, 88, 99, 50, 50000, 80
		p := s.decoded(t)
		require.NotZero(t, p.Signs()&SignNmapOS, "probe %d", i)
		other := s
		other.window++
		p = other.decoded(t)
		require.Zero(t, p.Signs()&SignNmapOS, "probe %d with another window", i)
		other = s
		other.options = append([]byte{1, 1, 1, 1}, s.options...)
		p = other.decoded(t)
		require.Zero(t, p.Signs()&SignNmapOS, "probe %d with more options", i)
		other = s
		other.flags ^= flows.FlagPSH
		p = other.decoded(t)
		require.Zero(t, p.Signs()&SignNmapOS, "probe %d with other flags", i)
	}
}

// A maximum segment size alone is known whatever its value, since routers change
// it on the way.
func TestOnlyASegmentSize(t *testing.T) {
	t.Parallel()
	s := segment{src: scanner, dst: "192.0.2.10", seq: 1 << 30, id: 7, ttl: 50, window: 1024, flags: flows.FlagSYN}
	for _, size := range []uint16{0, 1, 255, 256, 536, 1200, 1400, 1408, 1440, 1460, 8960, 65535} {
		s.options = []byte{2, 4, byte(size >> 8), byte(size)}
		p := s.decoded(t)
		require.Equal(t, SignNmap, p.Signs(), "segment size %d", size)
	}
	for _, o := range [][]byte{
		{1, 1, 1, 1},
		{2, 4, 5, 180, 1, 1, 1, 1},
		{2, 4, 5, 180, 4, 2, 1, 1},
		{2, 4, 5, 180, 0, 0, 0, 0},
		{3, 3, 7, 1},
		{8, 10, 1, 2, 3, 4, 0, 0, 0, 0, 1, 1},
		{2, 4, 5, 180, 4, 2, 8, 10, 1, 2, 3, 4, 0, 0, 0, 0, 1, 3, 3, 7},
	} {
		s.options = o
		p := s.decoded(t)
		require.Zero(t, p.Signs(), "options %v", o)
	}
}

func TestZMapSinceFourOneIsKnownByItsFrame(t *testing.T) {
	t.Parallel()
	s := segment{
		src: scanner, dst: "192.0.2.10", seq: 1 << 30, id: 7, ttl: 50, window: 65535, flags: flows.FlagSYN,
		options: []byte{2, 4, 5, 180, 1, 3, 3, 8, 1, 1, 4, 2},
	}
	p := s.decoded(t)
	require.Equal(t, SignZMapWindows, p.Signs())
	for name, change := range map[string]func(*segment){
		"DF":            func(s *segment) { s.df = true },
		"Windows's TTL": func(s *segment) { s.ttl = 116 },
		"window":        func(s *segment) { s.window = 64240 },
		"order":         func(s *segment) { s.options = []byte{2, 4, 5, 180, 1, 3, 3, 8, 4, 2, 1, 1} },
		"scale":         func(s *segment) { s.options = []byte{2, 4, 5, 180, 1, 3, 3, 7, 1, 1, 4, 2} },
	} {
		other := s
		change(&other)
		p := other.decoded(t)
		require.Zero(t, p.Signs(), name)
	}
	s.ttl = 243
	p = s.decoded(t)
	require.Equal(t, SignZMapWindows, p.Signs())
}
