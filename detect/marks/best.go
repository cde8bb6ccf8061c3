package marks

import (
	"math"
	"math/bits"
)

// The tools that can be named.
const (
	Mirai       = "mirai"
	Masscan     = "masscan"
	ZMap        = "zmap"
	Nmap        = "nmap"
	Naabu       = "naabu"
	Hping       = "hping3"
	Unicornscan = "unicornscan"
)

// How many probes name a tool.
const (
	// Least is how many probes must match, whatever the mark.
	Least = 4
	// LeastByTTL is how many must match where nmap is told by its TTLs.
	LeastByTTL = 8
	// leastKinds is how many different probes of nmap -O prove it.
	leastKinds = 4
)

// Mark is a tool and how far the probes bear it out.
type Mark struct {
	// Name is one of the constants of this package.
	Name string
	// Version is what the probes tell of the version, and of nmap whether it
	// detects operating systems; "" if nothing.
	Version string
	// Matched of Of probes matched. Of is the number of probes of the source
	// with the same transport as those that matched (TCP, or all others); of
	// unicornscan, whose mark has nothing to say of one probe alone, the pairs.
	Matched, Of int
}

// candidate is a test that can name a tool.
type candidate struct {
	test  test
	name  string
	shape bool // it tests the shape alone: nine in ten must match, not half
	pairs bool // it judges no first probe
}

// Where several match, the first is named: what is less likely by chance stands
// before what is more. A Mirai with one source port matches big-endian
// unicornscan too.
var candidatesTCP = [...]candidate{
	{test: testMirai, name: Mirai},
	{test: testUnicorn, name: Unicornscan, pairs: true},
	{test: testUnicornBig, name: Unicornscan, pairs: true},
	{test: testMasscan, name: Masscan},
	{test: testZMap, name: ZMap},
	{test: testNmap, name: Nmap},
	{test: testNaabu, name: Naabu},
	{test: testHping, name: Hping, shape: true},
	{test: testZMapWindows, name: ZMap, shape: true},
}

// Best names the tool that the source's probes bear out, if there is one.
//
// At least [Least] probes must match. Of a mark by equation, half of the probes
// must; of one by shape alone (hping3, ZMap from 4.1 on), nine in ten. nmap is
// also named by nine in ten of at least [LeastByTTL] probes other than TCP with
// TTLs spread as it spreads them, and, however many other probes there are, by
// four different ones of those that only its OS detection sends. TCP and the
// other protocols are judged apart; where both name one tool their counts are
// added, where they name two the one with more matches is given.
func (v *Votes) Best() (Mark, bool) {
	tcp, named := v.bestTCP()
	other, otherNamed := v.bestOther()
	switch {
	case !otherNamed:
		return tcp, named
	case !named:
		return other, true
	case tcp.Name == other.Name:
		tcp.Matched += other.Matched
		tcp.Of += other.Of
		if tcp.Version == "" {
			tcp.Version = other.Version
		}
		return tcp, true
	case other.Matched > tcp.Matched:
		return other, true
	}
	return tcp, true
}

func (v *Votes) bestTCP() (Mark, bool) {
	if m, ok := v.matched(testNmap, v.tcp); ok && bits.OnesCount16(v.kinds) >= leastKinds {
		return Mark{Nmap, v.version(testNmap), int(m), int(v.tcp)}, true
	}
	for i := range candidatesTCP {
		c := &candidatesTCP[i]
		of := v.tcp
		if c.pairs {
			of = max(of, 1) - 1
		}
		if m, ok := v.matched(c.test, of); ok && enough(m, of, c.shape) {
			return Mark{c.name, v.version(c.test), int(m), int(of)}, true
		}
	}
	return Mark{}, false
}

func (v *Votes) bestOther() (Mark, bool) {
	if m, ok := v.matched(testOtherMasscan, v.other); ok && enough(m, v.other, false) {
		return Mark{Masscan, "", int(m), int(v.other)}, true
	}
	if m, ok := v.matched(testOtherZMap, v.other); ok && enough(m, v.other, false) {
		return Mark{ZMap, v.version(testOtherZMap), int(m), int(v.other)}, true
	}
	m, ok := v.matched(testOtherNmap, v.other)
	if ok && m >= LeastByTTL && enough(m, v.other, true) && v.randomTTL() {
		return Mark{Nmap, "", int(m), int(v.other)}, true
	}
	return Mark{}, false
}

// matched is how many of the probes matched; ok is false once the misses are no
// longer counted.
func (v *Votes) matched(t test, of uint32) (m uint32, ok bool) {
	misses := v.misses[t]
	return of - min(uint32(misses), of), misses < math.MaxUint16
}

func enough(matched, of uint32, shape bool) bool {
	if shape {
		return matched >= Least && uint64(matched)*10 >= uint64(of)*9
	}
	return matched >= Least && uint64(matched)*2 >= uint64(of)
}

// version tells what the matching probes show of the version.
func (v *Votes) version(t test) string {
	has := func(n noted) bool { return v.noted&n != 0 }
	switch t {
	case testMasscan:
		// Other options tell nothing: a sweep of 2018 had a segment size of 1200.
		return either(has(masscanBare), "1.3.2 or earlier", has(masscanSized), "later than 1.3.2")
	case testZMap:
		return either(has(zmapBare), "before 3.0", has(zmapSized), "3.0 to 4.0")
	case testOtherZMap:
		return "before 4.1"
	case testZMapWindows:
		return "4.1 or later"
	case testNmap:
		return v.versionNmap()
	}
	return ""
}

// either is the text of the one that holds, nothing if both or none do.
func either(a bool, textA string, b bool, textB string) string {
	switch {
	case a && !b:
		return textA
	case b && !a:
		return textB
	}
	return ""
}

func (v *Votes) versionNmap() string {
	version := ""
	switch {
	case v.noted&nmapOldWindow != 0:
		version = "before June 2011"
	case v.noted&nmapOddRetry != 0:
		version = "before 7.93"
	case v.noted&nmapEvenRetry != 0:
		version = "7.93 or later"
	}
	if bits.OnesCount16(v.kinds) < leastKinds {
		return version
	}
	if version == "" {
		return "OS detection"
	}
	return version + ", OS detection"
}
