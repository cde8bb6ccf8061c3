package flows

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// beyond says why tshark 4.0 does not read a frame of a seldom link as the
// decoder does.
type beyond uint8

const (
	nothingBeyond beyond = iota
	tcpdumpReads         // but tcpdump does
	neitherReads
)

// linksBeyondTshark are the crafted frames that tshark reads otherwise.
func linksBeyondTshark(name string) beyond {
	switch name {
	case "ppp, direction in the address", "slip", "slip v6", "ipnet v6",
		"broadcom", "broadcom in front", "dsa", "dsa in a vlan", "edsa":
		return tcpdumpReads
	case "ppp multilink", "ppp multilink, more to come", "first fragment": // it reassembles
		return neitherReads
	case "cisco hdlc behind a direction", "frame relay behind a direction", "pktap big-endian", "nflog big-endian": // it knows no such thing
		return neitherReads
	case "802.11 under sll", "prism under sll", "cisco metadata with two options":
		return neitherReads
	case "decrypted", "decrypted behind its initialisation vector", "aggregate, decrypted": // a preference
		return neitherReads
	case "fabricpath": // it takes the last four bytes for the frame check sequence
		return neitherReads
	}
	return nothingBeyond
}

func seldomLinks() []decodeCase {
	return slices.Concat(serialCases(), wifiCases(), logCases(), specialCases(), tagCases())
}

// TestDecodeOfSeldomLinksAgreesWithTshark compares packets from every link,
// field by field.
func TestDecodeOfSeldomLinksAgreesWithTshark(t *testing.T) {
	var frames []seed
	for _, c := range seldomLinks() {
		if linksBeyondTshark(c.name) == nothingBeyond {
			frames = append(frames, seed{c.name, c.link, c.data})
		}
	}
	require.Greater(t, len(frames), 80)
	file := filepath.Join(t.TempDir(), "frames.pcapng")
	require.NoError(t, os.WriteFile(file, pcapngOf(frames), 0o600))
	rows := tshark(t, file)
	require.Len(t, rows, len(frames))
	for i, f := range frames {
		t.Run(f.name, func(t *testing.T) {
			p := mustDecode(t, f.link, f.data)
			for _, within := range []string{"wlan.sa", "ieee8021ah.csrc"} {
				rows[i]["eth.src"] = append(rows[i]["eth.src"], rows[i][within]...)
			}
			if src := rows[i]["eth.src"]; len(src) > 1 {
				rows[i]["eth.src"] = src[len(src)-1:]
			}
			require.Empty(t, rows[i].differences(&p), "link type %d: %x", f.link, f.data)
		})
	}
}

func TestDecodeOfSeldomLinksAgreesWithTcpdump(t *testing.T) {
	path, err := exec.LookPath("tcpdump")
	if err != nil {
		require.NotEqual(t, "1", os.Getenv("SYNOPTIC_REQUIRE_LAB"), "tcpdump is not installed")
		t.Skip("tcpdump is not installed")
	}
	for _, c := range seldomLinks() {
		if linksBeyondTshark(c.name) != tcpdumpReads {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			p := mustDecode(t, c.link, c.data)
			out, err := exec.Command(path, "-n", "-r", pcapOf(t, c.link, c.data)).Output()
			require.NoError(t, err)
			want := fmt.Sprintf("%v.%d > %v.%d: Flags [S], seq %d", Addr(p.Src), p.SrcPort, Addr(p.Dst), p.DstPort, p.Seq)
			require.Contains(t, string(out), want)
			if p.VLAN != 0 {
				require.Contains(t, strings.ToLower(string(out)), fmt.Sprintf("vlan %d", p.VLAN))
			}
		})
	}
}

// pcapOf writes a capture of one frame and returns its name.
func pcapOf(t *testing.T, link uint16, data []byte) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "frame.pcap")
	b := unhex("d4c3b2a1 0200 0400 00000000 00000000 ffff0000")
	b = append(b, byte(link), byte(link>>8), 0, 0)
	b = append(b, make([]byte, 8)...)
	for range 2 {
		b = append(b, byte(len(data)), byte(len(data)>>8), 0, 0)
	}
	require.NoError(t, os.WriteFile(name, append(b, data...), 0o600))
	return name
}
