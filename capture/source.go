package capture

// Frame is one captured packet.
type Frame struct {
	// Data holds the captured bytes, from the link header on, without the
	// frame check sequence where the capture says how long that is. It is
	// valid until the next Read of the Source that filled it, and must not be
	// written to.
	Data []byte
	// Time is nanoseconds since 1970-01-01 UTC, as the capture states it.
	Time int64
	// Len is the length on the wire in bytes. It may be smaller than
	// len(Data) in captures of old sniffers.
	Len uint32
	// Iface numbers the interface the packet was seen on: dense from 0 over
	// all sources and sections joined into one Source. An interface that
	// returns in a later section or file, with the same link type and name,
	// keeps its number.
	Iface uint32
}

// Source yields captured packets in batches.
//
// Read belongs to one goroutine at a time; Link, Stats and Close may be called
// from any goroutine.
type Source interface {
	// Read fills fs from its start and returns how many frames it filled. At
	// the end it returns 0 and [io.EOF]. Frames may come together with a
	// [*DamageError]: the input is damaged behind them, and the next Read says
	// how it goes on. Sources of several inputs also return [*FormatError] for
	// an input that is no capture; the next Read goes on with the next input.
	// Live sources, followed files and pipes return [*Idle] when nothing came for
	// a while. Any other error is final.
	Read(fs []Frame) (n int, err error)
	// Link is the LINKTYPE number of an interface (tcpdump.org/linktypes),
	// known once a frame of that interface was read; 0xffff for an interface
	// that was never seen.
	Link(iface uint32) uint16
	// Stats tells what was read so far.
	Stats() (Stats, error)
	// Close ends the source and wakes a blocked Read, which then returns
	// [os.ErrClosed] or io.EOF. Closing again does nothing.
	Close() error
}

// Stats counts what a [Source] has read. All numbers are totals since it was
// opened.
type Stats struct {
	Packets uint64 // packets handed out, and thinned out
	Bytes   uint64 // captured bytes of those packets
	Thinned uint64 // packets that a Thinner dropped
	Dropped uint64 // packets that the capturing side says it lost
	Skipped uint64 // records that were passed over because they made no sense
	Untimed uint64 // packets without a time of their own, given that of the packet before
	Damaged uint64 // inputs that ended early, broke off, or were no capture
	Foreign uint64 // files of directories that hold no packets in any format, passed over
	Total   int64  // size of the inputs in bytes as stored, 0 if not known
	Offset  int64  // how far into Total reading has come
}

// Idle is returned by a [Source] that waits for packets: what was read so far
// should be made use of. For a live source time has moved on to Now (nanoseconds
// since 1970) all the same. A followed file and a pipe have no clock but that of
// their packets, so there Now is 0. Other files never return it.
type Idle struct{ Now int64 }

// Error implements error.
func (*Idle) Error() string { return "no packet" }
