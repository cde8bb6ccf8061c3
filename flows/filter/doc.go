// Package filter reads the expressions of tcpdump and tests decoded packets
// with them.
//
// [Parse] makes a [Filter] of an expression, [Filter.Match] tests a packet, and
// [Filter.Prefilter] makes a program of classic BPF for a live socket that passes
// whatever Match accepts.
//
// # The language
//
//	[PROTO] [src|dst|src or dst|src and dst] host ADDRESS, net NETWORK, port N, portrange A-B
//	host 192.0.2.1, host 2001:db8::1, net 192.0.2.0/24, net 192.0.2, net 192.0.2.0 mask 255.255.255.0
//	ip, ip6, arp, tcp, udp, sctp, icmp, icmp6, igmp, igrp, pim, vrrp, esp, ah, gre
//	[ip|ip6] proto N, vlan [N], mpls [N]
//	ether [src|dst] host MAC, ether proto N, [ether] broadcast, [ether|ip|ip6] multicast
//	less N, greater N, VALUE = != < <= > >= VALUE
//	and or && , or or ||, not or !, parentheses
//
// A VALUE is a number, a named constant, len, a field as tcp[13], tcp[tcpflags]
// or ip[12:4], or made of them with + - * / % & | ^ << >>, unsigned and of 32
// bits. Not binds most tightly; and and or are equals, taken from left to right.
// Words in front of a name or number go on to the next: "tcp port 80 or 443" is
// "tcp port 80 or tcp port 443". Names of hosts and networks are refused, since
// nothing is looked up; ports have the names of a fixed table. Everything else
// is an [*Error] that names the word and where it stands.
//
// # One meaning
//
// An expression is about the packet that [flows.Decoder] gives, which is the
// innermost one by default, wherever it was found: in VLAN tags, behind MPLS
// labels, in tunnels, on any link. "tcp port 80" means the same everywhere.
// About the frame, and so about what is around the packet, are: vlan, mpls, ether,
// broadcast and multicast without ip or ip6, less, greater and len.
//
// # How it differs from tcpdump
//
// On frames of Ethernet that hold a packet of IP or ARP and nothing around it,
// answers are those of libpcap, but for what is listed here. A test compares
// them over generated expressions and frames, and holds each difference against
// what libpcap says of the packet by itself.
//
//   - Tags and tunnels: libpcap looks at fixed places, and so misses, or
//     takes for something else, what is behind VLAN tags, SNAP, MPLS or in
//     tunnels. Here the packet is tested.
//   - vlan and mpls mean any tag or label in front of the first packet, and
//     change nothing else in the expression. With libpcap they mean the next tag
//     or label, and move what stands behind them.
//   - ether proto N means the ethertype behind VLAN tags and SNAP.
//   - IPv6: protocols, ports and fields are those behind the extension
//     headers. proto N and its names also pass over AH.
//   - Fields of TCP, UDP and SCTP are found over IPv6 too; libpcap has them
//     over IPv4 only.
//   - Protocols that only carry others (gre, ah, proto 4, 41, 47, 51, extension
//     headers …) are also looked for in the first packet of the frame.
//   - Neighbour discovery: the addresses are those of who asks for whom, as
//     [flows.Packet] has them, not the group that is asked.
//   - A port by name is one of TCP, UDP and SCTP; with libpcap the system's
//     table may leave some of them out.
//   - A comparison of what a packet does not have is false, and its
//     negation true. libpcap leaves the packet out where it is too short.
//   - Fragments: a packet put together from fragments that were too short for
//     its ports is tested as a whole. ip[6:2] & 0x1fff tells whether there was
//     a transport header.
//   - Compared can be what [flows.Packet] holds, and any byte of the frame with
//     ether[…] or link[…]. Other fields are refused. The type of an ICMP packet
//     inside a tunnel is known of requests, replies, and errors that quote a packet.
//   - gre is a word here. RARP and what is neither IP nor ARP is not decoded,
//     and so never fits.
package filter
