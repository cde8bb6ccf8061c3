package output

import (
	"fmt"
	"strings"
	"time"

	"github.com/synoptic-ids/synoptic/detect"
)

// maxListed is how many damaged inputs, and how many that are no captures, are
// listed one by one.
const maxListed = 10

// account writes what was read, and what of it could not be.
func (t *Text) account(r *Run) {
	_, _ = fmt.Fprintln(t.w)
	t.say("read %s of %s%s", count(r.Packets, "packet"), inputs(r.Inputs), span(r.First, r.Last))
	if r.Stopped != "" {
		t.say("stopped: %s", r.Stopped)
	}
	if r.Filter != "" {
		t.say("%s left out by the filter: %s", count(r.Filtered, "packet"), Clean(r.Filter))
	}
	if r.Dropped > 0 {
		t.say("%s lost in capturing: counts are too low", count(r.Dropped, "packet"))
	}
	for _, d := range r.Damaged[:min(len(r.Damaged), maxListed)] {
		t.say("%s: unreadable at offset %d, after %s: %s", Clean(d.Input), d.Offset, count(d.Packets, "packet"), Clean(d.Reason))
	}
	for _, f := range r.Refused[:min(len(r.Refused), maxListed)] {
		t.say("%s: not read: %s", Clean(f.Input), Clean(f.What))
	}
	if listed := min(len(r.Damaged), maxListed) + min(len(r.Refused), maxListed); listed < len(r.Damaged)+len(r.Refused) {
		t.say("%s in all were damaged or not read", count(r.Broken, "input"))
	}
	if r.Foreign > 0 {
		t.say("%s that cannot hold packets passed over", count(r.Foreign, "file"))
	}
	for _, l := range r.Links {
		name := ""
		if l.Name != "" {
			name = " (" + l.Name + ")"
		}
		t.say("%s of link type %d%s not decoded", count(l.Frames, "packet"), l.Number, name)
	}
	if r.LinksOthers > 0 {
		t.say("%s of further link types not decoded", count(r.LinksOthers, "packet"))
	}
	t.undecoded(r)
	if lost := r.EvictedLive + r.EvictedSource + r.EvictedCount; lost > 0 {
		t.say("memory was short: %s, %s and %s forgotten", count(r.EvictedLive, "undecided attempt"),
			count(r.EvictedSource, "source"), count(r.EvictedCount, "group"))
	}
	if r.Withheld > 0 {
		t.say("%s of less severity not listed", count(r.Withheld, "scan"))
	}
	if r.ClockJumps > 0 {
		t.say("%s of the capture's clock", count(r.ClockJumps, "jump"))
	}
}

// undecoded writes what was passed over packet by packet.
func (t *Text) undecoded(r *Run) {
	var parts []string
	for _, p := range []struct {
		n    uint64
		what string
	}{
		{r.Truncated, "cut before its ports"},
		{r.Malformed, "malformed"},
		{r.NoIP, "neither IP nor ARP"},
		{r.Encrypted, "encrypted on the link"},
		{r.BadFCS, "received with errors"},
		{r.Unread, "behind the first of an aggregate"},
		{r.TunnelsCut, "cut inside a tunnel"},
		{r.TunnelsTooDeep, "in more than four tunnels"},
		{r.TunnelsNoIP, "neither IP nor ARP in a tunnel"},
		{r.FragmentsIncomplete, "in fragments that never came together"},
		{r.FragmentsDisplaced, "in fragments for which there was no room"},
	} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%s %s", grouped(p.n), p.what))
		}
	}
	if len(parts) > 0 {
		t.say("packets passed over: %s", strings.Join(parts, ", "))
	}
	if r.FragmentsOverlaid > 0 {
		t.say("%s that contradict others of the same packet", count(r.FragmentsOverlaid, "fragment"))
	}
	if r.Skipped > 0 {
		t.say("%s that made no sense passed over", count(r.Skipped, "record"))
	}
	if r.Untimed > 0 {
		t.say("%s without a time of their own", count(r.Untimed, "packet"))
	}
}

func (t *Text) say(format string, args ...any) {
	_, _ = fmt.Fprintf(t.w, format+"\n", args...)
}

func inputs(names []string) string {
	if len(names) != 1 {
		return count(len(names), "input")
	}
	if names[0] == "-" {
		return "standard input"
	}
	return Clean(names[0])
}

// span is the time from the first packet to the last.
func span(first, last *detect.Time) string {
	if first == nil || last == nil {
		return ""
	}
	a, b := first.Std(), last.Std()
	end := b.Format(time.TimeOnly)
	if dayOf(*first) != dayOf(*last) {
		end = b.Format(time.DateTime)
	}
	return fmt.Sprintf(", %s to %s UTC (%s)", a.Format(time.DateTime), end, duration(int64(*last-*first)))
}
