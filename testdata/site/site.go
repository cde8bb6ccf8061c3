// Package site is a made-up network at work for a day, and the scanners that
// visit it. It is generated while it is read, packet by packet in order of
// time, so that a test can put a day through the whole line without a file.
//
// A [Site] is a [capture.Source]. The same [Config] gives the same packets for
// ever: every choice comes from the seed, and no clock is read.
//
// The day begins at 06:00. Our networks are 10.20.0.0/16 (LAN), 192.0.2.0/24
// (DMZ) and 2001:db8:1::/48; the rest, 198.18.0.0/15 (RFC 2544),
// 203.0.113.0/24, 240.0.0.0/4 (reserved; for hosts that lie far apart) and other
// parts of 2001:db8::/32, stands for the Internet. The tap is a mirror port where
// LAN, edge router and firewall meet. Frames are cut after 96 bytes; the length on
// the wire is kept.
package site

import (
	"hash/fnv"
	"io"
	"math/rand/v2"
	"net/netip"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/synoptic-ids/synoptic/capture"
	"github.com/synoptic-ids/synoptic/testdata/wire"
)

// Config says which part of which day is wanted. The zero value is the whole
// day of seed 0.
type Config struct {
	// Seed chooses the day: who talks to whom and when.
	Seed uint64
	// From is how far into the day it begins, of 06:00.
	From time.Duration
	// For is how long it goes on; 0 means 24 hours.
	For time.Duration
	// Only are the names of the activities that go on, see [Activities]; none
	// means all.
	Only []string
}

// Busiest is the part of the day with the most in it: 08:00 to 10:00.
func Busiest(seed uint64) Config {
	return Config{Seed: seed, From: 2 * time.Hour, For: 2 * time.Hour}
}

// Scanner is one that the site is scanned by, as its author knows it.
type Scanner struct {
	Name      string     `json:"name"`
	Src       netip.Addr `json:"src"`
	Technique string     `json:"technique"` // as in scan records
	Targets   int        `json:"targets"`   // distinct targets probed in the part of the day that was asked for
	Slow      bool       `json:"slow"`      // half a minute or more lies between probes
}

// Home are our networks.
func Home() []netip.Prefix {
	return []netip.Prefix{
		netip.MustParsePrefix("10.20.0.0/16"), netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("2001:db8:1::/48"),
	}
}

// Site is a day of a network as a [capture.Source].
type Site struct {
	seed       uint64
	start, end int64 // ns since 1970
	hosts      map[netip.Addr]*host
	scans      []*Scanner
	outage     bool // of IPv6

	cutFrom, cutTo int64 // an outage of all that is outside, if there is one

	events queue[func(int64)]
	frames queue[int32]
	slab   []stored
	free   []int32
	lent   []int32 // handed out by the latest Read
	// What packets are made in.
	head    [wire.Ethernet + 40]byte
	l4      [128]byte
	options [40]byte

	mu    sync.Mutex
	stats capture.Stats
	ended bool
}

// stored is a frame that waits for its time.
type stored struct {
	size uint32 // on the wire
	kept uint8
	data [snap]byte
}

// snap is how many bytes are kept of a frame.
const snap = 96

// morning is when the day begins.
var morning = time.Date(2026, time.March, 10, 6, 0, 0, 0, time.UTC).UnixNano()

// New prepares a day. Nothing is generated before the first Read.
func New(cfg Config) *Site {
	if cfg.For <= 0 {
		cfg.For = 24 * time.Hour
	}
	start := morning + int64(cfg.From)
	s := &Site{seed: cfg.Seed, start: start, end: start + int64(cfg.For), hosts: map[netip.Addr]*host{}}
	for _, a := range activities() {
		if len(cfg.Only) == 0 || slices.Contains(cfg.Only, a.name) {
			a.begin(s, s.rng(a.name))
		}
	}
	return s
}

// Activities are the names of what goes on at the site, scanners included.
func Activities() []string {
	var names []string
	for _, a := range activities() {
		names = append(names, a.name)
	}
	return names
}

// Scanners are those that have probed anything so far, which is all of them
// after the last Read.
func (s *Site) Scanners() []Scanner {
	var all []Scanner
	for _, sc := range s.scans {
		if sc.Targets > 0 {
			all = append(all, *sc)
		}
	}
	return all
}

// Read implements [capture.Source].
func (s *Site) Read(fs []capture.Frame) (n int, err error) {
	s.free = append(s.free, s.lent...)
	s.lent = s.lent[:0]
	s.mu.Lock()
	ended := s.ended
	s.mu.Unlock()
	if ended {
		return 0, os.ErrClosed
	}
	bytes := uint64(0)
	for n < len(fs) && s.next(&fs[n]) {
		bytes += uint64(len(fs[n].Data))
		n++
	}
	s.mu.Lock()
	s.stats.Packets += uint64(n)
	s.stats.Bytes += bytes
	s.mu.Unlock()
	if n == 0 && len(fs) > 0 {
		return 0, io.EOF
	}
	return n, nil
}

// next lets things happen until it is certain which frame is the next.
func (s *Site) next(f *capture.Frame) bool {
	for {
		at, waits := s.events.first()
		sent, ready := s.frames.first()
		if ready && (!waits || sent <= at) {
			i := s.frames.pop()
			s.lent = append(s.lent, i)
			fr := &s.slab[i]
			*f = capture.Frame{Data: fr.data[:fr.kept], Time: sent, Len: fr.size}
			return true
		}
		if !waits {
			return false
		}
		s.events.pop()(at)
	}
}

// Link implements [capture.Source]: Ethernet.
func (s *Site) Link(iface uint32) uint16 {
	if iface != 0 {
		return 0xffff
	}
	return 1
}

// Stats implements [capture.Source].
func (s *Site) Stats() (capture.Stats, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stats, nil
}

// Close implements [capture.Source].
func (s *Site) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	return nil
}

// rng gives the random numbers of one activity, which do not depend on what
// else goes on.
func (s *Site) rng(name string) *rand.Rand {
	return rand.New(rand.NewPCG(s.seed, hash(name)))
}

func hash(s string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(s)) // never fails, says the interface
	return h.Sum64()
}
