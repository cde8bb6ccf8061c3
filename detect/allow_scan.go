package detect

import (
	"fmt"
	"math/bits"
	"net/netip"
	"slices"

	"github.com/synoptic-ids/synoptic/flows"
)

// Authorization is an entry of the allow-list under which a scan was made.
type Authorization struct {
	Name    string `json:"name"`
	Note    string `json:"note,omitempty"`
	Expires *Time  `json:"expires,omitempty"` // the first moment at which it covers nothing any more
}

// Outside is the first attempt of a scan, of those in the order in which they came
// to count, that no entry of the allow-list covers although one names the source, or
// one of many. It may be a conversation of the scanner with what it found as well, or
// of a host that it scanned with the scanner.
type Outside struct {
	Name   string `json:"name"`   // the entry that comes closest
	Reason string `json:"reason"` // in what the attempt exceeds it: "port 445"
	Time   Time   `json:"time"`   // of the attempt
	// Host, Port and Proto are its target; where the scanner was called back, the host
	// that did so.
	Host  netip.Addr `json:"host"`
	Port  uint16     `json:"port,omitempty"`
	Proto string     `json:"proto"`
}

// allowList is the allow-list in force.
type allowList []*allowance

func compileAllow(list []Allowance) (allowList, error) {
	var out allowList
	for _, a := range list {
		c, err := compileAllowance(a)
		if err != nil {
			return nil, fmt.Errorf("allow %q: %w", a.Name, err)
		}
		out = append(out, c)
	}
	return out, nil
}

// naming are the entries that name a source.
func (l allowList) naming(src *[16]byte) (out allowList) {
	for _, c := range l {
		if c.src.has(src) {
			out = append(out, c)
		}
	}
	return out
}

// of is the authority of a source, of which nothing has been seen yet.
func (l allowList) of(src *[16]byte) authority {
	if len(l) == 0 {
		return authority{}
	}
	list := l.naming(src)
	return authority{list: list, used: make([]bool, len(list)), named: len(list) > 0, stranger: len(list) == 0}
}

// ofMany is the authority of a crowd, likewise.
func (l allowList) ofMany() authority { return authority{list: l, used: make([]bool, len(l))} }

// authority is what an open scan may do, and whether it has kept to that. It goes
// by the list that was in force as the scan opened.
type authority struct {
	list    allowList // of one source, the entries that name it
	used    []bool    // of these, those that covered an attempt
	named   bool      // an entry names the source, or one of many
	outside *Outside
	// Of a source that no entry names the first attempt is kept, for a scan by many
	// that may take this one in.
	stranger bool
	first    *attempted
}

// judge holds an attempt of the scan against the list. One outside it is enough.
func (inc *incident) judge(a *attempted) {
	src := &inc.addr
	if inc.crowd != nil {
		src = &inc.crowd.members[inc.speaker].addr
	}
	inc.allowed.judge(src, a)
}

func (au *authority) judge(src *[16]byte, a *attempted) {
	switch {
	case au.stranger && au.first == nil:
		first := *a
		au.first = &first
	case au.stranger || len(au.list) == 0 || au.outside != nil && au.named:
	case au.outside != nil:
		au.named = len(au.list.naming(src)) > 0
	default:
		au.compare(src, a)
	}
}

// compare holds an attempt of a source against each entry.
func (au *authority) compare(src *[16]byte, a *attempted) {
	least := ^excess(0)
	var closest *allowance
	for i, c := range au.list {
		x := c.exceeded(src, a)
		au.named = au.named || x&otherSource == 0
		if x == 0 {
			au.used[i] = true
			return
		}
		if closest == nil || bits.OnesCount8(uint8(x)) < bits.OnesCount8(uint8(least)) {
			least, closest = x, c
		}
	}
	to := targetOf(a)
	au.outside = &Outside{
		Name: closest.Name, Reason: closest.explain(src, a), Time: Time(a.start),
		Host: flows.Addr(to.host), Port: to.port, Proto: ProtoName(a.class),
	}
}

// conversed holds a conversation that the scanner opened with what it had found
// against the list, like an attempt.
func (au *authority) conversed(g *Engagement) {
	src := g.Src.As16()
	au.judge(&src, &attempted{responder: g.Dst.As16(), port: g.Port, class: flows.ClassTCP, start: int64(g.Time)})
}

// calledBack sees a host that was scanned open a conversation with the scanner, which
// no entry allows.
func (au *authority) calledBack(g *Engagement) {
	if !au.named || au.outside != nil {
		return
	}
	au.outside = &Outside{
		Name: au.list[max(slices.Index(au.used, true), 0)].Name, Reason: "called back by " + g.Src.String(),
		Time: g.Time, Host: g.Src, Proto: "tcp",
	}
}

// left reports whether the scan has gone beyond what the list allows.
func (au *authority) left() bool { return au.outside != nil && au.named }

// absorb takes in what was found of a member's own scan.
func (au *authority) absorb(src *[16]byte, old *authority) {
	if old.stranger && old.first != nil {
		au.judge(src, old.first)
		return
	}
	au.named = au.named || old.named
	if au.outside == nil {
		au.outside = old.outside
	}
	for i, c := range old.list {
		if n := slices.Index(au.list, c); n >= 0 && old.used[i] {
			au.used[n] = true
		}
	}
}

// note writes what the list says of the scan into a record of it.
func (au *authority) note(sc *Scan) {
	if au.left() {
		outside := *au.outside
		sc.Outside = &outside
	}
	if au.outside != nil {
		return
	}
	for i, c := range au.list {
		if !au.used[i] {
			continue
		}
		a := Authorization{Name: c.Name, Note: c.Note}
		if c.Expires != 0 {
			expires := c.Expires
			a.Expires = &expires
		}
		sc.Authorized = append(sc.Authorized, a)
	}
}
