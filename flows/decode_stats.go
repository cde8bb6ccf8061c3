package flows

import (
	"cmp"
	"slices"
)

// DecodeStats counts what a [Decoder] was given and what became of it. Every
// frame is in exactly one of Packets (less Pairs and Doubled), Truncated,
// Malformed, Encrypted, BadFCS, NoIP, NoIPOthers, Links and LinksOthers.
type DecodeStats struct {
	Frames  uint64 // frames given to Append
	Packets uint64 // packets appended

	Truncated uint64 // frames without a packet: cut by the snap length before ports, identifier or chunk type
	Malformed uint64 // frames without a packet: their lengths leave no room for a header, or more than 180 extension headers

	Encrypted uint64 // frames without a packet: encrypted on the link, by 802.11 or MACsec
	BadFCS    uint64 // frames without a packet: 802.11, received with errors, as the capture says
	Unread    uint64 // packets that were not looked at: all but the first in the aggregates (A-MSDU) of 802.11

	// Tunnels counts the tunnels that were passed or at least recognised, by
	// [Tunnel]; a packet in three of them counts three times.
	Tunnels        [NumTunnels]uint64
	Carriers       uint64 // packets with MarkCarrier
	Pairs          uint64 // frames that gave two packets: a carrier and what it carries
	TunnelsTooDeep uint64 // tunnels not looked into because four are around them
	TunnelsCut     uint64 // tunnels not looked into because the snap length, or a fragment, ends before what they carry says who talks to whom
	TunnelsNoIP    uint64 // tunnels in IP that carry neither IP nor ARP: other protocols, or IP encrypted

	Fragments uint64 // packets with MarkFragmented: first and later fragments
	// Of datagrams whose first fragment lacks a part of the transport header:
	Joined     uint64 // packets whose header was put together from several fragments
	Overlaid   uint64 // fragments that contradict an earlier one about the first 64 bytes
	Doubled    uint64 // frames that gave two packets: for such fragments can be read in two ways
	Incomplete uint64 // datagrams of which no header could be read: given up after 30 s, or still waiting at the time of the call
	Displaced  uint64 // datagrams given up because there were more than DecoderConfig.MaxFragments

	Groups     uint64 // packets with MarkGroup
	CutHeaders uint64 // packets with MarkTruncated
	Broken     uint64 // packets with MarkMalformed

	// NoIP counts frames that carry neither IP nor ARP for IP, by ethertype.
	// Type 0 stands for frames without one: 802.2 other than SNAP, address
	// families other than IP, and 802.11 other than data; 0x880b for PPP
	// that carries no IP. At most 32 types, sorted by number;
	// frames of further types are in NoIPOthers.
	NoIP       []NumberCount
	NoIPOthers uint64
	// Links counts frames of link types that are not supported, by LINKTYPE
	// number. At most 32, sorted; frames of further types are in LinksOthers.
	Links       []NumberCount
	LinksOthers uint64
}

// NumberCount is how many frames carried a number.
type NumberCount struct {
	Number uint16
	Frames uint64
}

// Stats returns the totals since the first frame. It allocates the lists.
func (d *Decoder) Stats() DecodeStats {
	s := DecodeStats{
		Frames: d.frames, Packets: d.packets,
		Truncated: d.truncated, Malformed: d.malformed,
		Encrypted: d.encrypted, BadFCS: d.badFCS, Unread: d.unread,
		Tunnels: d.tunnel.kinds, Carriers: d.tunnel.carriers, Pairs: d.tunnel.pairs,
		TunnelsTooDeep: d.tunnel.tooDeep, TunnelsCut: d.tunnel.cut, TunnelsNoIP: d.tunnel.unreadable,
		Fragments: d.marked.fragments, Doubled: d.doubled, Groups: d.marked.groups,
		CutHeaders: d.marked.cut, Broken: d.marked.broken,
		NoIP: d.ethertypes.list(), NoIPOthers: d.ethertypes.others,
		Links: d.links.list(), LinksOthers: d.links.others,
	}
	if f := d.fragments; f != nil {
		s.Joined, s.Overlaid, s.Displaced = f.joined, f.overlaid, f.evicted
		s.Incomplete = f.incomplete + f.waiting()
	}
	return s
}

// countedMarks are the marks that are rare enough to be counted one by one, and
// those of tunnels, which need a second look.
const countedMarks = MarkFragmented | MarkGroup | MarkTruncated | MarkMalformed | MarkTunnel | MarkCarrier

type markCounts struct {
	fragments, groups, cut, broken uint64
}

func (c *markCounts) add(m Mark) {
	if m&MarkFragmented != 0 {
		c.fragments++
	}
	if m&MarkGroup != 0 {
		c.groups++
	}
	if m&MarkTruncated != 0 {
		c.cut++
	}
	if m&MarkMalformed != 0 {
		c.broken++
	}
}

// tallySize bounds how many different numbers a tally tells apart: real
// networks show a handful, a hostile one could show all 65,536.
const tallySize = 32

// tally counts frames by a 16-bit number that comes from outside.
type tally struct {
	counts [tallySize]NumberCount
	n      int
	others uint64
}

func (t *tally) add(number uint16) {
	for i := range t.counts[:t.n] {
		if t.counts[i].Number == number {
			t.counts[i].Frames++
			return
		}
	}
	if t.n == tallySize {
		t.others++
		return
	}
	t.counts[t.n] = NumberCount{Number: number, Frames: 1}
	t.n++
}

func (t *tally) list() []NumberCount {
	if t.n == 0 {
		return nil
	}
	l := slices.Clone(t.counts[:t.n])
	slices.SortFunc(l, func(a, b NumberCount) int { return cmp.Compare(a.Number, b.Number) })
	return l
}
