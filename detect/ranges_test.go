package detect

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func portsOf(ports ...uint16) map[uint16]struct{} {
	set := map[uint16]struct{}{}
	for _, p := range ports {
		set[p] = struct{}{}
	}
	return set
}

func hostsOf(hosts ...string) map[[16]byte]struct{} {
	set := map[[16]byte]struct{}{}
	for _, h := range hosts {
		set[address(h)] = struct{}{}
	}
	return set
}

func TestPortRanges(t *testing.T) {
	for want, ports := range map[string][]uint16{
		"":              {},
		"0":             {0},
		"80":            {80},
		"80-81":         {81, 80},
		"21-25,80,443":  {443, 80, 21, 22, 23, 24, 25},
		"0-1,65534":     {65534, 1, 0},
		"1,3,5":         {5, 3, 1},
		"65534-65535":   {65535, 65534},
		"0,65535":       {0, 65535},
		"1-2,4-5,65535": {1, 2, 4, 5, 65535},
	} {
		require.Equal(t, want, PortRanges(portsOf(ports...)))
	}
	all := map[uint16]struct{}{}
	for p := range 1 << 16 {
		all[uint16(p)] = struct{}{}
	}
	require.Equal(t, "0-65535", PortRanges(all))
}

// TestPortRangesAreCut: 128 ranges are written, and a list with more says so.
func TestPortRangesAreCut(t *testing.T) {
	set := map[uint16]struct{}{}
	for i := range uint16(maxPortRanges) {
		set[2*i] = struct{}{}
	}
	full := PortRanges(set)
	require.Equal(t, 128, strings.Count(full, ",")+1)
	require.True(t, strings.HasSuffix(full, ",254"))
	set[1000] = struct{}{}
	require.Equal(t, full+",…", PortRanges(set))
}

// TestPortRangesReadBack: what was written holds the ports, and no other.
func TestPortRangesReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		set := portsOf(rapid.SliceOfN(rapid.Uint16Range(0, 150), 0, 120).Draw(t, "ports")...)
		back := map[uint16]struct{}{}
		for part := range strings.SplitSeq(PortRanges(set), ",") {
			if part == "" {
				continue
			}
			from, to, isRange := strings.Cut(part, "-")
			if !isRange {
				to = from
			}
			a, err := strconv.ParseUint(from, 10, 16)
			require.NoError(t, err)
			b, err := strconv.ParseUint(to, 10, 16)
			require.NoError(t, err)
			for p := a; p <= b; p++ {
				back[uint16(p)] = struct{}{}
			}
		}
		require.Equal(t, set, back)
	})
}

func TestHostRanges(t *testing.T) {
	require.Empty(t, HostRanges(nil))
	require.Equal(t, []string{"198.51.100.0/24: 1 of 256"}, HostRanges(hostsOf("198.51.100.9")))
	require.Equal(t, []string{
		"203.0.113.0/24: 3 of 256", // the fullest
		"192.0.2.0/24: 2 of 256",   // equals by address
		"198.51.100.0/24: 2 of 256",
		"2001:db8:0:1::/64: 2",
		"2001:db8::/64: 1",
	}, HostRanges(hostsOf("198.51.100.0", "198.51.100.255", "203.0.113.1", "203.0.113.2", "203.0.113.3",
		"192.0.2.1", "192.0.2.200", "2001:db8::1", "2001:db8:0:1::1", "2001:db8:0:1:ffff::1")))
}

// TestHostRangesAreCut: 32 networks are written, and a list with more says so.
func TestHostRangesAreCut(t *testing.T) {
	var hosts []string
	for i := range maxHostRanges {
		hosts = append(hosts, fmt.Sprintf("10.0.%d.1", i))
	}
	full := HostRanges(hostsOf(hosts...))
	require.Len(t, full, 32)
	require.Equal(t, append(full, "…"), HostRanges(hostsOf(append(hosts, "10.0.200.1")...)))
	require.Equal(t, "10.0.200.0/24: 2 of 256", HostRanges(hostsOf(append(hosts, "10.0.200.1", "10.0.200.2")...))[0])
}
