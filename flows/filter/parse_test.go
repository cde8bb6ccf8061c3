package filter

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// understood are expressions, and what they are in full; empty for an error.
var understood = []struct{ expr, want string }{
	{"tcp port 80 or 443", "tcp port 80 or tcp port 443"},
	{"tcp port http or https and not ssh", "(tcp port 80 or tcp port 443) and not tcp port 22"},
	{"host 192.0.2.1 or 192.0.2.2 and port 80 or 443", "((host 192.0.2.1 or host 192.0.2.2) and port 80) or port 443"},
	{"a and b", ""},
	{"tcp or udp and icmp", "(tcp or udp) and icmp"},
	{"tcp and udp or icmp", "(tcp and udp) or icmp"},
	{"tcp or (udp and icmp)", "tcp or (udp and icmp)"},
	{"not tcp or udp", "not tcp or udp"},
	{"!(tcp or udp)", "not (tcp or udp)"},
	{"! ! tcp", "not not tcp"},
	{"src or dst port 80", "port 80"},
	{"dst or src 192.0.2.1", "host 192.0.2.1"},
	{"src and dst net 192.0.2", "src and dst net 192.0.2.0/24"},
	{"dst and src port 53", "src and dst port 53"},
	{"src 192.0.2.1 and dst port 80", "src host 192.0.2.1 and dst port 80"},
	{"ip6 src 2001:db8::1", "ip6 src host 2001:db8::1"},
	{"arp host 192.0.2.1", "arp host 192.0.2.1"},
	{"host ::1 or ::", "host ::1 or host ::"},
	{"net 10", "net 10.0.0.0/8"},
	{"net 10/8", "net 10.0.0.0/8"},
	{"net 10.1/16", "net 10.1.0.0/16"},
	{"net 192.0.2.1", "net 192.0.2.1/32"},
	{"net 192.0.2.0 mask 255.255.255.128", "net 192.0.2.0/25"},
	{"net 192.0.2.0 mask 255.0.255.0 or 10.0.0.0", "net 192.0.2.0 mask 255.0.255.0 or net 10.0.0.0/32"},
	{"net 192.0.0.1 mask 255.255.0.255", "net 192.0.0.1 mask 255.255.0.255"},
	{"net 2001:db8::/32", "net 2001:db8::/32"},
	{"portrange 1-1024 or 8000-8080", "portrange 1-1024 or portrange 8000-8080"},
	{"portrange 443-http", "portrange 80-443"},
	{"portrange ftp-data-ssh", "portrange 20-22"},
	{"portrange 80", "port 80"},
	{"port 0x50 or 0120", "port 80 or port 80"},
	{"port (80 or (443 and 22)) or 1", "port 80 or (port 443 and port 22) or port 1"},
	{"port not 80", "not port 80"},
	{"port 80 or (443 or 22)", "port 80 or (port 443 or port 22)"},
	{"ip proto \\tcp or udp", "ip proto 6 or udp"},
	{"ip proto 1", "icmp"},
	{"ip6 proto ipv6-icmp", "icmp6"},
	{"proto tcp", "tcp"},
	{"proto gre or 50", "gre or esp"},
	{"ether proto \\arp or 0x88cc", "ether proto 0x0806 or ether proto 0x88cc"},
	{"ether host 0:1:2:3:4:5 or 00-01-02-0a-0b-0c", "ether host 00:01:02:03:04:05 or ether host 00:01:02:0a:0b:0c"},
	{"ether dst 0001.0203.0405", "ether dst host 00:01:02:03:04:05"},
	{"broadcast or ether multicast", "ether broadcast or ether multicast"},
	{"ip multicast or ip6 multicast", "ip multicast or ip6 multicast"},
	{"vlan and vlan 10 and mpls 5", "vlan and vlan 10 and mpls 5"},
	{"less 60 or greater 0x100", "len <= 60 or len >= 256"},
	{"tcp[13]==2", "tcp[13] = 2"},
	{"2 = tcp[13]", "tcp[13] = 2"},
	{"100 < len", "len > 100"},
	{"tcp[tcpflags]&(tcp-syn|tcp-ack)=tcp-syn", "tcp[13] & 18 = 2"},
	{"tcp[13] & 2 | 1 = 3", "(tcp[13] & 2) | 1 = 3"},
	{"tcp[2:2] - 1 * 2 << 1 = 0", "(tcp[2:2] - 2) << 1 = 0"},
	{"(tcp[13] & 2) != 0", "tcp[13] & 2 != 0"},
	{"((tcp[13] & 2) != 0)", "tcp[13] & 2 != 0"},
	{"tcp[6 + 7] = 2", "tcp[13] = 2"},
	{"ip[6] & 0x40 = 0", "(ip[6:2] & 16384) >> 8 = 0"},
	{"ip[6:2] & 0x1fff != 0", "ip[6:2] & 8191 != 0"},
	{"0 = ip[6:2] & 0x3fff", "ip[6:2] & 16383 = 0"},
	{"icmp[icmptype] != icmp-echo", "icmp[0] != 8"},
	{"-1 = tcp[4:4]", "tcp[4:4] = 4294967295"},
	{"ether[0] & 1 = 0 and link[12:2] > 1500", "ether[0] & 1 = 0 and link[12:2] > 1500"},
	{"1 = 1", "1 = 1"},
	{"tcp&&udp||icmp", "(tcp and udp) or icmp"},
	{"tcp\tand\nudp", "tcp and udp"},
}

