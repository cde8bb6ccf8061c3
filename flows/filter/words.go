package filter

import "github.com/synoptic-ids/synoptic/flows"

// IP protocol numbers.
const (
	ipICMP   = 1
	ipIGMP   = 2
	ipTCP    = 6
	ipUDP    = 17
	ipGRE    = 47
	ipESP    = 50
	ipAH     = 51
	ipICMPv6 = 58
	ipSCTP   = 132
)

// keywords are the words that stand for an IP protocol by themselves.
var keywords = map[string]protocol{
	"tcp": {n: ipTCP}, "udp": {n: ipUDP}, "sctp": {n: ipSCTP},
	"icmp": {version: v4, n: ipICMP}, "icmp6": {version: v6, n: ipICMPv6},
	"igmp": {version: v4, n: ipIGMP}, "igrp": {version: v4, n: 9}, "vrrp": {version: v4, n: 112},
	"pim": {n: 103}, "esp": {n: ipESP}, "ah": {n: ipAH}, "gre": {n: ipGRE},
}

// protocolNames are what may stand behind "ip proto", beside keywords.
var protocolNames = map[string]uint8{
	"hopopt": 0, "ipip": 4, "ipencap": 4, "egp": 8, "ipv6": 41, "rsvp": 46, "ipv6-icmp": ipICMPv6,
	"eigrp": 88, "ospf": 89, "etherip": 97, "l2tp": 115, "udplite": 136,
}

// etherNames are what may stand behind "ether proto".
var etherNames = map[string]uint16{
	"ip": 0x0800, "arp": 0x0806, "ip6": 0x86dd, "mpls": 0x8847, "vlan": 0x8100, "rarp": 0x8035,
}

// services are the ports that have names here. The table is fixed, so that an
// expression means the same on every machine.
var services = map[string]uint16{
	"ftp-data": 20, "ftp": 21, "ssh": 22, "telnet": 23, "smtp": 25, "domain": 53, "dns": 53,
	"bootps": 67, "bootpc": 68, "tftp": 69, "gopher": 70, "finger": 79, "http": 80, "www": 80, "kerberos": 88,
	"pop3": 110, "sunrpc": 111, "auth": 113, "ident": 113, "nntp": 119, "ntp": 123, "epmap": 135,
	"netbios-ns": 137, "netbios-dgm": 138, "netbios-ssn": 139, "imap": 143, "imap2": 143,
	"snmp": 161, "snmp-trap": 162, "bgp": 179, "irc": 194, "ldap": 389, "https": 443,
	"microsoft-ds": 445, "submissions": 465, "isakmp": 500, "exec": 512, "login": 513, "shell": 514, "syslog": 514,
	"printer": 515, "rtsp": 554, "submission": 587, "ipp": 631, "ldaps": 636, "rsync": 873,
	"imaps": 993, "pop3s": 995, "socks": 1080, "ms-sql-s": 1433, "l2tp": 1701, "mqtt": 1883, "nfs": 2049,
	"mysql": 3306, "ms-wbt-server": 3389, "rdp": 3389, "ipsec-nat-t": 4500, "sip": 5060, "sips": 5061,
	"mdns": 5353, "llmnr": 5355, "postgresql": 5432, "amqp": 5672, "vnc": 5900, "x11": 6000, "redis": 6379,
	"http-alt": 8080,
}

