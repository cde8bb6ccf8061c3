package flows

const (
	// enoughFlows is how many flows must be known before a direction is said
	// to be missing.
	enoughFlows = 20
	// enoughUnseen is how many of them are enough where none is two-way. A sweep of
	// dark addresses makes none.
	enoughUnseen = 3
	// twoWayShare: at fewer than one two-way flow in this many, replies are
	// taken as not visible.
	twoWayShare = 10
	// maxSightCells bounds how many (interface, VLAN, class) are told apart;
	// those beyond share one.
	maxSightCells = 1 << 14
)

type sightKey struct {
	iface uint32
	vlan  uint16
	class Class
}

type sightCell struct {
	twoWay, unseen uint64
	heard          bool // an ICMP error about a flow was seen
}

// visibility measures, per interface, VLAN and class, whether replies can be
// seen at all. Only flows whose answer is proven take part: a sweep of dark
// addresses does not make a sensor call itself one-way.
type visibility struct {
	cells map[sightKey]*sightCell
	// The cell that was noted last: mostly the next as well.
	recent sightKey
	latest *sightCell
	doubts bool // replies are taken as visible only where one was seen
}

func (v *visibility) cell(k sightKey) *sightCell {
	if v.latest != nil && v.recent == k {
		return v.latest
	}
	v.recent, v.latest = k, v.find(k)
	return v.latest
}

// find is the cell of a key, made if there is none.
func (v *visibility) find(k sightKey) *sightCell {
	c := v.cells[k]
	if c == nil {
		if len(v.cells) >= maxSightCells {
			k = sightKey{class: k.class}
			if c = v.cells[k]; c != nil {
				return c
			}
		}
		c = &sightCell{}
		v.cells[k] = c
	}
	return c
}

// note counts a flow whose answer is known.
func (v *visibility) note(e *entry, unseen bool) {
	c := v.cell(sightKey{e.iface, e.vlan, e.key.Class})
	if unseen {
		c.unseen++
	} else {
		c.twoWay++
	}
}

// oneWay reports whether replies to an attempt could not have been seen.
func (v *visibility) oneWay(e *entry) bool {
	k := sightKey{e.iface, e.vlan, e.key.Class}
	own := v.cells[k]
	c := own
	if !c.enough() && followsTCP(k.class) {
		k.class = ClassTCP
		c = v.cells[k]
	}
	if v.doubts && !own.replied() && !c.replied() {
		return true
	}
	return c.enough() && c.twoWay*twoWayShare < c.twoWay+c.unseen
}

// replied reports whether a reply was seen, or an error in its place.
func (c *sightCell) replied() bool { return c != nil && (c.twoWay > 0 || c.heard) }

// hear notes an ICMP error about a flow.
func (v *visibility) hear(e *entry) {
	v.cell(sightKey{e.iface, e.vlan, e.key.Class}).heard = true
}

// enough reports whether a cell has seen enough to be judged by.
func (c *sightCell) enough() bool {
	return c != nil && (c.twoWay+c.unseen >= enoughFlows || c.twoWay == 0 && c.unseen >= enoughUnseen)
}

// followsTCP reports whether a class that has shown too little is judged by
// what TCP has shown.
func followsTCP(c Class) bool {
	return c != ClassARP && c != ClassNDP && c != ClassSCTP
}