func TestParse(t *testing.T) {
	for _, tt := range understood {
		f, err := Parse(tt.expr)
		if tt.want == "" {
			require.Error(t, err, tt.expr)
			continue
		}
		require.NoError(t, err, tt.expr)
		require.Equal(t, tt.want, f.String(), tt.expr)
		again, err := Parse(f.String())
		require.NoError(t, err, f.String())
		require.Equal(t, f.root, again.root, tt.expr)
	}
}

// misunderstood are expressions that are refused.
var misunderstood = []struct {
	expr   string
	column int
	word   string
	says   string // of message and hint
}{
	{"", 1, "", "empty"},
	{"  ", 3, "", "empty"},
	{"foo", 1, "foo", "no word of filter expressions"},
	{"tcp and prot 80", 9, "prot", "did you mean proto?"},
	{"TCP", 1, "TCP", "did you mean tcp?"},
	{"tcp port", 9, "", "a port is missing"},
	{"tcp port 80 and", 16, "", "missing at the end"},
	{"tcp and and udp", 9, "and", "cannot stand here"},
	{"tcp udp", 5, "udp", "and or or is missing"},
	{"(tcp", 1, "(", "never closed"},
	{"tcp)", 4, ")", "not opened"},
	{"tcp]", 4, "]", "not opened"},
	{"()", 2, ")", "cannot stand here"},
	{"tcp or ()", 9, ")", "cannot stand here"},
	{"port 80,443", 8, ",", "port 80 or 443"},
	{"'tcp'", 1, "'", "shell"},
	{"tcp and é", 9, "é", "stands for nothing"},
	{"port é", 6, "é", "stands for nothing"},
	{"port 65536", 6, "65536", "65535"},
	{"port htpp", 6, "htpp", "has a name here"},
	{"port 20-25", 6, "20-25", "portrange 20-25"},
	{"portrange 1-99999", 11, "1-99999", "no range"},
	{"port 80 or foo", 12, "foo", "no word"},
	{"host www.example.com", 6, "www.example.com", "no DNS"},
	{"host 192.0.2.1 or gateway1", 19, "gateway1", "no DNS"},
	{"net example", 5, "example", "no DNS"},
	{"host 192.0.2", 6, "192.0.2", "no whole address"},
	{"host 192.0.2.0/24", 6, "192.0.2.0/24", "net 192.0.2.0/24"},
	{"host 192.0.2.256", 6, "192.0.2.256", "no whole address"},
	{"host fe80::1%eth0", 13, "%", "and or or is missing"},
	{"net 192.0.2.1/24", 5, "192.0.2.1/24", "net 192.0.2.0/24"},
	{"net 192.0.2.0/33", 5, "192.0.2.0/33", "at most 32"},
	{"net 2001:db8::/129", 5, "2001:db8::/129", "at most 128"},
	{"net 192.0.2.0 mask 255.0.0.0", 5, "192.0.2.0", "net 192.0.0.0/8"},
	{"net 192.0.2.0/24 mask 255.0.0.0", 18, "mask", "does not go with"},
	{"net 192.0.2.0 mask 24", 20, "24", "255.255.255.0"},
	{"192.0.2.1", 1, "192.0.2.1", "host 192.0.2.1"},
	{"80", 1, "80", "port 80"},
	{"tcp 80", 5, "80", "host, net, port or proto"},
	{"tcp and 80", 9, "80", "port 80"},
	{"src 80", 5, "80", "src port 80"},
	{"http", 1, "http", "port http"},
	{"tcp host 192.0.2.1", 5, "host", "tcp and host"},
	{"tcp src 192.0.2.1", 5, "src", "tcp and host"},
	{"ip port 80", 4, "port", "ip and port"},
	{"src tcp port 80", 5, "tcp", "write tcp first"},
	{"port src 80", 6, "src", "src before port"},
	{"ip6 host 192.0.2.1", 10, "192.0.2.1", "IPv4"},
	{"ip host 2001:db8::1", 9, "2001:db8::1", "IPv6"},
	{"arp net 2001:db8::/32", 9, "2001:db8::/32", "IPv6"},
	{"host 0:1:2:3:4:5", 6, "0:1:2:3:4:5", "ether host"},
	{"ether host 192.0.2.1", 12, "192.0.2.1", "no link address"},
	{"ether net 192.0.2.0/24", 7, "net", "one by one"},
	{"ether", 6, "", "something is missing"},
	{"ether proto 46", 13, "46", "a length"},
	{"ether proto foo", 13, "foo", "no ethertype"},
	{"ip proto 256", 10, "256", "255"},
	{"ip proto foo", 10, "foo", "write its number"},
	{"src proto 6", 5, "proto", "no direction"},
	{"tcp proto 6", 5, "proto", "does not go with tcp"},
	{"ip broadcast", 4, "broadcast", "mask"},
	{"tcp broadcast", 5, "broadcast", "does not go with tcp"},
	{"ether src broadcast", 11, "broadcast", "no direction"},
	{"vlan 4096", 6, "4096", "4095"},
	{"mpls 1048576", 6, "1048576", "1048575"},
	{"less", 5, "", "a length in bytes is missing"},
	{"less foo", 6, "foo", "a length in bytes is missing"},
	{"gateway 192.0.2.1", 1, "gateway", "not supported"},
	{"tcp and pppoes 5", 9, "pppoes", "not supported"},
	{"ip protochain 6", 4, "protochain", "not supported"},
	{"wlan type mgt", 1, "wlan", "not supported"},
	{"tcp[12] & 0xf0 > 0x50", 1, "tcp", "tcp[12] (header length)"},
	{"ip[0] & 15 = 5", 1, "ip", "ip[0] (header length)"},
	{"tcp and udp[8:4] = 1", 9, "udp", "udp[8:4]"},
	{"tcp[13", 7, "", "closing bracket"},
	{"tcp[13]", 8, "", "a comparison is missing"},
	{"tcp[13] and udp", 9, "and", "a comparison is missing"},
	{"tcp[13] = ", 11, "", "number is missing"},
	{"tcp[x] = 1", 5, "x", "no number"},
	{"tcp[ip[8]] = 1", 5, "ip", "plain number"},
	{"tcp[0:3] = 1", 7, "3", "1, 2 or 4"},
	{"tcp[13] = 2 = 2", 13, "=", "second time"},
	{"tcp[13] = foo", 11, "foo", "no number"},
	{"tcp[13] = 2-1", 11, "2-1", "no number"},
	{"tcp[13] / 0 = 1", 9, "/", "zero"},
	{"tcp[13] = 4294967296", 11, "4294967296", "32 bits"},
	{"foo[0] = 1", 1, "foo", "do not hold fields of it"},
	{"ip[6:2] = 0", 1, "ip", "as a number"},
	{"ip[6:2] & 0x1fff > 1", 1, "ip", "whether it is zero"},
	{"tcp-syn", 1, "tcp-syn", "is a number"},
	{"src host 192.0.2.1 dst host 192.0.2.2", 20, "dst", "and or or is missing"},
	{strings.Repeat("(", 65) + "tcp" + strings.Repeat(")", 65), 66, "tcp", "too deeply"},
	{strings.Repeat("not ", 65) + "tcp", 261, "tcp", "too deeply"},
	{strings.Repeat("- ", 65) + "1 = 1", 131, "1", "too deeply"},
	{"port " + strings.Repeat("! ", 65) + "1", 136, "1", "too deeply"},
	{strings.Repeat("a", 20000), 16385, "", "too long"},
}

