package flows

// Summary is what became of the packets of one source that were counted, and not told
// one by one, because there were too many of them. It holds no pointer.
//
// It counts from First on: of two with one Source and one First, give or take a second, the
// later includes the earlier. Another First is another count, and a source may be told of
// again when nothing has changed.
type Summary struct {
	// Source sent the packets: IPv4 as ::ffff:a.b.c.d.
	Source [16]byte
	// First and Last are when the first and the last of them came, in nanoseconds since
	// 1970.
	First, Last int64
	// Packets counts them by what each would try if it were the first of its attempt:
	// Packets[TCPSYN] are SYNs. What tries nothing is not in it, nor are replies.
	Packets [NDP + 1]uint64
	// Targets is about how many distinct targets (address, port, protocol and class)
	// they had together.
	Targets uint32
}
