package detect

import (
	"maps"
	"math"
	"slices"

	"github.com/synoptic-ids/synoptic/flows"
)

// least of bytes that each takes.
const (
	groupLeast   = 10
	elementLeast = 9
	walkerLeast  = 18
	contactLeast = 11
	factLeast    = 5
)

// groups codes what rules have counted, where it can count still.
func (c *coder) groups(t *groupTable, now int64) {
	c.Bool(&t.begun)
	if c.line(&t.epoch); !t.begun {
		return
	}
	tick := t.tick(now)
	n := 0
	each := func(visit func(b *groupBucket, i int)) {
		for at := range t.buckets {
			b := &t.buckets[at]
			for i := range b.tags {
				if b.tags[i] != 0 && b.until[i] >= tick {
					visit(b, i)
				}
			}
		}
	}
	if !c.reading {
		each(func(*groupBucket, int) { n++ })
	}
	n = c.Len(n, groupLeast)
	if !c.reading {
		each(func(b *groupBucket, i int) {
			g := &b.groups[i]
			c.U64(&g.key)
			c.U32(&b.until[i])
			c.Bool(&g.set)
			if g.set {
				values := slices.Sorted(maps.Keys(t.sets.sets[g.place]))
				codeList(c, &values, 8, c.U64)
				return
			}
			l := t.blocks.held(g)
			codeList(c, (*[]element)(&l), elementLeast, c.element)
		})
		return
	}
	for range n {
		c.group(t, tick, now)
	}
}

func (c *coder) element(x *element) {
	c.U64(&x.value)
	c.line(&x.line)
}

// group takes one count.
func (c *coder) group(t *groupTable, tick uint32, now int64) {
	var key uint64
	var until uint32
	var set bool
	var values []uint64
	var l []element
	c.U64(&key)
	c.U32(&until)
	if c.Bool(&set); set {
		codeList(c, &values, 8, c.U64)
	} else {
		codeList(c, &l, elementLeast, c.element)
	}
	if key&1 == 0 || t.find(key) != nil || len(l) > t.blocks[len(t.blocks)-1].size || c.err != nil {
		c.Fail("it has a count where there can be none")
		return
	}
	b, i := t.room(key, tick)
	b.tags[i], b.until[i], b.groups[i] = tagged(key), until, group{key: key}
	t.size++
	g := &b.groups[i]
	if set {
		g.set, g.place = true, t.sets.take(key)
		for _, v := range values {
			g.size = uint32(t.sets.add(g.place, v)) //nolint:gosec // no more than maxDistinct
		}
	}
	for _, x := range l {
		held := t.list(g, x.value, len(l), now)
		if len(held) == cap(held) {
			c.Fail("it has a count of the same twice")
			return
		}
		g.size = uint32(len(append(held, x))) //nolint:gosec // no more than a rule keeps
	}
	b.sizes[i] = uint8(min(g.size, 255)) //nolint:gosec // it fits
}

// walkers codes walks.
func (c *coder) walkers(t *walkerTable) {
	n := c.Len(t.size, walkerLeast)
	for i := range n {
		if !c.reading {
			c.walker(t.at(i))
			continue
		}
		var w walker
		if c.walker(&w); t.size >= t.max || t.find(w.key) != nil {
			c.Fail("it has a walk where there can be none")
			return
		}
		*t.make(w.key) = w
	}
}

func (c *coder) walker(w *walker) {
	c.U64(&w.key)
	w.walk.Code(c)
	c.line(&w.began)
	c.line(&w.touched)
	// A ring that has gone round is as good as one that has just done so.
	next := w.next
	if next > walkerMet {
		next = walkerMet + next%walkerMet
	}
	below(c, &next, 2*walkerMet)
	below(c, &w.patience, math.MaxInt32)
	for i := range w.met[:min(next, walkerMet)] {
		m := &w.met[i]
		c.U64(&m.value)
		c.U16(&m.port)
		c.Bool(&m.failed)
		c.line(&m.line)
	}
	if !c.reading {
		return
	}
	w.next = next
	for i := range w.met[:min(next, walkerMet)] {
		w.tags[i] = uint32(w.met[i].value)
	}
}

