package marks

import "github.com/synoptic-ids/synoptic/flows"

// Sign is a bit set of what one packet shows by itself.
type Sign uint16

// The signs. The package comment has the exact tests and how often each is seen
// by chance.
const (
	SignMirai       Sign = 1 << iota // TCP: the sequence number is the destination; 2^-32
	SignMasscan                      // masscan's equation, TCP or SCTP; 2^-16
	SignZMap                         // TCP with ip.id 54321 and window 65535; 2^-16 where the window is that
	SignZMapID                       // another protocol with ip.id 54321; 2^-16
	SignZMapWindows                  // the SYN of ZMap from 4.1 on
	SignNmap                         // TCP of nmap's shape, which early masscan and others share
	SignNmapOS                       // one of nmap -O's probes; nothing else sends them
	SignNaabu                        // SYN of naabu's shape, which nmap and others share
	SignHping                        // TCP of hping3's shape
	SignNoOptions                    // SYN without options: no ordinary stack since the eighties, some devices
	SignAck                          // SYN with a non-zero acknowledgement number

	// SignsOfCraft are those that no ordinary stack shows but by the chances
	// above.
	SignsOfCraft = SignMirai | SignMasscan | SignZMap | SignZMapWindows | SignNmap | SignNmapOS | SignNaabu |
		SignHping | SignNoOptions | SignAck
)

// Header values of the tools.
const (
	idZMap         = 54321
	windowZMap     = 65535
	windowNmap     = 1024 // naabu's and masscan's as well
	windowNmapMost = 4096 // nmap until June 2011: a multiple of 1024 up to this
	windowHping    = 512
	seqNaabuMost   = 1 << 28
)

// Signs tells what the packet shows by itself. Of a truncated one that is
// nothing.
func (p *Probe) Signs() Sign {
	if p.Truncated {
		return 0
	}
	if p.Proto == protoTCP {
		return p.signsTCP()
	}
	if !p.ipv4() {
		return 0
	}
	return when(p.IPID == idZMap, SignZMapID) | when(p.Proto == protoSCTP && p.masscan(), SignMasscan)
}

func when(holds bool, s Sign) Sign {
	if holds {
		return s
	}
	return 0
}

func (p *Probe) signsTCP() Sign {
	var s Sign
	if p.ipv4() {
		s |= when(p.Seq == p.dst4(), SignMirai)
		s |= when(p.masscan(), SignMasscan)
		s |= when(p.IPID == idZMap && p.Window == windowZMap, SignZMap)
		s |= when(p.zmapWindows(), SignZMapWindows)
	}
	s |= when(p.osProbe() >= 0, SignNmapOS)
	s |= when(p.hping(), SignHping)
	if p.syn() {
		s |= when(p.Options == 0, SignNoOptions)
		s |= when(p.Ack != 0, SignAck)
	}
	if p.Window == 0 || p.Window%windowNmap != 0 || p.Window > windowNmapMost {
		return s
	}
	bare, sized := p.Options == 0, p.syn() && onlySegmentSize(p.Options)
	s |= when((bare || sized) && !p.DF, SignNmap)
	return s | when(sized && p.Window == windowNmap && p.Seq < seqNaabuMost, SignNaabu)
}

// masscan is its equation.
func (p *Probe) masscan() bool {
	return p.IPID == uint16(p.dst4()^uint32(p.DstPort)^p.Seq)
}

func (p *Probe) zmapWindows() bool {
	const windowsTTL, unlikelyHops = 128, 64
	ttl := p.TTL <= windowsTTL-unlikelyHops || p.TTL > windowsTTL
	return p.syn() && p.Window == windowZMap && !p.DF && ttl && p.Options == zmapWindowsLayout
}

// hping is the shape of its TCP packets; it draws seq and ack with rand(), which
// gives 31 bits.
func (p *Probe) hping() bool {
	return p.Window == windowHping && p.Options == 0 && !p.DF && p.Ack != 0 && (p.Seq|p.Ack)>>31 == 0
}

// Flags of two of nmap -O's probes.
const (
	flagsT3 = flows.FlagSYN | flows.FlagFIN | flows.FlagURG | flows.FlagPSH
	flagsT7 = flows.FlagFIN | flows.FlagPSH | flows.FlagURG
)

// osProbes are nmap -O's TCP probes: the flags without those of congestion
// notification, the window and the place of the options in osLayouts.
var osProbes = [...]struct {
	flags  uint8
	window uint16
	layout uint8
}{
	{flows.FlagSYN, 1, 0},
	{flows.FlagSYN, 63, 1},
	{flows.FlagSYN, 4, 2},
	{flows.FlagSYN, 4, 3},
	{flows.FlagSYN, 16, 4},
	{flows.FlagSYN, 512, 5},
	{flows.FlagSYN, 3, 6},     // ECN
	{0, 128, 7},               // T2
	{flagsT3, 256, 7},         // T3
	{flows.FlagACK, 1024, 7},  // T4
	{flows.FlagSYN, 31337, 7}, // T5
	{flows.FlagACK, 32768, 7}, // T6
	{flagsT7, windowZMap, 8},  // T7
}

// osProbe tells which of nmap -O's probes it is, by its place in osProbes; -1
// for none.
func (p *Probe) osProbe() int {
	if p.Proto != protoTCP || p.Options == 0 {
		return -1
	}
	for i := range osProbes {
		o := &osProbes[i]
		if p.Window == o.window && p.flags() == o.flags && p.Options == osLayouts[o.layout] {
			return i
		}
	}
	return -1
}
