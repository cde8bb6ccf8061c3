package marks

import (
	"encoding/binary"

	"github.com/synoptic-ids/synoptic/flows"
)

// IP protocol numbers.
const (
	protoICMP = 1
	protoTCP  = 6
	protoUDP  = 17
	protoSCTP = 132
)

// Probe is what the headers of a first packet say: one that asks, never a reply.
type Probe struct {
	// Src and Dst are addresses, IPv4 as ::ffff:a.b.c.d.
	Src, Dst [16]byte
	// Seq is TCP's sequence number, SCTP's initiate tag, and of ICMP
	// identifier<<16 | sequence. Ack is TCP's.
	Seq, Ack uint32
	// Options is the hash of the TCP options as [flows.Packet] has it, 0 without
	// options.
	Options          uint32
	SrcPort, DstPort uint16
	Window, IPID     uint16
	Proto            uint8 // IP protocol
	Flags            uint8 // of TCP: flows.FlagSYN …
	TTL              uint8 // as captured
	// DF is IPv4's "do not fragment".
	DF bool
	// Truncated says that the capture cut the transport header. Such a probe is
	// no evidence for or against a tool.
	Truncated bool
}

// FromAttempt is the probe that started the attempt's latest connection: of an
// Opened event the packet it is about. ok is false for ARP and neighbour
// discovery, in which nothing tells tools apart.
func FromAttempt(a *flows.Attempt) (p Probe, ok bool) {
	if a.Class == flows.ClassARP || a.Class == flows.ClassNDP {
		return Probe{}, false
	}
	return Probe{
		Src: a.Initiator, Dst: a.Responder, Seq: a.Seq, Ack: a.Ack, Options: a.Options,
		SrcPort: a.SrcPort, DstPort: a.Port, Window: a.Window, IPID: a.IPID, Proto: a.Proto, Flags: a.Flags, TTL: a.TTL,
		DF: a.Marks&flows.MarkDF != 0, Truncated: a.Marks&flows.MarkTruncated != 0,
	}, true
}

// dst4 is the destination as IPv4 has it.
func (p *Probe) dst4() uint32 { return binary.BigEndian.Uint32(p.Dst[12:]) }

func (p *Probe) ipv4() bool { return flows.IsIPv4(&p.Dst) }

// flags are TCP's without the two of congestion notification.
func (p *Probe) flags() uint8 { return p.Flags &^ (flows.FlagECE | flows.FlagCWR) }

func (p *Probe) syn() bool { return p.Proto == protoTCP && p.flags() == flows.FlagSYN }
