// Package explain says why a source was named or was not: which of its attempts
// counted, how far each rule got, and what held it back.
package explain

import (
	"net/netip"

	"github.com/synoptic-ids/synoptic/detect"
)

// Explanation is what a [Collector] found. Its JSON form is the record that
// --json writes.
type Explanation struct {
	Event   string      `json:"event"`   // always "explain"
	Address *netip.Addr `json:"address"` // null: about nobody in particular
	Answer  string      `json:"answer"`  // in a sentence
	Verdict Verdict     `json:"verdict"`

	Attempts Tally         `json:"attempts"`           // those it began
	Groups   []Group       `json:"groups"`             // the same by target, the most first
	Rules    []Stand       `json:"rules"`              // how far each got that counted anything of it
	Scans    []detect.Scan `json:"scans"`              // of which it is the source, as they closed
	Sent     Packets       `json:"sent"`               // packets from it
	TriedBy  []Visitor     `json:"tried_by"`           // who tried to reach it, scanners first
	Visitors int           `json:"visitors"`           // all of those
	Received uint64        `json:"received,omitempty"` // packets to it

	Sources int      `json:"sources"`         // that began attempts, of all addresses
	Named   int      `json:"named"`           // sources of scans, of all addresses
	Nearest []Source `json:"nearest_sources"` // where it does not appear: sources with the addresses next to it
	Misses  []Stand  `json:"nearest_misses"`  // without scans: how near each rule came to one, the nearest sources first
	Partial bool     `json:"partial,omitempty"`
}

// Verdict is the answer in a word.
type Verdict string

// The verdicts.
const (
	Named    Verdict = "named"   // a scan has it as its source
	HeldBack Verdict = "held"    // a rule crossed its threshold, and a guard held it back
	Below    Verdict = "below"   // attempts count, too few for any rule
	Clean    Verdict = "clean"   // none of its attempts counts
	Passive  Verdict = "passive" // it began nothing
	Absent   Verdict = "absent"  // it does not appear
	Overall  Verdict = "overall" // no address was asked for
)

// Tally counts the attempts of a source.
type Tally struct {
	Total     uint64 `json:"total"`
	Counted   uint64 `json:"counted"`   // as unproductive, and as evidence
	Excused   uint64 `json:"excused"`   // as unproductive, but as no evidence
	Succeeded uint64 `json:"succeeded"` // answered, or productive
	Other     uint64 `json:"other"`     // traceroutes, parts of conversations, forgotten ones
}

// Group is attempts at like targets with the same end.
type Group struct {
	Technique string      `json:"technique"`
	Proto     string      `json:"proto"`
	Hosts     int         `json:"hosts"`
	Host      *netip.Addr `json:"host"`             // the one, or null
	Networks  []string    `json:"ranges,omitempty"` // of hosts, where there are several
	Ports     int         `json:"ports"`
	PortList  string      `json:"port_ranges,omitempty"`
	Attempts  int         `json:"attempts"`
	Outcome   string      `json:"outcome"`
	Judged    string      `json:"judged"` // "counted", or why not
	First     detect.Time `json:"first"`
	Last      detect.Time `json:"last"`
}

// Stand is how far a rule got: its highest count under one key.
type Stand struct {
	Rule    string        `json:"rule"`
	Src     netip.Addr    `json:"src"`
	Dst     *netip.Addr   `json:"dst,omitempty"`     // where the rule counts by it
	DstNet  *netip.Prefix `json:"dst_net,omitempty"` // likewise
	Port    *uint16       `json:"port,omitempty"`    // likewise
	Proto   string        `json:"proto,omitempty"`
	Count   string        `json:"count"` // what it counts
	Value   int           `json:"value"`
	FiresAt int           `json:"fires_at"`
	Window  string        `json:"window"`
	Time    detect.Time   `json:"time"` // when it stood there
	Fired   bool          `json:"fired"`
	Held    *Hold         `json:"held,omitempty"` // what held it back above its threshold
}

// Hold is a guard that held a rule back, with its numbers.
type Hold struct {
	By     string  `json:"by"` // see detect.Hold
	Failed int     `json:"failed"`
	Tried  int     `json:"tried"`
	Share  float64 `json:"share,omitempty"`  // the least that the rule asks for
	Spoken int     `json:"spoken,omitempty"` // left out: hosts it has conversations with
	Spared int     `json:"spared,omitempty"` // left out: connections never used, to ports it uses elsewhere
	Unused int     `json:"unused,omitempty"` // of Failed: connections never used or broken off, no part of the share
	Hours  int     `json:"hours,omitempty"`  // earlier ones compared with
	Limit  float64 `json:"limit,omitempty"`  // what the hour must exceed
}

// Packets counts the packets of an address that reached the flow table, by what
// they were to it. Segments of conversations that both sides have used do not.
type Packets struct {
	Total       uint64 `json:"total"`
	Began       uint64 `json:"began"`       // an attempt, or a further connection
	Backscatter uint64 `json:"backscatter"` // an answer to what nobody had asked
	MidStream   uint64 `json:"mid_stream"`  // the middle of a conversation that began before
	Continued   uint64 `json:"continued"`   // all else: answers, segments, copies
}

// Visitor is who tried to reach an address.
type Visitor struct {
	Src      netip.Addr `json:"src"`
	Attempts uint64     `json:"attempts"` // at this address
	Counted  uint64     `json:"counted"`  // of those, as unproductive
	Named    bool       `json:"named"`    // a scan has it as its source
}

// Source is who began attempts.
type Source struct {
	Src      netip.Addr `json:"src"`
	Attempts uint64     `json:"attempts"`
}
