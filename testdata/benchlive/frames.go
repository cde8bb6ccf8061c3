package main

import "encoding/binary"

// Where things stand in the frames: Ethernet and IPv6 in front of TCP.
const (
	ipHeader = 14
	tcp      = ipHeader + 40
	headers  = tcp + 20
)

const (
	flagSYN = 0x02
	flagPSH = 0x08
	flagACK = 0x10
)

// template is a frame of TCP over IPv6 from one network of documentation to another.
func template(size int) []byte {
	b := make([]byte, size)
	copy(b, "\x02\x00\x00\x00\x00\x02\x02\x00\x00\x00\x00\x01\x86\xdd\x60")
	binary.BigEndian.PutUint16(b[ipHeader+4:], uint16(size-tcp))
	b[ipHeader+6], b[ipHeader+7] = 6, 64
	b[tcp+12] = 5 << 4
	b[tcp+14] = 0xff
	return b
}

// address is the n-th of network net.
func address(b []byte, net byte, n uint64) {
	copy(b, "\x20\x01\x0d\xb8\x00")
	b[5] = net
	binary.BigEndian.PutUint64(b[8:], n)
}

// talkers is how many conversations the flood of data has at a time, and size how
// long its frames are, in bytes.
const (
	talkers = 10_000
	size    = 680
)

// conversations is what most packets are: data in conversations, which begin with a
// handshake, and then have segments in both directions.
func conversations() func(i int) []byte {
	short, long := template(headers), template(size)
	return func(i int) []byte {
		who, turn := uint64(i%talkers), i/talkers
		b := long
		if turn < 3 {
			b = short
		}
		ends := [2]struct {
			net  byte
			n    uint64
			port uint16
		}{{1, who % 250, uint16(1024 + who)}, {2, who % 7, 443}}
		from, to := ends[turn%2], ends[1-turn%2]
		address(b[ipHeader+8:], from.net, from.n)
		address(b[ipHeader+24:], to.net, to.n)
		binary.BigEndian.PutUint16(b[tcp:], from.port)
		binary.BigEndian.PutUint16(b[tcp+2:], to.port)
		// Each segment follows upon the one before in its direction, and
		// acknowledges the one before in the other.
		binary.BigEndian.PutUint32(b[tcp+4:], sent(turn, turn%2))
		binary.BigEndian.PutUint32(b[tcp+8:], sent(turn, 1-turn%2))
		b[tcp+13] = flagPSH | flagACK
		switch turn {
		case 0:
			b[tcp+13] = flagSYN
			binary.BigEndian.PutUint32(b[tcp+8:], 0)
		case 1:
			b[tcp+13] = flagSYN | flagACK
		case 2:
			b[tcp+13] = flagACK
		}
		return b
	}
}

// sent is the sequence number that an end has come to before a turn: a SYN in turn 0
// or 1, nothing in turn 2, then data.
func sent(turn, end int) uint32 {
	seq := uint32(1000)
	for t := end; t < turn && t < 3; t += 2 {
		if t < 2 {
			seq++
		}
	}
	if turn > 3 {
		first := 3 + (end+1)%2 // the first turn in which this end sends data
		if turn > first {
			seq += uint32((turn-first+1)/2) * (size - headers)
		}
	}
	return seq
}

// forged is a flood of SYNs to one host, each from a source of its own.
func forged() func(i int) []byte {
	b := template(headers)
	address(b[ipHeader+24:], 2, 80)
	binary.BigEndian.PutUint16(b[tcp+2:], 443)
	b[tcp+13] = flagSYN
	return func(i int) []byte {
		n := uint64(i) * 0x9e3779b97f4a7c15 // each once, in no order
		address(b[ipHeader+8:], 3, n)
		binary.BigEndian.PutUint16(b[tcp:], uint16(1024+n%60000))
		binary.BigEndian.PutUint32(b[tcp+4:], uint32(n>>32))
		return b
	}
}
