package detect

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/synoptic-ids/synoptic/flows"
)

const (
	// ordersKept is how many orders are remembered, in buckets of four: of a full one
	// the oldest is lost.
	ordersKept = 1 << 12
	// orderLife is for how long an order explains a connection.
	orderLife = 5 * 60 * second
	// bounced is for how many targets of a scan there must have been orders, and
	// maxAbusers how many clients are counted.
	bounced    = 3
	maxAbusers = 8
)

// order is what an FTP client told a server to connect to.
type order struct {
	server, client [16]byte
	what           uint32 // flows.OrderOf that
	at             int64  // line clock
}

// orders are the latest of all. There is no memory for them before the first.
type orders struct {
	keys    hashKeys
	buckets *[ordersKept / 4][4]order
}

func (o *orders) bucketOf(server *[16]byte, what uint32) uint64 {
	return o.keys.addr(server, uint64(what)) % (ordersKept / 4)
}

// add takes an order.
func (o *orders) add(ev *flows.Event) {
	if o.buckets == nil {
		o.buckets = new([ordersKept / 4][4]order)
	}
	b := &o.buckets[o.bucketOf(&ev.Responder, ev.Question)]
	oldest := &b[0]
	for i := range b {
		if b[i].at < oldest.at {
			oldest = &b[i]
		}
	}
	*oldest = order{server: ev.Responder, client: ev.Initiator, what: ev.Question, at: ev.At}
}

// behind is the client upon whose order a server made an attempt.
func (o *orders) behind(server *[16]byte, a *attempted) (client [16]byte, ok bool) {
	if o == nil || o.buckets == nil || a.class != flows.ClassTCP {
		return client, false
	}
	what := flows.OrderOf(a.responder, a.port)
	b := &o.buckets[o.bucketOf(server, what)]
	for i := range b {
		if g := &b[i]; g.what == what && g.server == *server && g.at <= a.line+second && a.line-g.at <= orderLife {
			return g.client, true
		}
	}
	return client, false
}

// abuser is who ordered a source to try targets of its scan.
type abuser struct {
	client  [16]byte
	targets int
}

// ordered notes that a target of a scan was ordered by a client.
func (inc *incident) ordered(client [16]byte) {
	i := slices.IndexFunc(inc.abusers, func(b abuser) bool { return b.client == client })
	switch {
	case i >= 0:
		inc.abusers[i].targets++
	case len(inc.abusers) < maxAbusers:
		inc.abusers = append(inc.abusers, abuser{client, 1})
	}
}

// abusedBy lists the clients upon whose orders the scan was made, those with the most
// targets first.
func (inc *incident) abusedBy() (list []netip.Addr) {
	sorted := slices.Clone(inc.abusers)
	slices.SortStableFunc(sorted, func(a, b abuser) int { return cmp.Compare(b.targets, a.targets) })
	for _, b := range sorted {
		if b.targets >= bounced {
			list = append(list, flows.Addr(b.client))
		}
	}
	return list
}
