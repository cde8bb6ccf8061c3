package flows

// ways is how many places a note or socket has in its bucket.
const ways = 4

// noteOf is what is remembered of the latest datagram of a socket to a peer.
type noteOf struct {
	at    int64
	tag   uint64
	entry uint32
	port  uint16 // of the peer
	has   bool   // entry is set
	used  bool
}

// noteTable remembers which socket sent to whom, so that answers from other
// ports are known as answers. It is a 4-way associative array: full buckets
// lose their oldest note.
type noteTable struct {
	keys    keys
	buckets [][ways]noteOf
}

func newNoteTable(k keys, bound int) noteTable {
	return noteTable{keys: k, buckets: resident[[ways]noteOf](bound / ways)}
}

// get finds the note of a socket about a peer, or about any group if peer is nil.
func (t *noteTable) get(addr *[16]byte, port uint16, peer *[16]byte) (noteOf, bool) {
	h := t.keys.socket(addr, port, peer)
	b := &t.buckets[h&uint64(len(t.buckets)-1)]
	for i := range b {
		if b[i].used && b[i].tag == h {
			return b[i], true
		}
	}
	return noteOf{}, false
}

// put leaves a note in place of an older one.
func (t *noteTable) put(addr *[16]byte, port uint16, peer *[16]byte, n noteOf) {
	h := t.keys.socket(addr, port, peer)
	b := &t.buckets[h&uint64(len(t.buckets)-1)]
	place := 0
	for i := range b {
		if !b[i].used || b[i].tag == h {
			place = i
			break
		}
		if b[i].at < b[place].at {
			place = i
		}
	}
	n.tag, n.used = h, true
	b[place] = n
}

// serverPeers is how many hosts must have answered a socket, each from a port
// of its own, before it is taken for a server (or a peer of a P2P network)
// whose requests were not seen.
const serverPeers = 3

// socketOf is what is remembered of a socket that was answered.
type socketOf struct {
	tag   uint64
	turn  uint64 // when it was last answered, in answers
	peers [serverPeers]uint32
	ports [serverPeers]uint16
	n     uint8
}

// socketTable remembers which sockets hosts answer from ports of their own.
type socketTable struct {
	keys    keys
	turn    uint64
	buckets [][ways]socketOf
}

func newSocketTable(k keys, bound int) socketTable {
	return socketTable{keys: k, buckets: resident[[ways]socketOf](bound / ways)}
}

// answered notes that a peer answered a socket.
func (t *socketTable) answered(addr *[16]byte, port uint16, peer *[16]byte, peerPort uint16) {
	h := t.keys.socket(addr, port, nil)
	b := &t.buckets[h&uint64(len(t.buckets)-1)]
	s := &b[0]
	for i := range b {
		if b[i].tag == h && b[i].n > 0 {
			s = &b[i]
			break
		}
		if b[i].turn < s.turn {
			s = &b[i]
		}
	}
	if s.tag != h || s.n == 0 {
		*s = socketOf{tag: h}
	}
	t.turn++
	s.turn = t.turn
	who := uint32(t.keys.socket(peer, 0, nil))
	for i := range int(s.n) {
		if s.peers[i] == who || s.ports[i] == peerPort {
			return
		}
	}
	if s.n < serverPeers {
		s.peers[s.n], s.ports[s.n] = who, peerPort
		s.n++
	}
}

// serves reports whether a socket is known as one that is addressed, not one
// that asks.
func (t *socketTable) serves(addr *[16]byte, port uint16) bool {
	h := t.keys.socket(addr, port, nil)
	b := &t.buckets[h&uint64(len(t.buckets)-1)]
	for i := range b {
		if b[i].tag == h && b[i].n == serverPeers {
			return true
		}
	}
	return false
}
