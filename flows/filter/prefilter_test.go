package filter

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/bpf"

	"github.com/synoptic-ids/synoptic/flows"
)

// socket is a prefilter as the kernel would run it, with what the card took out
// of the frame put in as constants: the machine knows nothing of cards.
func socket(t testing.TB, code []bpf.Instruction, tagged bool, vlan uint16) *bpf.VM {
	t.Helper()
	present := uint32(0)
	if tagged {
		present = 1
	}
	own := make([]bpf.Instruction, len(code))
	for i, in := range code {
		own[i] = in
		if e, ok := in.(bpf.LoadExtension); ok {
			switch e.Num {
			case bpf.ExtVLANTagPresent:
				own[i] = bpf.LoadConstant{Dst: bpf.RegA, Val: present}
			case bpf.ExtVLANTag:
				own[i] = bpf.LoadConstant{Dst: bpf.RegA, Val: uint32(vlan)}
			}
		}
	}
	_, err := bpf.Assemble(code)
	require.NoError(t, err)
	vm, err := bpf.NewVM(own)
	require.NoError(t, err)
	return vm
}

func run(t testing.TB, vm *bpf.VM, frame []byte) bool {
	t.Helper()
	n, err := vm.Run(frame)
	require.NoError(t, err)
	return n > 0
}

func prefilter(t testing.TB, f *Filter, link uint16) []bpf.Instruction {
	t.Helper()
	code, err := f.Prefilter(link, 256)
	require.NoError(t, err)
	require.LessOrEqual(t, len(code), maxProgram)
	return code
}

// TestPrefilterPassesWhatMatches is what a prefilter is for: whatever Match
// accepts of a frame, cut or not, the socket passes.
func TestPrefilterPassesWhatMatches(t *testing.T) {
	g := newGen(7)
	packets := g.decode(150)
	exprs := append([]string{}, parts...)
	for range 150 {
		e, _, _ := g.expression()
		exprs = append(exprs, e)
	}
	matched, dropped := 0, 0
	for _, e := range exprs {
		f := mustParse(t, e)
		code := prefilter(t, f, linkEthernet)
		vm := socket(t, code, false, 0)
		for i := range packets {
			d := &packets[i]
			passes := run(t, vm, d.frame)
			if f.Match(&d.p, d.frame, d.meta) {
				matched++
				require.True(t, passes, "%q of % x (%s)", e, d.frame, d.what)
			}
			if !passes {
				dropped++
			}
			stripped(t, f, code, d)
			if i%10 == 0 {
				cutFrames(t, f, vm, d)
			}
		}
	}
	t.Logf("%d pairs, %d match, %d are dropped by the socket", len(exprs)*len(packets), matched, dropped)
	require.Positive(t, matched)
	require.Greater(t, dropped, len(exprs)*len(packets)/10)
}

// stripped is the same where the card has taken the first tag out.
func stripped(t *testing.T, f *Filter, code []bpf.Instruction, d *decoded) {
	t.Helper()
	if !isTag(binary.BigEndian.Uint16(d.frame[12:])) || !f.Match(&d.p, d.frame, d.meta) {
		return
	}
	vm := socket(t, code, true, binary.BigEndian.Uint16(d.frame[14:]))
	bare := cat(d.frame[:12], d.frame[16:])
	require.True(t, run(t, vm, bare), "%q of % x without its tag", f, d.frame)
}

// cutFrames is the same where only the beginning of the frame reaches Match.
func cutFrames(t *testing.T, f *Filter, vm *bpf.VM, d *decoded) {
	t.Helper()
	var decoder flows.Decoder
	for n := 14; n < len(d.frame); n += 3 {
		for _, p := range decoder.Append(nil, d.frame[:n], d.meta) {
			if f.Match(&p, d.frame[:n], d.meta) {
				require.True(t, run(t, vm, d.frame), "%q of % x cut at %d", f, d.frame, n)
			}
		}
		// And where the frame is that short on the wire.
		short := d.meta
		short.Len = uint32(n)
		for _, p := range decoder.Append(nil, d.frame[:n], short) {
			if f.Match(&p, d.frame[:n], short) {
				require.True(t, run(t, vm, d.frame[:n]), "%q of % x, no longer than %d", f, d.frame, n)
			}
		}
	}
}

