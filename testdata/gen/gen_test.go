package main

import (
	"bytes"
	"encoding/binary"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/stretchr/testify/require"
)

// unpack undoes pack by the ending of a file's name.
func unpack(t *testing.T, name string, b []byte) []byte {
	t.Helper()
	var r io.Reader = bytes.NewReader(b)
	var err error
	switch filepath.Ext(name) {
	case ".gz":
		r, err = gzip.NewReader(r)
	case ".zst":
		r, err = zstd.NewReader(r)
	case ".lz4":
		r = lz4.NewReader(r)
	}
	require.NoError(t, err)
	plain, err := io.ReadAll(r)
	require.NoError(t, err)
	return plain
}

// files are the plain contents of a directory's files.
func files(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	all := map[string][]byte{}
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		require.NoError(t, err)
		all[e.Name()] = unpack(t, e.Name(), b)
	}
	return all
}

func sameFiles(t *testing.T, want, got map[string][]byte) {
	t.Helper()
	for name := range want {
		require.Contains(t, got, name)
		require.True(t, bytes.Equal(want[name], got[name]), "%s differs", name)
	}
	require.Len(t, got, len(want))
}

func TestCapturesAreTheCommittedOnesEveryTime(t *testing.T) {
	one, two := t.TempDir(), t.TempDir()
	require.NoError(t, run([]string{"captures", "-o", one}))
	require.NoError(t, run([]string{"captures", "-o", two}))
	sameFiles(t, files(t, one), files(t, two))
	// compressed files are compared by content: another version of a
	// compressor may write other bytes
	sameFiles(t, files(t, one), files(t, filepath.Join("..", "captures")))

	size := 0
	entries, err := os.ReadDir(one)
	require.NoError(t, err)
	for _, e := range entries {
		info, err := e.Info()
		require.NoError(t, err)
		size += int(info.Size())
	}
	require.Less(t, size, 3_000_000, "bytes committed")
}

// packets walks a capture by its lengths alone and counts its packets.
func packets(t *testing.T, b []byte) (n int) {
	t.Helper()
	var o binary.ByteOrder = binary.LittleEndian
	if binary.BigEndian.Uint32(b) == 0xa1b2c3d4 {
		o = binary.BigEndian
	}
	last := uint64(0)
	count := func(time uint64, kept, size uint32) {
		require.LessOrEqual(t, kept, uint32(128))
		require.LessOrEqual(t, kept, size)
		require.LessOrEqual(t, last, time, "packet %d is out of order", n)
		last = time
		n++
	}
	if o.Uint32(b) != 0x0a0d0d0a {
		for b = b[24:]; len(b) > 0; b = b[16+o.Uint32(b[8:]):] {
			count(uint64(o.Uint32(b))<<32+uint64(o.Uint32(b[4:])), o.Uint32(b[8:]), o.Uint32(b[12:]))
		}
		return n
	}
	for len(b) > 0 {
		size := o.Uint32(b[4:])
		require.Zero(t, size%4)
		require.Equal(t, size, o.Uint32(b[size-4:]))
		if o.Uint32(b) == 6 {
			count(uint64(o.Uint32(b[12:]))<<32+uint64(o.Uint32(b[16:])), o.Uint32(b[20:]), o.Uint32(b[24:]))
		}
		b = b[size:]
	}
	return n
}

func TestCapturesAreWellFormed(t *testing.T) {
	stored := files(t, filepath.Join("..", "captures"))
	readme, err := os.ReadFile(filepath.Join("..", "README.md"))
	require.NoError(t, err)
	for _, c := range captures() {
		_, l := c.take()
		require.Equal(t, l.Packets, packets(t, stored[l.File]), l.File)
		require.Contains(t, string(readme), "`"+l.File+"`")
	}
}

// seen is a packet as an independent decoder reads it.
type seen struct {
	src, dst     netip.Addr
	technique    string
	sport, dport uint16
	synAck       bool
}

