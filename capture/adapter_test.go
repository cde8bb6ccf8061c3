package capture

import (
	"bytes"
	"errors"
	"io"
	"math"
	"os"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
	"github.com/stretchr/testify/require"
)

// pcapgoSource opens b with pcapgo.
func pcapgoSource(t *testing.T, b []byte) Source {
	t.Helper()
	if le.Uint32(b) == blockSection {
		r, err := pcapgo.NewNgReader(bytes.NewReader(b), pcapgo.NgReaderOptions{WantMixedLinkType: true})
		require.NoError(t, err)
		return FromGopacket(r, 1)
	}
	r, err := pcapgo.NewReader(bytes.NewReader(b))
	require.NoError(t, err)
	return FromGopacket(r, uint16(r.LinkType()))
}

// TestFromGopacketAgrees reads files that pcapgo understands with both.
func TestFromGopacketAgrees(t *testing.T) {
	files := map[string][]byte{
		"pcap":             pcapFile{network: 1, snaplen: 99, records: []record{rec(1, 5, 60, "one"), rec(2, 6, 3, "two")}}.bytes(),
		"pcap big-endian":  pcapFile{o: be, network: 101, snaplen: 99, records: []record{rec(1, 5, 60, "one")}}.bytes(),
		"pcap nanoseconds": pcapFile{magic: magicNano, network: 1, snaplen: 99, records: []record{rec(1, 5, 60, "one")}}.bytes(),
		"pcapng":           newNg(le).iface(1, 99).packet(0, 7, 60, "one").packet(0, 8, 60, "two").b,
		"pcapng, link types": newNg(be).iface(1, 99).iface(101, 99, optIfTsresol, byte(9)).
			packet(0, 7, 60, "one").packet(1, 8, 60, "two").packet(0, 9, 60, "three").b,
	}
	for name, b := range files {
		t.Run(name, func(t *testing.T) {
			ours, err := NewReader(bytes.NewReader(b), inputName, Config{})
			require.NoError(t, err)
			want, errs := drain(t, ours, 10)
			require.Empty(t, errs)
			theirs := pcapgoSource(t, b)
			frames, errs := drain(t, theirs, 10)
			require.Empty(t, errs)
			require.Equal(t, want, frames)
			require.Equal(t, ours.Link(0), theirs.Link(0))
			require.Equal(t, ours.Link(1), theirs.Link(1))
			st, err := theirs.Stats()
			require.NoError(t, err)
			require.Equal(t, uint64(len(want)), st.Packets)
		})
	}
}

// scripted is a gopacket source that returns what it is told.
type scripted struct {
	infos  []gopacket.CaptureInfo
	errs   []error
	closed int
}

func (s *scripted) ZeroCopyReadPacketData() ([]byte, gopacket.CaptureInfo, error) {
	if len(s.errs) > 0 && s.errs[0] != nil {
		err := s.errs[0]
		s.errs = s.errs[1:]
		return nil, gopacket.CaptureInfo{}, err
	}
	if len(s.errs) > 0 {
		s.errs = s.errs[1:]
	}
	info := s.infos[0]
	s.infos = s.infos[1:]
	return []byte("data"), info, nil
}

func (s *scripted) Close() { s.closed++ }

func TestFromGopacket(t *testing.T) {
	timeout := errors.New("timeout")
	source := &scripted{
		infos: []gopacket.CaptureInfo{
			{Timestamp: time.Unix(1, 7), Length: 60, InterfaceIndex: 40},
			{Timestamp: time.Unix(-1, 0), Length: -1, InterfaceIndex: 7, AncillaryData: []any{layers.LinkTypeRaw}},
			{Timestamp: time.Unix(2, 0), Length: math.MaxInt, InterfaceIndex: 40},
		},
		errs: []error{nil, timeout, nil, nil, io.EOF},
	}
	src := FromGopacket(source, 276)
	n, err := src.Read(nil)
	require.NoError(t, err)
	require.Zero(t, n)
	fs := make([]Frame, 10)
	next := func() Frame {
		n, err := src.Read(fs)
		require.NoError(t, err)
		require.Equal(t, 1, n)
		return fs[0]
	}
	require.Equal(t, Frame{Data: []byte("data"), Time: 1_000_000_007, Len: 60, Iface: 0}, next())
	_, err = src.Read(fs)
	require.Equal(t, timeout, err, "errors pass as they are")
	require.Equal(t, Frame{Data: []byte("data"), Time: -second, Len: 0, Iface: 1}, next())
	require.Equal(t, Frame{Data: []byte("data"), Time: 2 * second, Len: uint32(min(uint64(math.MaxInt), math.MaxUint32)), Iface: 0}, next())
	require.Equal(t, []uint16{276, 101, noLink}, []uint16{src.Link(0), src.Link(1), src.Link(2)})
	_, err = src.Read(fs)
	require.Equal(t, io.EOF, err)
	require.NoError(t, src.Close())
	require.NoError(t, src.Close())
	require.Equal(t, 1, source.closed)
	_, err = src.Read(fs)
	require.ErrorIs(t, err, os.ErrClosed)
}

