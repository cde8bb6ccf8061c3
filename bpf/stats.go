package bpf

// Class is what the program takes a frame for. Each frame is counted in one.
type Class uint8

// The classes of what is read.
const (
	ClassSYN      Class = iota // TCP: SYN
	ClassSYNACK                // SYN and ACK
	ClassRST                   // RST
	ClassFIN                   // FIN with others that a conversation ends with
	ClassProbe                 // flags that only a probe has: none, FIN, or FIN with PSH and URG
	ClassSegment               // all others of TCP
	ClassDatagram              // UDP
	ClassRequest               // ICMP: requests for an echo, the time, the mask
	ClassReply                 // replies to them
	ClassError                 // ICMP errors that quote a packet
	ClassICMP                  // other ICMP
	ClassARP                   // ARP for IPv4
	ClassNeighbor              // neighbour solicitations and advertisements
	ClassSCTP                  // SCTP
	ClassProtocol              // other IP protocols
	ClassFragment              // fragments without a whole transport header

	// The classes of what is not read.

	ClassOther      // ethertypes other than IP and ARP, and 802.2
	ClassTags       // more than two VLAN tags
	ClassExtensions // more than four extension headers of IPv6
	ClassTruncated  // ends before the ports
	ClassMalformed  // lengths that contradict each other

	// NumClasses is how many there are.
	NumClasses
)

// String names the class in lower case, for metrics.
func (c Class) String() string {
	names := [NumClasses]string{
		"syn", "synack", "rst", "fin", "probe", "segment", "datagram", "request", "reply", "error", "icmp",
		"arp", "neighbor", "sctp", "protocol", "fragment", "other", "tags", "extensions", "truncated", "malformed",
	}
	if c < NumClasses {
		return names[c]
	}
	return "unknown"
}

// Parsed reports whether frames of the class are read.
func (c Class) Parsed() bool { return c < ClassOther }

// Stats counts what a [Counter] has seen since it was opened.
type Stats struct {
	Mode    Mode               // where the program runs; Auto: nowhere, for the interface was removed
	Packets [NumClasses]uint64 // frames, by class

	Told       uint64 // written for Read
	RingFull   uint64 // to be told, but there was no room
	OverBudget uint64 // questions and stray answers beyond the budget of their source
	Tunnels    uint64 // told, and then left out because they carry another packet

	Load        float64 // share of bits set in the fuller generation of the Bloom filter, 0 to 1, as it was at the last look
	RingLoad    float64 // share of the ring that waits for Read, 0 to 1
	Generations uint64  // generations of the Bloom filter begun
	Sources     int     // sources in the table of those over budget, as it was at the last look
	Evicted     uint64  // sources that it forgot for want of room
}
