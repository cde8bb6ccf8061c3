package site

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/synoptic-ids/synoptic/testdata/wire"
)

// The stacks, which are not changed.
var (
	linux    = new(wire.Linux())
	windows  = new(wire.Windows())
	macos    = new(wire.MacOS())
	embedded = new(wire.Embedded())
)

// host is one machine, or one address of it.
type host struct {
	addr  netip.Addr
	mac   wire.MAC
	stack *wire.Stack
	hops  uint8 // routers between the host and the tap
	delay int64 // ns from a packet at the tap to the host's answer there
	ticks uint32
	ident uint16
	port  uint16
	rnd   *rand.Rand
}

var (
	routerMAC   = wire.MAC{0x00, 0x00, 0x5e, 0x00, 0x53, 0x01}
	firewallMAC = wire.MAC{0x00, 0x00, 0x5e, 0x00, 0x53, 0x02}
)

// ip4 is the host of an IPv4 address.
func (s *Site) ip4(a, b, c, d int) *host {
	return s.host(netip.AddrFrom4([4]byte{byte(a), byte(b), byte(c), byte(d)}))
}

// The parts of the network.
func (s *Site) server(n int) *host  { return s.ip4(10, 20, 1, n) }
func (s *Site) desk(n int) *host    { return s.ip4(10, 20, 2+n/200, 1+n%200) } // 0 to 219
func (s *Site) printer(n int) *host { return s.ip4(10, 20, 4, 1+n) }
func (s *Site) phone(n int) *host   { return s.ip4(10, 20, 5, 1+n) }
func (s *Site) dmz(n int) *host     { return s.ip4(192, 0, 2, n) }
func (s *Site) evil(n int) *host    { return s.ip4(203, 0, 113, n) }
func (s *Site) web(n int) *host     { return s.ip4(198, 18, n/250, 1+n%250) }    // sites of others, 0 to 3,999
func (s *Site) names(n int) *host   { return s.ip4(198, 18, 16+n/250, 1+n%250) } // their name servers
func (s *Site) mx(n int) *host      { return s.ip4(198, 18, 24, 1+n) }

func (s *Site) visitor(n int) *host { return s.ip4(198, 19, n>>8&255, n&255) }

func (s *Site) desk6(n int) *host    { return s.ip6(0x0001, 0x0002, n) }
func (s *Site) dmz6(n int) *host     { return s.ip6(0x0001, 0x000d, n) }
func (s *Site) web6(n int) *host     { return s.ip6(0x0080, 0, n) }
func (s *Site) visitor6(n int) *host { return s.ip6(0xa000, 0, n) }

// ip6 is the host n of a network of 2001:db8::/32.
func (s *Site) ip6(site, net uint16, n int) *host {
	a := [16]byte{0x20, 0x01, 0x0d, 0xb8}
	binary.BigEndian.PutUint16(a[4:], site)
	binary.BigEndian.PutUint16(a[6:], net)
	binary.BigEndian.PutUint32(a[12:], uint32(n)+1)
	return s.host(netip.AddrFrom16(a))
}

func (s *Site) host(a netip.Addr) *host {
	if h := s.hosts[a]; h != nil {
		return h
	}
	rnd := rand.New(rand.NewPCG(s.seed, hash(a.String())))
	h := &host{addr: a, rnd: rnd, ticks: rnd.Uint32(), ident: uint16(rnd.Uint32()), stack: linux}
	b := a.As16()
	switch {
	case a.Is4() && b[12] == 10 || a.Is6() && b[5] == 1 && b[7] == 2:
		h.mac = wire.MAC{0x02, 0x20, b[12], b[13], b[14], b[15]}
		h.delay = between(rnd, 100*time.Microsecond, 400*time.Microsecond)
		h.stack = localStack(b, rnd)
	case a.Is4() && b[12] == 192 || a.Is6() && b[5] == 1:
		h.mac, h.hops = firewallMAC, 1
		h.delay = between(rnd, 400*time.Microsecond, 900*time.Microsecond)
	default:
		h.mac, h.hops = routerMAC, uint8(5+rnd.IntN(12))
		h.delay = between(rnd, 5*time.Millisecond, 110*time.Millisecond)
		if one(rnd, 2) {
			h.stack = []*wire.Stack{windows, macos}[rnd.IntN(2)]
		}
	}
	if a == netip.AddrFrom4([4]byte{10, 20, 1, 1}) {
		h.mac = routerMAC
	}
	h.port = h.stack.LowPort + uint16(rnd.IntN(3000))
	s.hosts[a] = h
	return h
}

func localStack(b [16]byte, rnd *rand.Rand) *wire.Stack {
	switch {
	case b[0] != 0 || b[14] == 2 || b[14] == 3:
		return []*wire.Stack{windows, windows, macos, linux}[rnd.IntN(4)]
	case b[14] == 4 || b[14] == 5:
		return embedded
	default:
		return linux
	}
}

func (h *host) is6() bool { return h.addr.Is6() }

// outside reports whether the host is one of others.
func (h *host) outside() bool { return h.hops >= 5 }

// cut reports whether the uplink is gone.
func (s *Site) cut(t int64) bool { return s.cutFrom <= t && t < s.cutTo }

// ephemeral is the host's next source port.
func (h *host) ephemeral() uint16 {
	step := uint16(1)
	if h.stack.Scatter {
		step = uint16(2 * (1 + h.rnd.IntN(400)))
	}
	if h.port >= h.stack.HighPort-step {
		h.port = h.stack.LowPort + uint16(h.rnd.IntN(500))
	}
	h.port += step
	return h.port
}

// clock is the host's TCP time stamp at t.
func (h *host) clock(t int64) uint32 { return h.ticks + uint32((t-morning)/1e6) }

// answer is the delay of one answer of the host, jittered by up to a fifth.
func (h *host) answer() int64 { return h.delay + h.rnd.Int64N(h.delay/5+1) }
