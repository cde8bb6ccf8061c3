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

// looksLike says what an input is that starts with head and is no capture.
func looksLike(head []byte) *FormatError {
	if len(head) == 0 {
		return &FormatError{What: "an empty file", Hint: "the capture may not have been written yet", Foreign: true}
	}
	if kind := packing(head); kind != "" {
		return &FormatError{What: kind + " data inside compressed data", Hint: "decompress it once before"}
	}
	if s := signed(head); s.what != "" {
		return &FormatError{What: s.what, Hint: s.hint, Foreign: s.foreign}
	}
	switch {
	case len(bytes.Trim(head, "\x00")) == 0:
		return &FormatError{What: "a file that starts with zeros", Hint: "the disk may have been full when it was written"}
	case looksText(head):
		return textKind(head)
	case len(head) < 4:
		return &FormatError{What: fmt.Sprintf("a file of %d bytes", len(head)), Hint: hintOther, Foreign: true}
	}
	return &FormatError{What: fmt.Sprintf("unknown data that starts with % x", head[:4]), Hint: hintOther}
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

// textKind says what kind of text it is. What was meant to be packets is told
// how to become that; all other text may stand beside captures.
func textKind(b []byte) *FormatError {
	b = bytes.TrimSpace(bytes.TrimPrefix(b, []byte("\xef\xbb\xbf")))
	switch {
	case looksPrinted(b):
		return &FormatError{What: "the text that tcpdump prints", Hint: "write packets in place of text: tcpdump -w out.pcap"}
	case looksHexDump(b):
		return &FormatError{What: "a hex dump", Hint: "convert it: text2pcap FILE FILE.pcapng"}
	}
	e := &FormatError{What: "plain text", Hint: hintOther, Foreign: true}
	switch {
	case bytes.HasPrefix(b, []byte("{")), bytes.HasPrefix(b, []byte("[")):
		e.What = "JSON"
	case bytes.HasPrefix(b, []byte("<?xml")), bytes.HasPrefix(b, []byte("<pdml")):
		e.What = "XML"
	case bytes.HasPrefix(b, []byte("<")):
		e.What = "HTML or XML"
	}
	return e
}

// looksPrinted recognises the first line of tcpdump's output: a time of day or
// since 1970, behind a date with -tttt, then the protocol.
func looksPrinted(b []byte) bool {
	words := bytes.Fields(b[:min(len(b), 64)])
	if len(words) > 2 && len(words[0]) == len("2006-01-02") && words[0][4] == '-' {
		words = words[1:]
	}
	if len(words) < 3 {
		return false
	}
	whole, fraction, _ := bytes.Cut(words[0], []byte("."))
	if len(whole) < len("15:04:05") || len(fraction) < 6 || len(bytes.Trim(words[0], "0123456789.:")) != 0 {
		return false
	}
	switch string(words[1]) {
	case "IP", "IP6", "ARP,":
		return true
	}
	direction := string(words[2])
	return direction == "In" || direction == "Out" || // -i any
		direction == ">" && bytes.Count(words[1], []byte(":")) == 5 // -e
}

// looksHexDump recognises an offset and bytes, as text2pcap reads them.
func looksHexDump(b []byte) bool {
	words := bytes.Fields(b[:min(len(b), 40)])
	if len(words) < 9 || len(words[0]) < 4 || len(bytes.Trim(words[0], "0:")) != 0 {
		return false
	}
	for _, w := range words[1:9] {
		if len(w) != 2 || len(bytes.Trim(w, "0123456789abcdefABCDEF")) != 0 {
			return false
		}
	}
	return true
}
