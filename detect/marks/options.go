package marks

// The hash of a TCP option list, as flows.Packet.Options has it: 32-bit FNV-1a
// over the list with the eight value bytes of timestamps left out.
const (
	fnvBasis = 2166136261
	fnvPrime = 16777619
	// fnvInverse times fnvPrime is 1 modulo 2^32: a step can be undone.
	fnvInverse = 899433627
)

// layoutHash hashes a list in which timestamps stand as 8, 10 alone. An empty
// one is 0, as with flows.
func layoutHash(list ...byte) uint32 {
	if len(list) == 0 {
		return 0
	}
	return hashOn(fnvBasis, list)
}

func hashOn(h uint32, b []byte) uint32 {
	for _, c := range b {
		h = (h ^ uint32(c)) * fnvPrime
	}
	return h
}

// Option layouts, byte by byte as they are sent. They are never written to.
var (
	// What nmap, naabu and masscan after 1.3.2 send.
	segmentSize1460 = layoutHash(2, 4, 5, 180)

	// MSS 1460, NOP, window scale 8, NOP, NOP, SACK permitted: ZMap from 4.1 on,
	// and Windows.
	zmapWindowsLayout = layoutHash(2, 4, 5, 180, 1, 3, 3, 8, 1, 1, 4, 2)

	// What nmap -O sends: its six SYNs, the ECN probe, T2 to T6, T7.
	osLayouts = [...]uint32{
		layoutHash(3, 3, 10, 1, 2, 4, 5, 180, 8, 10, 4, 2),
		layoutHash(2, 4, 5, 120, 3, 3, 0, 4, 2, 8, 10, 0),
		layoutHash(8, 10, 1, 1, 3, 3, 5, 1, 2, 4, 2, 128),
		layoutHash(4, 2, 8, 10, 3, 3, 10, 0),
		layoutHash(2, 4, 2, 24, 4, 2, 8, 10, 3, 3, 10, 0),
		layoutHash(2, 4, 1, 9, 4, 2, 8, 10),
		layoutHash(3, 3, 10, 1, 2, 4, 5, 180, 4, 2, 1, 1),
		layoutHash(3, 3, 10, 1, 2, 4, 1, 9, 8, 10, 4, 2),
		layoutHash(3, 3, 15, 1, 2, 4, 1, 9, 8, 10, 4, 2),
	}
)

// onlySegmentSize reports whether a hash is that of a maximum segment size and
// nothing else. Tools send 1460, routers on the way lower it. Other lists pass
// by chance with 2^-16.
func onlySegmentSize(options uint32) bool {
	if options == 0 {
		return false
	}
	const kindAndLength = ((fnvBasis^2)*fnvPrime&0xffffffff ^ 4) * fnvPrime & 0xffffffff
	before := options * fnvInverse // the last step undone, but for its byte
	for high := range uint32(256) {
		if (kindAndLength^high)*fnvPrime^before < 256 {
			return true
		}
	}
	return false
}
