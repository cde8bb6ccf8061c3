package lab

import (
	"fmt"

	"github.com/synoptic-ids/synoptic/detect"
)

// lanHosts are the last parts of the addresses in use below 192.0.2.64.
func lanHosts() []int { return []int{1, 5, 10, 20, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43} }

// sshFarm are the hosts of 192.0.2.32/28 that serve port 22.
func sshFarm() []string {
	var list []string
	for n := 32; n <= 35; n++ {
		list = append(list, on("tcp", fmt.Sprintf("192.0.2.%d", n), 22)...)
	}
	return list
}

// pinged is what comes of asking all of 192.0.2.0/26 by a question that hosts
// answer: four addresses are silent, and of 44 the router says that nobody is there.
func pinged(technique string) wanted {
	return horizontal(technique, outcomes{silent: 4, unreachable: 44, answered: 16}, 0, detect.Answered, alive("icmp", "192.0.2.%d", lanHosts()...)...)
}

// ssh is what comes of trying port 22 of all of them.
func ssh() wanted {
	return horizontal("tcp-syn", outcomes{silent: 4, unreachable: 44, refused: 11, answered: 5}, 1, detect.Answered,
		append(on("tcp", server, 22), sshFarm()...)...)
}

// fromInside is what a host of the LAN gets: no word from the router.
func fromInside(w wanted) wanted {
	w.src, w.direction = inside, detect.Internal
	return w
}

func nmapHosts() []scenario {
	arp := fromInside(horizontal("arp", outcomes{silent: 48, answered: 16}, 0, detect.Answered, alive("arp", "192.0.2.%d", lanHosts()...)...))
	// the router answers for the prefix itself too: the subnet-router anycast
	// address (RFC 4291 section 2.6.1)
	ndp := fromInside(horizontal("ndp", outcomes{silent: 59, answered: 5}, 0, detect.Answered,
		append(on("ndp", "2001:db8:10::", 0), alive("ndp", "2001:db8:10::%x", 1, 5, 0x10, 0x20)...)...))
	ndp.src = "2001:db8:10::66"
	// by echo, the router answers for it from another address
	echo6 := over6(horizontal("icmp-echo", outcomes{silent: 1, unreachable: 28, answered: 3}, 0, detect.Answered,
		alive("icmp", "2001:db8:10::%x", 1, 5, 0x10)...))
	return []scenario{
		{"nmap-arp", "nmap -sn", one(arp)},
		{"nmap-ndp", "nmap -6 -sn", one(ndp)},
		{"nmap-ping", "nmap -sn -PE", one(pinged("icmp-echo"))},
		{"nmap-ping-ipv6", "nmap -6 -sn -PE", one(echo6)},
		{"nmap-timestamp", "nmap -sn -PP", one(pinged("icmp-timestamp"))},
		// Linux does not answer this one
		{"nmap-mask", "nmap -sn -PM", one(horizontal("icmp-mask", outcomes{silent: 20, unreachable: 44}, 0, detect.Unanswered))},
		// from within the LAN: the router passes on only what exists there, and
		// asks for the rest by ARP, which is not its own doing
		{"gateway-arp", "masscan --ping", nil},
		{"nmap-horizontal", "nmap -sS", one(horizontal("tcp-syn", outcomes{silent: 4, refused: 8, answered: 4}, 1, detect.Answered, sshFarm()...))},
	}
}

// nmapSweeps ask 192.0.2.32/27 whether anyone is there: twelve hosts, four
// silent addresses, and sixteen that are not in use.
func nmapSweeps() []scenario {
	absent := outcomes{silent: 4, unreachable: 16}
	farmHosts := alive("icmp", "192.0.2.%d", lanHosts()[4:]...)
	// what is there answers the first of four questions
	all := horizontal("icmp-echo", outcomes{silent: 4, unreachable: 16, answered: 12}, 2, detect.Answered, farmHosts...)
	all.targets, all.outcomes = 92, outcomes{silent: 16, unreachable: 64, answered: 12}.counts()
	all.parts = []part{
		{"icmp-echo", detect.Horizontal, 32, 0, 32, outcomes{silent: 4, unreachable: 16, answered: 12}.counts()},
		{"tcp-syn", detect.Horizontal, 20, 1, 20, absent.counts()},
		{"tcp-ack", detect.Horizontal, 20, 1, 20, absent.counts()},
		{"icmp-timestamp", detect.Horizontal, 20, 0, 20, absent.counts()},
	}
	within := fromInside(horizontal("arp", outcomes{silent: 48, refused: 11, answered: 21}, 1, detect.Answered,
		append(alive("arp", "192.0.2.%d", lanHosts()...), append(on("tcp", server, 22), sshFarm()...)...)...))
	within.hosts = 64
	within.parts = []part{
		{"arp", detect.Horizontal, 64, 0, 64, outcomes{silent: 48, answered: 16}.counts()},
		{"tcp-syn", detect.Horizontal, 16, 1, 16, outcomes{refused: 11, answered: 5}.counts()},
	}
	return []scenario{
		{"nmap-sweep", "nmap -sn", one(all)},
		{"nmap-ack-sweep", "nmap -sn -PA", one(horizontal("tcp-ack", outcomes{silent: 4, unreachable: 16, refused: 12}, 1, detect.Refused))},
		{"nmap-udp-sweep", "nmap -sn -PU", one(horizontal("udp", outcomes{silent: 4, unreachable: 28}, 1, detect.Ambiguous))},
		{"nmap-sctp-sweep", "nmap -sn -PY", one(horizontal("sctp-init", outcomes{silent: 4, unreachable: 28}, 1, detect.Refused))},
		{"nmap-inside-sweep", "nmap -sS", one(within)},
	}
}

// others are scans by other tools.
func others() []scenario {
	full := one(vertical("tcp-syn", hundred(), detect.Answered, openTCP(server)...))
	udp := one(vertical("udp", forty(), detect.Ambiguous))
	block := horizontal("tcp-syn", outcomes{silent: 48, refused: 140, answered: 4}, 12, detect.Answered, sshFarm()...)
	block.shape, block.hosts = detect.Block, 16
	return []scenario{
		{"masscan-ports", "masscan", full},
		{"masscan-udp", "masscan", udp},
		{"masscan-sweep", "masscan", one(ssh())},
		{"masscan-ping", "masscan --ping", one(pinged("icmp-echo"))},
		{"masscan-block", "masscan", one(block)},
		{"hping3-scan", "hping3 --scan", full},
		{"hping3-syn", "hping3 -S", full},
		{"hping3-udp", "hping3 -2", udp},
		{"zmap-sweep", "zmap", one(ssh())},
		{"zmap-ping", "zmap", one(pinged("icmp-echo"))},
		{"zmap-udp", "zmap", one(horizontal("udp", outcomes{silent: 4, unreachable: 59, productive: 1}, 1, detect.Answered, on("udp", server, 53)...))},
		{"connect-close", "connect()", one(vertical("tcp-connect", hundred(), detect.Answered, openTCP(server)...))},
	}
}
