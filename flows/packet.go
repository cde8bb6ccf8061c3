package flows

// Kind says what a packet is to the table.
type Kind uint8

// The kinds of packets. Everything that carries no attempt and answers none is
// KindOther.
const (
	KindOther            Kind = iota // another IP protocol: Packet.Proto says which
	KindTCP                          //
	KindUDP                          //
	KindEchoRequest                  // ICMP 8, ICMPv6 128
	KindEchoReply                    // ICMP 0, ICMPv6 129
	KindTimestampRequest             // ICMP 13
	KindTimestampReply               // ICMP 14
	KindMaskRequest                  // ICMP 17
	KindMaskReply                    // ICMP 18
	KindUnreachable                  // ICMP 3 but for code 4, ICMPv6 1, and 4 with code 1 (given as code 4): Quoted* is set
	KindTimeExceeded                 // ICMP 11, ICMPv6 3: Quoted* is set
	KindICMPOther                    // redirects, router discovery, packet too big …
	KindARPRequest                   // Src asks for Dst
	KindARPReply                     // Src (the owner) answers Dst
	KindNeighborSolicit              // Src asks for Dst, the target address, never the group
	KindNeighborAdvert               // Src (the target address) answers Dst
	KindSCTPInit                     //
	KindSCTPInitAck                  //
	KindSCTPCookieEcho               //
	KindSCTPCookieAck                //
	KindSCTPAbort                    //
	KindSCTPOther                    //
	KindFragment                     // a fragment without its transport header
)

// TCP flag bits, as in the header's 14th byte.
const (
	FlagFIN = 1 << iota
	FlagSYN
	FlagRST
	FlagPSH
	FlagACK
	FlagURG
	FlagECE
	FlagCWR
)

// Mark is a bit set of what the decoder noticed.
type Mark uint16

// The marks.
const (
	MarkGroup       Mark = 1 << iota // the IP destination, or the link destination, is a group or broadcast address
	MarkDF                           // IPv4 "do not fragment"
	MarkNoOptions                    // a TCP header without options
	MarkTruncated                    // the transport header is cut: its later fields are zero
	MarkMalformed                    // lengths or offsets contradict each other; ports and flags are as read
	MarkReplyLike                    // UDP payload that says it is a reply: of DNS, NTP, STUN, SNMP, DHCP, LDAP, SSDP, CoAP or memcached
	MarkSTUN                         // UDP payload with the STUN magic cookie
	MarkFragmented                   // a fragment, or several up to the one that completes the header, unless the kind is KindFragment
	MarkTunnel                       // found inside another packet
	MarkIPv6                         // IPv6 (NDP included)
	MarkTruncatedIP                  // less of the IP payload was captured than its header states
	MarkGateway                      // set by the table: an ARP request or neighbour solicitation from the link address of a gateway
	MarkLease                        // set by the table: an ARP or echo request for an address that a client of its sender wants
	MarkCarrier                      // it carries another packet in a tunnel: no attempt, and no answer to one
	MarkOrder                        // TCP to port 21: an FTP client tells the server where to connect to
)

// Packet is what the table needs to know of one packet. It holds no pointer
// and is 128 bytes long, so that batches of it can be recycled and cost the
// garbage collector nothing.
type Packet struct {
	// The first cache line is all that a packet of a known conversation needs.

	// Src and Dst are the innermost addresses; IPv4 as ::ffff:a.b.c.d. For
	// ARP and neighbour discovery see [Kind].
	Src, Dst         [16]byte
	SrcPort, DstPort uint16 // TCP, UDP, SCTP; else 0
	Proto            uint8  // IP protocol number (IPv6: the last next header); 0 for ARP
	Flags            uint8  // TCP flags
	Kind             Kind
	TTL              uint8 // or hop limit
	// Time is nanoseconds since 1970, as the capture states it.
	Time int64
	// Seq and Ack are TCP's. Seq of an echo request or reply is
	// identifier<<16 | sequence; of SCTP the initiate tag (INIT) or the
	// verification tag.
	Seq, Ack uint32
	Iface    uint32 // as in capture.Frame
	Marks    Mark
	// Payload is the length in bytes of what follows the transport header on
	// the wire, at most 65,535. Kinds without one count the IP payload.
	Payload uint16

	// EchoedTime is TSecr of the TCP timestamp option, 0 without it.
	EchoedTime uint32
	// Options is an FNV-1a hash of the TCP options with the values of
	// timestamps left out; 0 without options.
	Options uint32
	// Question is a hash of payload bytes 2 to 18 of a UDP datagram, and of those
	// to 64 if they ask a name server for one name, as far as they were captured; 0
	// for an empty payload. Of TCP it is 0, or what [OrderOf] gives where MarkOrder is
	// set.
	Question     uint32
	Window, IPID uint16
	VLAN         uint16  // outermost VLAN id, 0 without one
	SrcMAC       [6]byte // zero where the link has none
	Depth        uint8   // how many tunnels deep
	Code         uint8   // ICMP code
	// QuotedSrc to QuotedDstPort and QuotedProto are the tuple that an ICMP
	// error quotes: the packet that could not be delivered, as it was sent.
	// Of a quoted ICMP request QuotedSrcPort is the identifier, QuotedDstPort the
	// ICMP type.
	QuotedSrc, QuotedDst         [16]byte
	QuotedSrcPort, QuotedDstPort uint16
	QuotedProto                  uint8 // IP protocol of the quoted packet
	_                            uint8
}

// Has reports whether all the bits of m are set.
func (p *Packet) Has(m Mark) bool { return p.Marks&m == m }
