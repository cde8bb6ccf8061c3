package filter

import (
	"fmt"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/bpf"

	"github.com/synoptic-ids/synoptic/flows"
)

// oracle asks tcpdump what expressions mean.
type oracle struct {
	t    *testing.T
	path string
	vms  map[string]*bpf.VM
}

func newOracle(t *testing.T) *oracle {
	t.Helper()
	path, err := exec.LookPath("tcpdump")
	if err != nil {
		t.Skip("tcpdump is not installed")
	}
	return &oracle{t, path, map[string]*bpf.VM{}}
}

// vm is tcpdump's program, or nil where it has none.
func (o *oracle) vm(expr string) *bpf.VM {
	if vm := o.vms[expr]; vm != nil {
		return vm
	}
	out, err := exec.Command(o.path, "-y", "EN10MB", "-ddd", expr).CombinedOutput()
	if err != nil {
		if strings.Contains(strings.ToLower(string(out)), "mpls") {
			return nil // it does not know what to do behind a label
		}
		require.Contains(o.t, string(out), "expression rejects all packets", expr)
		out = []byte("1\n6 0 0 0")
	}
	var raw []bpf.RawInstruction
	for i, line := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		if i == 0 {
			continue // how many there are
		}
		var in bpf.RawInstruction
		_, err := fmt.Sscan(line, &in.Op, &in.Jt, &in.Jf, &in.K)
		require.NoError(o.t, err)
		raw = append(raw, in)
	}
	code, ok := bpf.Disassemble(raw)
	require.True(o.t, ok, expr)
	vm, err := bpf.NewVM(code)
	require.NoError(o.t, err, expr)
	o.vms[expr] = vm
	return vm
}

func (o *oracle) passes(expr string, frame []byte) bool {
	n, err := o.vm(expr).Run(frame)
	require.NoError(o.t, err)
	return n > 0
}

// decoded is a frame with the packet in it.
type decoded struct {
	sample
	p    flows.Packet
	meta flows.Meta
}

// decode draws samples and decodes them; those that hold no packet are left out.
func (g gen) decode(n int) []decoded {
	all := make([]decoded, 0, n)
	for len(all) < n {
		s := g.sample()
		meta := flows.Meta{Link: linkEthernet, Len: uint32(len(s.frame))}
		var d flows.Decoder // a new one: fragments of different packets are not put together
		for _, p := range d.Append(nil, s.frame, meta) {
			all = append(all, decoded{s, p, meta})
		}
	}
	return all
}

func mustParse(t *testing.T, expr string) *Filter {
	t.Helper()
	f, err := Parse(expr)
	require.NoError(t, err, expr)
	return f
}

// reason is which of the documented differences explains that a part is
// answered otherwise than by tcpdump; empty if none does. It is not taken on trust:
// what tcpdump says of the bare packet must be what is said here of the frame.
func (o *oracle) reason(part string, d *decoded, ours bool) string {
	theirs := o.passes(part, d.frame)
	switch {
	case ours == theirs:
		return "none"
	case strings.HasPrefix(part, "vlan"), strings.HasPrefix(part, "mpls"):
		if ours && (strings.HasPrefix(d.what, "tagged") || d.what == "behind MPLS") {
			return "vlan and mpls mean any tag or label"
		}
		return ""
	case framed(part):
		return ""
	case strings.HasPrefix(part, "ether proto"):
		if o.passes(part, d.outer) == ours {
			return "the ethertype is the one behind tags"
		}
		return ""
	case d.what != "" && o.passes(part, d.bare) == ours:
		return "the packet is " + d.what
	case carrier(part) && o.passes(part, d.outer) == ours:
		return "what carries a packet is looked for in the first of the frame"
	case d.four != nil && strings.Contains(part, "[") && o.passes(part, d.four) == ours:
		return "fields of TCP, UDP and SCTP over IPv6"
	}
	return ""
}

// carrier reports whether a part is about a protocol that carries others.
func carrier(part string) bool {
	switch part {
	case "ah", "ip proto 4", "ip proto 41", "ip proto 47", "ip6 proto 0", "ip6 proto 41":
		return true
	}
	return false
}

// TestAgreesWithTcpdump compares answers with those of tcpdump's own compiler,
// over generated expressions and frames.
func TestAgreesWithTcpdump(t *testing.T) {
	o := newOracle(t)
	g := newGen(20)
	packets := g.decode(120)
	single := map[string]*Filter{}
	for _, p := range parts {
		single[p] = mustParse(t, p)
	}
	pairs, exprs, reasons := 0, 0, map[string]int{}
	for n := range len(parts) + 300 {
		e, is, used := g.expression()
		if n < len(parts) {
			e = parts[n]
			is, used = func(t truth) bool { return t(e) }, []string{e}
		}
		f := mustParse(t, e)
		if o.vm(e) == nil {
			continue
		}
		exprs++
		for i := range packets {
			d := &packets[i]
			pairs++
			part := func(part string) bool { return single[part].Match(&d.p, d.frame, d.meta) }
			ours := f.Match(&d.p, d.frame, d.meta)
			require.Equal(t, is(part), ours, "%q of % x", e, d.frame)
			if ours == o.passes(e, d.frame) {
				continue
			}
			why := ""
			for _, u := range used {
				r := o.reason(u, d, part(u))
				require.NotEmpty(t, r, "%q, by its part %q, of % x (%s): ours %v", e, u, d.frame, d.what, ours)
				if r != "none" {
					why = r
				}
			}
			if why == "" && (strings.Contains(e, "vlan") || strings.Contains(e, "mpls")) {
				why = "vlan and mpls move what stands behind them"
			}
			require.NotEmpty(t, why, "%q of % x (%s): ours %v", e, d.frame, d.what, ours)
			reasons[why]++
		}
	}
	t.Logf("%d pairs of %d expressions and %d frames", pairs, exprs, len(packets))
	sum := 0
	for _, why := range slices.Sorted(maps.Keys(reasons)) {
		t.Logf("%6d intended differences: %s", reasons[why], why)
		sum += reasons[why]
	}
	require.GreaterOrEqual(t, pairs, 2000)
	require.Less(t, sum, pairs/3, "most pairs must agree outright")
}
