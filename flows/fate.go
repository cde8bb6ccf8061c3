package flows

// Fate is what a packet was to a [Table].
type Fate uint8

// The fates.
const (
	// FateNone is part of what the table knows already, as an answer, a copy, or
	// a segment of a conversation; or nothing to it.
	FateNone        Fate = iota
	FateAttempt          // began an attempt, or a further connection to its target
	FateBackscatter      // an answer to what nobody had asked when it came
	FateMidStream        // the middle of a conversation that began before
)

// Tell is [Table.Add], and says what the packet was.
func (t *Table) Tell(p *Packet, dst []Event) ([]Event, Fate) {
	before := t.stats
	dst = t.Add(p, dst)
	switch {
	case t.stats.Connections != before.Connections:
		return dst, FateAttempt
	case t.stats.Backscatter != before.Backscatter:
		return dst, FateBackscatter
	case t.stats.MidStream != before.MidStream:
		return dst, FateMidStream
	default:
		return dst, FateNone
	}
}
