package detect

import (
	"encoding/binary"
	"net/netip"

	"github.com/synoptic-ids/synoptic/flows"
)

// networks are prefixes in words: every event asks whether an address is ours.
type networks []prefix

// prefix is one of them, IPv4 in mapped form. No network of IPv6 holds that.
type prefix struct {
	high, low, maskHigh, maskLow uint64
	four                         bool
}

func newNetworks(prefixes []netip.Prefix) networks {
	var nets networks
	for _, p := range prefixes {
		if !p.IsValid() {
			continue
		}
		bits, a := p.Bits(), p.Masked().Addr().As16()
		if p.Addr().Is4() {
			bits += 96
		}
		n := prefix{four: p.Addr().Is4(), high: binary.BigEndian.Uint64(a[:8]), low: binary.BigEndian.Uint64(a[8:])}
		n.maskHigh = ^uint64(0) << (64 - min(bits, 64))
		n.maskLow = ^uint64(0) << (128 - max(bits, 64))
		nets = append(nets, n)
	}
	return nets
}

func (h networks) has(a *[16]byte) bool {
	high, low := binary.BigEndian.Uint64(a[:8]), binary.BigEndian.Uint64(a[8:])
	four := flows.IsIPv4(a)
	for i := range h {
		if n := &h[i]; n.four == four && high&n.maskHigh == n.high && low&n.maskLow == n.low {
			return true
		}
	}
	return false
}
