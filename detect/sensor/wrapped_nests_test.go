package sensor_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/synoptic-ids/synoptic/detect/sensor"
)

// block is a tunnel that can be drawn for a nest.
type block struct {
	name    string
	layers  []layer
	tunnels int    // how many it counts as, at most
	takes   string // what it can carry: IPv(4), IPv(6), M(PLS), N(SH), P(PPoE), V(LAN)
	gives   byte   // what it is: one of these
}

func blocks() []block {
	const anything, ip = "46MNPV", "46"
	vxlan4, vxlan6 := inUDP(false, 4789, false), inUDP(true, 4789, false)
	return []block{
		{"MPLS", []layer{labelled(2)}, 1, ip, 'M'},
		{"pseudowire", []layer{bridged, controlWord, labelled(1)}, 1, anything, 'M'},
		{"GRE", []layer{gre(0x2000, false)}, 1, "46MN", '4'},
		{"GRE over IPv6", []layer{gre(0x1000, true)}, 1, "46MN", '6'},
		{"GRE-TEB", []layer{bridged, gre(0, false)}, 1, anything, '4'},
		{"ERSPAN II", []layer{bridged, erspan2, gre(0x1000, false)}, 2, anything, '4'},
		{"ERSPAN III", []layer{bridged, erspan3(true), gre(0x1000, true)}, 2, anything, '6'},
		{"IPv4", []layer{inIPv4}, 1, ip, '4'},
		{"IPv6", []layer{inIPv6}, 1, ip, '6'},
		{"VXLAN", []layer{bridged, vxlan, vxlan4}, 1, anything, '4'},
		{"VXLAN over IPv6", []layer{bridged, vxlan, vxlan6}, 1, anything, '6'},
		{"VXLAN-GPE", []layer{gpe, inUDP(false, 4790, false)}, 1, "46MN", '4'},
		{"Geneve", []layer{bridged, geneve(3), inUDP(false, 6081, false)}, 1, anything, '4'},
		{"GTP-U", []layer{gtp(0, [2]byte{0x85, 1}), inUDP(true, 2152, true)}, 1, ip, '6'},
		{"Teredo", []layer{teredo}, 1, "6", '4'},
		{"NSH", []layer{nsh(1, 16)}, 1, "46", 'N'},
		{"PPPoE", []layer{pppoe}, 0, "46M", 'P'},
		{"VLAN", []layer{tagged(0x8100, 42)}, 0, "46MNP", 'V'},
	}
}

// drawWrapping draws a link and up to four tunnels for a packet of one family.
func drawWrapping(t *rapid.T, six bool) wrapping {
	kind := map[bool]byte{false: '4', true: '6'}[six]
	var names []string
	var layers []layer
	for depth := 0; rapid.IntRange(0, 4).Draw(t, "more") > 0; {
		fit := slices.DeleteFunc(blocks(), func(b block) bool {
			return !strings.ContainsRune(b.takes, rune(kind)) || depth+b.tunnels > 4
		})
		if len(fit) == 0 {
			break
		}
		b := rapid.SampledFrom(fit).Draw(t, "block")
		names, layers = append(names, b.name), append(layers, b.layers...)
		kind, depth = b.gives, depth+b.tunnels
		if len(names) == 6 {
			break
		}
	}
	outer := slices.DeleteFunc(links(), func(w wrapping) bool { return !w.takes(kind) })
	w := rapid.SampledFrom(outer).Draw(t, "link")
	w.name = strings.Join(append(names, w.name), ", ")
	w.layers = append(layers, w.layers...)
	return w
}

// takes says whether a link can carry something other than IP.
func (w wrapping) takes(kind byte) bool {
	switch kind {
	case '4', '6':
		return w.carries(kind == '6')
	case 'V', 'P', 'N':
		return slices.Contains([]uint16{1, 105, 113, 119, 127, 163, 276}, w.link) && !strings.HasPrefix(w.name, "PPPoE")
	}
	return slices.Contains([]uint16{1, 9, 50, 104, 105, 113, 119, 127, 163, 276}, w.link) && !strings.Contains(w.name, "one byte")
}

// TestScanInAnyNest finds a scan in tunnels in tunnels on any link, wherever the
// snap length leaves the ports.
func TestScanInAnyNest(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := scan{six: rapid.Bool().Draw(t, "six"), horizontal: rapid.Bool().Draw(t, "horizontal")}
		w := drawWrapping(t, s.six)
		frames, deepest := w.frames(s)
		snap := deepest + rapid.IntRange(-40, 80).Draw(t, "snap")
		if snap < 14 {
			snap = 1 << 18
		}
		scans, sum := scansIn(t, pcapOf(w.network(), frames, snap), sensor.Config{})
		where := fmt.Sprintf("%s, %v, snap length %d, %d bytes in front of IP: %x", w.name, s, snap, deepest, frames[0])
		if s.holds(snap, deepest) {
			s.require(t, scans, where)
			return
		}
		require.Empty(t, scans, where)
		require.Equal(t, uint64(len(frames)), cutFrames(&sum.Decode), "%s: %+v", where, sum.Decode)
	})
}
