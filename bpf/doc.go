// Package bpf counts packets within the kernel, by an XDP program, and hands over only
// those that tell something new.
//
// [Open] attaches the program to an interface and [Counter.Read] drains what it has to
// say: packets as [flows.Decoder] would give them, and of sources that try more than is
// told one by one, a [flows.Summary]. The packets themselves go on to the host as if the
// program were not there.
//
// # What is told
//
// The program looks at every frame that the interface receives; what the host itself
// sends it does not see. Each frame is counted by [Class]. Then:
//
//  1. TCP segments that are neither SYN, FIN nor RST, and have flags, are only counted.
//     So payload is known by the sequence numbers of the FIN or RST that follows it, and
//     ACK scans are not seen.
//  2. A question (SYN, flag probe, UDP, ICMP, ARP or neighbour request, SCTP INIT, another
//     IP protocol) is told once for each target (initiator, responder, port, protocol,
//     class) in a generation and the one after it; see Generations.
//  3. An answer (SYN-ACK, RST, ICMP error or reply …) to a question that was told, from the
//     same source port or identifier, is told once for that question. So are the FIN and
//     the RST that end such a connection, once for each side.
//  4. A datagram is an answer if its tuple reversed is a target known. It is told once, if it
//     goes to the source port that the question came from. A conversation that goes on stays
//     known, and nothing more is told of it. So it is with other IP protocols.
//  5. Any other answer is told once for the target that it would answer, or not at all
//     where the target is known and it ends a connection that was not told.
//  6. Datagrams to a group are told again after 17 seconds; those of DHCP always, and
//     fragments that hold a part of a transport header.
//  7. TCP, ICMP requests and other protocols to a group, and later fragments, are only
//     counted.
//
// What is told is the head of the frame, 192 bytes at most, read by [flows.Decoder]: packets
// have all the fields that they have from a capture of that length. What tunnels carry is
// not looked at, and the tunnels are left out.
//
// # Budget
//
// A source may ask 4,096 questions in a generation. What it asks beyond that is counted in
// a table of sources, with an estimate of the distinct targets: see [flows.Summary].
// Answers to questions that were not told have a budget of the same size of their own.
// Budgets are kept in 262,144 cells, so that sources can share one; which do changes with
// the generation.
//
// # Generations
//
// Targets are remembered in a Bloom filter of two generations. When a generation is
// [Generation] old, or earlier when it holds as much as it can tell apart, the older one is
// cleared and becomes the new one. A target that is known by mistake is not told: at most one
// in a hundred, while [Stats].Load is below 0.2, at which a generation ends.
//
// A question is remembered after it was written for [Counter.Read] to take, never before:
// where there was no room it is told when it comes again. What did not fit is counted.
//
// # Systems
//
// Linux from 5.9 on; frames of several buffers (jumbo frames in drivers) from 5.18 on, and
// below 5.11 the clock costs 25 ns more where something is told; tried on 6.18 alone.
// Attaching takes CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN and CAP_NET_RAW, or root. The program
// is not pinned: it is gone with the process. It sees no VLAN tag that the network card has
// taken off.
package bpf
