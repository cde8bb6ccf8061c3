package flows

import "net/netip"

// ftpControl is the port that FTP servers listen at.
const ftpControl = 21

// maxOrder is how many bytes of a segment are looked at: more than the longest order
// has.
const maxOrder = 72

// readOrder notes an FTP client's order to the server, in what was captured of a
// segment's payload, to connect somewhere, be that to the client itself: PORT (RFC 959)
// or EPRT (RFC 2428), at the beginning of the segment and to the end of the line.
func (p *Packet) readOrder(payload []byte) {
	line, ok := upTo('\r', payload[:min(len(payload), maxOrder)])
	if !ok || len(line) < 5 || line[4] != ' ' {
		return
	}
	var to netip.AddrPort
	word := [4]byte(line)
	for i := range word {
		word[i] &^= 'a' - 'A'
	}
	switch word {
	case [4]byte{'P', 'O', 'R', 'T'}:
		to = portOrder(line[5:])
	case [4]byte{'E', 'P', 'R', 'T'}:
		to = extendedOrder(line[5:])
	}
	if a := to.Addr(); a.IsValid() {
		p.Marks |= MarkOrder
		p.Question = OrderOf(a.As16(), to.Port())
	}
}

// upTo is what stands before a byte, if that is there.
func upTo(c byte, b []byte) ([]byte, bool) {
	for i := range b {
		if b[i] == c {
			return b[:i], true
		}
	}
	return b, false
}

// decimal reads a number of one to five digits.
func decimal(b []byte, most int) (n int, ok bool) {
	if len(b) < 1 || len(b) > 5 {
		return 0, false
	}
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = 10*n + int(c-'0')
	}
	return n, n <= most
}

// octets reads as many numbers up to 255 as n holds, and nothing more.
func octets(separator byte, b, n []byte) bool {
	for i := range n {
		number, more := upTo(separator, b)
		v, ok := decimal(number, 255)
		if !ok || more != (i < len(n)-1) {
			return false
		}
		n[i] = byte(v)
		b = b[min(len(number)+1, len(b)):]
	}
	return true
}

// groups reads an IPv6 address, but for forms that end like one of IPv4.
// netip's own parser allocates.
func groups(b []byte) (a [16]byte, ok bool) {
	gap, n := -1, 0 // where zeros are left out; bytes read
	for len(b) > 0 {
		if len(b) > 1 && b[0] == ':' && b[1] == ':' && gap < 0 {
			gap, b = n, b[2:]
			continue
		}
		if n > 0 && n != gap {
			if b[0] != ':' {
				return a, false
			}
			b = b[1:]
		}
		digits := 0
		v := 0
		for ; digits < len(b) && digits < 4 && hexDigit(b[digits]) >= 0; digits++ {
			v = v<<4 | hexDigit(b[digits])
		}
		if digits == 0 || n > 14 {
			return a, false
		}
		a[n], a[n+1] = byte(v>>8), byte(v)
		n, b = n+2, b[digits:]
	}
	if gap < 0 || n > 14 {
		return a, gap < 0 && n == 16
	}
	tail := n - gap
	copy(a[16-tail:], a[gap:n])
	clear(a[gap : 16-tail])
	return a, true
}

func hexDigit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return -1
}

// portOrder reads the six numbers of PORT: "192,0,2,1,4,210".
func portOrder(b []byte) (none netip.AddrPort) {
	var n [6]byte
	if !octets(',', b, n[:]) {
		return none
	}
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte(n[:4])), uint16(n[4])<<8|uint16(n[5]))
}

// extendedOrder reads the fields of EPRT, between a separator of the client's choice:
// "|2|2001:db8::1|1234|".
func extendedOrder(b []byte) (none netip.AddrPort) {
	if len(b) == 0 {
		return none
	}
	separator, rest := b[0], b[1:]
	var fields [3][]byte // family, address, port
	for i := range fields {
		field, ok := upTo(separator, rest)
		if !ok {
			return none
		}
		fields[i], rest = field, rest[len(field)+1:]
	}
	port, ok := decimal(fields[2], 65535)
	if !ok || len(rest) > 0 || len(fields[0]) != 1 {
		return none
	}
	switch fields[0][0] {
	case '1':
		var n [4]byte
		if octets('.', fields[1], n[:]) {
			return netip.AddrPortFrom(netip.AddrFrom4(n), uint16(port))
		}
	case '2':
		if a, ok := groups(fields[1]); ok {
			return netip.AddrPortFrom(netip.AddrFrom16(a), uint16(port))
		}
	}
	return none
}

// OrderOf is what [Packet.Question] is where [MarkOrder] is set: a hash of the address
// and port that a server was told to connect to.
func OrderOf(addr [16]byte, port uint16) uint32 {
	ends := [2]byte{byte(port >> 8), byte(port)}
	return fnv1a(fnv1a(fnvBasis, addr[:]), ends[:])
}
