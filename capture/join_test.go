package capture

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// at is a capture of one packet at a second, with its name as data.
func at(sec uint32, link uint32, data string) []byte {
	return pcapFile{network: link, records: []record{rec(sec, 0, 60, data)}}.bytes()
}

// folder writes files and returns their folder.
func folder(t *testing.T, files map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for name, b := range files {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), b, 0o600))
	}
	return dir
}

func data(frames []got) (all []string) {
	for _, f := range frames {
		all = append(all, f.data)
	}
	return all
}

func TestJoinKeepsOrderAndInterfaces(t *testing.T) {
	dir := folder(t, map[string][]byte{
		"a": at(9, 1, "first"),
		"b": pack(t, "zstd", at(1, 101, "second")),
		"c": newNg(be).iface(1, 0, optIfName, "eth0").packet(0, 1, 60, "third").b,
		"d": at(3, 1, "fourth"),
	})
	names := []string{"a", "b", "c", "d"}
	for i := range names {
		names[i] = filepath.Join(dir, names[i])
	}
	src, err := Join(append(names, "-"), Config{Stdin: strings.NewReader(string(at(4, 101, "fifth")))})
	require.NoError(t, err)
	frames, errs := drain(t, src, 10)
	require.Empty(t, errs)
	require.Equal(t, []got{
		{9 * second, 60, 0, "first"},
		{second, 60, 1, "second"},
		{1000, 60, 2, "third"},
		{3 * second, 60, 0, "fourth"},
		{4 * second, 60, 1, "fifth"},
	}, frames)
	require.Equal(t, []uint16{1, 101, 1, noLink}, []uint16{src.Link(0), src.Link(1), src.Link(2), src.Link(3)})
	st, err := src.Stats()
	require.NoError(t, err)
	require.Zero(t, st.Total, "the size of standard input is not known")
	require.NoError(t, src.Close())
}

// TestJoinCutCapture: a capture cut in two files reads like the whole one.
func TestJoinCutCapture(t *testing.T) {
	records := []record{rec(1, 0, 3, "one"), rec(2, 0, 3, "two"), rec(3, 0, 3, "six")}
	dir := folder(t, map[string][]byte{
		"whole": pcapFile{network: 1, records: records}.bytes(),
		"head":  pcapFile{network: 1, records: records[:1]}.bytes(),
		"tail":  pcapFile{network: 1, records: records[1:]}.bytes(),
	})
	src, err := Open(filepath.Join(dir, "whole"), Config{})
	require.NoError(t, err)
	whole, _ := drain(t, src, 10)
	src, err = Join([]string{filepath.Join(dir, "head"), filepath.Join(dir, "tail")}, Config{})
	require.NoError(t, err)
	parts, _ := drain(t, src, 10)
	require.Equal(t, whole, parts)
	st, err := src.Stats()
	require.NoError(t, err)
	require.Equal(t, Stats{Packets: 3, Bytes: 9, Total: 105, Offset: 105}, st)
}

func TestJoinDirectory(t *testing.T) {
	dir := folder(t, map[string][]byte{
		"z-first":        at(1, 1, "one"),
		"a-last":         pack(t, "gzip", at(5, 1, "five")),
		"same-b":         at(3, 1, "three b"),
		"same-a":         at(3, 1, "three a"),
		"empty-capture":  pcapFile{network: 1}.bytes(),
		"notes.txt":      []byte("what was captured when\n"),
		"labels.jsonl":   []byte("{}\n"),
		"zipped.txt.gz":  pack(t, "gzip", []byte("and where\n")),
		"empty":          nil,
		"packed.xz":      []byte("\xfd7zXZ\x00\x00\x04"),
		"below/not-read": at(2, 1, "two"),
	})
	require.NoError(t, os.Symlink(filepath.Join(dir, "nowhere"), filepath.Join(dir, "dangling")))
	require.NoError(t, os.Symlink(filepath.Join(dir, "below", "not-read"), filepath.Join(dir, "linked")))
	src, err := Open(dir, Config{})
	require.NoError(t, err)
	frames, errs := drain(t, src, 10)
	require.Equal(t, []string{"one", "two", "three a", "three b", "five"}, data(frames))
	require.Len(t, errs, 2)
	require.ErrorIs(t, errs[0], os.ErrNotExist)
	var damage *DamageError
	require.ErrorAs(t, errs[1], &damage)
	var format *FormatError
	require.ErrorAs(t, damage, &format)
	require.EqualError(t, damage, filepath.Join(dir, "packed.xz")+": not a readable capture: xz data")
	st, err := src.Stats()
	require.NoError(t, err)
	require.Equal(t, uint64(2), st.Damaged)
	require.Equal(t, uint64(4), st.Foreign, "text is not worth a word of its own")
	require.Equal(t, st.Total, st.Offset)
	require.Positive(t, st.Total)
}