// TestPrefilterIsExactForPlainFrames holds that nothing passes that a socket can
// tell.
func TestPrefilterIsExactForPlainFrames(t *testing.T) {
	g := newGen(9)
	var packets []decoded
	for _, d := range g.decode(400) {
		plainKind := d.p.Kind == flows.KindTCP || d.p.Kind == flows.KindUDP || d.p.Kind == flows.KindEchoRequest || d.p.Kind == flows.KindARPRequest
		behind := len(d.frame) - len(d.bare)
		oneTag := behind == 4 && d.what == "tagged"
		if (d.what == "" || oneTag) && plainKind && !d.p.Has(flows.MarkFragmented) && bytes.HasSuffix(d.frame, d.bare[14:]) {
			packets = append(packets, d)
		}
	}
	require.NotEmpty(t, packets)
	for _, e := range []string{
		"tcp port 80", "host 192.0.2.1 or 2001:db8::1", "not (net 192.0.2.0/24 or udp)", "arp", "tcp[tcpflags] & tcp-syn != 0",
		"vlan 10 and port 443", "not vlan", "ether src 00:00:5e:00:53:01", "len > 80", "udp portrange 22-80", "icmp[icmptype] = icmp-echo",
		"ip[8] < 10 and not ip6", "broadcast or ip multicast", "net 192.0.2.0 mask 255.0.255.0",
	} {
		f := mustParse(t, e)
		vm := socket(t, prefilter(t, f, linkEthernet), false, 0)
		for i := range packets {
			d := &packets[i]
			require.Equal(t, f.Match(&d.p, d.frame, d.meta), run(t, vm, d.frame), "%q of % x (%s)", e, d.frame, d.what)
		}
	}
}

func TestPrefilterOfRawIP(t *testing.T) {
	g := newGen(11)
	packets := g.decode(150)
	dropped := 0
	for range 200 {
		e, _, _ := g.expression()
		f := mustParse(t, e)
		vm := socket(t, prefilter(t, f, 101), false, 0)
		for i := range packets {
			d := &packets[i]
			if kind := binary.BigEndian.Uint16(d.frame[12:]); kind != typeIPv4 && kind != typeIPv6 {
				continue
			}
			var decoder flows.Decoder
			frame := d.frame[14:]
			meta := flows.Meta{Link: 101, Len: uint32(len(frame))}
			for _, p := range decoder.Append(nil, frame, meta) {
				if f.Match(&p, frame, meta) {
					require.True(t, run(t, vm, frame), "%q of % x", e, frame)
				}
			}
			if !run(t, vm, frame) {
				dropped++
			}
		}
	}
	require.Positive(t, dropped)
}

func TestPrefilterThatLeavesNothingOut(t *testing.T) {
	all := []bpf.Instruction{bpf.RetConstant{Val: 96}}
	for _, tt := range []struct {
		expr string
		link uint16
	}{
		{"tcp", linkSLL2},
		{"tcp", 127},
		{"ip or ip6 or arp", linkEthernet},
		{"len * 2 > 100", linkEthernet},
	} {
		code, err := mustParse(t, tt.expr).Prefilter(tt.link, 96)
		require.NoError(t, err)
		require.Equal(t, all, code, tt.expr)
	}
	_, err := mustParse(t, "tcp").Prefilter(linkEthernet, 0)
	require.Error(t, err)
}

// TestPrefilterOfLongExpressions holds that what is too long for a socket is
// left to Match, the part in the frame's tags first.
func TestPrefilterOfLongExpressions(t *testing.T) {
	g := newGen(13)
	packets := g.decode(60)
	sizes := map[bool]int{}
	for _, n := range []int{2, 20, 60, 100, 160, 400} {
		expr := "host 192.0.2.1"
		for i := range n {
			expr += " or 198.51.100." + number(i%256).String()
		}
		f := mustParse(t, expr)
		code := prefilter(t, f, linkEthernet)
		sizes[len(code) > 1]++
		vm := socket(t, code, false, 0)
		for i := range packets {
			d := &packets[i]
			if f.Match(&d.p, d.frame, d.meta) {
				require.True(t, run(t, vm, d.frame), "%d hosts", n)
			}
		}
	}
	require.Len(t, sizes, 2, "some fit, some do not")
}
