package flows

import "testing"

func FuzzDecode(f *testing.F) {
	for _, s := range seedFrames(f) {
		f.Add(s.link, uint32(len(s.data)), s.data)
	}
	f.Fuzz(func(t *testing.T, link uint16, wire uint32, data []byte) {
		m := Meta{Time: 7, Iface: 1, Len: wire, Link: link}
		whole, ok := decodeChecked(t, data, m)
		// The link header is at most 40 bytes: what the cuts share is decided there.
		m.Len = max(m.Len, uint32(len(data)))
		for _, n := range []int{len(data) / 2, len(data) - 1, 40, 54} {
			if n < 0 || n >= len(data) {
				continue
			}
			part, some := decodeChecked(t, data[:n:n], m)
			if some && part.Has(MarkTunnel) && whole.Kind != part.Kind {
				continue // labels do not say what they carry: less of it may look otherwise
			}
			if some {
				if !ok {
					t.Fatalf("a packet in %d bytes, but none in the whole: %+v", n, part)
				}
				requireSame(t, whole, part)
			}
		}
	})
}
