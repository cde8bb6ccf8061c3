package detect

import "net/netip"

// NoticeKind says what a notice is about.
type NoticeKind string

// The kinds of notices.
const (
	Flood       NoticeKind = "flood"       // many sources, most of them forged, reach for one host and want nothing of it
	Backscatter NoticeKind = "backscatter" // a host answers many that never asked it: somebody floods it in their names
	Reflection  NoticeKind = "reflection"  // many hosts answer one that never asked them: somebody asks in its name
	GatewayARP  NoticeKind = "gateway-arp" // a router asks its links for many hosts: somebody behind it wants to know
	Health      NoticeKind = "health"      // what the run can and cannot see and know: Notice.About
)

// Notice is a record of something that is no scan. It names whom it hits, and
// no culprit: the sources of a flood are forged or do not know what they do. Its
// JSON form is the canonical record.
type Notice struct {
	Event NoticeKind `json:"event"`
	Phase Phase      `json:"phase,omitempty"` // none of health, but of HealthDark
	ID    string     `json:"id"`              // the same for the same notice in the same capture, always
	Time  Time       `json:"time"`            // when this record became due, by the packets' clock

	Dst     *netip.Addr `json:"dst"`                // whom it hits; of backscatter, far away
	Port    *uint16     `json:"port"`               // the one port of Dst with nine tenths of the packets, or null
	Ports   int         `json:"ports,omitempty"`    // distinct ports, where there is no such one
	SrcPort *uint16     `json:"src_port,omitempty"` // of a reflection, the one that nine tenths come from
	Proto   string      `json:"proto,omitempty"`
	Gateway *netip.Addr `json:"gateway,omitempty"` // the router of gateway-arp, where Dst is null

	// Sources counts the addresses that it came from, or seemed to come from;
	// Hosts those that got the answers of backscatter, or that a gateway asked for.
	Sources int `json:"sources,omitempty"`
	Hosts   int `json:"hosts,omitempty"`
	// Estimated says that Sources, Hosts and Ports are estimates, of some 3 %, and
	// that Packets are at least so many.
	Estimated bool    `json:"estimated,omitempty"`
	Packets   uint64  `json:"packets,omitempty"`
	Rate      float64 `json:"rate,omitempty"` // packets a second, from First to Last
	First     Time    `json:"first"`
	Last      Time    `json:"last"`

	Evidence *NoticeEvidence `json:"evidence,omitempty"`

	About    string     `json:"about,omitempty"` // of health: HealthLearning and so on
	Count    uint64     `json:"count,omitempty"` // how often
	Learning []Learning `json:"learning,omitempty"`
	Counters *Counters  `json:"counters,omitempty"` // of a heartbeat
	// Slowest is, where HealthFlood is about it, how many seconds a new source's targets may
	// lie apart for a scan to be seen; 0 as long as an hour is.
	Slowest float64 `json:"slowest,omitempty"`
}

// Counters are what a run has read and found since it began.
type Counters struct {
	Packets   uint64 `json:"packets"`
	Bytes     uint64 `json:"bytes"`   // captured bytes of those packets
	Dropped   uint64 `json:"dropped"` // packets lost before they could be read
	Attempts  uint64 `json:"attempts"`
	Opened    uint64 `json:"opened"`    // scans
	Closed    uint64 `json:"closed"`    // scans
	Forgotten uint64 `json:"forgotten"` // targets, sources and counts, for want of room
	Sources   int    `json:"sources"`   // that have a record now
	// Withheld counts scans that closed and were told nobody, for they are less severe than
	// was asked for.
	Withheld uint64 `json:"withheld,omitempty"`
}

// NoticeEvidence is what made a notice open: distinct addresses within a window,
// and what spoke against it.
type NoticeEvidence struct {
	Value     int    `json:"value"`
	Threshold int    `json:"threshold"` // it opens at this value
	Window    string `json:"window"`
	Weighed   int    `json:"weighed"` // attempts or answers that spoke for it, of the latest window
	Against   int    `json:"against"` // and those that spoke against it
}
