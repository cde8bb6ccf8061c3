package filter

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/bpf"

	"github.com/synoptic-ids/synoptic/capture"
	"github.com/synoptic-ids/synoptic/flows"
)

// captureFiles are the project's own captures, and those of the directory in
// SYNOPTIC_CORPUS.
func captureFiles(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("../../testdata/captures/*.pcap*")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	if corpus := os.Getenv("SYNOPTIC_CORPUS"); corpus != "" {
		more, err := filepath.Glob(filepath.Join(corpus, "*", "*.pcap*"))
		require.NoError(t, err)
		files = append(files, more...)
	}
	return files
}

// TestPrefilterOnCaptures holds what TestPrefilterPassesWhatMatches holds, on
// traffic of captures, and with the carriers of tunnels tested too.
func TestPrefilterOnCaptures(t *testing.T) {
	const most = 150 // frames of a capture
	var filters []*Filter
	for i := 0; i < len(parts); i += 4 {
		filters = append(filters, mustParse(t, "not ("+parts[i]+")"), mustParse(t, parts[i]))
	}
	sockets := map[uint16][]*bpf.VM{}
	frames := make([]capture.Frame, 16)
	tested := 0
	for _, file := range captureFiles(t) {
		src, err := capture.Open(file, capture.Config{})
		if err != nil {
			continue
		}
		decoder := flows.NewDecoder(flows.DecoderConfig{Tunnels: flows.TunnelsBoth})
		for read := 0; read < most; {
			n, err := src.Read(frames)
			read += n
			for _, f := range frames[:n] {
				link := src.Link(f.Iface)
				if sockets[link] == nil {
					for _, f := range filters {
						sockets[link] = append(sockets[link], socket(t, prefilter(t, f, link), false, 0))
					}
				}
				// A socket sees frames before they are cut; what was cut off may be anything.
				whole := slices.Concat(f.Data, make([]byte, max(0, int(f.Len)-len(f.Data))))
				meta := flows.Meta{Time: f.Time, Iface: f.Iface, Len: f.Len, Link: link}
				for _, p := range decoder.Append(nil, f.Data, meta) {
					for i, filter := range filters {
						if filter.Match(&p, f.Data, meta) {
							tested++
							require.True(t, run(t, sockets[link][i], whole), "%s: %s of % x", file, filter, f.Data)
						}
					}
				}
			}
			var damage *capture.DamageError
			if errors.Is(err, io.EOF) || err != nil && !errors.As(err, &damage) {
				break
			}
		}
		require.NoError(t, src.Close())
	}
	t.Logf("%d packets fit", tested)
	require.Positive(t, tested)
}

// TestTunnelPorts holds that the ports at which the decoder finds packets inside
// datagrams are those that a prefilter passes.
func TestTunnelPorts(t *testing.T) {
	l3 := synTo80()
	six := ipv6(hosts6[0], hosts6[1], ipTCP, 64, l3[20:])
	payloads := [][]byte{
		cat([]byte{8, 0, 0, 0, 0, 0, 7, 0}, frameOf(typeIPv4, l3)),       // VXLAN
		cat([]byte{0x0c, 0, 0, 1, 0, 0, 7, 0}, l3),                       // VXLAN-GPE
		cat([]byte{0, 0, 0x65, 0x58, 0, 0, 7, 0}, frameOf(typeIPv4, l3)), // Geneve
		cat([]byte{0x30, 0xff}, be16(uint16(len(l3))), be32(5), l3),      // GTP-U
		six,                              // Teredo
		cat(be32(100<<12|0x140), l3),     // MPLS
		cat(be16(0), be16(typeIPv4), l3), // GRE
		l3,                               // IP
		cat([]byte{0x44, 0x52, 0x11, 41}, make([]byte, 4+16+20), six),     // AYIYA
		cat(be16(0x0002), be16(1), be16(1), []byte{0xff, 3, 0, 0x21}, l3), // L2TP
	}
	found := map[uint32]bool{}
	var packets []flows.Packet
	decoder := flows.NewDecoder(flows.DecoderConfig{})
	for _, payload := range payloads {
		for p := range 9000 {
			for _, ends := range [2][2]int{{p, 40000}, {40000, p}} {
				udp := cat(be16(uint16(ends[0])), be16(uint16(ends[1])), be16(uint16(8+len(payload))), be16(0), payload)
				frame := ipv4(hosts4[0], hosts4[1], ipUDP, 0, 0, 64, udp)
				packets = decoder.Append(packets[:0], frame, flows.Meta{Link: 101, Len: uint32(len(frame))})
				if len(packets) > 0 && (packets[0].Depth > 0 || packets[0].Has(flows.MarkCarrier)) {
					require.True(t, slices.Contains(tunnelPorts[:], uint32(p)), "port %d", p)
					found[uint32(p)] = true
				}
			}
		}
	}
	require.GreaterOrEqual(t, len(found), 7, "%v", found)
}
