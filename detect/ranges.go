package detect

import (
	"bytes"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/synoptic-ids/synoptic/flows"
)

// Bounds on the lists in a record.
const (
	maxPortRanges = 128
	maxHostRanges = 32
)

// PortRanges writes ports as "21-25,80,443". A list cut short ends in "…".
func PortRanges(ports map[uint16]struct{}) string {
	sorted := slices.Sorted(maps.Keys(ports))
	var b strings.Builder
	for i, n := 0, 0; i < len(sorted); n++ {
		if n == maxPortRanges {
			b.WriteString(",…")
			break
		}
		if n > 0 {
			b.WriteByte(',')
		}
		j := i
		for j+1 < len(sorted) && sorted[j+1] == sorted[j]+1 {
			j++
		}
		fmt.Fprintf(&b, "%d", sorted[i])
		if j > i {
			fmt.Fprintf(&b, "-%d", sorted[j])
		}
		i = j + 1
	}
	return b.String()
}

// HostRanges writes hosts by network: "198.51.100.0/24: 254 of 256", IPv6 by /64.
// The fullest come first; a list cut short ends in "…".
func HostRanges(hosts map[[16]byte]struct{}) []string {
	type network struct {
		prefix netip.Prefix
		hosts  int
	}
	counts := map[netip.Prefix]int{}
	for h := range hosts {
		bits := 64
		if flows.IsIPv4(&h) {
			bits = 24
		}
		p, _ := flows.Addr(h).Prefix(bits)
		counts[p]++
	}
	list := make([]network, 0, len(counts))
	for p, n := range counts {
		list = append(list, network{p, n})
	}
	slices.SortFunc(list, func(a, b network) int {
		if a.hosts != b.hosts {
			return b.hosts - a.hosts
		}
		x, y := a.prefix.Addr().As16(), b.prefix.Addr().As16()
		return bytes.Compare(x[:], y[:])
	})
	var out []string
	for i, n := range list {
		if i == maxHostRanges {
			return append(out, "…")
		}
		if n.prefix.Addr().Is4() {
			out = append(out, fmt.Sprintf("%s: %d of 256", n.prefix, n.hosts))
		} else {
			out = append(out, fmt.Sprintf("%s: %d", n.prefix, n.hosts))
		}
	}
	return out
}
