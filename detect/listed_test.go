package detect

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestListed: who tries hosts of a list gathered all over the Internet is no scanner,
// though most are gone. Who tries the addresses of one network is, and who tries any.
func TestListed(t *testing.T) {
	far := func(i int) string {
		return netip.AddrFrom4([4]byte{byte(240 + i%15), byte(i * 37), 1, byte(i)}).String()
	}
	near := func(i int) string { return nth(server, i*211) }
	far6 := func(i int) string {
		return netip.AddrFrom16([16]byte{0x20, 0x01, 0x0d, byte(i), 0, byte(i), 15: 1}).String()
	}
	ours := func(i int) string { return nth("10.77.0.0", i*211) }
	for _, tt := range []struct {
		name   string
		target func(i int) string
		worked int // before, of as many more than fail
		failed int
		window uint16 // of the SYN, where it is a tool's
		named  bool
	}{
		{"a quarter of a list is alive", far, 5, 15, 0, false},
		{"a sixth", far, 3, 15, 0, false},
		{"fewer", far, 3, 16, 0, true},
		{"two", far, 2, 10, 0, true},
		{"a list of IPv6", far6, 5, 15, 0, false},
		{"addresses of one network", near, 5, 15, 0, true},
		{"addresses of ours", ours, 5, 15, 0, true},
		{"a tool's packets", far, 5, 15, 1024, true},
		{"very many", far, 90, 100, 0, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rules, err := Profile("default")
			require.NoError(t, err)
			w := newWire(t, rules)
			for i := range tt.worked {
				w.busy(float64(i), inside, tt.target(i), 8333)
			}
			for i := range tt.failed {
				syn := w.dial(inside, tt.target(tt.worked+i), 8333).syn()
				if tt.window > 0 {
					syn.Window = tt.window
				}
				w.send(100+float64(i), syn)
			}
			w.end()
			require.Equal(t, tt.named, len(w.phase(Open)) > 0)
		})
	}
}
