// Package marks tells scanning tools by the packets they write: by equations
// and constants that anybody can check again on each packet of a capture. It
// reads header fields only, and counts how many probes of a source match, so
// that a finding can be written "masscan, 412 of 412".
//
// # What is told
//
// The last column is the chance that one packet which has nothing to do with
// the tool matches: of a stack that sends every field at random ("2^-16"), or,
// where only the shape is tested, what else has that shape. TTL is the value as
// captured; lo16 takes the low 16 bits; ^ is exclusive or.
//
//	mirai        TCP, IPv4: sequence number == destination address             2^-32
//	masscan      TCP, IPv4: ip.id == lo16(dst ^ dport ^ seq)                   2^-16
//	             SCTP INIT: the same with the initiate tag for seq             2^-16
//	zmap         before 4.1: ip.id 54321, of TCP also window 65535             2^-16
//	             from 4.1: SYN, window 65535, no DF, the options of Windows    shape: Windows, but that sends
//	             in one exact layout, TTL not 65 to 128                        DF and starts at TTL 128
//	nmap         TCP: window 1024 (until June 2011 also 2048, 3072, 4096), no  shape, and 2^-33 a pair
//	             DF; of SYN no options but a maximum segment size, of others
//	             none; and against the probe of this shape before it:
//	             x = v1 ^ v2 has equal halves below 256, v being seq, or ack
//	             where seq is 0, and source ports at most 64 apart
//	             -O: the 13 of its 16 probes that are TCP, by flags, window    0: nothing else sends them
//	             and option layout
//	             UDP, SCTP, ICMP and IP protocols, IPv4: no DF, TTL below 60;  shape: see below
//	             UDP and SCTP: source port at most 20 from the one before;
//	             ICMP: sequence 0
//	naabu        SYN: window 1024, only a maximum segment size, seq below      shape, and 2^-35 a pair
//	             2^28, and against the one before it: same source port, seq
//	             different by at most 4,096
//	hping3       TCP: window 512, no options, no DF, seq and ack below 2^31,   shape: no ordinary stack has a
//	             ack not 0; source port 0 to 64 after the one before           non-zero ack in a SYN; 2^-10 a pair
//	unicornscan  TCP, IPv4, against the probe before: seq ^ swapped(dst) ^     2^-32 a pair
//	             (dport<<16 | sport) is the same, where swapped turns the
//	             bytes round (little-endian senders) or not
//
// nmap's raw IPv4 packets have a TTL drawn from 37 to 59 for each. Without a
// sequence number to compare, that is the mark: of at least eight probes of the
// shape above the TTLs take at least five values, the largest from 31 to 59,
// none more than 22 below it. No stack, and no path, varies like that; a
// traceroute does, but starts at 1 and ends at 30. With --ttl there is no mark,
// nor with IPv6, where the hop limit does not vary.
//
// A tool is named only by four probes or more ([Least]), and only if half of
// the source's probes match where a test could fail by chance on each packet,
// nine in ten where only the shape is tested: [Votes.Best] has the rules. Four
// matches of the weakest equation among eight probes happen by chance to one
// source in 2^57. Half, not all, because tools make connections as well
// (nmap -sV), and because of NAT; how many matched is part of the finding.
//
// # What is not told
//
// A tool that asks the operating system to connect sends that system's packets:
// nmap -sT and without privileges, RustScan, Angry IP Scanner, Advanced Port
// Scanner, ZGrab, naabu without privileges, netcat. They are not named, and
// neither is what shares nothing but habits: nmap's ARP and neighbour sweeps;
// masscan's and naabu's pings; masscan's UDP, whose cookie is in the payload;
// masscan and ZMap over IPv6, which has no ip.id; ZMap from 4.1 on with other
// options than its default, which are those of other systems behind a firewall
// that clears DF. The UDP and ICMP probes of nmap -O are told by
// payload, type of service and code, which a probe does not have here.
//
// NAT and normalising firewalls rewrite ip.id, source ports and sequence
// numbers. A mark that is absent is no evidence of anything.
//
// # Sources
//
// The constants come from the tools' sources: masscan templ-pkt.c, ZMap
// packet.c and module_tcp_synscan.c (tags 2.1.1 to 4.3.4), Nmap
// scan_engine_raw.cc and osscan2.cc, Mirai scanner.c, naabu scan.go, hping3
// sendtcp.c, unicornscan tcphash.h. Those of nmap, masscan up to 1.3.2 and
// hping3 are borne out by recordings of their traffic; those of ZMap, Mirai,
// naabu, unicornscan and later masscan are as the sources have them.
//
// Values of this package belong to one goroutine each; it keeps no state of
// its own.
package marks
