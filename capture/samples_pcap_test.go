package capture

import (
	"bytes"
	"math/bits"
	"slices"
	"strings"
)

// sample is a crafted file and what must be read of it.
type sample struct {
	name    string
	file    []byte
	want    []got
	links   []uint16 // by interface
	errs    []string // messages of the errors before io.EOF
	refused string   // message of the FormatError of Open
	stats   Stats    // Dropped, Skipped, Untimed and Damaged only
	tshark  bool     // well-formed, and tshark, which starts slowly, must agree
}

const second = int64(1e9)

// inputName is the name under which samples are read.
const inputName = "x"

func samples() []sample { return slices.Concat(pcapSamples(), pcapngSamples(), snoopSamples()) }

func pcapSamples() []sample {
	var all []sample
	all = append(all, pcapVariants()...)
	all = append(all, pcapLengths()...)
	all = append(all, pcapLinks()...)
	return append(all, pcapDamage()...)
}

func pcapVariants() []sample {
	records := []record{rec(1, 500_000, 60, "one"), rec(4_294_967_295, 999_999, 3, "two")}
	want := []got{
		{second + 500_000_000, 60, 0, "one"},
		{4_294_967_295*second + 999_999_000, 3, 0, "two"},
	}
	nano := []got{{second + 500_000, 60, 0, "one"}, {4_294_967_295*second + 999_999, 3, 0, "two"}}
	ether := []uint16{1}
	file := func(f pcapFile) []byte {
		f.network, f.snaplen, f.records = 1, 65535, records
		return f.bytes()
	}
	swapped := pcapFile{major: 2, minor: 2, network: 1, records: []record{{1, 0, 60, 3, "one"}}}
	either := pcapFile{major: 2, minor: 3, network: 1, records: []record{{1, 0, 60, 3, "one"}, {2, 0, 3, 60, "two"}}}
	return []sample{
		{name: "microseconds", file: file(pcapFile{}), want: want, links: ether},
		{name: "big-endian", file: file(pcapFile{o: be}), want: want, links: ether},
		{name: "nanoseconds", file: file(pcapFile{magic: magicNano}), want: nano, links: ether},
		{name: "nanoseconds big-endian", file: file(pcapFile{o: be, magic: magicNano}), want: nano, links: ether, tshark: true},
		{name: "Kuznetzov", file: file(pcapFile{magic: magicKuznetzov}), want: want, links: ether},
		{name: "Kuznetzov big-endian", file: file(pcapFile{o: be, magic: magicKuznetzov}), want: want, links: ether, tshark: true},
		{name: "version 2.3", file: file(pcapFile{major: 2, minor: 3}), want: want, links: ether, tshark: true},
		{
			name: "version 2.2 with lengths swapped", file: swapped.bytes(), links: ether,
			want: []got{{second, 60, 0, "one"}},
		},
		{
			name: "version 2.3 with lengths either way", file: either.bytes(), links: ether,
			want: []got{{second, 60, 0, "one"}, {2 * second, 60, 0, "two"}},
		},
		{
			name: "version 1.2", file: file(pcapFile{major: 1, minor: 2}),
			refused: "x: not a readable capture: pcap version 1.2; versions 2.0 to 2.4 are read",
		},
		{
			name: "version 2.5", file: file(pcapFile{major: 2, minor: 5}),
			refused: "x: not a readable capture: pcap version 2.5; versions 2.0 to 2.4 are read",
		},
		{name: "no packets", file: pcapFile{network: 1}.bytes(), links: ether},
		{
			name: "microseconds beyond a second", links: ether,
			file: pcapFile{network: 1, records: []record{rec(1, 2_500_000, 3, "one")}}.bytes(),
			want: []got{{3*second + 500_000_000, 3, 0, "one"}},
		},
	}
}

