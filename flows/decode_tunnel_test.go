package flows

import (
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// inTunnels is what a packet is like that was found inside depth tunnels.
func inTunnels(p Packet, depth uint8) Packet {
	p.Depth, p.Marks = depth, p.Marks|MarkTunnel
	return p
}

func TestDecodeOfEachTunnel(t *testing.T) {
	check := func(t *testing.T, w wrapping, in []byte, want Packet) {
		link, data := w.wrap(linkRaw, in)
		if w.ethernet {
			want.SrcMAC = hostMAC
		} else if w.shim {
			want.SrcMAC = [6]byte(data[6:12])
		}
		if w.name == "gre with a tag" {
			want.VLAN = 7
		}
		depth, kinds := uint8(1), map[Tunnel]uint64{w.kind: 1}
		if w.name == "nsh in gpe" {
			depth, kinds = 2, map[Tunnel]uint64{TunnelVXLANGPE: 1, TunnelNSH: 1}
		}
		var d Decoder
		got := d.Append(nil, data, Meta{Len: uint32(len(data)), Link: link})
		require.Equal(t, []Packet{inTunnels(want, depth)}, got)
		for kind, n := range d.Stats().Tunnels {
			require.Equal(t, kinds[Tunnel(kind)], n, Tunnel(kind).String())
		}
	}
	for _, w := range allWrappings() {
		t.Run(w.name, func(t *testing.T) {
			if w.kind != TunnelTeredo {
				check(t, w, inet(6, synHeader), synPacket())
			}
			check(t, w, inet6(6, synHeader), synPacket6())
		})
	}
}

// ordinaryCase is a packet that looks like a tunnel by its port or protocol
// and is none.
type ordinaryCase struct {
	name string
	data []byte
}

// ordinaryCases are probes of tunnels' ports and protocols, and nonsense.
func ordinaryCases() []ordinaryCase {
	zeros := make([]byte, 64)
	syn := inet(6, synHeader)
	frame := ether(etherIPv4, syn)
	cases := []ordinaryCase{
		{"ip in ip, empty", outer4(4)},
		{"ip in ip, zeros", outer4(4, zeros)},
		{"ip in ip, longer than its carrier", outer4(4, inet(6, synHeader, put(2, 0, 41)))},
		{"ip in ip, of 19 bytes", outer4(4, syn[:19])},
		{"ip in ip, of the other version", outer4(4, inet6(6, synHeader))},
		{"ipv6 in ip, zeros", outer4(41, zeros)},
		{"ipv6 in ip, longer than its carrier", outer4(41, inet6(6, synHeader, put(4, 0, 21)))},
		{"gre, empty", outer4(47)},
		{"gre, zeros", outer4(47, zeros)},
		{"gre, reserved bits", outer4(47, unhex("0008 0800"), syn)},
		{"gre, version 2", outer4(47, unhex("0002 0800"), syn)},
		{"gre, nothing inside", outer4(47, unhex("0000 0800"))},
		{"gre, broken inside", outer4(47, unhex("0000 0800"), inet(6, synHeader, put(0, 0x44)))},
		{"gre, header longer than the packet", outer4(47, unhex("b000 0800 00000000"))},
		{"gre, endless routes", outer4(47, unhex("4000 0800 00000000"), slices.Repeat(unhex("08000001 01"), 40))},
		{"pptp, without key", outer4(47, unhex("1001 880b 00000000"), syn)},
		{"pptp, of another protocol", outer4(47, unhex("3001 0800 00000000 00000000"), syn)},
		{"etherip, version 4", outer4(97, unhex("4000"), frame)},
		{"etherip, 13 bytes", outer4(97, unhex("3000"), frame[:13])},
		{"mpls over ip, no bottom", outer4(137, zeros)},
		{"vxlan, zeros", outerUDP(4789, zeros)},
		{"vxlan, reserved flags", outerUDP(4789, unhex("0a000000 00000500"), frame)},
		{"vxlan, reserved bytes", outerUDP(4789, unhex("08010000 00000500"), frame)},
		{"vxlan, the last byte", outerUDP(4789, unhex("08000000 00000501"), frame)},
		{"vxlan, without identifier", outerUDP(4789, unhex("00000000 00000500"), frame)},
		{"vxlan, 13 bytes inside", outerUDP(4789, unhex("08000000 00000500"), frame[:13])},
		{"vxlan, broken inside", outerUDP(4789, unhex("08000000 00000500"), ether(etherIPv4, zeros))},
		{"geneve, zeros", outerUDP(6081, zeros)},
		{"geneve, version 1", outerUDP(6081, unhex("4000 6558 00000500"), frame)},
		{"geneve, options beyond the datagram", outerUDP(6081, unhex("3f00 6558 00000500"), frame)},
		{"gtp, echo request", outerUDP(2152, unhex("3201 0004 00000000 00000000"))},
		{"gtp, version 2", outerUDP(2152, unhex("50ff 0028 00000000"), syn)},
		{"gtp, longer than the datagram", outerUDP(2152, unhex("30ff 0029 00000000"), syn)},
		{"gtp, endless extensions", outerUDP(2152, unhex("34ff 0080 00000000 00000085"), slices.Repeat(unhex("01000085"), 31))},
		{"gtp, extension without length", outerUDP(2152, unhex("34ff 0030 00000000 00000085 00000000"), syn)},
		{"teredo, zeros", outerUDP(3544, zeros)},
		{"teredo, longer than the datagram", outerUDP(3544, inet6(6, synHeader, put(4, 0, 21)))},
		{"teredo, ipv4", outerUDP(3544, syn, zeros)},
		{"mpls over udp, zeros", outerUDP(6635, zeros)},
		{"mpls over udp, neither ip nor ethernet", outerUDP(6635, unhex("0001e140 50000000"), zeros)},
		{"l2tp, control", outerUDP(1701, unhex("c802 0014 0000 0000 0000 0000 8008 0000 0000 0001"))},
		{"l2tp, version 3", outerUDP(1701, unhex("0003 0001 0002 0021"), syn)},
		{"l2tp, offset beyond the datagram", outerUDP(1701, unhex("0202 0001 0002 ffff 0021"), syn)},
		{"ayiya, zeros", outerUDP(5072, zeros)},
		{"teredo's port as source", datagramOf(3544, 40000, inet6(6, synHeader))},
		{"l2tp's port as source", datagramOf(1701, 40000, slices.Concat(unhex("0002 0001 0002 0021"), syn))},
		{"gtp's port as source", datagramOf(2152, 40000, slices.Concat(unhex("30ff 0028 00000000"), syn))},
		{"vxlan's port as source", datagramOf(4789, 40000, slices.Concat(unhex("08000000 00000500"), frame))},
	}
	cases = append(cases, ordinaryCase{"mpls over udp, text", outerUDP(6635, slices.Repeat([]byte("`"), 60))})
	cases = append(cases, ordinaryCase{"mpls over udp, time to live 0", outerUDP(6635, unhex("0001e100"), syn)})
	for _, port := range []int{1701, 2152, 3544, 4789, 4790, 5072, 6081, 6635, 8472} {
		cases = append(cases, ordinaryCase{"empty datagram", outerUDP(port)}, ordinaryCase{"one byte", outerUDP(port, []byte{8})})
	}
	return cases
}

// TestProbesOfTunnelsStayProbes: what is no tunnel by its content is an
// ordinary packet, and counted as nothing else.
func TestProbesOfTunnelsStayProbes(t *testing.T) {
	for _, c := range ordinaryCases() {
		t.Run(c.name, func(t *testing.T) {
			for _, mode := range []Tunnels{TunnelsInner, TunnelsOuter, TunnelsBoth} {
				d := NewDecoder(DecoderConfig{Tunnels: mode})
				ps := d.Append(nil, c.data, Meta{Len: uint32(len(c.data)), Link: linkRaw})
				require.Len(t, ps, 1)
				require.Zero(t, ps[0].Marks&(MarkCarrier|MarkTunnel))
				require.Equal(t, c.data[9], ps[0].Proto)
				require.NotEqual(t, KindTCP, ps[0].Kind)
				require.Equal(t, DecodeStats{Frames: 1, Packets: 1, Broken: d.marked.broken}, d.Stats())
			}
		})
	}
}

// TestCutProbeOfMPLS: no bottom of the stack in four labels is none.
func TestCutProbeOfMPLS(t *testing.T) {
	data := outerUDP(6635, slices.Repeat([]byte("`"), 60))
	p, ok := decodeCut(linkRaw, data, 28+20)
	require.True(t, ok)
	require.False(t, p.Has(MarkCarrier))
}

// carrierCase is a packet that carries what cannot be read, and why not.
type carrierCase struct {
	name  string
	data  []byte
	kind  Tunnel
	stats DecodeStats
}

// carrierCases are tunnels with something in them that is neither IP nor ARP.
func carrierCases() []carrierCase {
	lldp, stp := ether(0x88cc, make([]byte, 46)), ether(38, unhex("424203"), make([]byte, 43))
	noIP, deep := DecodeStats{TunnelsNoIP: 1}, DecodeStats{TunnelsTooDeep: 1}
	five := inet(6, synHeader)
	for range maxDepth + 1 {
		five = outer4(4, five)
	}
	return []carrierCase{
		{"lldp in vxlan", outerUDP(4789, unhex("08000000 00000500"), lldp), TunnelVXLAN, noIP},
		{"spanning tree in vxlan", outerUDP(4789, unhex("08000000 00000500"), stp), TunnelVXLAN, noIP},
		{"an unknown protocol in geneve", outerUDP(6081, unhex("0000 9999 00000500 0000")), TunnelGeneve, noIP},
		{"an unknown protocol in gpe", outerUDP(4790, unhex("0c000077 00000500 0000")), TunnelVXLANGPE, noIP},
		{"maintenance of gpe", outerUDP(4790, unhex("0d000001 00000500"), inet(6, synHeader)), TunnelVXLANGPE, noIP},
		{"no ip in gtp", outerUDP(2152, unhex("30ff 0002 00000000 0102")), TunnelGTP, noIP},
		{"a bubble of teredo", outerUDP(3544, inet6(59, nil)), TunnelTeredo, noIP},
		{"lcp in l2tp", outerUDP(1701, unhex("0002 0001 0002 ff03 c021 0101 0004")), TunnelL2TP, noIP},
		{"mppe in pptp", outer4(47, unhex("3001 880b 0004 0001 00000001 00fd 0102")), TunnelPPTP, noIP},
		{"an acknowledgement of pptp", outer4(47, unhex("2081 880b 0000 0001 00000001")), TunnelPPTP, noIP},
		{"a keepalive of gre", outer4(47, unhex("0000 0000")), TunnelGRE, noIP},
		{"cdp in gre", outer4(47, unhex("0000 2000 02b4 0000")), TunnelGRE, noIP},
		{"erspan of an unknown version", outer4(47, unhex("1000 88be 00000001 70640001 00000000"), lldp), TunnelERSPAN, noIP},
		{"five tunnels", five, TunnelIP, deep},
	}
}

func TestUnreadableTunnelsMakeCarriers(t *testing.T) {
	for _, c := range carrierCases() {
		t.Run(c.name, func(t *testing.T) {
			for _, mode := range []Tunnels{TunnelsInner, TunnelsOuter, TunnelsBoth} {
				d := NewDecoder(DecoderConfig{Tunnels: mode})
				ps := d.Append(nil, c.data, Meta{Len: uint32(len(c.data)), Link: linkRaw})
				want := c.stats
				want.Frames, want.Packets, want.Carriers = 1, 1, 1
				want.Tunnels[c.kind] = 1
				if want.TunnelsTooDeep > 0 {
					want.Tunnels[c.kind] = maxDepth + 1
					if mode == TunnelsBoth {
						want.Packets, want.Carriers, want.Pairs = 2, 2, 1
					}
				}
				require.Equal(t, want, d.Stats())
				for _, p := range ps {
					require.True(t, p.Has(MarkCarrier))
				}
				if mode != TunnelsInner {
					require.Zero(t, ps[0].Depth)
				}
			}
		})
	}
}

// TestTunnelsThatCannotBeReadUnderALink: without an IP packet around them
// there is none to stand for them.
func TestTunnelsThatCannotBeReadUnderALink(t *testing.T) {
	syn := inet(6, synHeader)
	deep := ether(etherIPv4, syn)
	for range maxDepth + 1 {
		deep = backbone(etherMPLS, unhex("0001e140 00000000"), deep)
	}
	for _, c := range []struct {
		name string
		data []byte
		want DecodeStats
	}{
		{"mpls, no bottom", backbone(etherMPLS, make([]byte, 100)), DecodeStats{NoIP: []NumberCount{{etherMPLS, 1}}}},
		{"mpls, a channel of routers", backbone(etherMPLS, unhex("0001e040 0000d140 10000000")), DecodeStats{NoIP: []NumberCount{{etherMPLS, 1}}, Tunnels: [NumTunnels]uint64{TunnelMPLS: 1}}},
		{"mpls, broken ip", backbone(etherMPLS, unhex("0001e140"), inet(6, synHeader, put(0, 0x44))), DecodeStats{Malformed: 1, Tunnels: [NumTunnels]uint64{TunnelMPLS: 1}}},
		{"mpls, nothing behind it", backbone(etherMPLS, unhex("0001e140")), DecodeStats{Malformed: 1, Tunnels: [NumTunnels]uint64{TunnelMPLS: 1}}},
		{"nsh, version 1", backbone(etherNSH, unhex("4fc20201 00000aff"), syn), DecodeStats{NoIP: []NumberCount{{etherNSH, 1}}}},
		{"nsh, longer than the frame", backbone(etherNSH, unhex("0fff0201 00000aff"), syn), DecodeStats{NoIP: []NumberCount{{etherNSH, 1}}}},
		{"nsh, an unknown protocol", backbone(etherNSH, unhex("0fc20209 00000aff"), syn), DecodeStats{NoIP: []NumberCount{{etherNSH, 1}}, Tunnels: [NumTunnels]uint64{TunnelNSH: 1}}},
		{"five pseudowires", deep, DecodeStats{NoIP: []NumberCount{{etherMPLS, 1}}, TunnelsTooDeep: 1, Tunnels: [NumTunnels]uint64{TunnelMPLS: 5}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.want.Frames = 1
			require.Equal(t, c.want, dropped(t, linkEthernet, c.data, Meta{Len: uint32(len(c.data))}))
		})
	}
}

func TestTunnelsOuterAndBoth(t *testing.T) {
	in := inet(6, synHeader)
	data := outerUDP(4789, unhex("08000000 00000500"), ether(etherIPv4, outer4(4, in)))
	m := Meta{Time: 7, Iface: 2, Len: uint32(len(data)), Link: linkRaw}
	var plain Decoder
	inner := plain.Append(nil, data, m)
	require.Len(t, inner, 1)
	require.EqualValues(t, 2, inner[0].Depth)
	require.Equal(t, KindTCP, inner[0].Kind)

	d := NewDecoder(DecoderConfig{Tunnels: TunnelsOuter})
	outer := d.Append(nil, data, m)
	require.Len(t, outer, 1)
	require.Equal(t, KindUDP, outer[0].Kind)
	require.EqualValues(t, 4789, outer[0].DstPort)
	require.True(t, outer[0].Has(MarkCarrier))
	require.Zero(t, outer[0].Depth)
	require.EqualValues(t, len(data)-28, outer[0].Payload)
	require.EqualValues(t, 1, d.Stats().Carriers)

	d = NewDecoder(DecoderConfig{Tunnels: TunnelsBoth})
	require.Equal(t, slices.Concat(outer, inner), d.Append(nil, data, m))
	s := d.Stats()
	require.EqualValues(t, 2, s.Packets)
	require.EqualValues(t, 1, s.Pairs)
	// What the frame before left behind must not show.
	require.Len(t, d.Append(nil, in, m), 1)
	shim := backbone(etherMPLS, unhex("0001e140"), in)
	m.Link = linkEthernet
	require.Equal(t, plain.Append(nil, shim, m), d.Append(nil, shim, m), "labels are under no packet")
}

// TestFragmentedTunnels: the first fragment of a carrier has the headers of
// what it carries, and that is enough.
func TestFragmentedTunnels(t *testing.T) {
	more := put(6, 0x20, 0)
	in := inet(6, slices.Concat(synHeader, make([]byte, 1000)))
	whole := outer4(4, in)
	first := slices.Clone(whole[:20+200])
	more(first)
	copy(first[2:], u16(len(first)))
	p := mustDecode(t, linkRaw, first)
	require.Equal(t, inTunnels(with(synPacket(), sized(1000, MarkTruncatedIP)), 1), p)

	second := slices.Clone(whole[:20])
	put(6, 0, 25)(second)
	second = append(second, whole[220:]...)
	copy(second[2:], u16(len(second)))
	require.Equal(t, KindFragment, mustDecode(t, linkRaw, second).Kind)

	tiny := slices.Clone(first[:20+24])
	copy(tiny[2:], u16(len(tiny)))
	var d Decoder
	ps := d.Append(nil, tiny, Meta{Len: uint32(len(tiny)), Link: linkRaw})
	require.Len(t, ps, 1)
	require.True(t, ps[0].Has(MarkCarrier|MarkFragmented), "the rest of the header is in the next fragment")
	require.EqualValues(t, 1, d.Stats().TunnelsCut)
}

// TestTunnelsCutAtEveryLength: a cut tunnel is the packet inside as far as it
// goes, else a carrier; it is never taken for traffic between its ends.
func TestTunnelsCutAtEveryLength(t *testing.T) {
	for _, s := range tunnelSeeds() {
		m := Meta{Len: uint32(len(s.data)), Link: s.link}
		whole, ok := decodeOne(s.link, s.data)
		if !ok || !whole.Has(MarkTunnel) {
			continue
		}
		for n := range len(s.data) {
			var d Decoder
			ps := d.Append(nil, s.data[:n:n], m)
			st := d.Stats()
			require.EqualValues(t, 1, accounted(st), "%s at %d", s.name, n)
			if len(ps) == 0 {
				require.EqualValues(t, 1, st.Truncated, "%s at %d", s.name, n)
				continue
			}
			switch p := ps[0]; {
			case p.Has(MarkCarrier):
				require.EqualValues(t, 1, st.TunnelsCut+st.TunnelsTooDeep, "%s at %d", s.name, n)
			case p.Depth < whole.Depth:
				t.Fatalf("%s at %d: %+v", s.name, n, p)
			default:
				require.Equal(t, whole.Depth, p.Depth)
				requireSame(t, whole, p)
			}
		}
	}
}

// TestTunnelsDoNotChangeWhatIsInThem wraps drawn packets in drawn tunnels.
func TestTunnelsDoNotChangeWhatIsInThem(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var link uint16
		var data []byte
		var choice []wrapping
		switch rapid.SampledFrom([]string{"ip4", "ip6", "frame"}).Draw(t, "inside") {
		case "ip4":
			link, data = linkRaw, frame(t, drawIPv4(t, true)...)
			choice = slices.Concat(ipWrappings(), ethernetWrappings())
		case "ip6":
			link, data = linkRaw, frame(t, drawIPv6(t, true)...)
			choice = allWrappings()
		default:
			link, data = linkEthernet, drawFrame(t)
			data[6] &^= 1 // a group sends nothing, and pseudowires are told by that
			choice = ethernetWrappings()
		}
		want, ok := decodeChecked(t, data, Meta{Len: uint32(len(data)), Link: link})
		require.True(t, ok)
		var names []string
		for range rapid.IntRange(1, 3).Draw(t, "depth") {
			w := rapid.SampledFrom(choice).Draw(t, "tunnel")
			if w.name == "nsh in gpe" && slices.Contains(names, w.name) {
				break // they are two tunnels each
			}
			names = append(names, w.name)
			link, data = w.wrap(link, data)
			choice = slices.Concat(ipWrappings(), ethernetWrappings()) // the outer ones are IPv4
			if link == linkEthernet {
				choice = ethernetWrappings()
			} else if data[0]>>4 == 6 {
				choice = allWrappings()
			}
		}
		got, ok := decodeChecked(t, data, Meta{Len: uint32(len(data)), Link: link})
		require.True(t, ok, "%v", names)
		require.GreaterOrEqual(t, int(got.Depth), len(names))
		want.Depth, want.SrcMAC = got.Depth, got.SrcMAC
		want.Marks |= MarkTunnel
		if slices.Contains(names, "gre with a tag") && want.VLAN == 0 || got.VLAN == 7 {
			want.VLAN = 7
		}
		require.Equal(t, want, got, "%v: %x", names, data)
	})
}

