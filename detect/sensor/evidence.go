package sensor

import (
	"github.com/synoptic-ids/synoptic/capture"
	"github.com/synoptic-ids/synoptic/detect"
)

// Evidence says which packets of scans are kept. The zero value keeps none.
//
// Of a scan there are kept what its sources sent to its targets, and what these answered: of
// each sort of packets, see [Kept], the first so many, in the order in which they were captured. A
// packet is judged ten seconds after it came, by the line clock, when the engine knows what came of
// it; what came before the scan opened is looked for among those remembered.
//
// Remembered is what can be part of a scan: no more of a conversation in which both sides have sent
// payload, and of other packets between two sockets, one way, four in ten seconds. What passes
// between sources and targets of open scans, or may reopen a closed one, is remembered in any case.
type Evidence struct {
	// Keeper is given the packets; nil: none are kept.
	Keeper Keeper
	// Memory is how many bytes the packets take that are remembered; 0 means 8 MiB. [Config.Fit]
	// sets it. When they are full the oldest go, judged or not.
	Memory int
	// SnapLen is how many bytes of a packet are kept at most, up to 2,048; 0 means 256.
	SnapLen int
	// Packets is how many in each role are kept of a scan; 0 means 1,024.
	Packets int
	// Bytes is how many of them are kept of a scan in all, as far as they are not left out by their
	// number; 0 means 2 MiB.
	Bytes int
	// Scans bounds of how many open scans packets are kept at a time; 0 means 4,096. Of those
	// that open beyond it none are, until there is room as they grow.
	Scans int
}

// Keeper takes the packets of scans. It is called by one goroutine at a time, between the calls of
// OnScan.
type Keeper interface {
	// Begin is told the first record of a scan of which packets can be kept, before OnScan is,
	// and may add to it. It is the one that opens or reopens it, unless there was no room then. It
	// returns who takes its packets, or nil if they are not wanted.
	Begin(s *detect.Scan) Keep
}

// Keep takes the packets of one scan.
type Keep interface {
	// Frame takes a packet, as it was captured but for what is beyond the snap length. Its data
	// is not to be kept. Link is the LINKTYPE number of its interface.
	Frame(f *capture.Frame, link uint16)
	// Record is told each further record of the scan, before OnScan is, and may add to it.
	Record(s *detect.Scan)
	// End is told the last one likewise, and how many packets were kept and left out. Nothing
	// comes behind it.
	End(s *detect.Scan, kept, left Kept)
}

// Kept counts packets of scans by their role.
type Kept struct {
	Probes   uint64 // of a source: what begins an attempt, and all that is not TCP
	Refusals uint64 // to a source: resets and ICMP errors
	Answers  uint64 // else without payload: SYN-ACKs, replies, and what a source says to them
	Payload  uint64 // of TCP, in either direction
}

// Total is the number of all of them.
func (k Kept) Total() uint64 { return k.Probes + k.Refusals + k.Answers + k.Payload }

// of is the count of packets in a role.
func (k *Kept) of(r role) *uint64 {
	return [...]*uint64{&k.Probes, &k.Refusals, &k.Answers, &k.Payload}[r]
}

// EvidenceStats counts what was kept of scans.
type EvidenceStats struct {
	Scans   int    // open scans of which packets are kept now
	Begun   uint64 // scans of which packets were kept
	Unkept  uint64 // scans opened of which there were none for want of room, until they grew at least
	Packets uint64 // kept
	Left    uint64 // that were left out, for there were enough like them
	Hurried uint64 // remembered packets that had to go before they could be judged
}

// MostSnapLen is the most that [Evidence.SnapLen] can be, in bytes.
const MostSnapLen = 1 << 11

const (
	defaultEvidence = 8 << 20
	defaultSnapLen  = 256
	defaultKept     = 1 << 10
	defaultBytes    = 2 << 20
	defaultScans    = 1 << 12
	// maxSourcesKept bounds the sources of all scans of which packets are kept.
	maxSourcesKept = 1 << 16
)

func (e Evidence) withDefaults() Evidence {
	for _, d := range []struct {
		have *int
		want int
	}{{&e.Memory, defaultEvidence}, {&e.SnapLen, defaultSnapLen}, {&e.Packets, defaultKept}, {&e.Bytes, defaultBytes}, {&e.Scans, defaultScans}} {
		if *d.have <= 0 {
			*d.have = d.want
		}
	}
	e.SnapLen = min(e.SnapLen, MostSnapLen)
	return e
}
