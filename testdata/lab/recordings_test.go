package lab

import (
	"errors"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/capture"
)

const recordings = "recordings"

func recording(name string) string { return filepath.Join(recordings, name+".pcap") }

func TestRecordings(t *testing.T) {
	var rows []row
	for _, sn := range scenarios() {
		t.Run(sn.name, func(t *testing.T) {
			records := replay(t, recording(sn.name))
			rows = append(rows, rowsOf(sn, closedScans(records))...)
			check(t, sn, records)
		})
	}
	requireSoon(t, rows)
}

func TestEveryRecordingIsDescribedAndSmall(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	entries, err := os.ReadDir(recordings)
	require.NoError(t, err)
	var have, want []string
	for _, e := range entries {
		have = append(have, e.Name())
	}
	for _, sn := range scenarios() {
		want = append(want, sn.name+".pcap")
		line := "| `" + sn.name + ".pcap` | "
		require.Equal(t, 1, strings.Count(string(readme), line), "line %q in README.md", line)
	}
	require.ElementsMatch(t, want, have)
	requireSmall(t, recordings)
}

// requireSmall bounds what may be committed.
func requireSmall(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	size := int64(0)
	for _, e := range entries {
		info, err := e.Info()
		require.NoError(t, err)
		size += info.Size()
	}
	require.LessOrEqual(t, size, int64(1_500_000), "bytes in %s", dir)
}

func TestRecordingsHoldDocumentationAddressesOnly(t *testing.T) {
	for _, sn := range scenarios() {
		src, err := capture.Open(recording(sn.name), capture.Config{})
		require.NoError(t, err)
		frames := make([]capture.Frame, 256)
		for {
			n, err := src.Read(frames)
			for _, f := range frames[:n] {
				for _, a := range addresses(t, f.Data) {
					require.True(t, documentary(a), "%s: %s", sn.name, a)
				}
			}
			if errors.Is(err, io.EOF) {
				break
			}
			require.NoError(t, err)
		}
		require.NoError(t, src.Close())
	}
}

// addresses are those of a packet's ARP or IP header.
func addresses(t *testing.T, data []byte) []netip.Addr {
	t.Helper()
	var raw [][]byte
	packet := gopacket.NewPacket(data, layers.LayerTypeEthernet, gopacket.DecodeOptions{Lazy: true, NoCopy: true})
	if arp, ok := packet.Layer(layers.LayerTypeARP).(*layers.ARP); ok {
		raw = append(raw, arp.SourceProtAddress, arp.DstProtAddress)
	} else {
		require.NotNil(t, packet.NetworkLayer(), "neither ARP nor IP: %x", data)
		flow := packet.NetworkLayer().NetworkFlow()
		raw = append(raw, flow.Src().Raw(), flow.Dst().Raw())
	}
	var addrs []netip.Addr
	for _, b := range raw {
		a, ok := netip.AddrFromSlice(b)
		require.True(t, ok)
		addrs = append(addrs, a)
	}
	return addrs
}

// documentary reports whether an address is set aside for documentation
// (RFC 5737, RFC 3849) or means nothing beyond its link.
func documentary(a netip.Addr) bool {
	for _, p := range []string{"192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32"} {
		if netip.MustParsePrefix(p).Contains(a) {
			return true
		}
	}
	return a.IsUnspecified() || a.IsLinkLocalUnicast() || a.IsLinkLocalMulticast()
}
