package lab

import "github.com/synoptic-ids/synoptic/detect"

// Of the first hundred ports of the server five answer and five are silent; of
// ports 41 to 80 of quiet, five take UDP and say nothing.
func hundred() outcomes { return outcomes{silent: 5, refused: 90, answered: 5} }

func forty() outcomes { return outcomes{silent: 5, unreachable: 35} }

func nmapPorts() []scenario {
	dark := vertical("tcp-syn", outcomes{silent: 60}, detect.Unanswered)
	// the kernel limits how often a route says that it is prohibited
	prohibited := vertical("tcp-syn", outcomes{silent: 54, unreachable: 6}, detect.Prohibited)
	prohibited.direction, prohibited.loose = detect.External, 2
	internal := vertical("tcp-connect", outcomes{refused: 100}, detect.Refused)
	internal.src, internal.direction = inside, detect.Internal
	return []scenario{
		{"nmap-syn", "nmap -sS", one(vertical("tcp-syn", hundred(), detect.Answered, openTCP(server)...))},
		{"nmap-connect", "nmap -sT", one(vertical("tcp-connect", hundred(), detect.Answered, openTCP(server)...))},
		{"nmap-udp", "nmap -sU", one(vertical("udp", outcomes{silent: 5, unreachable: 94, productive: 1}, detect.Answered, on("udp", server, 53)...))},
		{"nmap-udp-silent", "nmap -sU", one(vertical("udp", forty(), detect.Ambiguous))},
		{"nmap-refused", "nmap -sS", one(vertical("tcp-syn", outcomes{refused: 100}, detect.Refused))},
		{"nmap-dark", "nmap -sS", one(dark)},
		{"nmap-prohibited", "nmap -sS", one(prohibited)},
		{"nmap-inside", "nmap -sT", one(internal)},
		{"nmap-ipv6", "nmap -6 -sS", one(over6(vertical("tcp-syn", hundred(), detect.Answered, openTCP(server6)...)))},
		{"nmap-ipv6-connect", "nmap -6 -sT", one(over6(vertical("tcp-connect", hundred(), detect.Answered, openTCP(server6)...)))},
		{"nmap-ipv6-udp", "nmap -6 -sU", one(over6(vertical("udp", outcomes{unreachable: 40}, detect.Refused)))},
		{"nmap-ipv6-xmas", "nmap -6 -sX", one(over6(vertical("tcp-xmas", outcomes{silent: 10, refused: 90}, detect.Ambiguous)))},
	}
}

func one(w wanted) []wanted { return []wanted{w} }

func over6(w wanted) wanted {
	w.src = scanner6
	return w
}

func nmapProbes() []scenario {
	protocols := vertical("ip-protocol", outcomes{silent: 1, unreachable: 59}, detect.Refused)
	protocols.shape, protocols.ports = detect.Protocol, 0
	// an open port is as silent as a filtered one, or resets as a closed one does
	silent, resets := outcomes{silent: 10, refused: 90}, outcomes{silent: 5, refused: 95}
	return []scenario{
		{"nmap-null", "nmap -sN", one(vertical("tcp-null", silent, detect.Ambiguous))},
		{"nmap-fin", "nmap -sF", one(vertical("tcp-fin", silent, detect.Ambiguous))},
		{"nmap-xmas", "nmap -sX", one(vertical("tcp-xmas", silent, detect.Ambiguous))},
		{"nmap-maimon", "nmap -sM", one(vertical("tcp-maimon", resets, detect.Ambiguous))},
		{"nmap-ack", "nmap -sA", one(vertical("tcp-ack", resets, detect.Refused))},
		{"nmap-window", "nmap -sW", one(vertical("tcp-ack", resets, detect.Refused))},
		{"nmap-sctp", "nmap -sY", one(vertical("sctp-init", outcomes{unreachable: 40}, detect.Refused))},
		{"nmap-sctp-cookie", "nmap -sZ", one(vertical("sctp-cookie", outcomes{unreachable: 40}, detect.Refused))},
		{"nmap-protocols", "nmap -sO", one(protocols)},
	}
}

