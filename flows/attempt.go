package flows

import (
	"encoding/binary"
	"net/netip"
)

// Class tells the families of targets apart that share addresses: a port of
// TCP is another target than a host asked by ARP.
type Class uint8

// The classes.
const (
	ClassTCP Class = iota + 1
	ClassUDP
	ClassEcho
	ClassTimestamp
	ClassMask
	ClassSCTP
	ClassProtocol // an IP protocol without ports
	ClassARP
	ClassNDP
)

// Technique is how a target was probed.
type Technique uint8

// The techniques. A connect scan is a TCPSYN whose handshake was completed;
// see [Attempt.Handshake].
const (
	TCPSYN Technique = iota + 1
	TCPFIN
	TCPNull
	TCPXmas
	TCPMaimon
	TCPACK
	UDP
	ICMPEcho
	ICMPTimestamp
	ICMPMask
	SCTPInit
	SCTPCookie
	IPProtocol
	ARP
	NDP
)

// Key names a target as one initiator sees it. The source port is no part of
// it: a resolver's thousand queries to one server are one target.
type Key struct {
	Initiator, Responder [16]byte
	Port                 uint16 // of the responder; 0 where there is none
	Proto                uint8  // IP protocol; 0 for ARP
	Class                Class
}

// Outcome of an attempt. It only rises, but for the last two.
type Outcome uint8

// The outcomes, as the word list of the README has them.
const (
	Silent      Outcome = iota // nothing came back
	Unreachable                // an ICMP error came back: see Attempt.Code
	Refused                    // a RST, or an SCTP ABORT
	Answered                   // a SYN-ACK, an ICMP reply, an ARP reply …
	Productive                 // the initiator sent payload that was answered; UDP: any answer
	Expired                    // ICMP time exceeded: a traceroute; counts nowhere
	Unseen                     // silent, where the capture cannot see replies
)

// Attempt is one initiator's try at one target: a first packet, the further
// connections that followed within ten seconds, and what came of it.
type Attempt struct {
	Key
	// Start is the capture's time of the first packet, nanoseconds since 1970.
	Start int64
	// Line is Start on the line clock, which never runs backwards: windows and
	// idle times are measured on it.
	Line int64
	// Time is the capture's time of the packet that started the connection which
	// an Opened event is about, Start in other events; TimeLine is the same on
	// the line clock.
	Time, TimeLine int64

	Seq, Ack     uint32 // of the latest connection's first packet
	Options      uint32 // as in Packet
	Question     uint32 // as in Packet
	SrcPort      uint16 // of the latest connection
	Window, IPID uint16
	VLAN         uint16
	Iface        uint32
	Packets      uint32 // first packets: retransmissions and duplicates included, until it is productive
	Connections  uint32 // source ports or sequence numbers tried
	Marks        Mark   // of the latest connection's first packet
	SrcMAC       [6]byte
	TTL          uint8
	Flags        uint8

	Technique Technique
	Outcome   Outcome
	Code      uint8 // ICMP code where Outcome is Unreachable
	Handshake bool  // the initiator completed the handshake
	HalfOpen  bool  // answered, and the initiator then reset or kept silent
	Counted   bool  // it counts as unproductive: failed, half-open or abandoned
	Withdrawn bool  // it has counted, and does so no longer
	Cut       bool  // the input ended, or room ran out, before the outcome was decided
}

// EventKind says what happened to an attempt.
type EventKind uint8

// The events, in the order in which one attempt can see them. Opened comes
// again for each new connection to the target, so it can follow Counted.
const (
	Opened    EventKind = iota + 1
	Counted             // it now counts as unproductive
	Raised              // its outcome rose
	Withdrawn           // it was counted, and counts no longer
	Final               // ten seconds have passed, the input ended, or room ran out
	// Conversed comes, also after Final, when the latest connection of a productive
	// attempt of TCP has lasted longer, or on ending has carried more, than a probe
	// does: ten seconds, or 4 KiB from the initiator, or 1 MiB to it. It comes at most
	// twice for one connection: while it lasts, and when it ends.
	Conversed
	// Orphaned is about an answer to which there is no question. Its attempt is the question
	// that it would answer, with the outcome that it would give; times, Seq, Ack, Flags,
	// Question, Iface, VLAN, TTL and SrcMAC are the answer's.
	Orphaned
	// Joined is about a conversation of TCP whose beginning was not seen: its key only,
	// of which either side may be the initiator.
	Joined
	// Ordered comes, also after Final, when the initiator of a conversation with an FTP
	// server tells it where to connect to. Only Key is set of the attempt, and Question,
	// which is [OrderOf] that host and port.
	Ordered
)

// Event is one step in the life of an attempt.
type Event struct {
	Attempt
	Kind EventKind
	// Sent and Received are the bytes of payload that the initiator sent and got, and
	// Lasted the milliseconds from the first packet, of the connection that Conversed
	// is about; 0 where they are not known, as the bytes while it lasts, and in other
	// events. Bytes are told by sequence numbers, modulo 2^31.
	Sent, Received, Lasted uint32
	// At is the line clock when it happened.
	At int64
}

// Addr unpacks an address as [Packet] and [Key] hold it.
func Addr(a [16]byte) netip.Addr { return netip.AddrFrom16(a).Unmap() }

// IsIPv4 reports whether a is an IPv4 address in its mapped form.
func IsIPv4(a *[16]byte) bool {
	return binary.BigEndian.Uint64(a[:8]) == 0 && binary.BigEndian.Uint32(a[8:12]) == 0xffff
}
