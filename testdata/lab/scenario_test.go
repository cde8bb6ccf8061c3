package lab

import (
	"fmt"

	"github.com/synoptic-ids/synoptic/detect"
)

// wanted is a scan that must be reported of a recording, once, and closed.
type wanted struct {
	src        string
	shape      detect.Shape
	technique  string
	techniques []string // of all parts, in any order; nil: only technique
	hosts      int
	ports      int
	targets    int
	answered   []string // "proto host:port", in the record's order
	verdict    detect.Verdict
	direction  detect.Direction
}

// scenario is a run and all the scans it must give: none, for ordinary
// traffic.
type scenario struct {
	name  string // of the recording
	tool  string
	scans []wanted
}

// The lab's addresses.
const (
	scanner = "203.0.113.66"
	server  = "192.0.2.10" // TCP 21, 22, 25, 53, 80 and UDP 53 open, 81 to 85 filtered
	quiet   = "192.0.2.20" // nothing open; UDP 60 to 64 silent
	inside  = "192.0.2.66"
	outpost = "198.51.100.200" // behind a router that prohibits

	scanner6 = "2001:db8:66::66"
	server6  = "2001:db8:10::10"
)

func scenarios() []scenario {
	all := append(nmapPorts(), nmapProbes()...)
	all = append(all, nmapHosts()...)
	all = append(all, nmapWays()...)
	all = append(all, others()...)
	return append(all, ordinary()...)
}

// vertical is what must be said of a scan of ports of one host from outside.
func vertical(technique string, ports int, verdict detect.Verdict, answered ...string) wanted {
	return wanted{
		src: scanner, shape: detect.Vertical, technique: technique, hosts: 1, ports: ports, targets: ports,
		answered: answered, verdict: verdict, direction: detect.Inbound,
	}
}

// on is the list of ports of a host that answer.
func on(proto, host string, ports ...int) []string {
	var list []string
	for _, p := range ports {
		list = append(list, fmt.Sprintf("%s [%s]:%d", proto, host, p))
	}
	return list
}

// alive are the LAN hosts that answer, as ARP, NDP and ping list them.
func alive(proto, format string, last ...int) []string {
	var list []string
	for _, n := range last {
		list = append(list, on(proto, fmt.Sprintf(format, n), 0)...)
	}
	return list
}

func openTCP(host string) []string { return on("tcp", host, 21, 22, 25, 53, 80) }

func nmapPorts() []scenario {
	dark := vertical("tcp-syn", 60, detect.Unanswered)
	prohibited := vertical("tcp-syn", 60, detect.Prohibited)
	prohibited.direction = detect.External
	internal := vertical("tcp-connect", 100, detect.Refused)
	internal.src, internal.direction = inside, detect.Internal
	v6 := vertical("tcp-syn", 100, detect.Answered, openTCP(server6)...)
	v6.src = scanner6
	return []scenario{
		{"nmap-syn", "nmap -sS", []wanted{vertical("tcp-syn", 100, detect.Answered, openTCP(server)...)}},
		{"nmap-connect", "nmap -sT", []wanted{vertical("tcp-connect", 100, detect.Answered, openTCP(server)...)}},
		{"nmap-udp", "nmap -sU", []wanted{vertical("udp", 100, detect.Answered, on("udp", server, 53)...)}},
		{"nmap-udp-silent", "nmap -sU", []wanted{vertical("udp", 40, detect.Ambiguous)}},
		{"nmap-refused", "nmap -sS", []wanted{vertical("tcp-syn", 100, detect.Refused)}},
		{"nmap-dark", "nmap -sS", []wanted{dark}},
		{"nmap-prohibited", "nmap -sS", []wanted{prohibited}},
		{"nmap-inside", "nmap -sT", []wanted{internal}},
		{"nmap-ipv6", "nmap -6 -sS", []wanted{v6}},
	}
}

func nmapProbes() []scenario {
	protocols := vertical("ip-protocol", 60, detect.Refused)
	protocols.shape, protocols.ports = detect.Protocol, 0
	return []scenario{
		{"nmap-null", "nmap -sN", []wanted{vertical("tcp-null", 100, detect.Ambiguous)}},
		{"nmap-fin", "nmap -sF", []wanted{vertical("tcp-fin", 100, detect.Ambiguous)}},
		{"nmap-xmas", "nmap -sX", []wanted{vertical("tcp-xmas", 100, detect.Ambiguous)}},
		{"nmap-maimon", "nmap -sM", []wanted{vertical("tcp-maimon", 100, detect.Ambiguous)}},
		{"nmap-ack", "nmap -sA", []wanted{vertical("tcp-ack", 100, detect.Refused)}},
		{"nmap-sctp", "nmap -sY", []wanted{vertical("sctp-init", 40, detect.Refused)}},
		{"nmap-protocols", "nmap -sO", []wanted{protocols}},
	}
}

