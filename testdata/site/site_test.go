package site_test

import (
	"bytes"
	"io"
	"net/netip"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/capture"
	"github.com/synoptic-ids/synoptic/testdata/site"
)

// each reads a day to its end, in batches of n.
func each(t *testing.T, s *site.Site, n int, look func(capture.Frame)) (packets uint64) {
	t.Helper()
	fs := make([]capture.Frame, n)
	for {
		k, err := s.Read(fs)
		for _, f := range fs[:k] {
			look(f)
		}
		packets += uint64(k)
		if err == io.EOF {
			return packets
		}
		require.NoError(t, err)
	}
}

func morning(seed uint64) *site.Site {
	return site.New(site.Config{Seed: seed, From: 2 * time.Hour, For: 20 * time.Minute})
}

// sum folds a day into a number.
func sum(t *testing.T, s *site.Site, batch int) (total uint64) {
	t.Helper()
	each(t, s, batch, func(f capture.Frame) {
		total = total*31 + uint64(f.Time)
		for _, b := range f.Data {
			total = total*31 + uint64(b)
		}
	})
	return total
}

func TestOneSeedIsOneDay(t *testing.T) {
	want := sum(t, morning(1), 256)
	require.Equal(t, want, sum(t, morning(1), 7))
	require.NotEqual(t, want, sum(t, morning(2), 256))
}

func TestPacketsAreInOrderAndWellFormed(t *testing.T) {
	s := morning(0)
	var last int64
	n, counted := 0, map[gopacket.LayerType]int{}
	packets := each(t, s, 256, func(f capture.Frame) {
		if f.Time < last {
			t.Fatal("packets are out of order")
		}
		last = f.Time
		if n++; n%4 != 0 {
			return
		}
		p := gopacket.NewPacket(bytes.Clone(f.Data), layers.LayerTypeEthernet, gopacket.NoCopy)
		for _, l := range p.Layers() {
			counted[l.LayerType()]++
		}
		requireOwn(t, p)
		requireSums(t, p, f)
	})
	require.Greater(t, packets, uint64(50_000))
	for _, l := range []gopacket.LayerType{
		layers.LayerTypeTCP, layers.LayerTypeUDP, layers.LayerTypeICMPv4, layers.LayerTypeICMPv6, layers.LayerTypeARP, layers.LayerTypeIPv6,
	} {
		require.Greater(t, counted[l], 30, "%v", l)
	}
	stats, err := s.Stats()
	require.NoError(t, err)
	require.Equal(t, packets, stats.Packets)
}

// requireOwn checks that only addresses occur that nobody on the Internet has.
func requireOwn(t *testing.T, p gopacket.Packet) {
	t.Helper()
	if p.NetworkLayer() == nil {
		return
	}
	flow := p.NetworkLayer().NetworkFlow()
	for _, e := range []gopacket.Endpoint{flow.Src(), flow.Dst()} {
		a, _ := netip.AddrFromSlice(e.Raw())
		if a.IsPrivate() || a.IsMulticast() || a.IsUnspecified() || a == netip.AddrFrom4([4]byte{255, 255, 255, 255}) {
			continue
		}
		ok := false
		for _, own := range []string{"192.0.2.0/24", "203.0.113.0/24", "198.18.0.0/15", "240.0.0.0/4", "2001:db8::/32"} {
			ok = ok || netip.MustParsePrefix(own).Contains(a)
		}
		require.True(t, ok, "%v", a)
	}
}

// requireSums checks lengths and checksums as far as the packet was kept.
func requireSums(t *testing.T, p gopacket.Packet, f capture.Frame) {
	t.Helper()
	if ip, ok := p.Layer(layers.LayerTypeIPv4).(*layers.IPv4); ok {
		require.LessOrEqual(t, int(ip.Length)+14, int(max(f.Len, 60)))
	}
	tcp, ok := p.Layer(layers.LayerTypeTCP).(*layers.TCP)
	if !ok || int(f.Len) != len(f.Data) || p.Layer(layers.LayerTypeIPv6) != nil {
		return
	}
	ip := p.Layer(layers.LayerTypeIPv4).(*layers.IPv4)
	want := tcp.Checksum
	body := bytes.Clone(ip.Payload)
	body[16], body[17] = 0, 0
	require.Equal(t, want, checksum(ip, body), "%v", p)
}

func checksum(ip *layers.IPv4, b []byte) uint16 {
	sum := uint32(ip.Protocol) + uint32(len(b))
	for _, part := range [][]byte{ip.SrcIP.To4(), ip.DstIP.To4(), b} {
		for i, c := range part {
			sum += uint32(c) << (8 * (1 - i%2))
		}
	}
	for sum > 0xffff {
		sum = sum&0xffff + sum>>16
	}
	return ^uint16(sum)
}

func TestClosedSourceEnds(t *testing.T) {
	s := morning(0)
	fs := make([]capture.Frame, 8)
	n, err := s.Read(fs)
	require.NoError(t, err)
	require.Equal(t, 8, n)
	require.NoError(t, s.Close())
	_, err = s.Read(fs)
	require.Error(t, err)
}