// slow codes suspects, and what rules know of earlier hours.
func (c *coder) slow(e *Engine) {
	if e.tiers.table != nil {
		e.tiers.table.Code(c)
	}
	for _, r := range e.rules {
		if r.Sigma <= 0 {
			continue
		}
		begun := r.baselines != nil
		if c.Bool(&begun); !begun {
			continue
		}
		if r.baselines == nil {
			r.baselines = newBaselines(&r.Rule, pairsEach(e.cfg.Pairs, e.rules), e.cfg.Seed)
		}
		r.baselines.Code(c)
	}
}

// facts codes what conversations have shown and is not too long ago. Of services it is two of
// those whom they served that is kept, of the others since when.
func (c *coder) facts(f *facts, now int64) {
	c.table(f.relations, now, true)
	c.table(f.services, now, false)
	c.table(f.used, now, true)
	c.table(f.failures, now, true)
}

func (c *coder) table(buckets [][factWays]fact, now int64, dated bool) {
	held := func(x *fact) bool { return x.tag != 0 && secondsOf(now)-x.at <= factsLife }
	n := 0
	for i := range buckets {
		for j := range buckets[i] {
			if held(&buckets[i][j]) {
				n++
			}
		}
	}
	n = c.Len(n, factLeast)
	if c.reading {
		for range n {
			var place uint32
			if c.U32(&place); uint64(place) >= uint64(len(buckets)*factWays) {
				c.Fail("it has a fact where there can be none")
				return
			}
			c.fact(&buckets[place/factWays][place%factWays], now, dated)
		}
		return
	}
	for i := range buckets {
		for j := range buckets[i] {
			if x := &buckets[i][j]; held(x) {
				place := uint32(i*factWays + j) //nolint:gosec // under 2^28
				c.U32(&place)
				c.fact(x, now, dated)
			}
		}
	}
}

func (c *coder) fact(x *fact, now int64, dated bool) {
	c.U32(&x.tag)
	// By how long ago they were, so that none comes to lie ahead.
	shift := secondsOf(now+c.shift) - secondsOf(now)
	at, since := x.at+shift, x.who[0]
	if dated && since != 0 {
		since = max(since+shift, 1)
	}
	c.U32(&at)
	c.U32(&since)
	c.U32(&x.who[1])
	if c.reading {
		x.at, x.who[0] = at, since
	}
}

// outage codes what is known of a way out.
func (c *coder) outage(o *outage) {
	for i := range o.failed {
		c.U32(&o.failed[i].tag)
		c.since(&o.failed[i].line)
	}
	c.since(&o.since)
	for i := range o.worked {
		c.U16(&o.worked[i])
	}
	c.Bool(&o.ever)
	c.since(&o.from)
	c.since(&o.to)
}

// since codes a time of the line clock of which 0 is none.
func (c *coder) since(v *int64) {
	set := *v != 0
	if c.Bool(&set); set {
		c.line(v)
	}
}

// orders codes what FTP clients have told servers.
func (c *coder) orders(o *orders) {
	begun := o.buckets != nil
	if c.Bool(&begun); !begun {
		return
	}
	if o.buckets == nil {
		o.buckets = new([ordersKept / 4][4]order)
	}
	for i := range o.buckets {
		for j := range o.buckets[i] {
			x := &o.buckets[i][j]
			if c.since(&x.at); x.at != 0 {
				c.Addr(&x.server)
				c.Addr(&x.client)
				c.U32(&x.what)
			}
		}
	}
}

// health codes what was said already, which is not said again.
func (c *coder) health(h *health) {
	c.Bool(&h.begun)
	codeList(c, &h.learning, 2, func(l *Learning) { record(c, l) })
	for i := range h.oneWay[:flows.ClassNDP+1] {
		c.Bool(&h.oneWay[i])
	}
}
