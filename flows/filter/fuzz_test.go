package filter

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synoptic-ids/synoptic/flows"
)

// FuzzParse holds that an expression is refused, or means what it prints as, and
// becomes a program that a kernel would take.
func FuzzParse(f *testing.F) {
	for _, p := range parts {
		f.Add(p)
	}
	for seed := range uint64(20) {
		e, _, _ := newGen(seed).expression()
		f.Add(e)
	}
	for _, e := range []string{
		"((((", "))))", "not not not", "tcp[", "tcp[13:", "port (", "[[[[", "::::", "1.2.3.4/", "\\", "net / mask", "\xff", "- - - 1", "1 << 99 = 0",
	} {
		f.Add(e)
	}
	packets := newGen(1).decode(5)
	f.Fuzz(func(t *testing.T, expr string) {
		filter, err := Parse(expr)
		if err != nil {
			var e *Error
			require.ErrorAs(t, err, &e)
			require.Positive(t, e.Column)
			require.LessOrEqual(t, e.Column, len(expr)+1)
			return
		}
		again, err := Parse(filter.String())
		if len(filter.String()) > maxLength {
			return // it is longer in full
		}
		require.NoError(t, err, "%s", filter)
		require.Equal(t, filter.String(), again.String())
		vm := socket(t, prefilter(t, filter, linkEthernet), false, 0)
		for i := range packets {
			d := &packets[i]
			fits := filter.Match(&d.p, d.frame, d.meta)
			require.Equal(t, fits, again.Match(&d.p, d.frame, d.meta), "%s", filter)
			if fits {
				require.True(t, run(t, vm, d.frame), "%s", filter)
			}
		}
		filter.Parts()
		filter.Hides()
		filter.HidesICMP()
	})
}

// FuzzMatch holds that no frame makes a test fail, and that what fits passes the
// socket.
func FuzzMatch(f *testing.F) {
	for seed := range uint64(40) {
		g := newGen(seed)
		f.Add(seed, uint16(linkEthernet), g.sample().frame)
	}
	f.Add(uint64(1), uint16(linkSLL2), make([]byte, 30))
	f.Add(uint64(2), uint16(101), synTo80())
	f.Fuzz(func(t *testing.T, seed uint64, link uint16, frame []byte) {
		if len(frame) > 2000 {
			return
		}
		meta := flows.Meta{Link: link, Len: uint32(len(frame))}
		expr, _, _ := newGen(seed).expression()
		filter, err := Parse(expr)
		require.NoError(t, err, expr)
		vm := socket(t, prefilter(t, filter, link), false, 0)
		decoder := flows.NewDecoder(flows.DecoderConfig{Tunnels: flows.TunnelsBoth})
		for _, p := range decoder.Append(nil, frame, meta) {
			filter.Match(&p, nil, meta)
			if filter.Match(&p, frame, meta) {
				require.True(t, run(t, vm, frame), "%s of % x", filter, frame)
			}
		}
	})
}