func pcapLengths() []sample {
	ether := []uint16{1}
	long := strings.Repeat("l", 1<<18)
	longer := strings.Repeat("m", 1<<20)
	return []sample{
		{
			name: "snapshot length 0", links: ether,
			file: pcapFile{network: 1, records: []record{rec(1, 0, 60, "one"), rec(2, 0, 60, "two")}}.bytes(),
			want: []got{{second, 60, 0, "one"}, {2 * second, 60, 0, "two"}},
		},
		{
			name: "captured more than the snapshot length", links: ether, tshark: true,
			file: pcapFile{network: 1, snaplen: 2, records: []record{rec(1, 0, 60, "one"), rec(2, 0, 60, "two")}}.bytes(),
			want: []got{{second, 60, 0, "one"}, {2 * second, 60, 0, "two"}},
		},
		{
			name: "captured more than the length", links: ether,
			file: pcapFile{network: 1, snaplen: 99, records: []record{rec(1, 0, 2, "one"), rec(2, 0, 60, "two")}}.bytes(),
			want: []got{{second, 2, 0, "one"}, {2 * second, 60, 0, "two"}},
		},
		{
			name: "captured nothing", links: ether,
			file: pcapFile{network: 1, snaplen: 99, records: []record{rec(1, 0, 60, ""), rec(2, 0, 60, "two")}}.bytes(),
			want: []got{{second, 60, 0, ""}, {2 * second, 60, 0, "two"}},
		},
		{
			name: "a record longer than the buffer", links: ether, tshark: true,
			file: pcapFile{network: 1, snaplen: 1 << 18, records: []record{rec(1, 0, 1<<18, long), rec(2, 0, 60, "two")}}.bytes(),
			want: []got{{second, 1 << 18, 0, long}, {2 * second, 60, 0, "two"}},
		},
		{
			name: "a megabyte of USB", links: []uint16{189},
			file: pcapFile{network: 189, snaplen: 1 << 20, records: []record{rec(1, 0, 1<<20, longer)}}.bytes(),
			want: []got{{second, 1 << 20, 0, longer}},
		},
		{
			name: "a megabyte of Ethernet", links: ether,
			file:  pcapFile{network: 1, snaplen: 1 << 20, records: []record{rec(1, 0, 1<<20, longer)}}.bytes(),
			errs:  []string{"x: damaged at offset 24 after 0 packets: a record claims 1048576 captured bytes, more than 266240"},
			stats: Stats{Damaged: 1},
		},
	}
}

func pcapLinks() []sample {
	records := []record{rec(1, 0, 10, "frame-FCS!"), rec(2, 0, 10, "frame-F"), rec(3, 0, 10, "frame"), rec(4, 0, 2, "ab"), rec(5, 0, 8, "frame-FCS!")}
	fcs := func(network uint32) []byte { return pcapFile{network: network, snaplen: 99, records: records}.bytes() }
	whole := []got{{second, 10, 0, "frame-FCS!"}, {2 * second, 10, 0, "frame-F"}, {3 * second, 10, 0, "frame"}, {4 * second, 2, 0, "ab"}, {5 * second, 8, 0, "frame-FCS!"}}
	trimmed := []got{{second, 10, 0, "frame-"}, {2 * second, 10, 0, "frame-"}, {3 * second, 10, 0, "frame"}, {4 * second, 2, 0, ""}, {5 * second, 8, 0, "frame-"}}
	return []sample{
		{
			name: "link type of 16 bits", links: []uint16{276}, tshark: true,
			file: pcapFile{network: 276, snaplen: 99, records: []record{rec(1, 0, 60, strings.Repeat("s", 40))}}.bytes(),
			want: []got{{second, 60, 0, strings.Repeat("s", 40)}},
		},
		{name: "FCS length stated", file: fcs(0x2c000001), want: trimmed, links: []uint16{1}},
		{name: "FCS length not valid", file: fcs(0x28000001), want: whole, links: []uint16{1}},
		{name: "FCS length 0", file: fcs(0x04000001), want: whole, links: []uint16{1}},
	}
}

func pcapDamage() []sample {
	good := pcapFile{network: 1, snaplen: 99, records: []record{rec(1, 0, 60, "one"), rec(2, 0, 60, "second")}}.bytes()
	first := []got{{second, 60, 0, "one"}}
	ether := []uint16{1}
	one := Stats{Damaged: 1}
	huge := pcapFile{network: 1, records: []record{rec(1, 0, 60, "one"), {2, 0, 0xffffffff, 60, "rest"}}}
	return []sample{
		{
			name: "cut in a record header", file: good[:24+19+15], want: first, links: ether, stats: one,
			errs: []string{"x: truncated at offset 43 after 1 packet: 15 of the 16 bytes that come next are there"},
		},
		{
			name: "cut in the data", file: good[:len(good)-1], want: first, links: ether, stats: one,
			errs: []string{"x: truncated at offset 43 after 1 packet: 21 of the 22 bytes that come next are there"},
		},
		{
			name: "cut in the first record", file: good[:25], links: ether, stats: one,
			errs: []string{"x: truncated at offset 24 after 0 packets: 1 of the 16 bytes that come next are there"},
		},
		{
			name: "captured length absurd", file: huge.bytes(), want: first, links: ether, stats: one,
			errs: []string{"x: damaged at offset 43 after 1 packet: a record claims 4294967295 captured bytes, more than 266240"},
		},
		{name: "empty", file: nil, refused: "x: not a readable capture: an empty file"},
		{
			name: "cut in the file header", file: good[:23],
			refused: "x: not a readable capture: a pcap header that is cut off after 23 of 24 bytes",
		},
		{
			name: "cut in the magic number", file: good[:3],
			refused: "x: not a readable capture: a file of 3 bytes",
		},
		{
			name: "wrong magic number", file: bytes.Replace(good, good[:4], le.AppendUint32(nil, bits.ReverseBytes32(0xa1b2c3d5)), 1),
			refused: "x: not a readable capture: unknown data that starts with a1 b2 c3 d5",
		},
	}
}