// TestToGopacketLoop runs the usual gopacket loop on a Source.
func TestToGopacketLoop(t *testing.T) {
	frame := gopacket.NewSerializeBuffer()
	eth := layers.Ethernet{SrcMAC: make([]byte, 6), DstMAC: make([]byte, 6), EthernetType: layers.EthernetTypeIPv4}
	ip := layers.IPv4{Version: 4, IHL: 5, TTL: 64, Protocol: layers.IPProtocolTCP, SrcIP: []byte{192, 0, 2, 1}, DstIP: []byte{198, 51, 100, 1}}
	tcp := layers.TCP{SrcPort: 40000, DstPort: 22, SYN: true}
	require.NoError(t, tcp.SetNetworkLayerForChecksum(&ip))
	options := gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}
	require.NoError(t, gopacket.SerializeLayers(frame, options, &eth, &ip, &tcp))
	data := string(frame.Bytes())

	f := pcapFile{network: 1}
	for i := range 200 { // more than one batch
		f.records = append(f.records, rec(uint32(i), 0, uint32(len(data)), data))
	}
	src, err := NewReader(bytes.NewReader(f.bytes()), inputName, Config{})
	require.NoError(t, err)
	source, ok := ToGopacket(src).(gopacket.PacketDataSource)
	require.True(t, ok)
	packets := gopacket.NewPacketSource(source, layers.LinkTypeEthernet)
	count := 0
	for {
		packet, err := packets.NextPacket()
		if err == io.EOF {
			break
		}
		require.NoError(t, err)
		syn, ok := packet.Layer(layers.LayerTypeTCP).(*layers.TCP)
		require.True(t, ok)
		require.True(t, syn.SYN)
		require.Equal(t, layers.TCPPort(22), syn.DstPort)
		require.Equal(t, int64(count), packet.Metadata().Timestamp.Unix())
		count++
	}
	require.Equal(t, 200, count)
}

// script is a Source that returns what it is told.
type script struct {
	Source
	steps []func(fs []Frame) (int, error)
}

func (s *script) Read(fs []Frame) (int, error) {
	step := s.steps[0]
	s.steps = s.steps[1:]
	return step(fs)
}

func TestToGopacketErrors(t *testing.T) {
	damage := &DamageError{Name: inputName}
	source := ToGopacket(&script{steps: []func([]Frame) (int, error){
		func(fs []Frame) (int, error) {
			fs[0] = Frame{Data: []byte("longer"), Time: 7, Len: 2, Iface: 3}
			return 1, damage
		},
		func([]Frame) (int, error) { return 0, &Idle{Now: 8} },
		func(fs []Frame) (int, error) {
			fs[0] = Frame{Data: []byte("b"), Time: 9, Len: 60}
			return 1, nil
		},
		func([]Frame) (int, error) { return 0, io.EOF },
	}})
	data, info, err := source.ZeroCopyReadPacketData()
	require.NoError(t, err)
	require.Equal(t, "longer", string(data))
	require.Equal(t, gopacket.CaptureInfo{
		Timestamp: time.Unix(0, 7).UTC(), CaptureLength: 6, Length: 6, InterfaceIndex: 3,
	}, info)
	_, _, err = source.ZeroCopyReadPacketData()
	require.Equal(t, damage, err)
	data, info, err = source.ZeroCopyReadPacketData()
	require.NoError(t, err, "a quiet line is no error")
	require.Equal(t, "b", string(data))
	require.Equal(t, 60, info.Length)
	_, _, err = source.ZeroCopyReadPacketData()
	require.Equal(t, io.EOF, err)
}

// TestThereAndBack: both adapters in a row change nothing.
func TestThereAndBack(t *testing.T) {
	b := newNg(le).iface(1, 99).iface(1, 99).packet(1, 7, 60, "one").packet(0, 8, 60, "two").b
	src, err := NewReader(bytes.NewReader(b), inputName, Config{})
	require.NoError(t, err)
	frames, errs := drain(t, FromGopacket(ToGopacket(src), 1), 10)
	require.Empty(t, errs)
	// Numbers go by first appearance here.
	require.Equal(t, []got{{7000, 60, 0, "one"}, {8000, 60, 1, "two"}}, frames)
}
