package capture

import (
	"bytes"
	"encoding/binary"
	"strings"
)

// signature is a file type that is recognised to be refused.
type signature struct {
	offset int
	magic  string
	what   string
	hint   string
	// foreign: it holds no packets in any way, so it may stand in a directory
	// of captures without a word.
	foreign bool
}

// Hints name the input FILE; a name that a shell takes as it is takes its place.
const (
	hintConvert = "convert it: editcap -F pcapng FILE FILE.pcapng"
	// hintEther is for formats whose packets may be of several link types, which
	// editcap does not write to one pcapng interface unless it is told to.
	hintEther  = "convert it: editcap -F pcapng -T ether FILE FILE.pcapng"
	hintWriter = "convert it to pcap with the program that wrote it; Wireshark does not read it either"
	hintOther  = "give a pcap or pcapng file, plain or compressed with gzip, zstd or lz4"
	hintFlows  = "it holds records of flows and no packets"
	hintBinary = "transfer it again in binary mode"
)

func signatures() []signature {
	all := packed()
	all = append(all, sniffers()...)
	return append(all, strangers()...)
}

// packed are compressions and archives that are not undone here. They may well
// hold captures.
func packed() []signature {
	return []signature{
		{magic: "\xfd7zXZ\x00", what: "xz data", hint: "pipe it: xz -dc FILE | synoptic -r -"},
		{magic: "BZh", what: "bzip2 data", hint: "pipe it: bzip2 -dc FILE | synoptic -r -"},
		{magic: "LZIP", what: "lzip data", hint: "pipe it: lzip -dc FILE | synoptic -r -"},
		{magic: "PK\x03\x04", what: "a zip archive", hint: "pipe the capture in it: unzip -p FILE | synoptic -r -"},
		{magic: "7z\xbc\xaf\x27\x1c", what: "a 7-Zip archive", hint: "pipe the capture in it: 7z e -so FILE | synoptic -r -"},
		{magic: "Rar!\x1a\x07", what: "a RAR archive", hint: "pipe the capture in it: unrar p -inul FILE | synoptic -r -"},
		{offset: 257, magic: "ustar", what: "a tar archive", hint: "pipe the capture in it: tar -xOf FILE | synoptic -r -"},
	}
}

