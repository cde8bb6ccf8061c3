package capture

import (
	"bufio"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/pcapgo"
	"github.com/stretchr/testify/require"
)

const benchPackets = 400_000

// benchData is the usual mixture of short and full frames.
func benchData(i int) string {
	size := 60
	switch {
	case i%20 == 0:
		size = 1514
	case i%5 == 0:
		size = 62 + i%100
	}
	return strings.Repeat("x", size)
}

func benchFile(b *testing.B, kind string) (name string, size int64) {
	b.Helper()
	name = filepath.Join(b.TempDir(), "capture")
	file, err := os.Create(name)
	require.NoError(b, err)
	w := bufio.NewWriter(file)
	if kind == "pcap" {
		_, err = w.Write(pcapFile{network: 1, snaplen: 65535}.bytes())
		require.NoError(b, err)
		for i := range benchPackets {
			data := benchData(i)
			_, err = w.Write(pcapFile{records: []record{rec(uint32(i), 7, uint32(len(data)), data)}}.bytes()[pcapHeader:])
			require.NoError(b, err)
		}
	} else {
		n := newNg(le).iface(1, 65535)
		for i := range benchPackets {
			data := benchData(i)
			n.packet(0, uint64(i)*1e6, uint32(len(data)), data)
			_, err = w.Write(n.b)
			require.NoError(b, err)
			n.b = n.b[:0]
		}
	}
	require.NoError(b, w.Flush())
	info, err := file.Stat()
	require.NoError(b, err)
	require.NoError(b, file.Close())
	return name, info.Size()
}

// BenchmarkRead prints nanoseconds per packet beside pcapgo's zero-copy
// readers on the same file. "cat" only reads it.
func BenchmarkRead(b *testing.B) {
	for _, kind := range []string{"pcap", "pcapng"} {
		name, size := benchFile(b, kind)
		run := func(what string, read func(b *testing.B) int) {
			b.Run(kind+"/"+what, func(b *testing.B) {
				b.ReportAllocs()
				b.SetBytes(size)
				for b.Loop() {
					require.Equal(b, benchPackets, read(b))
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchPackets, "ns/packet")
			})
		}
		run("ours", func(b *testing.B) int { return benchOurs(b, name) })
		run("pcapgo", func(b *testing.B) int { return benchPcapgo(b, name, kind) })
		run("cat", func(b *testing.B) int {
			file, err := os.Open(name)
			require.NoError(b, err)
			defer file.Close()
			_, err = io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{file}, make([]byte, readSize))
			require.NoError(b, err)
			return benchPackets
		})
	}
}

func benchOurs(b *testing.B, name string) (packets int) {
	src, err := Open(name, Config{})
	require.NoError(b, err)
	defer src.Close()
	fs := make([]Frame, 256)
	for {
		n, err := src.Read(fs)
		packets += n
		if err == io.EOF {
			return packets
		}
		require.NoError(b, err)
	}
}

func benchPcapgo(b *testing.B, name, kind string) (packets int) {
	file, err := os.Open(name)
	require.NoError(b, err)
	defer file.Close()
	var r gopacket.ZeroCopyPacketDataSource
	if kind == "pcap" {
		r, err = pcapgo.NewReader(bufio.NewReaderSize(file, 1<<20))
	} else {
		r, err = pcapgo.NewNgReader(bufio.NewReaderSize(file, 1<<20), pcapgo.DefaultNgReaderOptions)
	}
	require.NoError(b, err)
	for {
		_, _, err := r.ZeroCopyReadPacketData()
		if err == io.EOF {
			return packets
		}
		require.NoError(b, err)
		packets++
	}
}
