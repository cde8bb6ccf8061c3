package detect

import (
	"bytes"
	"maps"
	"math/bits"
	"slices"

	"github.com/synoptic-ids/synoptic/flows"
)

// least of bytes that each takes.
const (
	crowdLeast    = 30
	memberLeast   = 17
	incidentLeast = 100
	partLeast     = 10
	targetLeast   = 26
	tryLeast      = 24
	watchLeast    = 60
	abuserLeast   = 17
)

// crowds codes sources that are taken together. Their scans follow with the others.
func (c *coder) crowds(s *crowdSet) {
	codeList(c, &s.all, crowdLeast, func(at **crowd) {
		if c.reading {
			*at = &crowd{}
		}
		c.crowd(*at)
	})
	if !c.reading {
		s.companions.Code(c)
		return
	}
	all := s.all
	s.all = nil
	if len(all) > maxCrowds {
		c.Fail("it has more crowds than there can be")
		return
	}
	for _, g := range all {
		members := g.members
		g.members = nil
		s.all = append(s.all, g)
		for i := range members {
			if !s.join(g, &members[i].addr) {
				c.Fail("it has a member of a crowd that can be none")
				return
			}
			g.members[i].acts = members[i].acts
		}
	}
	s.companions.Code(c)
}

func (c *coder) crowd(g *crowd) {
	codeList(c, &g.members, memberLeast, func(m *member) {
		c.Addr(&m.addr)
		number(c, &m.acts)
	})
	c.Bool(&g.divides)
	c.Addr(&g.scope.Host)
	c.U16(&g.scope.Port)
	c.U8(&g.scope.Class)
	hosts := slices.SortedFunc(maps.Keys(g.hosts), func(a, b [16]byte) int { return bytes.Compare(a[:], b[:]) })
	codeList(c, &hosts, 16, c.Addr)
	number(c, &g.taken)
	c.line(&g.touched)
	if !c.reading {
		return
	}
	if g.taken < 0 || g.taken > len(g.members) {
		c.Fail("it has a crowd that took more members than it has")
		g.taken = 0
	}
	if !g.divides {
		g.hosts = map[[16]byte]struct{}{}
		for _, h := range hosts {
			g.hosts[h] = struct{}{}
		}
	}
}

// scans codes open scans, closed ones that are watched, and which of these are open again.
func (c *coder) scans(e *Engine) {
	n := c.Len(len(e.open), incidentLeast)
	for i := range n {
		if c.reading {
			inc := &incident{keys: e.keys, home: e.home, room: &e.room}
			if c.incident(e, inc); c.err != nil {
				return
			}
			e.open = append(e.open, inc)
			continue
		}
		c.incident(e, e.open[i])
	}
	if c.reading {
		e.settleRoom()
	}
	c.watches(e)
}

// settleRoom counts the first targets of the parts of open scans, which [room.restore] lets in
// whatever the others hold, as no room was asked for them.
func (e *Engine) settleRoom() {
	for _, inc := range e.open {
		for _, p := range inc.parts {
			e.room.left -= min(p.targets.size(), leastTargets)
		}
	}
}

// incident codes an open scan. What follows from its targets is counted again.
func (c *coder) incident(e *Engine, inc *incident) {
	crowd := 0
	if inc.crowd != nil {
		crowd = slices.Index(e.crowds.all, inc.crowd) + 1
	}
	below(c, &crowd, len(e.crowds.all)+1)
	c.Addr(&inc.addr)
	if c.reading {
		c.assign(e, inc, crowd)
	}
	c.text(&inc.id)
	c.text(&inc.day)
	c.Int(&inc.floor)
	c.rule(e, &inc.rule)
	record(c, &inc.evidence)
	record(c, &inc.detected)
	codeList(c, &inc.rules, 3, func(f *Fired) { record(c, f) })
	codeList(c, &inc.bins, 1, c.Int)
	c.Int(&inc.first)
	c.line(&inc.firstLine)
	c.Int(&inc.last)
	c.line(&inc.lastLine)
	below(c, &inc.gapCount, 1<<40)
	for i := range inc.gaps[:min(inc.gapCount, gapsKept)] {
		c.Int(&inc.gaps[i])
	}
	number(c, &inc.cut)
	c.Bool(&inc.short)
	c.U16(&inc.vlan)
	number(c, &inc.doubling)
	c.beyond(&inc.beyond)
	c.said(&inc.said)
	codeList(c, &inc.abusers, abuserLeast, func(a *abuser) {
		c.Addr(&a.client)
		number(c, &a.targets)
	})
	c.reach(&inc.reach)
	c.authority(e.allow, &inc.addr, crowd > 0, &inc.allowed)
	c.parts(inc)
	if inc.crowd != nil {
		c.tries(inc)
	}
	if !c.reading {
		return
	}
	if len(inc.bins) != len(inc.rules) || len(inc.parts) == 0 || inc.rule == nil {
		c.Fail("it has a scan without what made it one")
		return
	}
	inc.resettle(e.rules, e.walks)
}

