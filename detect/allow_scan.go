package detect

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

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
// one of many.
type Outside struct {
	Name   string `json:"name"`   // the entry that comes closest
	Reason string `json:"reason"` // in what the attempt exceeds it: "port 445"
	Time   Time   `json:"time"`   // of the attempt
	// Host, Port and Proto are its target.
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

// of is the authority of a source, of which nothing has been seen yet.
func (l allowList) of(src *[16]byte) authority {
	var naming allowList
	for _, c := range l {
		if c.src.has(src) {
			naming = append(naming, c)
		}
	}
	if len(naming) == 0 {
		// Only a scan by many that takes this one in will ask.
		naming = l
	}
	return authority{list: naming, used: make([]bool, len(naming)), alone: true}
}

// ofMany is the authority of a crowd, likewise.
func (l allowList) ofMany() authority { return authority{list: l, used: make([]bool, len(l))} }

// authority is what an open scan may do, and whether it has kept to that. It goes
// by the list that was in force as the scan opened.
type authority struct {
	list    allowList
	used    []bool // of these, those that covered an attempt
	alone   bool   // it is one source's: the list is of those that name it, if any do
	named   bool   // an entry names the source, or one of many
	outside *Outside
}

// judge holds an attempt of the scan against the list. One outside it is enough.
func (inc *incident) judge(a *attempted) {
	if len(inc.allowed.list) == 0 {
		return
	}
	src := &inc.addr
	if inc.crowd != nil {
		src = &inc.crowd.members[inc.speaker].addr
	}
	inc.allowed.judge(src, a)
}

func (au *authority) judge(src *[16]byte, a *attempted) {
	if au.outside != nil && (au.alone || au.named) {
		return
	}
	for i, c := range au.list {
		if !c.src.has(src) {
			continue
		}
		au.named = true
		if c.covers(a) {
			au.used[i] = true
			return
		}
	}
	if au.outside == nil {
		au.outside = au.list.exceeded(src, a)
	}
}

// exceeded says what an attempt that no entry covers lacks of the closest.
func (l allowList) exceeded(src *[16]byte, a *attempted) *Outside {
	var closest *allowance
	var why []string
	for _, c := range l {
		if lacks := c.lacks(src, a); closest == nil || len(lacks) < len(why) {
			closest, why = c, lacks
		}
	}
	to := targetOf(a)
	return &Outside{
		Name: closest.Name, Reason: strings.Join(why, ", "), Time: Time(a.start),
		Host: flows.Addr(to.host), Port: to.port, Proto: ProtoName(a.class),
	}
}

// left reports whether the scan has gone beyond what the list allows.
func (au *authority) left() bool { return au.outside != nil && au.named }

// absorb takes in what was found of a member's own scan.
func (au *authority) absorb(old *authority) {
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
