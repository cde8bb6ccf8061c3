package marks

import (
	"math"
	"math/bits"

	"github.com/synoptic-ids/synoptic/flows"
)

// test is one of the tests whose misses are counted.
type test uint8

const (
	testMirai test = iota
	testMasscan
	testZMap
	testZMapWindows
	testNmap
	testNaabu
	testHping
	testUnicorn    // little-endian senders
	testUnicornBig // big-endian ones
	testOtherNmap  // from here on: probes other than TCP
	testOtherMasscan
	testOtherZMap
	tests
)

// noted is a bit set of what matching probes have shown.
type noted uint16

const (
	notedShape    noted = 1 << iota // a TCP probe of nmap's or naabu's shape: value and valuePort are set
	notedPort                       // a UDP or SCTP probe: otherPort is set
	masscanBare                     // masscan without options
	masscanSized                    // masscan with a maximum segment size of 1460
	zmapBare                        // ZMap without options
	zmapSized                       // ZMap with a maximum segment size
	nmapOldWindow                   // nmap with a window above 1024
	nmapOddRetry                    // nmap with a retry number that only versions before 7.93 send
	nmapEvenRetry                   // nmap with any other retry number
)

// Votes is what is known of the tool of one source. The zero value is ready. It
// holds no pointer and is 64 bytes long. It counts up to 2^32-1 probes and
// 65,534 misses a test; a test with more never names a tool.
type Votes struct {
	ttls       uint64 // set of the TTLs of probes that could be nmap's, other than TCP
	tcp, other uint32 // probes judged

	// The latest TCP probe.
	seq, dst uint32
	port, to uint16

	otherPort uint16 // source port of the latest UDP or SCTP probe
	kinds     uint16 // set of nmap -O's probes that were seen
	noted     noted

	// The latest TCP probe of nmap's or naabu's shape: its sequence number, or
	// where that is 0 its acknowledgement number.
	valuePort uint16
	value     uint32

	misses [tests]uint16
}

// Add judges one more probe of the source. A copy of the TCP probe before it is
// passed over, and so are truncated probes.
func (v *Votes) Add(p *Probe) {
	if p.Truncated {
		return
	}
	if p.Proto == protoTCP {
		v.addTCP(p)
		return
	}
	v.addOther(p)
}

func (v *Votes) judge(t test, holds bool) {
	if !holds && v.misses[t] < math.MaxUint16 {
		v.misses[t]++
	}
}

func (v *Votes) note(holds bool, n noted) {
	if holds {
		v.noted |= n
	}
}

func (v *Votes) addTCP(p *Probe) {
	dst, first := fold(&p.Dst), v.tcp == 0
	if !first && v.seq == p.Seq && v.dst == dst && v.port == p.SrcPort && v.to == p.DstPort {
		return
	}
	if v.tcp < math.MaxUint32 {
		v.tcp++
	}
	s := p.Signs()
	v.judge(testMirai, s&SignMirai != 0)
	v.judge(testMasscan, s&SignMasscan != 0)
	v.judge(testZMap, s&SignZMap != 0)
	v.judge(testZMapWindows, s&SignZMapWindows != 0)
	v.noteVersions(p, s)
	v.addShaped(p, s)
	v.judge(testHping, s&SignHping != 0 && (first || p.SrcPort-v.port <= 64))
	if !first {
		x := p.Seq ^ v.seq ^ (uint32(p.DstPort^v.to)<<16 | uint32(p.SrcPort^v.port))
		v.judge(testUnicorn, p.ipv4() && x == bits.ReverseBytes32(dst^v.dst))
		v.judge(testUnicornBig, p.ipv4() && x == dst^v.dst)
	}
	v.seq, v.dst, v.port, v.to = p.Seq, dst, p.SrcPort, p.DstPort
}

// fold is the address itself for IPv4, and tells most others apart.
func fold(a *[16]byte) uint32 {
	if flows.IsIPv4(a) {
		return uint32(a[12])<<24 | uint32(a[13])<<16 | uint32(a[14])<<8 | uint32(a[15])
	}
	return hashOn(fnvBasis, a[:])
}

// noteVersions notes what tells versions of a tool apart.
func (v *Votes) noteVersions(p *Probe, s Sign) {
	bare := p.Options == 0
	v.note(s&SignMasscan != 0 && bare, masscanBare)
	v.note(s&SignMasscan != 0 && p.Options == segmentSize1460, masscanSized)
	v.note(s&SignZMap != 0 && bare, zmapBare)
	v.note(s&SignZMap != 0 && !bare, zmapSized)
}

// addShaped judges what is compared with the probe of the same shape before it.
func (v *Votes) addShaped(p *Probe, s Sign) {
	if s&SignNmapOS != 0 { // the rest of nmap's scan goes on after it
		v.kinds |= 1 << p.osProbe()
		v.judge(testNaabu, false)
		return
	}
	value := p.Seq
	if value == 0 { // with ACK set nmap has its value there, but for early versions
		value = p.Ack
	}
	first := v.noted&notedShape == 0
	x, apart := value^v.value, p.SrcPort-v.valuePort
	try := x & 0xffff
	nmap := s&SignNmap != 0 && value != 0 && (first || x>>16 == try && try < 256 && near(apart, 64))
	v.judge(testNmap, nmap)
	step := p.Seq - v.value
	v.judge(testNaabu, s&SignNaabu != 0 && (first || apart == 0 && step != 0 && step+4096 <= 2*4096))
	if s&(SignNmap|SignNaabu) == 0 {
		return
	}
	v.note(nmap && p.Window > windowNmap, nmapOldWindow)
	v.note(nmap && !first && try&1 != 0, nmapOddRetry)
	v.note(nmap && !first && try != 0 && try&1 == 0, nmapEvenRetry)
	v.value, v.valuePort = value, p.SrcPort
	v.noted |= notedShape
}

// near reports whether the difference of two ports is at most n either way.
func near(apart, n uint16) bool { return apart+n <= 2*n }

func (v *Votes) addOther(p *Probe) {
	if v.other < math.MaxUint32 {
		v.other++
	}
	s := p.Signs()
	v.judge(testOtherZMap, s&SignZMapID != 0)
	v.judge(testOtherMasscan, s&SignMasscan != 0)
	nmap := p.ipv4() && !p.DF && p.TTL < ttlNmapMost+1 && v.goesOn(p)
	v.judge(testOtherNmap, nmap)
	if nmap {
		v.ttls |= 1 << p.TTL
	}
	if p.Proto == protoUDP || p.Proto == protoSCTP {
		v.otherPort = p.SrcPort
		v.noted |= notedPort
	}
}

// goesOn reports whether a probe other than TCP could be nmap's next one.
func (v *Votes) goesOn(p *Probe) bool {
	switch p.Proto {
	case protoUDP, protoSCTP:
		return v.noted&notedPort == 0 || near(p.SrcPort-v.otherPort, 20)
	case protoICMP:
		return p.Seq&0xffff == 0
	}
	return true
}

// nmap draws TTLs from 37 to 59.
const (
	ttlNmapMost   = 59
	ttlNmapWidth  = 22
	ttlTraceroute = 30 // the largest that traceroutes send
	ttlValues     = 5
)

// randomTTL reports whether the TTLs are spread as nmap spreads them.
func (v *Votes) randomTTL() bool {
	most, least := 63-bits.LeadingZeros64(v.ttls), bits.TrailingZeros64(v.ttls)
	return bits.OnesCount64(v.ttls) >= ttlValues && most > ttlTraceroute && most-least <= ttlNmapWidth
}
