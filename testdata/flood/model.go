package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
	"time"
)

// model says what a flood is made of. All addresses are private or set aside for
// benchmarks (RFC 2544): ours 198.18.0.0/15, ordinary hosts 100.64.0.0/11, scanners
// 100.96.0.0/11, forged sources 10.0.0.0/8.
type model struct {
	spoofed  int // sources that send one SYN each, at most 2^24
	hosts    int // ordinary hosts with 1 to 12 conversations each
	scanners int
	least    int // targets of the smallest scanner
	most     int // of the largest, at most 60,000
	span     time.Duration
	distinct bool // forged SYNs go to a target each; otherwise all to one
	seed     uint64
	memory   int64 // MiB for what is remembered
}

// check says what of a model cannot be made.
func (m *model) check() error {
	switch {
	case m.spoofed < 0 || m.spoofed > 1<<24:
		return fmt.Errorf("%d forged sources: there can be up to %d", m.spoofed, 1<<24)
	case m.hosts < 0 || m.hosts > 1<<21 || m.scanners < 0 || m.scanners > 1<<21:
		return fmt.Errorf("%d hosts and %d scanners: there can be up to %d of each", m.hosts, m.scanners, 1<<21)
	case m.least < 1 || m.most < m.least || m.most > 60_000:
		return fmt.Errorf("scanners of %d to %d targets: they can have 1 to 60000", m.least, m.most)
	case m.memory < 1 || m.memory > 1<<20:
		return fmt.Errorf("%d MiB: it can be 1 to %d", m.memory, 1<<20)
	case m.span < time.Second:
		return fmt.Errorf("a span of %v: it must be a second or more", m.span)
	}
	return nil
}

// scanner is one of the scanners: what there is to find.
type scanner struct {
	targets int
	ports   int   // of these so many ports; the rest is hosts
	base    int   // the first host
	options bool  // SYNs as a system's own; otherwise bare
	spread  bool  // over the whole span; otherwise in a twelfth of it
	begin   int64 // ns after the beginning of the flood
	gap     int64 // ns from probe to probe
}

// hostsTried is how many hosts it tries.
func (s *scanner) hostsTried() int { return (s.targets + s.ports - 1) / s.ports }

// target is where the k-th probe goes, as a number of a host of ours and a port.
func (s *scanner) target(k int) (host int, port uint16) {
	first := 1
	if s.ports == 1 {
		first = 22 + s.base%8000
	}
	return (s.base + k/s.ports) % ourHosts, uint16(first + k%s.ports)
}

// ourHosts is how many hosts are ours: 198.18.0.0/15 but for the last 1,024, among which
// are the flood's target and the servers.
const ourHosts = 1<<17 - 1024

// scannersOf draws the scanners: sizes evenly over their logarithm, half of them fast,
// half over the whole span; half over hosts, a quarter over ports, a quarter both.
func (m *model) scannersOf() []scanner {
	r := rand.New(rand.NewPCG(m.seed, 1))
	all := make([]scanner, m.scanners)
	ratio := math.Log(float64(m.most) / float64(m.least))
	for i, at := range r.Perm(m.scanners) {
		part := 1.0
		if m.scanners > 1 {
			part = float64(at) / float64(m.scanners-1)
		}
		s := &all[i]
		s.targets = int(math.Round(float64(m.least) * math.Exp(ratio*part)))
		s.base, s.options, s.spread = r.IntN(ourHosts), i&1 == 1, i&2 == 2
		switch i >> 2 & 3 {
		case 0, 1:
			s.ports = 1
		case 2:
			s.ports = s.targets
		case 3:
			s.ports = int(math.Ceil(math.Sqrt(float64(s.targets))))
		}
		lasts := int64(m.span)
		if !s.spread {
			lasts /= 12
		}
		s.gap = lasts / int64(s.targets)
		s.begin = r.Int64N(int64(m.span) - lasts + 1)
		if s.spread {
			s.begin = r.Int64N(s.gap + 1)
		}
	}
	return all
}

// kinds of addresses, by their first bits.
func spoofedAddr(i int) uint32 {
	// An odd factor makes a permutation of 24 bits.
	return 10<<24 | uint32(i)*0x9e3779%(1<<24)
}
func hostAddr(i int) uint32    { return 100<<24 | 64<<16 | uint32(i) }
func scannerAddr(i int) uint32 { return 100<<24 | 96<<16 | uint32(i) }
func ourAddr(i int) uint32     { return 198<<24 | 18<<16 | uint32(i) }

// whose tells what an address is of, and the number of it.
type whose uint8

const (
	ours whose = iota
	aSpoofed
	aHost
	aScanner
)

// ownerOf tells whose a source is; that of a crowd, which has none, is ours.
func ownerOf(a netip.Addr) (w whose, i int) {
	if !a.IsValid() {
		return ours, 0
	}
	b := a.Unmap().As4()
	n := int(b[1])<<16 | int(b[2])<<8 | int(b[3])
	switch {
	case b[0] == 10:
		return aSpoofed, n
	case b[0] == 100 && b[1]&0xe0 == 64:
		return aHost, n - 64<<16
	case b[0] == 100 && b[1]&0xe0 == 96:
		return aScanner, n - 96<<16
	}
	return ours, n - 18<<16
}