// read decodes a frame as far as the labels need it.
func read(t *testing.T, data []byte) (p seen) {
	t.Helper()
	pkt := gopacket.NewPacket(data, layers.LayerTypeEthernet, gopacket.Default)
	require.Nil(t, pkt.ErrorLayer(), "%v", pkt)
	addr := func(b []byte) netip.Addr {
		a, ok := netip.AddrFromSlice(b)
		require.True(t, ok)
		return a
	}
	for _, l := range pkt.Layers() {
		switch l := l.(type) {
		case *layers.ARP:
			p.src, p.dst = addr(l.SourceProtAddress), addr(l.DstProtAddress)
			if l.Operation == layers.ARPRequest {
				p.technique = "arp"
			}
		case *layers.IPv4:
			p.src, p.dst = addr(l.SrcIP), addr(l.DstIP)
		case *layers.IPv6:
			p.src, p.dst = addr(l.SrcIP), addr(l.DstIP)
		case *layers.ICMPv6NeighborSolicitation:
			p.technique, p.dst = "ndp", addr(l.TargetAddress)
		case *layers.ICMPv4:
			if l.TypeCode.Type() == layers.ICMPv4TypeEchoRequest {
				p.technique = "icmp-echo"
			}
		case *layers.UDP:
			p.technique, p.sport, p.dport = "udp", uint16(l.SrcPort), uint16(l.DstPort)
		case *layers.TCP:
			p.sport, p.dport = uint16(l.SrcPort), uint16(l.DstPort)
			p.synAck = l.SYN && l.ACK
			p.technique = probeOf(l)
		}
	}
	return p
}

// probeOf names the technique a segment could belong to.
func probeOf(l *layers.TCP) string {
	flags := l.Contents[13]
	switch {
	case flags == syn && len(l.Options) > 2:
		return "tcp-connect"
	case flags == syn:
		return "tcp-syn"
	case l.Window != 1024 || len(l.Payload) > 0:
		return ""
	}
	return map[uint8]string{0: "tcp-null", fin: "tcp-fin", fin | psh | urg: "tcp-xmas", fin | ack: "tcp-maimon", ack: "tcp-ack"}[flags]
}

func TestLabelsCountWhatThePacketsShow(t *testing.T) {
	for _, c := range captures() {
		frames, l := c.take()
		type side struct{ src, technique string }
		hosts, ports, all := map[side]map[netip.Addr]bool{}, map[side]map[uint16]bool{}, map[side]map[target]bool{}
		for _, f := range frames {
			p := read(t, f.data)
			k := side{p.src.String(), p.technique}
			if hosts[k] == nil {
				hosts[k], ports[k], all[k] = map[netip.Addr]bool{}, map[uint16]bool{}, map[target]bool{}
			}
			if p.technique == "udp" && p.dport == 53 && !strings.HasPrefix(p.src.String(), "203.") {
				continue // insiders ask their resolver
			}
			hosts[k][p.dst], all[k][target{p.dst, p.dport}] = true, true
			if p.dport != 0 {
				ports[k][p.dport] = true
			}
		}
		for _, want := range l.Scans {
			k := side{want.Src, want.Technique}
			got := label{
				Src: want.Src, Technique: want.Technique, Shape: shapeOf(len(hosts[k]), len(ports[k])),
				Hosts: len(hosts[k]), Ports: len(ports[k]), Targets: len(all[k]), Answered: want.Answered,
			}
			require.Equal(t, want, got, l.File)
		}
	}
}