// TestAnswersOfTunnelServers: the source port makes a tunnel only of what goes
// to a socket that has sent one to that port.
func TestAnswersOfTunnelServers(t *testing.T) {
	in := inet6(6, synHeader)
	between := func(a, b netip.Addr, src, dst int, payload []byte) []byte {
		udp := slices.Concat(u16(src), u16(dst), u16(8+len(payload)), u16(0), payload)
		return inet(17, udp, put(12, slices.Concat(a.AsSlice(), b.AsSlice())...))
	}
	for port, head := range map[int]string{
		3544: "",
		1701: "0002 0001 0002 ff03 0057",
		5072: "4152 11 29 5fffffff" + strings.Repeat("00", 16+20),
	} {
		payload := slices.Concat(unhex(head), in)
		var d Decoder
		one := func(data []byte, n int) Packet {
			ps := d.Append(nil, data[:n:n], Meta{Len: uint32(len(data)), Link: linkRaw})
			require.Len(t, ps, 1)
			return ps[0]
		}
		answer := between(peer4, host4, port, 40000, payload)
		require.Zero(t, one(answer, len(answer)).Depth, "nobody asked")
		question := between(host4, peer4, 40000, port, payload)
		require.EqualValues(t, 1, one(question, len(question)).Depth)
		require.EqualValues(t, 1, one(answer, len(answer)).Depth)
		require.NotZero(t, one(answer, 28).Marks&MarkCarrier, "nothing of it was captured")
		for _, other := range [][]byte{
			between(peer4, host4, port, 40001, payload),
			between(peer4, host4, 40000, 40000, payload),
			between(host4, peer4, port, 40000, payload),
			between(peer4, netip.MustParseAddr("192.0.2.11"), port, 40000, payload),
		} {
			require.Zero(t, one(other, len(other)).Marks&(MarkTunnel|MarkCarrier), "nobody asked for that")
		}
	}
}

