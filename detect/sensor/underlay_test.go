package sensor_test

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/detect"
	"github.com/synoptic-ids/synoptic/detect/sensor"
	"github.com/synoptic-ids/synoptic/flows"
)

// peers is how many other end points one end point of tunnels has.
const peers = 60

// conversation is a TCP connection that serves its purpose, of one of many
// clients with one of many servers.
func conversation(i int) []pdu {
	const fin, syn, psh, ack = 1, 2, 8, 16
	client := netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(10 + i)}), uint16(40000+i))
	server := netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 51, 100, byte(10 + i)}), 443)
	from, to := 1000*i, 5000*i
	hello := make([]byte, 20) // in place of options: what follows a header of 20 bytes
	payload := func(p []byte) []byte {
		p[32] = 5 << 4
		return p
	}
	up := func(data []byte) pdu { return pdu{kind: 0x0800, data: data} }
	down := func(data []byte) pdu { return pdu{kind: 0x0800, data: data, back: true} }
	return []pdu{
		up(tcpPacket(client, server, syn, from, 0, []byte{2, 4, 5, 0xb4}, 1)),
		down(tcpPacket(server, client, syn|ack, to, from+1, []byte{2, 4, 5, 0xb4}, 1)),
		up(tcpPacket(client, server, ack, from+1, to+1, nil, 2)),
		up(payload(tcpPacket(client, server, psh|ack, from+1, to+1, hello, 3))),
		down(payload(tcpPacket(server, client, psh|ack, to+1, from+21, hello, 2))),
		up(tcpPacket(client, server, fin|ack, from+21, to+21, nil, 4)),
		down(tcpPacket(server, client, fin|ack, to+21, from+22, nil, 3)),
		up(tcpPacket(client, server, ack, from+22, to+22, nil, 5)),
	}
}

// hub are the frames of the carriers between one end point and many: to each of
// them a conversation.
func (w wrapping) hub() [][]byte {
	var frames [][]byte
	for i := range peers {
		for _, p := range conversation(i) {
			p.peer, p.n = i+1, len(frames)
			f, _ := w.wrap(p)
			frames = append(frames, f)
		}
	}
	return frames
}

// hasCarrier says whether some layer of a wrapping is another IP packet.
func (w wrapping) hasCarrier() bool {
	p := pdu{kind: map[bool]uint16{false: 0x0800, true: 0x86dd}[w.only == 6]}
	for _, l := range w.layers {
		p = l(p)
	}
	return p.level > 0
}

// scansNobody runs the line over frames of a hub.
func (w wrapping) scansNobody(t *testing.T, frames [][]byte, snap int, mode flows.Tunnels) {
	t.Helper()
	scans, sum := scansIn(t, pcapOf(w.network(), frames, snap), sensor.Config{Decoder: flows.DecoderConfig{Tunnels: mode}})
	require.Empty(t, scans, "snap length %d, --tunnels %v: %+v", snap, mode, sum.Decode)
}

// TestTunnelsScanNobody runs the line over ordinary traffic in tunnels from one
// end point to sixty others. However much of it was captured, and whichever of the
// packets are looked at, the end points have scanned nobody.
func TestTunnelsScanNobody(t *testing.T) {
	if testing.Short() {
		t.Skip("is on one goroutine: minutes with the race detector")
	}
	t.Parallel()
	for _, w := range tunnels() {
		if !w.hasCarrier() || !w.carries(false) {
			continue
		}
		t.Run(w.name, func(t *testing.T) {
			frames := w.hub()
			some := frames[:len(frames)/3] // twenty end points suffice where little is captured
			for _, snap := range snaps[:len(snaps)-1] {
				w.scansNobody(t, some, snap, flows.TunnelsInner)
			}
			w.scansNobody(t, some, snaps[0], flows.TunnelsBoth)
			w.scansNobody(t, frames, snaps[len(snaps)-1], flows.TunnelsInner)
			w.scansNobody(t, frames, snaps[len(snaps)-1], flows.TunnelsBoth)
			w.scansNobody(t, frames, snaps[len(snaps)-1], flows.TunnelsOuter)
		})
	}
}