// lanHosts are the last parts of the addresses in use below 192.0.2.64.
func lanHosts() []int { return []int{1, 5, 10, 20, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43} }

func nmapHosts() []scenario {
	sweep := wanted{
		src: scanner, shape: detect.Horizontal, technique: "icmp-echo", hosts: 64, targets: 64,
		answered: alive("icmp", "192.0.2.%d", lanHosts()...), verdict: detect.Answered, direction: detect.Inbound,
	}
	arp := sweep
	arp.src, arp.technique, arp.direction = inside, "arp", detect.Internal
	arp.answered = alive("arp", "192.0.2.%d", lanHosts()...)
	ndp := arp
	ndp.src, ndp.technique = "2001:db8:10::66", "ndp"
	// the router answers for the prefix itself too: the subnet-router anycast
	// address (RFC 4291 section 2.6.1)
	ndp.answered = append(on("ndp", "2001:db8:10::", 0), alive("ndp", "2001:db8:10::%x", 1, 5, 0x10, 0x20)...)
	horizontal := wanted{
		src: scanner, shape: detect.Horizontal, technique: "tcp-syn", hosts: 16, ports: 1, targets: 16,
		verdict: detect.Answered, direction: detect.Inbound, answered: sshFarm(),
	}
	return []scenario{
		{"nmap-arp", "nmap -sn", []wanted{arp}},
		{"nmap-ndp", "nmap -6 -sn", []wanted{ndp}},
		{"nmap-ping", "nmap -sn -PE", []wanted{sweep}},
		// from within the LAN: the router passes on only what exists there, and
		// asks for the rest by ARP, which is not its own doing
		{"gateway-arp", "masscan --ping", nil},
		{"nmap-horizontal", "nmap -sS", []wanted{horizontal}},
	}
}

// sshFarm are the hosts of 192.0.2.32/28 that serve port 22.
func sshFarm() []string {
	var list []string
	for n := 32; n <= 35; n++ {
		list = append(list, on("tcp", fmt.Sprintf("192.0.2.%d", n), 22)...)
	}
	return list
}

func nmapWays() []scenario {
	syn := func(ports int, open ...int) wanted {
		return vertical("tcp-syn", ports, detect.Answered, on("tcp", server, open...)...)
	}
	decoys := make([]wanted, 3)
	for i := range decoys {
		decoys[i] = syn(100, 21, 22, 25, 53, 80)
		decoys[i].src = fmt.Sprintf("203.0.113.%d", 66+i)
	}
	return []scenario{
		{"nmap-slow", "nmap -sS -T2", []wanted{syn(30, 21, 22, 25)}},
		{"nmap-decoys", "nmap -sS -D", decoys},
		{"nmap-version", "nmap -sV", []wanted{syn(30, 21, 22, 25)}},
		{"nmap-busy", "nmap -sS", []wanted{syn(100, 21, 22, 25, 53, 80)}},
		{"nmap-fragments", "nmap -sS -f", []wanted{syn(60, 21, 22, 25, 53)}},
		{"nmap-fragments2", "nmap -sS -f -f", []wanted{syn(60, 21, 22, 25, 53)}},
		{"nmap-mtu8", "nmap -sF --mtu 8", []wanted{vertical("tcp-fin", 60, detect.Ambiguous)}},
		{"nmap-udp-mtu8", "nmap -sU --mtu 8", []wanted{vertical("udp", 40, detect.Ambiguous)}},
	}
}

func others() []scenario {
	full := vertical("tcp-syn", 100, detect.Answered, openTCP(server)...)
	sweep := wanted{
		src: scanner, shape: detect.Horizontal, technique: "tcp-syn", hosts: 64, ports: 1, targets: 64,
		verdict: detect.Answered, direction: detect.Inbound, answered: append(on("tcp", server, 22), sshFarm()...),
	}
	block := sweep
	block.shape, block.hosts, block.ports, block.targets = detect.Block, 16, 12, 192
	block.answered = sshFarm()
	return []scenario{
		{"masscan-ports", "masscan", []wanted{full}},
		{"masscan-sweep", "masscan", []wanted{sweep}},
		{"masscan-block", "masscan", []wanted{block}},
		{"hping3-scan", "hping3 --scan", []wanted{full}},
	}
}

func ordinary() []scenario {
	var list []scenario
	for _, name := range []string{"web", "dns", "ftp-passive", "monitor", "backup", "mail", "browser", "retries"} {
		list = append(list, scenario{name: name, tool: "ordinary"})
	}
	return list
}