// TestErrorsQuoteWhatTunnelsCarry: an error about the carrier is one about the
// packet inside, as far as it is quoted.
func TestErrorsQuoteWhatTunnelsCarry(t *testing.T) {
	want := quoting(6, 40000, 80)
	for _, c := range []struct {
		name string
		data []byte
		edit func(*Packet)
	}{
		{"ip in ip", outer4(4, quote4(6, synHeader)), want},
		{"ip in ip in ip, cut behind the ports", outer4(4, outer4(4, quote4(6, synHeader)))[:64], want},
		{"gre", outer4(47, unhex("2000 0800 00000007"), quote4(6, synHeader)), want},
		{"ipv6 in ip", outer4(41, inet6(6, synHeader)), func(p *Packet) {
			p.QuotedSrc, p.QuotedDst = host6.As16(), peer6.As16()
			p.QuotedProto, p.QuotedSrcPort, p.QuotedDstPort = 6, 40000, 80
		}},
		{"ip in ip, cut", outer4(4, quote4(6, synHeader))[:43], func(p *Packet) {
			p.QuotedSrc, p.QuotedDst, p.QuotedProto = mapped([4]byte{203, 0, 113, 1}), mapped([4]byte{203, 0, 113, 2}), 4
		}},
		{"vxlan", outerUDP(4789, unhex("08000000 00000500"), ether(etherIPv4, quote4(6, synHeader))), func(p *Packet) {
			p.QuotedSrc, p.QuotedDst = mapped([4]byte{203, 0, 113, 1}), mapped([4]byte{203, 0, 113, 2})
			p.QuotedProto, p.QuotedSrcPort, p.QuotedDstPort = 17, 50000, 4789
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := with(icmpPacket(KindUnreachable, 1, 0, uint16(len(c.data))), c.edit)
			require.Equal(t, p, mustDecode(t, linkRaw, inet(1, slices.Concat(unhex("0301 0000 00000000"), c.data))))
		})
	}
}