// Nobody but the labelled scanners may reach ten unanswered targets of one
// kind, by the crudest count there is.
func TestOrdinaryHostsStayBelowTheLine(t *testing.T) {
	for _, c := range captures() {
		frames, l := c.take()
		scanners := map[string]bool{}
		for _, s := range l.Scans {
			scanners[s.Src] = true
		}
		type pair struct {
			src, dst netip.Addr
			port     uint16
		}
		asked, answered := map[pair]bool{}, map[pair]bool{}
		for _, f := range frames {
			p := read(t, f.data)
			if p.technique == "tcp-syn" || p.technique == "tcp-connect" {
				asked[pair{p.src, p.dst, p.dport}] = true
			}
			if p.synAck {
				answered[pair{p.dst, p.src, p.sport}] = true
			}
		}
		perPort, perHost := map[pair]int{}, map[pair]int{}
		for a := range asked {
			if answered[a] || scanners[a.src.String()] {
				continue
			}
			perPort[pair{a.src, netip.Addr{}, a.port}]++
			perHost[pair{a.src, a.dst, 0}]++
			require.Less(t, perPort[pair{a.src, netip.Addr{}, a.port}], 7, "%s: %v", l.File, a)
			require.Less(t, perHost[pair{a.src, a.dst, 0}], 7, "%s: %v", l.File, a)
		}
	}
}

func TestOnlyDocumentationAddresses(t *testing.T) {
	var allowed []netip.Prefix
	for _, s := range []string{
		"192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32", // documentation
		"224.0.0.251/32", "239.255.255.250/32", "255.255.255.255/32", "0.0.0.0/32", "ff02::/16", // what the protocols prescribe
	} {
		allowed = append(allowed, netip.MustParsePrefix(s))
	}
	known := map[netip.Addr]bool{}
	check := func(name string, a netip.Addr) {
		if known[a] {
			return
		}
		for _, p := range allowed {
			known[a] = known[a] || p.Contains(a)
		}
		require.True(t, known[a], "%s: %v", name, a)
	}
	for _, c := range captures() {
		frames, l := c.take()
		for _, f := range frames {
			p := read(t, f.data)
			check(l.File, p.src)
			check(l.File, p.dst)
		}
	}
}

func TestBenchFilesAreDeterministicAndCutAlike(t *testing.T) {
	one, two := t.TempDir(), t.TempDir()
	require.NoError(t, run([]string{"bench", "-o", one, "-packets", "30000"}))
	require.NoError(t, run([]string{"bench", "-o", two, "-packets", "30000"}))
	got := files(t, one)
	sameFiles(t, got, files(t, two))
	require.Len(t, got, 3)

	whole, cut := got["mix-680.pcap"][24:], got["mix-128.pcap"][24:]
	n, syns := 0, 0
	for ; len(whole) > 0; n++ {
		kept, size := binary.LittleEndian.Uint32(whole[8:]), binary.LittleEndian.Uint32(whole[12:])
		require.Equal(t, size, kept)
		short := binary.LittleEndian.Uint32(cut[8:])
		require.Equal(t, min(size, 128), short)
		require.True(t, bytes.Equal(whole[16:16+short], cut[16:16+short]))
		whole, cut = whole[16+kept:], cut[16+short:]
	}
	require.Equal(t, 30000, n)
	require.Empty(t, cut)

	for heavy := got["scan-heavy.pcap"][24:]; len(heavy) > 0; {
		kept := binary.LittleEndian.Uint32(heavy[8:])
		pkt := gopacket.NewPacket(heavy[16:16+kept], layers.LayerTypeEthernet, gopacket.NoCopy)
		if l, ok := pkt.Layer(layers.LayerTypeTCP).(*layers.TCP); ok && l.Contents[13] == syn && len(l.Options) == 1 {
			syns++
		}
		heavy = heavy[16+kept:]
	}
	require.InDelta(t, 12000, syns, 500, "scanners' SYNs, of 30000 packets")
}

func TestWrongArgumentsAreRefused(t *testing.T) {
	for _, args := range [][]string{nil, {"captures"}, {"nothing", "-o", t.TempDir()}, {"bench", "-o", t.TempDir(), "x"}} {
		require.ErrorIs(t, run(args), errUsage, "%v", args)
	}
}
