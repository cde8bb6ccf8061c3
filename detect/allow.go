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
		b.WriteString(", " + written(a.When) + " " + a.zone())
	}
	if a.Expires != 0 {
		b.WriteString(", until the end of " + a.LastDay())
	}
	return b.String()
}

func (a Allowance) zone() string {
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

// covers reports whether an attempt of one of its sources is allowed.
func (c *allowance) covers(a *attempted) bool {
	return !c.Expired(Time(a.start)) && c.inHours(a) && c.holds(&a.responder) && c.speaks(a) && c.reaches(a)
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

// lacks says in what an attempt of a source exceeds the entry.
func (c *allowance) lacks(src *[16]byte, a *attempted) (why []string) {
	if !c.src.has(src) {
		why = append(why, "source "+flows.Addr(*src).String())
	}
	switch {
	case c.Expired(Time(a.start)):
		why = append(why, "expired after "+c.LastDay())
	case !c.inHours(a):
		why = append(why, Time(a.start).Std().In(c.zone).Format("Mon 15:04 ")+c.Allowance.zone())
	}
	if !c.holds(&a.responder) {
		why = append(why, "host "+flows.Addr(a.responder).String())
	}
	switch {
	case !c.speaks(a) && hasPorts(a.class):
		why = append(why, fmt.Sprintf("%s port %d", ProtoName(a.class), a.port))
	case !c.speaks(a):
		why = append(why, ProtoName(a.class))
	case !c.reaches(a):
		why = append(why, fmt.Sprintf("port %d", a.port))
	}
	return why
}

// holds reports whether a host is allowed as a target.
func (c *allowance) holds(a *[16]byte) bool { return len(c.dst) == 0 || c.dst.has(a) }