// TestCutBehindAnInnerHeader: where nothing of what a header announces was
// captured, the frame is cut, not without IP.
func TestCutBehindAnInnerHeader(t *testing.T) {
	in := inet(6, synHeader)
	for name, data := range map[string][]byte{
		"nsh": backbone(etherMPLS, unhex("003e8140 00000001"), backbone(etherNSH, unhex("0fc60101 000005ff"), make([]byte, 16), in)),
		"gre": backbone(etherMPLS, unhex("003e8140 00000001"), backbone(etherIPv4, outer4(47, unhex("0000 0800"), in))),
	} {
		n := len(data) - len(in)
		var d Decoder
		d.Append(nil, data[:n:n], Meta{Len: uint32(len(data)), Link: linkEthernet})
		s := d.Stats()
		require.EqualValues(t, 1, s.Truncated+s.TunnelsCut, "%s: %+v", name, s)
	}
}

// beyondTsharkInTunnels are wrappings that tshark 4.0 does not read as such.
func beyondTsharkInTunnels(name string) bool {
	switch name {
	case "vxlan on the old port", // it knows the assigned one
		"gtp with ethernet",
		"mpls over ip",
		"ip in ip behind AH",
		"gre with a tag",
		"l2tp", "l2tp with all", "pptp": // it wants the control connection
		return true
	}
	return false
}