// TestScanSeenFromOutside reads captures of a scan for the carriers, which scan
// nobody, and for both, which is the scan and nothing else.
func TestScanSeenFromOutside(t *testing.T) {
	t.Parallel()
	for _, w := range tunnels() {
		t.Run(w.name, func(t *testing.T) {
			s := scan{six: w.only == 6}
			frames, _ := w.frames(s)
			file := pcapOf(w.network(), frames, 1<<18)
			scans, _ := scansIn(t, file, sensor.Config{Decoder: flows.DecoderConfig{Tunnels: flows.TunnelsBoth}})
			s.require(t, scans, "both")
			scans, _ = scansIn(t, file, sensor.Config{Decoder: flows.DecoderConfig{Tunnels: flows.TunnelsOuter}})
			if w.hasCarrier() {
				require.Empty(t, scans, "outer")
			} else {
				s.require(t, scans, "outer")
			}
		})
	}
}

// TestFiveTunnels: what lies deeper than four tunnels is not looked at, and that
// is counted; nobody is blamed for what was not seen.
func TestFiveTunnels(t *testing.T) {
	t.Parallel()
	for _, w := range []wrapping{
		{name: "IP in IP", link: 101, layers: []layer{inIPv4, inIPv4, inIPv4, inIPv4, inIPv4}},
		{name: "GRE", link: 101, layers: []layer{gre(0, false), gre(0, false), gre(0, true), gre(0, false), gre(0, false)}},
	} {
		t.Run(w.name, func(t *testing.T) {
			frames, _ := w.frames(scan{})
			scans, sum := scansIn(t, pcapOf(w.network(), frames, 1<<18), sensor.Config{})
			require.Empty(t, scans)
			require.Equal(t, uint64(len(frames)), sum.Decode.TunnelsTooDeep)
		})
	}
}

// TestProbesOfTunnelPorts: a scanner that asks who listens on a tunnel's port
// sends no tunnel, and remains a scanner.
func TestProbesOfTunnelPorts(t *testing.T) {
	t.Parallel()
	payloads := map[string][]byte{
		"empty":         nil,
		"one byte":      {0},
		"forty zeroes":  make([]byte, 40),
		"text":          []byte("GET / HTTP/1.0\r\n\r\n"),
		"GTP echo":      {0x32, 1, 0, 4, 0, 0, 0, 0, 0x50, 0, 0, 0},
		"DNS question":  slices.Concat(be16(0x1234), be16(0x100), be16(1), make([]byte, 6), []byte("\x07version\x04bind\x00"), be16(16), be16(3)),
		"sixty of 0xff": slices.Repeat([]byte{0xff}, 60),
		"sixty of 'E'":  slices.Repeat([]byte("E"), 60),
		"sixty of 'a'":  slices.Repeat([]byte("a"), 60),
	}
	for _, port := range []int{1701, 2152, 3544, 4789, 4790, 5072, 6081, 6635, 8472} {
		for name, payload := range payloads {
			s := scan{horizontal: true}
			var frames [][]byte
			for i := range targets {
				udp := slices.Concat(be16(50000), be16(port), be16(8+len(payload)), be16(0), payload)
				frames = append(frames, append(ipHeader(s.source(), s.target(i).Addr(), 17, i, len(udp)), udp...))
			}
			for _, snap := range []int{48, 1 << 18} {
				scans, _ := scansIn(t, pcapOf(101, frames, snap), sensor.Config{Decoder: flows.DecoderConfig{Tunnels: flows.TunnelsBoth}})
				require.Len(t, scans, 1, "%s to port %d, snap length %d", name, port, snap)
				require.Equal(t, s.source(), scans[0].Src)
				require.Equal(t, "udp", scans[0].Technique)
				require.Equal(t, targets, scans[0].Hosts)
			}
		}
	}
}