// assign says whose an open scan is.
func (c *coder) assign(e *Engine, inc *incident, crowd int) {
	if crowd > 0 {
		if inc.crowd = e.crowds.all[crowd-1]; inc.crowd.inc != nil {
			c.Fail("it has two scans of one crowd")
		}
		inc.crowd.inc = inc
		return
	}
	inc.orders = &e.orders
	s := e.sources.find(&inc.addr)
	if s == nil || s.incident != nil {
		c.Fail("it has a scan of nobody, or two of a source")
		return
	}
	inc.source, s.incident = s, inc
}

// rule codes which rule it is. The rules are the same.
func (c *coder) rule(e *Engine, r **compiledRule) {
	n := 0
	if *r != nil {
		n = (*r).number
	}
	number(c, &n)
	if !c.reading {
		return
	}
	for _, o := range e.compiled() {
		if o.number == n {
			*r = o
			return
		}
	}
	c.Fail("it names a rule that there is not")
}

// compiled are all rules in force.
func (e *Engine) compiled() []*compiledRule {
	all := slices.Concat(e.rules, e.walks, e.tiers.rules[:], []*compiledRule{e.division.rule})
	return slices.DeleteFunc(all, func(r *compiledRule) bool { return r == nil })
}

// beyond codes what was counted and not told. Who counts begins anew with the run that loads it.
func (c *coder) beyond(b *beyond) {
	attempts := b.attempts()
	c.U64(&attempts)
	c.U32(&b.targets)
	if c.reading {
		b.before = attempts
	}
}

func (c *coder) said(s *said) {
	c.text((*string)(&s.shape))
	c.text(&s.technique)
	c.text((*string)(&s.verdict))
	number(c, &s.parts)
	c.Bool(&s.single)
	c.Bool(&s.outside)
}

func (c *coder) reach(r *reach) {
	c.Bool(&r.probed)
	codeList(c, &r.engaged, 10, func(g *Engagement) { record(c, g) })
	number(c, &r.told)
}

// authority codes what a scan was found to do. Entries of the allow-list are known by name: where
// those that concern the scan are others now, nothing allows it, for what it did was not held against them.
func (c *coder) authority(in allowList, src *[16]byte, many bool, au *authority) {
	var names, used []string
	for i, entry := range au.list {
		names = append(names, entry.Name)
		if au.used[i] {
			used = append(used, entry.Name)
		}
	}
	codeList(c, &names, 1, c.text)
	codeList(c, &used, 1, c.text)
	if c.reading {
		*au = in.of(src)
		if many {
			*au = in.ofMany()
		}
		if !slices.EqualFunc(names, au.list, func(name string, entry *allowance) bool { return name == entry.Name }) {
			*au = authority{}
		}
		for i, entry := range au.list {
			au.used[i] = slices.Contains(used, entry.Name)
		}
	}
	c.Bool(&au.named)
	c.Bool(&au.stranger)
	record(c, &au.outside)
	first := au.first != nil
	if c.Bool(&first); first {
		var a attempted
		if au.first != nil {
			a = *au.first
			a.prev = 0 // it is none of the history
		}
		if c.attempted(&a, 1); c.reading {
			au.first = &a
		}
	}
	if c.reading {
		au.named, au.stranger = au.named && len(au.list) > 0, au.stranger && len(au.list) == 0
	}
}

func (c *coder) parts(inc *incident) {
	n := c.Len(len(inc.parts), partLeast)
	for i := range n {
		var p *part
		var class flows.Class
		var technique flows.Technique
		if !c.reading {
			p = inc.parts[i]
			class, technique = p.class, p.technique
		}
		if c.kind(&class, &technique); c.reading {
			if p = inc.partOf(technique, class); len(inc.parts) != i+1 {
				c.Fail("it has a part of a scan twice")
				return
			}
		}
		c.part(inc, p)
	}
}

