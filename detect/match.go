package detect

import (
	"errors"
	"fmt"
	"slices"

	"github.com/synoptic-ids/synoptic/detect/outlier"
	"github.com/synoptic-ids/synoptic/flows"
)

// compiledRule is a rule in the form in which events are held against it.
type compiledRule struct {
	Rule
	number       int
	keys         hashKeys
	early        bool // it counts attempts as they open, whatever comes of them
	unproductive bool // what it counts is always counted as unproductive
	crafted      bool
	connection   bool
	halfOpen     bool
	abandoned    bool
	outcome      flows.Outcome
	byOutcome    bool
	technique    flows.Technique
	direction    Direction
	byDst        bool
	byNet        bool
	byPort       bool
	byProto      bool
	classes      uint32 // bit set of flows.Class; 0 for all
	counts       uint32 // bit set of those that the rule can concern, of all that it says
	window       int64
	baselines    *outlier.Table // of earlier hours, where Sigma asks for them
}

var errNoSrc = errors.New("by must contain src: scans are opened by source")

func compile(r Rule, number int) (*compiledRule, error) {
	if !slices.Contains(r.By, FieldSrc) && r.Window != Divided {
		return nil, errNoSrc
	}
	c := &compiledRule{Rule: r, number: number, early: true, window: int64(r.Within)}
	c.byDst, c.byPort = slices.Contains(r.By, FieldDst), slices.Contains(r.By, FieldDstPort)
	c.byProto, c.byNet = slices.Contains(r.By, FieldProto), slices.Contains(r.By, FieldDstNet)
	of := r.Of
	if len(of) == 0 {
		of = []Selector{SelectUnproductive}
	}
	for _, sel := range of {
		if err := c.selects(sel); err != nil {
			return nil, err
		}
	}
	for _, p := range r.Proto {
		bits, ok := protoClasses(p)
		if !ok {
			return nil, fmt.Errorf("unknown protocol %q", p)
		}
		c.classes |= bits
	}
	if r.Window == Walk && c.byNet {
		return nil, errors.New("a walk does not count by dst_net")
	}
	if r.Window != Run && r.Window != Walk && r.Within <= 0 {
		return nil, errors.New("within must be longer than nothing")
	}
	if r.Window == Slow {
		if _, ok := tierOf(&r); !ok {
			return nil, errors.New("a slow window is 1h, 1d, 7d or 30d, and counts target by src")
		}
	}
	if r.Window == Divided && (!dividable(&r) || r.Over >= dividedOver) {
		return nil, fmt.Errorf("a divided window counts target by proto, of tcp, icmp or both, over less than %d", dividedOver)
	}
	for class := range flows.ClassNDP + 1 {
		if c.suits(class) {
			c.counts |= 1 << class
		}
	}
	if r.Sigma > 0 {
		if r.Window != Tumbling || c.window != hour {
			return nil, errors.New("sigma compares hours: within must be 1h, window tumbling")
		}
	}
	return c, nil
}

func (c *compiledRule) selects(sel Selector) error {
	switch sel {
	case SelectAll:
		return nil
	case SelectConnection:
		c.connection = true
		return nil
	case SelectUnproductive:
		c.unproductive, c.early = true, false
		return nil
	case SelectCrafted:
		c.crafted = true
		return nil
	case "half-open":
		c.halfOpen, c.unproductive, c.early = true, true, false
		return nil
	case "abandoned":
		c.abandoned, c.unproductive, c.early = true, true, false
		return nil
	case Selector(Inbound), Selector(Outbound), Selector(Internal), Selector(External):
		c.direction = Direction(sel)
		return nil
	}
	if o, ok := outcomeNamed(string(sel)); ok {
		c.outcome, c.byOutcome, c.early = o, true, false
		c.unproductive = c.unproductive || o != flows.Answered && o != flows.Productive
		return nil
	}
	if t, ok := techniqueNamed(string(sel)); ok {
		c.technique = t
		return nil
	}
	return fmt.Errorf("unknown selector %q", sel)
}