// TestProtocolScan: nmap -sO asks for all IP protocols with empty packets, those
// of tunnels among them.
func TestProtocolScan(t *testing.T) {
	t.Parallel()
	for _, six := range []bool{false, true} {
		s := scan{six: six}
		var frames [][]byte
		for proto := range targets * 2 {
			if six && slices.Contains([]int{0, 43, 44, 50, 51, 60}, proto) || slices.Contains([]int{1, 6, 17, 58}, proto) {
				continue // extension headers; protocols of which nmap sends a whole header
			}
			frames = append(frames, ipHeader(s.source(), s.target(0).Addr(), byte(proto), proto, 0))
		}
		for _, mode := range []flows.Tunnels{flows.TunnelsInner, flows.TunnelsOuter, flows.TunnelsBoth} {
			scans, _ := scansIn(t, pcapOf(101, frames, 1<<18), sensor.Config{Decoder: flows.DecoderConfig{Tunnels: mode}})
			require.Len(t, scans, 1)
			require.Equal(t, s.source(), scans[0].Src)
			require.Equal(t, detect.Protocol, scans[0].Shape)
			require.Equal(t, len(frames), scans[0].Targets, "%v, %v", s, mode)
		}
	}
}

// TestProbesCutBeforeTheirPayload: where nothing of a payload was captured, a
// datagram too short for a tunnel is a probe all the same.
func TestProbesCutBeforeTheirPayload(t *testing.T) {
	t.Parallel()
	for _, port := range []int{1701, 2152, 3544, 4789, 4790, 5072, 6081, 6635, 8472} {
		for _, payload := range []int{0, 1, 8, 12} {
			s := scan{horizontal: true}
			var frames [][]byte
			for i := range targets {
				udp := slices.Concat(be16(50000), be16(port), be16(8+payload), be16(0), make([]byte, payload))
				frames = append(frames, append(ipHeader(s.source(), s.target(i).Addr(), 17, i, len(udp)), udp...))
			}
			scans, _ := scansIn(t, pcapOf(101, frames, 20+8), sensor.Config{})
			require.Len(t, scans, 1, "%d bytes to port %d", payload, port)
			require.Equal(t, s.source(), scans[0].Src)
			require.Equal(t, targets, scans[0].Hosts)
		}
	}
}

// TestTunnelPortAsSource: a scanner that sends from a tunnel's port, with what a
// tunnel would carry, scans ports all the same: tunnels are told by the port they
// are addressed to.
func TestTunnelPortAsSource(t *testing.T) {
	t.Parallel()
	inner := (scan{six: true}).packets()[0]
	for port, layers := range map[int][]layer{
		1701: {l2tp}, 2152: {gtp(0)}, 3544: {teredoOrigin}, 4789: {bridged, vxlan}, 4790: {gpe}, 6081: {geneve(0)}, 6635: {labelled(1)}, 8472: {bridged, vxlan},
	} {
		p := inner
		for _, l := range layers {
			p = l(p)
		}
		s := scan{}
		var frames [][]byte
		for i := range targets {
			udp := slices.Concat(be16(port), be16(int(s.target(i).Port())), be16(8+len(p.data)), be16(0), p.data)
			frames = append(frames, append(ipHeader(s.source(), s.target(i).Addr(), 17, i, len(udp)), udp...))
		}
		scans, _ := scansIn(t, pcapOf(101, frames, 1<<18), sensor.Config{})
		require.Len(t, scans, 1, "from port %d", port)
		require.Equal(t, s.source(), scans[0].Src, "from port %d", port)
		require.Equal(t, targets, scans[0].Ports, "from port %d", port)
	}
}

// TestScanSeenTwice: a port that sees the packets as they are and once more in a
// tunnel sees one scan.
func TestScanSeenTwice(t *testing.T) {
	t.Parallel()
	plain := wrapping{name: "plain", link: 1, layers: []layer{ether}}
	for _, w := range tunnels() {
		if w.link != 1 {
			continue
		}
		s := scan{six: w.only == 6}
		var frames [][]byte
		for _, p := range s.packets() {
			without, _ := plain.wrap(p)
			with, _ := w.wrap(p)
			frames = append(frames, without, with)
		}
		for _, mode := range []flows.Tunnels{flows.TunnelsInner, flows.TunnelsBoth} {
			scans, _ := scansIn(t, pcapOf(1, frames, 1<<18), sensor.Config{Decoder: flows.DecoderConfig{Tunnels: mode}})
			s.require(t, scans, "%s, --tunnels %v", w.name, mode)
			require.Equal(t, uint64(targets), scans[0].Attempts, w.name)
		}
	}
}
