package flows

const (
	// leaseServers is how many servers of leases are known, the latest.
	leaseServers = 8
	// leaseWishes is how many wishes for an address are open, the latest.
	leaseWishes = 16
	// leaseLook is how long after a wish an address is looked at for it.
	leaseLook = 3_000_000_000 // ns
)

// leases tells which addresses are looked at because a client wants one: a server of
// DHCP asks, by ARP and by ping, whether anybody has an address before it offers it. Rule
// 19 has it in full.
type leases struct {
	servers [leaseServers][16]byte
	known   int // that were ever noted
	wishes  [leaseWishes]wish
	heard   int
}

// wish is a client's wish for an address.
type wish struct {
	at     int64
	server [16]byte // who looks for an address for it; zero: nobody yet
	addr   [16]byte
}

const (
	portLeases  = 67
	portClients = 68
)

// note takes a datagram.
func (l *leases) note(p *Packet, now int64) {
	switch {
	case p.SrcPort == portLeases && p.Has(MarkReplyLike):
		if isHost(&p.Src) && !l.serves(&p.Src) {
			l.servers[l.known%leaseServers] = p.Src
			l.known++
		}
	case p.DstPort == portLeases && (p.SrcPort == portClients || p.SrcPort == portLeases):
		l.wishes[l.heard%leaseWishes] = wish{at: now}
		l.heard++
	}
}

func (l *leases) serves(addr *[16]byte) bool {
	for i := range min(l.known, leaseServers) {
		if l.servers[i] == *addr {
			return true
		}
	}
	return false
}

// looks reports whether a request is a server's look at an address that a client wants,
// and takes the first wish for it that nobody has looked for yet.
func (l *leases) looks(p *Packet, now int64) bool {
	if !l.serves(&p.Src) {
		return false
	}
	var free *wish
	for i := max(0, l.heard-leaseWishes); i < l.heard; i++ { // in the order in which they came
		w := &l.wishes[i%leaseWishes]
		switch {
		case now-w.at > leaseLook:
		case w.server == p.Src && w.addr == p.Dst:
			return true
		case w.server == [16]byte{} && free == nil:
			free = w
		}
	}
	if free == nil {
		return false
	}
	free.server, free.addr = p.Src, p.Dst
	return true
}
