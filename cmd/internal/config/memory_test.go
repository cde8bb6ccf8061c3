package config

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMemory(t *testing.T) {
	for value, want := range map[string]int64{
		"": 256 << 20, "64MiB": 64 << 20, "1GiB": 1 << 30, "8388608": 8 << 20, "8192KiB": 8 << 20, "2TiB": 2 << 40,
	} {
		n, err := ParseMemory(value)
		require.NoError(t, err, value)
		require.Equal(t, want, n, value)
	}
	n, err := ParseMemory(" 5 mib ")
	require.NoError(t, err)
	require.EqualValues(t, 5<<20, n)
	for value, want := range map[string]string{
		"lots": "no size", "64MB": "no size", "-1": "no size", "1.5GiB": "no size", "MiB": "no size",
		"4194303": "the least is 4MiB", "0": "the least is 4MiB", "1KiB": "the least is 4MiB",
		"9999999TiB": "more than there can be", "99999999999999999999": "no size",
	} {
		_, err := ParseMemory(value)
		require.ErrorContains(t, err, want, value)
	}
}

func TestSizeText(t *testing.T) {
	for n, want := range map[int64]string{1 << 30: "1GiB", 256 << 20: "256MiB", 1536: "1536 bytes", 3 << 10: "3KiB", 0: "0 bytes"} {
		require.Equal(t, want, SizeText(n))
	}
}
