package capture

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// refusal is the beginning of a file, what it is said to be, and the beginning of
// what is said to be done about it.
type refusal struct {
	head []byte
	want string
	hint string
}

func behind(n int, magic string) []byte { return append(make([]byte, n), magic...) }

func archiveRefusals() []refusal {
	return []refusal{
		{[]byte("\xfd7zXZ\x00rest"), "xz data", "pipe it: xz -dc x | synoptic -r -"},
		{[]byte("BZh91AY&SY"), "bzip2 data", "pipe it: bzip2 -dc x | synoptic -r -"},
		{[]byte("LZIP\x01"), "lzip data", "pipe it: lzip -dc x | synoptic -r -"},
		{[]byte("PK\x03\x04rest"), "a zip archive", "pipe the capture in it: unzip -p x | synoptic -r -"},
		{[]byte("7z\xbc\xaf\x27\x1c\x00"), "a 7-Zip archive", "pipe the capture in it: 7z e -so x | synoptic -r -"},
		{[]byte("Rar!\x1a\x07\x01"), "a RAR archive", "pipe the capture in it: unrar p -inul x | synoptic -r -"},
		{behind(257, "ustar\x0000"), "a tar archive", "pipe the capture in it: tar -xOf x | synoptic -r -"},
	}
}

func snifferRefusals() []refusal {
	const (
		editcap = "convert it: editcap -F pcapng x x.pcapng"
		ether   = "convert it: editcap -F pcapng -T ether x x.pcapng"
		writer  = "convert it to pcap with the program that wrote it"
		etl     = "convert it: etl2pcapng x x.pcapng"
	)
	return []refusal{
		{[]byte("RTSS\x01\x01"), "a Microsoft Network Monitor 1 capture", editcap},
		{[]byte("GMBU\x00\x02"), "a Microsoft Network Monitor 2 capture", editcap},
		{[]byte("XCP\x00002.001"), "a NetXray or Sniffer Basic capture", editcap},
		{[]byte("VL\x00\x00\x00"), "an old NetXray capture", editcap},
		{[]byte("TRSNIFF data    \x1a"), "a Sniffer capture", editcap},
		{[]byte("iptrace 1.0\x00"), "an AIX iptrace capture", editcap},
		{[]byte("iptrace 2.0\x00"), "an AIX iptrace capture", editcap},
		{[]byte("ObserverPktBufferVersion=15.00"), "a Network Instruments Observer capture", editcap},
		{[]byte("\xaa\xaa\xaa\xaa\x20\x00"), "an Accellent 5View capture", editcap},
		{[]byte("\x00\x00\x02\x00\x12\x05\x00\x10\x00"), "a Tektronix K12 capture", ether},
		{[]byte("+---------+---------------+----------+\r\n"), "a K12 text capture", ether},
		{[]byte("\x7fver\x00\x00\x00\x09"), "an OmniPeek or EtherPeek capture", editcap},
		{[]byte("EyeSDN\x00"), "an EyeSDN capture", editcap},
		{[]byte("\x05VNF\x14\x00"), "a Visual Networks capture", editcap},
		{[]byte("TR\x00\x64\x00\x00"), "an HP-UX nettl trace", ether},
		{[]byte("TR\x00\x00\x00\x00"), "an HP-UX nettl trace", ether},
		{[]byte("\x01\x10\x4c\x00\x01\x05Trace"), "a Novell LANalyzer capture", editcap},
		{[]byte("\x07\x10\x4c\x00\x01\x05Trace"), "a Novell LANalyzer capture", editcap},
		{[]byte("cpse\x03\x02\x01\x00"), "a Colasoft Capsa capture", editcap},
		{[]byte("LOGG\x90\x00\x00\x00"), "a Vector BLF log", editcap},
		{[]byte("\x3c\x00\x3c\x00\x00\xea\x07\x03\x0a\x09\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"), "a TamoSoft CommView capture", ether},
		{[]byte("\x3c\x00\x00\x00\xea\x07\x03\x0a\x09\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"), "a TamoSoft CommView capture", ether},
		{le.AppendUint32(nil, 0x1c0001ac), "an Ixia hardware capture", editcap},
		{be.AppendUint32(nil, 0x1c0001ac), "an Ixia hardware capture", editcap},
		{le.AppendUint32(nil, 0x1c0001ab), "an Ixia software capture", editcap},
		{be.AppendUint32(nil, 0x1c0001ab), "an Ixia software capture", editcap},
		{be.AppendUint32(nil, 0xa12b3c4d), "a Navtel capture", writer},
		{le.AppendUint32(nil, 0xa12b3c4d), "a Navtel capture", writer},
		{le.AppendUint32(nil, 0xa1b234cd), "a pcap variant by F. Mesquita", writer},
		{be.AppendUint32(nil, 0xa1b234cd), "a pcap variant by F. Mesquita", writer},
		{behind(72, "\x02\x00\x02\xc0\x00"), "a Windows event trace", etl},
		{behind(72, "\x02\x00\x01\xc0\x00"), "a Windows event trace", etl},
		{[]byte("btsnoop\x00\x00\x00\x00\x01"), "a Bluetooth log", "it carries no IP packets"},
		{[]byte("\xde\xad\xbe\xef\x00"), "a SiLK flow file", "it holds records of flows"},
	}
}

