package capture

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"unicode/utf8"
)

// lookSize is how many bytes are looked at to tell what a file is instead of a
// capture.
const lookSize = 512

// signature is a file type that is recognised to be refused.
type signature struct {
	offset int
	magic  string
	what   string
	hint   string
}

const (
	hintConvert = "convert it with editcap or tshark -F pcapng"
	hintUnpack  = "unpack it and read the captures in it"
	hintOther   = "give a pcap or pcapng file, plain or compressed with gzip, zstd or lz4"
)

func signatures() []signature {
	return []signature{
		{0, "\xfd7zXZ\x00", "xz data", "pipe it through xz -dc"},
		{0, "BZh", "bzip2 data", "pipe it through bzip2 -dc"},
		{0, "LZIP", "lzip data", "pipe it through lzip -dc"},
		{0, "PK\x03\x04", "a zip archive", hintUnpack},
		{0, "7z\xbc\xaf\x27\x1c", "a 7-Zip archive", hintUnpack},
		{0, "Rar!\x1a\x07", "a RAR archive", hintUnpack},
		{257, "ustar", "a tar archive", hintUnpack},
		{0, "snoop\x00\x00\x00", "a Solaris snoop capture", hintConvert},
		{0, "RTSS", "a Microsoft Network Monitor 1 capture", hintConvert},
		{0, "GMBU", "a Microsoft Network Monitor 2 capture", hintConvert},
		{0, "XCP\x00", "a NetXray capture", hintConvert},
		{0, "TRSNIFF data", "a Sniffer capture", hintConvert},
		{0, "iptrace ", "an AIX iptrace capture", hintConvert},
		{0, "\xac\x01\x00\x1c", "an Ixia hardware capture", hintConvert},
		{0, "\xab\x01\x00\x1c", "an Ixia software capture", hintConvert},
		{0, "\x1c\x00\x01\xac", "an Ixia hardware capture", hintConvert},
		{0, "\x1c\x00\x01\xab", "an Ixia software capture", hintConvert},
		{0, "\x4d\x3c\x2b\xa1", "a Navtel capture", hintConvert},
		{0, "\xa1\x2b\x3c\x4d", "a Navtel capture", hintConvert},
		{0, "\xcd\x34\xb2\xa1", "a pcap variant by F. Mesquita", hintConvert},
		{0, "\xa1\xb2\x34\xcd", "a pcap variant by F. Mesquita", hintConvert},
		{0, "\x0a\x0d\x0a", "a pcapng file damaged by a text-mode transfer", "transfer it again in binary mode"},
		{0, "\x0d\x0a\x0d\x0a", "a pcapng file damaged by a text-mode transfer", "transfer it again in binary mode"},
		{0, "\x7fELF", "an ELF program", hintOther},
		{0, "MZ", "a Windows program", hintOther},
		{0, "%PDF-", "a PDF document", hintOther},
		{0, "SQLite format 3\x00", "an SQLite database", hintOther},
		{0, "\x89PNG", "a PNG image", hintOther},
	}
}

// looksLike says what an input is that starts with head and is no capture.
func looksLike(head []byte) (what, hint string) {
	if len(head) == 0 {
		return "an empty file", "the capture may not have been written yet"
	}
	if kind := packing(head); kind != "" {
		return kind + " data inside compressed data", "decompress it once before"
	}
	if s := signed(head); s.what != "" {
		return s.what, s.hint
	}
	switch {
	case len(bytes.Trim(head, "\x00")) == 0:
		return "a file that starts with zeros", "the disk may have been full when it was written"
	case looksText(head):
		return textKind(head), hintOther
	case len(head) < 4:
		return fmt.Sprintf("a file of %d bytes", len(head)), hintOther
	}
	return fmt.Sprintf("unknown data that starts with % x", head[:4]), hintOther
}

// signed finds the file type that head is the beginning of, if it is one of
// those that are refused.
func signed(head []byte) signature {
	for _, s := range signatures() {
		if len(head) > s.offset && bytes.HasPrefix(head[s.offset:], []byte(s.magic)) {
			return s
		}
	}
	return signature{}
}

// isERF reports whether head begins an ERF file, which has no magic number: it
// is nothing else, and its record lengths lead from one record to the next.
func isERF(head []byte) bool {
	return signed(head).what == "" && !looksText(head) && looksERF(head)
}

// looksERF follows the record lengths.
func looksERF(b []byte) bool {
	records := 0
	for len(b) >= 16 {
		kind, size := b[8]&0x7f, int(binary.BigEndian.Uint16(b[10:]))
		seconds := binary.LittleEndian.Uint32(b[4:])
		if kind == 0 || kind > 48 || size < 16 || seconds == 0 {
			return false
		}
		if size > len(b) {
			length := int(binary.BigEndian.Uint16(b[14:]))
			return records > 0 || size%8 == 0 && length > 0 && size-erfHeader <= length+16
		}
		records++
		b = b[size:]
	}
	return records > 0
}

func looksText(b []byte) bool {
	for len(b) > 0 {
		r, size := utf8.DecodeRune(b)
		if r == utf8.RuneError && size == 1 {
			return !utf8.FullRune(b) // the head may end within a character
		}
		if r < ' ' && r != '\n' && r != '\r' && r != '\t' || r == 0x7f {
			return false
		}
		b = b[size:]
	}
	return true
}

func textKind(b []byte) string {
	b = bytes.TrimSpace(bytes.TrimPrefix(b, []byte("\xef\xbb\xbf")))
	switch {
	case bytes.HasPrefix(b, []byte("{")), bytes.HasPrefix(b, []byte("[")):
		return "JSON"
	case bytes.HasPrefix(b, []byte("<?xml")), bytes.HasPrefix(b, []byte("<pdml")):
		return "XML"
	case bytes.HasPrefix(b, []byte("<")):
		return "HTML or XML"
	}
	return "plain text"
}
