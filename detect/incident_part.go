package detect

import (
	"github.com/synoptic-ids/synoptic/flows"
)

// withTechnique is the part of a technique, nil if there is none.
func (inc *incident) withTechnique(t flows.Technique) *part {
	for _, p := range inc.parts {
		if p.technique == t {
			return p
		}
	}
	return nil
}

func (inc *incident) partOf(t flows.Technique, c flows.Class) *part {
	if p := inc.withTechnique(t); p != nil {
		return p
	}
	p := &part{
		technique: t, class: c, hosts: &hostSet{}, ports: &portSet{},
	}
	inc.parts = append(inc.parts, p)
	switch len(inc.parts) {
	case 1:
		inc.hosts, inc.ports = p.hosts, p.ports
	case 2:
		hosts, ports := &hostSet{}, &portSet{}
		for h := range inc.hosts.all() {
			hosts.put(h, inc.keys.addr(h, 0))
		}
		for n := range inc.ports.all() {
			ports.put(n)
		}
		inc.hosts, inc.ports = hosts, ports
	}
	return p
}

// take brings the scan up to what is now known of an attempt, and reports
// whether that told anything new. Of a target that is not the scan's it takes nothing, unless add is set.
func (inc *incident) take(a *attempted, add bool, bound int) bool {
	k := targetOf(a)
	host := inc.keys.addr(&a.responder, 0)
	p, st := inc.find(a.technique, &k, host)
	if st == nil {
		if !add {
			return false
		}
		p = inc.partOf(a.technique, a.class)
		if inc.targets >= bound || !inc.room.allows(inc.targets) {
			p.full = true
			inc.judge(a)
			inc.pace(a)
			return inc.allowed.left()
		}
		inc.room.left--
		inc.meet(p, a, &k, host)
		st = p.targets.add(&k, k.hash(host))
		if client, ok := inc.orders.behind(&inc.addr, a); ok {
			inc.ordered(client)
		}
		st.outcome, st.code, st.start = a.outcome, a.code, a.start-1
	} else {
		inc.tally.count(p.technique, &k, st, -1)
	}
	if inc.crowd == nil {
		inc.follow(p, &st.progress, a)
	} else {
		inc.followMember(p, &k, host, a, bound)
	}
	p.vote(st, a)
	if rises(st.outcome, a.outcome) {
		st.outcome, st.code = a.outcome, a.code
	}
	inc.tally.count(p.technique, &k, st, +1)
	return true
}

func targetOf(a *attempted) target {
	if a.class == flows.ClassProtocol {
		return target{a.responder, uint16(a.proto)}
	}
	return target{a.responder, a.port}
}

// hash is that of a target, by that of its host.
func (t *target) hash(host uint64) uint64 { return mixed(host, uint64(t.port)) }

// follow counts what has been added to an attempt since it was last seen, or
// the whole of a new one.
func (inc *incident) follow(p *part, st *progress, a *attempted) {
	if st.start != a.start {
		inc.judge(a)
		st.start, st.packets, st.connections, st.cut = a.start, 0, 0, false
		inc.pace(a)
		if p.attempts == 0 {
			p.first, p.last = a.start, a.start
		}
		p.first, p.last = min(p.first, a.start), max(p.last, a.start)
	}
	p.attempts += uint64(a.connections - min(a.connections, st.connections))
	p.packets += uint64(a.packets - min(a.packets, st.packets))
	st.packets, st.connections = max(st.packets, a.packets), max(st.connections, a.connections)
	if a.cut && !st.cut {
		st.cut = true
		inc.cut++
	}
}

// meet notes the host and port of a target that is new to a part; new to the
// scan it is if no other technique has tried it.
func (inc *incident) meet(p *part, a *attempted, k *target, host uint64) {
	elsewhere := false
	for _, o := range inc.parts {
		if o != p && o.class == p.class && o.targets.find(k, k.hash(host)) != nil {
			elsewhere = true
		}
	}
	if !elsewhere {
		inc.targets++
	}
	if p.hosts.put(&a.responder, host) && inc.hosts != p.hosts {
		inc.hosts.put(&a.responder, host)
	}
	if hasPorts(a.class) {
		p.ports.put(a.port)
		inc.ports.put(a.port)
	}
}

