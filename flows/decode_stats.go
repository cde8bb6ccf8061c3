package flows

import (
	"cmp"
	"slices"
)

// DecodeStats counts what a [Decoder] was given and what became of it. Every
// frame is in exactly one of Packets, Truncated, Malformed, NoIP, NoIPOthers,
// Links and LinksOthers.
type DecodeStats struct {
	Frames  uint64 // frames given to Append
	Packets uint64 // packets appended

	Truncated uint64 // frames without a packet: cut by the snap length before ports, identifier or chunk type
	Malformed uint64 // frames without a packet: their lengths leave no room for a header, or more than 8 extension headers

	Fragments  uint64 // packets with MarkFragmented: first and later fragments
	Groups     uint64 // packets with MarkGroup
	CutHeaders uint64 // packets with MarkTruncated
	Broken     uint64 // packets with MarkMalformed

	// NoIP counts frames that carry neither IP nor ARP for IP, by ethertype.
	// Type 0 stands for frames without one: 802.2 other than SNAP, and
	// address families other than IP. At most 32 types, sorted by number;
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
	return DecodeStats{
		Frames: d.frames, Packets: d.packets,
		Truncated: d.truncated, Malformed: d.malformed,
		Fragments: d.marked.fragments, Groups: d.marked.groups,
		CutHeaders: d.marked.cut, Broken: d.marked.broken,
		NoIP: d.ethertypes.list(), NoIPOthers: d.ethertypes.others,
		Links: d.links.list(), LinksOthers: d.links.others,
	}
}

// countedMarks are the marks that are rare enough to be counted one by one.
const countedMarks = MarkFragmented | MarkGroup | MarkTruncated | MarkMalformed

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
