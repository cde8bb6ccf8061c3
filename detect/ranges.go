package detect

import (
	"bytes"
	"fmt"
	"iter"
	"maps"
	"net/netip"
	"slices"
	"strconv"

	"github.com/synoptic-ids/synoptic/flows"
)

// Bounds on the lists in a record.
const (
	maxPortRanges = 128
	maxHostRanges = 32
)

// PortRanges writes ports as "21-25,80,443". A list cut short ends in "…".
func PortRanges(ports map[uint16]struct{}) string {
	return portRanges(slices.Values(slices.Sorted(maps.Keys(ports))))
}

// portRanges writes ports that come in order.
func portRanges(ports iter.Seq[uint16]) string {
	var b []byte
	from, to, n := -1, -1, 0 // of the latest range
	finish := func() {
		if to > from {
			b = strconv.AppendInt(append(b, '-'), int64(to), 10)
		}
	}
	for port := range ports {
		if to >= 0 && int(port) == to+1 {
			to++
			continue
		}
		finish()
		if n++; n > maxPortRanges {
			return string(append(b, ",…"...))
		}
		if n > 1 {
			b = append(b, ',')
		}
		from, to = int(port), int(port)
		b = strconv.AppendInt(b, int64(port), 10)
	}
	finish()
	return string(b)
}

// HostRanges writes hosts by network: "198.51.100.0/24: 254 of 256", IPv6 by /64.
// The fullest come first; a list cut short ends in "…".
func HostRanges(hosts map[[16]byte]struct{}) []string { return hostRanges(maps.Keys(hosts)) }

func hostRanges(hosts iter.Seq[[16]byte]) []string {
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