// vote notes how the target was connected to.
func (p *part) vote(st *targetState, a *attempted) {
	if a.handshake && !st.handshake {
		st.handshake = true
		p.handshakes++
	}
	if a.halfOpen && !st.halfOpen {
		st.halfOpen = true
		p.halfOpen++
	}
	if a.crafted && !st.crafted {
		st.crafted = true
		p.crafted++
	}
}

// pace moves first and last, and learns the gaps between attempts. One that was
// merely answered does not begin a scan.
func (inc *incident) pace(a *attempted) {
	if a.line < inc.firstLine && a.material() {
		inc.first, inc.firstLine = a.start, a.line
	}
	if a.line <= inc.lastLine {
		return
	}
	inc.gaps[inc.gapCount%gapsKept] = a.line - inc.lastLine
	inc.gapCount++
	inc.last, inc.lastLine = a.start, a.line
}

// rises reports whether an outcome is higher than another: they only rise.
func rises(from, to flows.Outcome) bool {
	if from == flows.Unseen {
		from = flows.Silent
	}
	if to == flows.Unseen || to == flows.Expired {
		return false
	}
	return to > from
}

// belongs reports whether an answered attempt is part of the scan: the same
// technique, on a host whose ports it tried, or on a port that it tried on
// hosts. Of TCP only the former: what is productive elsewhere is a conversation.
func (inc *incident) belongs(a *attempted) bool {
	for _, p := range inc.parts {
		if p.technique != a.technique {
			continue
		}
		if p.shape() == Horizontal || p.hosts.size() > p.ports.size {
			return p.class != flows.ClassTCP && (!hasPorts(p.class) || p.ports.has(a.port))
		}
		return p.hosts.has(&a.responder, inc.keys.addr(&a.responder, 0))
	}
	return false
}

// goesOn reports whether an attempt of which nothing more is known goes where the others of
// its technique go: a port tried on hosts, or a host whose ports were tried.
func (inc *incident) goesOn(a *attempted) bool {
	for _, p := range inc.parts {
		if p.technique != a.technique {
			continue
		}
		host, port := p.hosts.has(&a.responder, inc.keys.addr(&a.responder, 0)), p.ports.has(a.port)
		switch p.shape() {
		case Horizontal:
			return port || !hasPorts(p.class)
		case Vertical:
			return host
		default:
			return host || port
		}
	}
	return false
}

// find is the part of a technique, and the state of a target there, nil if there is none.
func (inc *incident) find(by flows.Technique, k *target, host uint64) (*part, *targetState) {
	for _, p := range inc.parts {
		if p.technique == by {
			return p, p.targets.find(k, k.hash(host))
		}
	}
	return nil, nil
}

// shape is told from the number of hosts and ports.
func (p *part) shape() Shape {
	hosts, ports := p.hosts.size(), p.ports.size
	switch {
	case p.class == flows.ClassProtocol:
		return Protocol
	case hosts == 1:
		return Vertical
	case ports <= 1:
		return Horizontal
	case ports >= 3*hosts:
		return Vertical
	case hosts >= 3*ports:
		return Horizontal
	default:
		return Block
	}
}

// name is the word for the technique: a TCP part whose handshakes were
// completed, or whose probes are those of an ordinary stack, is a connect scan.
func (p *part) name() string {
	if p.technique != flows.TCPSYN {
		return techniqueName(p.technique)
	}
	switch {
	case p.handshakes > p.halfOpen:
		return "tcp-connect"
	case p.halfOpen > p.handshakes || 2*p.crafted >= p.targets.size():
		return "tcp-syn"
	default:
		return "tcp-connect"
	}
}
