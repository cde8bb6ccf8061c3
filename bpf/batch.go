package bpf

import "github.com/synoptic-ids/synoptic/flows"

// Generation is how long a generation of the Bloom filter lasts at most, in nanoseconds:
// a target is told again after one to two of them.
const Generation = 60_000_000_000

// Batch is what [Counter.Read] fills. The zero value is ready for use; it is to be used
// again for the next Read.
type Batch struct {
	// Packets are what was told, in order of time but for a few milliseconds: the time is
	// the kernel's coarse clock, which moves on every 1 to 10 ms.
	Packets []flows.Packet
	// Summaries tell of the sources over their budget, about once a second.
	Summaries []flows.Summary
	// Now is what time it is: nanoseconds since 1970. No packet that a later Read gives
	// is earlier, but for a few milliseconds.
	Now int64
}