func TestParseErrors(t *testing.T) {
	for _, tt := range misunderstood {
		f, err := Parse(tt.expr)
		require.Error(t, err, "%q became %v", tt.expr, f)
		var e *Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, tt.column, e.Column, "%q: %v", tt.expr, err)
		require.Equal(t, tt.word, e.Word, "%q: %v", tt.expr, err)
		require.Contains(t, err.Error()+" / "+e.Hint, tt.says, tt.expr)
		require.NotRegexp(t, `^[A-Z]|[.]$`, e.Hint, tt.expr)
	}
}

// TestStringSaysTheSame draws expressions and holds that what a filter prints of
// itself is the same filter.
func TestStringSaysTheSame(t *testing.T) {
	packets := newGen(3).decode(40)
	rapid.Check(t, func(t *rapid.T) {
		expr, _, _ := newGen(rapid.Uint64().Draw(t, "seed")).expression()
		f, err := Parse(expr)
		require.NoError(t, err, expr)
		again, err := Parse(f.String())
		require.NoError(t, err, "%s, of %s", f, expr)
		require.Equal(t, f.String(), again.String())
		for i := range packets {
			d := &packets[i]
			require.Equal(t, f.Match(&d.p, d.frame, d.meta), again.Match(&d.p, d.frame, d.meta), "%s, of %s", f, expr)
		}
	})
}
