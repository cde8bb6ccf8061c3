package sensor_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// pcapngOf is a capture with one interface a frame, so that link types mix.
func pcapngOf(links []uint16, frames [][]byte) []byte {
	block := func(kind int, parts ...[]byte) []byte {
		body := slices.Concat(parts...)
		body = append(body, make([]byte, -len(body)&3)...)
		n := le32(12 + len(body))
		return slices.Concat(le32(kind), n, body, n)
	}
	out := block(0x0a0d0d0a, le32(0x1a2b3c4d), le16(1), le16(0), le32(-1), le32(-1))
	for _, l := range links {
		out = append(out, block(1, le16(int(l)), le16(0), le32(0))...)
	}
	for i, f := range frames {
		out = append(out, block(6, le32(i), le32(0), le32(i), le32(len(f)), le32(len(f)), f)...)
	}
	return out
}

// beyondTshark are the wrappings that tshark 4.0 reads otherwise.
func beyondTshark(name string) bool {
	switch name {
	case "NULL of Linux": // it knows the families of the BSDs
		return true
	case "pseudowire", "pseudowire, two labels", "pseudowire, address e8-40-f2", "pseudowire, address 00-1b-21":
		// It takes a first digit of 0 for a control word, and must be told what other labels mean.
		return true
	}
	return false
}

// TestWrappingsAreWhatTsharkReads proves the wrappings of these tests: another
// program finds the probe in each of them.
func TestWrappingsAreWhatTsharkReads(t *testing.T) {
	t.Parallel()
	path, err := exec.LookPath("tshark")
	if err != nil {
		require.NotEqual(t, "1", os.Getenv("SYNOPTIC_REQUIRE_LAB"), "tshark is not installed")
		t.Skip("tshark is not installed")
	}
	var names []string
	var numbers []uint16
	var all [][]byte
	var want []string
	for _, w := range append(links(), tunnels()...) {
		for _, s := range []scan{{}, {six: true}} {
			if !w.carries(s.six) || beyondTshark(w.name) {
				continue
			}
			f, _ := w.wrap(s.packets()[0])
			names, numbers, all = append(names, w.name+", "+s.String()), append(numbers, w.link), append(all, f)
			want = append(want, s.source().String()+" "+s.target(0).Addr().String()+" 54321 20 0x0002")
		}
	}
	file := filepath.Join(t.TempDir(), "wrapped.pcapng")
	require.NoError(t, os.WriteFile(file, pcapngOf(numbers, all), 0o600))
	args := []string{"-r", file, "-n", "-d", "udp.port==8472,vxlan", "-T", "fields", "-E", "separator=/t", "-E", "occurrence=l"}
	for _, f := range []string{"frame.protocols", "ip.src", "ip.dst", "ipv6.src", "ipv6.dst", "tcp.srcport", "tcp.dstport", "tcp.flags"} {
		args = append(args, "-e", f)
	}
	out, err := exec.Command(path, args...).Output()
	require.NoError(t, err)
	rows := bytes.Split(bytes.TrimRight(out, "\n"), []byte("\n"))
	require.Len(t, rows, len(all))
	for i, row := range rows {
		v := strings.Split(string(row), "\t")
		src, dst := v[1], v[2]
		protocols := strings.Split(v[0], ":")
		slices.Reverse(protocols)
		if at := slices.Index(protocols, "ip"); at < 0 || slices.Contains(protocols[:at], "ipv6") {
			src, dst = v[3], v[4]
		}
		if got := strings.Join([]string{src, dst, v[5], v[6], v[7]}, " "); got != want[i] {
			t.Errorf("%s: %s, got %s (%s): %x", names[i], want[i], got, v[0], all[i])
		}
	}
}
