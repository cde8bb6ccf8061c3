package detect

import (
	"net/netip"
	"time"
)

// Field is a property of an attempt that rules count or group by.
type Field string

// The fields.
const (
	FieldSrc     Field = "src"
	FieldDst     Field = "dst"
	FieldDstNet  Field = "dst_net" // the network of dst, as a registry gives them out: a /16, a /32 of IPv6; not to be counted
	FieldDstPort Field = "dst_port"
	FieldTarget  Field = "target" // (dst, proto, dst_port)
	FieldProto   Field = "proto"  // the class of target: tcp, udp, icmp echo, arp …
	FieldIPProto Field = "ip_proto"
)

// Selector narrows down which attempts a rule counts.
type Selector string

// The selectors; the outcomes, techniques and directions are selectors by their own names as
// well.
const (
	SelectAll          Selector = "all"          // every attempt, and every further connection to its target
	SelectConnection   Selector = "connection"   // as all, but only what a firewall logs: TCP SYN and UDP
	SelectUnproductive Selector = "unproductive" // failed, half-open or abandoned
	SelectCrafted      Selector = "crafted"      // no ordinary stack sends it
)

// WindowKind says how the time of a rule passes.
type WindowKind string

// The windows.
const (
	Sliding  WindowKind = "sliding"  // the last Within, at any moment
	Tumbling WindowKind = "tumbling" // calendar bins of Within, aligned to the epoch
	Run      WindowKind = "run"      // the whole input
	// Walk is no window: a failure takes the count up by one, a success down,
	// never below 0, and each value counts once. It fires above Over however long
	// that takes, if by then few ports have failed on many hosts. See package walk.
	Walk WindowKind = "walk"
	// Slow counts, by source, distinct failed targets that are ours within 1 h, 1 d,
	// 7 d or 30 d, by estimate and in little memory. Beyond the first, they must
	// have failed in three different hours or on three days. See package tier.
	Slow WindowKind = "slow"
	// Divided counts, over sources that have divided them among each other, failed ports of
	// one of our hosts, or our hosts that failed on one port. See package divide.
	Divided WindowKind = "divided"
)

// Condition is a count and the number it must exceed.
type Condition struct {
	Count Field
	Over  int
}

// PortRange is a range of ports, both ends included.
type PortRange struct{ From, To uint16 }

// Rule opens a scan where one source has more than Over distinct values of
// Count, under the same values of By and within Within.
type Rule struct {
	Name   string
	Count  Field
	By     []Field
	Of     []Selector    // all must hold
	Over   int           // it fires at Over+1; 1 to 65,535
	Within time.Duration // 1 s to 365 d; 0 where Window is Run or Walk
	Window WindowKind
	// Share is the least share of failed targets among the targets tried under
	// the same key and window, 0 to 1. It is not asked of crafted probes, nor at ten times the
	// threshold.
	Share float64
	// Sigma, where it is not 0, makes Over the least there is and compares with the
	// earlier hours: it fires above their mean by so many standard deviations, once
	// there are 24 of them. Window is Tumbling and Within an hour. See package
	// outlier.
	Sigma float64
	// Proto and Port narrow the rule to protocols ("tcp", "udp", "icmp", "sctp", "arp", "ndp",
	// "ip") and responder ports; empty means all.
	Proto []string
	Port  []PortRange
	// From narrows the rule to sources at home ("home") or outside
	// ("external"); empty means both.
	From string
	// And are further conditions under the same key and window.
	And []Condition
}

// Rules are what an [Engine] works by. [ParseRules] and [Profile] make them.
type Rules struct {
	// Home are our own networks, from which directions are told: a file without any means
	// [DefaultHome], but an empty Home means that nothing is home.
	Home  []netip.Prefix
	Rules []Rule
	// Allow is who may scan what: a scan that keeps to it is marked, and nothing
	// else changes.
	Allow []Allowance

	// Where the keys of each rule stand, if they were read from a file.
	file   string
	places []map[string]rulePos
}
