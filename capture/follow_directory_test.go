package capture

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFollowDirectory(t *testing.T) {
	dir := folder(t, map[string][]byte{"labels.jsonl": []byte("{}\n"), "b": at(1, 1, "one"), "a": at(2, 1, "two"), "c": nil})
	in := func(name string) string { return filepath.Join(dir, name) }
	f := follow(t, dir)
	require.Equal(t, []string{"one", "two"}, f.rest())
	st, err := f.src.Stats()
	require.NoError(t, err)
	require.Equal(t, uint64(1), st.Foreign, "the empty file may yet become a capture")
	require.Zero(t, st.Total)

	// The last file is read on as it grows.
	add(t, in("a"), records(rec(3, 0, 60, "three")))
	require.Equal(t, []string{"three"}, f.look())

	// A file without packets does not take its place.
	put(t, in("c"), pcapFile{network: 1}.bytes())
	put(t, in("d"), []byte("notes\n"))
	add(t, in("a"), records(rec(4, 0, 60, "four")))
	require.Equal(t, []string{"four"}, f.look())

	// Files with packets do, in the order of time, when it is read to its end.
	put(t, in("x"), at(7, 1, "seven"))
	put(t, in("y"), at(6, 1, "six"))
	add(t, in("a"), records(rec(5, 0, 60, "five")))
	require.Equal(t, []string{"five", "six", "seven"}, f.look())
	add(t, in("x"), records(rec(8, 0, 60, "eight")))
	require.Equal(t, []string{"eight"}, f.look())
	add(t, in("c"), records(rec(9, 0, 60, "nine")))
	require.Equal(t, []string{"nine"}, f.look())
	require.Empty(t, f.problems())

	// One that was left behind grows: that is told, once.
	for range 2 {
		add(t, in("y"), records(rec(6, 1, 60, "six and a half")))
		require.Empty(t, f.look())
		add(t, in("c"), records(rec(10, 0, 60, "more")))
		require.Equal(t, []string{"more"}, f.look())
	}
	require.Equal(t, []string{in("y") + ": damaged at offset 43 after 0 packets: " +
		"it grew when newer files had been taken up; the rest of it is not read"}, f.problems())
	st, err = f.src.Stats()
	require.NoError(t, err)
	require.Equal(t, uint64(1), st.Damaged)
}

// TestFollowRing: tcpdump -W writes its first file again when it has come to
// the last.
func TestFollowRing(t *testing.T) {
	dir := t.TempDir()
	f := follow(t, dir)
	require.Empty(t, f.rest())
	for i := range 10 {
		name := filepath.Join(dir, fmt.Sprintf("cap%d", i%3))
		put(t, name, nil)
		require.Empty(t, f.look())
		put(t, name, at(uint32(i), 1, fmt.Sprint("file ", i)))
		require.Equal(t, []string{fmt.Sprint("file ", i)}, f.look())
		add(t, name, records(rec(uint32(i), 5, 60, "and")))
		require.Equal(t, []string{"and"}, f.look())
	}
	require.Empty(t, f.problems())
}

func TestFollowRingOfOne(t *testing.T) {
	dir := t.TempDir()
	one := follow(t, dir)
	require.Empty(t, one.rest())
	for i := range 4 {
		put(t, filepath.Join(dir, "cap"), at(uint32(i), 1, "one"+fmt.Sprint(i)))
		require.Equal(t, []string{"one" + fmt.Sprint(i)}, one.look())
		put(t, filepath.Join(dir, "cap"), nil)
		require.Empty(t, one.look())
	}
	require.Empty(t, one.problems())
}

// TestFollowLogrotate: what was read is renamed, compressed and deleted, and
// never read again.
func TestFollowLogrotate(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	put(t, in("cap"), at(0, 1, "file 0"))
	f := follow(t, dir)
	require.Equal(t, []string{"file 0"}, f.rest())
	for i := 1; i < 2*forget; i++ {
		require.NoError(t, os.Rename(in("cap"), in("cap.1")))
		require.Empty(t, f.look())
		add(t, in("cap.1"), records(rec(uint32(i), 0, 60, "late")))
		put(t, in("cap"), at(uint32(i), 1, fmt.Sprint("file ", i)))
		require.Equal(t, []string{"late", fmt.Sprint("file ", i)}, f.look())
		b, err := os.ReadFile(in("cap.1"))
		require.NoError(t, err)
		put(t, in("cap.2.gz"), pack(t, "gzip", b))
		require.Empty(t, f.look())
		require.NoError(t, os.Remove(in("cap.1")))
		require.Empty(t, f.look())
	}
	require.Empty(t, f.problems())
	w := f.src.(*follower).files.watch.(*directoryWatch)
	require.LessOrEqual(t, len(w.known), forget, "what is gone is forgotten")
}

// TestFollowDirectoryRefusals: what is surely no readable capture is told once,
// although it grows.
func TestFollowDirectoryRefusals(t *testing.T) {
	dir := t.TempDir()
	xz := append([]byte("\xfd7zXZ\x00"), make([]byte, lookSize)...)
	put(t, filepath.Join(dir, "a.xz"), xz[:20])
	f := follow(t, dir)
	require.Empty(t, f.rest())
	require.Empty(t, f.problems())
	put(t, filepath.Join(dir, "a.xz"), xz)
	require.Empty(t, f.look())
	require.Equal(t, []string{filepath.Join(dir, "a.xz") + ": not a readable capture: xz data"}, f.problems())
	add(t, filepath.Join(dir, "a.xz"), xz)
	require.Empty(t, f.look())
	require.Empty(t, f.problems())
}