// TestJoinRotatedSets: the files of a directory come in order of time, and those
// of one time as people count, not in that of their names.
func TestJoinRotatedSets(t *testing.T) {
	for name, set := range map[string][]string{ // in the order of reading
		"tcpdump -C":        {"cap", "cap1", "cap2", "cap9", "cap10", "cap11"},
		"tcpdump -C -W":     {"cap07", "cap08", "cap09", "cap00", "cap01"},
		"tcpdump -G":        {"cap-20231231235959.pcap", "cap-20240101000000.pcap"},
		"dumpcap":           {"cap_00009_20240101000000.pcapng", "cap_00010_20240101000100.pcapng", "cap_00001_20240101000200.pcapng"},
		"logrotate":         {"cap.pcap.10.gz", "cap.pcap.2.gz", "cap.pcap.1", "cap.pcap"},
		"of several days":   {"mon", "tue", "wed", "thu", "fri"},
		"one after another": {"z", "y", "x"},
	} {
		t.Run(name, func(t *testing.T) {
			files := make(map[string][]byte)
			for i, file := range set {
				files[file] = at(uint32(i)*7200, 1, file) // two hours apart
			}
			src, err := Open(folder(t, files), Config{})
			require.NoError(t, err)
			frames, errs := drain(t, src, 2)
			require.Empty(t, errs)
			require.Equal(t, set, data(frames))
		})
	}
	same := []string{"cap", "cap1", "cap2", "cap010", "cap10", "cap10a", "cap10a2", "cap10a10", "cap11"}
	files := make(map[string][]byte)
	for _, file := range same {
		files[file] = at(1, 1, file)
	}
	src, err := Open(folder(t, files), Config{})
	require.NoError(t, err)
	frames, _ := drain(t, src, 2)
	require.Equal(t, same, data(frames), "of one time: by name")
}

// TestJoinNamedOrder: what is named is read in the order of naming, directories
// among it in their own.
func TestJoinNamedOrder(t *testing.T) {
	late, early := folder(t, map[string][]byte{"a": at(9, 1, "nine"), "b": at(8, 1, "eight")}), folder(t, map[string][]byte{"a": at(2, 1, "two"), "b": at(1, 1, "one")})
	src, err := Join([]string{late, filepath.Join(early, "a"), early}, Config{})
	require.NoError(t, err)
	frames, errs := drain(t, src, 2)
	require.Empty(t, errs)
	require.Equal(t, []string{"eight", "nine", "two", "one", "two"}, data(frames))
}

func TestJoinGoesOnBehindBadInputs(t *testing.T) {
	dir := folder(t, map[string][]byte{
		"text":      []byte("no capture"),
		"good":      at(1, 1, "good"),
		"truncated": manyPackets("pcap", 2)[:50],
	})
	names := []string{filepath.Join(dir, "text"), filepath.Join(dir, "truncated"), filepath.Join(dir, "good")}
	src, err := Join(names, Config{})
	require.NoError(t, err)
	fs := make([]Frame, 10)
	_, err = src.Read(fs)
	var format *FormatError
	require.ErrorAs(t, err, &format)
	var damaged *DamageError
	require.NotErrorAs(t, err, &damaged, "a named file that is no capture is an error, not damage")
	n, err := src.Read(fs)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	_, err = src.Read(fs)
	var damage *DamageError
	require.ErrorAs(t, err, &damage)
	require.Equal(t, uint64(1), damage.Packets)
	n, err = src.Read(fs)
	require.NoError(t, err)
	require.Equal(t, "good", string(fs[:n][0].Data))
	_, err = src.Read(fs)
	require.Equal(t, io.EOF, err)
	st, err := src.Stats()
	require.NoError(t, err)
	require.Equal(t, uint64(2), st.Damaged)
	require.Equal(t, st.Total, st.Offset)
}

func TestJoinChecksNamesAtOnce(t *testing.T) {
	dir := folder(t, map[string][]byte{"good": at(1, 1, "good"), "below/good": at(1, 1, "good")})
	good, missing := filepath.Join(dir, "good"), filepath.Join(dir, "missing")
	for _, names := range [][]string{nil, {good, missing}, {filepath.Join(good, "in a file")}} {
		_, err := Join(names, Config{})
		require.Error(t, err)
	}
	_, err := Open(missing, Config{})
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = Open(filepath.Join(dir, "below"), Config{})
	require.NoError(t, err)
	_, err = Open(t.TempDir(), Config{})
	var format *FormatError
	require.ErrorAs(t, err, &format)
	require.Contains(t, format.What, "a directory without files")
	_, err = Open(folder(t, map[string][]byte{"a.txt": []byte("a\n"), "b.txt": []byte("b\n")}), Config{})
	require.ErrorAs(t, err, &format)
	require.Contains(t, format.What, "a directory in which no file is a capture")
}

func TestOpenRefusesAtOnce(t *testing.T) {
	dir := folder(t, map[string][]byte{"empty": nil})
	_, err := Open(filepath.Join(dir, "empty"), Config{})
	var format *FormatError
	require.ErrorAs(t, err, &format)
}