func otherRefusals() []refusal {
	const (
		give   = "give a pcap or pcapng file"
		binary = "transfer it again in binary mode"
	)
	erfRecord := func(kind byte) []byte {
		b := make([]byte, 64)
		copy(b, "\x00\x00\x00\x01\x00\x00\x00\x60")
		b[8], b[11] = kind, 64
		return b
	}
	return []refusal{
		{[]byte("\x0a\x0d\x0a\x1c\x00\x00\x00"), "a pcapng file damaged by a text-mode transfer", binary},
		{[]byte("\x0d\x0a\x0d\x0a\x1c\x00\x00\x00"), "a pcapng file damaged by a text-mode transfer", binary},
		{[]byte("\x7fELF\x02\x01\x01"), "an ELF program", give},
		{[]byte("MZ\x90\x00"), "a Windows program", give},
		{[]byte("%PDF-1.7\x00"), "a PDF document", give},
		{[]byte("SQLite format 3\x00"), "an SQLite database", give},
		{[]byte("\x89PNG\r\n\x1a\n"), "a PNG image", give},
		{[]byte(`{"a": 1}`), "JSON", give},
		{[]byte("\xef\xbb\xbf[1]"), "JSON", give},
		{[]byte("<?xml version='1.0'?>"), "XML", give},
		{[]byte("<html>"), "HTML or XML", give},
		{[]byte("12:00:00 IP 192.0.2.1.1 > 192.0.2.2.2: Flags [S]\n"), "plain text", give},
		{[]byte("12:00:00.000001 INFO: started\n"), "plain text", give},
		{[]byte("12:00:00.000001 IP 192.0.2.1.1 > 192.0.2.2.2: Flags [S]\n"), "the text that tcpdump prints", "write packets in place of text: tcpdump -w out.pcap"},
		{[]byte("2026-03-10 12:00:00.000001 IP6 2001:db8::1.1 > 2001:db8::2.2: Flags [S]\n"), "the text that tcpdump prints", "write packets"},
		{[]byte("1700000000.000001 ARP, Request who-has 192.0.2.1\n"), "the text that tcpdump prints", "write packets"},
		{[]byte("12:00:00.000001 eth0  In  IP 192.0.2.1.1 > 192.0.2.2.2: Flags [S]\n"), "the text that tcpdump prints", "write packets"},
		{[]byte("12:00:00.000001 00:00:5e:00:53:01 > 00:00:5e:00:53:02, ethertype IPv4\n"), "the text that tcpdump prints", "write packets"},
		{[]byte("0000  00 00 5e 00 53 01 00 00 5e 00 53 02 08 00 45 00   ..^.S...^.S...E.\n"), "a hex dump", "convert it: text2pcap x x.pcapng"},
		{[]byte(strings.Repeat("ü", 255) + "é\xc3"), "plain text", give},
		{make([]byte, 40), "a file that starts with zeros", "the disk may have been full"},
		{erfRecord(99), "unknown data that starts with 00 00 00 01", give},
		{[]byte("\x01\x02"), "a file of 2 bytes", give},
		{nil, "an empty file", "the capture may not have been written yet"},
	}
}

// TestLooksLike refuses each kind of file, and knows that no kind was left out.
func TestLooksLike(t *testing.T) {
	tests := slices.Concat(archiveRefusals(), snifferRefusals(), otherRefusals())
	for _, test := range tests {
		bad := looksLike(test.head)
		require.Equal(t, test.want, bad.What)
		require.True(t, strings.HasPrefix(hintFor(bad.Hint, inputName), test.hint), "%s: %s", test.want, bad.Hint)
		_, err := NewReader(bytes.NewReader(test.head), inputName, Config{})
		require.EqualError(t, err, "x: not a readable capture: "+test.want)
	}
	for _, s := range signatures() {
		sample := behind(s.offset, s.magic)
		tested := slices.ContainsFunc(tests, func(r refusal) bool { return bytes.HasPrefix(r.head, sample) })
		require.True(t, tested, "no test of %s (% x)", s.what, s.magic)
	}
}

func TestHintTakesPlainNamesOnly(t *testing.T) {
	for name, want := range map[string]string{
		"day/trace.cap": "xz -dc day/trace.cap | x",
		"-":             "xz -dc FILE | x",
		"-rf":           "xz -dc FILE | x",
		"a b":           "xz -dc FILE | x",
		"$(reboot)":     "xz -dc FILE | x",
		"":              "xz -dc FILE | x",
	} {
		require.Equal(t, want, hintFor("xz -dc FILE | x", name))
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
