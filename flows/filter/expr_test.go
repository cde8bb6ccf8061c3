package filter

import "strings"

// parts are expressions without and, or and not, as people write them; tcpdump
// reads all of them.
var parts = []string{
	"ip", "ip6", "arp", "tcp", "udp", "icmp", "icmp6", "sctp", "igmp", "esp", "ah", "pim", "vrrp",
	"host 192.0.2.1", "src host 192.0.2.77", "dst 198.51.100.20", "src or dst host 203.0.113.5",
	"src and dst host 192.0.2.1", "ip host 192.0.2.1", "arp host 192.0.2.1", "arp dst 192.0.2.77", "ip src 198.51.100.20",
	"host 2001:db8::1", "src host 2001:db8:1::2", "ip6 dst host 2001:db8:9::99", "dst host ff02::1",
	"net 192.0.2.0/24", "src net 198.51.100", "dst net 203.0", "net 192", "net 192.0.2.0 mask 255.255.255.192",
	"net 2001:db8:1::/48", "ip6 src net 2001:db8::/32", "net 0.0.0.0/0", "net 192.0.2.64/27",
	"port 80", "src port 53", "dst port 443", "tcp port 80", "udp port 53", "tcp dst port 22", "sctp port 80",
	"src and dst port 80", "portrange 22-80", "tcp src portrange 1024-65535", "udp dst portrange 50-60", "portrange 443-80",
	"tcp port http", "udp port domain", "tcp dst port https",
	"ip proto 6", "ip proto \\udp", "ip proto 50", "ip6 proto 6", "ip6 proto 58", "proto 17", "proto \\tcp", "ip proto 4", "ip proto 47",
	"ip proto 0x11", "ip proto 41", "ip6 proto 0", "ip6 proto 41",
	"broadcast", "multicast", "ether broadcast", "ether multicast", "ip multicast", "ip6 multicast",
	"ether host 00:00:5e:00:53:01", "ether src 00:00:5e:00:53:02", "ether dst host ff:ff:ff:ff:ff:ff", "ether src or dst 0:0:5e:0:53:2",
	"ether proto 0x800", "ether proto \\ip6", "ether proto \\arp",
	"less 70", "greater 90", "len > 80", "len <= 60", "len & 1 = 1", "len = 74",
	"tcp[13] = 2", "tcp[13] & 2 != 0", "tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn", "tcp[tcpflags] == tcp-syn",
	"tcp[tcpflags] & (tcp-rst|tcp-fin) != 0", "tcp[0:2] > 1023", "tcp[2:2] = 80", "tcp[4:4] > 0x7fffffff", "tcp[8:4] = 0",
	"tcp[14:2] = 1024", "tcp[13] & 7 | 16 = 18", "tcp[0:2] = tcp[2:2]", "tcp[2:2] - 1 < 80", "tcp[2:2] * 2 = 160", "tcp[13] >> 1 & 1 = 1",
	"(tcp[13] & 2) != 0", "18 = tcp[13]", "tcp[1] % 4 = 2", "tcp[13] ^ 2 = 16",
	"udp[0:2] = 53", "udp[2:2] & 0xff = 53", "udp[3] < 81",
	"icmp[icmptype] = icmp-echo", "icmp[icmptype] != icmp-echo", "icmp[0] = 3", "icmp[icmpcode] = 1", "icmp[0] = 5",
	"icmp6[icmp6type] = icmp6-echo", "icmp6[0] = 2", "icmp6[1] = 0", "icmp6[icmp6type] = icmp6-neighborsolicit",
	"ip[8] < 10", "ip[8] = 64", "ip[9] = 6", "ip[12:4] = 0xc0000201", "ip[16] >= 224", "ip[19] = 20", "ip[12:2] = 0xc000",
	"ip[4:2] = 1", "ip[6:2] & 0x1fff = 0", "ip[6:2] & 0x3fff != 0", "ip[6] & 0x40 != 0", "ip[6:2] & 0x4000 = 0",
	"ip6[6] = 17", "ip6[7] > 63", "ip6[8:4] = 0x20010db8", "ip6[24] = 0xff", "ip6[39] = 1",
	"arp[6:2] = 1", "arp[7] = 2", "arp[14:4] = 0xc0000201", "arp[24:4] != 0xc0000201",
	"ether[0] & 1 = 1", "ether[6:4] = 0x00005e00", "ether[12:2] = 0x800", "ether[12:2] = 0x8100", "link[0] = 0",
	// Words in front of a name or number go on to those behind it.
	"(port 80 or 443)", "(host 192.0.2.1 or 198.51.100.20)", "(tcp dst port 22 or 80 and 80)", "port (80 or 443)",
	"src net (192.0.2.0/24 or 198.51.100.0/24)", "(port 80 and not 443)", "host not 192.0.2.1",
	"(src host 192.0.2.1 or 198.51.100.20 or dst port 80 or 443)", "(udp port 53 or (80 or 443))", "(port 22 or not (80 or 443))",
	"(ether src 00:00:5e:00:53:01 or 00:00:5e:00:53:02)", "(portrange 20-25 or 440-450)", "(ip proto 6 or 17)",
	"(not host 192.0.2.1 or 192.0.2.77)", "(net 192.0.2.0/24 or 2001:db8::/32)",
	"vlan", "vlan 10", "vlan 20", "mpls", "mpls 100",
}

// framed reports whether a part is about the frame rather than the packet, so
// that it has a different answer for the bare packet.
func framed(part string) bool {
	for _, w := range []string{"less", "greater", "len", "ether[", "link[", "vlan", "mpls"} {
		if strings.HasPrefix(part, w) {
			return true
		}
	}
	return false
}

// truth says whether a part holds.
type truth func(part string) bool

// expression draws an expression of up to four parts; what it is by the truth of
// its parts; and which they are.
func (g gen) expression() (expr string, is func(truth) bool, used []string) {
	expr, is, used = g.term()
	for range g.IntN(3) {
		e, more, u := g.term()
		op, left := one(g, " and ", " or ", " && ", " || "), is
		if strings.ContainsAny(op, "o|") {
			is = func(t truth) bool { return left(t) || more(t) }
		} else {
			is = func(t truth) bool { return left(t) && more(t) }
		}
		expr, used = expr+op+e, append(used, u...)
	}
	return expr, is, used
}

func (g gen) term() (expr string, is func(truth) bool, used []string) {
	if g.IntN(5) == 0 {
		expr, is, used = g.expression()
		expr = "(" + expr + ")"
	} else {
		expr = parts[g.IntN(len(parts))]
		part := expr
		is, used = func(t truth) bool { return t(part) }, []string{part}
	}
	if g.IntN(4) == 0 {
		positive := is
		return one(g, "not ", "! ", "!") + expr, func(t truth) bool { return !positive(t) }, used
	}
	return expr, is, used
}
