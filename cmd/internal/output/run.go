package output

import (
	"errors"
	"net/netip"

	"github.com/synoptic-ids/synoptic/capture"
	"github.com/synoptic-ids/synoptic/detect"
	"github.com/synoptic-ids/synoptic/detect/sensor"
	"github.com/synoptic-ids/synoptic/flows"
)

// Run is the account of a whole run: what was read, what of it could not be,
// and how much was found. Its JSON form is the last line of the canonical
// output.
type Run struct {
	Event  string   `json:"event"` // always "run"
	Inputs []string `json:"inputs"`

	Packets uint64       `json:"packets"`
	Bytes   uint64       `json:"bytes"` // captured bytes of those packets
	First   *detect.Time `json:"first"` // earliest packet time, or null
	Last    *detect.Time `json:"last"`

	Dropped   uint64    `json:"dropped"` // packets that the capturing side lost
	Skipped   uint64    `json:"skipped"` // records that made no sense
	Untimed   uint64    `json:"untimed"` // packets without a time of their own
	Broken    uint64    `json:"broken"`  // inputs that ended early or were no capture
	Foreign   uint64    `json:"foreign"` // files of directories that hold no packets in any format
	Damaged   []Damage  `json:"damaged"`
	Refused   []Refusal `json:"refused"`
	Truncated uint64    `json:"truncated"`           // frames cut before their ports
	Malformed uint64    `json:"malformed"`           // frames whose lengths contradict each other
	NoIP      uint64    `json:"no_ip"`               // frames that carry neither IP nor ARP
	Encrypted uint64    `json:"encrypted,omitempty"` // frames encrypted on the link
	BadFCS    uint64    `json:"bad_fcs,omitempty"`   // frames received with errors, as the capture says
	Unread    uint64    `json:"unread,omitempty"`    // packets behind the first of an 802.11 aggregate
	Links     []Link    `json:"unsupported_links"`
	// LinksOthers counts frames of unsupported link types beyond those listed.
	LinksOthers uint64 `json:"unsupported_links_others,omitempty"`

	Filter   string `json:"filter,omitempty"`   // in full; empty: none
	Filtered uint64 `json:"filtered,omitempty"` // packets that it left out

	Tunnels        []Tunnel `json:"tunnels,omitempty"`          // by kind, those seen
	TunnelsTooDeep uint64   `json:"tunnels_too_deep,omitempty"` // not looked into: four around them
	TunnelsCut     uint64   `json:"tunnels_cut,omitempty"`      // not read: cut by the snap length
	TunnelsNoIP    uint64   `json:"tunnels_no_ip,omitempty"`    // not read: neither IP nor ARP in them

	FragmentsJoined     uint64 `json:"fragments_joined,omitempty"`     // packets whose header was put together from fragments
	FragmentsOverlaid   uint64 `json:"fragments_overlaid,omitempty"`   // fragments that contradict others of their datagram
	FragmentsIncomplete uint64 `json:"fragments_incomplete,omitempty"` // datagrams whose header never came together
	FragmentsDisplaced  uint64 `json:"fragments_displaced,omitempty"`  // the same, for want of room

	Attempts      uint64 `json:"attempts"`
	Connections   uint64 `json:"connections"`
	Backscatter   uint64 `json:"backscatter"`
	MidStream     uint64 `json:"mid_stream"`
	ClockJumps    uint64 `json:"clock_jumps"`
	Evicted       uint64 `json:"evicted"`        // targets forgotten for want of room
	EvictedLive   uint64 `json:"evicted_live"`   // of those, undecided attempts
	EvictedSource uint64 `json:"evicted_source"` // sources forgotten for want of room
	EvictedCount  uint64 `json:"evicted_count"`  // counts forgotten for want of room
	// EvictedWalk and what follows are the same of walks, of suspects of slow windows, of the
	// earlier hours of pairs, and of facts by which failures are excused.
	EvictedWalk    uint64 `json:"evicted_walk,omitempty"`
	EvictedSuspect uint64 `json:"evicted_suspect,omitempty"`
	EvictedPair    uint64 `json:"evicted_pair,omitempty"`
	EvictedFact    uint64 `json:"evicted_fact,omitempty"`
	CutScans       uint64 `json:"cut_scans,omitempty"` // scans whose counts stood still for want of room
	// GateAsked is how many failures were those of sources for which there was no room, and
	// GateAdmitted how many sources got a record then, as they had tried several targets.
	GateAsked    uint64 `json:"gate_asked,omitempty"`
	GateAdmitted uint64 `json:"gate_admitted,omitempty"`

	Opened uint64 `json:"opened"` // scans
	Closed uint64 `json:"closed"`
	// Reopened is how often a closed scan was reopened, EvictedWatch how many closed
	// scans are no longer watched for want of room.
	Reopened     uint64 `json:"reopened,omitempty"`
	EvictedWatch uint64 `json:"evicted_watch,omitempty"`

	// Withheld counts scans that closed and were not written, for they are less severe than
	// was asked for.
	Withheld uint64 `json:"withheld,omitempty"`

	// Evidence is what became of the packets of scans, where they are kept.
	Evidence *Evidence `json:"evidence,omitempty"`

	// Learning is what the run had too little time to learn.
	Learning []detect.Learning `json:"learning,omitempty"`
	Stopped  string            `json:"stopped,omitempty"` // why the input was not read to its end

	// XDP is how the program in the kernel ran that counted packets, native or generic; empty:
	// there was none. Then Packets are those it counted, Bytes are not known, and Dropped are
	// those that it had no room to tell, which it does when they come again.
	XDP string `json:"xdp,omitempty"`

	Profile string         `json:"profile"` // the profile's name, or the rules file's
	Home    []netip.Prefix `json:"home"`
	Allow   []string       `json:"allow,omitempty"` // names of the entries of the allow-list
	Version string         `json:"version"`
}

