package cases_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/synoptic-ids/synoptic/detect"
	"github.com/synoptic-ids/synoptic/detect/sensor"
)

// home are our own networks in all cases.
var home = []netip.Prefix{
	netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("198.51.100.0/24"),
	netip.MustParsePrefix("2001:db8:c000:200::/56"), netip.MustParsePrefix("2001:db8:c633:6400::/56"),
}

func atHome(a netip.Addr) bool {
	return slices.ContainsFunc(home, func(p netip.Prefix) bool { return p.Contains(a) })
}

// as is an IPv4 address as the trace has it; none is none.
func (tr *trace) as(a netip.Addr) netip.Addr {
	if !tr.six || !a.IsValid() {
		return a
	}
	b := a.As4()
	return netip.AddrFrom16([16]byte{0x20, 0x01, 0x0d, 0xb8, b[0], b[1], b[2], b[3], 15: 1})
}

func (tr *trace) lan(n int) netip.Addr { return tr.as(lan(n)) } // desks and servers at home
func (tr *trace) dmz(n int) netip.Addr { return tr.as(dmz(n)) } // servers at home
func (tr *trace) net(n int) netip.Addr { return tr.as(net(n)) } // outside, to 255

// far are hosts outside, to 131,071.
func (tr *trace) far(n int) netip.Addr { return tr.as(far(n)) }

func lan(n int) netip.Addr { return netip.AddrFrom4([4]byte{192, 0, 2, byte(n)}) }
func dmz(n int) netip.Addr { return netip.AddrFrom4([4]byte{198, 51, 100, byte(n)}) }
func net(n int) netip.Addr { return netip.AddrFrom4([4]byte{203, 0, 113, byte(n)}) }
func far(n int) netip.Addr {
	return netip.AddrFrom4([4]byte{198, byte(18 + n>>16), byte(n >> 8), byte(n)})
}

// at is a port of a host.
func at(a netip.Addr, port int) netip.AddrPort { return netip.AddrPortFrom(a, uint16(port)) }

// every calls f n times, a gap apart, from a time on.
func every(from, gap time.Duration, n int, f func(i int, at time.Duration)) {
	for i := range n {
		f(i, from+time.Duration(i)*gap)
	}
}

const (
	ms     = time.Millisecond
	second = time.Second
	minute = time.Minute
	hour   = time.Hour
)

// named is a scan as a case expects it: exactly this.
type named struct {
	Src       netip.Addr
	Technique string
	Shape     detect.Shape
	Hosts     int
	Ports     int
	Targets   int
	Outcomes  detect.Outcomes
}

func (n named) String() string {
	return fmt.Sprintf("%v %s %s, %d hosts, %d ports, %d targets, %+v", n.Src, n.Technique, n.Shape, n.Hosts, n.Ports, n.Targets, n.Outcomes)
}

// lines are scans in words, sorted, one a line.
func lines(all []named) string {
	text := make([]string, 0, len(all))
	for _, n := range all {
		text = append(text, n.String())
	}
	slices.Sort(text)
	return strings.Join(text, "\n")
}

func namedIn(scans []detect.Scan) (all []named) {
	for _, s := range scans {
		all = append(all, named{s.Src, s.Technique, s.Shape, s.Hosts, s.Ports, s.Targets, s.Outcomes})
	}
	return all
}

// hard is traffic and who is a scanner in it.
type hard struct {
	name string
	// traffic makes the packets; fault spoils the capture of them.
	traffic, fault func(tr *trace)
	// want are the scanners in the traffic. Most cases have none.
	want []named
	// scan is what must be said of the scanner that is let loose in a second run,
	// where the fault does not leave all of it to be seen; blind: nothing can be.
	scan  *named
	blind bool
	// only is 4 or 6 where a case is about one version of IP, 0 for both.
	only int
}

// run holds a case against the line: by itself, and with a scanner in its midst
// that must be the only further name. The first is run over IPv4, the second over
// IPv6, where the case is about both.
func (h hard) run(t *testing.T) {
	j := judgeOf(t)
	for _, scanner := range []bool{false, true} {
		tr := newTrace(h.only == 6 || h.only == 0 && scanner)
		want := slices.Clone(h.want)
		h.traffic(tr)
		if scanner {
			want = append(want, h.beset(tr)...)
		}
		if h.fault != nil {
			h.fault(tr)
		}
		for i := range want {
			want[i].Src = tr.as(want[i].Src)
		}
		scans := tr.scans(t, sensor.Config{})
		j.equal(lines(want), lines(namedIn(scans)), "a scanner in its midst: %v\n%s", scanner, reasons(scans))
	}
	j.done()
}

// reasons say of scans that were found by which rule they were.
func reasons(scans []detect.Scan) string {
	s := ""
	for _, f := range scans {
		s += f.Src.String() + " " + f.Technique + ": " + f.Rule + "; ports " + f.PortRanges + "\n"
	}
	return s
}

// scanner is what is let loose: a SYN scan of forty ports as nmap makes it, one and
// a half minutes in.
var scanner = named{
	Src: net(66), Technique: "tcp-syn", Shape: detect.Vertical, Hosts: 1, Ports: 40, Targets: 40,
	Outcomes: detect.Outcomes{Answered: 2, Refused: 36, Silent: 2},
}

const scanAt = 90 * second

func (h hard) beset(tr *trace) []named {
	every(scanAt, 40*ms, 40, func(i int, at time.Duration) {
		p := probe{from: tr.net(66), to: tr.dmz(240), port: 1 + 3*i, flags: syn}
		switch {
		case i%16 == 3 && i < 32:
			p.answer = opened
		case i%16 != 5 || i > 32:
			p.answer = closed
		}
		tr.probe(at, p)
	})
	switch {
	case h.blind:
		return nil
	case h.scan != nil:
		return []named{*h.scan}
	}
	return []named{scanner}
}

// answer is what comes of a probe.
type answer int

const (
	silent answer = iota
	closed
	opened
)

// probe is a raw TCP packet of a scanner that uses one source port and one sequence
// number, as nmap does.
type probe struct {
	from, to netip.Addr
	port     int
	flags    byte
	answer   answer
}

const probeSeq, probePort = 0x1234_5678, 61234

func (tr *trace) probe(when time.Duration, p probe) {
	me, it := at(p.from, probePort), at(p.to, p.port)
	out := segment{from: me, to: it, flags: p.flags, seq: probeSeq, window: 1024}
	if p.flags == syn {
		out.options = []byte{2, 4, 5, 0xb4}
	}
	if p.flags&ack != 0 {
		out.seq, out.ack = 0, probeSeq
	}
	tr.send(when, out)
	when += ms
	back := segment{from: it, to: me, flags: rst | ack, ack: probeSeq + 1}
	switch {
	case p.answer == silent:
		return
	case p.answer == opened:
		back.flags, back.seq, back.window, back.options = syn|ack, 77*p.port, 64240, []byte{2, 4, 5, 0xb4}
	case p.flags&ack != 0:
		back.flags, back.seq, back.ack = rst, probeSeq, 0
	case p.flags == 0:
		back.ack = probeSeq
	}
	tr.send(when, back)
	if p.answer == opened {
		tr.send(when+ms, segment{from: me, to: it, flags: rst, seq: probeSeq + 1})
	}
}

// runAll runs cases by their names.
func runAll(t *testing.T, all []hard) {
	for _, h := range all {
		t.Run(h.name, func(t *testing.T) {
			t.Parallel()
			h.run(t)
		})
	}
}

// ssdp is the group that devices are asked for.
var ssdp = netip.MustParseAddr("239.255.255.250")