func TestTunnelsAgreeWithTshark(t *testing.T) {
	var frames []seed
	for _, w := range allWrappings() {
		if beyondTsharkInTunnels(w.name) {
			continue
		}
		for _, in := range [][]byte{inet(6, synHeader), inet6(6, synHeader), inet6(17, udpHeader)} {
			if w.kind == TunnelTeredo && in[0]>>4 == 4 {
				continue
			}
			link := uint16(linkRaw)
			if w.ethernet { // it tells pseudowires by the makers of the addresses
				link, in = linkEthernet, slices.Concat(unhex("001b21000020 001b21000010"), ethertypeOf(in), in)
			}
			link, data := w.wrap(link, in)
			if link == linkRaw {
				link, data = linkEthernet, backbone(int(ethertypeOf(data)[0])<<8|int(ethertypeOf(data)[1]), data)
			}
			frames = append(frames, seed{w.name, link, data})
		}
	}
	file := filepath.Join(t.TempDir(), "frames.pcapng")
	require.NoError(t, os.WriteFile(file, pcapngOf(frames), 0o600))
	rows := tshark(t, file)
	require.Len(t, rows, len(frames))
	for i, f := range frames {
		p := mustDecode(t, f.link, f.data)
		require.Positive(t, p.Depth)
		for field, all := range rows[i] {
			rows[i][field] = all[len(all)-1:] // the innermost
		}
		if f.name == "802.11 in gre" { // no Ethernet address is the innermost
			delete(rows[i], "eth.src")
		}
		require.Empty(t, rows[i].differences(&p), "%s: %x", f.name, f.data)
	}
}
