package sensor_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/capture"
	"github.com/synoptic-ids/synoptic/detect"
	"github.com/synoptic-ids/synoptic/detect/sensor"
	"github.com/synoptic-ids/synoptic/flows"
)

// captures are the project's own, which every machine has.
func captures(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("../../testdata/captures/*.pcap*")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	return files
}

// said is everything a run says of scans, notices and attempts, as bytes.
func said(t *testing.T, src capture.Source, cfg sensor.Config) string {
	t.Helper()
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	cfg.OnScan = func(s detect.Scan) { require.NoError(t, enc.Encode(s)) }
	cfg.OnNotice = func(n detect.Notice) { require.NoError(t, enc.Encode(n)) }
	cfg.OnAttempt = func(a flows.Attempt) {
		a.Iface = 0 // a file cut in two may number its interfaces otherwise
		require.NoError(t, enc.Encode(a))
	}
	s, err := sensor.New(cfg)
	require.NoError(t, err)
	sum, err := s.Run(context.Background(), src)
	require.NoError(t, err)
	require.Empty(t, sum.Refused)
	require.Empty(t, sum.Damage)
	require.NoError(t, src.Close())
	return out.String()
}

func open(t *testing.T, names ...string) capture.Source {
	t.Helper()
	src, err := capture.Join(names, capture.Config{})
	require.NoError(t, err)
	return src
}

func TestSameForAnyBatch(t *testing.T) {
	for _, file := range captures(t) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			want := said(t, open(t, file), sensor.Config{})
			require.Equal(t, want, said(t, open(t, file), sensor.Config{}), "a second time")
			for _, batch := range []int{1, 7, 256, 4096} {
				require.Equal(t, want, said(t, open(t, file), sensor.Config{Batch: batch}), "batch %d", batch)
				require.Equal(t, want, said(t, open(t, file), sensor.Config{Batch: batch, Inline: true}), "inline, batch %d", batch)
			}
		})
	}
}

func TestSameOnOneProcessor(t *testing.T) {
	file := "../../testdata/captures/scan-day.pcapng"
	want := said(t, open(t, file), sensor.Config{})
	procs := runtime.GOMAXPROCS(1)
	defer runtime.GOMAXPROCS(procs)
	require.Equal(t, want, said(t, open(t, file), sensor.Config{}))
}

// frame is a captured packet with its data kept.
type frame struct {
	capture.Frame
	link uint16
}

func frames(t *testing.T, file string) []frame {
	t.Helper()
	src := open(t, file)
	defer src.Close()
	var all []frame
	fs := make([]capture.Frame, 64)
	for {
		n, err := src.Read(fs)
		for _, f := range fs[:n] {
			f.Data = bytes.Clone(f.Data)
			all = append(all, frame{f, src.Link(f.Iface)})
		}
		if err == io.EOF {
			return all
		}
		require.NoError(t, err)
	}
}

func asPcap(t *testing.T, fs []frame) []byte {
	t.Helper()
	var out bytes.Buffer
	w := pcapgo.NewWriterNanos(&out)
	require.NoError(t, w.WriteFileHeader(1<<18, layers.LinkType(fs[0].link)))
	for _, f := range fs {
		require.NoError(t, w.WritePacket(info(f), f.Data))
	}
	return out.Bytes()
}

func asPcapng(t *testing.T, fs []frame) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := pcapgo.NewNgWriter(&out, layers.LinkType(fs[0].link))
	require.NoError(t, err)
	for _, f := range fs {
		require.NoError(t, w.WritePacket(info(f), f.Data))
	}
	require.NoError(t, w.Flush())
	return out.Bytes()
}

func info(f frame) gopacket.CaptureInfo {
	return gopacket.CaptureInfo{
		Timestamp: time.Unix(0, f.Time).UTC(), CaptureLength: len(f.Data), Length: max(int(f.Len), len(f.Data)),
	}
}

func packed(t *testing.T, plain []byte, wrap func(io.Writer) io.WriteCloser) []byte {
	t.Helper()
	var out bytes.Buffer
	w := wrap(&out)
	_, err := w.Write(plain)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return out.Bytes()
}

func read(t *testing.T, data []byte) capture.Source {
	t.Helper()
	src, err := capture.NewReader(bytes.NewReader(data), "-", capture.Config{})
	require.NoError(t, err)
	return src
}

func TestSameForAnyWrapping(t *testing.T) {
	for _, file := range captures(t) {
		fs := frames(t, file)
		if fs[0].link > 255 {
			continue // gopacket's writers cannot say so
		}
		t.Run(filepath.Base(file), func(t *testing.T) {
			want := said(t, open(t, file), sensor.Config{})
			plain := asPcap(t, fs)
			require.Equal(t, want, said(t, read(t, plain), sensor.Config{}), "pcap")
			require.Equal(t, want, said(t, read(t, asPcapng(t, fs)), sensor.Config{}), "pcapng")
			for name, wrap := range map[string]func(io.Writer) io.WriteCloser{
				"gz": func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) },
				"zst": func(w io.Writer) io.WriteCloser {
					z, err := zstd.NewWriter(w)
					require.NoError(t, err)
					return z
				},
				"lz4": func(w io.Writer) io.WriteCloser { return lz4.NewWriter(w) },
			} {
				require.Equal(t, want, said(t, read(t, packed(t, plain, wrap)), sensor.Config{}), name)
			}
			stdin := io.NopCloser(strings.NewReader(string(plain)))
			src, err := capture.Open("-", capture.Config{Stdin: stdin})
			require.NoError(t, err)
			require.Equal(t, want, said(t, src, sensor.Config{}), "stdin")
			dir := t.TempDir()
			for _, at := range []int{1, len(fs) / 3, len(fs) - 1} {
				first, second := filepath.Join(dir, "1.pcap"), filepath.Join(dir, "2.pcap")
				require.NoError(t, os.WriteFile(first, asPcap(t, fs[:at]), 0o600))
				require.NoError(t, os.WriteFile(second, asPcap(t, fs[at:]), 0o600))
				require.Equal(t, want, said(t, open(t, first, second), sensor.Config{}), "cut at %d", at)
			}
		})
	}
}

// TestGopacketSource feeds the line from gopacket's own reader.
func TestGopacketSource(t *testing.T) {
	file := "../../testdata/captures/syn-vertical.pcap"
	want := said(t, open(t, file), sensor.Config{})
	f, err := os.Open(file)
	require.NoError(t, err)
	defer f.Close()
	r, err := pcapgo.NewReader(f)
	require.NoError(t, err)
	require.Equal(t, want, said(t, capture.FromGopacket(r, uint16(r.LinkType())), sensor.Config{}))
}
