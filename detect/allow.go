package detect

import (
	_ "embed"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/synoptic-ids/synoptic/detect/weekly"
	"github.com/synoptic-ids/synoptic/flows"
)

// Allowance is an entry of an allow-list: who may scan what, and when. A scan all
// of whose attempts are covered by entries is recorded like any other, and marked:
// see Scan.Authorized. What one entry does not cover another may.
type Allowance struct {
	Name string
	Note string // who allowed it, and why
	// Src are the sources that may scan: at least one.
	Src []netip.Prefix
	// Dst are the hosts that may be scanned; empty means any.
	Dst []netip.Prefix
	// Proto are protocols as in [Rule]; empty means any.
	Proto []string
	// Port are ports of the host addressed; empty means any. With ports, a target
	// that has none is covered only if Proto names its protocol.
	Port []PortRange
	// When are the hours in which attempts may begin; empty means always.
	When []weekly.Hours
	// Zone is the IANA name of the time zone of When; empty means UTC. What the
	// system knows of zones is used, or, without, what the program was built with.
	Zone string
	// Expires is the first moment at which it covers nothing any more; 0 means
	// that it always does. As all time here it is the packets' own.
	Expires Time
}

//go:embed allow.yaml
var allowExample string

// AllowExample is a commented allow-list that [ParseAllow] reads. The slice is the
// caller's.
func AllowExample() []byte { return []byte(allowExample) }

// Expired reports whether a is no longer in force at a time.
func (a Allowance) Expired(at Time) bool { return a.Expires != 0 && at >= a.Expires }

// LastDay is the last day on which a is in force, in its own zone, as 2026-12-31; empty
// if it does not expire.
func (a Allowance) LastDay() string {
	if a.Expires == 0 {
		return ""
	}
	zone, err := loadZone(a.Zone)
	if err != nil {
		zone = time.UTC
	}
	return (a.Expires - 1).Std().In(zone).Format(time.DateOnly)
}

// Describe says in one line of words what a allows.
func (a Allowance) Describe() string {
	var b strings.Builder
	b.WriteString("from " + written(a.Src))
	if len(a.Dst) > 0 {
		b.WriteString(", to " + written(a.Dst))
	}
	if len(a.Proto) > 0 {
		b.WriteString(", over " + joined(a.Proto, " or "))
	}
	if len(a.Port) > 0 {
		b.WriteString(", to ports " + written(a.Port))
	}
	if len(a.When) > 0 {
		b.WriteString(", " + written(a.When) + " " + a.zoneName())
	}
	if a.Expires != 0 {
		b.WriteString(", until the end of " + a.LastDay())
	}
	return b.String()
}

func (a Allowance) zoneName() string {
	if a.Zone == "" {
		return "UTC"
	}
	return a.Zone
}

func written[T fmt.Stringer](list []T) string {
	words := make([]string, len(list))
	for i, x := range list {
		words[i] = x.String()
	}
	return strings.Join(words, ", ")
}

// loadZone is time.LoadLocation without the names that mean another zone on
// another machine.
func loadZone(name string) (*time.Location, error) {
	const longest = 64
	if name == "Local" || len(name) > longest {
		return nil, errors.New("no zone of a known name")
	}
	return time.LoadLocation(name)
}

// allowance is an entry in the form in which attempts are held against it.
type allowance struct {
	Allowance
	src, dst networks
	zone     *time.Location
	classes  uint32 // bit set of flows.Class; 0 for all
}

func compileAllowance(a Allowance) (*allowance, error) {
	c := &allowance{Allowance: a, src: newNetworks(a.Src), dst: newNetworks(a.Dst)}
	var err error
	if c.zone, err = loadZone(a.Zone); err != nil {
		return nil, fmt.Errorf("zone %s: %w", quoted(a.Zone), err)
	}
	for _, p := range a.Proto {
		bits, ok := protoClasses(p)
		if !ok {
			return nil, fmt.Errorf("unknown protocol %q", p)
		}
		c.classes |= bits
	}
	for _, h := range a.When {
		if err := h.Check(); err != nil {
			return nil, fmt.Errorf("hours %s: %w", h, err)
		}
	}
	if len(a.Src) == 0 {
		return nil, errors.New("it names no source")
	}
	return c, nil
}

// excess is a bit set of the ways in which an attempt goes beyond an entry.
type excess uint8

const (
	otherSource excess = 1 << iota
	afterExpiry
	otherHours
	otherHost
	otherProto
	otherPort
)

// exceeded is how an attempt of a source goes beyond the entry; 0 if it is allowed.
func (c *allowance) exceeded(src *[16]byte, a *attempted) (x excess) {
	if !c.src.has(src) {
		x |= otherSource
	}
	switch {
	case c.Expired(Time(a.start)):
		x |= afterExpiry
	case !c.inHours(a):
		x |= otherHours
	}
	if len(c.dst) > 0 && !c.dst.has(&a.responder) {
		x |= otherHost
	}
	switch {
	case !c.speaks(a):
		x |= otherProto
	case !c.reaches(a):
		x |= otherPort
	}
	return x
}

func (c *allowance) inHours(a *attempted) bool {
	if len(c.When) == 0 {
		return true
	}
	t := Time(a.start).Std().In(c.zone)
	return slices.ContainsFunc(c.When, func(h weekly.Hours) bool { return h.Contain(t) })
}

// speaks reports whether the protocol of an attempt is allowed, whatever its port.
func (c *allowance) speaks(a *attempted) bool {
	if c.classes == 0 {
		return len(c.Port) == 0 || hasPorts(a.class)
	}
	return c.classes>>a.class&1 == 1
}

// reaches reports whether the port of an attempt is allowed, if it has one.
func (c *allowance) reaches(a *attempted) bool {
	return len(c.Port) == 0 || !hasPorts(a.class) ||
		slices.ContainsFunc(c.Port, func(r PortRange) bool { return r.From <= a.port && a.port <= r.To })
}

// explain says in words how an attempt of a source goes beyond the entry.
func (c *allowance) explain(src *[16]byte, a *attempted) string {
	x, proto := c.exceeded(src, a), ProtoName(a.class)
	if hasPorts(a.class) {
		proto = fmt.Sprintf("%s port %d", proto, a.port)
	}
	var why []string
	for _, w := range []struct {
		bit  excess
		text string
	}{
		{otherSource, "source " + flows.Addr(*src).String()},
		{afterExpiry, "expired after " + c.LastDay()},
		{otherHours, Time(a.start).Std().In(c.zone).Format("Mon 15:04 ") + c.zoneName()},
		{otherHost, "host " + flows.Addr(a.responder).String()},
		{otherProto, proto},
		{otherPort, fmt.Sprintf("port %d", a.port)},
	} {
		if x&w.bit != 0 {
			why = append(why, w.text)
		}
	}
	return strings.Join(why, ", ")
}