func nmapWays() []scenario {
	syn := func(n int, open ...int) []wanted {
		o := outcomes{refused: n - len(open), answered: len(open)}
		return one(vertical("tcp-syn", o, detect.Answered, on("tcp", server, open...)...))
	}
	full := one(vertical("tcp-syn", hundred(), detect.Answered, openTCP(server)...))
	return []scenario{
		{"nmap-slow", "nmap -sS -T2", syn(30, 21, 22, 25)},
		{"nmap-polite", "nmap -sS -T2", syn(20, 21, 22, 25)},
		{"nmap-delay", "nmap -sT", one(vertical("tcp-connect", outcomes{refused: 40}, detect.Refused))},
		{"nmap-version", "nmap -sV", syn(30, 21, 22, 25)},
		{"nmap-busy", "nmap -sS", full},
		{"nmap-from-53", "nmap -sS -g 53", full},
		{"nmap-udp-from-53", "nmap -sU -g 53", one(vertical("udp", forty(), detect.Ambiguous))},
		{"nmap-fragments", "nmap -sS -f", syn(60, 21, 22, 25, 53)},
		{"nmap-fragments2", "nmap -sS -f -f", syn(60, 21, 22, 25, 53)},
		{"nmap-mtu8", "nmap -sF --mtu 8", one(vertical("tcp-fin", outcomes{silent: 4, refused: 56}, detect.Ambiguous))},
		{"nmap-udp-mtu8", "nmap -sU --mtu 8", one(vertical("udp", forty(), detect.Ambiguous))},
	}
}

// nmapOptions are scans that are more than one.
func nmapOptions() []scenario {
	system := vertical("tcp-syn", outcomes{unreachable: 1, refused: 56, answered: 4}, detect.Answered, on("tcp", server, 21, 22, 25, 53)...)
	system.parts = []part{
		{"tcp-syn", detect.Vertical, 1, 60, 60, outcomes{refused: 56, answered: 4}.counts()},
		{"udp", detect.Vertical, 1, 1, 1, outcomes{unreachable: 1}.counts()},
	}
	// before the ports, nmap asks whether the host is there: by ping, which is
	// answered, a SYN to port 443, which is among the ports, and an ACK to port 80
	fast := vertical("tcp-syn", outcomes{silent: 1, refused: 94, answered: 5}, detect.Answered, openTCP(server)...)
	fast.outcomes.Refused++
	fast.parts = []part{
		{"tcp-syn", detect.Vertical, 1, 100, 100, outcomes{silent: 1, refused: 94, answered: 5}.counts()},
		{"tcp-ack", detect.Vertical, 1, 1, 1, outcomes{refused: 1}.counts()},
	}
	return []scenario{
		{"nmap-os", "nmap -O", one(system)},
		{"nmap-fast", "nmap -F", one(fast)},
		{"nmap-web", "nmap -sV", one(vertical("tcp-syn",
			outcomes{silent: 5, refused: 14, productive: 1}, detect.Probed, on("tcp", server, 80)...))},
	}
}

// nmapSources are scans by more than one source, or by one that is made to.
func nmapSources() []scenario {
	decoys := vertical("tcp-syn", hundred(), detect.Answered, openTCP(server)...)
	decoys.src, decoys.srcs = "", []string{scanner, "203.0.113.67", "203.0.113.68"}
	dead := vertical("tcp-syn", outcomes{refused: 56, answered: 4}, detect.Answered, on("tcp", server, 21, 22, 25, 53)...)
	dead.src, dead.srcs, dead.likely = "", []string{scanner, "203.0.113.70", "203.0.113.71"}, scanner
	bounce := vertical("tcp-connect", outcomes{refused: 19, productive: 1}, detect.Probed, on("tcp", farm, 22)...)
	bounce.src, bounce.direction, bounce.abusedBy = server, detect.Internal, scanner
	refused := vertical("tcp-connect", outcomes{refused: 20}, detect.Refused)
	refused.src, refused.direction, refused.abusedBy = server, detect.Internal, scanner
	return []scenario{
		{"nmap-decoys", "nmap -sS -D", one(decoys)},
		{"nmap-decoys-dead", "nmap -sS -D", one(dead)},
		{"nmap-bounce", "nmap -b", one(bounce)},
		{"nmap-bounce-refused", "nmap -b", one(refused)},
	}
}