// sniffers are captures in formats of other programs, and files that are often
// taken for captures. TestFormatsOfEditcap converts those that editcap can write;
// of the others it is Wireshark's documentation that says editcap reads them.
func sniffers() []signature {
	return []signature{
		{magic: "RTSS", what: "a Microsoft Network Monitor 1 capture", hint: hintConvert},
		{magic: "GMBU", what: "a Microsoft Network Monitor 2 capture", hint: hintConvert},
		{magic: "XCP\x00", what: "a NetXray or Sniffer Basic capture", hint: hintConvert},
		{magic: "VL\x00\x00", what: "an old NetXray capture", hint: hintConvert},
		{magic: "TRSNIFF data", what: "a Sniffer capture", hint: hintConvert},
		{magic: "iptrace 1.0", what: "an AIX iptrace capture", hint: hintConvert},
		{magic: "iptrace 2.0", what: "an AIX iptrace capture", hint: hintConvert},
		{magic: "ObserverPktBuffe", what: "a Network Instruments Observer capture", hint: hintConvert},
		{magic: "\xaa\xaa\xaa\xaa", what: "an Accellent 5View capture", hint: hintConvert},
		{magic: "\x00\x00\x02\x00\x12\x05\x00\x10", what: "a Tektronix K12 capture", hint: hintEther},
		{magic: "+---------+---------------+----------+", what: "a K12 text capture", hint: hintEther},
		{magic: "\x7fver", what: "an OmniPeek or EtherPeek capture", hint: hintConvert},
		{magic: "EyeSDN", what: "an EyeSDN capture", hint: hintConvert},
		{magic: "\x05VNF", what: "a Visual Networks capture", hint: hintConvert},
		{magic: "TR\x00\x64\x00", what: "an HP-UX nettl trace", hint: hintEther},
		{magic: "TR\x00\x00\x00", what: "an HP-UX nettl trace", hint: hintEther},
		{magic: "\x01\x10\x4c\x00", what: "a Novell LANalyzer capture", hint: hintConvert},
		{magic: "\x07\x10\x4c\x00", what: "a Novell LANalyzer capture", hint: hintConvert},
		{magic: "cpse", what: "a Colasoft Capsa capture", hint: hintConvert},
		{magic: "LOGG", what: "a Vector BLF log", hint: hintConvert},
		{magic: "\xac\x01\x00\x1c", what: "an Ixia hardware capture", hint: hintConvert},
		{magic: "\xab\x01\x00\x1c", what: "an Ixia software capture", hint: hintConvert},
		{magic: "\x1c\x00\x01\xac", what: "an Ixia hardware capture", hint: hintConvert},
		{magic: "\x1c\x00\x01\xab", what: "an Ixia software capture", hint: hintConvert},
		{magic: "\x4d\x3c\x2b\xa1", what: "a Navtel capture", hint: hintWriter},
		{magic: "\xa1\x2b\x3c\x4d", what: "a Navtel capture", hint: hintWriter},
		{magic: "\xcd\x34\xb2\xa1", what: "a pcap variant by F. Mesquita", hint: hintWriter},
		{magic: "\xa1\xb2\x34\xcd", what: "a pcap variant by F. Mesquita", hint: hintWriter},
		// The marker of the first event, behind the header of the first buffer.
		{offset: 72, magic: "\x02\x00\x02\xc0", what: "a Windows event trace", hint: "convert it: etl2pcapng FILE FILE.pcapng, or on Windows: pktmon etl2pcap FILE --out FILE.pcapng"},
		{offset: 72, magic: "\x02\x00\x01\xc0", what: "a Windows event trace", hint: "convert it: etl2pcapng FILE FILE.pcapng, or on Windows: pktmon etl2pcap FILE --out FILE.pcapng"},
		{magic: "btsnoop\x00", what: "a Bluetooth log", hint: "it carries no IP packets that could be read"},
		{magic: "\xde\xad\xbe\xef", what: "a SiLK flow file", hint: hintFlows},
		{magic: "\x0a\x0d\x0a", what: "a pcapng file damaged by a text-mode transfer", hint: hintBinary},
		{magic: "\x0d\x0a\x0d\x0a", what: "a pcapng file damaged by a text-mode transfer", hint: hintBinary},
	}
}

// strangers hold no packets.
func strangers() []signature {
	return []signature{
		{magic: "\x7fELF", what: "an ELF program", hint: hintOther, foreign: true},
		{magic: "MZ", what: "a Windows program", hint: hintOther, foreign: true},
		{magic: "%PDF-", what: "a PDF document", hint: hintOther, foreign: true},
		{magic: "SQLite format 3\x00", what: "an SQLite database", hint: hintOther, foreign: true},
		{magic: "\x89PNG", what: "a PNG image", hint: hintOther, foreign: true},
	}
}

// signed finds the file type that head is the beginning of, if it is one of
// those that are refused.
func signed(head []byte) signature {
	for _, s := range signatures() {
		if len(head) > s.offset && bytes.HasPrefix(head[s.offset:], []byte(s.magic)) {
			return s
		}
	}
	if looksNCF(head) {
		return signature{what: "a TamoSoft CommView capture", hint: hintEther}
	}
	return signature{}
}

// looksNCF recognises CommView captures, which have no magic number, by the
// header of their first packet: two lengths, a version, a date and a time.
func looksNCF(b []byte) bool {
	if len(b) < 24 {
		return false
	}
	le := binary.LittleEndian
	date := b[5:]
	if b[2] == 0 && b[3] == 0 { // format NCFX: one length of 32 bits
		date = b[4:]
	} else if le.Uint16(b) > le.Uint16(b[2:]) || b[4] != 0 {
		return false
	}
	year := le.Uint16(date)
	return le.Uint16(b) > 0 && year >= 1990 && year < 2100 && date[2] >= 1 && date[2] <= 12 &&
		date[3] >= 1 && date[3] <= 31 && date[4] < 24 && date[5] < 60 && date[6] <= 60
}

// hintFor puts the name of an input into a hint, unless a shell would not take
// it for one word.
func hintFor(hint, name string) string {
	const plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._/+:@%,=-"
	if name == "" || name[0] == '-' || strings.Trim(name, plain) != "" {
		return hint
	}
	return strings.ReplaceAll(hint, "FILE", name)
}
