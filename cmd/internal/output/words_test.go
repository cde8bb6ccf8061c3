package output

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDuration(t *testing.T) {
	for ns, want := range map[int64]string{
		0: "0 us", 219_000: "219 us", 1_000_000: "1 ms", 70_400_000: "70 ms", 99_999_999: "99 ms",
		100_000_000: "0.1 s", 4_296_000_000: "4.2 s", 12_000_000_000: "12 s", 200e9: "3 min 20 s",
		60e9: "1 min", 3600e9: "1 h", 7500e9: "2 h 5 min", 86400e9: "1 d", 97200e9: "1 d 3 h",
	} {
		require.Equal(t, want, duration(ns))
	}
}

func TestGrouped(t *testing.T) {
	for n, want := range map[uint64]string{0: "0", 999: "999", 1000: "1,000", 12345: "12,345", 1234567: "1,234,567"} {
		require.Equal(t, want, grouped(n))
	}
	require.Equal(t, "1 port", count(1, "port"))
	require.Equal(t, "0 ports", count(0, "port"))
}

func TestDayOf(t *testing.T) {
	require.Equal(t, dayOf(0), dayOf(dayLength-1))
	require.Equal(t, dayOf(dayLength), dayOf(0)+1)
	require.Equal(t, int64(-1), dayOf(-1))
	require.Equal(t, int64(-1), dayOf(-dayLength))
}

func TestClean(t *testing.T) {
	require.Equal(t, "a b.pcap", Clean("a b.pcap"))
	require.Equal(t, "größe.pcap", Clean("größe.pcap"))
	require.Equal(t, `\x1b[2J\n\u202e`, Clean("\x1b[2J\n\u202e"))
}

func TestCutList(t *testing.T) {
	require.Equal(t, "1,2,3", cutList("1,2,3", 5))
	require.Equal(t, "1,2,…", cutList("1,2,34", 5))
	require.Equal(t, "12345678", cutList("12345678", 5), "one item is never cut")
}
