package capture

import (
	"bytes"
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// snoopFile crafts a snoop file; each record has its drops so far and padding.
type snoopFile struct{ b []byte }

func newSnoopFile(version, link uint32) *snoopFile {
	b := be.AppendUint32([]byte(snoopMagic), version)
	return &snoopFile{b: be.AppendUint32(b, link)}
}

func (f *snoopFile) record(sec, usec, length, drops uint32, data string, pad int) *snoopFile {
	for _, v := range []uint32{length, uint32(len(data)), uint32(snoopRecord + len(data) + pad), drops, sec, usec} {
		f.b = be.AppendUint32(f.b, v)
	}
	f.b = append(append(f.b, data...), make([]byte, pad)...)
	return f
}

func snoopSamples() []sample {
	ether := []uint16{1}
	one := []got{{second + 2000, 60, 0, "one"}}
	good := func() *snoopFile { return newSnoopFile(2, 4).record(1, 2, 60, 0, "one", 1) }
	return []sample{
		{
			name: "snoop", links: ether, tshark: true, stats: Stats{Dropped: 7},
			file: good().record(4_294_967_295, 999_999, 3, 5, "two", 1).record(3, 0, 9, 5, "", 0).record(4, 0, 4, 7, "four", 0).b,
			want: []got{
				one[0],
				{4_294_967_295*second + 999_999_000, 3, 0, "two"},
				{3 * second, 9, 0, ""},
				{4 * second, 4, 0, "four"},
			},
		},
		{name: "snoop of token ring", links: []uint16{6}, file: newSnoopFile(2, 2).record(1, 2, 60, 0, "one", 1).b, want: one},
		{name: "snoop without packets", links: ether, file: newSnoopFile(2, 4).b},
		{
			name: "snoop cut in a record", links: ether, want: one, stats: Stats{Damaged: 1},
			file: good().record(2, 0, 60, 0, "two", 1).b[:16+28+27],
			errs: []string{"x: truncated at offset 44 after 1 packet: 27 of the 28 bytes that come next are there"},
		},
		{
			name: "snoop of a length that cannot be", links: ether, want: one, stats: Stats{Damaged: 1},
			file: good().record(2, 0, 60, 0, "two", 100).b,
			errs: []string{"x: damaged at offset 44 after 1 packet: a record of 3 captured bytes claims to be 127 bytes long"},
		},
		{
			name: "snoop of an absurd length", links: ether, want: one, stats: Stats{Damaged: 1},
			file: append(good().b, bytes.Repeat([]byte{0xff}, 24)...),
			errs: []string{"x: damaged at offset 44 after 1 packet: a record claims 4294967295 captured bytes, more than 266240"},
		},
		{
			name: "snoop of version 3", file: newSnoopFile(3, 4).b,
			refused: "x: not a readable capture: a capture in snoop format of version 3; version 2 is read",
		},
		{
			name: "snoop of ATM", file: newSnoopFile(2, 18).b,
			refused: "x: not a readable capture: a snoop capture of link type 18; Ethernet, token ring and FDDI are read",
		},
		{
			name: "snoop header cut", file: newSnoopFile(2, 4).b[:15],
			refused: "x: not a readable capture: a snoop header that is cut off after 15 of 16 bytes",
		},
	}
}

// TestFormatsOfEditcap lets editcap write one capture in the formats it knows:
// snoop is read, the others are named, and what the hint says makes captures of them.
func TestFormatsOfEditcap(t *testing.T) {
	editcap, err := exec.LookPath("editcap")
	if err != nil {
		t.Skip("editcap is not installed")
	}
	original := filepath.Join("..", "testdata", "captures", "xmas.pcap")
	src, err := Open(original, Config{})
	require.NoError(t, err)
	want, _ := drain(t, src, 100)
	for i := range want {
		want[i].time -= want[i].time % 1000 // snoop has microseconds
	}
	const ether, same = "-T ether", ""
	for format, how := range map[string]string{
		"5views": same, "commview-ncf": ether, "k12text": ether, "lanalyzer": same, "netmon1": same, "netmon2": same, "nettl": ether,
		"ngsniffer": same, "ngwsniffer_1_1": same, "ngwsniffer_2_0": same, "snoop": same, "visual": same,
		// Some versions of editcap cannot read what they have written.
		"commview-ncfx": "unreadable", "observer": "unreadable",
	} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			name := filepath.Join(t.TempDir(), "trace")
			out, err := exec.Command(editcap, "-F", format, original, name).CombinedOutput()
			require.NoError(t, err, string(out))
			src, err := Open(name, Config{})
			if format == "snoop" {
				require.NoError(t, err)
				frames, errs := drain(t, src, 100)
				require.Empty(t, errs)
				require.Equal(t, want, frames)
				return
			}
			bad, ok := errors.AsType[*FormatError](err)
			require.True(t, ok, "%v", err)
			require.False(t, bad.Foreign)
			command, ok := strings.CutPrefix(bad.Hint, "convert it: editcap ")
			require.True(t, ok, bad.Hint)
			if how == "unreadable" {
				return
			}
			require.Equal(t, how == ether, strings.Contains(command, ether), bad.Hint)
			out, err = exec.Command(editcap, strings.Fields(command)...).CombinedOutput()
			require.NoError(t, err, string(out))
			src, err = Open(name+".pcapng", Config{})
			require.NoError(t, err, "the hint leads to a capture")
			frames, errs := drain(t, src, 100)
			require.Empty(t, errs)
			require.Len(t, frames, len(want))
		})
	}
}
