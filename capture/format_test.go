package capture

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLooksLike(t *testing.T) {
	erfRecord := func(kind byte) []byte {
		b := make([]byte, 64)
		copy(b, "\x00\x00\x00\x01\x00\x00\x00\x60")
		b[8], b[11] = kind, 64
		return b
	}
	tests := []struct {
		head []byte
		want string
	}{
		{[]byte("\xfd7zXZ\x00rest"), "xz data"},
		{[]byte("BZh91AY&SY"), "bzip2 data"},
		{[]byte("PK\x03\x04rest"), "a zip archive"},
		{append(make([]byte, 257), "ustar\x0000"...), "a tar archive"},
		{[]byte("snoop\x00\x00\x00\x00\x00\x00\x02"), "a Solaris snoop capture"},
		{[]byte("GMBU\x00\x02"), "a Microsoft Network Monitor 2 capture"},
		{be.AppendUint32(nil, 0xa12b3c4d), "a Navtel capture"},
		{le.AppendUint32(nil, 0xa12b3c4d), "a Navtel capture"},
		{le.AppendUint32(nil, 0x1c0001ac), "an Ixia hardware capture"},
		{be.AppendUint32(nil, 0x1c0001ab), "an Ixia software capture"},
		{le.AppendUint32(nil, 0xa1b234cd), "a pcap variant by F. Mesquita"},
		{[]byte("\x0a\x0d\x0a\x1c\x00\x00\x00"), "a pcapng file damaged by a text-mode transfer"},
		{[]byte("\x7fELF\x02\x01\x01"), "an ELF program"},
		{[]byte(`{"a": 1}`), "JSON"},
		{[]byte("\xef\xbb\xbf[1]"), "JSON"},
		{[]byte("<?xml version='1.0'?>"), "XML"},
		{[]byte("<html>"), "HTML or XML"},
		{[]byte("12:00:00 IP 192.0.2.1.1 > 192.0.2.2.2: Flags [S]\n"), "plain text"},
		{[]byte(strings.Repeat("ü", 255) + "é\xc3"), "plain text"},
		{make([]byte, 40), "a file that starts with zeros"},
		{erfRecord(99), "unknown data that starts with 00 00 00 01"},
		{nil, "an empty file"},
	}
	for _, test := range tests {
		what, hint := looksLike(test.head)
		require.Equal(t, test.want, what)
		require.NotEmpty(t, hint, what)
		if len(test.head) == 0 {
			continue
		}
		_, err := NewReader(bytes.NewReader(test.head), inputName, Config{})
		require.EqualError(t, err, "x: not a readable capture: "+test.want)
	}
}

func TestLinkName(t *testing.T) {
	for link, want := range map[uint16]string{
		0: "NULL", 1: "EN10MB", 12: "RAW", 14: "RAW", 101: "RAW", 108: "LOOP",
		113: "LINUX_SLL", 228: "IPV4", 229: "IPV6", 276: "LINUX_SLL2", 999: "LINKTYPE 999",
	} {
		require.Equal(t, want, LinkName(link))
	}
}
