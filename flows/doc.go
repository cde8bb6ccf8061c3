// Package flows turns packets into attempts: who tried to reach what, and
// what came of it.
//
// [Decoder] reads the headers of a frame into [Packet] values; [Table] pairs
// both directions and emits an [Event] for each step in the life of an
// [Attempt]. Both work on the time of the packets alone.
//
// # What an attempt is
//
// The table keeps one entry a [Key]: initiator, responder, port of the
// responder, protocol and class. The rules below are the whole of its
// behaviour while it has room; a plain implementation of them, without
// bounds, stands beside the tests and must agree with it on every input.
//
// 1. Clock. The line clock L starts with the first packet's time and never
// runs back. Each interface has an offset, 0 at first; a packet's line time
// is its time plus the offset. A packet more than a minute behind L is a jump
// candidate: it leaves L alone and is treated as arriving at L. The third
// candidate of an interface in a row, if each lies within a minute of the one
// before (by packet time), sets the offset so that its line time is L. Any
// other packet ends the row, and moves L to its line time if that is later.
// The line time of a packet is never taken later than L, nor earlier than a
// minute before L (a candidate's is L).
//
// 2. Timers. They are set on L and fire before the packet that moved L to or
// past them is looked at, in the order of deadline, then of being set. What
// they cause happens at the deadline (Event.At); all else at L.
//
// 3. Entries. An attempt ends ("final") ten seconds of L after it was opened;
// the entry stays. After that its outcome rises no more, but that it may
// still become productive. An entry remembers its four latest connections:
// source port and the low 16 bits of the sequence number. A first packet that
// matches one of them is a copy: it bumps Packets (unless the attempt is
// productive), nothing else. Otherwise it is a new connection: Opened is
// emitted, with Connections one up; if the attempt is final, or of another
// technique, it is a new attempt with everything fresh (one that was not yet
// final emits Final first), but that UDP keeps the remembered connections if
// its entry saw a packet within 60 s. A class without ports takes the ICMP
// identifier as source port, others 0, and 0 for the sequence number; for
// classes other than TCP a match is a copy only within 60 s of L since the
// entry last saw a packet, either way. Of that they remember the next whole
// multiple of four seconds of L, and so do the notes of rule 7: what [Settled]
// passes over within four seconds changes nothing.
//
// 4. No attempt starts when the source is unspecified (0.0.0.0, ::), a group
// or 255.255.255.255, or when the packet is marked MarkGroup; ARP and
// neighbour discovery apart, whose link destination is a group by nature. For
// those a request for one's own address starts none. A packet marked
// MarkCarrier moves the clock and does nothing else.
//
// 5. Counting. A silent attempt counts 0.5 s after it was opened; a refused
// or unreachable one at once; an answered TCP or SCTP attempt 1 s after the
// answer unless it is productive by then: half-open if the initiator has not
// completed the handshake, else abandoned. An initiator's RST after the
// answer and before the handshake counts at once as half-open. UDP, ICMP, ARP, neighbour discovery and IP protocols never count once
// answered. When an attempt first counts, Counted is emitted, once an attempt. A counted
// attempt that becomes productive, is answered in a class that does not count
// answers, or expires, emits Withdrawn; one whose outcome rises otherwise
// emits Raised. An attempt that becomes productive without being counted
// emits Raised too; no other rise of an uncounted attempt emits anything.
//
// 6. TCP. SYN with ACK and RST clear is a first packet of a connection,
// technique TCPSYN; but unless it is a copy, one from the responder of an attempt
// that is not final, to a source port that its entry remembers, is an other segment
// of that responder (a handshake may be split, or begun from both sides). Nor is it one
// where the entry's initiator has chosen that port, as the last paragraph says: then it
// does nothing. A segment
// belongs to an entry of TCPSYN by either orientation; the entry looked for first is
// the one whose responder port is the smaller, the sender being the initiator where
// they are equal.
//   - SYN+ACK only looks for the entry whose responder sent it: answered.
//     Without: backscatter.
//   - RST looks for the entry whose responder sent it (any technique):
//     refused, unless answered; then for the one whose initiator did:
//     half-open if answered without handshake or payload. Neither:
//     backscatter.
//   - Other segments of the initiator, before an answer: if ACK is set and
//     Seq is the latest connection's Seq+1, the answer was not seen:
//     answered, with handshake, and one unseen flow for the visibility. Any
//     other is ignored. After an answer: ACK completes the handshake;
//     payload is noted, and where the answer was not seen it makes the
//     attempt productive at once.
//   - Other segments of the responder: answered if the attempt was silent
//     (or unreachable); productive if the initiator's payload was noted
//     before.
//   - Without an entry, a segment without payload and without a non-zero
//     EchoedTime is a flag probe if its flags (ECE and CWR apart) are
//     exactly none (TCPNull), FIN (TCPFIN), FIN+PSH+URG, (TCPXmas), FIN+ACK
//     (TCPMaimon) or ACK (TCPACK); any other makes a mid-stream entry (the
//     one looked for first), which is no attempt and absorbs every later
//     segment of the tuple but a SYN, which makes it an attempt.
//   - A flag probe's entry becomes mid-stream, and its attempt is withdrawn
//     if it counted (and emits nothing further if not), by a segment of the
//     responder other than RST, or one of the initiator from one of the
//     remembered source ports with payload or with another Seq, Ack or
//     flags. The same segment again is a copy; one from another source port
//     is a new connection if it is a flag probe by itself, else makes the
//     entry mid-stream. The Ack compared is the latest connection's.
//
// An entry's turn is the source port of the initiator's latest segment that came from
// none that it remembers. Its responder has led if it has sent to a port which was then
// neither the turn nor remembered (what that elicits is no choice of the initiator's),
// or, before the latest attempt of the entry, if that was productive or it was mid-stream
// and saw payload. The initiator has chosen its turn, unless that is 0, the responder has
// led, or now the attempt is productive or the entry mid-stream and has seen payload. A
// SYN+ACK or RST belongs to the entry whose responder sent it, else to the other. All this
// holds while the entry is remembered.
//
// 7. UDP. One whose source is no host's address (rule 4) can only be a reply
// by an entry. A datagram X:x → Y:y to a group only leaves a note that the
// socket X:x sent to a group. Otherwise the entries (X,Y,y) and (Y,X,x) are
// looked for in the order of rule 6.
//   - It is a reply if (Y,X,x) exists, remembers source port y, and saw a
//     packet within 60 s: productive.
//   - It is a copy if (X,Y,y) exists, remembers source port x, and saw a
//     packet within 60 s. (Where both hold, the first looked for.)
//   - Else it is a new connection of (X,Y,y) if that exists.
//   - Else it is a reply if there is a live note that the socket Y:y sent
//     to X (then the attempt of the note becomes productive, unless the
//     datagram is MarkReplyLike: what knows a protocol answers from the port
//     that was asked), or sent to a group within 30 s.
//   - Else it starts nothing if it is MarkReplyLike, or if X:x is a server
//     socket: one that three hosts have answered, by any of the above, from
//     three different ports, each ≥ 1024.
//   - Else it opens an attempt, which is announced after 50 ms of L. A
//     datagram Y:y → X:x meanwhile with an earlier packet time turns it
//     round, unless (Y,X,x) exists: Start, addresses, ports and all that
//     describes the first packet are then the earlier one's, the deadlines
//     stay, and it is productive. What happened meanwhile is emitted behind
//     Opened: Counted or Raised, as it then stands.
//
// Every datagram that is neither a reply nor a copy by the first two leaves
// the note "X:x sent to Y (its entry: X,Y,y, if there is one), at L" in place
// of an older one of X:x and Y. It is live for 30 s, and as long as its entry
// saw a packet within 30 s.
//
// 8. ICMP. Requests are first packets; replies answer their entry, or
// nothing. Errors look for the entry of the quoted tuple, which must remember
// the quoted source port (TCP, UDP): KindUnreachable makes a silent attempt
// unreachable with its code; KindTimeExceeded makes a silent or unreachable
// one expired, which is final. A quoted ICMP request is of the class that its
// type says (QuotedDstPort: 13 timestamp, 17 mask, any other echo).
//
// 9. ARP and neighbour discovery: a request is a first packet, a reply
// answers the entry of whom it is sent to for the address it comes from.
//
// 10. SCTP. INIT is a first packet (SCTPInit); COOKIE-ECHO without an entry
// is one (SCTPCookie), with one of SCTPInit it completes the handshake.
// INIT-ACK answers, ABORT refuses, COOKIE-ACK makes productive. Other chunks:
// nothing.
//
// 11. Other IP protocols: a packet with a reversed entry answers it; else it
// is a first packet. KindFragment and KindICMPOther do nothing.
//
// 12. Visibility, per interface, VLAN and class: two-way flows are attempts
// that got an answer or a refusal; unseen flows those of rule 6. Where both
// are 20 or more together, or three if none of them is two-way, and the two-way
// share is under a tenth, silent
// attempts count as Unseen. UDP, ICMP and IP protocols use TCP's figures
// where they have fewer than 20 of their own.
//
// 13. Gateways. When a segment or datagram of its responder makes an attempt
// productive by rule 6 or by the first case of rule 7 (without turning it
// round), the source link addresses of the attempt's latest connection and of
// that packet, where there are any, are noted to carry initiator and
// responder: their address for IPv4, their /64 for IPv6, up to four each. So is
// the link address of a segment of a mid-stream entry, carrying its source, once
// both sides have sent payload since it became one, the segment that made it one
// included. An ARP request or neighbour solicitation whose link address has three
// noted other than that of its source carries MarkGateway.
//
// 14. End. Attempts still undecided settle in the order they were opened:
// silent ones count with Cut set; answered ones whose initiator has sent FIN or
// RST after the handshake, and never payload (a RST's own is none), count, as
// abandoned; and all not yet final become Final. UDP not yet announced is
// announced first.
//
// 15. Answers before their questions (several receive queues hand packets over
// out of order). An answer that no attempt waits for is kept for 50 ms of L, of
// those to one question the latest: SYN+ACK unless it finds an attempt of TCPSYN
// that is not final; RST without an entry, either way, or whose responder's
// attempt is final or mid-stream; echo, timestamp, mask, ARP and NDP replies,
// INIT-ACK, COOKIE-ACK, ABORT and ICMP errors without an attempt that is not
// final (errors also by the source port of rule 8); and UDP by the last but one
// case of rule 7, where it starts nothing, and by a note between two hosts. What
// it says elsewhere of it holds all the same: it may have been counted as
// backscatter. It answers the key's question from the source port (identifier)
// that it is sent to, or quotes. When
// a first packet of that key and port makes a new connection, the answer is taken
// from there and looked at as if it came then, behind Opened, if the first
// packet's own time is not later than the answer's (of UDP: if it is earlier). For
// a datagram that is the question of such a UDP answer, and is by itself neither
// MarkReplyLike nor from a server socket, the note between the two hosts is not
// looked at in rule 7.
//
// 16. Conversations. Of the latest connection of an attempt of TCPSYN (the segments
// from or to its source port) it is noted who has sent payload, FIN or RST. Both
// sides' bytes are told by sequence numbers. The initiator's begin with its Seq+1,
// the responder's with Seq+1 of the first SYN+ACK that acknowledges that, or, if that
// came before, with what the initiator's first segment with ACK and with Seq+1
// acknowledges. A segment with FIN or RST says where they end: its sender's with its
// Seq and payload, the other's, if it has ACK, with Ack, less one if that side has
// sent FIN and the rest is not 0. What cannot be told is 0. A number of 2^31 or more
// makes the segment say nothing.
//   - Such a segment, of a productive attempt, emits Conversed, once a connection, if
//     either side has sent payload or by this has sent any, and so has the other, and
//     if the initiator has sent 4,096 bytes or more, or got 1,048,576 or more, or the
//     connection was opened ten seconds ago or earlier.
//   - An open connection (the attempt productive, payload from both sides, no FIN or
//     RST) emits Conversed as well when its attempt becomes final, or at the first
//     later segment with which it is open, if it was opened ten seconds ago or
//     earlier. If not, it does twenty seconds later, if it is open then.
//
// Ten seconds are milliseconds since the attempt's line time, both ends rounded
// down.
//
// 17. Orphans. An answer emits Orphaned if there is no entry that it could belong to:
// SYN+ACK without the entry of rule 6; RST with neither of its entries; echo, timestamp, mask, ARP
// and NDP replies, INIT-ACK, COOKIE-ACK and ABORT without their entry; ICMP errors without the
// quoted entry, or, of TCP and UDP, if it is no mid-stream entry and does not remember the
// quoted source port; and UDP that is MarkReplyLike by the last but one case of rule 7, if it
// answers no group. Its attempt is the question that it would answer. Then it is kept by rule 15.
// A segment without an entry that makes a mid-stream entry emits Joined.
//
// 18. Orders. A segment of the initiator that is marked MarkOrder emits Ordered, before
// anything else, if the attempt of TCPSYN that it belongs to is productive, or both
// sides have sent payload since its entry became mid-stream.
//
// 19. Leases. A datagram from port 67 that is MarkReplyLike makes its source a server
// of leases, if it is a host's address (rule 4); the latest eight are known. Any other
// datagram to port 67 from port 67 or 68 is a wish for an address, made at L; the latest
// sixteen are open, for three seconds. An ARP or echo request of a server that may start
// an attempt carries MarkLease if the server has taken an open wish for the address asked
// for, or takes one now: the first kept of those that are open and not taken.
//
// 20. Ends. With TableConfig.Ends no answered attempt counts one second after its answer:
// its handshake is not seen. It counts when it ends. A segment with FIN or RST that belongs
// by rule 6 to an attempt of TCPSYN, to its latest connection, is, before all else but rule 18, looked
// at for what the initiator has sent until then and what it got, told as by rule 16. It says nothing
// if rule 16 says so, or if it is the responder's and has no ACK.
//   - The initiator's with ACK, where there is no answer: the answer was not seen: answered,
//     unless it is final, and one unseen flow for the visibility.
//   - If now there is an answer, or this one acknowledges payload, the initiator's ACK, the responder's FIN and what the initiator
//     has sent complete the handshake. What the initiator has sent is its payload, which makes
//     the attempt productive if the segment has ACK.
//   - If it then is answered, without payload of either side, and not final, it counts:
//     half-open if the handshake is not complete, else abandoned. Who only listens may have
//     asked on another connection, which is still open: nothing is known of that. By rule 14
//     none counts that was answered.
//
// A SYN+ACK that acknowledges the Seq of the latest connection, the first to do so, notes by
// rule 13 what carries the two.
//
// Such a program may see what an interface receives, and not what it sends: silent attempts
// count as Unseen also where there is no two-way flow yet, and none that became unreachable,
// of their own class or of what rule 12 judges them by.
//
// # Without room
//
// A full table drops an entry for each packet that comes: final ones and mid-stream ones
// first, then failures that have counted, then what is older than half a second. If
// even younger ones must go, those of initiators or targets with many entries do, then
// others but for a part drawn by hash, which is the smaller the more comes. What is
// dropped becomes Final, with Cut set if it was silent and had not counted: it does not
// count then, for an answer may be under way. That it is gone is the whole difference;
// [TableStats] counts it.
package flows
