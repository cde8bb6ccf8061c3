package filter

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/bpf"
)

var hidden = map[string]string{
	"tcp port 80": "", "host 192.0.2.1 and not port 22": "", "src or dst net 10": "", "src and dst net 10": "",
	"src host 192.0.2.1":                                         "src host 192.0.2.1",
	"not dst port 22":                                            "dst port 22",
	"src host 192.0.2.1 or dst host 192.0.2.1":                   "",
	"dst port 80 or udp or src port 80":                          "",
	"src host 192.0.2.1 or dst host 192.0.2.2":                   "src host 192.0.2.1, dst host 192.0.2.2",
	"(src net 10 and dst net 11) or (dst net 10 and src net 11)": "",
	"ether src 0:0:5e:0:53:1":                                    "ether src host 00:00:5e:00:53:01",
	"tcp[13] = 2":                                                "tcp[13] = 2",
	"not tcp[13] & 16 != 0":                                      "tcp[13] & 16 != 0",
	"tcp[2:2] = 80":                                              "tcp[2:2] = 80",
	"tcp[2:2] = 80 or tcp[0:2] = 80":                             "",
	"ip[12:4] = 1 or ip[16:4] = 1 or ip[9] = 6":                  "",
	"ip6[8:4] = 1 or ip6[24:4] = 1":                              "",
	"icmp[icmptype] = icmp-echo":                                 "icmp[0] = 8",
	"icmp[0] = 8 or icmp[0] = 0":                                 "",
	"icmp[0] & 8 = 8":                                            "icmp[0] & 8 = 8",
	"icmp[0] > 3":                                                "icmp[0] > 3",
	"less 100":                                                   "len <= 100",
	"broadcast":                                                  "ether broadcast",
	"not broadcast and not multicast":                            "",
	"ip[6:2] & 0x1fff = 0":                                       "",
	"src port 53 and udp or src port 53 and udp":                 "src port 53",
}

func TestHides(t *testing.T) {
	for expr, want := range hidden {
		var parts []string
		for _, h := range mustParse(t, expr).Hides() {
			require.NotEmpty(t, h.Why)
			parts = append(parts, h.Part)
		}
		require.Equal(t, want, strings.Join(parts, ", "), expr)
	}
}

func TestHidesICMP(t *testing.T) {
	for expr, want := range map[string]bool{
		"tcp": true, "port 80": true, "not icmp and not icmp6": true, "ip6 and icmp": true, "vlan and udp": true,
		"host 192.0.2.1": false, "tcp or icmp": false, "not tcp": false, "vlan": false, "vlan 5 and not arp": false,
		"icmp6": false, "len > 50": false, "mpls": false, "mpls and tcp": true, "gre": false, "gre and udp": true, "ether proto 0x800": false,
	} {
		require.Equal(t, want, mustParse(t, expr).HidesICMP(), expr)
	}
}

func TestParts(t *testing.T) {
	for expr, want := range map[string]string{
		"tcp[13] & 2 != 0":          "TCP's flags & SYN is not 0",
		"len > 80":                  "the length of the frame in bytes is above 80",
		"ip[6:2] & 0x1fff = 0":      "the packet is IPv4 and has its transport header, which fragments but the first have not",
		"ip[6:2] & 0x3fff != 0":     "the packet is a fragment of an IPv4 packet",
		"ip[6:2] & 0x4000 != 0":     "IPv4's do-not-fragment bit is not 0",
		"tcp[0:2] = tcp[2:2]":       "TCP's source port is TCP's destination port",
		"(ip[8] + 1) * 2 < 9":       "(IPv4's time to live + 1) * 2 is below 9",
		"ether[20:2] >= 1":          "bytes 20 to 21 of the frame is at least 1",
		"gre":                       "the packet carries IP protocol 47 (GRE), or the first packet in the frame does",
		"icmp6":                     "the packet is IPv6 and carries IP protocol 58 (ICMP6), with extension headers and AH passed over",
		"proto 200":                 "the packet carries IP protocol 200, with extension headers and AH passed over",
		"arp dst 192.0.2.1":         "the destination address of an ARP packet is 192.0.2.1",
		"ip src net 10":             "the source address of an IPv4 packet is in 10.0.0.0/8",
		"net 2001:db8::/32":         "the source or destination address of an IPv6 packet is in 2001:db8::/32",
		"src and dst portrange 1-2": "the source and the destination TCP, UDP or SCTP port is from 1 to 2",
		"ether dst 0:0:5e:0:53:1":   "the destination link address of the frame is 00:00:5e:00:53:01",
		"mpls":                      "the frame has an MPLS label",
	} {
		parts := mustParse(t, expr).Parts()
		require.Len(t, parts, 1, expr)
		require.Equal(t, want, parts[0].Meaning, expr)
	}
	for _, p := range parts {
		for _, part := range mustParse(t, p).Parts() {
			require.NotEmpty(t, part.Meaning, p)
		}
	}
	require.Len(t, mustParse(t, "tcp or udp and not tcp").Parts(), 2, "each once")
	require.True(t, mustParse(t, "tcp and not (udp or len + 1 > 2)").OfFrame())
	require.True(t, mustParse(t, "link[3] = 1").OfFrame())
	require.False(t, mustParse(t, "tcp and ip multicast and ip[8] = 1").OfFrame())
}

func TestDisassemble(t *testing.T) {
	line := regexp.MustCompile(`^\(\d{3,}\) (ld|ldh|ldb|jeq|jgt|jge|jset|ja|and|ret) `)
	for _, p := range parts {
		text, err := Disassemble(prefilter(t, mustParse(t, p), linkEthernet))
		require.NoError(t, err)
		for l := range strings.Lines(text) {
			require.Regexp(t, line, l, p)
		}
	}
	text, err := Disassemble([]bpf.Instruction{
		bpf.LoadAbsolute{Off: 12, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: 0x800, SkipFalse: 1},
		bpf.RetConstant{Val: 262144},
		bpf.RetConstant{},
	})
	require.NoError(t, err)
	require.Equal(t, "(000) ldh      [12]\n(001) jeq      #0x800           jt 2\tjf 3\n(002) ret      #262144\n(003) ret      #0\n", text,
		"as tcpdump -d ip prints it")
}