func (c *coder) part(inc *incident, p *part) {
	attempts, packets := int64(p.attempts), int64(p.packets) //nolint:gosec // no more than packets there were
	c.Int(&attempts)
	c.Int(&packets)
	c.Int(&p.first)
	c.Int(&p.last)
	c.Bool(&p.full)
	n := c.Len(p.targets.size(), targetLeast)
	if !c.reading {
		for k, st := range p.targets.all() {
			c.Addr(&k.host)
			c.U16(&k.port)
			c.targetState(st)
		}
		return
	}
	if !inc.room.restore(n) {
		c.Fail("it has more targets of scans than there can be")
		return
	}
	p.attempts, p.packets = uint64(attempts), uint64(packets) //nolint:gosec // what was written
	for range n {
		var k target
		c.Addr(&k.host)
		c.U16(&k.port)
		host := inc.keys.addr(&k.host, 0)
		if p.targets.find(&k, k.hash(host)) != nil {
			c.Fail("it has a target of a scan twice")
			return
		}
		inc.meet(p, &attempted{responder: k.host, port: k.port, class: p.class}, &k, host)
		st := p.targets.add(&k, k.hash(host))
		c.targetState(st)
		p.tell(st)
		inc.tally.count(p.technique, &k, st, +1)
	}
}

// tell counts a target by how it was connected to.
func (p *part) tell(st *targetState) {
	for _, x := range []struct {
		holds bool
		n     *int
	}{{st.handshake, &p.handshakes}, {st.halfOpen, &p.halfOpen}, {st.crafted, &p.crafted}} {
		if x.holds {
			*x.n++
		}
	}
}

func (c *coder) targetState(st *targetState) {
	c.progress(&st.progress)
	below(c, &st.outcome, flows.Unseen+1)
	c.U8(&st.code)
	c.Bool(&st.crafted)
	c.Bool(&st.handshake)
	c.Bool(&st.halfOpen)
}

func (c *coder) progress(p *progress) {
	c.Int(&p.start)
	c.U32(&p.packets)
	c.U32(&p.connections)
	c.Bool(&p.cut)
}

// tries codes which member of a crowd tried what.
func (c *coder) tries(inc *incident) {
	below(c, &inc.speaker, max(len(inc.crowd.members), 1))
	n := c.Len(inc.tries.size(), tryLeast)
	code := func(t *try, p *progress) {
		c.Addr(&t.host)
		c.U16(&t.port)
		below(c, &t.technique, flows.NDP+1)
		c.U16(&t.speaker)
		c.progress(p)
	}
	if !c.reading {
		for t, p := range inc.tries.all() {
			code(t, p)
		}
		return
	}
	for range n {
		var t try
		var p progress
		code(&t, &p)
		*inc.tries.get(&t, t.hash(inc.keys.addr(&t.host, 0))) = p
	}
}

// watches codes closed scans, the earliest first, and the places of those that are open again.
func (c *coder) watches(e *Engine) {
	t := &e.watches
	n := c.Len(len(t.list), watchLeast)
	for i := range n {
		if !c.reading {
			c.watch(e, t.list[i])
			continue
		}
		w := &watch{}
		if c.watch(e, w); c.err != nil || len(t.list) >= t.max {
			c.Fail("it has more closed scans than are watched")
			return
		}
		t.list = append(t.list, w)
		for _, addr := range w.sources {
			t.by[addr] = append(t.by[addr], w)
		}
	}
	open := make([]int, 0, len(e.reopened))
	for _, w := range e.reopened {
		open = append(open, slices.Index(t.list, w))
	}
	codeList(c, &open, 1, func(n *int) { number(c, n) })
	if !c.reading {
		return
	}
	for _, n := range open {
		if n < 0 || n >= len(t.list) || t.list[n].open {
			c.Fail("it has a scan open again that is not watched")
			return
		}
		t.list[n].open = true
		e.reopened = append(e.reopened, t.list[n])
	}
}

func (c *coder) watch(e *Engine, w *watch) {
	codeList(c, &w.sources, 16, c.Addr)
	record(c, &w.record)
	c.line(&w.first)
	c.line(&w.closed)
	codeList(c, &w.answered, 17, func(k *target) {
		c.Addr(&k.host)
		c.U16(&k.port)
	})
	codeList(c, (*[]uint64)(&w.hosts), 8, c.U64)
	c.line(&w.due)
	offset := w.offset - c.shift
	c.Int(&offset)
	c.reach(&w.reach)
	if !c.reading {
		c.authority(e.allow, nil, false, &w.allowed)
		return
	}
	w.offset = offset
	if len(w.sources) == 0 || len(w.sources) > maxWatchedSources || bits.OnesCount(uint(len(w.hosts))) > 1 {
		c.Fail("it has a closed scan that can be none")
		return
	}
	c.authority(e.allow, &w.sources[0], w.record.Sources > 0, &w.allowed)
}