// Evidence says what became of the packets of scans.
type Evidence struct {
	Scans   uint64 `json:"scans"`            // of which packets were kept
	Unkept  uint64 `json:"unkept,omitempty"` // of which none were when they opened, for want of room
	Packets uint64 `json:"packets"`          // written
	LeftOut uint64 `json:"left_out"`         // packets of scans of which there were enough like them
	Lost    uint64 `json:"lost,omitempty"`   // packets that could not be written
	Files   int    `json:"files"`            // in the folder, with those of runs before
	Bytes   int64  `json:"bytes"`            // that these take
	Removed uint64 `json:"removed"`          // files that went for want of room
}

// Damage is an input that broke off, or a stretch of it that could not be read.
type Damage struct {
	Input   string `json:"input"`
	Offset  int64  `json:"offset"`  // bytes into the uncompressed input
	Packets uint64 `json:"packets"` // of this input, before the damage
	Reason  string `json:"reason"`
}

// Refusal is an input that is no capture.
type Refusal struct {
	Input string `json:"input"`
	What  string `json:"what"` // what it looks like instead
}

// Link is a link type that cannot be decoded.
type Link struct {
	Number uint16 `json:"number"`         // LINKTYPE number
	Name   string `json:"name,omitempty"` // its name without LINKTYPE_, where known
	Frames uint64 `json:"frames"`
}

// Tunnel is how many packets carried another in one way.
type Tunnel struct {
	Name    string `json:"name"`
	Packets uint64 `json:"packets"`
}

// RunOf makes the account from a sensor's summary. What the sensor does not
// know is left for the caller: Inputs, Filter, Stopped, Profile, Home,
// Allow, Version.
func RunOf(s *sensor.Summary) Run {
	r := Run{
		Event: "run", Filtered: s.Filtered,
		Packets: s.Capture.Packets, Bytes: s.Capture.Bytes,
		Dropped: s.Capture.Dropped, Skipped: s.Capture.Skipped,
		Untimed: s.Capture.Untimed, Broken: s.Capture.Damaged, Foreign: s.Capture.Foreign,
		Damaged: []Damage{}, Refused: []Refusal{}, Links: []Link{},
		Truncated: s.Decode.Truncated, Malformed: s.Decode.Malformed,
		Encrypted: s.Decode.Encrypted, BadFCS: s.Decode.BadFCS, Unread: s.Decode.Unread,
		NoIP: noIP(&s.Decode), LinksOthers: s.Decode.LinksOthers,
		FragmentsJoined: s.Decode.Joined, FragmentsOverlaid: s.Decode.Overlaid,
		FragmentsIncomplete: s.Decode.Incomplete, FragmentsDisplaced: s.Decode.Displaced,
		TunnelsTooDeep: s.Decode.TunnelsTooDeep, TunnelsCut: s.Decode.TunnelsCut, TunnelsNoIP: s.Decode.TunnelsNoIP,
		Attempts: s.Table.Attempts, Connections: s.Table.Connections,
		Backscatter: s.Table.Backscatter, MidStream: s.Table.MidStream,
		ClockJumps: s.Table.ClockJumps,
		Evicted:    s.Table.Evicted, EvictedLive: s.Table.EvictedLive,
		EvictedSource: s.Detect.SourcesEvicted, EvictedCount: s.Detect.GroupsEvicted,
		EvictedWalk: s.Detect.WalksEvicted, EvictedSuspect: s.Detect.SuspectsEvicted,
		EvictedPair: s.Detect.PairsEvicted, EvictedFact: s.Detect.FactsEvicted, CutScans: s.Detect.Cut,
		GateAsked: s.Detect.Gate.Asked, GateAdmitted: s.Detect.Gate.Admitted,
		Opened: s.Detect.Opened, Closed: s.Detect.Closed, Learning: s.Learning,
		Reopened: s.Detect.Reopened, EvictedWatch: s.Detect.WatchesEvicted,
	}
	if r.Packets > 0 {
		first, last := s.First, s.Last
		r.First, r.Last = &first, &last
	}
	for _, d := range s.Damage {
		if format, ok := errors.AsType[*capture.FormatError](d.Err); ok {
			r.Refused = append(r.Refused, Refusal{Input: format.Name, What: format.What})
			continue
		}
		r.Damaged = append(r.Damaged, Damage{Input: d.Name, Offset: d.Offset, Packets: d.Packets, Reason: d.Reason})
	}
	for _, f := range s.Refused {
		r.Refused = append(r.Refused, Refusal{Input: f.Name, What: f.What})
	}
	for kind, n := range s.Decode.Tunnels {
		if n > 0 {
			r.Tunnels = append(r.Tunnels, Tunnel{Name: flows.Tunnel(kind).String(), Packets: n})
		}
	}
	for _, l := range s.Decode.Links {
		r.Links = append(r.Links, Link{Number: l.Number, Name: LinkName(l.Number), Frames: l.Frames})
	}
	return r
}

func noIP(d *flows.DecodeStats) uint64 {
	n := d.NoIPOthers
	for _, c := range d.NoIP {
		n += c.Frames
	}
	return n
}