// protoClasses are the classes of targets behind a protocol's name in rules.
func protoClasses(name string) (uint32, bool) {
	set := func(cs ...flows.Class) (bits uint32) {
		for _, c := range cs {
			bits |= 1 << c
		}
		return bits
	}
	switch name {
	case "tcp":
		return set(flows.ClassTCP), true
	case "udp":
		return set(flows.ClassUDP), true
	case "icmp":
		return set(flows.ClassEcho, flows.ClassTimestamp, flows.ClassMask), true
	case "sctp":
		return set(flows.ClassSCTP), true
	case "arp":
		return set(flows.ClassARP), true
	case "ndp":
		return set(flows.ClassNDP), true
	case "ip":
		return set(flows.ClassProtocol), true
	}
	return 0, false
}

// concerns reports whether an attempt is of the kind that a rule counts,
// whatever came of it.
func (c *compiledRule) concerns(a *attempted, s *source, home networks) bool {
	switch {
	case c.counts>>a.class&1 == 0:
	case c.connection && a.technique != flows.TCPSYN && a.technique != flows.UDP:
	case c.technique != 0 && a.technique != c.technique:
	case len(c.Port) > 0 && !slices.ContainsFunc(c.Port, func(r PortRange) bool { return r.From <= a.port && a.port <= r.To }):
	case c.From != "" || c.direction != "":
		return c.sides(s, a, home)
	default:
		return true
	}
	return false
}

// byClass are rules by the class of the attempts that they can concern.
type byClass [flows.ClassNDP + 1][]*compiledRule

func newByClass(rules []*compiledRule) (b byClass) {
	for _, r := range rules {
		for c := range b {
			if r.counts>>c&1 != 0 {
				b[c] = append(b[c], r)
			}
		}
	}
	return b
}

// of are the rules that can concern attempts of a class.
func (b *byClass) of(c flows.Class) []*compiledRule { return b[min(c, flows.ClassNDP)] }

// suits reports whether a rule can concern attempts of a class.
func (c *compiledRule) suits(class flows.Class) bool {
	switch {
	case c.classes != 0 && c.classes>>class&1 == 0:
	case (c.Count == FieldDstPort || c.byPort && c.Count != FieldDst) && !hasPorts(class):
	case c.Count == FieldIPProto && class != flows.ClassProtocol:
	default:
		return true
	}
	return false
}

// holds reports whether what is known of an attempt meets a rule's conditions.
func (c *compiledRule) holds(a *attempted) bool {
	switch {
	case c.unproductive && (!a.counted || a.excused):
	case c.crafted && !a.crafted:
	case c.halfOpen && !a.halfOpen:
	case c.abandoned && (a.halfOpen || a.outcome != flows.Answered):
	case c.byOutcome && a.outcome != c.outcome:
	case !c.byDst && doubtful(a.technique) && !a.crafted:
	default:
		return true
	}
	return false
}

// doubtful are the flag probes that the tail of an ordinary conversation can
// look like: over several hosts they count only if crafted.
func doubtful(t flows.Technique) bool {
	return t == flows.TCPFIN || t == flows.TCPMaimon || t == flows.TCPACK
}

func hasPorts(c flows.Class) bool {
	return c == flows.ClassTCP || c == flows.ClassUDP || c == flows.ClassSCTP
}

// sides checks what a rule says of home.
func (c *compiledRule) sides(s *source, a *attempted, home networks) bool {
	src := home.has(&s.addr)
	if c.From == "home" && !src || c.From == "external" && src {
		return false
	}
	return c.direction == "" || c.direction == directionOf(src, home.has(&a.responder))
}

func directionOf(src, dst bool) Direction {
	switch {
	case src && dst:
		return Internal
	case src:
		return Outbound
	case dst:
		return Inbound
	default:
		return External
	}
}

func (c *compiledRule) sliding() bool {
	return c.Window != Tumbling && c.Window != Run && c.Window != Slow && c.Window != Divided
}

// windowText is the rule's window in words.
func (c *compiledRule) windowText() string {
	switch c.Window {
	case Run, Walk:
		return string(c.Window)
	case Tumbling:
		return c.Within.String() + " tumbling"
	case Slow, Divided:
		return durationText(c.Within) + " " + string(c.Window)
	default:
		return c.Within.String()
	}
}
