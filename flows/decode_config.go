package flows

import "fmt"

// Tunnels says which packets a [Decoder] gives for a frame that carries one
// packet inside another.
type Tunnels uint8

// What a decoder gives of tunnels.
const (
	TunnelsInner Tunnels = iota // the innermost packet; the carrier, with MarkCarrier, where the inner one cannot be read
	TunnelsOuter                // the outermost packet, with MarkCarrier
	TunnelsBoth                 // the outermost packet, with MarkCarrier, and then the innermost one
)

// String is the name that [ParseTunnels] reads.
func (t Tunnels) String() string {
	switch t {
	case TunnelsInner:
		return "inner"
	case TunnelsOuter:
		return "outer"
	case TunnelsBoth:
		return "both"
	}
	return fmt.Sprintf("Tunnels(%d)", uint8(t))
}

// ParseTunnels reads "inner", "outer" or "both".
func ParseTunnels(s string) (Tunnels, error) {
	for t := TunnelsInner; t <= TunnelsBoth; t++ {
		if s == t.String() {
			return t, nil
		}
	}
	return 0, fmt.Errorf("%q is not inner, outer or both", s)
}

// DecoderConfig says how a [Decoder] works. The zero value is the default.
type DecoderConfig struct {
	// Tunnels says which packet is given of a frame with tunnels.
	Tunnels Tunnels
	// MaxFragments bounds how many datagrams are kept in mind whose fragments
	// have to be put together before the transport header can be read; 0 means
	// 4,096, and 1,048,576 is the most. It is rounded up to a multiple of 8.
	// A datagram takes 256 bytes. They are taken when the first such fragment
	// is seen: ordinary traffic has none.
	MaxFragments int
	// Seed keys the hash functions, as that of [TableConfig] does.
	Seed uint64
}

// NewDecoder makes a decoder.
func NewDecoder(cfg DecoderConfig) *Decoder {
	return &Decoder{tunnel: tunnelState{mode: cfg.Tunnels, seed: cfg.Seed}, maxFragments: cfg.MaxFragments, seed: cfg.Seed}
}
