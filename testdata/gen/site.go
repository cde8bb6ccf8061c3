package main

import (
	"cmp"
	"encoding/binary"
	"hash/fnv"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"github.com/synoptic-ids/synoptic/testdata/wire"
)

// epoch is when every capture starts: a Tuesday morning.
var epoch = time.Date(2026, time.March, 10, 9, 0, 0, 0, time.UTC).UnixNano()

// The networks. The tap is the mirror port of the switch that joins the LAN,
// the edge router and the firewall of the DMZ, so every packet is seen once.
var (
	lan4 = netip.MustParsePrefix("192.0.2.0/24")
	dmz4 = netip.MustParsePrefix("198.51.100.0/24")
	lan6 = netip.MustParsePrefix("2001:db8:1::/48")
)

var (
	routerMAC   = wire.MAC{0x00, 0x00, 0x5e, 0x00, 0x53, 0x01}
	firewallMAC = wire.MAC{0x00, 0x00, 0x5e, 0x00, 0x53, 0x02}
)

// site is the network a capture is taken in, and the packets taken so far.
type site struct {
	name   string
	hosts  map[netip.Addr]*host
	frames []frame
	labels []label
}

func newSite(name string) *site {
	return &site{name: name, hosts: map[netip.Addr]*host{}}
}

// rng gives the random numbers of one activity, which do not depend on what
// else the capture holds.
func (s *site) rng(name string) *rand.Rand {
	return rand.New(rand.NewPCG(hash(s.name), hash(name)))
}

func hash(s string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(s)) // never fails, says the interface
	return h.Sum64()
}

// at is the time that lies d after the start of every capture.
func at(d time.Duration) int64 { return epoch + int64(d) }

// host is one machine, or one address of it.
type host struct {
	addr  netip.Addr
	mac   wire.MAC
	stack stack
	hops  uint8 // routers between the host and the tap
	delay int64 // ns from a packet at the tap to the host's answer there
	ticks uint32
	ident uint16
	rnd   *rand.Rand
	port  uint16
	dead  bool // answers nothing at all
}

// The addresses of the site and of others.
func (s *site) lan(n int) *host { return s.host(nth(lan4.Addr(), n)) }
func (s *site) dmz(n int) *host { return s.host(nth(dmz4.Addr(), n)) }
func (s *site) net(n int) *host { return s.host(nth(netip.MustParseAddr("203.0.113.0"), n)) }

func (s *site) lan6(n int) *host { return s.host(nth(netip.MustParseAddr("2001:db8:1:1::"), n)) }
func (s *site) net6(n int) *host { return s.host(nth(netip.MustParseAddr("2001:db8:ff::"), n)) }

// nth adds n to the last two bytes of an address.
func nth(a netip.Addr, n int) netip.Addr {
	if a.Is4() {
		b := a.As4()
		b[3] += byte(n)
		return netip.AddrFrom4(b)
	}
	b := a.As16()
	binary.BigEndian.PutUint16(b[14:], uint16(n))
	return netip.AddrFrom16(b)
}

func (s *site) host(a netip.Addr) *host {
	if h := s.hosts[a]; h != nil {
		return h
	}
	rnd := rand.New(rand.NewPCG(hash(s.name), hash(a.String())))
	h := &host{addr: a, rnd: rnd, ticks: rnd.Uint32(), ident: uint16(rnd.Uint32())}
	last := a.As16()[15]
	switch {
	case lan4.Contains(a) || lan6.Contains(a):
		h.mac = wire.MAC{0x02, 0x00, 0xc0, 0x00, 0x02, last}
		if last == 1 {
			h.mac = routerMAC
		}
		h.delay = between(rnd, 120*time.Microsecond, 400*time.Microsecond)
	case dmz4.Contains(a):
		h.mac, h.hops = firewallMAC, 1
		h.delay = between(rnd, 400*time.Microsecond, 900*time.Microsecond)
	default:
		h.mac, h.hops = routerMAC, uint8(5+rnd.IntN(10))
		h.delay = between(rnd, 6*time.Millisecond, 90*time.Millisecond)
	}
	h.stack = usualStack(h, last)
	h.port = h.stack.LowPort + uint16(rnd.IntN(4000))
	s.hosts[a] = h
	return h
}

func usualStack(h *host, last byte) stack {
	if h.hops > 0 || last < 100 { // servers, and most of what is remote
		if h.rnd.IntN(4) == 0 {
			return windows
		}
		return linux
	}
	if h.rnd.IntN(3) == 0 {
		return macos
	}
	if h.rnd.IntN(3) == 0 {
		return linux
	}
	return windows
}

func (h *host) is6() bool   { return h.addr.Is6() }
func (h *host) local() bool { return h.hops == 0 }

// ephemeral is the host's next source port.
func (h *host) ephemeral() uint16 {
	step := uint16(1)
	if h.stack.Scatter {
		step = uint16(2 * (1 + h.rnd.IntN(400)))
	}
	h.port += step
	if h.port < h.stack.LowPort || h.port >= h.stack.HighPort {
		h.port = h.stack.LowPort + uint16(h.rnd.IntN(500))
	}
	return h.port
}

// clock is the host's TCP time stamp at t: milliseconds since an unknown start.
func (h *host) clock(t int64) uint32 { return h.ticks + uint32((t-epoch)/1e6) }

// answer is the delay of one answer of the host, jittered by up to a fifth.
func (h *host) answer() int64 { return h.delay + h.rnd.Int64N(h.delay/5+1) }

func between(r *rand.Rand, low, high time.Duration) int64 {
	return int64(low) + r.Int64N(int64(high-low))
}

// finish puts the packets in order and numbers those of hosts with one IP
// identification counter.
func (s *site) finish() []frame {
	slices.SortStableFunc(s.frames, func(a, b frame) int { return cmp.Compare(a.time, b.time) })
	for _, f := range s.frames {
		if f.counter == nil || f.data[12] != 0x08 || f.data[13] != 0 {
			continue
		}
		f.counter.ident++
		ip := f.data[wire.Ethernet:]
		binary.BigEndian.PutUint16(ip[4:], f.counter.ident)
		wire.SumIPv4(ip)
	}
	return s.frames
}
