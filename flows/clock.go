package flows

import "math"

const (
	never = math.MaxInt64
	// latest keeps damaged timestamps (beyond the year 2110) from overflowing
	// the sums made with them.
	latest = math.MaxInt64 / 2
	// jumpBack is how far behind the line clock a packet may be before the
	// clock of its interface is suspected.
	jumpBack = 60 * second
	// jumpAgree is how many packets in a row must agree before an interface
	// gets another offset.
	jumpAgree = 3
)

// span is how exactly it is known when an entry or a socket was last heard of. What may be
// passed over within a span, see [Settled], refreshes nothing by more than that.
const span = 4 * second

// spanOf is the end of the span that a time lies in.
func spanOf(t int64) int64 { return t - t%span + span }

// lineClock gives packets of several interfaces, files and epochs one time
// that never runs backwards.
type lineClock struct {
	now    int64 // the line clock; valid once begun
	begun  bool
	ifaces []ifaceClock
	jumps  uint64
}

// ifaceClock is what the line clock knows of one interface.
type ifaceClock struct {
	offset  int64
	suspect int   // packets in a row that were far behind
	at      int64 // packet time of the last of them
}

// maxInterfaces bounds how many interfaces have a clock of their own; those
// beyond share the last one.
const maxInterfaces = 1 << 16

// arrive moves the line clock for a packet and returns the packet's own line
// time, at most a minute behind the clock.
func (c *lineClock) arrive(iface uint32, t int64) int64 {
	if int(iface) < len(c.ifaces) && uint64(t) <= latest {
		f := &c.ifaces[iface]
		if line := t + f.offset; line >= c.now-jumpBack {
			f.suspect = 0
			c.now = max(c.now, line)
			return line
		}
	}
	return c.strange(iface, t)
}

// strange is arrive for the first packet of an interface, one that is far behind the
// clock, and one whose time nobody can believe.
func (c *lineClock) strange(iface uint32, t int64) int64 {
	iface = min(iface, maxInterfaces-1)
	t = max(min(t, latest), -latest)
	for int(iface) >= len(c.ifaces) {
		c.ifaces = append(c.ifaces, ifaceClock{})
	}
	f := &c.ifaces[iface]
	line := t + f.offset
	if !c.begun {
		c.begun, c.now = true, line
		return line
	}
	if line < c.now-jumpBack {
		return c.suspected(f, t)
	}
	f.suspect = 0
	c.now = max(c.now, line)
	return line
}

func (c *lineClock) suspected(f *ifaceClock, t int64) int64 {
	if f.suspect > 0 && (t < f.at-jumpBack || t > f.at+jumpBack) {
		f.suspect = 0
	}
	f.suspect++
	f.at = t
	if f.suspect == jumpAgree {
		f.offset, f.suspect = c.now-t, 0
		c.jumps++
	}
	return c.now
}
