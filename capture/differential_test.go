package capture

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// drawPacket generates a packet with a time that is a multiple of unit.
func drawPacket(t *rapid.T, unit int64, ifaces int) ([]byte, gopacket.CaptureInfo) {
	data := rapid.SliceOfN(rapid.Byte(), 0, 200).Draw(t, "data")
	ns := rapid.Int64Range(0, 4_000_000_000*second).Draw(t, "time") / unit * unit
	return data, gopacket.CaptureInfo{
		Timestamp:      time.Unix(0, ns).UTC(),
		CaptureLength:  len(data),
		Length:         len(data) + rapid.IntRange(0, 2000).Draw(t, "cut"),
		InterfaceIndex: rapid.IntRange(0, ifaces-1).Draw(t, "interface"),
	}
}

type packetWriter interface {
	WritePacket(gopacket.CaptureInfo, []byte) error
}

// write writes generated packets and returns what must be read.
func write(t *rapid.T, w packetWriter, unit int64, ifaces int) (want []got) {
	for range rapid.IntRange(0, 30).Draw(t, "packets") {
		data, info := drawPacket(t, unit, ifaces)
		require.NoError(t, w.WritePacket(info, data))
		want = append(want, got{info.Timestamp.UnixNano(), uint32(info.Length), uint32(info.InterfaceIndex), string(data)})
	}
	return want
}

// compare reads b with our reader and with pcapgo.
func compare(t *testing.T, rt *rapid.T, want []got, b []byte) {
	ours, err := NewReader(bytes.NewReader(b), inputName, Config{})
	require.NoError(rt, err)
	frames, errs := drain(t, ours, rapid.IntRange(1, 40).Draw(rt, "batch"))
	require.Empty(rt, errs)
	require.Equal(rt, want, frames)

	frames, errs = drain(t, pcapgoSource(t, b), 1)
	require.Empty(rt, errs)
	require.Len(rt, frames, len(want))
	for i := range frames {
		frames[i].iface = want[i].iface // numbered by appearance there
	}
	require.Equal(rt, want, frames)
}

func TestSameAsPcapgo(t *testing.T) {
	t.Run("pcap", func(t *testing.T) {
		rapid.Check(t, func(rt *rapid.T) {
			var b bytes.Buffer
			w, unit := pcapgo.NewWriter(&b), int64(1000)
			if rapid.Bool().Draw(rt, "nanoseconds") {
				w, unit = pcapgo.NewWriterNanos(&b), 1
			}
			require.NoError(rt, w.WriteFileHeader(65536, layers.LinkTypeEthernet))
			want := write(rt, w, unit, 1)
			compare(t, rt, want, b.Bytes())
		})
	})
	t.Run("pcapng", func(t *testing.T) {
		rapid.Check(t, func(rt *rapid.T) {
			var b bytes.Buffer
			w, err := pcapgo.NewNgWriter(&b, layers.LinkTypeEthernet)
			require.NoError(rt, err)
			ifaces := rapid.IntRange(1, 4).Draw(rt, "interfaces")
			for i := 1; i < ifaces; i++ {
				_, err := w.AddInterface(pcapgo.NgInterface{
					Name:                "if" + strconv.Itoa(i),
					LinkType:            rapid.SampledFrom([]layers.LinkType{layers.LinkTypeEthernet, layers.LinkTypeRaw}).Draw(rt, "link"),
					TimestampResolution: 9,
				})
				require.NoError(rt, err)
			}
			want := write(rt, w, 1, ifaces)
			require.NoError(rt, w.Flush())
			compare(t, rt, want, b.Bytes())
		})
	})
}

// TestSameAsTshark reads the well-formed crafted files with tshark.
func TestSameAsTshark(t *testing.T) {
	tshark, err := exec.LookPath("tshark")
	if err != nil {
		t.Skip("tshark is not installed")
	}
	for _, s := range samples() {
		if !s.tshark {
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			name := filepath.Join(t.TempDir(), "capture")
			require.NoError(t, os.WriteFile(name, s.file, 0o600))
			var problems bytes.Buffer
			cmd := exec.Command(tshark, "-n", "-r", name, "-T", "fields",
				"-e", "frame.time_epoch", "-e", "frame.cap_len", "-e", "frame.len")
			cmd.Stderr = &problems
			out, err := cmd.Output()
			require.NoError(t, err, problems.String())
			var want strings.Builder
			for _, f := range s.want {
				whole, frac := f.time/second, f.time%second
				want.WriteString(strconv.FormatInt(whole, 10) + "." + pad9(frac))
				want.WriteString("\t" + strconv.Itoa(len(f.data)) + "\t" + strconv.Itoa(int(f.length)) + "\n")
			}
			require.Equal(t, want.String(), string(out))
		})
	}
}

func pad9(n int64) string {
	s := strconv.FormatInt(n, 10)
	return strings.Repeat("0", 9-len(s)) + s
}
