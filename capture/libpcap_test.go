//go:build libpcap

package capture

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestLibpcapReadsTheSame reads every capture of testdata that libpcap can read
// with libpcap and with our readers.
func TestLibpcapReadsTheSame(t *testing.T) {
	var names []string
	for _, pattern := range []string{"captures/*.pcap", "captures/*.pcapng", "lab/recordings/*.pcap"} {
		found, err := filepath.Glob(filepath.Join("..", "testdata", pattern))
		require.NoError(t, err)
		require.NotEmpty(t, found, pattern)
		names = append(names, found...)
	}
	for _, name := range names {
		ours, err := Open(name, Config{})
		require.NoError(t, err)
		want, errs := drain(t, ours, 100)
		require.Empty(t, errs)
		theirs, err := OpenLibpcapFile(name)
		require.NoError(t, err)
		frames, errs := drain(t, theirs, 100)
		require.Empty(t, errs)
		require.Len(t, frames, len(want), name)
		for i := range want {
			frames[i].iface = want[i].iface // libpcap tells no interfaces
			require.Equal(t, want[i], frames[i], "%s: packet %d", name, i)
		}
		require.Equal(t, ours.Link(0), theirs.Link(0), name)
		require.NoError(t, errors.Join(ours.Close(), theirs.Close()))
	}
}

// TestLibpcapLinks: gopacket keeps 8 bits of a link type; all 16 are told.
func TestLibpcapLinks(t *testing.T) {
	for _, link := range []uint16{0, 1, 9, 50, 100, 101, 104, 105, 108, 113, 117, 119, 127, 228, 229, 239, 276} {
		name := filepath.Join(t.TempDir(), "cap")
		require.NoError(t, os.WriteFile(name, at(1, uint32(link), strings.Repeat("x", 60)), 0o600))
		src, err := OpenLibpcapFile(name)
		require.NoError(t, err)
		frames, _ := drain(t, src, 1)
		require.Len(t, frames, 1)
		require.Equal(t, link, src.Link(0))
		require.NoError(t, src.Close())
	}
	name := filepath.Join(t.TempDir(), "cap")
	require.NoError(t, os.WriteFile(name, at(1, 999, "x"), 0o600))
	_, err := OpenLibpcapFile(name)
	bad, ok := errors.AsType[*FormatError](err)
	require.True(t, ok, "%v", err)
	require.Contains(t, bad.What, "no name for")
}

// TestLibpcapReadsNoOtherFormat is why files are never handed to libpcap: what
// our readers refuse, it refuses as well.
func TestLibpcapReadsNoOtherFormat(t *testing.T) {
	heads := make(map[string][]byte)
	for _, s := range signatures() {
		heads[s.what] = append(make([]byte, s.offset), s.magic...)
	}
	for _, magic := range []uint32{0xa12b3c4d, 0xa1b234cd, 0x1c0001ac, 0x1c0001ab} {
		f := pcapFile{magic: magic, network: 1, snaplen: 65535, records: []record{rec(1, 0, 3, "one")}}
		heads[fmt.Sprintf("%#x", magic)] = f.bytes()
		f.o = be
		heads[fmt.Sprintf("%#x, big-endian", magic)] = f.bytes()
	}
	heads["snoop"] = newSnoopFile(2, 4).record(1, 2, 60, 0, "one", 1).b
	heads["ERF"] = bytes.Repeat(erfSample(erfEthernet, 0, make([]byte, 64), 64), 3)
	for what, head := range heads {
		name := filepath.Join(t.TempDir(), "x")
		require.NoError(t, os.WriteFile(name, append(head, make([]byte, 4096)...), 0o600))
		src, err := OpenLibpcapFile(name)
		if err == nil {
			require.NoError(t, src.Close())
		}
		require.Error(t, err, what)
	}
}

func TestLibpcapDamage(t *testing.T) {
	name := filepath.Join(t.TempDir(), "cap")
	whole := manyPackets("pcap", 5)
	require.NoError(t, os.WriteFile(name, whole[:len(whole)-1], 0o600))
	src, err := OpenLibpcapFile(name)
	require.NoError(t, err)
	frames, errs := drain(t, src, 10)
	require.Len(t, frames, 4)
	require.Len(t, errs, 1)
	damage, ok := errors.AsType[*DamageError](errs[0])
	require.True(t, ok)
	require.Equal(t, uint64(4), damage.Packets)
	require.Contains(t, damage.Reason, "truncated")
	st, err := src.Stats()
	require.NoError(t, err)
	require.Equal(t, uint64(1), st.Damaged)
	require.NoError(t, src.Close())
	require.NoError(t, src.Close())
	_, err = OpenLibpcapFile(filepath.Join(t.TempDir(), "nosuch"))
	require.ErrorContains(t, err, "No such file")
}
