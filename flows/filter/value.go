package filter

import (
	"fmt"
	"strconv"
)

// value is a number that a packet has, or none.
type value interface{ String() string }

type number uint32

// wireLength is the length of the frame on the wire.
type wireLength struct{}

// layer is a header that fields are of.
type layer uint8

const (
	noLayer layer = iota
	layerEther
	layerLink
	layerIP
	layerIP6
	layerARP
	layerTCP
	layerUDP
	layerSCTP
	layerICMP
	layerICMP6
)

var layerNames = [...]string{"", "ether", "link", "ip", "ip6", "arp", "tcp", "udp", "sctp", "icmp", "icmp6"}

func (l layer) String() string { return layerNames[l] }

// layerOf is the layer of a name, noLayer if there is none.
func layerOf(name string) layer {
	for i, n := range layerNames {
		if n == name && n != "" {
			return layer(i)
		}
	}
	return noLayer
}

// field is some bytes of a header, big-endian.
type field struct {
	layer layer
	off   uint32
	size  uint32 // 1, 2 or 4
}

// arithmetic is unsigned and of 32 bits.
type arithmetic struct {
	op   string
	l, r value
}

// fragmentation is what is known of the fragment word of IPv4: whether there is
// "do not fragment" (mask 0x4000), whether it is a fragment (0x3fff), and whether
// it is one without a transport header (0x1fff). Of the latter two it is only
// known whether they are zero.
type fragmentation struct{ mask uint32 }

const (
	fragmentDF    = 0x4000
	fragmentAny   = 0x3fff
	fragmentLater = 0x1fff
)

func (n number) String() string { return strconv.FormatUint(uint64(n), 10) }

func (wireLength) String() string { return "len" }

func (f field) String() string {
	if f.size == 1 {
		return fmt.Sprintf("%s[%d]", f.layer, f.off)
	}
	return fmt.Sprintf("%s[%d:%d]", f.layer, f.off, f.size)
}

func (a arithmetic) String() string {
	return operand(a.l) + " " + a.op + " " + operand(a.r)
}

func operand(v value) string {
	switch v.(type) {
	case arithmetic, fragmentation:
		return "(" + v.String() + ")"
	}
	return v.String()
}

func (f fragmentation) String() string { return fmt.Sprintf("ip[6:2] & %d", f.mask) }

// calculate is an operation on two numbers; false for a division by zero.
func calculate(op string, a, b uint32) (uint32, bool) {
	switch op {
	case "+":
		return a + b, true
	case "-":
		return a - b, true
	case "*":
		return a * b, true
	case "/", "%":
		if b == 0 {
			return 0, false
		}
		if op == "/" {
			return a / b, true
		}
		return a % b, true
	case "&":
		return a & b, true
	case "|":
		return a | b, true
	case "^":
		return a ^ b, true
	case "<<":
		return a << b, true // 0 from 32 on
	default:
		return a >> b, true
	}
}

func compare(op string, a, b uint32) bool {
	switch op {
	case "=":
		return a == b
	case "!=":
		return a != b
	case "<":
		return a < b
	case "<=":
		return a <= b
	case ">":
		return a > b
	default:
		return a >= b
	}
}

// span is a run of bytes of a header.
type span struct{ from, to uint32 }

// held are the bytes of headers that a packet holds, and what the others are
// named when they are asked for.
var held = map[layer][]span{
	layerIP:    {{4, 6}, {8, 10}, {12, 20}},
	layerIP6:   {{6, 40}},
	layerTCP:   {{0, 12}, {13, 16}},
	layerUDP:   {{0, 4}},
	layerSCTP:  {{0, 4}},
	layerICMP:  {{0, 2}, {4, 8}},
	layerICMP6: {{0, 2}, {4, 8}},
	layerARP:   {{6, 8}, {14, 18}, {24, 28}},
}

// heldText says what of a header can be compared.
var heldText = map[layer]string{
	layerIP:    "ip[4:2] (id), ip[6:2] & 0x4000, 0x3fff or 0x1fff, ip[8] (ttl), ip[9] (protocol), ip[12:4] and ip[16:4] (addresses)",
	layerIP6:   "ip6[6] (next header), ip6[7] (hop limit), ip6[8] to ip6[39] (addresses)",
	layerTCP:   "tcp[0:2] and tcp[2:2] (ports), tcp[4:4] and tcp[8:4] (seq and ack), tcp[13] (flags), tcp[14:2] (window)",
	layerUDP:   "udp[0:2] and udp[2:2] (ports)",
	layerSCTP:  "sctp[0:2] and sctp[2:2] (ports)",
	layerICMP:  "icmp[0] (type), icmp[1] (code), icmp[4:2] and icmp[6:2] (id and sequence of requests and replies)",
	layerICMP6: "icmp6[0] (type), icmp6[1] (code), icmp6[4:2] and icmp6[6:2] (id and sequence of echoes)",
	layerARP:   "arp[6:2] (operation), arp[14:4] and arp[24:4] (addresses)",
}

// fieldNames are what the fields are called that people ask for in vain.
var fieldNames = map[layer]map[uint32]string{
	layerIP:   {0: "header length", 1: "type of service", 2: "total length", 3: "total length", 6: "fragmentation", 7: "fragmentation", 10: "checksum", 11: "checksum"},
	layerIP6:  {0: "traffic class", 1: "traffic class", 4: "payload length", 5: "payload length"},
	layerTCP:  {12: "header length", 16: "checksum", 17: "checksum", 18: "urgent pointer", 19: "urgent pointer"},
	layerUDP:  {4: "length", 5: "length", 6: "checksum", 7: "checksum"},
	layerICMP: {2: "checksum", 3: "checksum"}, layerICMP6: {2: "checksum", 3: "checksum"},
}

// held reports whether packets hold a field. Those of the frame are all there.
func (f field) held() bool {
	if f.layer == layerEther || f.layer == layerLink {
		return true
	}
	for _, s := range held[f.layer] {
		if f.off >= s.from && f.off+f.size <= s.to && f.off < s.to {
			return true
		}
	}
	return false
}