// constants are the names of numbers.
var constants = map[string]uint32{
	"tcpflags": 13, "icmptype": 0, "icmpcode": 1, "icmp6type": 0, "icmp6code": 1,
	"tcp-fin": flows.FlagFIN, "tcp-syn": flows.FlagSYN, "tcp-rst": flows.FlagRST, "tcp-push": flows.FlagPSH,
	"tcp-ack": flows.FlagACK, "tcp-urg": flows.FlagURG, "tcp-ece": flows.FlagECE, "tcp-cwr": flows.FlagCWR,
	"icmp-echoreply": 0, "icmp-unreach": 3, "icmp-sourcequench": 4, "icmp-redirect": 5, "icmp-echo": 8,
	"icmp-routeradvert": 9, "icmp-routersolicit": 10, "icmp-timxceed": 11, "icmp-paramprob": 12,
	"icmp-tstamp": 13, "icmp-tstampreply": 14, "icmp-ireq": 15, "icmp-ireqreply": 16,
	"icmp-maskreq": 17, "icmp-maskreply": 18,
	"icmp6-destinationunreach": 1, "icmp6-packettoobig": 2, "icmp6-timeexceeded": 3, "icmp6-parameterproblem": 4,
	"icmp6-echo": 128, "icmp6-echoreply": 129, "icmp6-multicastlistenerquery": 130,
	"icmp6-multicastlistenerreportv1": 131, "icmp6-multicastlistenerdone": 132, "icmp6-routersolicit": 133,
	"icmp6-routeradvert": 134, "icmp6-neighborsolicit": 135, "icmp6-neighboradvert": 136, "icmp6-redirect": 137,
	"icmp6-routerrenum": 138, "icmp6-nodeinformationquery": 139, "icmp6-nodeinformationresponse": 140,
	"icmp6-ineighbordiscoverysolicit": 141, "icmp6-ineighbordiscoveryadvert": 142,
	"icmp6-multicastlistenerreportv2": 143, "icmp6-homeagentdiscoveryrequest": 144,
	"icmp6-homeagentdiscoveryreply": 145, "icmp6-mobileprefixsolicit": 146, "icmp6-mobileprefixadvert": 147,
	"icmp6-certpathsolicit": 148, "icmp6-certpathadvert": 149, "icmp6-multicastrouteradvert": 151,
	"icmp6-multicastroutersolicit": 152, "icmp6-multicastroutertermination": 153,
}

// refused are words that tcpdump knows, and why they are not taken here.
var refused = map[string]string{
	"gateway":    "needs names; write: ether host MAC and not host ADDRESS",
	"protochain": "proto, ip proto and ip6 proto look behind extension headers by themselves",
	"rarp":       "such packets are not decoded",
	"atalk":      "write: ether proto 0x809b",
	"aarp":       "write: ether proto 0x80f3",
	"decnet":     "such packets are not decoded",
	"iso":        "such packets are not decoded",
	"stp":        "such packets are not decoded",
	"ipx":        "such packets are not decoded",
	"netbeui":    "such packets are not decoded",
	"llc":        "frames with nothing but an LLC header are not decoded",
	"pppoed":     "such packets are not decoded",
	"pppoes":     "packets inside PPPoE are tested without saying so: write what they carry",
	"geneve":     "packets inside Geneve are tested without saying so: write what they carry",
	"vxlan":      "packets inside VXLAN are tested without saying so: write what they carry",
	"inbound":    "captures do not tell; write: dst net OURS",
	"outbound":   "captures do not tell; write: src net OURS",
	"ifname":     "the packets of all interfaces are tested alike",
	"ifindex":    "the packets of all interfaces are tested alike",
	"on":         "the packets of all interfaces are tested alike",
	"wlan":       "write ether in its place, where it is about addresses",
	"type":       "802.11 frame types are not held", "subtype": "802.11 frame types are not held",
	"fddi": "write ether in its place", "tr": "write ether in its place",
	"ra": "write: ether dst MAC", "ta": "write: ether src MAC",
}

// grammar are the remaining words of expressions.
var grammar = [...]string{
	"ip", "ip6", "arp", "ether", "link", "src", "dst", "host", "net", "port", "portrange", "proto", "mask",
	"and", "or", "not", "less", "greater", "len", "broadcast", "multicast", "vlan", "mpls",
}

// vocabulary are the words that a mistyped one may have been meant to be, in an
// order that does not change.
var vocabulary = append(append([]string{}, grammar[:]...),
	"tcp", "udp", "sctp", "icmp", "icmp6", "igmp", "igrp", "vrrp", "pim", "esp", "ah", "gre")

// reserved reports whether a word has a meaning of its own and is therefore no
// name of a host, network, port or protocol unless it is escaped.
func reserved(word string) bool {
	for _, w := range grammar {
		if w == word {
			return true
		}
	}
	if _, ok := keywords[word]; ok {
		return true
	}
	_, ok := refused[word]
	return ok
}
